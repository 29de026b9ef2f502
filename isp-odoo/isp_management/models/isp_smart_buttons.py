"""From each screen to the others that belong to it, and back: what the smart buttons open."""

from odoo import _, api, fields, models

from ..logic.money import OWED_FROM


class IspSmartMixin(models.AbstractModel):
    _name = "isp.smart.mixin"
    _description = "Screens that belong together"

    def _isp_list_of(self, xml_id, domain, **context):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.%s" % xml_id)
        return {**action, "domain": domain, "context": context}

    def _isp_form_of(self, record, view=False):
        return {
            "type": "ir.actions.act_window", "res_model": record._name, "res_id": record.id, "views": [(view, "form")],
            "name": record.display_name,
        }

    def _isp_payments_of(self, partner, company):
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_account_payments")
        return {
            **action, "context": {"default_payment_type": "inbound", "default_partner_type": "customer", "default_partner_id": partner.id},
            "domain": [("partner_id", "=", partner.id), ("partner_type", "=", "customer"), ("company_id", "=", company.id)],
        }

    def _isp_register(self, moves):
        """Odoo's own dialog of a payment for these invoices, oldest first."""
        if not moves:
            raise self.env["isp.refusals"]._isp_refuse(
                "request.nothing_owed", _("%s has no open invoice.", ", ".join(self.mapped("display_name")))
            )
        return moves.action_register_payment()


class IspCustomer(models.Model):
    _name = "isp.customer"
    _inherit = ["isp.customer", "isp.smart.mixin"]

    def action_view_contact(self):
        self.ensure_one()
        return self._isp_form_of(self.partner_id)

    def action_view_payments(self):
        self.ensure_one()
        return self._isp_payments_of(self.partner_id, self.company_id)

    def action_view_notifications(self):
        return self._isp_list_of("isp_notification_action", [("customer_id", "=", self.id)])

    def action_view_events(self):
        return self._isp_list_of("isp_isolation_event_action", [("customer_id", "=", self.id)])

    def action_view_promises(self):
        return self._isp_list_of("isp_promise_action", [("customer_id", "=", self.id)], default_customer_id=self.id)

    def action_view_proofs(self):
        return self._isp_list_of("isp_proof_action", [("customer_id", "=", self.id)], default_customer_id=self.id)

    def action_view_exemptions(self):
        return self._isp_list_of("isp_exemption_action", [("customer_id", "=", self.id)], default_customer_id=self.id)

    def action_view_fees(self):
        return self._isp_list_of("isp_installation_fee_action", [("customer_id", "=", self.id)], default_customer_id=self.id)

    def action_view_device_history(self):
        return self._isp_list_of("isp_device_history_action", [("customer_id", "=", self.id)], default_customer_id=self.id)

    def action_new_subscription(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "name": _("New subscription"), "res_model": "isp.subscription", "views": [(False, "form")],
            "context": {"default_customer_id": self.id, "default_company_id": self.company_id.id},
        }

    def action_isp_pay(self):
        """Register a payment for everything that is open."""
        self.ensure_one()
        moves = self.env["account.move"].search([
            ("company_id", "=", self.company_id.id), ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
            ("amount_residual", ">=", OWED_FROM),
            "|", "|", ("partner_id", "=", self.partner_id.id), ("isp_subscription_id.customer_id", "=", self.id),
            ("isp_installation_fee_id.customer_id", "=", self.id),
        ], order="invoice_date_due, invoice_date, id")
        return self._isp_register(moves)


class IspSubscription(models.Model):
    _name = "isp.subscription"
    _inherit = ["isp.subscription", "isp.smart.mixin"]

    def action_view_customer(self):
        self.ensure_one()
        return self._isp_form_of(self.customer_id)

    def action_view_payments(self):
        self.ensure_one()
        return self._isp_payments_of(self.partner_id, self.company_id)

    def action_view_notifications(self):
        own = ["|", ("subscription_id", "=", self.id), "&", ("subscription_id", "=", False), ("customer_id", "=", self.customer_id.id)]
        return self._isp_list_of("isp_notification_action", own)

    def action_view_events(self):
        return self._isp_list_of("isp_isolation_event_action", [("subscription_id", "=", self.id)])

    def action_view_cpes(self):
        return self._isp_list_of(
            "isp_cpe_action", [("subscription_id", "=", self.id)], default_customer_id=self.customer_id.id,
            default_subscription_id=self.id,
        )

    def action_isp_pay(self):
        """Register a payment for everything that is open of these lines."""
        open_moves = self._isp_open_moves()
        moves = self.env["account.move"].browse([move.id for line in self for move in open_moves[line.id]])
        return self._isp_register(moves)


class IspCpe(models.Model):
    _name = "isp.cpe"
    _inherit = ["isp.cpe", "isp.smart.mixin"]

    def action_view_customer(self):
        self.ensure_one()
        return self._isp_form_of(self.customer_id)

    def action_view_subscription(self):
        self.ensure_one()
        return self._isp_form_of(self.subscription_id)


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "isp.smart.mixin"]

    isp_is_of_line = fields.Boolean("Belongs to a line", compute="_compute_isp_is_of_line")

    @api.depends("isp_subscription_id")
    def _compute_isp_is_of_line(self):
        for move in self:
            move.isp_is_of_line = bool(move.sudo().isp_subscription_id)

    def action_isp_view_line(self):
        self.ensure_one()
        return self._isp_form_of(self.isp_subscription_id)
