"""What attackers tried on a provider that charges no PPN, and on one that begins or ceases to."""

from datetime import date

from odoo import Command
from odoo.tests import tagged

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestAttacksOnPkp(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.kind = cls.env["isp.installation_kind"].create(
            {"name": "Wireless", "code": "WL", "price": 500_000, "tax_ids": [Command.set(cls.ppn.ids)]}
        )

    def fee(self, moment="2026-01-31 09:00", **vals):
        fee = self.env["isp.installation_fee"].create({
            "customer_id": self.new_customer().id, "kind_id": self.kind.id, "date": date(2026, 1, 31), "instalments": 3, **vals,
        })
        fee.with_env(self.at(moment)).action_invoice()
        return fee, fee.move_ids.sorted("isp_instalment")

    def post_due(self, moves):
        """As Odoo's cron does on their days."""
        for move in moves.filtered(lambda move: move.state == "draft"):
            move._post(soft=False)

    def test_instalments_after_the_company_is_no_pkp_any_more(self):
        fee, moves = self.fee()
        self.company.isp_pkp = False
        self.post_due(moves)
        self.assertEqual(moves.mapped("amount_tax"), [18_337, 0, 0], "what is posted stays, what lies ahead has no PPN")
        self.assertEqual(sum(moves.mapped("amount_untaxed")), 500_000)
        self.assertEqual(fee.amount_with_ppn, 500_000 + 18_337)

    def test_instalments_after_the_company_became_a_pkp(self):
        self.company.isp_pkp = False
        fee, moves = self.fee()
        self.assertEqual(moves.mapped("amount_tax"), [0, 0, 0])
        self.company.isp_pkp = True
        self.post_due(moves)
        self.assertEqual(moves.mapped("amount_tax"), [0, 18_337, 18_326])
        self.assertEqual(sum(moves.mapped("amount_untaxed")), 500_000)
        self.assertEqual(fee.amount_with_ppn, 500_000 + 18_337 + 18_326)
        # Twice the same is no change, and what a person wrote meanwhile stays.
        fee, moves = self.fee()
        moves[2].invoice_line_ids.tax_ids = False
        self.company.isp_pkp = True
        self.assertEqual(moves.mapped("amount_tax"), [18_337, 18_337, 0])

    def test_a_price_that_contains_its_ppn_sums_to_the_fee_either_way(self):
        included = self.ppn.copy({"name": "PPN dalam harga", "price_include": True})
        self.kind.tax_ids = included
        for pkp in (True, False):
            self.company.isp_pkp = pkp
            _fee, moves = self.fee()
            self.assertEqual(sum(moves.mapped("amount_total")), 500_000)
            self.company.isp_pkp = not pkp
            self.post_due(moves)
            self.assertEqual(sum(moves.mapped("amount_total")), 500_000)

    def test_books_that_round_to_the_cent(self):
        self.company.currency_id.rounding = 0.01
        for pkp, total in ((True, 555_000), (False, 500_000)):
            self.company.isp_pkp = pkp
            fee, moves = self.fee()
            self.post_due(moves)
            self.assertAlmostEqual(sum(moves.mapped("amount_untaxed")), 500_000, 2)
            self.assertAlmostEqual(sum(moves.mapped("amount_total")), total, 2)
            self.assertAlmostEqual(fee.amount_with_ppn, total, 2)

    def test_no_ppn_anywhere(self):
        """Invoices, a fee on the first one, credit notes, late fees and messages of who is no PKP."""
        self.company.write({
            "isp_pkp": False, "isp_late_fee": "fixed", "isp_late_fee_days": 3, "isp_late_fee_amount": 10_000, "isp_late_fee_ppn": True,
            "isp_credit_on_termination": True,
        })
        self.company.sudo().isp_late_fee_through = date(2026, 1, 1)
        line = self.new_subscription(self.new_customer("Tanpa PPN"), ppp_username="tanpa", ppp_password="x", router_id=self.router.id)
        fee = self.env["isp.installation_fee"].create({
            "customer_id": line.customer_id.id, "subscription_id": line.id, "kind_id": self.kind.id, "date": date(2026, 1, 5),
            "with_first_invoice": True,
        })
        fee.with_env(self.at("2026-01-05 07:00")).action_invoice()
        for moment in ("2026-01-05 08:00", "2026-02-05 08:00"):
            self.at(moment)["isp.billing_run"]._cron_bill()
        self.change_terms(line, "2026-02-10 09:00", "end", last_day=date(2026, 2, 15), reason="moved")
        moves = self.env["account.move"].search([("partner_id", "=", line.partner_id.id)])
        self.assertEqual(set(moves.mapped("move_type")), {"out_invoice", "out_refund"})
        self.assertTrue(moves.filtered("isp_late_fee_of_id"))
        self.assertEqual((set(moves.mapped("amount_tax")), moves.line_ids.tax_line_id), ({0}, self.env["account.tax"]))
        self.assertEqual(fee.amount_with_ppn, 500_000)
        self.env.flush_all()
        taxed = self.env["account.move.line"].search([("move_id", "in", moves.ids), ("tax_ids", "!=", False)])
        self.assertFalse(taxed)
