"""Work for people: a signed handing over, the language of new customers, calendars that name who it is about."""

from datetime import timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from .common import IspCommon

# One transparent pixel.
SIGNATURE = b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@tagged("post_install", "-at_install")
class TestPeople(IspCommon):
    def test_the_customer_signs_that_the_line_works(self):
        technician = new_test_user(
            self.env, "pemasang", groups="isp_management.group_technician", company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.company.isp_field_user_id = technician
        line = self.new_subscription()
        line.action_isp_plan_installation()
        self.assertEqual(len(line.activity_ids), 1)
        line.with_user(technician).write({"installed_signer": "Siti Rahayu", "installed_signature": SIGNATURE})
        self.assertEqual((line.installed_on, len(line.activity_ids)), (self.company._isp_today(), 0))
        self.assertIn("Siti Rahayu", line.message_ids[0].body)
        # What was signed stays so.
        for vals in ({"installed_signature": SIGNATURE}, {"installed_signature": False}, {"installed_signer": "Budi"}):
            with self.assertRaises(UserError):
                line.with_user(technician).write(vals)

    def test_a_new_customer_reads_the_language_of_the_provider(self):
        self.env["res.lang"]._activate_lang("id_ID")
        self.company.isp_customer_lang = False
        customer = self.new_customer()
        self.assertEqual((customer.lang, customer.country_id.code), ("id_ID", "ID"))
        self.company.isp_customer_lang = "en_US"
        self.assertEqual(self.new_customer("John").lang, "en_US")
        self.assertEqual(self.new_customer("Budi", lang="id_ID").lang, "id_ID", "what is said holds")
        contact = self.env["res.partner"].create({"name": "Ada", "lang": "id_ID"})
        self.assertEqual(self.env["isp.customer"].create({"partner_id": contact.id}).lang, "id_ID", "a contact keeps its own")

    def test_a_line_counts_by_the_clock_of_its_site(self):
        self.router.location = " Menara Sorong "
        site = self.router.site_id
        self.assertEqual((site.name, site.zone, self.router.location), ("Menara Sorong", "WIB", "Menara Sorong"))
        site.zone = "WIT"
        line = self.new_subscription()
        self.assertEqual((line.zone, line.site), ("WIT", "Menara Sorong"))
        self.assertEqual(self.new_subscription(self.new_customer("Lain"), zone="WITA").zone, "WITA", "what is said holds")
        form = Form(self.env["isp.subscription"])
        form.router_id = self.router
        self.assertEqual(form.zone, "WIT")
        site.name = "Menara Sorong Timur"
        self.assertEqual((self.router.location, line.site), ("Menara Sorong Timur", "Menara Sorong Timur"))
        site.zone = "WIB"
        self.assertEqual(line.zone, "WIT", "a line in service keeps its own")

    def test_calendars_name_who_it_is_about(self):
        line = self.new_subscription()
        today = self.company._isp_today()
        promise = self.env["isp.promise"].create({"customer_id": line.customer_id.id, "until": today + timedelta(days=3)})
        line._isp_by_hand("isolate", "uji")
        for record in (promise, line.isolation_event_ids):
            self.assertIn("Siti Rahayu", record.display_name)
            self.assertIn(record.id, [found for found, _name in record.name_search("Siti")])
