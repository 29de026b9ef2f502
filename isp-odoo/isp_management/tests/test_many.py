"""The same for many lines from a list: a preview, and what became of each."""

from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestMany(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.first, cls.second, cls.third = cls.new_line(1), cls.new_line(2), cls.new_line(3)
        cls.lines = cls.first | cls.second | cls.third
        cls.draft = cls.new_subscription(cls.new_customer("Calon"), activate=False)

    def wizard(self, action, lines=None, user=None, **vals):
        lines = (lines or self.lines).with_user(user or self.env.user)
        opened = lines.action_isp_many(action)
        wizard = lines.env["isp.many.wizard"].browse(opened["res_id"])
        wizard.write(vals)
        return wizard

    def member(self, group):
        return new_test_user(
            self.env, "banyak-" + group, groups="isp_management.group_%s" % group, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def results(self, wizard):
        return {row.subscription_id: row.state for row in wizard.line_ids}

    def test_isolate_and_reopen(self):
        self.second._isp_by_hand("isolate", "Sudah")
        wizard = self.wizard("isolate", self.lines | self.draft)
        self.assertEqual(self.results(wizard), {
            self.first: "ready", self.second: "left", self.third: "ready", self.draft: "left",
        })
        self.assertEqual((wizard.ready_count, wizard.left_count), (2, 2))
        with self.assertRaises(UserError):
            wizard.action_confirm()
        wizard.line_ids.filtered(lambda row: row.subscription_id == self.third).chosen = False
        wizard.reason = "Pindah tower"
        wizard.action_confirm()
        self.assertEqual(self.results(wizard)[self.first], "done")
        self.assertEqual(self.results(wizard)[self.third], "ready")
        self.assertEqual((self.first.desired_access, self.third.desired_access), ("isolated", "open"))
        with self.assertRaises(UserError):
            wizard.action_confirm()
        reopen = self.wizard("reopen", reason="Selesai")
        reopen.action_confirm()
        self.assertEqual(self.lines.mapped("desired_access"), ["open"] * 3)
        self.assertEqual(self.first.isolation_event_ids.sorted("id").mapped("reason"), ["Pindah tower", "Selesai"])

    def test_activate(self):
        other = self.new_subscription(self.new_customer("Calon dua"), activate=False, start=date(2026, 2, 1))
        for group in ("technician", "billing"):
            wizard = self.wizard("activate", self.first | self.draft | other, user=self.member(group))
            self.assertEqual(self.results(wizard), {self.first: "left", self.draft: "ready", other: "ready"})
        wizard.action_confirm()
        self.assertEqual(self.results(wizard), {self.first: "left", self.draft: "done", other: "done"})
        self.assertEqual((self.draft.state, other.state, other.activation_date), ("active", "active", date(2026, 2, 1)))
        with self.assertRaises(AccessError):
            self.wizard("activate", self.draft, user=self.member("cashier"))

    def test_one_that_is_refused_holds_back_no_other(self):
        wizard = self.wizard("isolate", reason="Uji")
        self.second.sudo().write({"state": "paused", "paused_from": date(2026, 1, 6)})
        wizard.action_confirm()
        self.assertEqual(self.results(wizard), {self.first: "done", self.second: "refused", self.third: "done"})
        self.assertIn(self.second.name, wizard.line_ids.filtered(lambda row: row.state == "refused").result)
        self.assertEqual(self.second.desired_access, "open")

    def test_a_collector(self):
        collector = self.env["isp.collector"].create({"name": "Pak Asep"})
        wizard = self.wizard("collector", collector_id=collector.id)
        wizard.action_confirm()
        self.assertEqual(self.lines.collector_id, collector)
        self.assertEqual(wizard.done_count, 3)

    def test_payments(self):
        for line in (self.first, self.second):
            self.bill(line, date(2026, 1, 5))
            self.bill(line, date(2026, 2, 5))
        cashier = self.member("cashier")
        wizard = self.wizard("payment", user=cashier, date=date(2026, 3, 1))
        self.assertEqual(wizard.amount, 4 * 277_500)
        self.assertEqual(self.results(wizard)[self.third], "left")
        wizard.action_confirm()
        self.assertEqual(self.results(wizard), {self.first: "done", self.second: "done", self.third: "left"})
        self.assertEqual(set((self.first | self.second).move_ids.mapped("amount_residual")), {0})
        payments = self.env["account.payment"].search([("partner_id", "in", (self.first | self.second).partner_id.ids)])
        self.assertEqual(sorted(payments.mapped("amount")), [555_000, 555_000])
        self.assertIn(payments[0].name, "".join(wizard.line_ids.filtered("result").mapped("result")))

    def test_messages(self):
        self.bill(self.first, date(2026, 1, 5))
        self.bill(self.second, date(2026, 1, 5))
        self.second.customer_id.whatsapp_allowed = False
        wizard = self.wizard("message")
        self.assertEqual(self.results(wizard), {self.first: "ready", self.second: "left", self.third: "left"})
        wizard.action_confirm()
        message = self.env["isp.notification"].search([("subscription_id", "in", self.lines.ids)])
        self.assertEqual((message.customer_id, message.kind, message.state), (self.first.customer_id, "overdue", "queued"))
        again = self.wizard("message")
        again.action_confirm()
        self.assertEqual(self.results(again)[self.first], "refused", "once a day")

    def test_packages(self):
        faster = self.new_package("HOME-50", 400_000)
        wizard = self.wizard("package", package_id=faster.id)
        wizard.action_confirm()
        self.assertEqual(self.results(wizard), {line: "done" for line in self.lines}, wizard.line_ids.mapped("result"))
        self.assertEqual(self.lines.next_package_id, faster)

    def test_from_the_list_of_customers(self):
        opened = self.lines.customer_id.action_isp_many("isolate")
        wizard = self.env["isp.many.wizard"].browse(opened["res_id"])
        self.assertEqual(wizard.line_ids.subscription_id, self.lines)
        with self.assertRaises(UserError):
            self.draft.customer_id.action_isp_many("isolate")

    def test_who_may(self):
        for group, actions in (
            ("technician", ("isolate", "reopen", "package", "collector", "message", "payment")),
            ("cashier", ("isolate", "reopen", "package", "collector", "message")),
        ):
            user = self.member(group)
            for action in actions:
                with self.subTest(group=group, action=action), self.assertRaises(AccessError):
                    self.wizard(action, user=user)
        wizard = self.env["isp.many.wizard"].with_user(self.member("billing")).browse(
            self.wizard("isolate", reason="x").id
        )
        with self.assertRaises(AccessError):
            self.env["isp.many.wizard"].with_user(self.env["res.users"].search([("login", "=", "banyak-cashier")])).create({
                "action": "isolate", "company_id": self.company.id, "reason": "x",
                "line_ids": [Command.create({"subscription_id": self.first.id, "state": "ready", "chosen": True})],
            }).action_confirm()
        self.assertTrue(wizard)
