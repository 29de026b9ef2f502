"""What attackers tried on the screens of a customer: each button by each group with records in bad states, amounts by plain RPC, and what
thirty lines cost."""

from datetime import date

from lxml import etree

from odoo import Command
from odoo.api import call_kw
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .network_common import IspNetworkCommon
from .web_client import specification

OURS = ("technician", "cashier", "billing", "manager")
OTHERS = {"portal": "base.group_portal", "internal": "base.group_user", "accountant": "account.group_account_user"}
QUIET = ("odoo.models", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
# Told which one by the button.
WITH_ARGUMENT = {"action_isp_many"}


@tagged("post_install", "-at_install")
class TestAttacksForm(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.line = cls.new_line(1)
        cls.customer = cls.line.customer_id
        groups = {**{name: "isp_management.group_%s" % name for name in OURS}, **OTHERS}
        cls.users = {
            name: new_test_user(
                cls.env, "layar-%s" % name, groups=group, company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)],
            ) for name, group in groups.items()
        }

    def as_person(self, name, lang="en_US"):
        return self.env(user=self.users[name], context={"lang": lang, "tz": "Asia/Jakarta", "allowed_company_ids": self.company.ids})

    def queries(self, env, record):
        """What the form of a record and the list of all cost."""
        model = env[record._name]
        got = model.get_views([[False, "form"], [False, "list"]])
        form, rows = (
            specification(etree.fromstring(got["views"][kind]["arch"]), got["models"], record._name) for kind in ("form", "list")
        )
        costs = []
        for call in (lambda: model.browse(record.id).web_read(form), lambda: model.web_search_read([], rows, limit=80)):
            # What stays in memory between requests is there when the second one comes.
            for _time in range(2):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.cr.sql_log_count
                call()
            costs.append(self.cr.sql_log_count - before)
        return costs

    def test_thirty_lines_with_packages_routers_and_invoices_cost_no_query_more(self):
        def more(first, count):
            for number in range(first, first + count):
                package = self.new_package("P-%s" % number, 100_000 + number)
                router = self.router.copy({"name": "R-%s" % number})
                line = self.new_subscription(self.customer, package_id=package.id, router_id=router.id, activate=bool(number % 2))
                self.bill(line, date(2026, 1, 5))
                self.new_customer("Lain %s" % number, mobile="0813-0000-%04d" % number)

        more(0, 2)
        few = {name: self.queries(self.as_person(name), self.customer) for name in OURS}
        more(2, 30)
        many = {name: self.queries(self.as_person(name), self.customer) for name in OURS}
        self.assertEqual(many, few)
        self.assertLessEqual(max(cost for cost, _list in many.values()), 5)

    def test_a_technician_reads_no_amount_by_rpc(self):
        self.bill(self.line, date(2026, 1, 5))
        for name, may in (("technician", False), ("cashier", True), ("billing", True)):
            customers = self.as_person(name)["isp.customer"]
            [row] = call_kw(customers, "web_read", [self.customer.ids, {"is_overdue": {}, "invoice_count": {}}], {})
            self.assertEqual((row["is_overdue"], row["invoice_count"]), (True, 1))
            for field in ("amount_due", "amount_overdue"):
                if may:
                    self.assertEqual(call_kw(customers, "web_read", [self.customer.ids, {field: {}}], {})[0][field], 277_500)
                    continue
                with mute_logger(*QUIET), self.assertRaises(AccessError):
                    call_kw(customers, "web_read", [self.customer.ids, {field: {}}], {})

    def odd_ones(self):
        """Customers and lines in states that nobody is proud of."""
        archived_contact, ended, no_phone = (self.new_line(number) for number in (20, 21, 22))
        put_away = self.new_line(23, package_id=self.new_package("LAMA", 1_000).id)
        archived_contact.partner_id.active = False
        self.change_terms(ended, "2026-02-01 08:00", "end", last_day=date(2026, 2, 1), reason="moved")
        no_phone.customer_id.mobile = False
        put_away.package_id.active = False
        no_router = self.new_subscription(self.new_customer("Tanpa router", mobile="0812-0000-9924"), router_id=False)
        gone = self.new_customer("Arsip", mobile="0812-0000-9925")
        gone.active = False
        odd_name = self.new_customer("N" * 3000 + "\u202e\n<script>alert(1)</script>", mobile="0812-0000-9926")
        lines = archived_contact | ended | no_phone | put_away | no_router
        return [*lines, *lines.customer_id, gone, odd_name, self.new_customer("Sendiri", mobile="0812-0000-9927")]

    def test_each_button_answers_with_words_and_none_to_who_has_no_group(self):
        self.env["res.lang"]._activate_lang("id_ID")
        for number, record in enumerate(self.odd_ones()):
            buttons = sorted({name for name in dir(type(record)) if name.startswith("action_")} - WITH_ARGUMENT)
            told = (record if record._name == "isp.customer" else record.customer_id).name
            # Each group meets each state, half of them in either language.
            for at, name in enumerate(self.users):
                env = self.as_person(name, ("en_US", "id_ID")[(number + at) % 2])
                for button in buttons:
                    self.env.invalidate_all()
                    savepoint, answer = self.env.cr.savepoint(), None
                    with self.subTest(name, record=record.id, button=button):
                        try:
                            with mute_logger(*QUIET):
                                answer = call_kw(env[record._name].with_context(active_test=False), button, [record.ids], {})
                                self.env.flush_all()
                        except (AccessError, UserError) as error:
                            self.assertTrue(str(error))
                        finally:
                            savepoint.close(rollback=True)
                            self.env.invalidate_all(flush=False)
                        if name in OTHERS and answer:
                            # An action that opens a list, which then refuses to be read; an accountant registers payments anyhow.
                            may = button.startswith("action_view_") or (name, button) == ("accountant", "action_isp_pay")
                            self.assertEqual((may, told in str(answer)), (True, False), answer)
