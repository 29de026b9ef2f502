"""Payments that are told, write-offs, corrections, installation fees, promises, and what a hand does."""

from datetime import date, datetime, timedelta, timezone

import pytest

import isp_engine as isp

NOW = datetime(2026, 1, 20, 8, 0, tzinfo=timezone.utc)
PAID = NOW - timedelta(days=5)
JANUARY = isp.Charge(
    "INV-1", date(2026, 1, 1), date(2026, 2, 1), [isp.InvoiceLine("subscription", 150_000), isp.InvoiceLine("ppn", 16_500)]
)


def notice(**fields: object) -> isp.PaymentNotice:
    return isp.PaymentNotice("N", "budi", "BCA", " trx-77 ", 166_500, PAID)._replace(**fields)  # type: ignore[arg-type]


def codes(answers: list[object]) -> list[object]:
    return [answer.code if isinstance(answer, isp.InvalidValue) else None for answer in answers]


def test_a_reference_is_one_payment_however_it_is_spelt() -> None:
    assert isp.payment_identity("BCA", " TRX-77 ") == isp.payment_identity("bca", "trx-77")
    known = isp.KnownPayment(7, "budi", 166_500, PAID)
    [new] = isp.receive_payments([notice()], NOW)
    assert new == isp.ReceivedPayment("N", "new", None, isp.payment_identity("bca", "trx-77"))
    [again] = isp.receive_payments([notice(known=[known])], NOW)
    assert isinstance(again, isp.ReceivedPayment) and (again.outcome, again.payment) == ("known", 7)


def test_a_reversed_one_leaves_its_reference_free_for_a_person() -> None:
    bounced = isp.KnownPayment(7, "budi", 166_500, PAID, reversed=True)
    told = isp.receive_payments([notice(known=[bounced]), notice(known=[bounced], told="machine")], NOW)
    assert [(t.outcome, t.payment) for t in told if isinstance(t, isp.ReceivedPayment)] == [("new", None), ("taken_back", 7)]


def test_what_is_no_payment_is_refused_in_its_place() -> None:
    other = isp.KnownPayment(7, "siti", 166_500, PAID)
    long_ago = NOW - timedelta(days=400)
    answers = isp.receive_payments(
        [
            notice(), notice(amount=0), notice(provider="credit-note"), notice(paid_at=NOW + timedelta(days=2)),
            notice(paid_at=long_ago), notice(paid_at=long_ago, told="insisting"), notice(known=[other]),
        ],
        NOW,
    )
    assert codes(list(answers)) == [
        None, "value.not_positive", "payment.reserved_provider", "payment.paid_in_future", "payment.paid_long_ago", None,
        "payment.mismatch",
    ]
    refused = answers[1]
    assert isinstance(refused, isp.InvalidValue) and (refused.row, refused.field) == (1, "amount")


def test_a_debt_is_given_up_whole_by_somebody_for_a_reason() -> None:
    wish = isp.WriteOffWish("INV-1", 100_000, "Rina", "pindah")
    answers = isp.write_offs(
        [wish, wish._replace(invoice=2, reason=" "), wish._replace(invoice=3, by=""), wish._replace(invoice=4, open=0)]
    )
    assert answers[0] == isp.WriteOff("INV-1", 100_000)
    assert codes(list(answers)) == [None, "value.empty", "value.empty", "store.not_found"]
    assert [a.field for a in answers if isinstance(a, isp.InvalidValue)] == ["reason", "by", "open"]


def test_a_correction_is_spread_over_the_lines_and_made_once_a_day() -> None:
    wish = isp.CorrectionWish(JANUARY, 66_500, date(2026, 1, 3), "salah tagih")
    [note] = isp.correct_invoices([wish])
    assert isinstance(note, isp.CreditNote)
    assert [(line.kind, line.amount) for line in note.lines] == [("subscription", 59_910), ("ppn", 6_590)]
    made = wish._replace(before=[isp.Correction(date(2026, 1, 3), 66_500)])
    assert isp.correct_invoices([made]) == [None]
    given = JANUARY._replace(given=[isp.GivenBack(note.period_start, note.period_end, note.lines)])
    more = made._replace(charge=given, on=date(2026, 1, 4), amount=100_001)
    charges = [c._replace(charge=c.charge._replace(key=n)) for n, c in enumerate((more, wish._replace(reason=""), wish._replace(amount=0)))]
    assert codes(list(isp.correct_invoices(charges))) == ["invoice.more_than_left", "value.empty", "value.not_positive"]


