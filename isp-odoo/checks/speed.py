"""How long screens, reports and runs take with many customers, and how many queries a line of a run costs.

usage: speed.py CONF CUSTOMERS      (scripts/odoo_bench size runs it on a database of its own)

Customers, lines and two months of invoices are made by Odoo for the first hundred, and multiplied in the database: what is measured is
the reading and the runs, not the making. Five thousand of them have not paid for long.
"""

import os
import resource
import sys
import time
from contextlib import contextmanager
from datetime import date

from boot import environment, subscriptions

SEED = 100
ISOLATED = 5_000
STEP = 1_000_000
BEGIN, BILLED, NOW = date(2026, 1, 5), ("2026-01-05 03:00:00", "2026-02-05 03:00:00"), "2026-02-25 03:00:00"
# Table -> the columns that point at rows which are multiplied with it.
COPIED = {
    "res_partner": ("id", "commercial_partner_id"),
    "isp_customer": ("id", "partner_id"),
    "isp_subscription": ("id", "customer_id", "partner_id"),
    "account_move": ("id", "partner_id", "commercial_partner_id", "isp_subscription_id", "partner_shipping_id"),
    "account_move_line": ("id", "move_id", "partner_id"),
}
# What has to be another for each row.
OWN = {
    "isp_customer": {"customer_code": "customer_code || '-' || n"},
    "isp_subscription": {"name": "name || '-' || n", "ppp_username": "ppp_username || '-' || n"},
    "account_move": {"name": "name || '-' || n", "sequence_number": "sequence_number + n * 1000", "access_token": "NULL"},
    "account_move_line": {"move_name": "move_name || '-' || n"},
}
WHICH = {
    "res_partner": "id IN (SELECT partner_id FROM isp_customer WHERE id < %(step)s)",
    "isp_customer": "id < %(step)s", "isp_subscription": "id < %(step)s",
    "account_move": "isp_subscription_id IS NOT NULL AND id < %(step)s",
    "account_move_line": "move_id IN (SELECT id FROM account_move WHERE isp_subscription_id IS NOT NULL AND id < %(step)s) AND id < %(step)s",
}


