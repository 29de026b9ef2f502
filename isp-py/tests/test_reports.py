"""Profit and loss, and why a line is as it is."""

from decimal import Decimal

import isp_engine as isp
from stories import at, day, invoice, refused


def test_profit_and_loss_by_month() -> None:
    rows = [
        isp.LedgerRow(day("2026-01-05"), "receivable", 111_000),
        isp.LedgerRow(day("2026-01-05"), "revenue_subscription", -110_000),
        isp.LedgerRow(day("2026-01-05"), "discounts", 10_000),
        isp.LedgerRow(day("2026-01-05"), "ppn_payable", -11_000),
        isp.LedgerRow(day("2026-01-20"), "cash", Decimal(50_000), "payment"),
        isp.LedgerRow(day("2026-01-20"), "receivable", -50_000, "payment"),
        isp.LedgerRow(day("2026-02-01"), "expense_bandwidth", 30_000, "expense"),
        isp.LedgerRow(day("2026-02-01"), "cash", -30_000, "expense"),
    ]
    report = isp.profit_loss(rows)
    january, february = report.rows
    assert january.month == day("2026-01-01")
    assert january.revenue == (
        isp.AccountAmount("revenue_subscription", 110_000),
        isp.AccountAmount("discounts", -10_000),
    )
    assert (january.revenue_total, january.costs_total, january.result) == (100_000, 0, 100_000)
    assert (january.cash_in, january.cash_out) == (50_000, 0)
    assert (february.costs, february.result, february.cash_out) == (
        (isp.AccountAmount("expense_bandwidth", 30_000),),
        -30_000,
        30_000,
    )
    assert (report.total.month, report.total.group, report.total.result) == (None, None, 70_000)
    assert isp.profit_loss([]) == isp.ProfitLoss((), report.total._replace(
        revenue=(), costs=(), revenue_total=0, costs_total=0, result=0, cash_in=0, cash_out=0
    ))


def test_profit_and_loss_by_group_adds_up() -> None:
    rows = [
        isp.LedgerRow(day("2026-01-05"), "revenue_subscription", -100 * n, "invoices", package, site)
        for n, (package, site) in enumerate([("HOME-10", "BDG"), ("HOME-20", "BDG"), ("HOME-10", "JKT"), (None, None)], 1)
    ]
    by_package = isp.profit_loss(rows, by="package")
    assert [(row.group, row.result) for row in by_package.rows] == [(None, 400), ("HOME-10", 400), ("HOME-20", 200)]
    by_site = isp.profit_loss(rows, by="site")
    assert [(row.group, row.result) for row in by_site.rows] == [(None, 400), ("BDG", 300), ("JKT", 300)]
    assert by_package.total == by_site.total == isp.profit_loss(rows).total
    assert by_site.total.result == 1000
    error = refused(isp.profit_loss, [rows[0]._replace(account="sales")])  # type: ignore[arg-type]
    assert (error.code, error.row, error.field) == ("value.not_one_of", 0, "account")
    assert refused(isp.profit_loss, [rows[0]._replace(amount=1.0)]).code == "value.type"  # type: ignore[arg-type]


def facts(**more: object) -> isp.AccessFacts:
    bill = invoice("INV/2026/0007", "2026-03-02")
    return isp.AccessFacts(41, day("2026-01-31"), "open", [bill])._replace(**more)


def test_one_sentence_with_its_evidence() -> None:
    since = at("2026-03-09 10:00")
    isolated = isp.ExplainFacts(
        facts(access="isolated", cause="arrears", isolated_overdue=166_500),
        isp.AccessEvent(since, "isolated_arrears", overdue=166_500),
        "isolated",
        since,
    )
    (why,) = isp.explain([isolated], at("2026-03-12 09:00"))
    assert (why.subscription, why.access, why.reason) == (41, "isolated", "overdue_too_long")
    assert why.sentence == (
        "Layanan diisolir sejak 2026-03-09 10:00 WIB karena tunggakan Rp166.500 sudah lewat jatuh tempo paling "
        "sedikit 5 hari; kini menunggak Rp166.500 selama 10 hari."
    )
    assert why.evidence[0] == "tagihan INV/2026/0007: sisa Rp166.500 dari Rp166.500, jatuh tempo 2026-03-02"
    assert why.evidence[-1] == "jawaban router 2026-03-09 10:00 WIB: diisolir"
    (english,) = isp.explain([isolated], at("2026-03-12 09:00"), language="en")
    assert english.sentence.startswith("The line is isolated since 2026-03-09 10:00 WIB because Rp166.500")


def test_a_hand_and_an_exemption_are_named() -> None:
    by_hand = isp.ExplainFacts(
        facts(access="isolated", cause="manual"),
        isp.AccessEvent(at("2026-03-01 08:00"), "isolated_manual", "Rina", "permintaan pelanggan"),
    )
    exempt = isp.ExplainFacts(
        facts(subscription=42, invoices=[invoice("B", "2026-03-02")])._replace(
            exemption=isp.Exemption(day("2026-03-01"), day("2026-03-31"), "rumah dinas")
        )
    )
    one, two = isp.explain([by_hand, exempt], at("2026-03-12 11:00"))
    assert "oleh Rina" in one.sentence
    assert "permintaan pelanggan" in one.sentence
    assert two.reason == "exempt"
    assert "sampai 2026-03-31: rumah dinas" in two.sentence
