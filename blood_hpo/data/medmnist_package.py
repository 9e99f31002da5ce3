"""What is used of the medmnist package, without what importing it does.

The package imports torch, prints a misleading line where there is none, and creates a folder in the
home directory. Here its table of data sets is parsed, and its evaluator is loaded alone.
"""

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from blood_hpo.errors import DataError

_PACKAGE = "medmnist"


@cache
def info() -> dict[str, Any]:
    """The entry of BloodMNIST in ``medmnist.INFO``: ``url``, ``MD5``, ``label``, ``n_samples`` etc.

    Raises:
        DataError: A version of medmnist is installed that keeps the table elsewhere.
    """
    entry: dict[str, Any] = _table()["bloodmnist"]
    return entry


@cache
def evaluator() -> ModuleType:
    """The module ``medmnist.evaluator``: the official ``Evaluator``, ``getAUC`` and ``getACC``."""
    stand_ins = {_PACKAGE: ModuleType(_PACKAGE), f"{_PACKAGE}.info": ModuleType(f"{_PACKAGE}.info")}
    # DEFAULT_ROOT None makes Evaluator insist on the folder it is given.
    vars(stand_ins[f"{_PACKAGE}.info"]).update(INFO=_table(), DEFAULT_ROOT=None)
    spec = importlib.util.spec_from_file_location("medmnist_evaluator", _folder() / "evaluator.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.update(stand_ins)
    try:
        spec.loader.exec_module(module)
    finally:
        for name in stand_ins:
            del sys.modules[name]
    return module


@cache
def _table() -> dict[str, Any]:
    tree = ast.parse((_folder() / "info.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INFO":
            table: dict[str, Any] = ast.literal_eval(node.value)
            return table
    raise DataError(
        "this version of medmnist has no INFO table in info.py; install the locked version"
    )


def _folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
