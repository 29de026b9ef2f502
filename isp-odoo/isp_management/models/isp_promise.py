import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import format_date

from .isp_guard_mixin import BILLING, ENDING, PROGRAM


class IspPromise(models.Model):
    _name = "isp.promise"
    _description = "Promise to pay"
    _inherit = ["mail.thread", "isp.guard.mixin"]
    _order = "until desc, id desc"
    _rec_names_search = ["customer_id"]
    _check_company_auto = True
    _isp_guarded = {"state": PROGRAM, "user_id": PROGRAM, **ENDING}
    _isp_guarded_later = {"customer_id": BILLING, "company_id": PROGRAM}

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("isp.customer", required=True, check_company=True, ondelete="restrict", index=True)
    made_on = fields.Date(required=True, default=lambda self: self.env.company._isp_today())
    until = fields.Date("Pays until", required=True, index=True, tracking=True, help="Last day on which it protects.")
    amount = fields.Monetary()
    user_id = fields.Many2one("res.users", "Taken by", default=lambda self: self.env.user)
    note = fields.Char()
    state = fields.Selection(
        [("running", "Running"), ("kept", "Kept"), ("broken", "Broken"), ("cancelled", "Cancelled")],
        default="running", required=True, tracking=True, index=True,
    )

    _sql_constraints = [("order", "check(until >= made_on)", "A promise does not end before it is made.")]

    @api.depends("customer_id.name", "until")
    def _compute_display_name(self):
        for promise in self:
            promise.display_name = _(
                "%(customer)s pays until %(day)s", customer=promise.customer_id.name or "", day=format_date(self.env, promise.until)
            )

    @api.model_create_multi
    def create(self, vals_list):
        # Before the row is there: the database says the same in its own words.
        for vals in vals_list:
            given = {**self.default_get(["made_on", "company_id"]), **vals}
            self._isp_check(
                self.env["isp.customer"].browse(given.get("customer_id")), fields.Date.to_date(given.get("made_on")),
                fields.Date.to_date(given.get("until")), self.browse(),
            )
        return super().create(vals_list)

    @api.constrains("made_on", "until", "customer_id")
    def _check_limits(self):
        """A promise that is made longer, or given to somebody else, is looked at again."""
        for promise in self:
            # One that is made on a day far ahead would protect until then.
            if promise.filtered_domain([("made_on", ">", promise.company_id.sudo()._isp_today())]):
                day = format_date(self.env, promise.made_on)
                raise ValidationError(_("A promise is made today or was made before: %s is still to come.", day))
            self._isp_check(promise.customer_id, promise.made_on, promise.until, promise)

    @api.model
    def _isp_check(self, customer, made_on, until, promise):
        """How long and how often a customer may hold isolation off with promises: the engine says (rule I2)."""
        if not (customer and made_on and until):
            return
        others = self.sudo().search([("customer_id", "=", customer.id), ("id", "not in", promise.ids)])
        lines = customer.sudo().subscription_ids.filtered(lambda line: line.activation_date and line.state != "draft")
        wish = isp_engine.PromiseWish(
            made_on, until,
            [isp_engine.Grid(line.activation_date, line.billing_day, line.cycle) for line in lines],
            [other.made_on for other in others if other._isp_counts()],
        )
        [answer] = isp_engine.check_promises([wish], policy=customer.company_id.sudo()._isp_promise_policy())
        self.env["isp.refusals"]._isp_allowed(answer)

    def _isp_counts(self):
        """Whether it counts against the limit: one that was taken back does not."""
        self.ensure_one()
        return self.ending_kind != "taken_back" if self.ended_at else self.state != "cancelled"

    @api.onchange("customer_id")
    def _onchange_customer_id(self):
        self.amount = max(self.customer_id.amount_overdue, 0)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("A promise is cancelled, not deleted."))

    def action_cancel(self):
        """Ask why it holds no longer."""
        return self.action_isp_end()
