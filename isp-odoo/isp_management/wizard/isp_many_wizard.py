"""The same for many lines of a list: what would happen to each is shown first, and what happened afterwards.

Each line is a savepoint of its own: one that is refused, with its reason, holds the others back from nothing."""

from odoo import Command, _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools.misc import format_date, formatLang

ACTIONS = [
    ("activate", "Activate"), ("isolate", "Isolate"), ("reopen", "Reopen"), ("package", "Change package"), ("collector", "Assign a collector"),
    ("message", "Remind of what is overdue"), ("payment", "Register payments"),
]
# Who else than the billing; one of these will do.
GROUPS = {
    "payment": ["isp_management.group_cashier"], "activate": ["isp_management.group_technician", "isp_management.group_billing"],
}


class IspManyWizard(models.TransientModel):
    _name = "isp.many.wizard"
    _description = "The same for many lines"
    _inherit = ["isp.show.mixin"]

    action = fields.Selection(ACTIONS, required=True, readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    line_ids = fields.One2many("isp.many.line", "wizard_id", "Lines")
    reason = fields.Char()
    package_id = fields.Many2one("isp.package", "New package", domain="[('company_id', '=', company_id)]")
    date = fields.Date("Paid on")
    collector_id = fields.Many2one("isp.collector", domain="[('company_id', '=', company_id)]")
    journal_id = fields.Many2one(
        "account.journal", "Paid into", domain="[('company_id', '=', company_id), ('type', 'in', ('bank', 'cash'))]"
    )
    done = fields.Boolean("Was done", readonly=True)
    ready_count = fields.Integer("Will be done", compute="_compute_counts")
    left_count = fields.Integer("Left out", compute="_compute_counts")
    done_count = fields.Integer("Done", compute="_compute_counts")
    refused_count = fields.Integer("Refused", compute="_compute_counts")
    amount = fields.Monetary("Altogether", compute="_compute_counts")

    @api.depends("line_ids.state", "line_ids.chosen", "line_ids.amount")
    def _compute_counts(self):
        for wizard in self:
            ready = wizard.line_ids.filtered(lambda line: line.state == "ready" and line.chosen)
            wizard.ready_count = len(ready)
            wizard.left_count = len(wizard.line_ids.filtered(lambda line: line.state == "left"))
            wizard.done_count = len(wizard.line_ids.filtered(lambda line: line.state == "done"))
            wizard.refused_count = len(wizard.line_ids.filtered(lambda line: line.state == "refused"))
            wizard.amount = sum(ready.mapped("amount"))

    @api.model
    def _isp_check_group(self, action):
        groups = GROUPS.get(action, ["isp_management.group_billing"])
        if not any(map(self.env.user.has_group, groups)):
            raise AccessError(_("This is for the group %s.", self.env.ref(groups[0]).sudo().name))

    @api.model
    def _isp_open_for(self, lines, action):
        """Show what would happen to these lines."""
        self._isp_check_group(action)
        lines.check_access_rule("read")
        if len(lines.company_id) != 1:
            raise UserError(_("Choose lines of one company."))
        company = lines.company_id
        paid_into = [("company_id", "=", company.id), ("type", "in", ("bank", "cash"))]
        wizard = self.create({
            "action": action, "company_id": company.id, "date": company._isp_today(),
            "journal_id": action == "payment" and self.env["account.journal"].search(paid_into, limit=1).id,
        })
        owed = lines._isp_open_moves()
        wizard.line_ids = [Command.create(wizard._isp_look(line, owed[line.id])) for line in lines]
        wizard.line_ids.filtered(lambda one: one.state == "ready").chosen = True
        return wizard._isp_show(dict(self._fields["action"]._description_selection(self.env))[action], "extra-large")

    # What would happen

    def _isp_look(self, line, moves):
        """A row of the preview: what would happen to a line, or why nothing does."""
        today = self.company_id._isp_today()
        overdue = moves._isp_overdue(today)
        open_, late = sum(moves.mapped("amount_residual")), sum(overdue.mapped("amount_residual"))
        left = None
        if self.action == "activate" and line.state != "draft":
            left = _("was activated before")
        elif self.action in ("isolate", "reopen", "package") and line.state != "active":
            left = _("not in service")
        elif self.action == "isolate" and line.desired_access == "isolated" and line.access_cause == "manual":
            left = _("is isolated by hand already")
        elif self.action == "reopen" and line.desired_access != "isolated":
            left = _("is not isolated")
        elif self.action == "collector" and line.state == "terminated":
            left = _("not in service")
        elif self.action == "message" and not overdue:
            left = _("owes nothing that is overdue")
        elif self.action == "message" and not (line.customer_id.whatsapp_number and line.customer_id.whatsapp_allowed):
            left = _("has no WhatsApp number, or does not want messages")
        elif self.action == "payment" and not moves:
            left = _("has no open invoice")
        amount = open_ if self.action == "payment" else late
        text = left or {
            "activate": _(
                "%(package)s from %(day)s, %(price)s a month", package=line.package_id.name,
                day=format_date(self.env, line.activation_date or today), price=self._isp_money(line.monthly_price),
            ),
            "isolate": _("is isolated; overdue %s", self._isp_money(late)),
            "reopen": _("is reopened; overdue %s", self._isp_money(late)),
            "package": _("has %s now", line.package_id.name),
            "collector": _("is collected by %s now", line.collector_id.name) if line.collector_id else _("has no collector now"),
            "message": _("hears of %(count)s invoices, %(amount)s", count=len(overdue), amount=self._isp_money(late)),
            "payment": _("%(count)s invoices, %(amount)s", count=len(moves), amount=self._isp_money(open_)),
        }[self.action]
        return {"subscription_id": line.id, "state": "left" if left else "ready", "preview": text, "amount": amount}

    def _isp_money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    # What happens

    def action_confirm(self):
        """Do it, line by line, and show what became of each."""
        self.ensure_one()
        self._isp_check_group(self.action)
        if self.done:
            raise UserError(_("This was done already."))
        if self.action in ("isolate", "reopen") and not (self.reason or "").strip():
            raise UserError(_("Write down the reason: the customers will ask."))
        if self.action == "package" and not self.package_id:
            raise UserError(_("Choose the new package."))
        if self.action == "payment" and not (self.journal_id and self.date):
            raise UserError(_("Say into which journal and on which day they paid."))
        chosen = self.line_ids.filtered(lambda line: line.state == "ready" and line.chosen)
        if not chosen:
            raise UserError(_("No line is chosen."))
        chosen.subscription_id.check_access_rule("read")
        for row in chosen:
            try:
                with self.env.cr.savepoint():
                    text = getattr(self, "_isp_do_%s" % self.action)(row.subscription_id)
                    self.env.flush_all()
                row.write({"state": "done", "result": text})
            except (UserError, ValidationError, AccessError) as error:
                self.env.invalidate_all()
                row.write({"state": "refused", "result": str(error.args[0] if error.args else error)})
        self.done = True
        return self._isp_show(_("What became of it"), "extra-large")

    def _isp_do_activate(self, line):
        line.action_activate()
        return _("begins on %s", format_date(self.env, line.activation_date))

    def _isp_do_isolate(self, line):
        line._isp_by_hand("isolate", self.reason.strip())
        return _("isolated; the router hears of it now")

    def _isp_do_reopen(self, line):
        line._isp_by_hand("reopen", self.reason.strip())
        return _("reopened; the router hears of it now")

    def _isp_do_package(self, line):
        if line.package_id == self.package_id:
            raise UserError(_("has this package already"))
        wizard = self.env["isp.terms.wizard"].browse(line.action_change_package()["res_id"])
        wizard.write({"package_id": self.package_id.id, "at_once": "next"})
        wizard.action_confirm()
        return _("%s from the next period on", self.package_id.name)

    def _isp_do_collector(self, line):
        line.collector_id = self.collector_id
        return self.collector_id.name or _("no collector")

    def _isp_do_message(self, line):
        today = self.company_id._isp_today()
        overdue = line._isp_open_moves()[line.id]._isp_overdue(today)
        if not overdue:
            raise UserError(_("paid in the meantime"))
        written = self.env["isp.notification"]._isp_queue(
            self.company_id, "overdue", line.customer_id, "hand-%s-%s" % (line.id, today), subscription_id=line.id,
            move_ids=[Command.set(overdue.ids)],
        )
        if not written:
            raise UserError(_("was reminded by hand today"))
        return _("queued")

    def _isp_do_payment(self, line):
        moves = line._isp_open_moves()[line.id]
        if not moves:
            raise UserError(_("paid in the meantime"))
        register = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=moves.ids
        ).create({"journal_id": self.journal_id.id, "payment_date": self.date, "group_payment": len(moves) > 1})
        register._isp_check_typed()
        payments = register._create_payments()
        return ", ".join("%s %s" % (payment.name, self._isp_money(payment.amount)) for payment in payments)


class IspManyLine(models.TransientModel):
    _name = "isp.many.line"
    _description = "One of many lines"

    wizard_id = fields.Many2one("isp.many.wizard", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    subscription_id = fields.Many2one("isp.subscription", required=True, readonly=True)
    customer_id = fields.Many2one(related="subscription_id.customer_id")
    chosen = fields.Boolean()
    preview = fields.Char("Would happen", readonly=True)
    amount = fields.Monetary(readonly=True)
    state = fields.Selection(
        [("ready", "Ready"), ("left", "Left out"), ("done", "Done"), ("refused", "Refused")], required=True, readonly=True
    )
    result = fields.Char(readonly=True)


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def action_isp_many(self, action):
        """Open the dialog that does the same for all of these."""
        return self.env["isp.many.wizard"]._isp_open_for(self, action)


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    def action_isp_many(self, action):
        """The same for all lines of these customers."""
        lines = self.subscription_ids.filtered(lambda line: line.state != "draft")
        if not lines:
            raise UserError(_("These customers have no line that was ever in service."))
        return self.env["isp.many.wizard"]._isp_open_for(lines, action)
