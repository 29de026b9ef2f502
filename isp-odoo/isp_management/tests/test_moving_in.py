"""Who moves in from another program or from the contacts, and what becomes of an invoice that a person takes away."""

import csv
from datetime import date

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import file_open

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestMovingIn(IspCommon):
    def run_billing(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()
        self.env.invalidate_all()

    def member(self, group, name=""):
        return new_test_user(
            self.env, "pindah-%s%s" % (group, name), groups="isp_management.group_%s" % group, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def new_line(self, moment, **vals):
        line = self.new_subscription(activate=False, **{"billed_from": False, **vals})
        line.with_env(self.at(moment)).action_activate()
        return line

    def starts(self, line):
        return [str(day) for day in line.move_ids.sorted("isp_period_start").mapped("isp_period_start")]

    # IDs

    def test_an_id_is_typed_imported_or_the_next_free_one(self):
        with Form(self.env["isp.customer"]) as form:
            form.name, form.customer_code = "Lama", " LAMA-7 "
        self.assertEqual(form.record.customer_code, "LAMA-7")
        result = self.env["isp.customer"].load(
            ["name", "customer_code", "mobile"], [["Satu", "A001", "0812-0000-1111"], ["Dua", "A002", "0812-0000-1112"]]
        )
        self.assertFalse(result["messages"])
        self.assertEqual(self.env["isp.customer"].browse(result["ids"]).mapped("customer_code"), ["A001", "A002"])
        self.assertFalse(self.env["isp.customer"].fields_get(["customer_code"])["customer_code"].get("readonly"))
        for code in ("a001", " a001 "):
            with self.assertRaises(ValidationError):
                self.new_customer(customer_code=code)
        sequence = self.env["ir.sequence"].search([("code", "=", "isp.customer"), ("company_id", "in", (False, self.company.id))], limit=1)
        ahead = sequence.get_next_char(sequence.number_next_actual)
        self.new_customer("Yang mengambil nomor berikut", customer_code=ahead)
        self.assertNotEqual(self.new_customer("Berikut").customer_code, ahead)
        self.assertTrue(self.new_customer("Kosong", customer_code="").customer_code.startswith("PLG"))

    # From which day on

    def test_who_was_served_before_is_billed_from_the_period_that_is_due(self):
        line = self.new_line("2026-11-28 09:00", start=date(2026, 1, 20))
        self.assertEqual(line.billed_from, date(2026, 11, 20))
        self.assertIn("20/01/2026", "".join(line.with_context(lang="id_ID").message_ids.mapped("body")).replace("01/20/2026", "20/01/2026"))
        postpaid = self.new_line("2026-11-28 09:00", start=date(2026, 1, 20), timing="postpaid")
        old = self.new_line("2026-11-28 09:00", start=date(2010, 1, 20))
        self.assertEqual(old.billed_from, date(2026, 11, 20))
        yearly = self.new_line("2026-11-28 09:00", start=date(2024, 1, 31), cycle="annual")
        self.run_billing("2026-11-28 10:00")
        self.assertEqual(self.starts(line), ["2026-11-20"])
        self.assertEqual(self.starts(postpaid), ["2026-10-20"])
        self.assertEqual(self.starts(yearly), ["2026-01-31"])
        self.run_billing("2026-12-20 10:00")
        self.assertEqual(self.starts(line), ["2026-11-20", "2026-12-20"])
        self.assertEqual(self.starts(postpaid), ["2026-10-20", "2026-11-20"])

    def test_a_person_says_from_when(self):
        with self.assertRaises(UserError):
            self.new_subscription(activate=False).with_user(self.member("technician")).write({"billed_from": date(2026, 10, 20)})
        line = self.new_line("2026-11-28 09:00", start=date(2026, 1, 20), billed_from=date(2026, 10, 20))
        ahead = self.new_line("2026-11-28 09:00", start=date(2026, 1, 20), billed_from=date(2026, 12, 20))
        late = self.new_line("2026-11-28 09:00", start=date(2026, 11, 20))
        self.run_billing("2026-11-28 10:00")
        self.assertEqual(self.starts(line), ["2026-10-20", "2026-11-20"])
        self.assertEqual(self.starts(ahead), [])
        self.assertEqual(self.starts(late), ["2026-11-20"], "one period that is due is billed as always")
        self.run_billing("2026-12-20 10:00")
        self.assertEqual(self.starts(ahead), ["2026-12-20"])

    # Contacts

    def test_contacts_become_customers(self):
        partners = self.env["res.partner"].create([
            {"name": "Ani", "mobile": "0812-5555-0001"}, {"name": "Budi", "mobile": "0812-5555-0002"},
        ])
        technician = self.member("technician")

        def dialog(contacts, user=technician):
            contacts = contacts.with_user(user)
            return contacts.env["isp.make.customer.wizard"].browse(contacts.action_isp_make_customer()["res_id"])

        wizard = dialog(partners)
        self.assertEqual(wizard.line_ids.mapped("chosen"), [True, True])
        action = wizard.action_confirm()
        customers = self.env["isp.customer"].search(action["domain"])
        self.assertEqual(customers.partner_id, partners)
        self.assertEqual(set(customers.mapped("whatsapp_number")), {"+6281255550001", "+6281255550002"})
        again = dialog(partners)
        self.assertEqual(again.line_ids.customer_id, customers, "once")
        with self.assertRaises(UserError):
            again.action_confirm()
        self.assertEqual(partners.mapped("isp_customer_count"), [1, 1])
        self.assertEqual(partners[0].action_isp_view_customer()["res_id"], customers.filtered(lambda c: c.partner_id == partners[0]).id)
        twins = self.env["res.partner"].create([
            {"name": "Cici", "mobile": "0812-5555-0009"}, {"name": "Cici lama", "phone": "+62 812 5555 0009"},
        ])
        wizard = dialog(twins)
        self.assertEqual(wizard.line_ids.mapped("twice"), ["Cici lama", "Cici"])
        self.assertEqual(wizard.line_ids.mapped("chosen"), [False, False], "nobody twice by accident")
        wizard.line_ids[0].chosen = True
        self.assertEqual(self.env["isp.customer"].browse(wizard.action_confirm()["res_id"]).partner_id, twins[0])
        # Alone, a contact becomes one by its button; a dialog asks when somebody has its number.
        alone = self.env["res.partner"].create({"name": "Dodi", "mobile": "0812-5555-0010"}).with_user(technician)
        self.assertEqual(alone.action_isp_make_customer()["res_model"], "isp.customer")
        double = self.env["res.partner"].create({"name": "Ani lagi", "phone": "081255550001"}).with_user(technician)
        self.assertEqual(double.action_isp_make_customer()["res_model"], "isp.make.customer.wizard")
        with self.assertRaises(UserError):
            partners.with_user(self.member("cashier")).action_isp_make_customer()

    def test_contacts_are_merged_without_losing_a_customer(self):
        customer, other = self.new_customer("Ani"), self.new_customer("Ani Lagi", mobile="0812-7777-0001")
        line = self.new_subscription(customer)
        contact = self.env["res.partner"].create({"name": "Ani (kontak)", "email": "ani@contoh.id"})
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        with self.assertRaisesRegex(UserError, "Ani Lagi"):
            merge._merge((customer.partner_id | other.partner_id).ids, customer.partner_id)
        merge._merge((customer.partner_id | contact).ids, contact)
        self.env.invalidate_all()
        self.assertEqual((customer.partner_id, line.partner_id, customer.state), (contact, contact, "active"))
        self.assertTrue(other.exists())

    def test_a_file_from_the_template_is_imported(self):
        self.router.name = "Menara Sukamaju"
        for model, name in (("isp.customer", "customers"), ("isp.subscription", "subscriptions"), ("isp.cpe", "devices")):
            [template] = self.env[model].get_import_templates()
            self.assertTrue(template["label"])
            path = template["template"].replace("/isp_management/", "isp_management/")
            with file_open(path, "r") as file:
                rows = list(csv.reader(file))
            with file_open(path, "rb") as file:
                wizard = self.env["base_import.import"].with_user(self.member("manager", name)).create(
                    {"res_model": model, "file": file.read(), "file_name": "%s.csv" % name, "file_type": "text/csv"}
                )
            options = {"quoting": '"', "separator": ",", "has_headers": True, "headers": True, "date_format": "%Y-%m-%d",
                       "float_thousand_separator": "", "float_decimal_separator": "."}
            found = wizard.parse_preview(options)
            self.assertNotIn("error", found)
            self.assertEqual(sorted(map(int, found["matches"])), list(range(len(rows[0]))), (found["headers"], found["matches"]))
            self.assertEqual([found["matches"][column] for column in range(len(rows[0]))], [[title] for title in rows[0]])
            result = wizard.execute_import(rows[0], rows[0], options)
            self.assertFalse(result["messages"], result["messages"])
        customer = self.env["isp.customer"].search([("customer_code", "=", "PLG-0001")])
        line = self.env["isp.subscription"].search([("name", "=", "LGN-0001")])
        device = self.env["isp.cpe"].search([("serial", "=", "HE123456")])
        self.assertEqual((line.customer_id, line.package_id, line.router_id), (customer, self.package, self.router))
        self.assertEqual((device.customer_id, device.subscription_id), (customer, line))
        self.assertEqual(line._isp_open("ppp_password"), "sandi-pppoe")
        self.assertEqual(customer.whatsapp_number, "+6281234567890")

    # An invoice that is taken away

    def test_a_deleted_invoice_is_billed_again(self):
        for timing in ("prepaid", "postpaid"):
            self.story_begins()
            line = self.new_subscription(self.new_customer(timing), timing=timing)
            self.run_billing("2026-03-05 10:00")
            before = self.starts(line)
            move = line.move_ids.sorted("isp_period_start")[-1]
            move.button_draft()
            move.with_context(force_delete=True).unlink()
            self.assertEqual(self.starts(line), before[:-1])
            self.run_billing("2026-03-06 10:00")
            self.assertEqual(self.starts(line), before, timing)
            self.run_billing("2026-03-07 10:00")
            self.assertEqual(self.starts(line), before)
            self.company.sudo().isp_billed_through = False

    def test_a_cancelled_or_reset_invoice_is_seen_until_somebody_decides(self):
        line = self.new_subscription()
        self.run_billing("2026-02-05 10:00")
        first, second = line.move_ids.sorted("isp_period_start")
        self.assertFalse(line.left_out)
        first.button_cancel()
        second.button_draft()
        line.invalidate_recordset()
        self.assertEqual(len(line.left_out.split(", ")), 2)
        self.assertEqual(self.env["isp.subscription"].search([("left_out", "!=", False)]), line)
        self.run_billing("2026-02-06 10:00")
        self.assertEqual(len(line.move_ids), 2, "a person took it away, the billing does not overrule")
        second.action_post()
        with self.assertRaises(UserError):
            first.with_user(self.member("cashier")).action_isp_bill_again()
        first.with_user(self.member("billing")).action_isp_bill_again()
        self.run_billing("2026-02-07 10:00")
        self.assertFalse(line.left_out)
        posted = line.move_ids.filtered(lambda m: m.state == "posted").sorted("isp_period_start")
        self.assertEqual([str(m.isp_period_start) for m in posted], ["2026-01-05", "2026-02-05"])
        self.assertIn(first, line.move_ids, "it still tells which line it was for")
        with self.assertRaises(UserError):
            second.action_isp_bill_again()

    def test_reverse_and_create_hands_line_and_period_on(self):
        line = self.new_subscription()
        self.run_billing("2026-01-05 10:00")
        [old] = line.move_ids
        wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=old.ids).create(
            {"journal_id": old.journal_id.id, "reason": "Salah alamat", "date": date(2026, 1, 6)}
        )
        new = self.env["account.move"].browse(wizard.modify_moves()["res_id"])
        self.assertEqual((new.isp_subscription_id, new.isp_period_start, new.isp_period_end), (line, date(2026, 1, 5), date(2026, 2, 5)))
        self.assertEqual((old.isp_subscription_id, old.isp_period_start), (line, False))
        new.action_post()
        self.run_billing("2026-01-07 10:00")
        self.assertEqual(line.move_ids, old | new)
        self.assertEqual(line.customer_id.amount_due, 277_500)

    def test_an_invoice_by_hand_belongs_to_a_line_when_a_person_says_so(self):
        line = self.new_subscription()
        move = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": line.partner_id.id, "invoice_date": date(2026, 1, 5),
            "invoice_date_due": date(2026, 1, 15),
            "invoice_line_ids": [Command.create({"name": "Dari program lama", "price_unit": 200_000, "tax_ids": False})],
        })
        move.action_post()
        self.assertFalse(line._isp_open_moves())
        move.with_user(self.member("billing")).isp_subscription_id = line
        self.at("2026-01-22 12:00")["isp.subscription"]._cron_isp_isolation()
        self.env.invalidate_all()
        self.assertEqual((line.desired_access, line.isolated_overdue), ("isolated", 200_000))
