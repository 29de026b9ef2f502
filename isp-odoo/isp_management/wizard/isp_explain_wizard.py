from odoo import api, fields, models


class IspExplainWizard(models.TransientModel):
    _name = "isp.explain.wizard"
    _description = "Why a line is open or isolated"
    _inherit = ["isp.show.mixin"]

    subscription_id = fields.Many2one("isp.subscription", required=True, readonly=True)
    sentence = fields.Char(compute="_compute_sentence")
    reason = fields.Char("Rule", compute="_compute_sentence")
    evidence = fields.Text(compute="_compute_sentence")

    @api.depends("subscription_id")
    def _compute_sentence(self):
        language = "en" if (self.env.user.lang or "id_ID").startswith("en") else "id"
        for wizard in self:
            why = wizard.subscription_id._isp_explain(language)
            wizard.sentence, wizard.reason = why.sentence, why.reason
            wizard.evidence = "\n".join("• %s" % line for line in why.evidence)
