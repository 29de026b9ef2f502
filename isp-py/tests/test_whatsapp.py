"""WhatsApp over real sockets, against the simulated Cloud API; webhooks against Meta's own."""

import hashlib
import hmac
import itertools
import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

import isp_engine as isp
from isp_engine import whatsapp
from isp_engine.testing import SimulatedWhatsApp
from stories import day, refused

FIXTURES = Path(__file__).parents[2] / "isp-whatsapp" / "tests" / "fixtures"
NOW = datetime(2026, 11, 25, 3, tzinfo=timezone.utc)


def channel(meta: SimulatedWhatsApp, **more: object) -> whatsapp.Channel:
    return whatsapp.Channel(meta.phone_number_id, meta.access_token, meta.base_url)._replace(**more)


def message(key: int, content: isp.records.Content | None = None, **more: object) -> whatsapp.Message:
    content = content or whatsapp.DueSoon("Rumah 20", ["INV/2026/0001"], 166_500, day("2026-11-28"))
    return whatsapp.Message(key, f"db:{key}", "0812-3456-7890", "Budi Santoso", content)._replace(**more)


def test_each_kind_is_sent_and_reads_as_people_write() -> None:
    contents = [
        whatsapp.DueSoon("Rumah 20", ["INV/1"], 166_500, day("2026-11-28")),
        whatsapp.Overdue("Rumah 20", ["INV/1"], 166_500, day("2026-11-20"), 5, day("2026-11-25")),
        whatsapp.Isolated("Rumah 20", 166_500, day("2026-11-25")),
        whatsapp.Isolated("Rumah 20", 0, day("2026-11-25")),
        whatsapp.PaymentReceived(166_500, "TRX-9", day("2026-11-25"), 0),
        whatsapp.Reopened("Rumah 20", day("2026-11-25")),
    ]
    messages = [message(n, content) for n, content in enumerate(contents)]
    messages += [message(n + 10, content, language="en") for n, content in enumerate(contents)]
    with SimulatedWhatsApp() as meta:
        sent = whatsapp.send(channel(meta), messages)
        assert [(s.message, s.outcome, s.retryable) for s in sent] == [(m.key, "accepted", False) for m in messages]
        taken = {m.callback: m for m in meta.messages()}
        assert set(taken) == {m.callback for m in messages}
        texts = whatsapp.preview(messages)
        assert [taken[m.callback].text for m in messages] == texts
        assert "jatuh tempo pada 28 November 2026" in texts[0]
        assert "Rp 166.500" in texts[0]
        assert "Rp" not in texts[3]
        assert {m.to for m in meta.messages()} == {"6281234567890"}
        assert meta.duplicates() == {}
        assert {s.provider_id for s in sent} == {m.message_id for m in meta.messages()}


def test_each_outcome_has_its_word() -> None:
    with SimulatedWhatsApp() as meta:

        def outcome(fault: str, code: int | None = None) -> whatsapp.Sent:
            meta.fail(fault, code=code)
            (sent,) = whatsapp.send(channel(meta), [message(1)], deadline=1)
            return sent

        assert outcome("graph", 130429)[1:6] == ("retry_after", None, 30, "number", 130429)
        assert outcome("graph", 131056)[1:6] == ("retry_after", None, 6, "recipient", 131056)
        assert outcome("graph", 131026)[1:6] == ("recipient_rejected", None, None, None, 131026)
        assert outcome("graph", 132001)[1:6] == ("config_error", None, None, None, 132001)
        assert outcome("graph", 190)[1:6] == ("channel_down", None, None, None, 190)
        held = outcome("held")
        assert (held.outcome, held.provider_id is not None) == ("held", True)
        for fault in ("reply_lost", "reset", "hang", "garbled", "status", "status_after_accept"):
            unknown = outcome(fault)
            assert (unknown.outcome, unknown.retryable) == ("unknown", False), fault
        wrong = whatsapp.send(channel(meta, access_token="other"), [message(2)])
        assert (wrong[0].outcome, wrong[0].code) == ("channel_down", 190)


