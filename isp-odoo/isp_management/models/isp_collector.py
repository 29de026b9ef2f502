"""Collectors (kolektor): who takes cash at customers' doors, holds it, and hands it over (setoran).

Cash taken pays the invoice at once, as a payment in the journal of collectors' cash. Handing over is Odoo's own internal
transfer from there to the office's cash or the bank. What a collector holds is what was taken less what was handed over."""

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError


class IspCollector(models.Model):
    _name = "isp.collector"
    _description = "Collector of cash"
    _inherit = ["mail.thread"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", "Logs in as", help="When the collector uses Odoo too.")
    phone = fields.Char()
    area = fields.Char(help="Villages or streets where this collector goes.")
    subscription_ids = fields.One2many("isp.subscription", "collector_id", "Subscriptions")
    subscription_count = fields.Integer("Lines", compute="_compute_subscription_count")
    collected = fields.Monetary(compute="_compute_holds")
    deposited = fields.Monetary("Handed over", compute="_compute_holds")
    holds = fields.Monetary("Cash in hand", compute="_compute_holds", help="Taken from customers and not handed over.")
    to_collect = fields.Monetary("To be collected", compute="_compute_to_collect", help="Unpaid invoices of the collector's lines.")

    _sql_constraints = [("name_unique", "unique(company_id, name)", "There is a collector with this name already.")]

    def _compute_subscription_count(self):
        counts = dict(self.env["isp.subscription"]._read_group(
            [("collector_id", "in", self.ids), ("state", "in", ("active", "paused"))], ["collector_id"], ["__count"]
        ))
        for collector in self:
            collector.subscription_count = counts.get(collector, 0)

    def _compute_holds(self):
        groups = self.env["isp.report.collector"].sudo()._read_group(
            [("collector_id", "in", self.ids)], ["collector_id"], ["collected:sum", "deposited:sum"]
        )
        sums = {collector.id: (taken, given) for collector, taken, given in groups}
        for collector in self:
            collector.collected, collector.deposited = sums.get(collector.id, (0, 0))
            collector.holds = collector.collected - collector.deposited

    def _isp_open_domain(self):
        return [
            ("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("amount_residual", ">", 0),
            ("isp_subscription_id.collector_id", "in", self.ids),
        ]

    def _compute_to_collect(self):
        sums = dict.fromkeys(self.ids, 0)
        for move in self.env["account.move"].sudo().search(self._isp_open_domain()):
            sums[move.isp_subscription_id.collector_id.id] += move.amount_residual
        for collector in self:
            collector.to_collect = sums.get(collector.id, 0)

    @api.model_create_multi
    def create(self, vals_list):
        collectors = super().create(vals_list)
        for company in collectors.company_id:
            company._isp_collector_journal()
        return collectors

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.env["isp.report.collector"].sudo().search_count([("collector_id", "in", self.ids)], limit=1):
            raise UserError(_("A collector who ever took cash is archived, not deleted."))

    @api.constrains("active")
    def _check_holds_nothing(self):
        self.invalidate_recordset(["collected", "deposited", "holds"])
        for collector in self:
            if not collector.active and collector.holds:
                raise ValidationError(_("%s still holds cash. Write down the deposit first.", collector.name))

    def action_deposit(self):
        return self.env["isp.deposit.wizard"]._isp_open_for(self)

    def action_view_to_collect(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_invoice_action")
        title = _("To be collected by %s", self.name)
        return {**action, "name": title, "display_name": title, "domain": self._isp_open_domain()}

    def action_view_payments(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_report_collector_action")
        return {**action, "domain": [("collector_id", "=", self.id)], "context": {}}

    def action_view_subscriptions(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_subscription_action")
        return {**action, "domain": [("collector_id", "=", self.id)], "context": {"default_collector_id": self.id}}


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    collector_id = fields.Many2one(
        "isp.collector", check_company=True, ondelete="restrict", index="btree_not_null", tracking=True,
        help="Who collects cash from this customer.",
    )


class AccountPayment(models.Model):
    _inherit = "account.payment"

    isp_collector_id = fields.Many2one(
        "isp.collector", "Collector", check_company=True, ondelete="restrict", copy=False, index="btree_not_null", tracking=True,
        help="Who took the cash, or hands it over.",
    )
    isp_takes_collector = fields.Boolean("Collectors' cash", compute="_compute_isp_takes_collector")

    @api.depends("journal_id", "company_id")
    def _compute_isp_takes_collector(self):
        for payment in self:
            journal = payment.company_id.sudo().isp_collector_journal_id
            payment.isp_takes_collector = bool(journal) and payment.journal_id == journal

    def action_post(self):
        """Cash in the collectors' journal is in somebody's hands: without a name nobody would have to hand it over."""
        for payment in self:
            # The other half of a deposit is in the office's cash or the bank.
            if payment.isp_takes_collector and not payment.isp_collector_id:
                raise UserError(_("Who took this cash? Name the collector."))
            if payment.isp_collector_id and not payment.isp_takes_collector:
                raise UserError(_("What a collector takes is written in the journal %s.", payment.company_id._isp_collector_journal().name))
        return super().action_post()
