"""Amounts that only one customer is asked for, and the money that comes with them."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import isp_engine as isp
import pytest

NOW = datetime(2026, 3, 10, 3, tzinfo=timezone.utc)
DAY = date(2026, 3, 10)


def test_each_debt_has_an_amount_of_its_own() -> None:
    wishes = [isp.RequestWish("budi", 183_150, [183_151]), isp.RequestWish("siti", 183_150, [183_151]), isp.RequestWish("adi", 0)]
    budi, siti, adi = isp.ask_payments(wishes, NOW)
    assert isinstance(budi, isp.PaymentRequest) and isinstance(siti, isp.PaymentRequest)
    assert (budi.wish, budi.debt, budi.amount, siti.amount) == ("budi", 183_150, 183_152, 183_153)
    assert (budi.expires_at - NOW, budi.kept_until - NOW) == (timedelta(hours=24), timedelta(hours=96))
    assert isinstance(adi, isp.InvalidValue) and adi.code == "request.nothing_owed"
    [full] = isp.ask_payments([isp.RequestWish(1, 500, list(range(501, 1500)))], NOW)
    assert isinstance(full, isp.InvalidValue) and (full.code, full.row) == ("request.no_free_amount", 0)
    [short] = isp.ask_payments([isp.RequestWish(1, 500)], NOW, valid_hours=2)
    assert isinstance(short, isp.PaymentRequest) and short.expires_at - NOW == timedelta(hours=2)
    with pytest.raises(isp.InvalidValue):
        isp.ask_payments([isp.RequestWish(1, 500), isp.RequestWish(1, 600)], NOW)


def asked(key: str, customer: str, amount: int = 183_151, hours: int = 0, **closing: bool) -> isp.AskedPayment:
    made = NOW + timedelta(hours=hours)
    return isp.AskedPayment(key, customer, amount, made, made + timedelta(hours=72), **closing)


def verdict(amount: int, *requests: isp.AskedPayment, on: date = DAY, text: str = "", payers: list[isp.BankPayer] | None = None,
            said: list[str] | None = None, owed_by: list[str] | None = None) -> isp.MoneyMatch:
    [found] = isp.match_requests([isp.BankMoney("m", amount, on, text, said, owed_by or ())], requests, payers)
    assert found.money == "m"
    return found


def matched(amount: int, *requests: isp.AskedPayment, **facts: Any) -> object:
    return verdict(amount, *requests, **facts).request


def test_the_exact_amount_says_whose_money_it_is() -> None:
    budi = asked("R1", "budi")
    assert verdict(183_151, budi) == ("m", "R1", None, None, ("budi",))
    assert verdict(183_150, budi) == ("m", None, None, None, ())
    assert matched(-183_151, budi) is None
    assert matched(183_151, budi, on=DAY - timedelta(days=1)) is None, "before it was made"
    assert matched(183_151, budi, on=DAY + timedelta(days=3)) == "R1", "late, and still kept in the morning"
    assert matched(183_151, budi, on=DAY + timedelta(days=4)) is None
    assert matched(183_151, asked("R1", "budi", cancelled=True)) == "R1", "still that customer's"
    assert verdict(183_151, asked("R1", "budi", paid=True)).doubt == "request_paid"
    assert matched(183_151, asked("R1", "budi", cancelled=True), asked("R2", "budi", hours=1)) == "R2", "the one that stands"
    assert verdict(183_151, budi, asked("R2", "siti", hours=1))[1:] == (None, None, "several", ("siti", "budi"))


def test_a_request_is_paid_once_and_another_customers_id_is_asked_about() -> None:
    twice = [isp.BankMoney("a", 183_151, DAY), isp.BankMoney("b", 183_151, DAY)]
    first, second = isp.match_requests(twice, [asked("R1", "budi")])
    assert (first.request, second.request, second.doubt) == ("R1", None, "request_paid")
    payers = [isp.BankPayer("budi", "P001", "Budi"), isp.BankPayer("siti", "P002", "Siti Rahayu", "0812-0000-0002")]
    for text in ("TRSF P002 wifi", "TRSF P 002", "TRFP002", "SITI RAHAYU", "081200000002"):
        found = verdict(183_151, asked("R1", "budi"), text=text, payers=payers)
        assert (found.request, found.doubt, found.candidates) == (None, "names_another", ("budi", "siti")), text
    assert matched(183_151, asked("R1", "budi"), text="TRSF P001 wifi", payers=payers) == "R1"


def test_who_is_said_to_pay_and_who_owes_as_much_is_asked_about() -> None:
    budi = asked("R1", "budi")
    assert matched(183_151, budi, said=["budi"], owed_by=["budi"]) == "R1"
    for said in (["siti"], ["budi", "siti"], []):
        assert verdict(183_151, budi, said=said).doubt == "names_another"
    assert verdict(183_151, budi, owed_by=["siti"])[1:] == (None, None, "another_owes", ("budi", "siti"))


def test_what_was_booked_before_the_bank_told_of_it_is_not_booked_again() -> None:
    def booked(amount: int, **closing: bool) -> isp.MoneyMatch:
        transfer = isp.Transfer("P1", amount, DAY, NOW + timedelta(hours=1))
        return verdict(183_151, asked("R1", "budi", **closing)._replace(transfers=[transfer]))

    assert booked(183_151, paid=True)[1:4] == ("R1", "P1", None)
    assert booked(183_150, cancelled=True)[1:4] == (None, "P1", "looks_booked")


def test_sums_that_customers_owe() -> None:
    march, april = date(2026, 3, 1), date(2026, 4, 1)
    debts = [isp.OwedDebt("budi", march, march, 100), isp.OwedDebt("budi", april, april, 20), isp.OwedDebt("siti", april, april, 120)]
    owed = isp.sums_owed([*debts, isp.OwedDebt("adi", april, april, 0)])
    assert [tuple(one) for one in owed] == [("budi", 20), ("budi", 100), ("budi", 120), ("siti", 120)]
