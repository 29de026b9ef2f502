import re

from odoo import api, fields, models
from odoo.tools.translate import _lt

from ..logic import access_rows
from ..models.isp_reason import REASONS

# Codes that stand in the engine's evidence.
EVENTS = {
    "isolated_arrears": _lt("isolated for arrears"), "isolated_manual": _lt("isolated by hand"), "reopened": _lt("reopened"),
    "registered": _lt("registered"), "group_changed": _lt("package changed"),
}
ACCESSES = {"open": _lt("open"), "isolated": _lt("isolated"), "closed": _lt("closed")}


class IspExplainWizard(models.TransientModel):
    _name = "isp.explain.wizard"
    _description = "Why a line is open or isolated"
    _inherit = ["isp.show.mixin"]

    subscription_id = fields.Many2one("isp.subscription", required=True, readonly=True)
    moment = fields.Datetime("At", help="Empty: now. A moment of the past is told from what was issued, paid and promised by then.")
    sentence = fields.Char(compute="_compute_sentence")
    reason = fields.Char("Rule", compute="_compute_sentence")
    evidence = fields.Text(compute="_compute_sentence")

    @api.depends("subscription_id", "moment")
    def _compute_sentence(self):
        language = "en" if (self.env.user.lang or "id_ID").startswith("en") else "id"
        for wizard in self:
            why = wizard.subscription_id._isp_explain(language, access_rows.aware(wizard.moment))
            # The language of the sentence is the user's, so that of the words is, too.
            told = wizard.with_context(lang=self.env.user.lang)
            wizard.sentence, wizard.reason = told._isp_words(why.sentence), told._isp_reason(why.reason)
            wizard.evidence = "\n".join("• %s" % told._isp_words(line) for line in why.evidence)

    def _isp_reason(self, code):
        return str(REASONS.get(code, code))

    def _isp_words(self, text):
        """The engine's text with days as people write them here, and words for its codes."""
        # Not in a comprehension: there a lazy text finds no language.
        events, accesses = {}, {}
        for code, word in EVENTS.items():
            events[code] = str(word)
        for code, word in ACCESSES.items():
            accesses[code] = str(word)
        text = re.sub(r"\b(\d{4})-(\d\d)-(\d\d)\b", r"\3/\2/\1", text)
        text = re.sub(r"\b(%s)\b" % "|".join(events), lambda found: events[found.group()], text)
        return re.sub(r"(?<=: )(%s)$" % "|".join(accesses), lambda found: accesses[found.group()], text)
