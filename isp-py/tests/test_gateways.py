"""Payment gateways over real sockets, against simulated ones: asked once, believed by their signatures only."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, cast, get_args

import pytest

import isp_engine as isp
from isp_engine import gateways, records
from isp_engine.testing import SimulatedGateway
from stories import refused

NOW = datetime(2026, 11, 25, 3, tzinfo=timezone.utc)
KINDS = get_args(records.GatewayKind)
PAGES = ("midtrans", "xendit")


def asked(reference: str = "INV-7-1", **more: object) -> gateways.GatewayAsk:
    ask = gateways.GatewayAsk(reference, 277_500, "qris", "Internet Maret", "PLG000007", NOW + timedelta(hours=24))
    return ask._replace(**more)


@pytest.mark.parametrize("kind", KINDS)
def test_asked_paid_told_and_believed(kind: records.GatewayKind) -> None:
    with SimulatedGateway(kind) as gateway:
        settings = gateway.settings
        answer = gateways.ask(settings, asked(), NOW)
        assert answer.qris or answer.url
        [transaction] = gateway.transactions()
        assert (transaction.reference, transaction.asked, transaction.state) == ("INV-7-1", 277_500, "pending")
        gateway.pay("INV-7-1", 277_500, NOW + timedelta(minutes=5), fee=2_000)
        headers, body = gateway.webhook("INV-7-1")
        notice = gateways.receive(settings, headers, body)
        assert notice is not None
        assert notice.reference == "INV-7-1"
        if not notice.sure:
            notice = gateways.status(settings, "INV-7-1", provider_id=answer.provider_id, channel="qris")
        assert notice is not None
        assert (notice.state, notice.gross, notice.sure) == ("paid", 277_500, True)
        assert gateways.acknowledgement(settings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_that_was_changed_is_not_believed(kind: records.GatewayKind) -> None:
    with SimulatedGateway(kind) as gateway:
        settings = gateway.settings
        gateways.ask(settings, asked(), NOW)
        gateway.pay("INV-7-1", 277_500, NOW)
        headers, body = gateway.webhook("INV-7-1")
        changed = body.replace(b"277500", b"277501").replace(b"INV-7-1", b"INV-7-2")
        assert changed != body
        for what in (changed, b"", b"{}", b"\xff\xfe", b"[" * 5_000):
            try:
                notice = gateways.receive(settings, headers, what)
            except isp.NotVerified as error:
                assert error.code.startswith("webhook.")
                assert "INV" not in str(error)
            else:
                # A gateway that proves itself by a token signs no bytes: it is asked before anything follows.
                assert notice is None or not notice.sure
        nobody = settings._replace(key="" if kind == "duitku" else settings.key, webhook_key="")
        if kind in ("xendit", "tripay"):
            with pytest.raises((isp.NotVerified, isp.InvalidValue)):
                gateways.receive(nobody, headers, body)


def test_a_lost_answer_is_settled_by_asking() -> None:
    with SimulatedGateway("midtrans") as gateway:
        gateway.fail("reply_lost")
        with pytest.raises(isp.OutcomeUnknown):
            gateways.ask(gateway.settings, asked(), NOW)
        notice = gateways.status(gateway.settings, "INV-7-1", channel="qris")
        assert notice is not None and notice.state == "pending"
        assert gateways.status(gateway.settings, "INV-7-9", channel="qris") is None
        gateway.fail("reset")
        with pytest.raises(isp.IspError):
            gateways.ask(gateway.settings, asked("INV-7-2"), NOW)
        assert gateway.requests() >= 4
    with pytest.raises(isp.NotReached):
        gateways.ask(gateway_settings_of_a_closed_port(), asked("INV-7-3"), NOW)


def gateway_settings_of_a_closed_port() -> gateways.GatewaySettings:
    gateway = SimulatedGateway("midtrans")
    settings = gateway.settings
    gateway.close()
    return settings


def test_stopped_it_takes_no_money() -> None:
    with SimulatedGateway("midtrans") as gateway:
        answer = gateways.ask(gateway.settings, asked(), NOW)
        outcome = gateways.cancel(gateway.settings, "INV-7-1", provider_id=answer.provider_id, channel="qris")
        assert outcome == "cancelled"
        gateways.ask(gateway.settings, asked("INV-7-2"), NOW)
        gateway.pay("INV-7-2", 277_500, NOW)
        assert gateways.cancel(gateway.settings, "INV-7-2", channel="qris") == "too_late"


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_of_the_gateway(kind: records.GatewayKind) -> None:
    with SimulatedGateway(kind) as gateway:
        answer = gateways.ask(gateway.settings, asked(channel="page"), NOW)
        assert answer.url and answer.url.startswith("http")


def test_settings_that_cannot_work_are_refused_without_a_key_in_sight() -> None:
    settings = gateways.GatewaySettings("midtrans", "midtrans", "SB-Mid-server-RAHASIA", sandbox=True)
    assert "RAHASIA" not in repr(settings)
    assert "Budi" not in repr(asked(payer="Budi"))
    for changed, code in (
        (settings._replace(sandbox=False), "gateway.environment"),
        (settings._replace(key="dua baris\n"), "gateway.bad_key"),
        (settings._replace(base_url="http://example.com"), "gateway.bad_address"),
        (settings._replace(kind="tripay", key="DEV-x"), "gateway.missing"),
    ):
        error = refused(gateways.acknowledgement, changed)
        assert (error.code, error.field) == (code, "gateway")
        assert "RAHASIA" not in str(error)
    for ask, field in (
        (asked(amount=0), "amount"), (asked(reference=""), "reference"), (asked(payer=""), "payer"), (asked(channel="ovo"), "channel"),
        (asked(expires_at=datetime(2026, 1, 1)), "expires_at"),
    ):
        assert refused(gateways.ask, settings, ask, NOW).field == "ask." + field


NO_SUCH = (
    None, 0, -1, 2**63, 10**400, 1.5, float("nan"), float("inf"), True, b"x", bytearray(b"x"), "", "x" * 100_000, "\0", "\ud800", "é", [], (), {},
    object(), NOW, datetime(1, 1, 1), datetime.max.replace(tzinfo=timezone.utc), timedelta(days=1),
)


def told(call: Callable[[], object]) -> None:
    """Whatever is handed in is taken or refused with a clear error; a panic of the library is neither."""
    try:
        call()
    except (isp.IspError, TypeError, ValueError, OverflowError) as error:
        assert "SB-Mid-server" not in str(error)


def test_whatever_is_handed_in_there_is_an_error_and_no_panic() -> None:
    settings = gateway_settings_of_a_closed_port()
    for odd in cast("list[Any]", NO_SUCH):
        for call in (
            lambda: gateways.receive(odd, [], b""), lambda: gateways.receive(settings, odd, b"{}"), lambda: gateways.receive(settings, [odd], b"{}"),
            lambda: gateways.receive(settings, [(odd, odd)], b"{}"), lambda: gateways.receive(settings, [], odd),
            lambda: gateways.ask(settings, odd, NOW), lambda: gateways.ask(settings, asked(), odd, deadline=1),
            lambda: gateways.ask(settings, asked(), NOW, deadline=odd), lambda: gateways.status(settings, odd, deadline=1),
            lambda: gateways.status(settings, "x", provider_id=odd, channel=odd, deadline=1), lambda: gateways.cancel(settings, odd, deadline=1),
        ):
            told(call)
        for name in settings._fields:
            told(lambda: gateways.acknowledgement(settings._replace(**{name: odd})))
        for name in asked()._fields:
            told(lambda: gateways.ask(settings, asked(**{name: odd}), NOW, deadline=1))


@pytest.mark.parametrize("name", ["order_id", "status_code", "gross_amount", "transaction_status", "currency", "metadata", "refund_amount", "settlement_time"])
def test_whatever_stands_in_a_signed_notice_there_is_no_panic(name: str) -> None:
    """Midtrans signs three of its fields: anything may stand in the others."""
    with SimulatedGateway("midtrans") as gateway:
        settings = gateway.settings
        gateways.ask(settings, asked(), NOW)
        gateway.pay("INV-7-1", 277_500, NOW)
        _headers, body = gateway.webhook("INV-7-1")
        for odd in (
            None, 0, -1, 2**63, 10**300, 1.5, True, "", "x" * 10_000, "\0", "é", [], {}, [[]], "NaN", "-0", "1e400", "0000-01-01 00:00:00",
            "-262143-01-01 00:00:00", "262142-12-31 23:59:59", {"extra_info": {"gross_amount_info": {"original_amount": "9" * 30}}},
        ):
            fields = {**json.loads(body), name: odd}
            signed = "".join(str(fields[key]) for key in ("order_id", "status_code", "gross_amount")) + settings.key
            fields["signature_key"] = hashlib.sha512(signed.encode()).hexdigest()
            try:
                notice = gateways.receive(settings, [], json.dumps(fields).encode())
            except isp.NotVerified:
                continue
            assert notice is None or not notice.sure
            if notice and name == "settlement_time":
                assert notice.paid_at is None
            assert name != "currency" or odd is None, odd


def test_money_goes_back_once_for_a_key() -> None:
    with SimulatedGateway("midtrans") as gateway:
        gateways.ask(gateway.settings, asked(), NOW)
        gateway.pay("INV-7-1", 277_500, NOW)
        key = "0a" * 16
        assert gateways.refund_status(gateway.settings, "INV-7-1", key) is None
        gateway.fail_refund("reply_lost")
        with pytest.raises(isp.OutcomeUnknown):
            gateways.refund(gateway.settings, "INV-7-1", key, 77_500, channel="qris")
        told = gateways.refund_status(gateway.settings, "INV-7-1", key)
        assert told == gateways.GatewayRefund("done", "1", "")
        assert gateways.refund(gateway.settings, "INV-7-1", key, 77_500) == told
        assert gateway.given_back("INV-7-1") == 77_500
        with pytest.raises(isp.Refused, match="exceeds"):
            gateways.refund(gateway.settings, "INV-7-1", "0b" * 16, 200_001)
        headers, body = gateway.webhook("INV-7-1")
        notice = gateways.receive(gateway.settings, headers, body)
        assert notice is not None and (notice.state, notice.gross) == ("refunded", 77_500)
    with SimulatedGateway("xendit") as gateway:
        answer = gateways.ask(gateway.settings, asked(), NOW)
        gateway.pay("INV-7-1", 277_500, NOW)
        first = gateways.refund(gateway.settings, "INV-7-1", key, 1_000, provider_id=answer.provider_id)
        assert first.state == "pending"
        gateway.settle_refunds(balance=999)
        later = gateways.refund_status(gateway.settings, "INV-7-1", key, provider_id=answer.provider_id)
        assert later is not None and (later.state, later.reason) == ("refused", "INSUFFICIENT_BALANCE")
    with SimulatedGateway("tripay") as gateway:
        with pytest.raises(isp.Refused, match="no refund by API"):
            gateways.refund(gateway.settings, "INV-7-1", key, 1_000)
        for odd in ("", "x" * 37, "a b", "a/../b"):
            with pytest.raises(isp.InvalidValue):
                gateways.refund(gateway.settings, "INV-7-1", odd, 1_000)
        with pytest.raises(isp.InvalidValue):
            gateways.refund(gateway.settings, "INV-7-1", key, 0)
