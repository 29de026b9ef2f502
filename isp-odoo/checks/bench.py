"""Invoices per CPU second: the addon's cron beside OCA's `contract` and `subscription_oca`, created and posted.

usage: bench.py prepare PEER CONF COUNT     customers with one monthly subscription of 250,000 and 11 % that is due today
       bench.py run PEER CONF COUNT         bill them all, post, commit; prints CPU seconds of Odoo and of the database

`scripts/odoo_bench` makes a database for each peer and round, and prints the ratios.
"""

import json
import resource
import sys
import time
from datetime import date

from boot import backend_seconds, company_of, environment, subscriptions


def prepare(peer, env, count):
    company = company_of(env)
    if peer == "isp":
        subscriptions(env, count, date.today())
        return
    product = env["product.product"].create(
        {"name": "Rumah 20", "type": "service", "list_price": 250_000, "taxes_id": [(6, 0, company.account_sale_tax_id.ids)]}
    )
    partners = env["res.partner"].create([
        {"name": "Pelanggan %05d" % number, "mobile": "0812%08d" % number, "country_id": env.ref("base.id").id}
        for number in range(count)
    ])
    if peer == "contract":
        env["contract.contract"].create([
            {
                "name": partner.name,
                "partner_id": partner.id,
                "line_recurrence": True,
                "contract_line_ids": [(0, 0, {
                    "product_id": product.id, "name": "Rumah 20", "quantity": 1, "price_unit": 250_000,
                    "recurring_rule_type": "monthly", "recurring_interval": 1, "date_start": date.today(),
                    "recurring_next_date": date.today(),
                })],
            }
            for partner in partners
        ])
    else:
        template = env["sale.subscription.template"].create(
            {"name": "Bulanan", "code": "B", "recurring_rule_type": "months", "recurring_interval": 1, "invoicing_mode": "draft"}
        )
        pricelist = env["product.pricelist"].create({"name": "IDR", "currency_id": company.currency_id.id})
        found = env["sale.subscription"].create([
            {
                "partner_id": partner.id, "template_id": template.id, "pricelist_id": pricelist.id,
                "date_start": date.today(), "recurring_next_date": date.today(),
                "sale_subscription_line_ids": [(0, 0, {
                    "product_id": product.id, "product_uom_qty": 1, "price_unit": 250_000,
                    "tax_ids": [(6, 0, company.account_sale_tax_id.ids)],
                })],
            }
            for partner in partners
        ])
        found.action_start_subscription()
        found.write({"recurring_next_date": date.today()})


def bill(peer, env):
    if peer == "isp":
        env["isp.billing_run"]._cron_bill()
        return
    if peer == "contract":
        env["contract.contract"].cron_recurring_create_invoice()
    else:
        env["sale.subscription"].cron_subscription_management()
    env["account.move"].search([("move_type", "=", "out_invoice"), ("state", "=", "draft")]).action_post()


def measure(peer, env, count):
    # Everything is loaded and the connection is warm before the clock starts.
    company_of(env)
    env.cr.execute("SELECT pg_backend_pid()")
    pid = env.cr.fetchone()[0]
    database, cpu, wall = backend_seconds(pid), time.process_time(), time.monotonic()
    bill(peer, env)
    env.cr.commit()
    seconds = time.process_time() - cpu
    after = backend_seconds(pid)
    moves = env["account.move"].search([("move_type", "=", "out_invoice"), ("state", "=", "posted")])
    assert len(moves) == count, "%s invoices instead of %s" % (len(moves), count)
    assert all(abs(move.amount_total - 277_500) < 0.001 for move in moves)
    print(json.dumps({
        "peer": peer,
        "invoices": count,
        "odoo_cpu": round(seconds, 2),
        "database_cpu": round(after - database, 2) if after is not None and database is not None else None,
        "wall": round(time.monotonic() - wall, 2),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


def main(what, peer, conf, count):
    with environment(conf) as env:
        if what == "prepare":
            prepare(peer, env, int(count))
            env.cr.commit()
        else:
            measure(peer, env, int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
