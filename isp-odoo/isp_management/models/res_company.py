from datetime import timedelta, timezone

import isp_engine
from isp_engine import whatsapp

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from ..logic import clock, policy

ZONES = [("WIB", "WIB (UTC+7)"), ("WITA", "WITA (UTC+8)"), ("WIT", "WIT (UTC+9)")]


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_zone = fields.Selection(ZONES, "Time zone of service", default="WIB", required=True)
    isp_pkp = fields.Boolean("PKP (charges PPN)", default=True)
    isp_issue_lead_days = fields.Integer("Issue before the period (days)", default=0)
    isp_payment_terms_days = fields.Integer("Payment terms (days)", default=10)
    isp_catch_up_periods = fields.Integer("Periods to catch up at most", default=12)
    isp_due_soon_days = fields.Char("Remind before the due date (days)", default="3")
    isp_overdue_days = fields.Char("Remind after the due date (days)", default="3")
    isp_quiet_until = fields.Float("Messages from", default=8.0)
    isp_quiet_from = fields.Float("Messages until", default=20.0)
    isp_sender_name = fields.Char(
        "Name in messages", size=60, help="Who asks for the money; empty: the company's name. The standard texts say it, everything that is owed"
        " and how to pay.",
    )
    isp_pay_to = fields.Text("How to pay, in messages", help="One way in each line, three at most: a bank account with its holder, a counter, a link.")
    isp_sender_contact = fields.Char("Where to ask", size=60, help="A number or an address; empty: the name.")
    isp_clock_days = fields.Integer(
        "Ask after so many days without a run", default=45,
        help="A run that lies before the last one, or so much later, writes nothing until a manager says that the clock is right.",
    )
    isp_isolate_after_days = fields.Integer("Isolate after (days overdue)", default=5)
    isp_isolate_at = fields.Float("Isolate not before", default=10.0)
    isp_isolate_on_weekends = fields.Boolean("Isolate on Saturday and Sunday")
    isp_public_holidays = fields.Selection(
        [("all", "Never"), ("national", "On joint leave (cuti bersama) only"), ("none", "As on any day")],
        "Isolate on public holidays", default="all", required=True,
    )
    isp_reopen_when_paid_percent = fields.Integer("Reopen when paid (percent)", default=100)
    isp_isolate_from = fields.Monetary(
        "Isolate from (overdue)", default=10_000, help="Nobody is isolated, or stays so, for less than this overdue in all of a line.",
    )
    isp_promise_max_days = fields.Integer("Longest promise (days)", default=14)
    isp_promise_per_period = fields.Integer("Promises in a period of billing", default=1)
    isp_proof_working_days = fields.Integer(
        "A proof holds isolation back (working days)", default=2,
        help="While the first proof of transfer of an invoice waits for review, its line is not isolated, for so long at most.",
    )
    isp_breaker_count = fields.Integer("Isolations of a router per run without approval", default=20)
    isp_breaker_percent = fields.Integer("or percent of its subscribers", default=10)
    isp_sale_journal_id = fields.Many2one(
        "account.journal", "Journal of subscription invoices", check_company=True,
        domain="[('type', '=', 'sale')]",
    )
    isp_cost_journal_id = fields.Many2one(
        "account.journal", "Journal of costs", check_company=True,
        domain="[('type', '=', 'general')]",
    )
    isp_device_cost_account_id = fields.Many2one(
        "account.account", "Device cost account", check_company=True,
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost'))]",
    )
    isp_cost_payment_account_id = fields.Many2one(
        "account.account", "Costs are paid from", check_company=True,
        domain="[('account_type', 'in', ('asset_cash', 'liability_current', 'liability_payable'))]",
    )
    isp_billed_through = fields.Date(
        "Billed through", readonly=True, copy=False,
        help="Every period that came due on or before this day has been billed.",
    )

    @api.constrains(
        "isp_issue_lead_days", "isp_payment_terms_days", "isp_catch_up_periods", "isp_due_soon_days",
        "isp_overdue_days", "isp_quiet_until", "isp_quiet_from", "isp_isolate_after_days", "isp_isolate_at",
        "isp_reopen_when_paid_percent", "isp_breaker_count", "isp_breaker_percent", "isp_sender_name", "isp_pay_to",
        "isp_sender_contact", "isp_clock_days", "isp_isolate_from", "isp_promise_max_days", "isp_promise_per_period", "isp_proof_working_days",
    )
    def _check_isp_policy(self):
        for company in self:
            try:
                policy.billing(company)
                policy.dunning(company)
                policy.isolation(company)
                policy.late_fee(company)
                policy.outage(company)
                policy.clock_guard(company)
                # A text of one's own may ask for what only a company with a name can say.
                whatsapp.preview(
                    [], templates=self.env["isp.message_template"]._isp_engine_templates(company), sender=policy.sender(company),
                )
                policy.promise(company)
            except ValueError as error:
                raise ValidationError(_("This setting is not possible: %s", error)) from error

    def _isp_promise_policy(self):
        self.ensure_one()
        return policy.promise(self)

    def _isp_billing_policy(self):
        self.ensure_one()
        return policy.billing(self)

    def _isp_dunning_policy(self):
        self.ensure_one()
        return policy.dunning(self)

    def _isp_clock_policy(self):
        self.ensure_one()
        return policy.clock_guard(self)

    def _isp_sender(self):
        self.ensure_one()
        return policy.sender(self.sudo())

    def _isp_isolation_policy(self):
        self.ensure_one()
        holidays = self.env["isp.holiday"].sudo().search([("company_id", "in", (False, self.id))])
        return policy.isolation(self, holidays.mapped("date"))

    def _isp_tax_policy(self):
        self.ensure_one()
        return policy.tax(self)

    def _isp_now(self):
        """The moment of a run, aware; ``isp_now`` in the context (naive UTC, as Odoo has it) lets a test set it."""
        given = self.env.context.get("isp_now")
        if given and clock.may_be_set():
            return fields.Datetime.to_datetime(given).replace(tzinfo=timezone.utc)
        return clock.given() or fields.Datetime.now().replace(tzinfo=timezone.utc)

    def _isp_today(self):
        """Today on the company's calendar, which the UTC date is not before 07:00 in Jakarta."""
        self.ensure_one()
        return (self._isp_now() + timedelta(hours=policy.ZONE_HOURS[self.isp_zone])).date()

    @api.model
    def _isp_engine_version(self):
        return isp_engine.__version__

    def _isp_sale_journal(self):
        """The journal that subscriptions are invoiced in: the chosen one, else the company's first sale journal."""
        self.ensure_one()
        journal = self.isp_sale_journal_id or self.env["account.journal"].search(
            [*self.env["account.journal"]._check_company_domain(self), ("type", "=", "sale")], limit=1
        )
        if not journal:
            raise ValidationError(_("%s has no sale journal.", self.name))
        return journal

    def _isp_cost_journal(self):
        """The journal that device costs and expenses are posted in."""
        self.ensure_one()
        journal = self.isp_cost_journal_id or self.env["account.journal"].search(
            [*self.env["account.journal"]._check_company_domain(self), ("type", "=", "general")], limit=1
        )
        if not journal:
            raise ValidationError(_("%s has no journal for costs.", self.name))
        return journal
