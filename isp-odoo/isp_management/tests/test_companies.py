from datetime import date, timedelta

from isp_engine.testing import SimulatedRouter, SimulatedWhatsApp

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import IspCommon


# Shows what collectors took, and here nobody collects.
NOTHING_TO_SEE = {"isp.report.collector"}


class Provider:
    """One of the two: its company, its user, its package, router, number and lines."""

    def __init__(self, case, name, company, **settings):
        self.case, self.name = case, name
        company.write({"country_id": case.env.ref("base.id").id, **settings})
        self.user = new_test_user(
            case.env, "manajer-%s" % name, groups="isp_management.group_manager", company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.env = case.env(user=self.user.id, context={**case.env.context, "allowed_company_ids": company.ids})
        self.company = company.with_env(self.env)
        self.simulated = SimulatedRouter(identity=name)
        case.addClassCleanup(self.simulated.close)
        self.meta = SimulatedWhatsApp(sender=True)
        case.addClassCleanup(self.meta.close)
        host, port = self.simulated.address.split(":")
        self.router = self.env["isp.router"].create({
            "name": "Menara", "host": host, "port": int(port), "username": self.simulated.username,
            "password": self.simulated.password, "timeout_seconds": 2, "location": "Sukamaju",
        })
        self.env["isp.channel"].create({
            "name": "CS", "phone_number_id": self.meta.phone_number_id, "base_url": self.meta.base_url,
            "access_token": self.meta.access_token, "app_secret": self.meta.app_secret, "verify_token": "kata",
        })
        tax = self.company.account_sale_tax_id if self.company.isp_pkp else self.env["account.tax"]
        # The same code, name and serial in both: nothing of one stands in the way of the other.
        self.package = self.env["isp.package"].create({
            "name": "Rumah 20", "code": "R20", "price": 250_000, "speed_down": 20_000, "speed_up": 10_000, "user_group": "R20",
            "tax_ids": [Command.set(tax.ids)],
        })

    def sell(self, start, **vals):
        customer = self.env["isp.customer"].create(vals)
        line = self.env["isp.subscription"].create({
            "customer_id": customer.id, "package_id": self.package.id, "router_id": self.router.id,
            "ppp_username": "rumah", "ppp_password": "rahasia", "activation_date": start, "billed_from": start,
        })
        line.action_activate()
        return line

    def fill(self, line):
        """A record of each other model."""
        customer, env = line.customer_id, self.env
        cpe = env["isp.cpe"].create({"customer_id": customer.id, "outdoor_unit": "LHG 5", "serial": "S1", "password": "cpe"})
        cpe.action_install()
        kind = env["isp.installation_kind"].create({"name": "Wireless", "code": "WL", "price": 100_000, "tax_ids": False})
        env["isp.installation_fee"].create({"customer_id": customer.id, "subscription_id": line.id, "kind_id": kind.id})
        env["isp.exemption"].create({"customer_id": customer.id, "until": date(2020, 1, 1), "since": date(2020, 1, 1), "reason": "uji"})
        env["isp.promise"].create({"customer_id": customer.id, "made_on": date(2020, 1, 1), "until": date(2020, 1, 2)})
        env["isp.outage"].create({"name": "Padam", "router_id": self.router.id, "since": "2020-01-01", "until": "2020-01-02"})
        env["isp.holiday"].create({"name": "Libur", "date": date(2020, 1, 1), "company_id": self.company.id})
        category = env["isp.expense_category"].create({"name": "Bandwidth", "code": "BW"})
        env["isp.expense"].create({"name": "Hulu", "category_id": category.id, "amount": 10_000, "date": date(2026, 1, 6)}).action_post()
        env["isp.message_template"].action_isp_load_standard()
        env["isp.collector"].create({"name": "Pak Dedi"})
        env["isp.statement"].sudo().create({
            "name": "TAG-202001-1", "company_id": self.company.id, "customer_id": customer.id, "issue_date": date(2020, 1, 5),
            "due_date": date(2020, 1, 15),
        })
        self.router.isp_reveal("password", "uji")


@tagged("post_install", "-at_install")
class TestCompanies(IspCommon):
    """Two providers in one database, with the same names everywhere, billed and isolated by the same crons."""

    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        second = cls.company_data_2["company"]
        second.currency_id = cls.env.ref("base.IDR")
        cls.first = Provider(cls, "first", cls.company, isp_isolate_after_days=10)
        journal = cls.env["account.journal"].create(
            {"name": "Langganan", "code": "NET", "type": "sale", "company_id": second.id}
        )
        cls.second = Provider(
            cls, "second", second, isp_isolate_after_days=2, isp_pkp=False, isp_payment_terms_days=5,
            isp_sale_journal_id=journal.id,
        )
        cls.env["ir.sequence"].create(
            {"name": "Pelanggan", "code": "isp.customer", "prefix": "DUA", "padding": 4, "company_id": second.id}
        )
        # One person is a customer of both.
        cls.shared = cls.env["res.partner"].create({"name": "Siti Rahayu", "mobile": "0812-3456-7890"})
        cls.lines = {
            provider: provider.sell(date(2026, 1, 5), partner_id=cls.shared.id) for provider in (cls.first, cls.second)
        }
        for provider, line in cls.lines.items():
            provider.fill(line)

    def cron(self, model, method, moment):
        """As the cron runs it: one user, no company chosen."""
        env = self.at(moment)
        getattr(self.env(user=self.env.ref("base.user_root").id, context={"isp_now": env.context["isp_now"]})[model], method)()
        self.env.invalidate_all()

    def live(self):
        self.cron("isp.billing_run", "_cron_bill", "2026-01-05 08:00")
        self.cron("isp.router", "_cron_isp_sync", "2026-01-05 08:05")

    def owned(self):
        """Each model of the addon that keeps records, with the domain of a company's own."""
        for name, model in self.env.items():
            if name.startswith("isp.") and not model._abstract and not model._transient:
                yield name, "company_id" if "company_id" in model._fields else None

    def test_one_cron_bills_both_each_in_its_own_way(self):
        self.live()
        ours, theirs = (self.lines[provider].move_ids for provider in (self.first, self.second))
        self.assertEqual((ours.company_id, theirs.company_id), (self.first.company, self.second.company))
        self.assertEqual((ours.amount_untaxed, ours.amount_tax), (250_000, 27_500))
        self.assertEqual((theirs.amount_untaxed, theirs.amount_tax), (250_000, 0), "no PKP, no PPN")
        self.assertEqual((ours.invoice_date_due, theirs.invoice_date_due), (date(2026, 1, 15), date(2026, 1, 10)))
        self.assertEqual(theirs.journal_id.code, "NET")
        self.assertRegex(ours.name, r"^INV/2026/\d{5}$")
        self.assertRegex(theirs.name, r"^NET/2026/\d{5}$")
        for move in (ours, theirs):
            self.assertEqual(move.line_ids.account_id.company_id, move.company_id)
        for provider in (self.first, self.second):
            run = provider.env["isp.billing_run"].search([])
            self.assertEqual((run.company_id, run.invoice_count), (provider.company, 1))
            self.assertEqual(provider.company.isp_billed_through, date(2026, 1, 5))

    def test_numbers_and_names_do_not_meet(self):
        codes = [self.lines[provider].customer_id.customer_code for provider in (self.first, self.second)]
        self.assertRegex(codes[0], r"^PLG\d{6}$")
        self.assertEqual(codes[1], "DUA0001", "a sequence of its own")
        self.assertEqual(*[provider.package.code for provider in (self.first, self.second)])
        self.assertEqual(*[self.lines[provider].ppp_username for provider in (self.first, self.second)])

    def test_one_cron_isolates_by_each_companys_settings_and_a_payment_reopens_one(self):
        self.live()
        for provider in (self.first, self.second):
            self.assertEqual(
                [secret.name for secret in provider.simulated.secrets()], ["rumah"], "its own line on its own router"
            )
        self.cron("isp.subscription", "_cron_isp_isolation", "2026-01-20 10:30")
        ours, theirs = self.lines[self.first], self.lines[self.second]
        self.assertEqual((ours.desired_access, theirs.desired_access), ("open", "isolated"), "10 days here, 2 days there")
        self.cron("isp.subscription", "_cron_isp_isolation", "2026-01-27 10:30")
        self.cron("isp.router", "_cron_isp_sync", "2026-01-27 10:31")
        self.assertEqual((ours.observed_access, theirs.observed_access), ("isolated", "isolated"))
        self.assertEqual(
            [provider.simulated.secret("rumah").profile for provider in (self.first, self.second)], ["ISOLIR", "ISOLIR"]
        )
        # The same person pays the one provider.
        wizard = self.first.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=ours.move_ids.ids, isp_now="2026-01-27 04:00:00"
        ).create({"payment_date": date(2026, 1, 27)})
        wizard._create_payments()
        self.cron("isp.router", "_cron_isp_sync", "2026-01-27 11:05")
        self.assertEqual((ours.observed_access, theirs.observed_access), ("open", "isolated"))
        self.assertEqual(self.second.simulated.secret("rumah").profile, "ISOLIR")
        self.assertEqual((ours.move_ids.amount_residual, theirs.move_ids.amount_residual), (0, 250_000))
        self.assertEqual((ours.customer_id.amount_due, theirs.customer_id.amount_due), (0, 250_000))
        thanked = self.env["isp.notification"].search([("kind", "=", "payment_received")])
        self.assertEqual(thanked.company_id, self.first.company)

    def test_each_writes_from_its_own_number(self):
        self.live()
        self.cron("isp.notification", "_cron_isp_reminders", "2026-01-13 09:00")
        self.cron("isp.notification", "_cron_isp_send", "2026-01-13 09:01")
        for provider, kind in ((self.first, "due_soon"), (self.second, "overdue")):
            message = provider.env["isp.notification"].search([])
            self.assertEqual((message.company_id, message.kind, message.state), (provider.company, kind, "sent"))
            self.assertEqual([sent.message_id for sent in provider.meta.messages()][-1:], [message.provider_reference])

    def test_a_user_of_one_sees_nothing_of_the_other(self):
        self.live()
        for provider in (self.first, self.second):
            proofs = provider.env["isp.proof"].with_context(**self.at("2026-01-05 09:00").context)
            proofs._isp_send(self.lines[provider].customer_id, "bukti.pdf", b"%PDF-1.4")
            proofs.env["isp.payment_request"]._isp_ask(self.lines[provider].customer_id)
        self.cron("isp.notification", "_cron_isp_reminders", "2026-01-27 10:30")
        # When the proofs hold nothing back any more.
        self.cron("isp.subscription", "_cron_isp_isolation", "2026-02-03 10:30")
        seen = 0
        for name, owner in self.owned():
            everything = self.env[name].sudo().with_context(active_test=False, allowed_company_ids=(self.first.company | self.second.company).ids)
            if owner is None:
                continue
            for provider, other in ((self.first, self.second), (self.second, self.first)):
                own, foreign = (everything.search([(owner, "=", p.company.id)]) for p in (provider, other))
                self.assertTrue(own or name in NOTHING_TO_SEE, "%s holds nothing to look at: add it to Provider.fill" % name)
                mine = provider.env[name].with_context(active_test=False)
                found = mine.search([])
                self.assertLessEqual(set(own.ids), set(found.ids), name)
                self.assertFalse(set(found.ids) & set(foreign.ids), name)
                self.assertEqual(mine.search_count([(owner, "=", other.company.id)]), 0, name)
                if not foreign:
                    continue
                with self.assertRaises(AccessError, msg=name), mute_logger("odoo.addons.base.models.ir_rule"):
                    mine.browse(foreign.ids[:1]).read([owner])
                seen += 1
        self.assertGreaterEqual(seen, 2 * 23)
        for provider in (self.first, self.second):
            cards = {card["key"]: card["count"] for card in provider.env["isp.dashboard"].data()["cards"]}
            self.assertEqual(cards["active"], 1)

    def test_every_model_belongs_to_a_company(self):
        without = {name for name, owner in self.owned() if owner is None}
        self.assertLessEqual(without, {"isp.webhook_attempt", "isp.public_holiday"}, "a model without a company is seen by both")

    def test_what_is_the_others_cannot_be_used(self):
        ours = self.lines[self.first]
        for vals in ({"package_id": self.second.package.id}, {"router_id": self.second.router.id}):
            with self.assertRaises(UserError):
                self.env["isp.subscription"].with_context(
                    allowed_company_ids=(self.first.company | self.second.company).ids
                ).create({"customer_id": ours.customer_id.id, "package_id": self.first.package.id, "company_id": self.first.company.id, **vals})
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            self.second.router.with_user(self.first.user).isp_reveal("password")

    def test_a_user_of_both_works_in_the_chosen_one(self):
        both = self.first.company | self.second.company
        user = new_test_user(
            self.env, "keduanya", groups="isp_management.group_manager", company_id=self.first.company.id,
            company_ids=[Command.set(both.ids)],
        )
        for company in both:
            env = self.env(user=user.id, context={"allowed_company_ids": company.ids})
            self.assertEqual(env["isp.subscription"].search([]).company_id, company)
            customer = env["isp.customer"].create({"name": "Baru"})
            self.assertEqual((customer.company_id, customer.partner_id.company_id), (company, company))
        env = self.env(user=user.id, context={"allowed_company_ids": both.ids})
        self.assertEqual(env["isp.subscription"].search([]).company_id, both)
        ends = date(2026, 1, 5) + timedelta(days=27)
        printed = env["isp.report.print"].create({
            "report": "customer", "company_id": self.second.company.id, "date_from": date(2026, 1, 1), "date_to": ends,
        })
        rows = [cells for style, cells in printed._isp_table()["rows"] if style == "normal"]
        self.assertEqual([cells[0] for cells in rows], ["DUA0001", "DUA0002"])
