import csv
import time
from datetime import datetime, timedelta
from datetime import time as hour

from dateutil.relativedelta import relativedelta

from odoo import _, api, fields, models
from odoo.tools import file_open

from ..logic import clock

# Of the days after the due date, by what kind of payer somebody is; None: does not pay the last invoices.
PAYS_AFTER = {"prompt": -4, "late": 3, "exempt": -2, "gone": -1, "owes": None, "promise": None}
ROUTERS = [("BDG-1", "Bandung", "10.20.0.1"), ("GRT-1", "Garut", "10.20.1.1"), ("TSM-1", "Tasikmalaya", "10.20.2.1")]
SECONDS = 300
MONTHS = 4
# An invoice is due ten days after it is issued, and never before it is written: a run a week is in time.
BILLED_EVERY = 7
# In UTC, at which it is the same day everywhere in Indonesia.
NOON = hour(12, 0)


class IspDemo(models.AbstractModel):
    """Four months of an invented provider up to today, from the lists in demo/. Everything goes through the same
    methods as in real life, so that the books balance and each screen has something to show."""

    _name = "isp.demo"
    _description = "Demo data"

    @api.model
    def _fill(self, company_id):
        company = self.env["res.company"].browse(company_id)
        self.env["res.users"].browse([api.SUPERUSER_ID, self.env.ref("base.user_admin").id]).write(
            {"company_ids": [fields.Command.link(company.id)]}
        )
        charts = self.env["account.chart.template"]
        known = self.env["ir.module.module"].search_count([("name", "=", "l10n_id"), ("state", "=", "installed")])
        if not company.chart_template:
            charts.try_loading("id" if known else "generic_coa", company=company, install_demo=False)
            # Another chart brings the currency of its own country.
            company.currency_id = self.env.ref("base.IDR")
        # As the system, as at an installation: states are written that only time brings about.
        self = self.sudo().with_company(company).with_context(tracking_disable=True, mail_create_nosubscribe=True)
        company = company.with_env(self.env)
        packages, routers, kind = self._catalog(company)
        sold = self._customers(company, packages, routers, kind)
        self._expenses(company)
        self._bill_in_time(company, sold)
        self._payments(company, sold)
        self._incidents(company, sold, routers)

    def _bill_in_time(self, company, sold):
        """Invoices every few days of the past, so that each is due as if the provider had been there."""
        day, today = min(subscription.activation_date for _row, subscription in sold), company._isp_today()
        runs = self.env["isp.billing_run"]
        while day < today:
            with clock.at(datetime.combine(day, NOON)):
                runs._bill(company, time.monotonic() + SECONDS)
            day += timedelta(days=BILLED_EVERY)
        runs._bill(company, time.monotonic() + SECONDS)

    def _rows(self, name):
        with file_open("isp_management/demo/%s.csv" % name) as file:
            return list(csv.DictReader(file))

    def _catalog(self, company):
        ppn = company.account_sale_tax_id
        packages = {
            row["code"]: self.env["isp.package"].create({
                "name": row["name"], "code": row["code"], "price": int(row["price"]), "speed_down": int(row["down"]),
                "speed_up": int(row["up"]), "user_group": row["code"], "tax_ids": [fields.Command.set(ppn.ids)],
            })
            for row in self._rows("packages")
        }
        routers = {
            name: self.env["isp.router"].create({
                "name": name, "location": place, "host": host, "username": "isp", "password": "contoh-%s" % name,
                "state": "ok", "identity": name, "version": "7.16.1", "last_seen": fields.Datetime.now(),
            })
            for name, place, host in ROUTERS
        }
        kind = self.env["isp.installation_kind"].create({
            "name": "Pasang baru", "code": "PSB", "price": 250_000, "tax_ids": [fields.Command.set(ppn.ids)],
        })
        return packages, routers, kind

    def _customers(self, company, packages, routers, kind):
        today, sold = company._isp_today(), []
        for at, row in enumerate(self._rows("customers")):
            start = today - relativedelta(months=min(int(row["started"]), MONTHS) - 1) - timedelta(days=(at * 5) % 27 + 1)
            customer = self.env["isp.customer"].create({
                name: row[name] for name in ("name", "street", "city", "mobile", "nik")
            })
            subscription = self.env["isp.subscription"].create({
                "customer_id": customer.id, "package_id": packages[row["package"]].id, "router_id": routers[row["router"]].id,
                "cycle": row["cycle"], "activation_date": start, "billed_from": start, "ppp_username": customer.customer_code.lower(),
                "ppp_password": "contoh-%s" % customer.customer_code,
            })
            subscription.action_activate()
            subscription.write({"observed_access": "open", "observed_at": fields.Datetime.now()})
            customer.activated_on = start
            cpe = self.env["isp.cpe"].create({
                "customer_id": customer.id, "subscription_id": subscription.id, "outdoor_unit": row["unit"],
                "router": row["box"], "serial": "SN%06d" % (482_000 + at * 37), "ip_address": "10.30.%d.%d" % (at // 8, 10 + at),
                "username": "admin", "password": "contoh-cpe-%d" % at, "ownership": row["ownership"],
                "value": 850_000 if row["ownership"] == "lent" else 0,
            })
            self._history(cpe, "installed", _("Installed"), start)
            cpe.write({"state": "installed", "installed_on": start})
            fee = self.env["isp.installation_fee"].create({
                "customer_id": customer.id, "subscription_id": subscription.id, "kind_id": kind.id, "date": start,
            })
            with clock.at(datetime.combine(start, NOON)):
                fee.action_invoice()
            sold.append((row, subscription))
        return sold

    def _history(self, cpe, kind, reason, day, cost=0):
        self.env["isp.device_history"].create({
            "customer_id": cpe.customer_id.id, "cpe_id": cpe.id, "kind": kind, "device": cpe._isp_device_name(),
            "reason": reason, "ownership": cpe.ownership, "date": day, "cost": cost,
        })

    def _expenses(self, company):
        today, categories = company._isp_today(), {}
        for months in range(MONTHS - 1, -1, -1):
            first = today.replace(day=1) - relativedelta(months=months)
            for row in self._rows("expenses"):
                day = first + timedelta(days=int(row["day"]) - 1)
                if day > today:
                    continue
                if row["code"] not in categories:
                    categories[row["code"]] = self.env["isp.expense_category"].create(
                        {"name": row["category"], "code": row["code"]}
                    )
                expense = self.env["isp.expense"].create({
                    "name": row["label"], "category_id": categories[row["code"]].id, "amount": int(row["amount"]), "date": day,
                })
                expense.action_post()

    def _payments(self, company, sold):
        today, by_day = company._isp_today(), {}
        for row, subscription in sold:
            moves = (subscription.move_ids | subscription.installation_fee_ids.move_ids).filtered(
                lambda m: m.state == "posted" and m.payment_state == "not_paid"
            ).sorted("invoice_date_due")
            after = PAYS_AFTER[row["manner"]]
            if after is None:
                moves, after = moves[:-2], 2
            for move in moves:
                day = max(move.invoice_date_due + timedelta(days=after), move.invoice_date)
                if day <= today:
                    by_day[day] = by_day.get(day, self.env["account.move"]) | move
        for day, moves in sorted(by_day.items()):
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=moves.ids
            ).create({"payment_date": day, "group_payment": False})._create_payments()

    def _incidents(self, company, sold, routers):
        today, now = company._isp_today(), fields.Datetime.now()
        by_manner = {}
        for row, subscription in sold:
            by_manner.setdefault(row["manner"], []).append(subscription)
        for subscription in by_manner["owes"]:
            overdue = subscription.customer_id.amount_overdue
            since = now - timedelta(days=3)
            subscription.write({
                "desired_access": "isolated", "observed_access": "isolated", "access_cause": "arrears",
                "access_reason": "isolation.arrears", "isolated_overdue": overdue, "isolated_since": since, "observed_at": since,
            })
            self.env["isp.isolation_event"].sudo().create({
                "subscription_id": subscription.id, "router_id": subscription.router_id.id, "action": "isolate",
                "cause": "arrears", "reason_code": "isolation.arrears", "overdue": overdue,
                "decided_at": since, "desired_access": "isolated", "state": "done", "observed_at": since,
            })
        for subscription in by_manner["promise"]:
            self.env["isp.promise"].create({
                "customer_id": subscription.customer_id.id, "until": today + timedelta(days=4),
                "amount": subscription.customer_id.amount_overdue, "note": _("Pays after payday"),
            })
        for subscription in by_manner["exempt"]:
            self.env["isp.exemption"].create({
                "customer_id": subscription.customer_id.id, "since": today, "until": today + relativedelta(months=3),
                "reason": _("School: pays by term"),
            })
        for subscription in by_manner["gone"]:
            subscription.action_terminate()
            subscription.customer_id.action_terminate()
            subscription.write({"observed_access": "closed"})
        for at, months in ((1, 2), (9, 1)):
            cpe = sold[at][1].cpe_ids
            self._history(cpe, "replaced", _("Struck by lightning"), today - relativedelta(months=months), 650_000)
        routers["TSM-1"].write({"state": "trouble", "last_error": _("No answer in 10 s"), "last_error_code": "router.timeout"})
        self.env["isp.outage"].create({
            "name": _("Power failure at the tower"), "router_id": routers["GRT-1"].id,
            "since": datetime.combine(today - timedelta(days=9), datetime.min.time()) + timedelta(hours=2),
            "until": datetime.combine(today - timedelta(days=9), datetime.min.time()) + timedelta(hours=5),
        })
