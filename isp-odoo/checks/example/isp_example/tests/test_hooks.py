from datetime import date

from odoo.tests import tagged
from odoo.tools import html2plaintext

from odoo.addons.isp_management.tests.network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestHooks(IspNetworkCommon):
    def test_each_hook_hears_of_the_life_of_a_line(self):
        line = self.new_line()
        move = self.bill(line, date(2026, 2, 23))
        self.sync("2026-03-01 09:00")
        self.decide("2026-03-10 10:00")
        self.sync("2026-03-10 10:01")
        self.send("2026-03-10 10:02")
        self.pay(move, env=self.at("2026-03-13 12:00"))
        self.sync("2026-03-13 12:01")
        told = [html2plaintext(body).strip() for body in line.message_ids.sorted("id").mapped("body")]
        told = [text.removeprefix("example: ") for text in told if text.startswith("example: ")]
        for text in (
            "%s invoiced" % move.name, "isolate decided, Rp277500 overdue", "isolate confirmed", "message isolated written",
            "message isolated sent", "%s paid" % move.name, "reopen decided, Rp0 overdue", "reopen confirmed",
        ):
            self.assertEqual(told.count(text), 1, (text, told))
        self.assertLess(told.index("isolate decided, Rp277500 overdue"), told.index("isolate confirmed"))