def test_a_channel_that_is_down_is_not_asked_for_every_message() -> None:
    with SimulatedWhatsApp() as meta:
        meta.down()
        sent = whatsapp.send(channel(meta), [message(n) for n in range(100)], deadline=2)
        assert {(s.outcome, s.retryable) for s in sent} == {("channel_down", True)}
        meta.up()
        meta.fail("graph", code=190, times=0)
        sent = whatsapp.send(channel(meta), [message(n) for n in range(100)])
        assert {s.code for s in sent} == {190}
        assert meta.requests() < 30
        meta.heal()
        sent = whatsapp.send(channel(meta), [message(n) for n in range(100)])
        assert {s.outcome for s in sent} == {"accepted"}
        assert len(meta.messages()) == 100


def test_an_operator_has_other_texts() -> None:
    mine = whatsapp.MessageTemplate("reopened", "id", "toko_dibuka", "Hai {{nama}}, {{paket}} sudah aktif lagi.")
    told = message(1, whatsapp.Reopened("Rumah 20", day("2026-11-25")))
    assert whatsapp.preview([told], templates=[mine]) == ["Hai Budi Santoso, Rumah 20 sudah aktif lagi."]
    with SimulatedWhatsApp(templates=[mine]) as meta:
        (sent,) = whatsapp.send(channel(meta, templates=[mine]), [told])
        assert sent.outcome == "accepted"
        assert meta.messages()[0].template == "toko_dibuka"
        (sent,) = whatsapp.send(channel(meta), [told])
        assert (sent.outcome, sent.code) == ("config_error", 132001)
    registered = [json.loads(text) for text in whatsapp.registrations([mine])]
    assert len(registered) == 12
    assert {"toko_dibuka"} == {r["name"] for r in registered if "sudah aktif lagi" in r["components"][0]["text"]}
    for body in ["{{nama}} first", "Hai {{salah}} ya", "Hai {{", ""]:
        error = refused(whatsapp.preview, [told], templates=[mine._replace(body=body)])
        assert (error.code, error.field) == ("whatsapp.bad_template", "templates[0].body")
    assert "nama" in whatsapp.PARAMETERS["reopened"]


def test_values_are_refused_with_their_place() -> None:
    there = whatsapp.Channel("1", "token", "http://127.0.0.1:1")
    for change, code, field in [
        ({"to": "021-5551234"}, "customer.phone", "to"),
        ({"callback": ""}, "value.empty", "callback"),
        ({"callback": "x" * 513}, "value.too_long", "callback"),
        ({"content": "hello"}, "value.type", "content"),
        ({"language": "fr"}, "value.not_one_of", "language"),
        ({"content": whatsapp.Isolated("P", 1.5, day("2026-01-01"))}, "value.type", "content.amount"),  # type: ignore[arg-type]
    ]:
        error = refused(whatsapp.send, there, [message(1)._replace(**change)])
        assert (error.code, error.row, error.field) == (code, 0, field)
        assert "5551234" not in str(error)
    error = refused(whatsapp.send, there._replace(base_url="http://example.com"), [message(1)])
    assert (error.code, error.field) == ("whatsapp.insecure_base_url", "channel")
    assert "token" not in repr(there).replace("access_token", "")
    assert "0812" not in repr(message(1))


def signed(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def fixtures() -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(FIXTURES.glob("meta-webhook-*.json"))]


def test_the_fixtures_are_believed_and_a_changed_byte_is_not() -> None:
    seen = 0
    for fixture in fixtures():
        raw, secret = fixture.get("raw_body"), fixture.get("app_secret")
        if not isinstance(raw, str) or not isinstance(secret, str):
            continue
        seen += 1
        body = raw.encode()
        header = fixture["headers"]["X-Hub-Signature-256"]  # type: ignore[index]
        assert header == signed(secret, body)
        whatsapp.verify(secret, header, body)
        whatsapp.receive(secret, header, body)
        for wrong, code in [
            ((secret, header, body + b" "), "webhook.signature_mismatch"),
            ((secret + "x", header, body), "webhook.signature_mismatch"),
            ((secret, None, body), "webhook.signature_missing"),
            ((secret, header[7:], body), "webhook.signature_missing"),
        ]:
            with pytest.raises(isp.NotVerified) as error:
                whatsapp.receive(*wrong)
            assert error.value.code == code
    assert seen >= 7


