"""A provider whose router and WhatsApp number are simulated, behind real sockets."""

from datetime import date, timedelta

from isp_engine.testing import SimulatedRouter, SimulatedWhatsApp

from .common import IspCommon


class IspNetworkCommon(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.meta = SimulatedWhatsApp(sender=True)
        cls.addClassCleanup(cls.meta.close)
        cls.channel = cls.env["isp.channel"].create({
            "name": "CS",
            "phone_number_id": cls.meta.phone_number_id,
            "base_url": cls.meta.base_url,
            "access_token": cls.meta.access_token,
            "app_secret": cls.meta.app_secret,
            "verify_token": "kata-kunci",
        })

    def setUp(self):
        super().setUp()
        self.simulated = SimulatedRouter(identity="tower-1")
        self.addCleanup(self.simulated.close)
        host, port = self.simulated.address.split(":")
        self.router.write({
            "host": host, "port": int(port), "username": self.simulated.username, "timeout_seconds": 2,
            "password": self.simulated.password,
        })
        # WhatsApp outlives a test, its faults do not.
        self.addCleanup(self.meta.up)
        self.addCleanup(self.meta.heal)
        self.already = len(self.meta.messages())

    @classmethod
    def new_line(cls, number=1, **vals):
        """An active subscription with an account of its own."""
        customer = cls.new_customer("Pelanggan %s" % number, mobile="0812-0000-%04d" % number)
        return cls.new_subscription(
            customer, ppp_username="pelanggan-%s" % number, ppp_password="rahasia-%s" % number, **vals
        )

    @classmethod
    def bill(cls, line, issued, amount=250_000):
        """A posted invoice of a line, due ten days later."""
        move = cls.env["account.move"].create({
            "move_type": "out_invoice",
            "partner_id": line.partner_id.id,
            "company_id": line.company_id.id,
            "invoice_date": issued,
            "invoice_date_due": issued + timedelta(days=10),
            "isp_subscription_id": line.id,
            "isp_period_start": issued,
            "invoice_line_ids": [(0, 0, {
                "product_id": line.package_id.product_id.id, "name": "Internet", "quantity": 1, "price_unit": amount,
                "tax_ids": [(6, 0, cls.ppn.ids)],
            })],
        })
        move.action_post()
        return move

    @classmethod
    def pay(cls, move, amount=None, env=None, on=date(2026, 3, 13)):
        """Register a payment as the cashier's wizard does."""
        vals = {"payment_date": on}
        if amount is not None:
            vals["amount"] = amount
        wizard = (env or cls.env)["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create(vals)
        return wizard._create_payments()

    def on_router(self, line):
        """What the router has for a line; None when it has nothing."""
        return self.simulated.secret(line.ppp_username)

    def sent(self):
        """The messages that WhatsApp took during this test."""
        return self.meta.messages()[self.already:]

    def sync(self, moment):
        self.at(moment)["isp.router"]._cron_isp_sync()
        self.env.invalidate_all()

    def decide(self, moment):
        self.at(moment)["isp.subscription"]._cron_isp_isolation()
        self.env.invalidate_all()

    def send(self, moment):
        self.at(moment)["isp.notification"]._cron_isp_send()
        self.env.invalidate_all()
