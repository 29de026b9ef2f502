"""What each group may not do is refused by the model, whoever calls it by plain RPC; and what it may do still works."""

import inspect
import re
from datetime import date

from odoo import Command
from odoo.api import call_kw
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import config, mute_logger

from ..logic import clock
from .network_common import IspNetworkCommon

GROUPS = ("technician", "cashier", "billing", "manager")


@tagged("post_install", "-at_install")
class TestRights(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.users = {
            group: new_test_user(
                cls.env, "hak-%s" % group, groups="isp_management.group_%s" % group, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in GROUPS
        }
        cls.line = cls.new_line(1)
        cls.customer = cls.line.customer_id
        cls.cheaper = cls.new_package("HOME-5", 100_000)

    def rpc(self, group, model, method, *args, **kwargs):
        """As the web client or anybody's script calls it."""
        env = self.env(user=self.users[group], context={"allowed_company_ids": self.company.ids})
        result = call_kw(env[model], method, [*args], kwargs)
        env.flush_all()
        return result

    def refused(self, groups, model, method, *args, **kwargs):
        for group in groups:
            with self.subTest(group=group, model=model, method=method, args=args), mute_logger("odoo.addons.base.models.ir_model"):
                with self.assertRaises(AccessError):
                    self.rpc(group, model, method, *args, **kwargs)
                self.env.invalidate_all()

    def test_access_is_wanted_by_the_wizard_and_nobody_else(self):
        for vals in (
            {"desired_access": "isolated"}, {"desired_access": "closed"}, {"access_cause": "manual"}, {"isolated_overdue": 1},
            {"observed_access": "isolated"}, {"router_pending": False}, {"access_agrees": True}, {"state": "terminated"},
            {"paused_from": "2026-01-10"},
        ):
            self.refused(GROUPS, "isp.subscription", "write", self.line.ids, vals)
        for model in ("isp.isolation_event", "isp.notification", "isp.billing_run", "isp.reveal_log"):
            self.refused(GROUPS, model, "create", [{}])
        self.assertEqual((self.line.desired_access, self.line.state), ("open", "active"))
        self.refused(("technician", "cashier"), "isp.isolation.wizard", "create", [
            {"subscription_ids": [Command.set(self.line.ids)], "action": "isolate", "reason": "x"}
        ])
        for group, action in (("billing", "isolate"), ("manager", "reopen")):
            wizard = self.rpc(group, "isp.isolation.wizard", "create", [
                {"subscription_ids": [Command.set(self.line.ids)], "action": action, "reason": "Diminta"}
            ])
            self.rpc(group, "isp.isolation.wizard", "action_confirm", wizard)
        self.assertEqual(self.line.isolation_event_ids.sorted("id").mapped("action"), ["isolate", "reopen"])
        self.assertEqual(self.line.isolation_event_ids.user_id, self.users["billing"] | self.users["manager"])

    def test_the_price_is_the_billings(self):
        for vals in (
            {"held_price": 1}, {"discount_kind": "percent", "discount_value": 100}, {"package_id": self.cheaper.id},
            {"next_package_id": self.cheaper.id, "change_date": "2026-02-01"}, {"end_date": "2026-01-06"},
            {"billed_from": "2099-01-01"}, {"name": "X"},
        ):
            self.refused(("technician", "cashier"), "isp.subscription", "write", self.line.ids, vals)
        draft = self.new_subscription(self.customer, activate=False)
        self.refused(("technician", "cashier"), "isp.subscription", "write", draft.ids, {"active": False})
        self.refused(GROUPS, "isp.subscription", "write", self.line.ids, {"billed_elsewhere": True})
        self.refused(GROUPS, "isp.subscription", "write", self.line.ids, {"partner_id": self.env.user.partner_id.id})
        new = {"customer_id": self.customer.id, "package_id": self.package.id}
        for vals in ({"held_price": 1}, {"discount_kind": "percent", "discount_value": 100}, {"billed_from": "2099-01-01"}):
            self.refused(("technician", "cashier"), "isp.subscription", "create", [{**new, **vals}])
        self.refused(GROUPS, "isp.subscription", "create", [{**new, "state": "active", "billing_day": 1, "activation_date": "2026-01-01"}])
        self.refused(("technician",), "isp.subscription", "create", [new], context={"default_held_price": 1})
        # Through the customer it is the same line.
        vals = {"subscription_ids": [Command.update(self.line.id, {"held_price": 1})]}
        self.refused(("technician", "cashier"), "isp.customer", "write", self.customer.ids, vals)
        for model in ("isp.package", "isp.package.price", "isp.installation_kind"):
            self.refused(("technician", "cashier", "billing"), model, "create", [{}])
        self.refused(("technician", "cashier", "billing"), "isp.package", "write", self.package.ids, {"price": 1})

        messages = self.line.message_ids
        self.rpc("billing", "isp.subscription", "write", self.line.ids, {"held_price": 200_000, "discount_kind": "percent",
                                                                         "discount_value": 10})
        self.env.cr.precommit.run()
        told = (self.line.message_ids - messages).tracking_value_ids.field_id.mapped("name")
        self.assertEqual(set(told), {"held_price", "discount_kind", "discount_value"})
        self.assertEqual((self.line.message_ids - messages).author_id, self.users["billing"].partner_id)
        self.rpc("manager", "isp.package", "write", self.package.ids, {"price": 300_000})
        self.assertIn("300", "".join(self.package.message_ids.mapped("body")), "a price is told on the package")

    def test_a_technician_does_a_technicians_work(self):
        customer = self.rpc("technician", "isp.customer", "create", {"name": "Baru", "mobile": "0812-9999-0001"})
        line = self.rpc("technician", "isp.subscription", "create", {
            "customer_id": customer, "package_id": self.package.id, "router_id": self.router.id, "ppp_username": "baru",
            "ppp_password": "rahasia-baru",
        })
        self.rpc("technician", "isp.subscription", "write", [line], {"package_id": self.cheaper.id})
        self.rpc("technician", "isp.subscription", "action_activate", [line])
        line = self.env["isp.subscription"].browse(line)
        self.assertEqual((line.state, line.customer_id.state, line.desired_access), ("active", "active", "open"))
        self.rpc("technician", "isp.subscription", "write", line.ids, {"ppp_password": "lain", "ip_address": "10.0.0.9"})
        for action in ("action_pause", "action_resume", "action_terminate", "action_change_package"):
            self.refused(("technician", "cashier"), "isp.subscription", action, line.ids)
        for kind in ("pause", "resume", "end", "package", "day"):
            self.refused(("technician", "cashier"), "isp.subscription", "action_isp_terms", line.ids, context={"isp_terms": kind})
            self.refused(("technician", "cashier"), "isp.terms.wizard", "create", [{"subscription_id": line.id, "kind": kind}])
        self.refused(("technician", "cashier"), "isp.customer", "action_terminate", [customer])
        self.assertEqual((line.state, line.desired_access), ("active", "open"))
        self.refused(("cashier",), "isp.subscription", "action_activate", line.ids)
        for group in ("billing", "manager"):
            self.rpc(group, "isp.subscription", "action_pause", line.ids)
            self.assertEqual((line.state, line.desired_access), ("paused", "closed"))
            self.rpc(group, "isp.subscription", "action_resume", line.ids)
            self.assertEqual((line.state, line.desired_access), ("active", "open"))
        self.rpc("billing", "isp.subscription", "action_terminate", line.ids)
        self.rpc("billing", "isp.customer", "action_terminate", [customer])
        self.assertEqual((line.state, line.customer_id.state), ("terminated", "terminated"))

    def test_terms_change_by_their_wizards_only(self):
        for vals in (
            {"package_id": self.cheaper.id}, {"billing_day": 20}, {"end_date": "2026-01-06"}, {"charged_until": "2026-01-06"},
            {"service_from": "2026-01-06"}, {"next_package_id": self.cheaper.id, "change_date": "2026-02-01"},
        ):
            self.refused(GROUPS, "isp.subscription", "write", self.line.ids, vals)

    def test_customers_fees_promises_and_expenses(self):
        for vals in ({"state": "terminated"}, {"activated_on": "2020-01-01"}, {"company_id": self.company_data_2["company"].id}):
            self.refused(GROUPS, "isp.customer", "write", self.customer.ids, vals)
        prospect = self.new_customer("Calon")
        self.refused(("technician", "cashier"), "isp.customer", "write", prospect.ids, {"active": False})
        self.refused(("technician", "cashier"), "isp.customer", "write", self.customer.ids, {"customer_code": "A"})
        other = self.env["res.partner"].create({"name": "Lain"})
        self.refused(("technician", "cashier", "billing"), "isp.customer", "write", self.customer.ids, {"partner_id": other.id})

        kind = self.env["isp.installation_kind"].create({"name": "PSB", "code": "PSB", "price": 300_000, "instalments": 3})
        vals = {"customer_id": self.customer.id, "subscription_id": self.line.id, "kind_id": kind.id, "date": "2026-01-05"}
        self.refused(("technician", "cashier"), "isp.installation_fee", "create", [{**vals, "amount": 1}])
        fee = self.rpc("technician", "isp.installation_fee", "create", {**vals, "amount": 300_000, "instalments": 3})
        self.refused(("technician", "cashier"), "isp.installation_fee", "write", [fee], {"amount": 1})
        self.refused(GROUPS, "isp.installation_fee", "write", [fee], {"state": "invoiced"})
        self.refused(GROUPS, "isp.installation_fee", "write", [fee], {"payment_status": "paid"})
        self.refused(("technician", "cashier"), "isp.installation_fee", "action_invoice", [fee])
        self.rpc("billing", "isp.installation_fee", "action_invoice", [fee])
        self.assertEqual(len(self.env["isp.installation_fee"].browse(fee).move_ids), 3)

        promise = self.rpc("cashier", "isp.promise", "create", {
            "customer_id": self.customer.id, "made_on": "2026-01-05", "until": "2026-01-08",
        })
        self.refused(GROUPS, "isp.promise", "write", [promise], {"state": "kept"})
        self.refused(GROUPS, "isp.promise", "write", [promise], {"ended_at": "2026-01-05 00:00:00", "ending_reason": "x"})
        self.refused(("technician",), "isp.promise", "action_isp_end", [promise])
        action = self.rpc("cashier", "isp.promise", "action_isp_end", [promise])
        self.rpc("cashier", "isp.ending.wizard", "write", [action["res_id"]], {"reason": "salah nama", "kind": "taken_back"})
        self.rpc("cashier", "isp.ending.wizard", "action_confirm", [action["res_id"]])
        self.assertEqual(self.env["isp.promise"].browse(promise).ended_by_id, self.users["cashier"])
        exemption = {"customer_id": self.customer.id, "since": "2026-01-05", "until": "2026-02-08", "reason": "x"}
        self.refused(("technician", "cashier"), "isp.exemption", "create", [exemption])
        self.rpc("billing", "isp.exemption", "create", exemption)

        category = self.env["isp.expense_category"].create({"name": "Listrik", "code": "PLN"})
        expense = self.rpc("cashier", "isp.expense", "create", {
            "name": "Token", "category_id": category.id, "amount": 10_000, "date": "2026-01-05",
        })
        self.refused(GROUPS, "isp.expense", "write", [expense], {"state": "posted"})
        self.rpc("cashier", "isp.expense", "action_post", [expense])
        self.assertTrue(self.env["isp.expense"].browse(expense).move_id)

    def test_the_breaker_opens_by_a_manager_and_for_two_hours(self):
        for vals in ({"breaker_approved_until": "2099-01-01 00:00:00"}, {"breaker_tripped": False, "breaker_waiting": 3},
                     {"state": "ok", "identity": "palsu"}):
            self.refused(GROUPS, "isp.router", "write", self.router.ids, vals)
        self.refused(("technician",), "isp.router", "create", [{
            "name": "R2", "host": "10.0.0.1", "username": "x", "breaker_approved_until": "2099-01-01 00:00:00",
        }])
        self.refused(("technician", "cashier", "billing"), "isp.router", "write", self.router.ids, {"active": False})
        wizard = self.rpc("technician", "isp.breaker.wizard", "create", {"router_id": self.router.id})
        self.refused(("technician",), "isp.breaker.wizard", "action_approve", [wizard])
        wizard = self.rpc("manager", "isp.breaker.wizard", "create", {"router_id": self.router.id})
        self.rpc("manager", "isp.breaker.wizard", "action_approve", [wizard])
        self.assertTrue(self.router.breaker_approved_until)

    def test_billing_marks_of_invoices(self):
        move = self.bill(self.line, date(2026, 1, 5))
        for vals in ({"isp_subscription_id": False}, {"isp_period_start": "2030-01-05"}):
            self.refused(("technician", "cashier"), "account.move", "write", move.ids, vals)
        for vals in ({"isp_late_fee_of_id": move.id}, {"isp_write_off_of_id": move.id}, {"isp_credit_reason": "outage"}):
            self.refused(GROUPS, "account.move", "write", move.ids, vals)
        stranger = self.new_customer("Orang lain", mobile="0812-1111-0000")
        bare = self.env["account.move"].create({"move_type": "out_invoice", "partner_id": stranger.partner_id.id})
        with self.assertRaises(UserError):
            self.rpc("billing", "account.move", "write", bare.ids, {"isp_subscription_id": self.line.id})
        own = self.env["account.move"].create({"move_type": "out_invoice", "partner_id": self.customer.partner_id.id})
        self.rpc("billing", "account.move", "write", own.ids, {"isp_subscription_id": self.line.id})
        self.assertEqual(own.isp_subscription_id, self.line)

    def test_devices_signatures_and_contacts(self):
        cpe = self.env["isp.cpe"].create({"customer_id": self.customer.id, "subscription_id": self.line.id, "outdoor_unit": "LHG 5"})
        self.rpc("technician", "isp.cpe", "action_install", cpe.ids)
        self.assertEqual((cpe.state, cpe.device_history_ids.officer_id), ("installed", self.users["technician"]))
        for vals in ({"state": "returned"}, {"state": "lost"}, {"installed_on": "2020-01-01"}):
            self.refused(GROUPS, "isp.cpe", "write", cpe.ids, vals)
        with self.assertRaises(UserError):
            self.rpc("technician", "isp.cpe", "write", cpe.ids, {"active": False})
        self.rpc("technician", "isp.subscription", "write", self.line.ids, {"installed_signer": "Siti", "installed_signature": "AAAA"})
        self.assertEqual(self.line.installed_on, self.company._isp_today())
        with self.assertRaises(UserError):
            self.rpc("technician", "isp.subscription", "write", self.line.ids, {"installed_signature": False})
        self.refused(GROUPS, "isp.subscription", "write", self.line.ids, {"installed_on": "2020-01-01"})
        rich = self.env["res.partner"].create({"name": "Kaya", "is_company": True})
        self.refused(("technician",), "res.partner", "write", self.customer.partner_id.ids, {"parent_id": rich.id})
        self.refused(("technician",), "isp.customer", "write", self.customer.ids, {"parent_id": rich.id})
        self.rpc("technician", "isp.customer", "write", self.customer.ids, {"street": "Jl. Baru 2", "parent_id": False})
        self.rpc("billing", "isp.customer", "write", self.customer.ids, {"parent_id": rich.id})
        draft = self.new_subscription(self.new_customer("Baru", mobile="0812-0000-7777"), activate=False)
        for action in ("action_pause", "action_resume", "action_terminate"):
            with self.assertRaises(UserError):
                self.rpc("billing", "isp.subscription", action, draft.ids)

    def test_a_changed_address_needs_the_password_again(self):
        place = {"host": "10.66.6.6", "port": 9999}
        for group in ("technician", "manager"):
            for vals in ({"host": "10.66.6.6"}, {"port": 9999}, {"use_tls": True}, {**place, "password": "••••••••"}):
                with self.assertRaisesRegex(UserError, "password|sandi"):
                    self.rpc(group, "isp.router", "write", self.router.ids, vals)
        self.env.invalidate_all()
        self.assertNotEqual(self.router.host, "10.66.6.6")
        self.rpc("technician", "isp.router", "write", self.router.ids, {"host": self.router.host, "location": "Atap"})
        self.rpc("technician", "isp.router", "write", self.router.ids, {**place, "password": "yang-baru"})
        self.assertEqual((self.router.host, self.router._isp_open("password")), ("10.66.6.6", "yang-baru"))
        with self.assertRaises(UserError):
            self.rpc("manager", "isp.channel", "write", self.channel.ids, {"base_url": "http://10.66.6.6"})

    def test_the_use_of_a_secret_is_noted_before_it_leaves(self):
        self.simulated.down()
        log = self.env["isp.reveal_log"].search([])
        self.rpc("technician", "isp.router", "action_isp_test", self.router.ids)
        row = self.env["isp.reveal_log"].search([]) - log
        self.assertEqual((row.user_id, row.res_model, row.field_name), (self.users["technician"], "isp.router", "password"))
        self.assertIn("%s:%s" % (self.router.host, self.router.port), row.reason)
        self.assertNotIn(self.simulated.password, str(row.read()))

    def test_another_companys_lines_and_messages_stay_its_own(self):
        other = self.company_data_2["company"]
        self.users["outsider"] = new_test_user(
            self.env, "hak-luar", groups="isp_management.group_manager", company_id=other.id, company_ids=[Command.set(other.ids)]
        )
        message = self.env["isp.notification"].sudo().create({
            "company_id": self.company.id, "customer_id": self.customer.id, "kind": "overdue", "once_key": "x", "state": "failed",
        })
        outsider = self.env(user=self.users["outsider"], context={"allowed_company_ids": other.ids})
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            call_kw(outsider["isp.notification"], "action_isp_send_again", [message.ids], {})
        self.assertEqual(message.state, "failed")
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            wizard = call_kw(outsider["isp.explain.wizard"], "create", [{"subscription_id": self.line.id}], {})
            call_kw(outsider["isp.explain.wizard"], "read", [[wizard], ["sentence", "evidence"]], {})
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            wizard = call_kw(outsider["isp.breaker.wizard"], "create", [{"router_id": self.router.id}], {})
            call_kw(outsider["isp.breaker.wizard"], "read", [[wizard], ["count", "subscription_ids"]], {})
        self.rpc("manager", "isp.notification", "action_isp_send_again", message.ids)
        self.assertEqual(message.state, "queued")

    def test_every_button_takes_what_the_web_client_sends(self):
        """A button sends the ids of the records: a method of the model alone falls over them."""
        views = self.env["ir.ui.view"].search([("model", "=like", "isp.%"), ("type", "in", ("form", "tree", "kanban"))])
        self.assertGreater(len(views), 40)
        found = set()
        for view in views:
            found |= set(re.findall(r'<button[^>]*name="(\w+)"[^>]*type="object"', view.arch))
            found |= set(re.findall(r'<button[^>]*type="object"[^>]*name="(\w+)"', view.arch))
        self.assertGreater(len(found), 40)
        methods = [
            (model, name) for name in found for model in self.env if model.startswith("isp.") and hasattr(type(self.env[model]), name)
        ]
        self.assertGreaterEqual({name for _model, name in methods}, found)
        for model, name in sorted(methods):
            method = getattr(type(self.env[model]), name)
            self.assertNotEqual(getattr(method, "_api", None), "model", "%s.%s" % (model, name))
            self.assertEqual(len(inspect.signature(method).parameters), 1, "%s.%s" % (model, name))

    def test_the_standard_texts_load_from_the_button(self):
        self.rpc("billing", "isp.message_template", "action_isp_load_standard", [])
        texts = self.env["isp.message_template"].search([("company_id", "=", self.company.id)])
        self.assertGreaterEqual(len(texts), 10)
        self.rpc("billing", "isp.message_template", "action_isp_load_standard", texts[:1].ids)
        self.assertEqual(self.env["isp.message_template"].search([("company_id", "=", self.company.id)]), texts, "once")

    def test_nobody_sets_the_clock_outside_of_tests(self):
        told = self.company.with_context(isp_now="2030-01-01 00:00:00")
        self.assertEqual(told._isp_today(), date(2030, 1, 1))
        self.patch(clock, "may_be_set", lambda: False)
        self.assertNotEqual(told._isp_today(), date(2030, 1, 1))
        self.assertTrue(config["test_enable"])
