import time
from datetime import date

from dateutil.relativedelta import relativedelta
from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools.safe_eval import datetime, safe_eval

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestDashboard(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.first = cls.new_subscription(start=date(2026, 1, 5))
        cls.second = cls.new_subscription(cls.new_customer("Budi Santoso"), start=date(2026, 2, 5))
        cls.new_subscription(cls.new_customer("Calon"), activate=False)
        for day in ("2026-01-05 08:00", "2026-02-05 08:00"):
            env = cls.at(day)
            env["isp.billing_run"]._bill(env.company, time.monotonic() + 60)
        cls.second.sudo().write({"desired_access": "isolated", "access_cause": "manual"})
        move = cls.first.move_ids.sorted("invoice_date")[0]
        cls.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
            {"amount": 200_000, "payment_date": date(2026, 2, 3)}
        )._create_payments()
        cls.router.sudo().state = "trouble"

    def cards(self, user=None, moment="2026-02-10 09:00"):
        env = self.at(moment)
        data = env["isp.dashboard"].with_user(user or env.user).data()
        return {card["key"]: card for card in data["cards"]}, data

    def test_the_counters(self):
        cards, data = self.cards()
        self.assertEqual(
            {key: card["count"] for key, card in cards.items()},
            {"active": 2, "isolated": 1, "due": 2, "overdue": 1, "collected": 1, "trouble": 1, "differs": 2, "unbilled": 0},
        )
        self.assertEqual(cards["due"]["amount"], 555_000)
        self.assertEqual(cards["overdue"]["amount"], 77_500)
        self.assertEqual(cards["collected"]["amount"], 200_000)
        self.assertEqual([month["label"] for month in data["months"]][-2:], ["01/2026", "02/2026"])
        self.assertEqual([month["billed"] for month in data["months"]][-2:], [277_500, 555_000])
        self.assertEqual(data["months"][-1]["billed_percent"], 100)

    def test_a_counter_opens_the_list_that_it_counted(self):
        for card in self.cards()[0].values():
            action = card["action"]
            found = self.env[action["res_model"]].search_count([tuple(x) if isinstance(x, list) else x for x in action["domain"]])
            self.assertEqual(found, card["count"], card["key"])
            for view_id, kind in action["views"]:
                self.env[action["res_model"]].get_view(view_id, {"list": "tree"}.get(kind, kind))

    def test_amounts_are_for_those_who_handle_money(self):
        users = {
            group: new_test_user(
                self.env, "papan-" + group, groups=xml_id, company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            for group, xml_id in (
                ("technician", "isp_management.group_technician"), ("cashier", "isp_management.group_cashier"),
                ("none", "base.group_user"),
            )
        }
        cards, data = self.cards(users["technician"])
        self.assertEqual(set(cards), {"active", "isolated", "trouble", "differs", "unbilled"})
        self.assertEqual(data["months"], [])
        cards, data = self.cards(users["cashier"])
        self.assertEqual(cards["collected"]["amount"], 200_000)
        self.assertEqual(len(data["months"]), 6)
        with self.assertRaises(AccessError):
            self.cards(users["none"])

    def test_a_company_without_anything_has_a_dashboard(self):
        other = self.company_data_2["company"]
        user = new_test_user(
            self.env, "papan-lain", groups="isp_management.group_manager", company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        cards, data = self.cards(user)
        self.assertEqual({card["count"] for card in cards.values()}, {0})
        self.assertEqual({month["billed_percent"] for month in data["months"]}, {0})


@tagged("post_install", "-at_install")
class TestScreens(IspCommon):
    def test_five_thousand_customers_open_without_a_query_per_row(self):
        """Made in SQL, because creating them is not what is measured."""
        pattern = self.new_customer()
        self.env.flush_all()
        self.env.cr.execute("""
            SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
            WHERE table_name = 'isp_customer' AND column_name NOT IN ('id', 'partner_id', 'customer_code')
        """)
        [columns] = self.env.cr.fetchone()
        self.env.cr.execute("""
            WITH p AS (
                INSERT INTO res_partner (name, complete_name, company_id, active, type, commercial_partner_id, city)
                SELECT 'Pelanggan ' || n, 'Pelanggan ' || n, %%(company)s, true, 'contact', NULL, 'Garut'
                FROM generate_series(1, 5000) n RETURNING id AS new_id
            )
            INSERT INTO isp_customer (partner_id, customer_code, %s)
            SELECT new_id, 'T' || new_id, %s FROM p, isp_customer WHERE isp_customer.id = %%(pattern)s
        """ % (columns, columns), {"company": self.company.id, "pattern": pattern.id})
        self.env.cr.execute("UPDATE res_partner SET commercial_partner_id = id WHERE commercial_partner_id IS NULL")
        self.env.cr.execute("ANALYZE res_partner, isp_customer")
        for kind, shown in (("tree", "amount_due"), ("kanban", "customer_code")):
            with self.subTest(view=kind):
                self.count_queries(kind, shown)

    def count_queries(self, kind, shown):
        """A page of the client's own request for that view: one of eighty rows, and one of all of them."""
        customers = self.env["isp.customer"]
        arch = etree.fromstring(customers.get_view(view_type=kind)["arch"])
        names = {node.get("name") for node in arch.iter("field")}
        self.assertIn(shown, names)
        fields = customers._fields
        specification = {n: {"fields": {"display_name": {}}} if fields[n].relational else {} for n in names}

        def page(limit):
            self.env.invalidate_all()
            return customers.web_search_read([("company_id", "=", self.company.id)], specification, limit=limit)

        page(1)
        with self.assertQueryCount(25):
            self.assertEqual(len(page(80)["records"]), 80)
        # Odoo reads a thousand records at a time, so a page of all of them is five such reads.
        with self.assertQueryCount(80):
            found = page(5001)
        self.assertEqual(len(found["records"]), 5001)
        self.assertEqual(found["length"], 5001)

    def test_every_action_explains_itself_when_its_list_is_empty(self):
        actions = self.env["ir.model.data"].search(
            [("module", "=", "isp_management"), ("model", "=", "ir.actions.act_window")]
        )
        windows = self.env["ir.actions.act_window"].browse(actions.mapped("res_id"))
        listed = windows.filtered(lambda w: "tree" in w.view_mode and not self.env[w.res_model].is_transient())
        self.assertGreaterEqual(len(listed), 20)
        for window in listed:
            self.assertTrue(window.help, window.name)
            self.assertIn("o_view_nocontent_smiling_face", window.help, window.name)

    def test_every_screen_has_filters_and_groupings(self):
        actions = self.env["ir.model.data"].search(
            [("module", "=", "isp_management"), ("model", "=", "ir.actions.act_window")]
        )
        for window in self.env["ir.actions.act_window"].browse(actions.mapped("res_id")):
            model = self.env[window.res_model]
            if "tree" not in window.view_mode or model.is_transient() or not window.res_model.startswith("isp."):
                continue
            arch = etree.fromstring(model.get_view(window.search_view_id.id, "search")["arch"])
            self.assertTrue(arch.findall(".//filter"), window.name)
            for node in arch.iter("filter"):
                if node.get("domain"):
                    model.search(_domain(node.get("domain")), limit=1)
            for mode in window.view_mode.split(","):
                self.assertTrue(model.get_view(view_type=mode)["arch"], (window.name, mode))


def _domain(text):
    """A filter's domain with the values that the web client would put in."""
    return safe_eval(text, {
        "uid": 1, "context_today": datetime.date.today, "datetime": datetime, "relativedelta": relativedelta,
    })