def test_the_parts_of_a_fee_add_up_to_it() -> None:
    for fee in (1, 2, 5, 99_999, 500_000):
        for count in range(1, 13):
            [schedule] = isp.installation_fees([isp.InstallationFee(1, fee, date(2025, 11, 30), count)])
            assert isinstance(schedule, isp.FeeSchedule)
            assert sum(part.dpp for part in schedule.parts) == fee
            assert all(part.total == sum(line.amount for line in part.lines) > 0 for part in schedule.parts)
    fee_ = isp.InstallationFee(1, 500_000, date(2026, 1, 31), 3)
    [schedule] = isp.installation_fees([fee_], tax=isp.TaxPolicy(pkp=False))
    assert isinstance(schedule, isp.FeeSchedule)
    assert [(p.number, p.on, p.due_date, p.total) for p in schedule.parts] == [
        (1, date(2026, 1, 31), date(2026, 2, 10), 166_700), (2, date(2026, 2, 28), date(2026, 3, 10), 166_700),
        (3, date(2026, 3, 31), date(2026, 4, 10), 166_600),
    ]


def test_parts_sum_with_ppn_too() -> None:
    for fee in (1, 99, 100, 99_950, 99_999, 500_000):
        [whole] = isp.ppn([isp.Taxable(fee, date(2026, 1, 31))])
        for count in range(1, 13):
            [schedule] = isp.installation_fees([isp.InstallationFee(1, fee, date(2026, 1, 31), count)])
            assert isinstance(schedule, isp.FeeSchedule)
            assert sum(part.total for part in schedule.parts) == whole.total, (fee, count)
            assert {part.dpp % 100 for part in schedule.parts[:-1]} <= {0}


def test_fees_that_cannot_be_are_refused() -> None:
    fee = isp.InstallationFee(1, 500_000, date(2026, 1, 31), 2)
    answers = isp.installation_fees([
        fee._replace(with_first_invoice=True), fee._replace(key=2, instalments=1, with_first_invoice=True, first_invoice_issued=True),
        fee._replace(key=3, taken=[date(2026, 2, 28)]), fee._replace(key=4, on=date(2022, 3, 1)),
        fee._replace(key=5, instalments=1, with_first_invoice=True),
    ])
    assert codes(list(answers)) == [
        "installation.fee_terms", "installation.first_invoice_issued", "installation.clash", "tax.no_rule", None,
    ]
    assert answers[4] == isp.FeeSchedule(5, ())


def test_a_fee_goes_with_the_first_invoice_that_is_planned() -> None:
    home = isp.Package("HOME", [isp.Price(date(2025, 1, 1), 150_000)])
    line = isp.Subscription("budi", "HOME", date(2026, 1, 1), 1, billed_from=date(2026, 1, 1))
    plan = isp.plan_billing([line], [home], datetime(2026, 2, 1, 5, 0, tzinfo=timezone.utc), first_fees=[isp.FirstFee(7, "budi", 500_000)])
    assert plan.fees == [isp.InvoicedFee(7, "budi", date(2026, 1, 1), date(2026, 1, 1), 555_000)]
    assert [invoice.total for invoice in plan.invoices] == [721_500, 166_500]
    assert [(part.kind, part.amount) for part in plan.invoices[0].lines] == [
        ("subscription", 150_000), ("installation", 500_000), ("ppn", 16_500), ("installation_ppn", 55_000),
    ]


def test_a_fee_waits_or_stands_alone_when_the_line_has_ended() -> None:
    home = isp.Package("HOME", [isp.Price(date(2025, 1, 1), 150_000)])
    line = isp.Subscription("budi", "HOME", date(2026, 1, 1), 1, billed_from=date(2026, 2, 1), end=date(2026, 1, 10))
    [fee] = first = [isp.FirstFee(7, "budi", 500_000)]

    def fees(day: int) -> list[isp.InvoicedFee]:
        return isp.plan_billing([line], [home], datetime(2026, 1, day, 5, 0, tzinfo=timezone.utc), first_fees=first).fees

    assert (fees(9), fees(10)) == ([], [isp.InvoicedFee(7, "budi", None, date(2026, 1, 10), 555_000)])
    others = isp.plan_billing([line], [home], datetime(2026, 2, 1, tzinfo=timezone.utc), first_fees=[fee._replace(subscription="siti")])
    assert others.fees == [], "that of another page waits"


