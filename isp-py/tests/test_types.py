"""The stub, the package and the module say the same."""

import ast
from pathlib import Path

import isp_engine as isp
from isp_engine import _isp_engine, records

PACKAGE = Path(isp.__file__).parent


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_everything_public_is_exported_and_documented() -> None:
    native = {name for name in dir(_isp_engine) if not name.startswith("_")}
    assert native <= set(isp.__all__)
    classes = {name for name, value in vars(records).items() if hasattr(value, "_fields")}
    assert classes <= set(isp.__all__)
    assert sorted(set(isp.__all__)) == sorted(isp.__all__)
    without = {"Key", "Money", "REASONS", "__version__"}
    assert [n for n in isp.__all__ if n not in without and not getattr(isp, n).__doc__] == []


def test_every_native_member_is_documented() -> None:
    for name in ("BillingPolicy", "DunningPolicy", "IsolationPolicy", "TaxPolicy", "Phone", "Nik"):
        members = {n: m for n, m in vars(getattr(isp, name)).items() if not n.startswith("_")}
        assert members
        assert [n for n, m in members.items() if not m.__doc__] == []


def test_the_stub_names_what_the_module_has() -> None:
    stub = ast.parse((PACKAGE / "_isp_engine.pyi").read_text())
    named = {node.name for node in stub.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert named | {"REASONS"} == {name for name in dir(_isp_engine) if not name.startswith("_")}
