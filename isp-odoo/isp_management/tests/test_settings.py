"""The manager of the provider sets it up without being Odoo's administrator; and sees no more than may be used."""

from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestSettings(IspCommon):
    def member(self, group):
        return new_test_user(
            self.env, "setel-" + group, groups="isp_management.group_%s" % group, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def as_user(self, user, model):
        return self.env(user=user, context={"allowed_company_ids": self.company.ids})[model]

    def test_the_manager_reaches_the_settings(self):
        manager = self.member("manager")
        self.assertFalse(manager.has_group("base.group_system"))
        company = self.as_user(manager, "res.company")
        action = company.action_isp_settings()
        self.assertEqual(action["res_id"], self.company.id)
        arch = etree.fromstring(company.get_view(action["views"][0][0], "form")["arch"])
        shown = {node.get("name") for node in arch.iter("field")}
        settings = self.env["res.config.settings"]
        every = {name for name in settings._fields if name.startswith("isp_")}
        self.assertGreater(len(every), 30)
        self.assertEqual(every - shown, set(), "each setting of Odoo's own page is on this one")
        self.assertEqual(shown - set(company.fields_get()), set(), "the client cannot draw a field that a company does not have")
        labels = {node.get("for") for node in arch.iter("label")}
        self.assertLessEqual(labels, shown | {None})
        own = company.browse(self.company.id)
        own.write({"isp_payment_terms_days": 14, "isp_isolate_after_days": 3})
        self.assertEqual((self.company.isp_payment_terms_days, self.company.isp_isolate_after_days), (14, 3))
        with self.assertRaises(ValidationError):
            own.write({"isp_breaker_percent": -1})

    def test_and_nothing_else_of_the_company(self):
        own = self.as_user(self.member("manager"), "res.company").browse(self.company.id)
        for vals in ({"name": "Punya saya"}, {"isp_pkp": False, "currency_id": self.env.ref("base.USD").id}):
            with self.assertRaises(AccessError), self.cr.savepoint():
                own.write(vals)
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            own.browse(self.company_data_2["company"].id).write({"isp_pkp": False})
        for group in ("technician", "cashier", "billing"):
            company = self.as_user(self.member(group), "res.company")
            with self.assertRaises(AccessError):
                company.action_isp_settings()
            with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
                company.browse(self.company.id).write({"isp_pkp": False})

    def test_the_print_dialog_offers_what_may_be_read(self):
        for group, reports in (
            ("technician", ["cpe", "package"]), ("cashier", ["customer", "cpe", "package"]),
            ("billing", ["customer", "cpe", "package", "finance", "cash", "profit_loss"]),
        ):
            dialog = self.as_user(self.member(group), "isp.report.print")
            self.assertEqual([name for name, _label in dialog.fields_get(["report"])["report"]["selection"]], reports)
            self.assertEqual(dialog.default_get(["report"])["report"], reports[0])
            dialog.create({})._isp_table()

    def test_delete_is_not_offered_where_it_never_works(self):
        manager = self.member("manager")
        for model in ("isp.customer", "isp.promise", "isp.exemption", "isp.notification", "isp.device_history", "isp.outage",
                      "isp.isolation_event", "isp.reveal_log"):
            for kind in ("form", "tree"):
                arch = etree.fromstring(self.as_user(manager, model).get_view(view_type=kind)["arch"])
                self.assertIn(arch.get("delete"), ("0", "false", "False"), (model, kind))

    def test_what_is_guarded_is_not_typed_into(self):
        for group, closed in (("technician", {"end_date": True, "package_id": "state != 'draft'"}), ("billing", {"end_date": "state != 'draft'"})):
            lines = self.as_user(self.member(group), "isp.subscription")
            arch = etree.fromstring(lines.get_view(view_type="form")["arch"])
            for name, rule in closed.items():
                [node] = arch.xpath("//field[@name='%s'][not(ancestor::field)]" % name)
                self.assertEqual(node.get("readonly"), "1" if rule is True else rule, (group, name))
