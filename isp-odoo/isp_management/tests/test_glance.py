"""What a screen says at a glance, finds and costs."""

from datetime import date

from lxml import etree

from odoo import Command
from odoo.tests import new_test_user, tagged

from .network_common import IspNetworkCommon
from .web_client import specification

CHATTER = ("message_ids", "message_follower_ids", "activity_ids")
# What the chatter below a form asks for (mail: core/web/thread_service_patch.js).
THREAD = ["followers", "attachments", "activities", "suggestedRecipients"]


@tagged("post_install", "-at_install")
class TestGlance(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.line, cls.other = cls.new_line(1), cls.new_line(2)
        cls.customer = cls.line.customer_id
        cls.router.location = "Menara Sukamaju"

    def as_person(self, group):
        user = new_test_user(
            self.env, "lirik-" + group, groups="isp_management.group_%s" % group, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        return self.env(user=user, context={"allowed_company_ids": self.company.ids})

    def counted(self, call):
        """What a call answers, and its queries when nothing is in memory but what stays there between requests."""
        call()
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        answer = call()
        return answer, self.cr.sql_log_count - before

    def form_of(self, record, env, more=()):
        """What the web client reads for the form of a record, and the queries that it costs."""
        model = env[record._name]
        got = model.get_views([[False, "form"]])
        asked = specification(etree.fromstring(got["views"]["form"]["arch"]), got["models"], record._name)
        self.assertFalse(set(CHATTER) & asked.keys())
        [row], queries = self.counted(lambda: model.browse(record.id).web_read({**asked, **dict.fromkeys(more, {})}))
        return row, queries

    def chatter_of(self, record, env):
        """The queries of the two requests of the chatter, as its controllers answer them."""
        def data():
            return env[record._name].with_context(active_test=False).search([("id", "=", record.id)])._get_mail_thread_data(THREAD)

        def messages():
            found = env["mail.message"]._message_fetch([
                ("res_id", "=", record.id), ("model", "=", record._name), ("message_type", "!=", "user_notification"),
            ], limit=30)["messages"]
            found.set_message_done()
            return found.message_format()

        return self.counted(data)[1] + self.counted(messages)[1]

    def test_the_form_of_a_customer_costs_few_queries_with_its_chatter(self):
        for month in range(1, 4):
            self.bill(self.line, date(2026, month, 5))
        for number in range(3):
            self.env["isp.cpe"].create({"customer_id": self.customer.id, "outdoor_unit": "LHG %s" % number}).action_install()
        second = self.new_subscription(self.customer, package_id=self.new_package("HOME-50", 400_000).id, activate=False)
        self.customer.write({"state_id": self.env["res.country.state"].search([("country_id.code", "=", "ID")], limit=1).id, "nik": "3273015708900001"})
        env = self.as_person("billing")
        row, queries = self.form_of(self.customer, env)
        self.assertEqual((row["invoice_count"], row["subscription_count"], row["cpe_count"]), (3, 2, 3))
        self.assertEqual((row["amount_due"], row["amount_overdue"], row["is_overdue"]), (832_500, 832_500, True))
        # What is read beside the figures is what Odoo reads by itself.
        self.env.invalidate_all()
        for line, shown in zip(self.line | second, sorted(row["subscription_ids"], key=lambda one: one["id"])):
            line = line.with_env(env)
            self.assertEqual(
                (shown["package_id"]["display_name"], shown["monthly_price"]), (line.sudo().package_id.display_name, line.monthly_price),
            )
            self.assertEqual(shown["router_id"] and shown["router_id"]["display_name"], line.sudo().router_id.display_name)
        self.assertEqual(row["state_id"]["display_name"], self.customer.state_id.display_name)
        self.assertEqual(row["nik"], self.customer.nik)
        self.assertLessEqual(queries, 5)
        # With the lists that the chatter is about, which another client may read along.
        _row, queries = self.form_of(self.customer, env, CHATTER)
        self.assertLessEqual(queries, 11)
        # The chatter's own requests are Odoo's: they cost what those of a contact do.
        contact = self.customer.partner_id
        contact.message_post(body="Catatan")
        self.assertLessEqual(self.chatter_of(self.customer, env), self.chatter_of(contact, env) + 2)

    def test_what_was_just_written_is_what_a_form_shows(self):
        """The figures of one customer put names and prices of other records into memory: what is newer there stays."""
        env = self.as_person("billing")
        self.form_of(self.customer, env)
        self.package.write({"name": "Baru", "price": 300_000})
        self.router.name = "RTR-BARU"
        [row] = env["isp.customer"].browse(self.customer.id).web_read({"amount_due": {}, "subscription_ids": {"fields": {
            "package_id": {"fields": {"display_name": {}}}, "router_id": {"fields": {"display_name": {}}}, "monthly_price": {},
        }}})
        [line] = row["subscription_ids"]
        self.assertEqual(
            (line["package_id"]["display_name"], line["router_id"]["display_name"], line["monthly_price"]), ("Baru", "RTR-BARU", 300_000),
        )
        self.package.with_context(lang="en_US").name = "New"
        self.package.with_context(lang="id_ID").name = "Anyar"
        for lang, name in (("en_US", "New"), ("id_ID", "Anyar")):
            self.env.invalidate_all()
            customer = self.customer.with_context(lang=lang)
            self.assertTrue(customer.subscription_count)
            self.assertEqual(customer.subscription_ids.package_id.display_name, name)

    def test_isolated_and_overdue_are_seen_and_filtered(self):
        lines, customers = self.env["isp.subscription"], self.env["isp.customer"]
        own = [("id", "in", (self.line | self.other).ids)]
        theirs = [("id", "in", (self.customer | self.other.customer_id).ids)]
        self.assertFalse(lines.search([*own, ("is_overdue", "=", True)]))
        move = self.bill(self.line, date(2026, 1, 5))
        self.assertEqual(lines.search([*own, ("is_overdue", "=", True)]), self.line)
        self.assertEqual(lines.search([*own, ("is_overdue", "=", False)]), self.other)
        self.assertEqual(customers.search([*theirs, ("is_overdue", "=", True)]), self.customer)
        self.assertEqual(self.line.amount_overdue, 277_500)
        self.assertTrue(self.customer.is_overdue)
        self.assertEqual(self.customer.isolated_count, 0)
        self.line._isp_by_hand("isolate", "Diminta")
        self.env.invalidate_all()
        self.assertEqual(self.customer.isolated_count, 1)
        self.pay(move)
        self.env.invalidate_all()
        self.assertFalse(self.line.is_overdue)
        self.assertFalse(customers.search([*theirs, ("is_overdue", "=", True)]))

    def test_a_technician_sees_that_and_not_how_much(self):
        self.bill(self.line, date(2026, 1, 5))
        row, _queries = self.form_of(self.line, self.as_person("technician"))
        self.assertTrue(row["is_overdue"])
        self.assertNotIn("amount_overdue", row)

    def test_one_button_is_asked_for(self):
        """At most one of the highlighted buttons of a line is shown, whatever its state."""
        for group in ("cashier", "billing", "manager"):
            user = new_test_user(
                self.env, "tombol-" + group, groups="isp_management.group_%s" % group, company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            arch = etree.fromstring(self.env["isp.subscription"].with_user(user).get_view(view_type="form")["arch"])
            for state in ("draft", "active", "paused", "terminated"):
                for values in (
                    {"desired_access": "open", "is_overdue": False, "access_agrees": True},
                    {"desired_access": "open", "is_overdue": False, "access_agrees": False},
                    {"desired_access": "open", "is_overdue": True, "access_agrees": True},
                    {"desired_access": "isolated", "is_overdue": True, "access_agrees": False},
                    {"desired_access": "isolated", "is_overdue": False, "access_agrees": True},
                ):
                    values = {**values, "state": state, "access_cause": "arrears", "router_id": 1, "active": True, "id": 1}
                    shown = [
                        node.get("name") for node in arch.xpath("//header/button[contains(@class, 'oe_highlight')]")
                        if not (node.get("invisible") and eval(node.get("invisible"), {}, values))  # pylint: disable=eval-used
                    ]
                    self.assertLessEqual(len(shown), 1, (group, values, shown))

    def test_a_payment_is_registered_while_anything_is_due(self):
        """The button is there before the invoice is overdue, and highlighted from then on."""
        move, cashier = self.bill(self.line, date(2026, 1, 5)), self.as_person("cashier")

        def highlighted(record, moment):
            """Of each button that is shown, whether it is highlighted."""
            env = cashier(context={**cashier.context, "isp_now": moment})
            arch = etree.fromstring(env[record._name].get_view(view_type="form")["arch"])
            row, _queries = self.form_of(record, env)
            return [
                "oe_highlight" in (node.get("class") or "") for node in arch.xpath("//header/button[@name='action_isp_pay']")
                if not eval(node.get("invisible"), {}, row)  # pylint: disable=eval-used
            ]

        for record in (self.line, self.customer):
            self.assertEqual(highlighted(record, "2026-01-10 02:00:00"), [False], record)
            self.assertEqual(highlighted(record, "2026-01-20 02:00:00"), [True], record)
        self.line.sudo().write({"state": "paused", "paused_from": date(2026, 1, 6)})
        self.assertEqual(highlighted(self.line, "2026-01-20 02:00:00"), [False])
        self.pay(move)
        for record in (self.line, self.customer, self.other):
            self.assertEqual(highlighted(record, "2026-01-20 02:00:00"), [], record)

    def test_one_box_finds_by_whatever_is_at_hand(self):
        self.env["isp.cpe"].create({
            "customer_id": self.customer.id, "subscription_id": self.line.id, "serial": "HE9-77", "router_serial": "R-55",
            "ip_address": "10.20.0.77",
        })
        self.customer.email = "satu@contoh.id"
        self.customer.whatsapp_number = "+6281230004567"
        second = self.new_package("HOME-50", 400_000)
        mine = self.new_subscription(self.customer, package_id=second.id, activate=False)
        for word in (
            "0812-3000-4567", "+62 812 3000 4567", "081230004567", "62812", "30004567", "HOME-50", "home-50", "pelanggan-1", "HE9-77", "r-55",
            "10.20.0.77", self.customer.customer_code, self.line.name, "Pelanggan 1", "satu@contoh.id",
        ):
            found = self.env["isp.customer"].search([("find", "ilike", word)])
            self.assertIn(self.customer, found, word)
            if word != "62812":
                self.assertNotIn(self.other.customer_id, found, word)
            lines = self.env["isp.subscription"].search([("find", "ilike", word)])
            self.assertTrue(lines & (self.line | mine), word)
        self.assertIn(self.line.id, [found[0] for found in self.env["isp.subscription"].name_search("HE9-77")])
        self.assertIn(self.customer.id, [found[0] for found in self.env["isp.customer"].name_search("0812 3000 4567")])
        self.assertFalse(self.env["isp.customer"].search([("find", "ilike", "tidak ada ini")]))
        self.assertFalse(self.env["isp.customer"].search([("find", "ilike", "%'; --")]))

    def test_from_each_screen_to_the_others_and_back(self):
        move = self.bill(self.line, date(2026, 1, 5))
        payment = self.pay(move)
        cpe = self.env["isp.cpe"].create({"customer_id": self.customer.id, "subscription_id": self.line.id})
        for action, record in (
            (self.customer.action_view_contact(), self.customer.partner_id), (self.line.action_view_customer(), self.customer),
            (cpe.action_view_customer(), self.customer), (cpe.action_view_subscription(), self.line), (move.action_isp_view_line(), self.line),
        ):
            self.assertEqual((action["res_model"], action["res_id"]), (record._name, record.id))
        for action, record in (
            (self.customer.action_view_payments(), payment), (self.line.action_view_payments(), payment), (self.line.action_view_cpes(), cpe),
            (self.line.action_view_invoices(), move), (self.customer.action_view_subscriptions(), self.line),
        ):
            self.assertIn(record, self.env[action["res_model"]].search(action["domain"]), action["name"])
        self.assertEqual(self.env["isp.customer"].browse(self.customer.id).payment_count, 1)
        back = self.customer.partner_id.action_isp_view_customer()
        self.assertEqual(back["res_id"], self.customer.id)
        late = self.bill(self.line, date(2026, 2, 5))
        for record in (self.line, self.customer):
            register = record.action_isp_pay()
            self.assertEqual((register["res_model"], register["context"]["active_ids"]), ("account.payment.register", late.line_ids.ids))
