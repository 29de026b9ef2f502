"""Proofs of transfer (rule P8): what a file is, who may say what about it, and what it holds back."""

import hashlib
from datetime import datetime

import pytest

import isp_engine as isp
from stories import WIT, at, day, invoice

START = day("2025-06-01")
# Due on 10 January: Thursday the 15th at 10:00 is the moment of isolation.
LINE = isp.AccessFacts(1, START, "open", [invoice("A", "2026-01-10")])
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def decide(moment: datetime, *proofs: isp.Proof, line: isp.AccessFacts = LINE, policy: isp.IsolationPolicy | None = None) -> tuple[str, str]:
    (decision,) = isp.decide_isolation([line._replace(proofs=proofs)], moment, policy=policy)
    return decision.action, decision.reason


def test_a_waiting_proof_holds_for_two_working_days() -> None:
    # Friday the 16th is a public holiday: Thursday, the day of isolation, and Monday count.
    proof = isp.Proof("A", at("2026-01-14 15:00"))
    assert decide(at("2026-01-15 10:00"), proof) == ("keep", "proof_waiting")
    assert decide(at("2026-01-19 23:59"), proof) == ("keep", "proof_waiting")
    assert decide(at("2026-01-20 10:00"), proof) == ("isolate", "overdue_too_long")
    # One that arrived long before holds no less; one that arrives later counts from its own hour.
    assert decide(at("2026-01-19 23:59"), isp.Proof("A", at("2026-01-02 08:00"))) == ("keep", "proof_waiting")
    assert decide(at("2026-01-21 14:59"), isp.Proof("A", at("2026-01-19 15:00"))) == ("keep", "proof_waiting")
    assert decide(at("2026-01-21 15:00"), isp.Proof("A", at("2026-01-19 15:00"))) == ("isolate", "overdue_too_long")
    none = isp.IsolationPolicy(proof_working_days=0)
    assert decide(at("2026-01-15 10:00"), proof, policy=none) == ("isolate", "overdue_too_long")
    assert (isp.IsolationPolicy().proof_working_days, none.proof_working_days) == (2, 0)


def test_only_the_first_of_an_invoice_and_until_it_is_reviewed() -> None:
    first, second = isp.Proof("A", at("2026-01-08 09:00")), isp.Proof("A", at("2026-01-19 15:00"))
    assert decide(at("2026-01-20 10:00"), first, second) == ("isolate", "overdue_too_long")
    mistake = first._replace(reviewed_at=at("2026-01-08 10:00"), taken_back=True)
    assert decide(at("2026-01-20 10:00"), mistake, second) == ("keep", "proof_waiting")
    reviewed = second._replace(reviewed_at=at("2026-01-20 09:00"))
    assert decide(at("2026-01-20 10:00"), reviewed) == ("isolate", "overdue_too_long")
    # Of another invoice, and of one that is not open.
    assert decide(at("2026-01-20 10:00"), second._replace(invoice="B")) == ("isolate", "overdue_too_long")
    isolated = LINE._replace(access="isolated", cause="arrears")
    assert decide(at("2026-01-20 10:00"), second, line=isolated) == ("keep", "still_overdue")


def test_the_zone_of_the_line_decides_and_it_is_explained() -> None:
    # 23:00 in Jakarta on Sunday is Monday in Jayapura.
    east = LINE._replace(zone="WIT")
    sunday = isp.Proof("A", at("2026-01-19 01:00", WIT))
    policy = isp.IsolationPolicy(isolate_at=at("2026-01-01 00:00").time())
    assert decide(at("2026-01-21 00:59", WIT), sunday, line=east, policy=policy) == ("keep", "proof_waiting")
    assert decide(at("2026-01-21 01:00", WIT), sunday, line=east, policy=policy) == ("isolate", "overdue_too_long")
    facts = isp.ExplainFacts(LINE._replace(proofs=[isp.Proof("A", at("2026-01-14 15:00"))]), None)
    (why,) = isp.explain([facts], at("2026-01-15 10:00"), language="en")
    assert why.reason == "proof_waiting"
    assert why.sentence.endswith("a proof of transfer waits for review, until 2026-01-20 00:00 WIB at most.")
    (why,) = isp.explain([facts], at("2026-01-15 10:00"))
    assert "bukti transfer" in why.sentence


def test_what_a_file_is_follows_from_its_content() -> None:
    wish = isp.ProofWish("C:\\foto\\struk.pdf", PNG, 166_500)
    (file,) = isp.check_proofs([wish])
    assert file == isp.ProofFile("struk.pdf", "png", "image/png", len(PNG), hashlib.sha256(PNG).hexdigest(), 166_500)
    (other,) = isp.check_proofs([wish._replace(name="..\n", amount=100_000)])
    assert isinstance(other, isp.ProofFile) and other.amount == 100_000 and "\n" not in other.name
    kinds = {b"\xff\xd8\xff\xe0": "jpeg", b"RIFF\0\0\0\0WEBPVP8 ": "webp", b"%PDF-1.4": "pdf"}
    for content, kind in kinds.items():
        (file,) = isp.check_proofs([wish._replace(content=content)])
        assert isinstance(file, isp.ProofFile) and file.kind == kind
    refused = {
        "value.empty": wish._replace(content=b""),
        "proof.kind": wish._replace(content=b"<svg onload=alert(1)>"),
        "proof.too_large": wish._replace(content=PNG + b"\0" * 5 * 1024 * 1024),
        "request.nothing_owed": wish._replace(owed=0),
        "proof.too_many": wish._replace(waiting=5),
        "value.not_positive": wish._replace(amount=-1),
        "value.implausible": wish._replace(amount=1),
    }
    answers = isp.check_proofs(list(refused.values()))
    assert [answer.code for answer in answers if isinstance(answer, isp.InvalidValue)] == list(refused)


def test_a_review_is_said_once_by_somebody_and_why() -> None:
    said = [
        isp.ReviewWish("accepted", "Rina"), isp.ReviewWish("rejected", "Rina"), isp.ReviewWish("taken_back", "Rina", "salah pelanggan"),
        isp.ReviewWish("accepted", " "), isp.ReviewWish("accepted", "Rina", reviewed=True),
    ]
    answers = isp.review_proofs(said)
    assert [answer and (answer.code, answer.field) for answer in answers] == [
        None, ("value.empty", "reason"), None, ("value.empty", "by"), ("proof.reviewed", "reviewed"),
    ]
    with pytest.raises(isp.InvalidValue):
        isp.review_proofs([isp.ReviewWish("approved", "Rina")])  # type: ignore[arg-type]
