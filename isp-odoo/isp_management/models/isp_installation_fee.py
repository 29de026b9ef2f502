import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command

from ..logic.money import rupiah, whole
from ..logic.terms_rows import items_of
from .isp_guard_mixin import BILLING, PROGRAM

# A reversed invoice asks for nothing any more.
PAID = ("paid", "in_payment", "reversed")


class IspInstallationFee(models.Model):
    _name = "isp.installation_fee"
    _description = "Installation fee (PSB)"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.guard.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _isp_guarded = {"state": PROGRAM, "active": BILLING}
    _isp_guarded_later = {
        "name": BILLING, "amount": BILLING, "instalments": BILLING, "customer_id": BILLING, "company_id": PROGRAM,
        "invoice_count": PROGRAM, "amount_paid": PROGRAM, "payment_status": PROGRAM, "with_first_invoice": BILLING,
        "first_move_id": PROGRAM,
    }

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one(
        "isp.customer", required=True, check_company=True, ondelete="restrict", index=True, tracking=True
    )
    subscription_id = fields.Many2one(
        "isp.subscription", check_company=True, ondelete="restrict", index=True,
        domain="[('customer_id', '=', customer_id)]",
    )
    kind_id = fields.Many2one("isp.installation_kind", required=True, check_company=True, ondelete="restrict")
    date = fields.Date("Installed on", required=True, default=lambda self: self.env.company._isp_today(), index=True)
    amount = fields.Monetary(
        compute="_compute_from_kind", store=True, readonly=False, required=True, precompute=True, tracking=True
    )
    instalments = fields.Integer(
        compute="_compute_from_kind", store=True, readonly=False, required=True, precompute=True
    )
    with_first_invoice = fields.Boolean(
        help="The fee is no invoice of its own: it stands on the first invoice of the line, and is paid with it.",
    )
    first_move_id = fields.Many2one(
        "account.move", "First invoice", readonly=True, copy=False, check_company=True, ondelete="restrict", index="btree_not_null",
    )
    amount_with_ppn = fields.Monetary("With PPN", compute="_compute_amount_with_ppn", help="All parts together.")
    officer_id = fields.Many2one("res.users", default=lambda self: self.env.user)
    note = fields.Text()
    state = fields.Selection(
        [("draft", "New"), ("waiting", "Goes with the first invoice"), ("invoiced", "Invoiced"), ("cancelled", "Cancelled")],
        default="draft", required=True, copy=False, tracking=True,
    )
    move_ids = fields.One2many("account.move", "isp_installation_fee_id", "Invoices")
    invoice_count = fields.Integer(compute="_compute_payment_status", store=True)
    amount_paid = fields.Monetary("Amount paid", compute="_compute_payment_status", store=True)
    payment_status = fields.Selection(
        [("unpaid", "Unpaid"), ("partly_paid", "Partly paid"), ("paid", "Paid")],
        compute="_compute_payment_status", store=True, tracking=True,
    )

    _sql_constraints = [
        ("name_unique", "unique(company_id, name)", "There is a fee with this number already."),
        ("amount_positive", "check(amount >= 0)", "A fee is not negative."),
        ("instalments_range", "check(instalments between 1 and 12)", "A fee is paid in 1 to 12 parts."),
    ]

    @api.depends("kind_id")
    def _compute_from_kind(self):
        for fee in self:
            fee.amount = fee.kind_id.price
            fee.instalments = fee.kind_id.instalments or 1

    def _isp_moves(self):
        """The invoices that the fee stands on: its own, or the first of its line."""
        self.ensure_one()
        fee = self.sudo()
        return (fee.move_ids | fee.first_move_id).filtered(lambda m: m.state != "cancel" and m.move_type == "out_invoice")

    def _isp_share_of(self, move):
        """What the fee is of an invoice, PPN included."""
        if move != self.sudo().first_move_id:
            return move.amount_total
        return sum(items_of(move, True).filtered(lambda item: item.isp_installation_fee_id == self).mapped("price_total"))

    def _isp_paid_of(self, move):
        """What is paid of the fee with what is paid of an invoice."""
        paid = move.amount_total - move.amount_residual
        if move != self.sudo().first_move_id:
            return paid
        return isp_engine.fee_paid(whole(self._isp_share_of(move)), whole(move.amount_total), whole(paid))

    @api.depends(
        "amount", "instalments", "date", "with_first_invoice", "kind_id.tax_ids", "company_id.isp_pkp", "state", "move_ids.amount_total",
        "first_move_id.amount_total",
    )
    def _compute_amount_with_ppn(self):
        """What the invoices ask for; before there are any, what they will, part by part as Odoo's taxes round them."""
        for fee in self:
            moves = fee._isp_moves()
            if moves or not (fee.amount and fee.date):
                fee.amount_with_ppn = sum(fee._isp_share_of(move) for move in moves)
                continue
            prices = [fee.amount] if fee.with_first_invoice else [part.dpp for part in fee._isp_parts(fee.date, fee.instalments)]
            fee.amount_with_ppn = sum(fee._isp_with_ppn(price) for price in prices)

    @api.depends(
        "state", *(
            "%s.%s" % (moves, name) for moves in ("move_ids", "first_move_id")
            for name in ("state", "amount_total", "amount_residual", "payment_state")
        )
    )
    def _compute_payment_status(self):
        """From the invoices: parts that are not due yet are still to be paid."""
        for fee in self:
            moves = fee._isp_moves()
            fee.invoice_count = len(moves)
            fee.amount_paid = sum(fee._isp_paid_of(m) for m in moves if m.state == "posted")
            if moves and all(m.state == "posted" and m.payment_state in PAID for m in moves):
                fee.payment_status = "paid"
            elif fee.amount_paid:
                fee.payment_status = "partly_paid"
            else:
                fee.payment_status = "unpaid"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
                vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("isp.installation_fee")
        fees = super().create(vals_list)
        for name, group in self._isp_forbidden({"amount": BILLING, "instalments": BILLING}).items():
            for fee in fees.sudo():
                if fee[name] != (fee.kind_id.price if name == "amount" else fee.kind_id.instalments or 1):
                    raise self._isp_refusal(name, group, fee)
        return fees

    @api.constrains("with_first_invoice", "subscription_id", "amount")
    def _check_with_first_invoice(self):
        for fee in self:
            if fee.with_first_invoice and not fee.subscription_id:
                raise ValidationError(_("A fee that goes with the first invoice names the line."))
            if fee.with_first_invoice and fee.subscription_id.sudo().billed_elsewhere:
                raise ValidationError(_("%s is invoiced by another module, so no fee can go with its first invoice.", fee.subscription_id.name))
            try:
                rupiah(fee.amount)
            except ValueError as error:
                raise ValidationError(_("A fee is in whole rupiah.")) from error

    @api.ondelete(at_uninstall=False)
    def _unlink_only_new(self):
        if self.filtered(lambda f: f.state != "draft"):
            raise UserError(_("A fee that was invoiced is archived, not deleted."))

    def action_cancel(self):
        for fee in self._isp_may_write(BILLING):
            if (fee.move_ids | fee.first_move_id).filtered(lambda m: m.state == "posted"):
                raise UserError(_("Reverse the invoices of %s first.", fee.display_name))
            fee.state = "cancelled"
        return True

    def action_invoice(self):
        """Invoice the fee: the first part now, the others as drafts that Odoo posts on their day. One that goes with the first
        invoice of its line waits for it."""
        if not self.env.user.has_group("isp_management.group_billing"):
            raise AccessError(_("Only the billing group writes invoices."))
        for fee in self._isp_may_write(BILLING)._isp_hold():
            if fee.state != "draft":
                raise UserError(_("%s was invoiced already.", fee.display_name))
            if not fee.amount:
                raise UserError(_("%s has no amount.", fee.display_name))
            if fee.with_first_invoice:
                fee._isp_wait()
            else:
                fee._isp_write_invoices(fee.date, fee.instalments)
        return True

    def _isp_write_invoices(self, day, instalments):
        """Write the invoices of a fee from a day on; those of days to come are drafts that Odoo posts. Returns the posted ones."""
        self.ensure_one()
        fee = self.sudo()
        moves = self.env["account.move"].sudo().with_company(fee.company_id).create(fee._prepare_invoices(day, instalments))
        today = fee.company_id._isp_today()
        now = moves.filtered(lambda m: m.invoice_date <= today)
        now._post(soft=False)
        (moves - now).auto_post = "at_date"
        fee.state = "invoiced"
        return now

    def _isp_wish(self):
        """The fee as the engine takes it."""
        self.ensure_one()
        issued = self.env["account.move"].sudo().search_count([
            ("isp_subscription_id", "=", self.subscription_id.id), ("isp_period_start", "!=", False), ("isp_charge", "=", False),
            ("move_type", "=", "out_invoice"), ("isp_subscription_id", "!=", False),
        ], limit=1)
        return isp_engine.InstallationFee(
            self.id, rupiah(self.amount), self.date, self.instalments, self.with_first_invoice, bool(issued)
        )

    def _isp_parts(self, day, instalments):
        """The engine's parts of the fee from a day on; PPN is Odoo's."""
        self.ensure_one()
        wish = isp_engine.InstallationFee(0, rupiah(self.amount), day, instalments)
        [schedule] = isp_engine.installation_fees(
            [wish], policy=self.company_id._isp_billing_policy(), tax=isp_engine.TaxPolicy(pkp=False)
        )
        return self.env["isp.refusals"]._isp_allowed(schedule).parts

    def _isp_with_ppn(self, amount):
        """What Odoo's taxes make of an amount on an invoice of this customer; who sees the fee need not read the books."""
        fee = self.sudo()
        taxes = fee.kind_id.tax_ids if fee.company_id.isp_pkp else fee.kind_id.tax_ids.browse()
        position = fee.env["isp.invoice_writer"].with_company(fee.company_id)._fiscal_position(fee.customer_id.partner_id)
        return position.map_tax(taxes).compute_all(
            amount, currency=fee.currency_id, product=fee.kind_id.product_id
        )["total_included"]

    def _prepare_invoices(self, day, instalments):
        """Values of the invoices, one for each part."""
        self.ensure_one()
        writer = self.env["isp.invoice_writer"].with_company(self.company_id)
        journal, partner = self.company_id._isp_sale_journal(), self.customer_id.partner_id
        name = self.kind_id.with_context(lang=partner.lang or self.env.lang).name
        parts = self._isp_parts(day, instalments)
        policy, today = self.company_id._isp_billing_policy(), self.company_id._isp_today()
        vals = []
        for part in parts:
            text = name
            if len(parts) > 1:
                text = _("%(name)s, part %(number)s of %(count)s", name=name, number=part.number, count=len(parts))
            extra = {
                "isp_installation_fee_id": self.id,
                "isp_instalment": part.number,
                "invoice_origin": self.name,
            }
            vals.append(writer._plain_vals(
                writer._draft(
                    partner, journal, part.on, policy.due_date(part.on, today), [writer._line(self.kind_id, self.company_id, text, part.dpp)], extra
                )
            ))
        return vals

    def action_view_invoices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        return {**action, "domain": [("id", "in", (self.move_ids | self.first_move_id).ids)], "context": {"create": False}}


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        switched = self.filtered(lambda company: company.isp_pkp != bool(vals["isp_pkp"])) if "isp_pkp" in vals else self.browse()
        result = super().write(vals)
        switched._isp_fees_follow_pkp()
        return result

    def _isp_fees_follow_pkp(self):
        """The instalments that lie ahead are drafts: they charge PPN, or none, as their company does now. What is posted stays."""
        for company in self.sudo():
            writer = self.env["isp.invoice_writer"].sudo().with_company(company)
            moves = self.env["account.move"].sudo().with_company(company).search([
                ("company_id", "=", company.id), ("state", "=", "draft"), ("auto_post", "=", "at_date"),
                ("isp_installation_fee_id", "!=", False),
            ])
            for move in moves:
                kind = move.isp_installation_fee_id.kind_id
                taxes = writer._taxes(kind.tax_ids if company.isp_pkp else kind.tax_ids.browse(), move.partner_id)
                items_of(move, False).tax_ids = [Command.set(taxes.ids)]
