"""The last look before a message leaves (rules N3, N4, N6, N7), the clock of a run (I9), and endings (I2)."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

import isp_engine as isp
from isp_engine import whatsapp
from isp_engine.testing import SimulatedWhatsApp
from stories import WIT, at, day, invoice, refused

DUE = "2026-03-10"


def look(kind: Any, text: str, waited: str = "", **more: Any) -> isp.MessageLook:
    waiting = isp.QueuedMessage(1, kind, at(waited or text), **{"lines": [isp.MessageLine("HOME-20")], **more})
    (found,) = isp.refresh_messages([waiting], at(text))
    return found


def test_a_reminder_asks_for_all_that_is_owed_oldest_first() -> None:
    owed = [invoice("INV/2", DUE), invoice("INV/1", "2026-02-10", paid=66_500)]
    found = look("due_soon", "2026-03-07 09:00", invoices=owed, about=["INV/2"])
    assert found.content == whatsapp.DueSoon("HOME-20", ("INV/1", "INV/2"), 266_500, day(DUE))
    assert found.demand == isp.Demand(
        (isp.Owed("INV/1", 100_000, day("2026-02-10")), isp.Owed("INV/2", 166_500, day(DUE))),
        266_500, 100_000, day("2026-03-09"), False,
    )
    assert look("due_soon", "2026-03-07 09:00", invoices=owed, about=["INV/0"])[1:3] == ("drop", "paid")
    assert look("due_soon", "2026-03-11 09:00", invoices=owed, about=["INV/2"])[1:3] == ("drop", "past_due")
    late = look("overdue", "2026-03-13 09:00", invoices=[invoice("INV/2", DUE)], about=["INV/2"])
    assert late.content == whatsapp.Overdue("HOME-20", ("INV/2",), 166_500, day(DUE), 3, day("2026-03-16"))
    small = [invoice("INV/2", DUE, paid=166_000)]
    policy = isp.IsolationPolicy(isolate_from=10_000)
    waiting = isp.QueuedMessage(1, "overdue", at("2026-03-13 09:00"), small, ["INV/2"], [isp.MessageLine("HOME-20")])
    (found,) = isp.refresh_messages([waiting], at("2026-03-13 09:00"), isolation=policy)
    assert found[1:3] == ("drop", "small_debt")


def test_the_day_that_a_reminder_names_is_that_of_the_lines() -> None:
    owed = [invoice("INV/2", DUE)]
    line = isp.AccessFacts("x", day("2026-01-01"), "open", owed)
    without_end = day("2199-12-31")

    def named(*lines: isp.AccessFacts, kind: Any = "overdue") -> tuple[Any, bool, str]:
        found = look(kind, "2026-03-13 09:00", invoices=owed, about=["INV/2"], served=lines)
        assert found.content and found.demand
        return found.demand.isolation_date, found.demand.isolated, type(found.content).__name__

    assert named(line) == (day("2026-03-16"), False, "Overdue")
    promised = line._replace(promises=[isp.Promise(day("2026-03-13"), day("2026-03-16"))])
    assert named(promised) == (day("2026-03-17"), False, "Overdue")
    second = line._replace(subscription="y", invoices=[invoice("INV/3", DUE)])
    assert named(promised, second) == (day("2026-03-16"), False, "Overdue"), "the first of the lines"
    waits = line._replace(proofs=[isp.Proof("INV/2", at("2026-03-13 08:00"))])
    assert named(waits) == (day("2026-03-25"), False, "Overdue"), "the 16th, the 17th, and then come holidays"
    for never in (
        line._replace(exemptions=[isp.Exemption(day("2026-01-01"), without_end, "kantor desa")]),
        line._replace(outages=[isp.Outage(at("2026-03-13 08:00"))]),
        line._replace(paused_from=day("2026-03-13")),
        line._replace(end=day("2026-03-13")),
        line._replace(access="isolated", cause="manual"),
        line._replace(invoices=()),
    ):
        assert named(never) == (None, False, "DueSoon"), never
    assert named() == (None, False, "DueSoon"), "what is of no line isolates nobody"
    begins = line._replace(start=day("2026-04-01"), access="closed")
    assert named(begins)[0] == day("2026-04-01")
    isolated = line._replace(access="isolated", cause="arrears", isolated_overdue=166_500)
    assert named(isolated) == (None, True, "DueSoon"), "another line than the one that the message names"
    exempt = line._replace(exemptions=[isp.Exemption(day("2026-01-01"), without_end, "kantor desa")])
    found = look("overdue", "2026-03-13 09:00", invoices=owed, about=["INV/2"], served=[exempt])
    assert found.content == whatsapp.DueSoon("HOME-20", ("INV/2",), 166_500, day(DUE))
    message = whatsapp.Message(1, "db:1", "0812-3456-7890", "Budi", found.content, demand=found.demand)
    texts = whatsapp.preview([message, message._replace(key=2, language="en")], sender=whatsapp.Sender("Desa Net"))
    assert "Bila belum dibayar, tagihan ini tetap terbuka dan dapat ditagih lagi." in texts[0]
    assert "Unless it is paid, it stays owed and may be asked for again." in texts[1]
    error = refused(lambda: look("overdue", "2026-03-13 09:00", invoices=owed, served=[line._replace(access="shut")]))  # type: ignore[arg-type]
    assert (error.code, error.field) == ("value.not_one_of", "served[0].access")


def test_the_night_is_that_of_the_customer() -> None:
    night = look("isolated", "2026-03-16 20:00", lines=[isp.MessageLine("HOME-20", "isolated", told=True)])
    assert (night.action, night.reason, night.at) == ("later", "quiet_hours", at("2026-03-17 08:00"))
    policy = isp.DunningPolicy()
    assert policy.next_sending("isolated", "WIB", at("2026-03-16 20:00")) == at("2026-03-17 08:00")
    assert policy.next_sending("isolated", "WIT", at("2026-03-16 06:30")) == at("2026-03-16 08:30", WIT)
    assert policy.next_sending("reopened", "WIB", at("2026-03-16 23:30")) == at("2026-03-16 23:30")
    assert refused(policy.next_sending, "hello", "WIB", at("2026-03-16 23:30")).code == "value.not_one_of"


def test_a_notice_is_about_one_isolation_and_has_an_age() -> None:
    since = at("2026-03-16 10:00")
    line = isp.MessageLine("HOME-20", "isolated", "arrears", since, told=True)
    owed = [invoice("INV/1", DUE)]
    told = look("isolated", "2026-03-16 10:05", invoices=owed, lines=[line])
    assert told.content == whatsapp.Isolated("HOME-20", 166_500, day("2026-03-16"))
    assert look("isolated", "2026-03-16 10:05", invoices=owed, lines=[line._replace(cause="manual")]).content == (
        whatsapp.Isolated("HOME-20", 0, day("2026-03-16"))
    )
    # It waits as long again as it has waited for the router, five seconds at least and five minutes at most.
    for waited, until in [("10:05", "10:05:05"), ("10:03", "10:07"), ("09:00", "10:10")]:
        silent = [line._replace(confirmed=False)]
        wait = look("isolated", "2026-03-16 10:05", f"2026-03-16 {waited}", lines=silent)
        assert (wait.action, wait.reason, wait.at) == ("later", "router_not_yet", at(f"2026-03-16 {until}"))
    assert look("isolated", "2026-03-16 10:05", lines=[line._replace(told=False)])[1:3] == ("drop", "reopened")
    # WhatsApp was set up a month later.
    assert look("isolated", "2026-04-16 10:05", "2026-03-16 10:05", lines=[line])[1:3] == ("drop", "too_old")
    assert look("reopened", "2026-03-18 10:06", "2026-03-16 10:05", lines=[line])[1:3] == ("drop", "too_old")
    reopened = line._replace(access="open", cause=None, isolated_at=None)
    assert look("reopened", "2026-03-17 23:00", lines=[reopened]).content == whatsapp.Reopened("HOME-20", day("2026-03-17"))
    assert look("reopened", "2026-03-17 23:00", lines=[line])[1:3] == ("drop", "not_open")
    assert look("overdue", "2026-03-17 09:00", invoices=owed, about=["INV/1"], lines=[line])[1:3] == ("drop", "isolated_already")


def test_the_receipt_of_a_part_says_what_remains_and_whether_the_line_stays_isolated() -> None:
    paid = isp.MessagePayment(100_000, "BCA-7", at("2026-03-17 22:00"))
    line = isp.MessageLine("HOME-20", "isolated", "arrears", at("2026-03-16 10:00"))
    rest = [invoice("INV/1", DUE, paid=100_000)]
    found = look("payment_received", "2026-03-17 22:00", invoices=rest, lines=[line], payment=paid)
    assert found.content == whatsapp.PaymentReceived(100_000, "BCA-7", day("2026-03-17"), 66_500)
    message = whatsapp.Message(1, "db:1", "0812-3456-7890", "Budi", found.content, demand=found.demand)
    assert "Rp 66.500; layanan tetap diisolir sampai tunggakan Rp 66.500 dibayar" in whatsapp.preview([message])[0]
    assert "diisolir" not in whatsapp.preview([message._replace(demand=None)])[0]
    again = look("payment_received", "2026-03-17 22:00", lines=[line], payment=paid._replace(reversed=True))
    assert again[1:3] == ("drop", "reversed")
    assert look("payment_received", "2026-03-17 22:00", payment=paid, reachable=False)[1:3] == ("drop", "no_phone")


def test_every_text_names_who_asks_and_how_to_pay() -> None:
    owed = [invoice("INV/1", "2026-02-10"), invoice("INV/2", DUE)]
    found = look("due_soon", "2026-03-07 09:00", invoices=owed, about=["INV/2"])
    assert found.content
    message = whatsapp.Message(1, "db:1", "0812-3456-7890", "Budi", found.content, demand=found.demand)
    sender = whatsapp.Sender("Desa Net", ["BCA 123 a.n. Desa Net"], "0811-2222-333")
    (text,) = whatsapp.preview([message], sender=sender)
    for said in ("Desa Net", "BCA 123 a.n. Desa Net", "INV/1 Rp 166.500", "INV/2 Rp 166.500", "Rp 333.000", "layanan diisolir mulai"):
        assert said in text, said
    linked = message._replace(link="https://isp.example.id/my/bill/abc")
    assert "abc" not in repr(linked)
    assert "https://isp.example.id/my/bill/abc" in whatsapp.preview([linked], sender=sender)[0]
    assert "example.id" not in whatsapp.preview([linked._replace(content=whatsapp.Reopened("P", day(DUE)))], sender=sender)[0]
    assert whatsapp.preview([linked]) == whatsapp.preview([message]), "a text that names no way to pay names no link"
    assert refused(lambda: whatsapp.preview([linked._replace(link="x" * 121)], sender=sender)).field == "link"
    error = refused(lambda: whatsapp.preview([message._replace(demand=None)], sender=sender))
    assert (error.code, error.row, error.field) == ("whatsapp.no_value", 0, "demand")
    assert refused(lambda: whatsapp.preview([message], sender=sender._replace(name="x" * 61))).code == "value.too_long"
    with SimulatedWhatsApp(sender=True) as meta:
        channel = whatsapp.Channel(meta.phone_number_id, meta.access_token, meta.base_url, sender=sender)
        assert whatsapp.send(channel, [message])[0].fate == "sent"
        assert meta.messages()[0].text == text
    assert len(whatsapp.registrations(sender=True)) == 12
    assert "rincian" in whatsapp.SENDER_PARAMETERS["due_soon"]
    assert "rincian" not in whatsapp.PARAMETERS["due_soon"]


def test_one_template_or_recipient_that_rests_holds_up_no_other() -> None:
    soon, open_ = whatsapp.DueSoon("P", ["INV/1"], 1_000, day(DUE)), whatsapp.Reopened("P", day(DUE))
    messages = [
        whatsapp.Message(n, f"db:{n}", f"0812-0000-000{n % 5}", "Budi", soon if n % 2 else open_) for n in range(10)
    ]
    with SimulatedWhatsApp() as meta:
        channel = whatsapp.Channel(meta.phone_number_id, meta.access_token, meta.base_url)
        meta.fail_recipient("6281200000000", 131056)
        sent = whatsapp.send(channel, messages)
        assert [s.fate for s in sent] == ["wait" if n % 5 == 0 else "sent" for n in range(10)]
        assert [(s.tried, s.wait, s.rests) for s in sent if s.fate == "wait"] == [(True, 6, "recipient"), (False, 6, "recipient")]
        meta.heal()
        # Meta paused the text of the first one: those of another text leave.
        meta.fail("graph", code=132015)
        sent = whatsapp.send(channel, [m._replace(callback=m.callback + "b") for m in messages])
        assert [s.fate for s in sent] == ["sent" if n % 2 else "wait" for n in range(10)]
        assert {(s.wait, s.rests, s.template) for s in sent if s.fate == "wait"} == {(600, "template", "isp_layanan_dibuka/id")}
        assert [s.tried for s in sent if s.fate == "wait"] == [True, False, False, False, False]


@pytest.mark.parametrize("code", [130429, 33, 131005, 133010, 131051, 190])
def test_a_fault_of_the_channel_is_no_message_s(code: int) -> None:
    messages = [whatsapp.Message(n, f"db:{n}", f"0812-0000-{n:04}", "Budi", whatsapp.Reopened("P", day(DUE))) for n in range(30)]
    with SimulatedWhatsApp() as meta:
        channel = whatsapp.Channel(meta.phone_number_id, meta.access_token, meta.base_url)
        meta.fail("graph", code=code, times=0)
        sent = whatsapp.send(channel, messages)
        assert {(s.fate, s.rests, s.code) for s in sent} == {("wait", "channel", code)}
        # What the number itself says is known before the first message.
        assert sum(s.tried for s in sent) == (0 if code in (130429, 33, 190) else 1)
        meta.heal()
        assert meta.messages() == []


def test_a_channel_that_swallows_messages_gets_one() -> None:
    messages = [whatsapp.Message(n, f"db:{n}", f"0812-0000-{n:04}", "Budi", whatsapp.Reopened("P", day(DUE))) for n in range(30)]
    with SimulatedWhatsApp() as meta:
        channel = whatsapp.Channel(meta.phone_number_id, meta.access_token, meta.base_url)
        meta.fail("reply_lost", times=0)
        sent = whatsapp.send(channel, messages)
        assert [s.fate for s in sent] == ["unknown"] + ["wait"] * 29
        assert len(meta.messages()) == 1
        assert sent[1].retryable


def test_only_a_fault_of_its_own_is_counted() -> None:
    letter = whatsapp.Message(1, "db:1", "0812-3456-7890", "Budi", whatsapp.Reopened("P", day(DUE)))
    other = whatsapp.Message(2, "db:2", "0812-3456-7891", "Siti", whatsapp.Reopened("P", day(DUE)))
    with SimulatedWhatsApp() as meta:
        channel = whatsapp.Channel(meta.phone_number_id, meta.access_token, meta.base_url)

        def fate(code: int, attempts: int, *before: whatsapp.Message) -> str:
            meta.heal()
            meta.fail_recipient("6281234567890", code)
            return whatsapp.send(channel, [*before, letter._replace(attempts=attempts)])[-1].fate

        # It is its own only where the channel took another one.
        assert [fate(131000, n, other) for n in (0, 10, 11)] == ["wait", "wait", "failed"]
        assert [fate(131000, n) for n in (0, 11, 500)] == ["wait", "wait", "wait"]
        assert (fate(100, 0, other), fate(100, 0)) == ("failed", "wait")
        assert fate(131056, 500, other) == "wait"


def test_who_refuses_every_message_is_at_rest() -> None:
    messages = [whatsapp.Message(n, f"db:{n}", f"0812-0000-{n:04}", "Budi", whatsapp.Reopened("P", day(DUE))) for n in range(30)]
    with SimulatedWhatsApp() as meta:
        channel = whatsapp.Channel(meta.phone_number_id, meta.access_token, meta.base_url)
        for code, rests, tried in ((131000, "channel", 5), (100, "template", 2)):
            meta.heal()
            for n in range(30):
                meta.fail_recipient(f"628120000{n:04}", code)
            sent = whatsapp.send(channel, [message._replace(attempts=11) for message in messages])
            assert {s.fate for s in sent} == {"wait"}
            assert (sent[-1].rests, sum(s.tried for s in sent)) == (rests, tried)
        assert meta.messages() == []


def test_reminders_of_one_run_are_one_message_n5() -> None:
    facts = isp.DunningFacts("siti", [invoice("A", DUE), invoice("B", "2026-03-16")])
    (one,) = isp.due_reminders([facts], at("2026-03-13 09:00"))
    assert (one.kind, one.level, set(one.invoices)) == ("overdue", 3, {"A", "B"})
    assert set(one.keys) == {isp.Notified("A", "overdue", 3), isp.Notified("B", "due_soon", 3)}
    assert isp.due_reminders([facts._replace(notified=one.keys)], at("2026-03-13 09:00")) == []


def test_a_run_that_does_not_follow_the_last_one_asks() -> None:
    last = at("2026-05-01 12:00")
    assert isp.check_clock(None, at("2036-05-01 12:00")) is None
    assert isp.check_clock(last, last - timedelta(hours=1)) is None
    assert isp.check_clock(last, last + timedelta(days=45)) is None
    behind = isp.check_clock(last, at("2020-05-01 12:00"))
    assert behind == isp.ClockDoubt("clock.behind", last.astimezone(timezone.utc), -2191)
    ahead = isp.check_clock(last, last + timedelta(days=46))
    assert ahead and (ahead.code, ahead.days) == ("clock.ahead", 46)
    assert isp.check_clock(last, last + timedelta(days=46), policy=isp.ClockPolicy(max_days_between_runs=60)) is None
    assert isp.ClockPolicy().max_days_between_runs == 45
    assert refused(isp.check_clock, datetime(2026, 5, 1), last).code == "datetime.naive"
    assert refused(lambda: isp.ClockPolicy(max_days_between_runs=0)).code == "policy.invalid"


def test_an_ending_has_an_officer_and_a_reason_and_comes_once() -> None:
    now = at("2026-03-17 10:00")
    (ending,) = isp.end_records([isp.EndingWish(7, "taken_back", now, " Rina ", "salah ketik")])
    assert ending == isp.Ending("taken_back", now.astimezone(timezone.utc), "Rina", "salah ketik")
    wish = isp.EndingWish(1, "ended", now, "Rina", "lunas")
    nobody, nothing, twice = isp.end_records([
        wish._replace(by=" "), wish._replace(key=2, reason=""), wish._replace(key=3, known=isp.Ending(*ending)),
    ])  # fmt: skip
    assert [(e.code, e.row, e.field) for e in (nobody, nothing, twice) if isinstance(e, isp.InvalidValue)] == [
        ("value.empty", 0, "by"), ("value.empty", 1, "reason"), ("record.ended", 2, "known"),
    ]  # fmt: skip


def test_the_zone_of_the_line_decides_which_protection_holds() -> None:
    owing = isp.AccessFacts("x", day("2026-01-01"), "open", [invoice("A", "2026-02-10")])
    promises = [isp.Promise(day("2026-03-01"), day("2026-03-05")), isp.Promise(day("2026-03-10"), day("2026-03-16"))]

    def reason(zone: Any, text: str, **more: Any) -> str:
        (decided,) = isp.decide_isolation([owing._replace(zone=zone, **more)], at(text))
        return decided.reason

    # 23:30 of the 16th in Jakarta is 01:30 of the 17th in Jayapura.
    assert reason("WIB", "2026-03-16 23:30", promises=promises) == "promised"
    assert reason("WIT", "2026-03-16 23:30", promises=promises) != "promised"
    ended = promises[1]._replace(ending=isp.Ending("ended", at("2026-03-16 12:00"), "Rina", "batal"))
    assert reason("WIB", "2026-03-16 11:59", promises=[ended]) == "promised"
    assert reason("WIB", "2026-03-16 12:00", promises=[ended]) == "overdue_too_long"
    lasting = [isp.Outage(at("2026-03-16 09:00"))]
    assert reason("WIB", "2026-03-16 11:00", outages=lasting) == "site_outage"
    mistake = lasting[0]._replace(ending=isp.Ending("taken_back", at("2026-03-16 10:30"), "Rina", "router lain"))
    assert reason("WIB", "2026-03-16 11:00", outages=[mistake]) == "overdue_too_long"
    exempt = [isp.Exemption(day("2026-03-01"), day("2026-03-31"), "sekolah")]
    assert reason("WIB", "2026-03-16 11:00", exemptions=exempt) == "exempt"
    # The old names still count.
    assert reason("WIB", "2026-03-16 11:00", promise=promises[1]) == "promised"


def test_notices_about_one_document_are_one() -> None:
    days = (date(2026, 1, 1), date(2026, 1, 11))
    now = datetime(2026, 1, 16, 3, 0, tzinfo=timezone.utc)
    of = [isp.OpenInvoice(n, *days, 166_500, 0) for n in range(4)]
    budi = [isp.Notice(n, "budi", "isolated", [of[n]], [isp.Statement("TG-7", *days)]) for n in (0, 1)]
    siti = [isp.Notice(n, "siti", "isolated", [of[n]]) for n in (2, 3)]
    assert isp.join_notices([budi[0], siti[0], budi[1], siti[1]], now) == [
        isp.JoinedNotice((0, 1), "TG-7"), isp.JoinedNotice((2,), None), isp.JoinedNotice((3,), None),
    ]
    reopened = [notice._replace(kind="reopened", invoices=()) for notice in budi]
    assert isp.join_notices(reopened, now) == [isp.JoinedNotice((0, 1), None)]
    # A line that was isolated for a debt of before does not stand on the document.
    before = isp.Notice(5, "budi", "isolated", [isp.OpenInvoice(9, date(2025, 12, 1), date(2025, 12, 11), 1, 0)], budi[0].statements)
    assert [notice.notices for notice in isp.join_notices([*budi, before], now)] == [(0, 1), (5,)]


def test_a_message_names_the_document_once() -> None:
    days = (date(2026, 1, 1), date(2026, 1, 11))
    invoices = [isp.OpenInvoice(f"INV/{n}", *days, 166_500, 0) for n in (1, 2)]
    message = isp.QueuedMessage(
        1, "overdue", datetime(2026, 1, 14, 3, 0, tzinfo=timezone.utc), invoices, ["INV/1", "INV/2"], [isp.MessageLine("HOME")],
        statements=[isp.Statement("TG/7", *days)],
    )
    [look] = isp.refresh_messages([message], datetime(2026, 1, 14, 3, 0, tzinfo=timezone.utc))
    assert look.content and look.demand and look.content.invoices == ("TG/7",)
    assert [(owed.number, owed.amount) for owed in look.demand.owed] == [("TG/7", 333_000)]