def test_of_a_fee_on_another_invoice_the_same_share_is_paid() -> None:
    paid = [isp.fee_paid(555_000, 721_500, part) for part in (0, 360_750, 721_499, 721_500)]
    assert paid == [0, 277_500, 554_999, 555_000]


def test_promises_are_limited_by_the_period_of_the_line_that_began_last() -> None:
    grid = isp.Grid(date(2026, 1, 1), 1)
    wish = isp.PromiseWish(date(2026, 1, 16), date(2026, 1, 30), [grid])
    answers = isp.check_promises([
        wish, wish._replace(until=date(2026, 1, 31)), wish._replace(until=date(2026, 1, 15)), wish._replace(made=[date(2026, 1, 2)]),
        wish._replace(lines=[grid, isp.Grid(date(2025, 12, 10), 10)], made=[date(2026, 1, 2)]),
    ])
    assert codes(list(answers)) == [None, "promise.too_long", "calendar.empty_period", "promise.too_many", None]
    twice = isp.PromisePolicy(per_period=2)
    assert isp.check_promises([wish._replace(made=[date(2026, 1, 2)])], policy=twice) == [None]
    assert (twice.max_days, twice.per_period, repr(twice)) == (14, 2, "PromisePolicy(max_days=14, per_period=2)")


def test_an_exemption_has_a_reason_and_an_end() -> None:
    exemption = isp.Exemption(date(2026, 1, 5), date(2026, 1, 20), "banjir")
    answers = isp.check_exemptions([exemption, exemption._replace(reason=" "), exemption._replace(until=date(2026, 1, 4))])
    assert codes(list(answers)) == [None, "value.empty", "calendar.empty_period"]


def test_a_hand_has_a_name_a_reason_and_something_to_do() -> None:
    lines = [isp.HandFacts(1, "open"), isp.HandFacts(2, "isolated", "arrears"), isp.HandFacts(3, "isolated", "manual")]
    assert isp.decide_by_hand(lines, "isolate", "Rina", "melanggar") == [1, 2]
    assert isp.decide_by_hand(lines, "reopen", "Rina", "keliru") == [2, 3]
    for by, reason, field in (("", "keliru", "by"), ("Rina", " ", "reason")):
        with pytest.raises(isp.InvalidValue) as refused:
            isp.decide_by_hand(lines, "reopen", by, reason)
        assert (refused.value.code, refused.value.field) == ("value.empty", field)
    with pytest.raises(isp.InvalidValue) as refused:
        isp.decide_by_hand(lines[:1], "reopen", "Rina", "keliru")
    assert refused.value.code == "access.nothing_to_do"


def shop(kind: str = "11") -> str:
    """A static QRIS code of an invented shop; its check sum is CRC-16/CCITT-FALSE."""
    fields = [("00", "01"), ("01", kind), ("26", "0016ID.CO.CONTOH.WWW"), ("52", "4814"), ("53", "360"), ("58", "ID"), ("59", "CONTOH NET"),
              ("60", "BANDUNG")]
    text = "".join(f"{tag}{len(value):02}{value}" for tag, value in fields) + "6304"
    total = 0xFFFF
    for byte in text.encode():
        total ^= byte << 8
        for _ in range(8):
            total = (total << 1 ^ 0x1021 if total & 0x8000 else total << 1) & 0xFFFF
    return f"{text}{total:04X}"


def test_a_qris_code_asks_for_an_amount() -> None:
    code = shop()
    assert isp.qris_shop(f" {code}\n") == "CONTOH NET"
    asks = isp.qris_asking(code, 183_150)
    assert asks.startswith("000201010212") and "5406183150" in asks
    for bad, kind in ((code[:-1] + "?", "qris.damaged"), (shop("12"), "qris.damaged"), ("", "qris.damaged")):
        with pytest.raises(isp.InvalidValue) as refused:
            isp.qris_shop(bad)
        assert refused.value.code == kind
    for amount, kind in ((0, "value.not_positive"), (10_000_001, "qris.too_much")):
        with pytest.raises(isp.InvalidValue) as refused:
            isp.qris_asking(code, amount)
        assert (refused.value.field, refused.value.code) == ("amount", kind)
