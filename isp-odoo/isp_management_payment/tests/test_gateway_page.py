"""The link in a message leads to a code of the gateway: for all that is owed, and through what is offered only."""

from datetime import datetime, timedelta

from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_gateways import ISSUED, LOGS, GatewayCommon


@tagged("post_install", "-at_install")
class TestPaidFromTheCustomersPage(GatewayCommon):
    """The link in a message leads to a code of the gateway without logging in."""

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)
        self.provider = self.providers["isp_midtrans"]
        self.provider.is_published = True
        self.qris = self.env.ref("payment.payment_method_qris")
        self.qris.active = True
        self.second = self.bill(self.line, ISSUED + timedelta(days=1))

    def page(self):
        token = self.customer._isp_page_token()
        self.env.flush_all()
        return self.url_open("/my/bill/%s?access_token=%s&lang=en" % (self.customer.id, token)).text

    def go(self, way, token=None):
        self.env.flush_all()
        with mute_logger(*LOGS):
            answer = self.url_open("/my/bill/%s/online" % self.customer.id, data={
                "csrf_token": Request.csrf_token(self), "access_token": token or self.customer._isp_page_token(), "lang": "en", "way": way,
            })
        self.env.invalidate_all()
        return answer

    def test_all_that_is_owed_is_paid_at_once(self):
        way = "%s-%s" % (self.provider.id, self.qris.id)
        self.assertIn('value="%s"' % way, self.page())
        answer = self.go(way)
        self.assertIn("/payment/isp/pay/", answer.url)
        self.assertIn("data:image/png", answer.text)
        self.assertNotIn(self.customer.name, answer.text)
        transaction = self.env["payment.transaction"].search([("invoice_ids", "in", self.second.ids)])
        self.assertEqual((transaction.amount, transaction.invoice_ids), (555_000, self.move | self.second))
        self.pay_at(transaction)
        self.assertEqual(self.webhook(transaction).status_code, 200)
        self.assertEqual((transaction.state, self.move.amount_residual, self.second.amount_residual), ("done", 0, 0))
        self.assertNotIn("Pay online", self.page())
        self.assertIn("said=nothing", self.go(way).url)

    def test_the_code_is_shown_in_the_language_and_the_time_of_who_pays(self):
        answer = self.go("%s-%s" % (self.provider.id, self.qris.id))
        transaction = self.env["payment.transaction"].search([("invoice_ids", "in", self.second.ids)])
        transaction.sudo().isp_expires_at = datetime(2026, 3, 1, 18, 30)
        self.env.flush_all()
        text = self.url_open(answer.url).text
        self.assertIn("03/02/2026 01:30", text)
        self.assertIn("WIB", text)
        self.assertNotIn("/my/invoices", text)
        self.assertIn("Scan with any app", text)
        other = self.url_open(answer.url.replace("lang=en", "lang=id")).text
        self.assertIn("02/03/2026 01:30", other)
        self.assertNotIn("Scan with any app", other)
        # Without a choice it is the payer's language.
        transaction.partner_id.lang = "id_ID"
        self.env.flush_all()
        self.assertIn("02/03/2026 01:30", self.url_open(answer.url.replace("&lang=en", "")).text)

    def test_only_through_what_is_offered(self):
        hidden = self.providers["isp_tripay"]
        self.assertNotIn(hidden.name + "<", self.page())
        for way in ("%s-%s" % (hidden.id, self.qris.id), "", "x", "%s-%s" % (self.provider.id, self.env.ref("payment.payment_method_bri").id + 10**6)):
            self.assertEqual(self.go(way).status_code, 404, way)
        self.assertEqual(self.go("%s-%s" % (self.provider.id, self.qris.id), token="x").status_code, 404)
        self.assertFalse([one for gateway in self.gateways.values() for one in gateway.transactions()])
        self.gateways["isp_midtrans"].close()
        answer = self.go("%s-%s" % (self.provider.id, self.qris.id))
        self.assertIn("said=busy", answer.url)
        self.assertIn("try again in a moment", answer.text)
