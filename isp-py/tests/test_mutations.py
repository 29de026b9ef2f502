"""`scripts/mutate_rules` breaks a rule by changing its text: each text stands in the sources once, so that the script stays true."""

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "mutate_rules"), run_name="mutate_rules")


def test_each_text_that_is_changed_stands_there_once() -> None:
    assert SCRIPT["stale"]() == []


def test_what_stands_there_no_more_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"I2": ("clock.rs", "no such text", ""), "I3": ("clock.rs", "let", "let"), "I4": ("clock.rs", "pub enum ClockDoubt", "pub enum ClockDoubt")}
    monkeypatch.setitem(SCRIPT["stale"].__globals__, "MUTATIONS", broken)
    assert [text.split(":")[0] for text in SCRIPT["stale"](broken)] == ["I2", "I3", "I4"]


def test_each_rule_that_is_broken_has_a_case() -> None:
    cases = "\n".join(path.read_text() for path in (ROOT / "cases").glob("*/*.toml"))
    assert [rule for rule in SCRIPT["MUTATIONS"] if f'"{rule}"' not in cases] == []
