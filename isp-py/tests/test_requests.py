"""Amounts that only one customer is asked for, and the money that comes with them."""

from datetime import date, datetime, timedelta, timezone

import isp_engine as isp
import pytest

NOW = datetime(2026, 3, 10, 3, tzinfo=timezone.utc)
DAY = date(2026, 3, 10)


def test_each_debt_has_an_amount_of_its_own() -> None:
    wishes = [isp.RequestWish("budi", 183_150, [183_151]), isp.RequestWish("siti", 183_150, [183_151]), isp.RequestWish("adi", 0)]
    budi, siti, adi = isp.ask_payments(wishes, NOW)
    assert isinstance(budi, isp.PaymentRequest) and isinstance(siti, isp.PaymentRequest)
    assert (budi.wish, budi.debt, budi.amount, siti.amount) == ("budi", 183_150, 183_152, 183_153)
    assert (budi.expires_at - NOW, budi.kept_until - NOW) == (timedelta(hours=24), timedelta(hours=72))
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


def matched(amount: int, *requests: isp.AskedPayment, on: date = DAY, text: str = "", payers: list[isp.BankPayer] | None = None) -> object:
    [request] = isp.match_requests([isp.BankMoney("m", amount, on, text)], requests, payers)
    return request


def test_the_exact_amount_says_whose_money_it_is() -> None:
    budi = asked("R1", "budi")
    assert matched(183_151, budi) == "R1"
    assert matched(183_150, budi) is None
    assert matched(-183_151, budi) is None
    assert matched(183_151, budi, on=DAY - timedelta(days=1)) is None, "before it was made"
    assert matched(183_151, budi, on=DAY + timedelta(days=3)) == "R1", "late, and still kept in the morning"
    assert matched(183_151, budi, on=DAY + timedelta(days=4)) is None
    assert matched(183_151, asked("R1", "budi", cancelled=True)) == "R1", "still that customer's"
    assert matched(183_151, asked("R1", "budi", paid=True)) is None
    assert matched(183_151, asked("R1", "budi", cancelled=True), asked("R2", "budi", hours=1)) == "R2", "the one that stands"
    assert matched(183_151, budi, asked("R2", "siti", hours=1)) is None, "a matter for a person"


def test_a_request_is_paid_once_and_another_customers_id_is_asked_about() -> None:
    twice = [isp.BankMoney("a", 183_151, DAY), isp.BankMoney("b", 183_151, DAY)]
    assert isp.match_requests(twice, [asked("R1", "budi")]) == ["R1", None]
    payers = [isp.BankPayer("budi", "P001"), isp.BankPayer("siti", "P002")]
    assert matched(183_151, asked("R1", "budi"), text="TRSF P002 wifi", payers=payers) is None
    assert matched(183_151, asked("R1", "budi"), text="TRSF P001 wifi", payers=payers) == "R1"
