"""Dated cases of a provider, as ``docs/cases.md`` teaches them, for hosts that are written in Python.

A host is an object with four methods, each given plain dictionaries as :func:`read` makes them::

    begin(case)                     the provider, without subscriptions
    enter(subscription)             a subscription is typed in
    act(action, at)                 something happens; raises Refusal with the host's code
    observe(subscription, at)       what is to be seen: invoices, owed, access and so on

:func:`live` lets a host live a case, :meth:`Case.compare` says where what it saw is not as written.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from isp_engine._isp_engine import case_lacks, compare_case, read_case

__all__ = ["Case", "Host", "Refusal", "case_lacks", "compare_case", "live", "read", "read_case", "table"]


class Refusal(Exception):
    """A host does not do something; ``code`` is what a case may ask for."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


class Case(NamedTuple):
    """A case: its file below the folder, its text, and what it says."""

    file: str
    text: str
    data: dict[str, Any]

    @property
    def topic(self) -> str:
        """The folder that it lies in."""
        return self.file.rpartition("/")[0]

    def compare(self, report: dict[str, Any]) -> list[str]:
        """What is not as the case asks for, expected and actual side by side."""
        return compare_case(self.file, self.text, json.dumps(report))

    def lacks(self, hosts: str, host: str) -> str | None:
        """Why a host cannot live it, by the text of a ``hosts.toml``."""
        return case_lacks(hosts, host, self.file, self.text)


class Host(Protocol):
    """Something that a case can be lived on."""

    def begin(self, case: dict[str, Any]) -> None:
        """Makes the provider as it is before anything happens."""

    def enter(self, subscription: dict[str, Any]) -> None:
        """A subscription is typed in."""

    def act(self, action: dict[str, Any], at: datetime) -> None:
        """Does something at a moment."""

    def observe(self, subscription: dict[str, Any], at: datetime) -> dict[str, Any]:
        """Looks at a subscription."""


def read(folder: str | Path) -> list[Case]:
    """All cases of a folder, in the order of their names; those below a name that begins with ``_`` or ``.`` are passed over."""
    root, cases = Path(folder), []
    for path in sorted(root.rglob("*.toml")):
        parts = path.relative_to(root).parts
        if parts != ("hosts.toml",) and not any(part.startswith(("_", ".")) for part in parts):
            file, text = "/".join(parts), path.read_text(encoding="utf-8")
            cases.append(Case(file, text, json.loads(read_case(file, text))))
    return cases


def live(host: Host, case: Case) -> dict[str, Any]:
    """Lives a case on a host, to its end or to a step that is refused and should not be; what it saw, step by step."""
    data, steps = case.data, []
    try:
        host.begin(data)
    except Refusal as refusal:
        return {"steps": [_told(0, refusal)]}
    waiting = sorted(data["subscriptions"], key=lambda s: _moment(s["entered"]))
    for step in data["steps"]:
        refused = None
        try:
            for at in map(_moment, step["moments"]):
                while waiting and _moment(waiting[0]["entered"]) <= at:
                    host.enter(waiting.pop(0))
                host.act(step["action"], at)
        except Refusal as refusal:
            refused = refusal
        told = _told(step["number"], refused)
        steps.append(told)
        if refused and not step["refused"]:
            break
        if step["expect"]:
            of = next(s for s in data["subscriptions"] if s["name"] == step["expect"]["of"])
            told["observed"] = host.observe(of, _moment(step["moments"][-1]))
    return {"steps": steps}


def _told(number: int, refused: Refusal | None) -> dict[str, Any]:
    return {"number": number, "refused": refused and {"code": refused.code, "message": str(refused)}}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def table(host: str, outcomes: Iterable[tuple[Case, str]]) -> str:
    """A row for each topic with how many cases came out how; an outcome is ``green``, ``red`` or a word of the caller's."""
    counts: dict[str, dict[str, int]] = {}
    for case, outcome in outcomes:
        for topic in (case.topic, "all"):
            row = counts.setdefault(topic, {})
            row[outcome] = row.get(outcome, 0) + 1
    total = counts.pop("all", {})
    rows = [*sorted(counts.items()), ("all", total)]
    width = max(len("cases"), *(len(topic) for topic, _ in rows))
    return "\n".join([f"{'cases':<{width}}  {host}", *(f"{topic:<{width}}  {_cell(row)}" for topic, row in rows)])


def _cell(row: dict[str, int]) -> str:
    others = [f"{count} {outcome}" for outcome, count in sorted(row.items()) if outcome != "green"]
    return ", ".join([str(row.get("green", 0)), *others])
