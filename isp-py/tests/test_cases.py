"""Every case of ``cases/`` on the wheel's pure functions. Prints the wheel's column of the table of hosts."""

import json
from pathlib import Path

import pytest

from isp_engine import cases
from isp_engine.errors import InvalidValue
from wheel_host import Provider

FOLDER = Path(__file__).parents[2] / "cases"
LACKS = (FOLDER / "hosts.toml").read_text()
"""What the wheel by its nature lacks."""
WAITING = (FOLDER / "_waiting" / "hosts.toml").read_text()
"""What is not built yet."""


def test_every_case_is_green_on_the_wheel(capsys: pytest.CaptureFixture[str]) -> None:
    reds, outcomes = [], []
    for case in cases.read(FOLDER):
        if case.lacks(LACKS, "wheel"):
            outcomes.append((case, "lacking"))
        elif case.lacks(WAITING, "wheel"):
            outcomes.append((case, "waiting"))
        else:
            found = case.compare(cases.live(Provider(), case))
            outcomes.append((case, "red" if found else "green"))
            reds += ["\n".join([f"{case.file}: {case.data['title']}", *found])] if found else []
    with capsys.disabled():
        print("\n\n" + cases.table("wheel", outcomes))
    assert not reds, "\n\n".join(reds)
    assert sum(outcome == "green" for _, outcome in outcomes) >= 100


def test_a_file_that_is_no_case_is_named_with_table_and_key() -> None:
    with pytest.raises(InvalidValue, match=r"late.toml:3: \[packages.HOME\]: unknown field `prise`") as refused:
        cases.read_case("late.toml", 'title = "t"\n[packages.HOME]\nprise = 1\n')
    assert refused.value.code == "case.invalid"


def test_a_difference_shows_expected_and_actual() -> None:
    text = (FOLDER / "billing" / "b2-terms.toml").read_text()
    case = cases.Case("b2.toml", text, json.loads(cases.read_case("b2.toml", text)))
    report = cases.live(Provider(), case)
    report["steps"][0]["observed"]["invoices"][0]["due"] = "2026-01-11"
    (found,) = case.compare(report)
    assert "expected subscription  2026-01-01..2026-02-01  issued 2026-01-01  due 2026-01-15" in found
    assert "actual   subscription  2026-01-01..2026-02-01  issued 2026-01-01  due 2026-01-11" in found
