"""What is used of the medmnist package, without what importing it does.

The package's ``__init__`` imports torch, prints a misleading line where there is none, and its
``info`` module creates a folder in the home directory. Here neither is executed: the table of data
sets is a literal and is parsed, and the evaluator is loaded alone.
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
        DataError: medmnist is not installed, or a version of it keeps the table elsewhere.
    """
    entry: dict[str, Any] = _table()["bloodmnist"]
    return entry


@cache
def evaluator() -> ModuleType:
    """The module ``medmnist.evaluator``: the official ``Evaluator``, ``getAUC`` and ``getACC``.

    Raises:
        DataError: medmnist is not installed.
    """
    stand_ins = {_PACKAGE: ModuleType(_PACKAGE), f"{_PACKAGE}.info": ModuleType(f"{_PACKAGE}.info")}
    # DEFAULT_ROOT None makes Evaluator insist on the folder it is given.
    vars(stand_ins[f"{_PACKAGE}.info"]).update(INFO=_table(), DEFAULT_ROOT=None)
    spec = importlib.util.spec_from_file_location("medmnist_evaluator", _folder() / "evaluator.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    present = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    try:
        spec.loader.exec_module(module)
    finally:
        for name, original in present.items():
            del sys.modules[name]
            if original is not None:
                sys.modules[name] = original
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
    if spec is None or not spec.submodule_search_locations:
        raise DataError("the package medmnist is not installed; install it with --no-deps")
    return Path(spec.submodule_search_locations[0])
