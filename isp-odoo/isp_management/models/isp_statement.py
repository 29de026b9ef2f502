"""One document for the lines of a customer who wants it (*tagihan gabungan*): invoices that are issued and due on the same days. Each
line keeps its invoice, its period and its isolation; what is said about them is said once."""

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError



class IspStatement(models.Model):
    _name = "isp.statement"
    _description = "Statement of several lines"
    _order = "issue_date desc, id desc"
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("isp.customer", required=True, readonly=True, check_company=True, ondelete="restrict", index=True)
    issue_date = fields.Date("Issued on", required=True, readonly=True)
    due_date = fields.Date("Due on", required=True, readonly=True)
    move_ids = fields.One2many("account.move", "isp_statement_id", "Invoices", readonly=True)
    invoice_count = fields.Integer("Number of invoices", compute="_compute_amounts")
    amount_total = fields.Monetary("Total", compute="_compute_amounts")
    amount_residual = fields.Monetary("Still open", compute="_compute_amounts")

    _sql_constraints = [
        ("name_unique", "unique(company_id, name)", "There is a statement with this number already."),
        ("days_unique", "unique(customer_id, issue_date, due_date)", "A customer has one statement for the same days."),
    ]

    @api.depends("move_ids.amount_total", "move_ids.amount_residual", "move_ids.state")
    def _compute_amounts(self):
        """Those of its invoices; who may see the statement need not read the books."""
        for statement in self:
            moves = statement.sudo().move_ids.filtered(lambda m: m.state == "posted")
            statement.invoice_count = len(moves)
            statement.amount_total = sum(moves.mapped("amount_total"))
            statement.amount_residual = sum(moves.mapped("amount_residual"))

    @api.model
    def _isp_of(self, customers):
        """The statements of customers, as the engine takes them."""
        found = {customer.id: [] for customer in customers}
        for statement in self.sudo().search([("customer_id", "in", customers.ids)], order="issue_date, id"):
            found[statement.customer_id.id].append(
                isp_engine.Statement(statement.name, statement.issue_date, statement.due_date)
            )
        return found

    def _isp_lang(self):
        return self.customer_id.partner_id.lang or self.env.lang

    def action_view_invoices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        return {**action, "domain": [("isp_statement_id", "=", self.id)], "context": {"create": False}}

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("Statements are kept: customers know their numbers."))


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    invoicing = fields.Selection(
        [("per_subscription", "Each line by itself"), ("per_customer", "One statement for all lines")], "Documents",
        default="per_subscription", required=True, tracking=True,
        help="On a statement stand the invoices of all lines that are issued and due on the same days, under one number.",
    )
    statement_ids = fields.One2many("isp.statement", "customer_id", "Statements")


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_statement_id = fields.Many2one(
        "isp.statement", "Statement of the lines", readonly=True, copy=False, ondelete="restrict", index="btree_not_null",
    )

    def _post(self, soft=True):
        """Invoices of the same days stand on one statement; one that is written late is added to that of its days."""
        posted = super()._post(soft)
        posted.sudo()._isp_state()
        return posted

    def _isp_state(self):
        ours = self.filtered(lambda m: m.move_type == "out_invoice" and (m.isp_subscription_id or m.isp_installation_fee_id))
        customers = {move: move._isp_invoiced_customer() for move in ours}
        concerned = self.env["isp.customer"].union(*customers.values())
        statements = self.env["isp.statement"].sudo()
        known = {
            (s.customer_id, s.issue_date, s.due_date): s for s in statements.search([("customer_id", "in", concerned.ids)])
        } if concerned else {}
        for move, customer in customers.items():
            days = (customer, move.invoice_date, move.invoice_date_due)
            if days not in known and customer.invoicing == "per_customer":
                sequence = self.env["ir.sequence"].with_company(move.company_id).with_context(ir_sequence_date=move.invoice_date)
                known[days] = statements.create({
                    "name": sequence.next_by_code("isp.statement"), "company_id": move.company_id.id, "customer_id": customer.id,
                    "issue_date": move.invoice_date, "due_date": move.invoice_date_due,
                })
            statement = known.get(days, statements.browse())
            if move.isp_statement_id != statement:
                move.isp_statement_id = statement
