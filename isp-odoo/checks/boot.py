"""Odoo inside a Python process that is not its server: for checks that commit, die and race as crons do."""

import os
import sys
import warnings
from contextlib import contextmanager

import odoo
from odoo import SUPERUSER_ID, api


@contextmanager
def environment(conf, **context):
    """An environment of OdooBot, whose cursor really commits. The caller commits; leaving rolls back the rest."""
    if odoo.tools.config.rcfile != conf:
        odoo.tools.config.parse_config(["-c", conf, "--no-http", "--logfile", "", "--log-level", "warn"])
        # Odoo's libraries are old; their warnings would hide what matters here.
        warnings.simplefilter("ignore")
    registry = odoo.registry(odoo.tools.config["db_name"])
    clock = sys.modules.get("odoo.addons.isp_management.logic.clock")
    if clock:
        # Stories have their own time.
        clock.story = True
    with registry.cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, context)


def company_of(env, company=None):
    """A company, the main one unless given, with the Indonesian chart of accounts."""
    company = company or env.ref("base.main_company")
    if not company.chart_template:
        env["account.chart.template"].try_loading("id", company=company, install_demo=False)
    assert company.currency_id.name == "IDR" and company.account_sale_tax_id.amount == 11, "no Indonesian chart"
    return company


def subscriptions(env, count, start, company=None):
    """``count`` customers, each with an active monthly subscription that starts on ``start``."""
    company = company_of(env, company)
    env = env(context={**env.context, "allowed_company_ids": company.ids})
    package = env["isp.package"].create({
        "name": "Rumah 20", "code": "R20", "price": 250_000, "speed_down": 20_000, "speed_up": 10_000, "user_group": "R20",
    })
    customers = env["isp.customer"].create([
        {"name": "Pelanggan %05d" % number, "mobile": "0812%08d" % number} for number in range(count)
    ])
    found = env["isp.subscription"].create([
        {"customer_id": customer.id, "package_id": package.id, "activation_date": start, "billed_from": start} for customer in customers
    ])
    found.action_activate()
    return found


def backend_seconds(pid):
    """CPU seconds of the database's process for this connection; None where /proc cannot tell."""
    try:
        with open("/proc/%s/stat" % pid, encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
