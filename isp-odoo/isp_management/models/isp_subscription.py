from datetime import timedelta

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import format_date

from ..logic.billing_rows import trigger_day
from ..logic.policy import CYCLE_MONTHS
from .isp_guard_mixin import BILLING, PROGRAM, TECHNICIAN
from .res_company import ZONES

# What periods are made of: changed after activation, a period would be billed twice or never.
PERIOD_FIELDS = {"activation_date", "billing_day", "cycle", "timing", "zone", "customer_id", "company_id"}
# Periods that are looked through at once when a line moves in that was served before; the engine's most.
MOVING_IN = 120
ACCESS = [("open", "Open"), ("isolated", "Isolated"), ("closed", "Closed")]


class IspSubscription(models.Model):
    _name = "isp.subscription"
    _description = "Subscription"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.sealed.mixin", "isp.guard.mixin"]
    _order = "name desc, id desc"
    _check_company_auto = True
    _isp_sealed = {"ppp_password": ("ppp_password_sealed", "isp_management.group_technician")}
    _isp_guarded = {
        **dict.fromkeys(
            ("held_price", "held_until", "discount_kind", "discount_value", "discount_until", "next_package_id",
             "change_date", "billed_from", "end_date", "active", "collector_id"), BILLING,
        ),
        **dict.fromkeys(
            ("state", "paused_from", "billed_elsewhere", "billing_error", "billing_error_code", "billing_error_date",
             "desired_access", "access_cause", "access_reason", "isolated_overdue", "isolated_since", "observed_access",
             "observed_at", "last_router_answer", "last_router_code", "last_router_at", "router_package_id", "router_drift",
             "old_package_id", "changed_on",
             "router_drift_at"), PROGRAM,
        ),
    }
    _isp_guarded_later = {
        "name": BILLING,
        **dict.fromkeys(
            ("partner_id", "months", "access_agrees", "company_id", "router_attempts", "router_next_attempt", "router_pending",
             "router_revision"), PROGRAM,
        ),
    }

    name = fields.Char("Number", required=True, copy=False, default="/", index="trigram")
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one(
        "isp.customer", required=True, check_company=True, ondelete="restrict", index=True, tracking=True
    )
    partner_id = fields.Many2one(related="customer_id.partner_id", store=True, index=True)
    package_id = fields.Many2one(
        "isp.package", required=True, check_company=True, ondelete="restrict", index=True, tracking=True
    )
    router_id = fields.Many2one("isp.router", check_company=True, ondelete="restrict", index=True, tracking=True)
    cpe_ids = fields.One2many("isp.cpe", "subscription_id", "Devices")
    zone = fields.Selection(ZONES, required=True, default=lambda self: self.env.company.isp_zone)
    state = fields.Selection(
        [("draft", "New"), ("active", "Active"), ("paused", "Paused"), ("terminated", "Terminated")],
        default="draft", required=True, copy=False, tracking=True, index=True,
    )

    # Billing
    cycle = fields.Selection(
        [("monthly", "Monthly"), ("quarterly", "Quarterly"), ("semiannual", "Half-yearly"), ("annual", "Yearly")],
        default="monthly", required=True, tracking=True,
    )
    months = fields.Integer("Months per period", compute="_compute_months", store=True)
    timing = fields.Selection(
        [("prepaid", "Prepaid"), ("postpaid", "Postpaid")], default="prepaid", required=True, tracking=True
    )
    activation_date = fields.Date("First day of service", tracking=True, copy=False)
    billing_day = fields.Integer(
        "Billing day", tracking=True, help="1 to 31; clamped to the month's last day. Empty: the day of activation.",
    )
    end_date = fields.Date("Last day of service", tracking=True, copy=False)
    paused_from = fields.Date("Paused from", tracking=True, copy=False)
    billed_elsewhere = fields.Boolean(
        "Invoiced by another module", copy=False, readonly=True, tracking=True, help="The daily billing leaves it out; isolation does not.",
    )
    billed_from = fields.Date(
        "Bill from", copy=False, index=True, tracking=True,
        help="Before the start: the first day that is invoiced here, for a line that was served before it moved in. Afterwards it is"
        " set while the company's billed-through day does not describe this subscription.",
    )
    monthly_price = fields.Monetary(compute="_compute_monthly_price")
    held_price = fields.Monetary(
        "Held price", copy=False, tracking=True, help="Monthly price this customer keeps; 0: the package's."
    )
    held_until = fields.Date(
        "Held until", copy=False, tracking=True, help="For periods that start before this day; empty: for ever."
    )
    discount_kind = fields.Selection(
        [("amount", "Rupiah per month"), ("percent", "Percent")], "Discount", copy=False, tracking=True
    )
    discount_value = fields.Float("Discount value", digits=(16, 0), copy=False, tracking=True)
    discount_until = fields.Date(
        "Discount until", copy=False, tracking=True, help="For periods that start before this day; empty: for ever."
    )
    next_package_id = fields.Many2one(
        "isp.package", "Next package", check_company=True, ondelete="restrict", copy=False, tracking=True
    )
    change_date = fields.Date("Change from", copy=False, tracking=True, help="Periods that start on this day or later.")
    billing_error = fields.Char(readonly=True, copy=False, tracking=True)
    billing_error_code = fields.Char(readonly=True, copy=False, index="btree_not_null")
    billing_error_date = fields.Datetime(readonly=True, copy=False)
    move_ids = fields.One2many("account.move", "isp_subscription_id", "Invoices")

    # Access: what is wanted, what the router said
    ppp_username = fields.Char("PPPoE user", copy=False, tracking=True)
    ppp_password = fields.Char("PPPoE password", compute="_compute_sealed", inverse="_inverse_sealed")
    ppp_password_sealed = fields.Char(groups="base.group_system", copy=False)
    ip_address = fields.Char("Fixed IP address", copy=False)
    desired_access = fields.Selection(ACCESS, "Wanted access", default="closed", required=True, copy=False, tracking=True)
    access_cause = fields.Selection([("arrears", "Arrears"), ("manual", "By hand")], "Cause", copy=False, tracking=True)
    access_reason = fields.Char("Reason", copy=False)
    isolated_overdue = fields.Monetary("Overdue at isolation", copy=False)
    isolated_since = fields.Datetime(copy=False)
    observed_access = fields.Selection(
        [("unknown", "Unknown"), ("missing", "Not on the router"), *ACCESS], "Access on the router",
        default="unknown", required=True, copy=False,
    )
    observed_at = fields.Datetime(copy=False)
    access_agrees = fields.Boolean("Router agrees", compute="_compute_access_agrees", store=True)
    last_router_answer = fields.Char(readonly=True, copy=False)
    last_router_code = fields.Char(readonly=True, copy=False)
    last_router_at = fields.Datetime(readonly=True, copy=False)
    router_attempts = fields.Integer(readonly=True, copy=False)
    router_next_attempt = fields.Datetime(readonly=True, copy=False, index="btree_not_null")
    isolation_event_ids = fields.One2many("isp.isolation_event", "subscription_id", "Isolation events")
    installation_fee_ids = fields.One2many("isp.installation_fee", "subscription_id", "Installation fees")

    _sql_constraints = [
        ("name_unique", "unique(company_id, name)", "There is a subscription with this number already."),
        ("billing_day_range", "check(billing_day between 0 and 31)", "A billing day lies between 1 and 31."),
        ("held_positive", "check(held_price >= 0)", "A price is not negative."),
        ("discount_positive", "check(discount_value >= 0)", "A discount is not negative."),
        ("change_whole", "check((next_package_id is null) = (change_date is null))",
         "A change of package needs both the package and the day."),
        ("username_unique", "unique(router_id, ppp_username)", "This router has a line with this PPPoE user already."),
    ]

    @api.depends("cycle")
    def _compute_months(self):
        for subscription in self:
            subscription.months = CYCLE_MONTHS.get(subscription.cycle, 0)

    @api.depends("package_id.price_ids.price", "package_id.price_ids.date_from", "held_price", "held_until")
    def _compute_monthly_price(self):
        for subscription in self:
            today = (subscription.company_id or self.env.company)._isp_today()
            held = subscription.held_price and (not subscription.held_until or today < subscription.held_until)
            subscription.monthly_price = subscription.held_price if held else subscription.package_id.price

    @api.depends("desired_access", "observed_access")
    def _compute_access_agrees(self):
        for subscription in self:
            wanted, seen = subscription.desired_access, subscription.observed_access
            subscription.access_agrees = wanted == seen or (wanted == "closed" and seen in ("unknown", "missing"))

    @api.depends("ppp_password_sealed")
    def _compute_sealed(self):
        return super()._compute_sealed()

    @api.depends("name", "customer_id.name")
    def _compute_display_name(self):
        for subscription in self:
            subscription.display_name = "%s %s" % (subscription.name, subscription.customer_id.name or "")

    @api.constrains("state", "activation_date", "billing_day", "end_date", "paused_from", "discount_kind", "discount_value")
    def _check_terms(self):
        for subscription in self:
            if subscription.state != "draft" and not (subscription.activation_date and subscription.billing_day):
                raise ValidationError(_("An active subscription needs its first day of service and a billing day."))
            start = subscription.activation_date
            if start and subscription.end_date and subscription.end_date < start:
                raise ValidationError(_("Service ends before it starts."))
            if subscription.discount_kind == "percent" and not 1 <= subscription.discount_value <= 100:
                raise ValidationError(_("A discount in percent lies between 1 and 100."))

    @api.onchange("package_id")
    def _onchange_package_id(self):
        if self.package_id and self.package_id == self.next_package_id:
            self.next_package_id = self.change_date = False

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
                vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("isp.subscription")
        return super().create(vals_list)

    def _isp_forbidden(self, guarded):
        """The package decides the price: once the line is in service, a technician changes it no more."""
        forbidden = super()._isp_forbidden(guarded)
        if self.filtered(lambda s: s.state != "draft"):
            forbidden.update(super()._isp_forbidden({"package_id": BILLING}))
        return forbidden

    def write(self, vals):
        if "active" in vals and not vals["active"]:
            serving = self.filtered(lambda s: s.active and s.state in ("active", "paused"))
            if serving:
                raise UserError(_(
                    "%s is in service and billed. Terminate it first (the button Terminate); then it can be archived.",
                    ", ".join(serving.mapped("display_name")),
                ))
        changed = PERIOD_FIELDS & set(vals)
        for subscription in self.filtered(lambda s: s.state != "draft") if changed else ():
            for name in changed:
                field = self._fields[name]
                if field.convert_to_write(subscription[name], subscription) != field.convert_to_write(
                    field.convert_to_record(field.convert_to_cache(vals[name], subscription), subscription), subscription
                ):
                    raise UserError(_(
                        "%(field)s of %(subscription)s is fixed once it is active. End it and sell a new one.",
                        field=field.get_description(self.env, ["string"])["string"], subscription=subscription.name,
                    ))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_new(self):
        if self.filtered(lambda s: s.state != "draft"):
            raise UserError(_("A subscription that was in service is archived, not deleted."))

    def action_activate(self):
        """Service starts: billed from the first day on, and wanted open on the router."""
        for subscription in self._isp_may_write(TECHNICIAN, BILLING):
            if subscription.state != "draft":
                raise UserError(_("%s is not new.", subscription.display_name))
            start = subscription.activation_date or subscription.company_id._isp_today()
            day = subscription.billing_day or start.day
            subscription.write({
                "state": "active",
                "activation_date": start,
                "billing_day": day,
                "billed_from": subscription.billed_from or subscription._isp_bill_from(start, day),
                # The line that begins later is opened on its day.
                "desired_access": "open" if start <= subscription.company_id._isp_today() else "closed",
            })
        self.sudo().customer_id.filtered(lambda c: c.state != "active").action_activate()

    def _isp_bill_from(self, start, day):
        """From when on a line is invoiced that starts now: its first day, but of a line that was served for long only the period
        that is due, and not a year at once. Who wants the others says so in "Bill from" before."""
        self.ensure_one()
        company = self.company_id
        package = isp_engine.Package(self.package_id.id, [isp_engine.Price(start, 1)], "exclusive")
        count, last, mark = 0, None, None
        while True:
            line = isp_engine.Subscription(
                key=self.id, package=self.package_id.id, start=start, day=day, cycle=self.cycle, timing=self.timing, zone=self.zone,
                billed_from=mark,
            )
            found = isp_engine.plan_billing(
                [line], [package], company._isp_now(), policy=isp_engine.BillingPolicy(catch_up_periods=MOVING_IN),
                tax=isp_engine.TaxPolicy(pkp=False),
            ).invoices
            count, last = count + len(found), found[-1] if found else last
            if len(found) < MOVING_IN:
                break
            mark = trigger_day(last, self.timing) + timedelta(days=1)
        if count < 2:
            return start
        self._message_log(body=_(
            "Service began on %(start)s, and invoices are written from the period of %(first)s on. For earlier periods set \"Bill from\".",
            start=format_date(self.env, start), first=format_date(self.env, last.period_start),
        ))
        return trigger_day(last, self.timing)

    def action_pause(self):
        """A pause asked for by the customer stops both access and billing, from today on."""
        for subscription in self._isp_may_write(TECHNICIAN, BILLING).filtered(lambda s: s.state == "active"):
            subscription.write({
                "state": "paused",
                "paused_from": subscription.paused_from or subscription.company_id._isp_today(),
                "desired_access": "closed",
            })

    def action_resume(self):
        """Service goes on: periods that started in the pause stay unbilled."""
        for subscription in self._isp_may_write(TECHNICIAN, BILLING).filtered(lambda s: s.state == "paused"):
            subscription.write({
                "state": "active",
                "paused_from": False,
                "billed_from": subscription.company_id._isp_today(),
                "desired_access": "isolated" if subscription.access_cause else "open",
            })

    def action_terminate(self):
        for subscription in self._isp_may_write(TECHNICIAN, BILLING).filtered(lambda s: s.state in ("active", "paused")):
            today = subscription.company_id._isp_today()
            end = subscription.end_date or max(today, subscription.activation_date)
            subscription.write({
                "state": "terminated",
                "end_date": end,
                "billed_from": subscription._bill_from_when_ended(end),
                "desired_access": "closed",
                "access_cause": False,
            })

    def _bill_from_when_ended(self, end):
        """The mark with which the last days of a postpaid line are billed: they come due on the day after the last one,
        and the company may have been billed through that day already."""
        self.ensure_one()
        due, through = end + timedelta(days=1), self.company_id.isp_billed_through
        passed = self.billed_from > due if self.billed_from else through and through >= due
        return due if self.timing == "postpaid" and passed else self.billed_from

    def action_view_invoices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        return {**action, "domain": [("isp_subscription_id", "=", self.id)], "context": {"create": False}}
