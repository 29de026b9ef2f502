"""Customers who owe the same and are asked to pay in the same moment: each gets an amount of its own, and none is refused.

usage: asked_at_once.py CONF            (scripts/odoo_test runs it on a database of its own)

Then their money comes in two files of the bank at once: each amount is booked once, to its customer.
"""

import random
import sys
import threading
import time
from collections import Counter
from datetime import date, timedelta

import odoo
from boot import company_of, environment, subscriptions
from odoo import SUPERUSER_ID, api
from psycopg2 import IntegrityError, OperationalError

COUNT = 100


def main(conf):
    with environment(conf) as env:
        company = company_of(env)
        lines = subscriptions(env, COUNT, date(2026, 1, 5))
        moves = env["account.move"].create([
            {
                "move_type": "out_invoice", "partner_id": line.partner_id.id, "invoice_date": date(2026, 2, 5),
                "invoice_date_due": date(2026, 2, 15), "isp_subscription_id": line.id, "isp_period_start": date(2026, 2, 5),
                "invoice_line_ids": [(0, 0, {"name": "Internet", "price_unit": 250_000, "tax_ids": [(6, 0, [])]})],
            }
            for line in lines
        ])
        moves.action_post()
        customers, journal = lines.customer_id.ids, env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", company.id)], limit=1)
        journal_id, day = journal.id, company._isp_today()
        env.cr.commit()

    tries = at_once([lambda env, one=one: env["isp.payment_request"]._isp_ask(env["isp.customer"].browse(one)) for one in customers])
    with environment(conf) as env:
        requests = env["isp.payment_request"].search([("state", "=", "open")])
        amounts = {request.customer_id.id: int(request.amount) for request in requests}
    assert sorted(amounts.values()) == [250_000 + nth for nth in range(1, COUNT + 1)], sorted(amounts.values())
    assert set(amounts) == set(customers) and max(tries) <= 2, Counter(tries)
    print("%s customers with one debt asked at once: each has an own amount, %s of them at the first try" % (COUNT, tries.count(1)))

    def file(env):
        env["account.bank.statement.line"].create([
            {"journal_id": journal_id, "date": day + timedelta(days=1), "payment_ref": "QRIS", "amount": amount}
            for amount in sorted(amounts.values())[:20]
        ])

    at_once([file, file])
    with environment(conf) as env:
        booked = env["account.bank.statement.line"].search([("is_reconciled", "=", True)])
        waiting = env["account.bank.statement.line"].search([("isp_waits", "=", True)])
        owners = {request.amount: request.customer_id.partner_id for request in env["isp.payment_request"].search([])}
        assert len(booked) == 20 and all(line.partner_id == owners[line.amount] for line in booked), len(booked)
        assert set(waiting.mapped("isp_doubt")) == {"request_paid"} and len(waiting) == 20, waiting.mapped("isp_doubt")
    print("two files with the same 20 amounts at once: each is booked once, and a person is asked about the other 20")


def at_once(calls):
    """Call each in a thread and a transaction of its own, again after a serialization failure as Odoo does it; how often each was tried."""
    registry, together = odoo.registry(odoo.tools.config["db_name"]), threading.Barrier(min(len(calls), 20))
    tries, errors, turn = [0] * len(calls), [], threading.Semaphore(20)

    def work(nth, call):
        with turn:
            if nth < together.parties:
                together.wait()
            for tries[nth] in range(1, 6):
                with registry.cursor() as cr:
                    try:
                        call(api.Environment(cr, SUPERUSER_ID, {}))
                        cr.commit()
                        return
                    except (IntegrityError, OperationalError) as error:
                        # Two files at once also want the same number of the journal: whoever was second sends it again.
                        cr.rollback()
                        last = error
                        # Odoo waits as well, ten times as long.
                        time.sleep(random.uniform(0, 2 ** tries[nth] / 10))
                    except Exception as error:  # whatever it is, the check is red
                        errors.append(error)
                        return
            errors.append(last)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    assert all(tries), "a call failed"
    return tries


if __name__ == "__main__":
    main(sys.argv[1])
