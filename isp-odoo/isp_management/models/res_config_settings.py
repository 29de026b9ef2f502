from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_zone = fields.Selection(related="company_id.isp_zone", readonly=False)
    isp_pkp = fields.Boolean(related="company_id.isp_pkp", readonly=False)
    isp_is_rupiah = fields.Boolean(related="company_id.isp_is_rupiah")
    isp_issue_lead_days = fields.Integer(related="company_id.isp_issue_lead_days", readonly=False)
    isp_payment_terms_days = fields.Integer(related="company_id.isp_payment_terms_days", readonly=False)
    isp_catch_up_periods = fields.Integer(related="company_id.isp_catch_up_periods", readonly=False)
    isp_due_soon_days = fields.Char(related="company_id.isp_due_soon_days", readonly=False)
    isp_overdue_days = fields.Char(related="company_id.isp_overdue_days", readonly=False)
    isp_quiet_until = fields.Float(related="company_id.isp_quiet_until", readonly=False)
    isp_quiet_from = fields.Float(related="company_id.isp_quiet_from", readonly=False)
    isp_sender_name = fields.Char(related="company_id.isp_sender_name", readonly=False)
    isp_pay_to = fields.Text(related="company_id.isp_pay_to", readonly=False)
    isp_sender_contact = fields.Char(related="company_id.isp_sender_contact", readonly=False)
    isp_clock_days = fields.Integer(related="company_id.isp_clock_days", readonly=False)
    isp_isolate_after_days = fields.Integer(related="company_id.isp_isolate_after_days", readonly=False)
    isp_isolate_at = fields.Float(related="company_id.isp_isolate_at", readonly=False)
    isp_isolate_on_weekends = fields.Boolean(related="company_id.isp_isolate_on_weekends", readonly=False)
    isp_public_holidays = fields.Selection(related="company_id.isp_public_holidays", readonly=False)
    isp_reopen_when_paid_percent = fields.Integer(related="company_id.isp_reopen_when_paid_percent", readonly=False)
    isp_isolate_from = fields.Monetary(
        related="company_id.isp_isolate_from", readonly=False, currency_field="currency_id"
    )
    isp_promise_max_days = fields.Integer(related="company_id.isp_promise_max_days", readonly=False)
    isp_promise_per_period = fields.Integer(related="company_id.isp_promise_per_period", readonly=False)
    isp_proof_working_days = fields.Integer(related="company_id.isp_proof_working_days", readonly=False)
    isp_customer_lang = fields.Selection(related="company_id.isp_customer_lang", readonly=False)
    isp_has_fractions = fields.Boolean(related="company_id.isp_has_fractions")
    isp_breaker_count = fields.Integer(related="company_id.isp_breaker_count", readonly=False)
    isp_breaker_percent = fields.Integer(related="company_id.isp_breaker_percent", readonly=False)
    isp_sale_journal_id = fields.Many2one(
        related="company_id.isp_sale_journal_id", readonly=False, check_company=True
    )
    isp_cost_journal_id = fields.Many2one(
        related="company_id.isp_cost_journal_id", readonly=False, check_company=True
    )
    isp_device_cost_account_id = fields.Many2one(
        related="company_id.isp_device_cost_account_id", readonly=False, check_company=True
    )
    isp_cost_payment_account_id = fields.Many2one(
        related="company_id.isp_cost_payment_account_id", readonly=False, check_company=True
    )
    isp_billed_through = fields.Date(related="company_id.isp_billed_through")