def fill(env, customers):
    lines = subscriptions(env, SEED, BEGIN)
    router = env["isp.router"].create({"name": "Menara", "host": "192.0.2.1", "username": "isp", "password": "x", "location": "Sukamaju"})
    router.breaker_approved_until = "2027-01-01 00:00:00"
    for number, line in enumerate(lines):
        line.write({"router_id": router.id, "ppp_username": "user-%03d" % number, "ppp_password": "rahasia"})
    for moment in BILLED:
        env(context={**env.context, "isp_now": moment})["isp.billing_run"]._cron_bill()
    env.flush_all()
    env.cr.commit()
    for table, keys in COPIED.items():
        env.cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'", [table])
        columns = [name for (name,) in env.cr.fetchall()]
        values = [
            OWN.get(table, {}).get(name) or ('"%s" + n * %d' % (name, STEP) if name in keys else '"%s"' % name) for name in columns
        ]
        env.cr.execute(
            'INSERT INTO {0} ({1}) SELECT {2} FROM {0}, generate_series(1, %(times)s) AS n WHERE {3}'.format(
                table, ", ".join('"%s"' % name for name in columns), ", ".join(values), WHICH[table],
            ), {"times": customers // SEED - 1, "step": STEP},
        )
    # All but some thousand have paid.
    env.cr.execute("""
        UPDATE account_move m SET amount_residual = 0, amount_residual_signed = 0, payment_state = 'paid'
        WHERE isp_subscription_id IN (SELECT id FROM isp_subscription ORDER BY id DESC OFFSET %s)
    """, [ISOLATED])
    env.cr.execute("""
        UPDATE account_move_line l SET amount_residual = 0, amount_residual_currency = 0, reconciled = true FROM account_move m
        WHERE m.id = l.move_id AND m.payment_state = 'paid' AND l.display_type = 'payment_term'
    """)
    env.cr.execute("ANALYZE")
    env.cr.commit()
    env.invalidate_all()
    env.registry.clear_cache()


def cpu_seconds():
    """Of Odoo and of what it starts, such as the printer of PDFs; not of the database."""
    return sum(os.times()[:4])


@contextmanager
def told(env, what, count=1):
    """Says how long it took, and its queries for each."""
    env.flush_all()
    env.invalidate_all()
    queries, wall, cpu = env.cr.sql_log_count, time.monotonic(), cpu_seconds()
    yield
    env.flush_all()
    queries, wall, cpu = env.cr.sql_log_count - queries, time.monotonic() - wall, cpu_seconds() - cpu
    each = ", %.2f queries each" % (queries / count) if count > 1 else ", %d queries" % queries
    print("%-44s %7.2f s, %6.2f CPU-s of Odoo%s" % (what, wall, cpu, each), flush=True)


def screens(env):
    for model, words in (("isp.customer", "list of customers"), ("isp.subscription", "list of lines")):
        arch = env[model].get_view(view_type="tree")
        names = {name: {} for name in arch["models"][model] if name in env[model]._fields}
        with told(env, "%s, 80 rows and the count" % words):
            env[model].web_search_read([], names, limit=80)
    with told(env, "search: a telephone number"):
        env["isp.customer"].web_search_read([("find", "ilike", "0812 0000 0042")], {"display_name": {}}, limit=80)
    with told(env, "list of lines, overdue ones only"):
        env["isp.subscription"].web_search_read([("is_overdue", "=", True)], {"display_name": {}}, limit=80)
    with told(env, "dashboard"):
        env["isp.dashboard"].data()
    with told(env, "map"):
        env["isp.dashboard"].map_data()


def reports(env, customers):
    for report, _label in env["isp.report.print"]._isp_reports():
        printed = env["isp.report.print"].create({"report": report, "date_from": date(2026, 1, 1), "date_to": date(2026, 2, 28)})
        with told(env, "report %s, XLSX" % report):
            printed.action_xlsx()
    # A page of a quarter of the customers.
    env.cr.execute("UPDATE isp_customer SET active = false WHERE id NOT IN (SELECT id FROM isp_customer ORDER BY id LIMIT 5000)")
    env.invalidate_all()
    printed = env["isp.report.print"].create({"report": "customer"})
    rows = len(printed._isp_table()["rows"])
    with told(env, "report customer, PDF of %s rows" % rows):
        env["ir.actions.report"].with_context(force_report_rendering=True)._render_qweb_pdf(
            "isp_management.isp_report_print_pdf", printed.ids
        )


def runs(env):
    env["isp.channel"].create({"name": "CS", "phone_number_id": "1", "base_url": "http://192.0.2.1", "access_token": "x"})
    company = env.company
    before = env["isp.notification"].search_count([])
    env.cr.execute("SELECT count(DISTINCT isp_subscription_id) FROM account_move WHERE payment_state = 'not_paid'")
    due = env.cr.fetchone()[0]
    with told(env, "reminders of %s customers" % due, due):
        env["isp.notification"].with_company(company)._isp_reminders(company)
    print("    %s reminders" % (env["isp.notification"].search_count([]) - before))
    with told(env, "reminders again: none is due", due):
        env["isp.notification"].with_company(company)._isp_reminders(company)
    lines = env["isp.subscription"].sudo().search(env["isp.subscription"]._isp_candidates(company))
    with told(env, "facts for deciding about %s lines" % len(lines), len(lines)):
        lines._isp_access_facts(company._isp_now())
    with told(env, "isolation of %s lines, written" % len(lines), len(lines)):
        done = env["isp.subscription"]._isp_isolation_run(company)
    print("    %s" % done)
    assert done.get("isolate") == len(lines), done


def main(conf, customers):
    with environment(conf, isp_now=NOW) as env:
        started = time.monotonic()
        fill(env, customers)
        print("%s customers in %.0f s" % (env["isp.customer"].search_count([]), time.monotonic() - started), flush=True)
        env = env(context={**env.context, "allowed_company_ids": env.ref("base.main_company").ids})
        screens(env)
        runs(env)
        reports(env, customers)
        print("most memory: %s MB" % (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
