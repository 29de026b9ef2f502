"""Compares the types of the wheel with what was built: mypy's stubtest, for a native module whose types stand in a file for each area.

stubtest looks at each file of types beside a module of that name, and the native module is one. So each area is shown to it as a
module with the names that its file has.
"""

import ast
import importlib
import sys
from pathlib import Path
from types import ModuleType

from mypy import stubtest

NATIVE = "isp_engine._isp_engine"


def areas() -> list[str]:
    """Makes a module of each area; their names."""
    native = importlib.import_module(NATIVE)
    made = []
    for path in sorted(Path(importlib.import_module("isp_engine").__file__).parent.glob("_isp_engine/*.pyi")):
        if path.stem == "__init__":
            continue
        area = ModuleType(f"{NATIVE}.{path.stem}")
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and hasattr(native, node.name):
                setattr(area, node.name, getattr(native, node.name))
        sys.modules[area.__name__] = area
        made.append(path.stem)
    return made


if __name__ == "__main__":
    assert len(areas()) > 5, "the files of types were not found"
    sys.exit(stubtest.main())
