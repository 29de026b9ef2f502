"""The stub, the package and the module say the same."""

import ast
from pathlib import Path

import isp_engine as isp
from isp_engine import _isp_engine, cases, gateways, records, routers, spreadsheets, testing, whatsapp

PACKAGE = Path(isp.__file__).parent


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_everything_public_is_exported_and_documented() -> None:
    modules = (isp, cases, gateways, routers, spreadsheets, whatsapp, testing)
    public = [(module, name) for module in modules for name in module.__all__]
    values = [getattr(module, name) for module, name in public]
    native = {name for name in dir(_isp_engine) if not name.startswith("_")}
    assert [name for name in native if not any(getattr(_isp_engine, name) is value for value in values)] == []
    classes = {value for value in vars(records).values() if hasattr(value, "_fields")}
    assert [c for c in classes if c not in [v for v in values if isinstance(v, type)]] == []
    assert len(set(public)) == len(public)
    without = {"Key", "Money", "PARAMETERS", "REASONS", "SENDER_PARAMETERS", "WORDS", "__version__"}
    assert [n for module, n in public if n not in without and not getattr(module, n).__doc__] == []
    assert {module.__doc__ is None for module in modules} == {False}


def test_every_native_member_is_documented() -> None:
    for name in ("BillingPolicy", "DunningPolicy", "IsolationPolicy", "LateFeePolicy", "OutagePolicy", "ClockPolicy", "PromisePolicy", "TaxPolicy", "Phone", "Nik", "SimulatedGateway", "SimulatedRouter", "SimulatedWhatsApp"):
        members = {n: m for n, m in vars(getattr(_isp_engine, name)).items() if not n.startswith("_")}
        assert members
        assert [n for n, m in members.items() if not m.__doc__] == []


def test_the_stub_names_what_the_module_has() -> None:
    areas = {path.stem: ast.parse(path.read_text()) for path in PACKAGE.glob("_isp_engine/*.pyi")}
    whole = areas.pop("__init__")
    named = {node.name for area in areas.values() for node in area.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    taken = {str(node.module).rpartition(".")[2] for node in whole.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"}
    assert len(areas) > 5 and taken == set(areas)
    assert named | {"PARAMETERS", "REASONS", "SENDER_PARAMETERS", "WORDS"} == {name for name in dir(_isp_engine) if not name.startswith("_")}
