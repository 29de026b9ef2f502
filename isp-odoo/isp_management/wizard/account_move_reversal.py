from odoo import models


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    def reverse_moves(self, is_modify=False):
        """An invoice that takes another's place takes its line and its period, too."""
        action = super().reverse_moves(is_modify)
        if is_modify:
            # The order in which the new ones were made.
            old_ones = self.move_ids.sorted(lambda m: self._prepare_default_reversal(m).get("auto_post", "no") != "no")
            for old, new in zip(old_ones.sudo(), self.new_move_ids.sudo().sorted("id"), strict=True):
                if old.isp_subscription_id and old.move_type == "out_invoice":
                    period = {name: old[name] for name in ("isp_period_start", "isp_period_end", "isp_charge")}
                    old.write(dict.fromkeys(period, False))
                    self.env.flush_all()
                    new.write({"isp_subscription_id": old.isp_subscription_id.id, **period})
                    old.isp_first_fee_ids.first_move_id = new
        return action
