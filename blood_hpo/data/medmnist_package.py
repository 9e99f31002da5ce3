"""What is used of the medmnist package, without what importing it does.

The package imports torch, prints a misleading line where there is none, and creates a folder in the
home directory. Here its table of data sets is parsed, and its evaluator is loaded alone.
"""

import ast
import runpy
import sys
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from blood_hpo.errors import DataError

_FOLDER = Path(str(distribution("medmnist").locate_file("medmnist")))


@cache
def info() -> dict[str, Any]:
    """The entry of BloodMNIST in ``medmnist.INFO``: ``url``, ``MD5``, ``label``, ``n_samples`` etc.

    A version of medmnist that keeps the table elsewhere is a DataError.
    """
    entry: dict[str, Any] = _table()["bloodmnist"]
    return entry


@cache
def evaluator() -> SimpleNamespace:
    """The contents of ``medmnist.evaluator``: official ``Evaluator``, ``getAUC`` and ``getACC``."""
    stand_ins = {name: ModuleType(name) for name in ("medmnist", "medmnist.info")}
    # DEFAULT_ROOT None makes Evaluator insist on the folder it is given.
    vars(stand_ins["medmnist.info"]).update(INFO=_table(), DEFAULT_ROOT=None)
    sys.modules.update(stand_ins)
    try:
        return SimpleNamespace(**runpy.run_path(str(_FOLDER / "evaluator.py")))
    finally:
        for name in stand_ins:
            del sys.modules[name]


@cache
def _table() -> dict[str, Any]:
    tree = ast.parse((_FOLDER / "info.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INFO":
            table: dict[str, Any] = ast.literal_eval(node.value)
            return table
    raise DataError(
        "this version of medmnist has no INFO table in info.py; install the locked version"
    )
