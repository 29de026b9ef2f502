"""The Odoo addon maps and shows: no model, wizard or `logic/` of it decides about days of periods or rounds money a second time."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2] / "isp-odoo"


def checker(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "checks" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NO_RULES = checker("no_rules")
ANSWERS = checker("answers")


def test_the_addon_decides_nothing() -> None:
    assert not NO_RULES.look()


def test_what_is_allowed_is_little_and_reasoned() -> None:
    assert len(NO_RULES.ALLOWED) <= 20
    for place, why in NO_RULES.ALLOWED.items():
        assert (ROOT / "isp_management" / place.partition(":")[0]).is_file() and len(why) > 10, place


@pytest.mark.parametrize(
    ("planted", "what"),
    [
        ("if line.paused_from <= today: pass", "compares days of periods"),
        ("due = [m for m in moves if m.isp_period_end > day]", "compares days of periods"),
        ("until = max(line.billed_from, line.charged_until)", "compares days of periods"),
        ("return row['end_date'] < today", "compares days of periods"),
        ("end = line.end_date + timedelta(days=1)", "adds days"),
        ("first = start + relativedelta(months=1)", "adds days"),
        ("due = fields.Date.add(day, days=10)", "adds days"),
        ("length = period_end - period_start", "adds days"),
        ("known = prices.filtered(lambda p: p.date_from <= day)", "compares days of periods"),
        ("late = [m for m in moves if m.invoice_date_due < today]", "compares days of periods"),
        ("kept = promise.until >= today", "compares days of periods"),
        ("cr.execute('SELECT 1 FROM account_move m WHERE c.date < m.invoice_date_due + %s')", "adds days"),
        ("part = round(line.price * days / of)", "rounds money"),
        ("part = math.floor(amount_total)", "rounds money"),
        ("each = price // 30", "divides money"),
        ("share = move.amount_total / 30", "divides money"),
    ],
)
def test_a_rule_that_is_planted_is_found(planted: str, what: str, tmp_path: Path) -> None:
    for folder in NO_RULES.FOLDERS:
        (tmp_path / folder).mkdir()
    (tmp_path / "models" / "planted.py").write_text(f"def decide(line, today):\n    {planted}\n")
    (found,) = NO_RULES.look(tmp_path, {})
    assert found == f"models/planted.py:2: decide {what}; ask the engine"
    assert not NO_RULES.look(tmp_path, {"models/planted.py:decide": "for once"})


def test_what_maps_is_left_alone(tmp_path: Path) -> None:
    for folder in NO_RULES.FOLDERS:
        (tmp_path / folder).mkdir()
    (tmp_path / "logic" / "rows.py").write_text(
        "def row(line, move):\n"
        "    later = now + timedelta(hours=7)\n"
        "    if move.isp_period_start == line.activation_date and count > 3:\n"
        "        return (line.paused_from, move.amount_total * 1, [*a, *b], round(seconds))\n"
    )
    assert not NO_RULES.look(tmp_path, {})


def test_each_action_answers_a_program() -> None:
    assert not ANSWERS.look()


@pytest.mark.parametrize(
    "planted",
    ["self.state = 'done'", "return", "return None", "if self.state == 'done':\n            return True", "for line in self:\n            return True"],
)
def test_an_action_without_an_answer_is_found(planted: str, tmp_path: Path) -> None:
    models = tmp_path / "isp_management" / "models"
    models.mkdir(parents=True)
    head = "class Line:\n    def action_do(self):\n        "
    (models / "planted.py").write_text(head + planted + "\n")
    assert ANSWERS.look(tmp_path) == ["isp_management/models/planted.py:2: action_do may return None"]
    (models / "planted.py").write_text(head + "if self:\n            raise UserError(\"no\")\n        return True\n")
    assert not ANSWERS.look(tmp_path)


def test_each_trouble_that_the_addon_puts_into_words_is_an_error_of_the_engine() -> None:
    source = (ROOT / "isp_management" / "models" / "isp_reason.py").read_text()
    (troubles,) = re.findall(r"^TROUBLES = \{\n(.*?)^\}", source, re.MULTILINE | re.DOTALL)
    codes = re.findall(r'^    "([a-z_.]+)": _lt\(', troubles, re.MULTILINE)
    documented = (ROOT.parent / "docs" / "errors.md").read_text()
    assert len(codes) > 30 and [code for code in codes if f"| `{code}` |" not in documented] == []
