"""What a line more costs the runs in queries: 50 lines beside 150, so that the slope is what is tested, and never a time."""

import re
from collections import Counter
from datetime import date
from unittest.mock import patch

from odoo import SUPERUSER_ID
from odoo.sql_db import Cursor
from odoo.tests import tagged

from .network_common import IspNetworkCommon

FEW, MANY = 50, 150
# Odoo reads and writes by the thousand, this addon by some hundred: a run has few queries that grow with its lines.
SHARED = 0.1
# Odoo writes what differs in each row with a query of its own: what a message says and what the channel called it,
MESSAGE = 2.5
# and whom one payment reopens, with what is noted and said about it, beside Odoo's own 80 for each.
PAYMENT = 45


@tagged("post_install", "-at_install")
class TestQueries(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        customers = cls.env["isp.customer"].create([
            {"name": "Pelanggan %s" % number, "mobile": "0812-0000-%04d" % number} for number in range(MANY)
        ])
        cls.lines = cls.env["isp.subscription"].create([
            {
                "customer_id": customer.id, "package_id": cls.package.id, "router_id": cls.router.id, "billed_from": date(2026, 1, 5),
                "activation_date": date(2026, 1, 5), "ppp_username": "pelanggan-%s" % number, "ppp_password": "rahasia-%s" % number,
            }
            for number, customer in enumerate(customers)
        ])
        cls.router.sudo().breaker_approved_until = "2027-01-01 00:00:00"
        cls.env["isp.subscription"].flush_model()

    @classmethod
    def robot(cls, moment):
        """As the crons run."""
        env = cls.at(moment)
        return env(user=SUPERUSER_ID, su=True, context={**env.context, "allowed_company_ids": cls.company.ids})

    def counted(self, lines, prepare, run):
        """The statements of a run about some lines, by their text; nothing is left behind."""
        savepoint = self.env.cr.savepoint(flush=True)
        (self.lines - lines).write({"active": False})
        lines.action_activate()
        prepare(lines)
        self.env.flush_all()
        # What was changed so far is noted in the records' logs now, and not as a part of the run.
        self.env.cr.precommit.run()
        self.env.invalidate_all()
        seen, execute = Counter(), Cursor.execute

        def execute_counted(cursor, query, *args, **kwargs):
            text = getattr(query, "code", None) or (query if isinstance(query, str) else str(query))
            seen[re.sub(r"\s+", " ", text)[:150]] += 1
            return execute(cursor, query, *args, **kwargs)

        with patch.object(Cursor, "execute", execute_counted):
            run(lines)
            self.env.flush_all()
        self.env.invalidate_all(flush=False)
        savepoint.close(rollback=True)
        self.env.invalidate_all(flush=False)
        return seen

    def each(self, prepare, run, few=FEW, many=MANY):
        """Which queries one line more costs, by their text."""
        # What is remembered for all, such as rights and views, is read once.
        self.counted(self.lines[:1], prepare, run)
        less, more = self.counted(self.lines[:few], prepare, run), self.counted(self.lines[:many], prepare, run)
        return {text: (more[text] - less[text]) / (many - few) for text in more | less}

    def assertCosts(self, each, most):
        told = ["%5.2f %s" % (count, text) for text, count in sorted(each.items(), key=lambda pair: -pair[1]) if abs(count) > 0.01]
        self.assertLess(sum(each.values()), most, "queries for each line:\n" + "\n".join(told))

    def decide(self, moment):
        self.robot(moment)["isp.subscription"]._cron_isp_isolation()
        self.env.invalidate_all()

    def sync(self, moment):
        self.robot(moment)["isp.router"]._cron_isp_sync()
        self.env.invalidate_all()

    def billed(self, lines):
        self.robot("2026-01-05 08:00")["isp.billing_run"]._cron_bill()
        self.assertEqual(self.env["account.move"].search_count([("isp_subscription_id", "in", lines.ids)]), len(lines))

    def isolated(self, lines):
        self.billed(lines)
        self.decided(lines)

    def decided(self, lines):
        self.decide("2026-02-25 10:00")
        self.assertEqual(set(lines.mapped("desired_access")), {"isolated"})

    def test_billing(self):
        each = self.each(lambda lines: None, self.billed)
        # Where the app for sales is installed, Odoo looks for the team of each invoice.
        self.assertCosts({text: count for text, count in each.items() if '"crm_team"' not in text}, SHARED)

    def test_isolation(self):
        self.assertCosts(self.each(self.billed, self.decided), SHARED)

    def test_deciding_about_those_that_stay(self):
        self.assertCosts(self.each(self.isolated, lambda lines: self.decide("2026-02-26 10:00")), SHARED)

    def test_reminders(self):
        def remind(lines):
            self.robot("2026-01-25 09:00")["isp.notification"]._cron_isp_reminders()
            self.assertEqual(self.env["isp.notification"].search_count([("customer_id", "in", lines.customer_id.ids)]), len(lines))

        self.assertCosts(self.each(self.billed, remind), SHARED)

    def test_messages(self):
        def reminded(lines):
            self.billed(lines)
            self.robot("2026-01-25 09:00")["isp.notification"]._cron_isp_reminders()

        def send(lines):
            self.send("2026-01-25 09:30")
            self.assertEqual(self.env["isp.notification"].search_count([("state", "=", "sent")]), len(lines))

        self.assertCosts(self.each(reminded, send), MESSAGE)

    def test_routers(self):
        self.assertCosts(self.each(self.isolated, lambda lines: self.sync("2026-02-25 10:01")), SHARED)

    def test_payments(self):
        def pay(lines):
            self.pay(self.env["account.move"].search([("isp_subscription_id", "in", lines.ids)]), env=self.at("2026-02-26 11:00"))
            self.assertEqual(set(lines.mapped("desired_access")), {"open"})

        def pay_others(_lines):
            self.pay(self.env["account.move"].search([("ref", "=", "other")]), env=self.at("2026-02-26 11:00"))

        def invoiced(lines):
            self.isolated(lines)
            moves = self.env["account.move"].create([{
                "move_type": "out_invoice", "partner_id": line.partner_id.id, "invoice_date": date(2026, 1, 5), "ref": "other",
                "invoice_line_ids": [(0, 0, {"name": "Kabel", "price_unit": 100_000})],
            } for line in lines])
            moves.action_post()

        ours, others = self.each(self.isolated, pay, 5, 20), self.each(invoiced, pay_others, 5, 20)
        self.assertCosts({text: ours.get(text, 0) - others.get(text, 0) for text in ours | others}, PAYMENT)

    def test_reopening(self):
        def paid(lines):
            self.isolated(lines)
            self.env.cr.execute(
                "UPDATE account_move SET amount_residual = 0, payment_state = 'paid' WHERE isp_subscription_id = ANY(%s)", [lines.ids]
            )

        def reopen(lines):
            lines.with_env(self.at("2026-02-26 10:00"))._isp_reopen_paid()
            self.assertEqual(set(lines.mapped("desired_access")), {"open"})

        self.assertCosts(self.each(paid, reopen), SHARED)
