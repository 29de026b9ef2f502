"""A gateway tells the same payment six times in one moment, while Odoo's cron books it too: it is one payment with one fee.

usage: told_at_once.py CONF            (scripts/odoo_test runs it on the database of the gateways' tests)
"""

import sys
from collections import Counter
from datetime import date, datetime, timezone

from asked_at_once import at_once
from boot import company_of, environment, subscriptions
from isp_engine import gateways
from isp_engine.testing import SimulatedGateway

KINDS = {"isp_midtrans": "midtrans", "isp_tripay": "tripay", "isp_duitku": "duitku"}
AT_ONCE = 6


def main(conf):
    with environment(conf) as env:
        lines = subscriptions(env, len(KINDS), date(2026, 1, 5)).ids
        env.cr.commit()
    for line, (code, kind) in zip(lines, KINDS.items(), strict=True):
        with SimulatedGateway(kind) as gateway:
            told_at_once(conf, line, code, gateway)


def told_at_once(conf, line, code, gateway):
    with environment(conf) as env:
        transaction = begun(env, env["isp.subscription"].browse(line), code, gateway.settings)
        transaction._get_processing_values()
        env.cr.commit()
        number, reference, provider, move = transaction.id, transaction.reference, transaction.provider_id.id, transaction.invoice_ids.id
    gateway.pay(reference, 250_000, datetime.now(timezone.utc), fee=2_000)
    headers, body = gateway.webhook(reference)

    def hear(env):
        there = env["payment.provider"].browse(provider)
        notice = gateways.receive(there._isp_gateway(), headers, body)
        assert env["payment.transaction"]._isp_heard(there, notice)

    def finish(env):
        waiting = env["payment.transaction"].search([("id", "=", number), ("state", "=", "done"), ("is_post_processed", "=", False)])
        if waiting:
            waiting._finalize_post_processing()

    tries = at_once([hear] * AT_ONCE + [finish])
    with environment(conf) as env:
        payments = env["account.payment"].search([("payment_transaction_id", "=", number)])
        transaction = env["payment.transaction"].browse(number)
        assert (transaction.state, transaction.is_post_processed, transaction.payment_id) == ("done", True, payments), (transaction.state, payments)
        assert len(payments) == 1 and payments.amount == 250_000, payments
        assert env["account.move"].browse(move).amount_residual == 0
        # Midtrans tells no fee.
        fees = env["account.move"].search([("isp_gateway_fee_of_id", "=", number)])
        assert (len(fees), fees.amount_total) == ((0, 0) if code == "isp_midtrans" else (1, 2_000)), fees
        assert transaction.isp_fee_move_id == fees, fees
    print("%s told one payment %s times at once, beside Odoo's own cron: it and its fee are booked once (tries: %s)" % (
        code, AT_ONCE, dict(sorted(Counter(tries).items())),
    ))


def begun(env, line, code, settings):
    """A transaction of an open invoice, as Odoo's payment page makes it."""
    company = company_of(env)
    move = env["account.move"].create({
        "move_type": "out_invoice", "partner_id": line.partner_id.id, "invoice_date": date(2026, 2, 5), "invoice_date_due": date(2026, 2, 15),
        "isp_subscription_id": line.id, "isp_period_start": date(2026, 2, 5),
        "invoice_line_ids": [(0, 0, {"name": "Internet", "price_unit": 250_000, "tax_ids": [(6, 0, [])]})],
    })
    move.action_post()
    provider = env["payment.provider"].search([("code", "=", code), ("company_id", "=", company.id)], limit=1)
    provider.write({
        "isp_key": settings.key, "isp_webhook_key": settings.webhook_key, "isp_merchant": settings.merchant, "isp_email": settings.email,
        "isp_base_url": settings.base_url, "state": "test",
        "journal_id": env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", company.id)], limit=1).id,
        "isp_fee_account_id": env["account.account"].search([("account_type", "=", "expense"), ("company_id", "=", company.id)], limit=1).id,
    })
    transactions, invoices = env["payment.transaction"], [(6, 0, move.ids)]
    return transactions.create({
        "provider_id": provider.id, "payment_method_id": env.ref("payment.payment_method_qris").id, "amount": move.amount_residual,
        "currency_id": company.currency_id.id, "partner_id": move.partner_id.id, "operation": "online_redirect", "invoice_ids": invoices,
        "reference": transactions._compute_reference(code, invoice_ids=invoices),
    })


if __name__ == "__main__":
    main(sys.argv[1])
