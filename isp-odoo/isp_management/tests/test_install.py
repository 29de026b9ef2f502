from datetime import date

import isp_engine
import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import IspCommon

NIK = "3273015708900001"
MODELS = [
    "isp.customer", "isp.package", "isp.package.price", "isp.cpe", "isp.device_history", "isp.installation_fee",
    "isp.installation_kind", "isp.subscription", "isp.router", "isp.notification", "isp.isolation_event",
    "isp.channel", "isp.message_template", "isp.promise", "isp.exemption", "isp.outage", "isp.holiday", "isp.expense_category", "isp.expense",
    "isp.reveal_log", "isp.collector", "isp.clock",
]


@tagged("post_install", "-at_install")
class TestInstall(IspCommon):
    def test_every_model_has_views_a_menu_access_and_a_company_rule(self):
        for name in MODELS:
            views = self.env["ir.ui.view"].search([("model", "=", name)]).mapped("type")
            self.assertLessEqual({"tree", "form", "search"} if name != "isp.package.price" else set(), set(views), name)
            model = self.env["ir.model"]._get(name)
            self.assertTrue(model.access_ids, name)
            self.assertTrue(model.rule_ids, name)
            self.assertIn("company_id", self.env[name]._fields, name)
            if name != "isp.package.price":
                action = self.env.ref("isp_management.%s_action" % name.replace(".", "_"))
                menu = self.env["ir.ui.menu"].search([("action", "=", "ir.actions.act_window,%s" % action.id)])
                self.assertTrue(menu, name)

    def test_the_engine_is_the_wheel(self):
        self.assertEqual(self.company._isp_engine_version(), isp_engine.__version__)
        self.assertEqual(self.company._isp_billing_policy(), isp_engine.BillingPolicy())
        self.assertEqual(self.company._isp_dunning_policy(), isp_engine.DunningPolicy())
        # The engine's own default, which the wheel leaves at nothing for who calls it without one.
        self.assertEqual(self.company._isp_isolation_policy(), isp_engine.IsolationPolicy(isolate_from=10_000))

    def test_a_setting_that_the_engine_refuses_is_refused(self):
        for name, value in (
            ("isp_isolate_at", 24.0), ("isp_payment_terms_days", -1), ("isp_breaker_percent", 101),
            ("isp_due_soon_days", "three"),
        ):
            with self.assertRaises(ValidationError, msg=name):
                self.company[name] = value

    def test_rupiah_is_whole(self):
        self.assertEqual(self.env.ref("base.IDR").rounding, 1)

    def test_a_customer_has_an_id_and_delegates_to_a_contact(self):
        siti = self.new_customer()
        budi = self.new_customer("Budi Santoso", mobile=False, phone="022-7301234")
        self.assertRegex(siti.customer_code, r"^PLG\d{6}$")
        self.assertNotEqual(siti.customer_code, budi.customer_code)
        self.assertEqual(siti.partner_id.name, "Siti Rahayu")
        self.assertEqual(siti.whatsapp_number, "+6281234567890")
        self.assertFalse(budi.whatsapp_number, "a landline cannot receive WhatsApp")
        self.assertEqual(siti.partner_id.company_id, self.company)
        with self.assertRaises(ValidationError):
            budi.whatsapp_number = "022-7301234"
        with self.assertRaises(UserError):
            siti.unlink()

    def test_nik_is_sealed_masked_found_and_revealed_with_a_log(self):
        siti = self.new_customer(nik=NIK)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertNotEqual(siti.nik, NIK)
        self.assertIn("*", siti.nik)
        self.env.cr.execute("SELECT nik_sealed, nik_index FROM isp_customer WHERE id = %s", [siti.id])
        row = self.env.cr.fetchone()
        self.assertTrue(row[0].startswith("v1."))
        self.assertNotIn(NIK, "".join(row))
        self.assertEqual(self.env["isp.customer"].search([("nik", "=", NIK)]), siti)
        siti.write({"nik": siti.nik})
        self.assertEqual(siti.isp_reveal("nik"), NIK, "writing the mask back changes nothing")
        log = self.env["isp.reveal_log"].search([("res_model", "=", "isp.customer"), ("res_id", "=", siti.id)])
        self.assertEqual(log.mapped("field_name"), ["nik"])
        self.assertEqual(log.user_id, self.env.user)
        technician = new_test_user(self.env, "teknisi", groups="isp_management.group_technician", company_id=self.company.id)
        with self.assertRaises(AccessError):
            siti.with_user(technician).isp_reveal("nik")
        with self.assertRaises(AccessError):
            siti.with_user(technician).read(["nik_sealed"])
        with self.assertRaises(ValidationError):
            siti.nik = "1234"

    def test_a_secret_that_was_just_typed_is_masked_in_the_answer(self):
        """The web client shows what saving answers."""
        specification = {"nik": {}, "name": {}}
        [saved] = self.env["isp.customer"].web_save({"name": "Siti Rahayu", "nik": NIK}, specification)
        self.assertIn("*", saved["nik"])
        siti = self.env["isp.customer"].browse(saved["id"])
        other = "3273015708900002"
        [saved] = siti.web_save({"nik": other}, specification)
        self.assertIn("*", saved["nik"])
        self.assertEqual(siti.isp_reveal("nik"), other)
        [saved] = self.router.web_save({"password": "lain", "note": "baru"}, {"password": {}})
        self.assertNotIn("lain", saved["password"])
        self.assertEqual(self.router._isp_open("password"), "lain")
        vals = {name: "rahasia-%s" % name for name in ("access_token", "app_secret", "verify_token")}
        [saved] = self.env["isp.channel"].web_save({"name": "CS", "phone_number_id": "1", **vals}, dict.fromkeys(vals, {}))
        channel = self.env["isp.channel"].browse(saved["id"])
        for name, value in vals.items():
            self.assertNotIn("rahasia", saved[name])
            self.assertEqual(channel._isp_open(name), value)

    def test_no_secret_is_in_the_database_in_clear(self):
        siti = self.new_customer(nik=NIK)
        self.new_subscription(siti, ppp_username="siti", ppp_password="rahasia-pppoe")
        self.env["isp.cpe"].create({"customer_id": siti.id, "username": "admin", "password": "rahasia-cpe"})
        self.env.flush_all()
        self.env.cr.execute("""
            SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type IN ('character varying', 'text', 'jsonb')
              AND (table_name LIKE 'isp%' OR table_name LIKE 'mail%' OR table_name LIKE 'res_partner%')
        """)
        found = []
        for table, column in self.env.cr.fetchall():
            for secret in (NIK, "rahasia-pppoe", "rahasia-cpe", "rahasia-router"):
                self.env.cr.execute(
                    'SELECT count(*) FROM "%s" WHERE "%s"::text LIKE %%s' % (table, column), ["%" + secret + "%"]
                )
                if self.env.cr.fetchone()[0]:
                    found.append((table, column))
        self.assertEqual(found, [])

    def test_a_sealed_value_moved_to_another_record_does_not_open(self):
        other = self.router.copy({"name": "Bandung-2"})
        other.sudo().password_sealed = self.router.sudo().password_sealed
        self.assertEqual(self.router._isp_open("password"), "rahasia-router")
        with self.assertRaises(UserError):
            other._isp_open("password")

    def test_a_package_keeps_its_old_prices(self):
        self.assertEqual(self.package.price, 250_000)
        self.package.price = 275_000
        self.assertEqual(self.package.price, 275_000)
        self.assertEqual(len(self.package.price_ids), 2)
        self.assertEqual(self.package._isp_price_on(date(2025, 6, 1)), 250_000)
        self.env.ref("base.IDR").rounding = 0.01
        with self.assertRaises(ValidationError):
            self.env["isp.package.price"].create(
                {"package_id": self.package.id, "date_from": date(2030, 1, 1), "price": 99_999.5}
            )

    def test_a_subscription_lives(self):
        subscription = self.new_subscription(start=date(2026, 1, 31)).with_env(self.at("2026-02-10 09:00"))
        self.assertEqual((subscription.state, subscription.billing_day, subscription.desired_access), ("active", 31, "open"))
        self.assertEqual(subscription.customer_id.state, "active")
        self.assertFalse(subscription.access_agrees, "the router was not asked yet")
        subscription.action_pause()
        self.assertEqual((subscription.state, subscription.desired_access), ("paused", "closed"))
        subscription.action_resume()
        subscription.action_terminate()
        self.assertEqual((subscription.state, subscription.desired_access), ("terminated", "closed"))
        with self.assertRaises(UserError):
            subscription.unlink()

    def test_device_history_is_only_added_to(self):
        siti = self.new_customer()
        cpe = self.env["isp.cpe"].create({"customer_id": siti.id, "outdoor_unit": "LHG 5", "serial": "HG1"})
        cpe.action_install()
        cpe.action_return()
        self.assertEqual(cpe.device_history_ids.mapped("kind"), ["installed", "returned"])
        with self.assertRaises(UserError):
            cpe.device_history_ids[0].reason = "changed"
        with self.assertRaises(UserError):
            cpe.device_history_ids.unlink()

    def test_one_invoice_per_period_is_a_rule_of_the_database(self):
        subscription = self.new_subscription()
        vals = {
            "move_type": "out_invoice",
            "partner_id": subscription.partner_id.id,
            "isp_subscription_id": subscription.id,
            "isp_period_start": date(2026, 1, 5),
        }
        self.env["account.move"].create(vals)
        with self.assertRaises(psycopg2.errors.UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env["account.move"].create(vals)

    def test_each_group_opens_every_menu_it_sees(self):
        for group in ("technician", "cashier", "billing", "manager"):
            user = new_test_user(
                self.env, group, groups="isp_management.group_%s" % group, company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
            seen = 0
            for name in MODELS:
                model = self.env[name].with_user(user)
                if not model.check_access_rights("read", raise_exception=False):
                    continue
                for kind in ("tree", "form", "search"):
                    model.get_view(view_type=kind)
                fields = [n for n, f in model.fields_get().items() if f["type"] != "binary"]
                model.search([], limit=5).read(fields)
                seen += 1
            self.assertGreaterEqual(seen, 14, group)

    def test_other_companies_are_not_seen(self):
        siti = self.new_customer()
        self.new_subscription(siti)
        other = self.company_data_2["company"]
        user = new_test_user(
            self.env, "lain", groups="isp_management.group_manager", company_id=other.id, company_ids=[(6, 0, other.ids)]
        )
        for name in ("isp.customer", "isp.subscription", "isp.package", "isp.router"):
            self.assertFalse(self.env[name].with_user(user).search([]), name)
        with self.assertRaises(AccessError):
            siti.with_user(user).read(["name"])
        with self.assertRaises(UserError):
            self.env["isp.subscription"].with_company(other).create(
                {"customer_id": siti.id, "package_id": self.package.id, "company_id": other.id}
            )
