"""A provider whose five reports have something to say; the tests of figures and of PDFs print the same one."""

import time
from datetime import date

from .common import IspCommon


class IspReportsCommon(IspCommon):
    """Two packages on two sites, billed on 5 January and 5 February 2026; seen on 20 February."""

    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.router.location = "Bandung"
        cls.garut = cls.router.copy({"name": "Garut-1", "location": "Garut"})
        cls.fast = cls.new_package("HOME-50", 400_000)
        cls.siti = cls.new_customer(city="Bandung")
        cls.budi = cls.new_customer("Budi Santoso", city="Garut", mobile="0813-1111-2222")
        cls.sub_siti = cls.new_subscription(cls.siti)
        cls.sub_budi = cls.new_subscription(cls.budi, package_id=cls.fast.id, router_id=cls.garut.id)
        for day in ("2026-01-05 08:00", "2026-02-05 08:00"):
            env = cls.at(day)
            cls.assertTrue(cls, env["isp.billing_run"]._bill(env.company, time.monotonic() + 60))
        cls.pay(cls.sub_siti.move_ids.sorted("invoice_date")[0], 277_500, date(2026, 1, 10))
        cls.pay(cls.sub_budi.move_ids.sorted("invoice_date")[0], 100_000, date(2026, 2, 11))
        kind = cls.env["isp.installation_kind"].create({"name": "Fiber", "code": "FO", "price": 300_000, "tax_ids": False})
        fee = cls.env["isp.installation_fee"].create({
            "customer_id": cls.siti.id, "subscription_id": cls.sub_siti.id, "kind_id": kind.id, "date": date(2026, 1, 5),
        })
        fee.with_env(cls.at("2026-01-05 09:00")).action_invoice()
        # After the last invoice: a credit pays the next one.
        advance = cls.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": cls.siti.partner_id.id,
            "amount": 50_000, "date": date(2026, 2, 15),
        })
        advance.action_post()
        account = cls.company_data["default_account_expense"]
        category = cls.env["isp.expense_category"].create({"name": "Bandwidth", "code": "BW", "account_id": account.id})
        cls.expense = cls.env["isp.expense"].create({
            "name": "Bandwidth", "category_id": category.id, "amount": 1_000_000, "date": date(2026, 1, 31),
        })
        cls.expense.action_post()
        cls.cpe = cls.env["isp.cpe"].create({
            "customer_id": cls.budi.id, "subscription_id": cls.sub_budi.id, "outdoor_unit": "LHG 5", "value": 900_000,
        })
        cls.cpe.action_install()
        cls.env["isp.device_history"].create({
            "customer_id": cls.budi.id, "cpe_id": cls.cpe.id, "kind": "replaced", "device": "LHG 5", "reason": "petir",
            "ownership": "lent", "cost": 750_000, "date": date(2026, 2, 2),
        })
        cls.env.flush_all()

    @classmethod
    def pay(cls, move, amount, day):
        cls.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({"amount": amount, "payment_date": day})._create_payments()

    def seen(self, key):
        return self.at("2026-02-20 09:00")["isp.report.%s" % key]

    def printed(self, key, **vals):
        return self.at("2026-02-20 09:00")["isp.report.print"].create({
            "report": key, "date_from": date(2026, 1, 1), "date_to": date(2026, 2, 28), **vals,
        })
