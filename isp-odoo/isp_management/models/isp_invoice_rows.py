"""What Odoo need not work out again while `isp.invoice_writer` writes invoices whose lines are all given.

Each of these cost a query or a record of its own for every line. `test_billing_rows` compares the rows with Odoo's.
"""

from odoo import api, models

# Given by `isp.invoice_writer._item_row`.
ITEM_ROW = {
    "account_root_id", "date", "invoice_date", "move_name", "parent_state", "ref", "payment_id", "statement_id", "statement_line_id",
    "reconciled", "tax_tag_invert", "price_subtotal", "price_total", "amount_residual", "amount_residual_currency",
}
SEQUENCE = {"tax": 10000, "payment_term": 12000}


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.onchange("payment_reference")
    def _inverse_payment_reference(self):
        """The payment term line is named after the reference; one that is given has its name."""
        if not self.env.context.get("isp_reference_given"):
            return super()._inverse_payment_reference()
        return None


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.model
    def _isp_given(self, rows):
        return self.env.context.get("isp_rows_given") and all(ITEM_ROW <= row.keys() for row in rows)

    @api.model
    def _add_precomputed_values(self, vals_list):
        """Odoo works these out on a second, unsaved record of each line. Of one that is given they follow at once."""
        if self._isp_given(vals_list):
            for vals in vals_list:
                self._isp_add_precomputed(vals)
        # What another module wants worked out.
        return super()._add_precomputed_values(vals_list)

    def _isp_add_precomputed(self, vals):
        move = self.env["account.move"].browse(vals["move_id"])
        tax = self.env["account.tax.repartition.line"].browse(vals.get("tax_repartition_line_id")).tax_id
        follows = {
            "journal_id": move.journal_id.id, "company_id": move.company_id.id, "company_currency_id": move.company_id.currency_id.id,
            "tax_line_id": tax.id, "tax_group_id": tax.tax_group_id.id, "sequence": SEQUENCE.get(vals["display_type"], 100),
            "product_uom_id": False, "price_unit": 0.0, "quantity": 0.0,
            "debit": max(vals["balance"], 0.0), "credit": max(-vals["balance"], 0.0),
        }
        for name, value in follows.items():
            vals.setdefault(name, value)
        # Nothing follows from them that is not given too.
        vals["__precomputed__"] = {self._fields[name] for name in vals if self._fields[name].precompute}

    @api.model
    def _create(self, data_list):
        items = super()._create(data_list)
        if self._isp_given([data["stored"] for data in data_list]):
            for name in ITEM_ROW:
                self.env.remove_to_compute(self._fields[name], items)
        return items


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _increase_rank(self, field, n=1):
        """Within a batch it is only noted: `isp.invoice_writer._count_sales` does it for all at once."""
        ranks = self.env.context.get("isp_ranks")
        if ranks is None:
            return super()._increase_rank(field, n)
        for partner in self.with_context(isp_ranks=None):
            ranks[field, partner] += n
