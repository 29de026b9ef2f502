"""Where an addon of your own learns what happens: it writes each thing to the history of its line. Call out from a cron, and not here:
all of this is inside the transaction that may still be undone."""

from odoo import api, models


class IsolationEvent(models.Model):
    _inherit = "isp.isolation_event"

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        for event in events:  # decided: isolate, reopen or close
            event.subscription_id._message_log(body="example: %s decided, Rp%d overdue" % (event.action, event.overdue))
        return events

    def write(self, vals):
        for event in self if vals.get("state") == "done" else ():  # the router was read back, and agrees
            event.subscription_id._message_log(body="example: %s confirmed" % event.action)
        return super().write(vals)


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft)
        for move in posted.filtered(lambda m: m.move_type == "out_invoice" and m.isp_subscription_id):  # a line was invoiced
            move.isp_subscription_id._message_log(body="example: %s invoiced" % move.name)
        return posted

    def _invoice_paid_hook(self):
        result = super()._invoice_paid_hook()
        for move in self.filtered("isp_subscription_id"):  # paid in full
            move.isp_subscription_id._message_log(body="example: %s paid" % move.name)
        return result


class Notification(models.Model):
    _inherit = "isp.notification"

    @api.model_create_multi
    def create(self, vals_list):
        messages = super().create(vals_list)
        for message in messages.filtered("subscription_id"):  # written, and it waits to be sent
            message.subscription_id._message_log(body="example: message %s written" % message.kind)
        return messages

    def write(self, vals):
        for message in self.filtered("subscription_id") if vals.get("state") == "sent" else ():  # WhatsApp took it
            message.subscription_id._message_log(body="example: message %s sent" % message.kind)
        return super().write(vals)
