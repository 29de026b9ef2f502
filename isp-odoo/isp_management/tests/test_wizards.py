import re
from datetime import date

import isp_engine
from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models.isp_reason import REASONS
from .common import IspCommon


@tagged("post_install", "-at_install")
class TestWizards(IspCommon):
    def member(self, group):
        return new_test_user(
            self.env, "jendela-%s" % group, groups="isp_management.group_%s" % group, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def opened(self, action, env=None):
        self.assertEqual((action["target"], action["view_mode"]), ("new", "form"))
        return (env or self.env)[action["res_model"]].browse(action["res_id"])

    # Devices

    def installed(self):
        line = self.new_subscription()
        cpe = self.env["isp.cpe"].create({
            "customer_id": line.customer_id.id, "subscription_id": line.id, "outdoor_unit": "SXT Lite5", "serial": "A1",
            "ip_address": "10.20.0.9", "username": "admin", "password": "rahasia-cpe", "value": 650_000,
        })
        cpe.action_install()
        return line, cpe

    def test_a_device_is_replaced_by_a_new_one(self):
        line, cpe = self.installed()
        technician = self.member("technician")
        wizard = self.opened(cpe.with_user(technician).action_replace(), self.env(user=technician))
        self.assertEqual((wizard.outdoor_unit, wizard.ownership), ("SXT Lite5", "lent"))
        with self.assertRaises(UserError):
            wizard.action_confirm()
        wizard.write({"reason": "Kena petir", "old_state": "lost", "serial": "B2", "cost": 650_000, "date": date(2026, 3, 1)})
        new = self.env["isp.cpe"].browse(wizard.action_confirm()["res_id"])
        self.assertEqual((cpe.state, cpe.subscription_id), ("lost", self.env["isp.subscription"]))
        self.assertEqual((new.state, new.subscription_id, new.serial, new.value), ("installed", line, "B2", 650_000))
        self.assertEqual((new.ip_address, new.username, new._isp_open("password")), ("10.20.0.9", "admin", "rahasia-cpe"))
        row = new.device_history_ids
        self.assertEqual((row.kind, row.reason, row.cost, row.officer_id, row.date), ("replaced", "Kena petir", 650_000, technician, date(2026, 3, 1)))
        self.assertEqual(row.move_id.state, "posted")
        self.assertEqual(cpe.device_history_ids.mapped("kind"), ["installed"])

    def test_a_device_is_replaced_from_stock_and_comes_back(self):
        line, cpe = self.installed()
        spare = self.env["isp.cpe"].create({"outdoor_unit": "LHG 5", "serial": "C3"})
        wizard = self.opened(cpe.action_replace())
        wizard.write({"reason": "Sinyal lemah", "new_cpe_id": spare.id, "keep_access": False})
        wizard.action_confirm()
        self.assertEqual((spare.state, spare.customer_id, spare.ip_address), ("installed", line.customer_id, False))
        self.assertEqual((cpe.state, cpe.device_history_ids.sorted("id").mapped("kind")), ("returned", ["installed", "returned"]))
        again = self.opened(cpe.action_replace())
        again.reason = "Lagi"
        with self.assertRaises(UserError):
            again.action_confirm()

    def test_a_cashier_replaces_nothing(self):
        _line, cpe = self.installed()
        with self.assertRaises(AccessError):
            cpe.with_user(self.member("cashier")).action_replace()

    # Packages

    def test_a_change_of_package_waits_for_the_next_period_and_may_be_withdrawn(self):
        line = self.new_subscription(start=date(2026, 1, 5))
        env = self.at("2026-01-05 08:00")
        env["isp.billing_run"]._cron_bill()
        faster = self.new_package("HOME-50", 400_000)
        billing = self.member("billing")
        line = line.with_env(self.at("2026-01-20 08:00")).with_user(billing)
        wizard = self.opened(line.action_change_package(), line.env)
        self.assertEqual((wizard.old_price, wizard.effect), (250_000, False))
        with self.assertRaises(UserError):
            wizard.action_confirm()
        wizard.package_id = faster
        self.assertEqual(wizard.new_price, 400_000)
        self.assertIn("444", wizard.effect, "the next invoice, with PPN")
        wizard.action_confirm()
        self.assertEqual((line.next_package_id, line.change_date), (faster, date(2026, 2, 5)))
        again = self.opened(line.action_change_package(), line.env)
        self.assertEqual((again.package_id, again.planned_on), (faster, date(2026, 2, 5)))
        again.action_withdraw()
        self.assertFalse(line.next_package_id or line.change_date)

    # What is shown

    def test_reasons_are_words(self):
        line = self.new_subscription()
        event = line._isp_want("isolate", "overdue_too_long", overdue=277_500, days_late=6)
        self.assertEqual((line.access_reason_text, event.reason_text), ("Overdue for too long",) * 2)
        line._isp_by_hand("reopen", "Sudah transfer")
        self.assertEqual(line.access_reason_text, "Sudah transfer")
        self.assertLessEqual(set(isp_engine.REASONS), set(REASONS))
        self.assertEqual(event.with_context(lang="id_ID").reason_text, "Terlalu lama lewat jatuh tempo")

    def test_why_in_words_and_days(self):
        line = self.new_subscription(start=date(2026, 1, 5))
        self.at("2026-01-05 08:00")["isp.billing_run"]._cron_bill()
        line._isp_want("isolate", "overdue_too_long", overdue=277_500, days_late=6)
        line.sudo().observed_access = "isolated"
        wizard = self.opened(line.action_isp_explain())
        text = wizard.sentence + wizard.evidence
        self.assertNotRegex(text, r"\d{4}-\d\d-\d\d|isolated_arrears|overdue_too_long")
        self.assertIn("15/01/2026", text)
        self.assertIn("isolated for arrears", text)

    def test_the_isolation_wizard_tells_what_is_overdue(self):
        line = self.new_subscription(start=date(2026, 1, 5))
        self.at("2026-01-05 08:00")["isp.billing_run"]._cron_bill()
        wizard = self.opened(line.action_isp_isolate())
        self.assertEqual(wizard.overdue, line.customer_id.amount_overdue)
        self.assertEqual(wizard.overdue, 277_500)

    def test_nobody_is_shown_a_button_that_writes_where_they_may_not(self):
        """Buttons that open something or tell something are for readers, too."""
        reads = re.compile("action_view_|action_isp_(explain|pay|ask_payment|queued|pending|drift|reveal|breaker|send_again|drop|retry_stopped|clock_is_right)|action_give_back|action_deposit")
        for group in ("technician", "cashier", "billing", "manager"):
            env = self.env(user=self.member(group))
            for name in env:
                model = env[name]
                if not name.startswith("isp.") or model._abstract or model._transient:
                    continue
                if not model.check_access_rights("read", False) or model.check_access_rights("write", False):
                    continue
                header = etree.fromstring(model.get_view(view_type="form")["arch"]).find(".//header")
                shown = [] if header is None else [b.get("name") for b in header.iter("button")]
                # Who may ask for a payment may take the request back, by the button alone.
                shown = [b for b in shown if (name, b) != ("isp.payment_request", "action_cancel")]
                self.assertFalse([b for b in shown if not reads.match(b)], (group, name))

    def test_a_message_is_named_by_its_kind_and_customer(self):
        siti = self.new_customer()
        message = self.env["isp.notification"]._isp_queue(self.company, "overdue", siti, "x")
        self.assertEqual(message.display_name, "Overdue, %s" % siti.display_name)

    def test_a_customer_is_active_since_the_first_day_of_service(self):
        self.assertEqual(self.new_subscription(start=date(2026, 1, 5)).customer_id.activated_on, date(2026, 1, 5))
