"""One document for all lines of a customer who wants it: numbers, totals, rights, and what is said once."""

from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestStatements(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.company.isp_public_holidays = "none"
        cls.budi = cls.new_customer("Budi", invoicing="per_customer")
        cls.house = cls.new_subscription(cls.budi, start=date(2026, 1, 1))
        cls.shop = cls.new_subscription(cls.budi, start=date(2026, 1, 1))
        cls.other = cls.new_subscription(start=date(2026, 1, 1))
        cls.env["isp.channel"].create({"name": "CS", "phone_number_id": "1", "base_url": "http://127.0.0.1:9", "access_token": "x"})

    def bill(self, moment="2026-01-01 08:00"):
        self.at(moment)["isp.billing_run"]._cron_bill()
        return self.budi.statement_ids.sorted("id")

    def messages(self, kind):
        return self.env["isp.notification"].search([("customer_id", "=", self.budi.id), ("kind", "=", kind)])

    def pay(self, amount, day):
        moves = (self.house | self.shop).move_ids.filtered(lambda m: m.move_type == "out_invoice" and m.payment_state == "not_paid")
        self.at("%s 09:00" % day)["account.payment.register"].with_context(
            active_model="account.move", active_ids=moves.ids
        ).create({"amount": amount, "payment_date": day, "group_payment": True})._create_payments()

    def test_invoices_of_the_same_days_stand_on_one_statement(self):
        statement = self.bill()
        self.assertEqual(statement.move_ids, (self.house | self.shop).move_ids)
        self.assertEqual((statement.amount_total, statement.amount_residual, statement.invoice_count), (555_000, 555_000, 2))
        self.assertEqual((statement.issue_date, statement.due_date), (date(2026, 1, 1), date(2026, 1, 11)))
        self.assertRegex(statement.name, r"^TG-202601-[0-9]{6}$")
        self.assertFalse(self.other.move_ids.isp_statement_id, "who did not ask for one has none")
        self.bill("2026-01-01 12:00")
        statements = self.bill("2026-02-01 08:00")
        self.assertEqual(len(statements), 2)
        self.assertNotEqual(*statements.mapped("name"))

    def test_what_is_written_late_for_the_same_days_is_added(self):
        statement = self.bill()
        late = self.new_subscription(self.budi, start=date(2026, 1, 1))
        self.budi.invoicing = "per_subscription"
        self.assertEqual(self.bill("2026-01-02 08:00"), statement)
        self.assertEqual((late.move_ids.isp_statement_id, statement.amount_total), (statement, 832_500))
        self.assertEqual(self.bill("2026-02-01 08:00"), statement, "later months have none any more")

    def test_one_notice_isolates_and_one_reopens(self):
        self.bill()
        self.at("2026-01-16 11:00")["isp.subscription"]._cron_isp_isolation()
        self.assertEqual((self.house | self.shop).mapped("desired_access"), ["isolated", "isolated"])
        isolated = self.messages("isolated")
        self.assertEqual((len(isolated), len(isolated.isolation_event_id | isolated.also_event_ids)), (1, 2))
        self.pay(555_000, date(2026, 1, 17))
        self.assertEqual((self.house | self.shop).mapped("desired_access"), ["open", "open"])
        reopened = self.messages("reopened")
        self.assertEqual((len(reopened), len(reopened.isolation_event_id | reopened.also_event_ids)), (1, 2))

    def test_a_message_names_the_statement(self):
        statement = self.bill()
        env = self.at("2026-01-14 09:00")
        env["isp.notification"]._isp_reminders(self.company.with_env(env))
        facts = self.messages("overdue").with_env(env)._isp_queued_facts(self.company)
        self.assertEqual([s.key for s in facts[0].statements], [statement.name])

    def test_it_is_read_and_printed_and_written_by_nobody(self):
        statement = self.bill()
        clerk = new_test_user(
            self.env, "kasir-tg", groups="isp_management.group_cashier", company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        seen = statement.with_user(clerk)
        self.assertEqual(seen.amount_total, 555_000)
        self.assertEqual(seen.action_view_invoices()["domain"], [("isp_statement_id", "=", statement.id)])
        with self.assertRaises(AccessError):
            seen.due_date = date(2026, 2, 1)
        with self.assertRaises(AccessError):
            self.budi.with_user(clerk).invoicing = "per_subscription"
        with self.assertRaises(UserError):
            statement.unlink()
        html = self.env["ir.actions.report"]._render_qweb_html("isp_management.isp_statement_pdf", statement.ids)[0].decode()
        for text in (statement.name, *statement.move_ids.mapped("name"), self.budi.customer_code):
            self.assertIn(text, html)
