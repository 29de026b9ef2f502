"""Notes of what changed, for many lines at once: Odoo writes each with queries of its own, and a run changes thousands."""

from odoo import models


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def _message_track(self, fields_iter, initial_values_dict):
        notes = []
        tracking = super(IspSubscription, self.with_context(isp_notes=notes))._message_track(fields_iter, initial_values_dict)
        # Odoo's own way to write them takes the changes of one record only.
        changes = [note.pop("tracking_value_ids") or () for note in notes]
        messages = self.sudo()._message_create(notes) if notes else ()
        self.env["mail.tracking.value"].sudo().create([
            {**vals, "mail_message_id": message.id} for message, own in zip(messages, changes, strict=True) for _command, _id, vals in own
        ])
        return tracking

    def _message_log(self, **kwargs):
        if self.env.context.get("isp_notes") is None:
            return super()._message_log(**kwargs)
        return super(IspSubscription, self.with_context(isp_note_later=True))._message_log(**kwargs)

    def _message_create(self, values_list):
        if not self.env.context.get("isp_note_later"):
            return super()._message_create(values_list)
        self.env.context["isp_notes"].extend(values_list)
        return self.env["mail.message"]
