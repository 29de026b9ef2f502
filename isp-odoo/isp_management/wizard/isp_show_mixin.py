from odoo import models


class IspShowMixin(models.AbstractModel):
    _name = "isp.show.mixin"
    _description = "A wizard that opens itself"

    def _isp_show(self, title, size="large"):
        """The action that shows this wizard in a dialog; ``extra-large`` for one with a wide table."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": size},
        }