def test_a_body_that_was_written_again_does_not_pass() -> None:
    body = b'{"object":"whatsapp_business_account","entry":[],"x":"a\\/b \\u00e4"}'
    header = signed("s", body)
    whatsapp.verify("s", header, body)
    with pytest.raises(isp.NotVerified):
        whatsapp.verify("s", header, json.dumps(json.loads(body)).encode())
    with pytest.raises(isp.NotVerified) as error:
        whatsapp.receive("s", signed("s", b"{}"), b"{}")
    assert error.value.code == "webhook.malformed"


def test_statuses_of_a_sent_message_come_back_and_fold_in_any_order() -> None:
    with SimulatedWhatsApp() as meta:
        (sent,) = whatsapp.send(channel(meta), [message(1)])
        assert sent.provider_id is not None
        words = ["sent", "delivered", "read"]
        for order in itertools.permutations(words):
            webhook = meta.status_webhook([(sent.provider_id, word) for word in (*order, order[0])], NOW)
            events = whatsapp.receive(meta.app_secret, webhook.signature, webhook.body)
            assert [e.status for e in events if isinstance(e, whatsapp.StatusEvent)] == [*order, order[0]]
            assert {(e.message_id, e.callback, e.at) for e in events if isinstance(e, whatsapp.StatusEvent)} == {
                (sent.provider_id, "db:1", NOW)
            }
            statuses = [
                whatsapp.ReportedStatus(e.status, e.code) for e in events if isinstance(e, whatsapp.StatusEvent)
            ]
            folded = whatsapp.fold([whatsapp.DeliveryFacts(1, statuses)])
            assert folded == [whatsapp.Delivery(1, "read", None)]
        webhook = meta.status_webhook([(sent.provider_id, "failed")], NOW, code=131026)
        (event,) = whatsapp.receive(meta.app_secret, webhook.signature, webhook.body)
        assert isinstance(event, whatsapp.StatusEvent)
        assert (event.status, event.code) == ("failed", 131026)
    folds = whatsapp.fold(
        [
            whatsapp.DeliveryFacts(1, [whatsapp.ReportedStatus("failed", 131026)], "sent"),
            whatsapp.DeliveryFacts(2, [whatsapp.ReportedStatus("delivered")], "failed", 131026),
            whatsapp.DeliveryFacts(3, [whatsapp.ReportedStatus("failed", 1), whatsapp.ReportedStatus("sent")], "read"),
            whatsapp.DeliveryFacts(4, [], "failed", 7),
        ]
    )
    assert [f[1:] for f in folds] == [("failed", 131026), ("delivered", None), ("read", None), ("failed", 7)]


def test_a_subscription_is_answered_with_its_challenge() -> None:
    query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=kata%20kunci"
    assert whatsapp.answer_subscription("kata kunci", query) == "1158201444"
    with pytest.raises(isp.NotVerified) as error:
        whatsapp.answer_subscription("other", query)
    assert error.value.code == "webhook.subscription_refused"


def test_what_customers_write_is_masked() -> None:
    for fixture in fixtures():
        raw, secret = fixture.get("raw_body"), fixture.get("app_secret")
        if not isinstance(raw, str) or "inbound" not in str(fixture.get("name", raw)) and '"messages":' not in raw:
            continue
        assert isinstance(secret, str)
        for event in whatsapp.receive(secret, signed(secret, raw.encode()), raw.encode()):
            if isinstance(event, whatsapp.InboundEvent) and event.sender:
                assert event.sender not in repr(event)
                return
    raise AssertionError("no fixture has a message of a customer")
