"""Payments find their invoices (rules P2, P3)."""

from decimal import Decimal

import isp_engine as isp
from stories import day, invoice, refused


def test_oldest_due_date_first_and_the_rest_stays_credit_p2_p3() -> None:
    open_invoices = [invoice("MAR", "2026-03-11"), invoice("FEB", "2026-02-11", paid=66_500)]
    rows = [
        isp.AllocationFacts("siti", open_invoices, [isp.Credit(1, Decimal("150000.00")), isp.Credit(2, 50_000)]),
        isp.AllocationFacts("budi", [invoice("X", "2026-02-11", 100_000)], [isp.Credit(3, 250_000)]),
        isp.AllocationFacts("wati", [], [isp.Credit(4, 10_000)]),
    ]
    assert isp.allocate(rows) == [
        isp.Allocation("siti", 1, "FEB", 100_000),
        isp.Allocation("siti", 1, "MAR", 50_000),
        isp.Allocation("siti", 2, "MAR", 50_000),
        isp.Allocation("budi", 3, "X", 100_000),
    ]


def test_equal_due_dates_go_by_issue_date_then_as_given() -> None:
    due = day("2026-02-11")
    late, early = day("2026-02-02"), day("2026-02-01")
    issued = [(3, late), (1, late), (2, early)]
    three = [isp.OpenInvoice(key, issue_date, due, 1_000) for key, issue_date in issued]
    made = isp.allocate([isp.AllocationFacts("c", three, [isp.Credit("p", 2_500)])])
    assert [(a.invoice, a.amount) for a in made] == [(2, 1_000), (3, 1_000), (1, 500)]


def test_paid_invoices_and_empty_payments_are_passed_over() -> None:
    row = isp.AllocationFacts(1, [invoice(1, "2026-02-11", paid=166_500), invoice(2, "2026-03-11")], [isp.Credit(1, 0)])
    assert isp.allocate([row]) == []
    assert isp.allocate([row._replace(credit=[isp.Credit(1, 0), isp.Credit(2, 500)])]) == [isp.Allocation(1, 2, 2, 500)]


def test_after_a_reversal_newer_invoices_give_up_what_older_ones_need_p4() -> None:
    january, february, march = invoice("JAN", "2026-01-11"), invoice("FEB", "2026-02-11", paid=166_500), invoice("MAR", "2026-03-11", paid=166_500)
    paid = [isp.PaidPart("FEB", 8, 166_500), isp.PaidPart("MAR", 9, 166_500)]
    row = isp.AllocationFacts("siti", [january, february, march], [isp.Credit(7, 66_500)], paid)
    assert isp.allocate([row]) == [
        isp.Allocation("siti", 7, "JAN", 66_500),
        isp.Allocation("siti", 9, "MAR", -100_000),
        isp.Allocation("siti", 9, "JAN", 100_000),
    ]
    # Nothing is open: nothing moves.
    assert isp.allocate([row._replace(invoices=[february, march], credit=[])]) == []
    error = refused(isp.allocate, [row._replace(paid=[isp.PaidPart("APR", 8, 1)])])
    assert (error.code, error.field) == ("value.no_row", "paid[0].invoice")


def test_a_note_comes_back_to_its_own_invoice_p3_p4() -> None:
    march, april = invoice("MAR", "2026-03-11"), invoice("APR", "2026-04-11", paid=166_500)
    paid = [isp.PaidPart("APR", "note", 166_500, "MAR")]
    row = isp.AllocationFacts("siti", [march, april], [], paid)
    back = [isp.Allocation("siti", "note", "APR", -166_500), isp.Allocation("siti", "note", "MAR", 166_500)]
    assert isp.allocate([row]) == back
    # What is left of it comes first, and other credit pays what it gave up.
    credit = [isp.Credit("note", 66_500, None, "MAR"), isp.Credit("cash", 30_000)]
    made = isp.allocate([row._replace(credit=credit, paid=[isp.PaidPart("APR", "note", 100_000, "MAR")])])
    assert made == [
        isp.Allocation("siti", "note", "APR", -100_000),
        isp.Allocation("siti", "note", "MAR", 166_500),
        isp.Allocation("siti", "cash", "APR", 30_000),
    ]
    error = refused(isp.allocate, [row._replace(paid=[isp.PaidPart("APR", "note", 1, "MAY")])])
    assert (error.code, error.field) == ("value.no_row", "paid[0].note_of")


def test_no_rupiah_is_lost() -> None:
    rows = [
        isp.AllocationFacts(
            n,
            [invoice(f"{n}/{k}", f"2026-0{k + 1}-11", 1_000 * (n % 7 + k)) for k in range(3)],
            [isp.Credit(f"{n}/{k}", 777 * (n % 11)) for k in range(2)],
        )
        for n in range(2_000)
    ]
    made = isp.allocate(rows)
    owed = {i.key: i.total for row in rows for i in row.invoices}
    left = {c.payment: c.left for row in rows for c in row.credit}
    for part in made:
        assert part.amount > 0
        owed[part.invoice] -= part.amount
        left[part.payment] -= part.amount
    assert min(owed.values()) >= 0
    assert min(left.values()) >= 0
    for row in rows:
        assert sum(owed[i.key] for i in row.invoices) == 0 or sum(left[c.payment] for c in row.credit) == 0
