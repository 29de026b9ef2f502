"""Settings of late fees, of what is given back, of debts that are given up and of collectors."""

from datetime import timedelta

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..logic import policy

LATE_FEES = [("none", "None"), ("fixed", "The same for every invoice"), ("percent", "Percent of what is unpaid")]
WHILE_ISOLATED = [
    ("bill", "Bill as always"), ("skip", "Leave the period out"), ("prorate", "Give the isolated days back"),
]
OUTAGE_CREDITS = [("day", "By whole days (24 hours)"), ("hour", "To the minute")]
BAD_DEBT_DOMAIN = "[('account_type', 'in', ('expense', 'expense_direct_cost')), ('company_id', '=', %s)]"


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_while_isolated = fields.Selection(WHILE_ISOLATED, "While isolated", default="bill", required=True)
    isp_credit_on_pause = fields.Boolean("A pause gives its days back", help="Of the period that runs. Whole periods always come back.")
    isp_credit_on_termination = fields.Boolean(
        "An end gives its days back", help="Of the period that holds the last day. Whole periods always come back."
    )
    isp_late_fee = fields.Selection(LATE_FEES, "Late fee (denda)", default="none", required=True)
    isp_late_fee_days = fields.Integer("Days after the due date", default=7)
    isp_late_fee_amount = fields.Monetary("Amount of the fee", default=10_000)
    isp_late_fee_percent = fields.Integer("Percent of the fee", default=2)
    isp_late_fee_minimum = fields.Monetary("At least")
    isp_late_fee_ppn = fields.Boolean("PPN on the fee", help="A fee for paying late is no price of a service, so none by default.")
    isp_late_fee_product_id = fields.Many2one(
        "product.product", "Product of late fees", check_company=True, domain="[('type', '=', 'service')]",
        help="Decides the income account. Empty: one is made for the first fee.",
    )
    isp_late_fee_through = fields.Date(
        "Late fees charged through", readonly=True, copy=False,
        help="Fees of later days are charged. Setting the policy starts it: nothing of the time before is charged.",
    )
    isp_outage_min_hours = fields.Integer("Restitution from (hours)", default=24)
    isp_outage_by = fields.Selection(OUTAGE_CREDITS, "Counted", default="day", required=True)
    isp_bad_debt_account_id = fields.Many2one(
        "account.account", "Bad debt account", check_company=True, domain=BAD_DEBT_DOMAIN % "id",
    )
    isp_collector_journal_id = fields.Many2one(
        "account.journal", "Cash with collectors", check_company=True,
        domain="[('type', '=', 'cash'), ('company_id', '=', id)]",
        help="Its account holds the cash that collectors have taken and not handed over. Empty: made with the first collector.",
    )

    isp_pph23_journal_id = fields.Many2one(
        "account.journal", "PPh 23 kept back", check_company=True, domain="[('type', '=', 'cash'), ('company_id', '=', id)]",
        help="Its account holds the PPh 23 that customers kept back, by their slips: a claim on the income tax, no money. Empty: made "
             "with the first slip.",
    )

    @api.constrains(
        "isp_late_fee", "isp_late_fee_days", "isp_late_fee_amount", "isp_late_fee_percent", "isp_late_fee_minimum",
        "isp_outage_min_hours",
    )
    def _check_isp_money_policy(self):
        self._check_isp_policy()

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies.filtered(lambda c: c.isp_late_fee != "none")._isp_start_late_fees()
        return companies

    def write(self, vals):
        starting = self.filtered(lambda c: c.isp_late_fee == "none") if vals.get("isp_late_fee", "none") != "none" else self.browse()
        result = super().write(vals)
        starting._isp_start_late_fees()
        return result

    def _isp_start_late_fees(self):
        """Nothing of the time before the policy was set is charged."""
        for company in self.sudo():
            company.isp_late_fee_through = company._isp_today() - timedelta(days=1)

    def _isp_late_fee_policy(self):
        """The engine's policy, or None when no fee is charged."""
        self.ensure_one()
        return policy.late_fee(self)

    def _isp_outage_policy(self):
        self.ensure_one()
        return policy.outage(self)

    def _isp_late_fee_product(self):
        self.ensure_one()
        if not self.isp_late_fee_product_id:
            self.sudo().isp_late_fee_product_id = self.env["isp.package"]._isp_new_product(
                {"name": _("Late fee"), "code": "DENDA", "company_id": self.id}
            )
        return self.isp_late_fee_product_id

    def _isp_colleague(self, group="isp_management.group_billing"):
        """Whom a task of a group is given to: one of the company's people in it, else whoever works now."""
        self.ensure_one()
        people = self.env.ref(group).sudo().users.filtered(lambda user: user.active and not user.share and self in user.company_ids)
        return (people - self.env.ref("base.user_root"))[:1] or self.env.user

    def _isp_collector_journal(self):
        """The journal of collectors' cash: what is paid to one is on its account at once, not on the way to a bank."""
        self.ensure_one()
        company = self.sudo()
        if not company.isp_collector_journal_id:
            journal = self.env["account.journal"].sudo().with_company(company).create({
                "name": _("Cash with collectors"), "code": "KOLEK", "type": "cash", "company_id": company.id,
            })
            lines = journal.inbound_payment_method_line_ids | journal.outbound_payment_method_line_ids
            lines.payment_account_id = journal.default_account_id
            company.isp_collector_journal_id = journal
        return company.isp_collector_journal_id.sudo(False)

    def _isp_pph23_journal(self):
        """The journal of slips of PPh 23, on an account of its own that is no money."""
        self.ensure_one()
        company = self.sudo()
        if not company.isp_pph23_journal_id:
            accounts = self.env["account.account"].sudo().with_company(company)
            prefix = company.cash_account_code_prefix or company.bank_account_code_prefix or "1"
            digits = len(accounts.search([("company_id", "=", company.id)], limit=1).code or "") or 6
            account = accounts.create({
                "name": _("PPh 23 prepaid"), "code": accounts._search_new_account_code(company, digits, prefix),
                "account_type": "asset_prepayments", "company_id": company.id,
            })
            journal = self.env["account.journal"].sudo().with_company(company).create({
                "name": _("PPh 23 slips"), "code": "PPH23", "type": "cash", "company_id": company.id, "default_account_id": account.id,
                "sequence": 100,
            })
            lines = journal.inbound_payment_method_line_ids | journal.outbound_payment_method_line_ids
            lines.payment_account_id = account
            company.isp_pph23_journal_id = journal
        return company.isp_pph23_journal_id.sudo(False)

    def _isp_bad_debt_account(self):
        self.ensure_one()
        if not self.isp_bad_debt_account_id:
            raise UserError(_("%s has no account for bad debts. Choose one in the settings.", self.name))
        return self.isp_bad_debt_account_id


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_while_isolated = fields.Selection(related="company_id.isp_while_isolated", readonly=False)
    isp_credit_on_pause = fields.Boolean(related="company_id.isp_credit_on_pause", readonly=False)
    isp_credit_on_termination = fields.Boolean(related="company_id.isp_credit_on_termination", readonly=False)
    isp_late_fee = fields.Selection(related="company_id.isp_late_fee", readonly=False)
    isp_late_fee_days = fields.Integer(related="company_id.isp_late_fee_days", readonly=False)
    isp_late_fee_amount = fields.Monetary(
        related="company_id.isp_late_fee_amount", readonly=False, currency_field="currency_id"
    )
    isp_late_fee_percent = fields.Integer(related="company_id.isp_late_fee_percent", readonly=False)
    isp_late_fee_minimum = fields.Monetary(
        related="company_id.isp_late_fee_minimum", readonly=False, currency_field="currency_id"
    )
    isp_late_fee_ppn = fields.Boolean(related="company_id.isp_late_fee_ppn", readonly=False)
    isp_late_fee_product_id = fields.Many2one(related="company_id.isp_late_fee_product_id", readonly=False)
    isp_late_fee_through = fields.Date(related="company_id.isp_late_fee_through")
    isp_outage_min_hours = fields.Integer(related="company_id.isp_outage_min_hours", readonly=False)
    isp_outage_by = fields.Selection(related="company_id.isp_outage_by", readonly=False)
    isp_bad_debt_account_id = fields.Many2one(
        related="company_id.isp_bad_debt_account_id", readonly=False, domain=BAD_DEBT_DOMAIN % "company_id",
    )
    isp_collector_journal_id = fields.Many2one(
        related="company_id.isp_collector_journal_id", readonly=False,
        domain="[('type', '=', 'cash'), ('company_id', '=', company_id)]",
    )
    isp_pph23_journal_id = fields.Many2one(
        related="company_id.isp_pph23_journal_id", readonly=False,
        domain="[('type', '=', 'cash'), ('company_id', '=', company_id)]",
    )
