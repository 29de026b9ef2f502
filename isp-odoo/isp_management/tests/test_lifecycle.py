"""A line's first and last day, archiving, what PKP and fractions of a rupiah do, and branches and companies beside each other."""

from datetime import date

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..logic.money import rupiah_owed
from .network_common import IspNetworkCommon

CRONS = "odoo.addons.isp_management.logic.transaction"


@tagged("post_install", "-at_install")
class TestLifecycle(IspNetworkCommon):
    def run_billing(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()
        self.env.invalidate_all()

    # First day, last day, archive

    def test_a_first_day_that_lies_ahead_opens_then(self):
        line = self.new_line(1, start=date(2026, 3, 10), activate=False)
        line.with_env(self.at("2026-03-05 09:00")).action_activate()
        self.assertEqual((line.state, line.desired_access), ("active", "closed"))
        self.sync("2026-03-05 09:01")
        self.assertIsNone(self.on_router(line))
        self.decide("2026-03-09 23:00")
        self.assertEqual(line.desired_access, "closed")
        self.decide("2026-03-10 00:10")
        self.sync("2026-03-10 00:11")
        self.assertEqual((line.desired_access, self.on_router(line).profile), ("open", "HOME-20"))

    def test_a_last_day_that_passes_ends_the_line(self):
        line = self.new_line(1, timing="postpaid")
        self.sync("2026-03-01 09:00")
        self.run_billing("2026-03-05 09:00")
        self.change_terms(line, "2026-03-05 10:00", "end", last_day=date(2026, 3, 8), reason="moved")
        self.decide("2026-03-08 12:00")
        self.assertEqual((line.state, line.desired_access), ("active", "open"))
        self.decide("2026-03-09 00:10")
        self.sync("2026-03-09 00:11")
        self.assertEqual((line.state, line.desired_access, line.observed_access), ("terminated", "closed", "closed"))
        self.assertEqual(line.end_date, date(2026, 3, 8))
        self.run_billing("2026-03-09 01:00")
        last = line.move_ids.sorted("isp_period_start")[-1]
        self.assertEqual((last.isp_period_start, last.isp_period_end), (date(2026, 3, 5), date(2026, 3, 9)))

    def test_what_serves_is_not_archived(self):
        line = self.new_line(1)
        for record in (line, line.customer_id):
            with self.assertRaisesRegex(UserError, "Terminate"):
                record.action_archive()
        line.with_env(self.at("2026-03-09 09:00")).action_terminate()
        with self.assertRaisesRegex(UserError, "Terminate"):
            line.customer_id.action_archive()
        line.customer_id.action_terminate()
        (line.customer_id | line.customer_id).action_archive()
        line.action_archive()
        self.assertFalse(line.active or line.customer_id.active)
        self.new_line(2, activate=False).action_archive()

    # Rupiah

    def test_without_pkp_there_is_no_ppn(self):
        line = self.new_line(1)
        kind = self.env["isp.installation_kind"].create({"name": "PSB", "code": "PSB", "price": 300_000})
        self.assertTrue(self.package.tax_ids and kind.tax_ids)
        self.company.isp_pkp = False
        self.run_billing("2026-01-05 09:00")
        self.assertEqual((line.move_ids.amount_total, line.move_ids.amount_tax), (250_000, 0))
        fee = self.env["isp.installation_fee"].create({
            "customer_id": line.customer_id.id, "subscription_id": line.id, "kind_id": kind.id, "date": date(2026, 1, 5),
        })
        fee.action_invoice()
        self.assertEqual(fee.move_ids.mapped("amount_total"), [300_000])
        self.company.isp_pkp = True
        self.run_billing("2026-02-05 09:00")
        self.assertEqual(line.move_ids.sorted("isp_period_start")[1].amount_tax, 27_500)

    def test_instalments_sum_to_the_fee_with_ppn_too(self):
        line = self.new_line(1)
        kind = self.env["isp.installation_kind"].create({"name": "PSB", "code": "PSB", "price": 100_000})
        for count in (3, 7, 12):
            fee = self.env["isp.installation_fee"].create({
                "customer_id": line.customer_id.id, "subscription_id": line.id, "kind_id": kind.id, "date": date(2026, 1, 5),
                "instalments": count,
            })
            fee.action_invoice()
            self.assertEqual(sum(fee.move_ids.mapped("amount_untaxed")), 100_000, count)
            self.assertEqual(sum(fee.move_ids.mapped("amount_total")), 111_000, count)
            self.assertEqual(len(fee.move_ids), count)
        for amount in (1, 2, 11, 99, 100, 99_999, 123_457):
            for count in range(1, 13):
                fee = self.env["isp.installation_fee"].new({
                    "company_id": self.company.id, "customer_id": line.customer_id.id, "kind_id": kind.id, "date": date(2026, 1, 31),
                    "amount": amount, "instalments": count,
                })
                parts = fee._isp_parts(fee.date, count)
                self.assertEqual(sum(part.dpp for part in parts), amount)
                self.assertTrue(all(part.dpp > 0 for part in parts))

    def test_nobody_is_isolated_for_a_fraction_of_a_rupiah(self):
        self.assertEqual([rupiah_owed(a) for a in (0.45, 0.99, 0.999, 277_494.45, 1, 1.5)], [0, 0, 1, 277_494, 1, 1])
        rupiah = self.env.ref("base.IDR")
        self.env.cr.execute("UPDATE res_currency SET rounding = 0.01 WHERE id = %s", [rupiah.id])
        rupiah.invalidate_recordset()
        self.addCleanup(self.env.invalidate_all)
        line = self.new_line(1)
        move = self.bill(line, date(2026, 2, 23), 249_995)
        self.assertAlmostEqual(move.amount_total, 277_494.45)
        self.pay(move, 277_494, on=date(2026, 2, 24))
        self.assertAlmostEqual(move.amount_residual, 0.45)
        self.decide("2026-03-10 12:00")
        self.assertEqual((line.desired_access, line.customer_id.amount_overdue), ("open", 0))
        self.assertFalse(self.at("2026-03-10 12:00")["isp.notification"]._isp_reminders(self.company))
        other = self.new_line(2)
        self.bill(other, date(2026, 2, 23), 249_995)
        self.decide("2026-03-10 12:00")
        self.assertEqual((other.desired_access, other.isolated_overdue), ("isolated", 277_494))

    # Beside each other

    def branches(self):
        company = self.env["res.partner"].create({"name": "PT Maju", "is_company": True})
        found = []
        for number, city in ((1, "Bandung"), (2, "Garut")):
            partner = self.env["res.partner"].create({
                "name": "Cabang %s" % city, "parent_id": company.id, "type": "other", "mobile": "0812-7777-000%d" % number,
            })
            customer = self.env["isp.customer"].create({"partner_id": partner.id})
            found.append(self.new_subscription(
                customer, ppp_username="cabang-%s" % number, ppp_password="rahasia-%s" % number,
            ))
        return found

    def test_branches_of_one_company_share_neither_debts_nor_reminders(self):
        bandung, garut = self.branches()
        self.bill(bandung, date(2026, 2, 23))
        paid = self.bill(garut, date(2026, 2, 23))
        self.pay(paid, on=date(2026, 3, 1))
        self.assertEqual([line.customer_id.amount_due for line in (bandung, garut)], [277_500, 0])
        self.assertEqual([line.customer_id.invoice_count for line in (bandung, garut)], [1, 1])
        received = self.env["isp.notification"].search([("kind", "=", "payment_received")])
        facts = received._isp_queued_facts(self.company)
        self.assertEqual((received.customer_id, facts[0].invoices), (garut.customer_id, []))
        self.at("2026-03-08 09:00")["isp.notification"]._cron_isp_reminders()
        reminder = self.env["isp.notification"].search([("kind", "=", "overdue")])
        self.assertEqual(reminder.customer_id, bandung.customer_id)
        self.bill(garut, date(2026, 2, 24))
        self.at("2026-03-09 09:00")["isp.notification"]._cron_isp_reminders()
        reminders = self.env["isp.notification"].search([("kind", "=", "overdue")], order="id")
        self.assertEqual(reminders.mapped("customer_id"), bandung.customer_id | garut.customer_id)

    def test_another_business_breaks_no_promise_and_counts_on_no_dashboard(self):
        line = self.new_line(1)
        laptop = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": line.partner_id.id, "invoice_date": date(2026, 1, 1),
            "invoice_date_due": date(2026, 1, 10),
            "invoice_line_ids": [Command.create({"name": "Laptop", "price_unit": 5_000_000, "tax_ids": False})],
        })
        laptop.action_post()
        move = self.bill(line, date(2026, 2, 23))
        promise = self.env["isp.promise"].create({
            "customer_id": line.customer_id.id, "made_on": date(2026, 3, 6), "until": date(2026, 3, 9),
        })
        self.pay(move, on=date(2026, 3, 8))
        self.decide("2026-03-10 12:00")
        self.assertEqual(promise.state, "kept")
        cards = {card["key"]: card for card in self.at("2026-03-10 12:00")["isp.dashboard"].data()["cards"]}
        self.assertEqual((cards["overdue"]["count"], cards["overdue"]["amount"]), (0, 0))

    def test_one_companys_bad_setting_stops_no_other(self):
        line = self.new_line(1)
        first = self.env["res.company"].create({"name": "Salah", "currency_id": self.company.currency_id.id})
        self.env.cr.execute(
            "UPDATE res_company SET isp_overdue_days = 'tiga', isp_isolate_at = 99, isp_issue_lead_days = -7 WHERE id = %s", [first.id]
        )
        package = self.package.copy({"code": "X", "company_id": first.id, "product_id": False, "tax_ids": False})
        customer = self.env["isp.customer"].create({"name": "Lain", "company_id": first.id})
        bad = self.env["isp.subscription"].create({
            "company_id": first.id, "customer_id": customer.id, "package_id": package.id, "activation_date": date(2026, 1, 5),
        })
        bad.action_activate()
        self.env.invalidate_all()
        with mute_logger(CRONS):
            self.run_billing("2026-01-05 09:00")
            self.assertTrue(line.move_ids)
            self.at("2026-01-18 12:00")["isp.notification"]._cron_isp_reminders()
            self.assertTrue(self.env["isp.notification"].search([("customer_id", "=", line.customer_id.id)]))
            self.decide("2026-01-22 12:00")
        self.assertEqual(line.desired_access, "isolated")
