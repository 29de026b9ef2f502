"""The provider's own QRIS code, with the open amount, where the customer is asked for it."""

from datetime import date

import isp_engine

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .network_common import IspNetworkCommon


def static_code(merchant="CONTOH NET"):
    """The static code of an invented shop; its check sum is CRC-16/CCITT-FALSE."""
    fields = [("00", "01"), ("01", "11"), ("26", "0016ID.CO.CONTOH.WWW"), ("52", "4814"), ("53", "360"), ("58", "ID"), ("59", merchant),
              ("60", "BANDUNG")]
    text = "".join("%s%02d%s" % (tag, len(value), value) for tag, value in fields) + "6304"
    total = 0xFFFF
    for byte in text.encode():
        total ^= byte << 8
        for _bit in range(8):
            total = (total << 1 ^ 0x1021 if total & 0x8000 else total << 1) & 0xFFFF
    return "%s%04X" % (text, total)


@tagged("post_install", "-at_install")
class TestQris(IspNetworkCommon):
    def setUp(self):
        super().setUp()
        self.line = self.new_line(1)
        self.move = self.bill(self.line, date(2026, 1, 5))

    def html(self, report, record):
        return self.env["ir.actions.report"]._render_qweb_html(report, record.ids)[0].decode()

    def test_the_code_asks_for_what_is_open(self):
        self.assertFalse(self.move._isp_qris(), "no code of the company's")
        self.assertNotIn("QRIS", self.html("account.report_invoice", self.move))
        self.company.isp_qris = " %s\n" % static_code()
        self.assertEqual(self.company.isp_qris_shop, "CONTOH NET")
        self.assertIn("5406277500", self.move._isp_qris())
        page = self.html("account.report_invoice", self.move)
        self.assertIn("CONTOH NET", page)
        self.assertIn("data:image/png;base64", page)
        self.pay(self.move, 100_000)
        self.assertIn("5406177500", self.move._isp_qris())
        self.pay(self.move)
        self.assertFalse(self.move._isp_qris(), "nothing is open")
        self.assertNotIn("CONTOH NET", self.html("account.report_invoice", self.move))
        dear = self.bill(self.line, date(2026, 2, 5), amount=20_000_000)
        self.assertFalse(dear._isp_qris(), "more than QRIS takes")

    def test_what_is_no_code_is_refused(self):
        code = static_code()
        for bad in (code[:-1] + ("0" if code[-1] != "0" else "1"), "halo", code.replace("CONTOH NET", "CONTOH NOT")):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.company.isp_qris = bad
        self.assertEqual(isp_engine.qris_shop(code), "CONTOH NET")
