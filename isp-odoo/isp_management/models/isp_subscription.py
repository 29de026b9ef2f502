from collections import defaultdict

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..logic.policy import CYCLE_MONTHS
from .isp_guard_mixin import BILLING, PROGRAM
from .res_company import ZONES

# What periods are made of: changed after activation, a period would be billed twice or never.
PERIOD_FIELDS = {"activation_date", "cycle", "timing", "zone", "customer_id", "company_id"}
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
            ("held_price", "held_until", "discount_kind", "discount_value", "discount_until", "billed_from", "end_date", "active",
             "collector_id"), BILLING,
        ),
        **dict.fromkeys(
            ("state", "paused_from", "billed_elsewhere", "billing_error", "billing_error_code", "billing_error_date",
             "desired_access", "access_cause", "access_reason", "isolated_overdue", "isolated_since", "observed_access",
             "observed_at", "last_router_answer", "last_router_code", "last_router_at", "router_package_id", "router_drift",
             "router_drift_at", "next_package_id", "change_date", "old_package_id", "changed_on", "service_from", "charged_until",
             "end_reason", "billed_at"), PROGRAM,
        ),
    }
    _isp_guarded_later = {
        "name": BILLING,
        **dict.fromkeys(
            ("partner_id", "months", "access_agrees", "company_id", "installed_on", "router_attempts", "router_next_attempt", "router_pending",
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
    partner_id = fields.Many2one(related="customer_id.partner_id", store=True, precompute=True, index=True)
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
    months = fields.Integer("Months per period", compute="_compute_months", store=True, precompute=True)
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
    billed_at = fields.Datetime(
        readonly=True, copy=False, help="When the billing last wrote for it; touched so that changes at the same time meet.",
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
    access_agrees = fields.Boolean("Router agrees", compute="_compute_access_agrees", store=True, precompute=True)
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
        ("end_after_start", "check(end_date is null or activation_date is null or end_date >= activation_date - 1)",
         "Service ends before it starts."),
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
        prices = self.env["isp.terms"]._isp_monthly_prices(self)
        for subscription in self:
            subscription.monthly_price = prices.get(subscription._origin.id, subscription.package_id.price)

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

    @api.constrains("state", "activation_date", "billing_day", "discount_kind", "discount_value")
    def _check_terms(self):
        for subscription in self:
            if subscription.state != "draft" and not (subscription.activation_date and subscription.billing_day):
                raise ValidationError(_("An active subscription needs its first day of service and a billing day."))
            if subscription.discount_kind == "percent" and not 1 <= subscription.discount_value <= 100:
                raise ValidationError(_("A discount in percent lies between 1 and 100."))

    @api.model_create_multi
    def create(self, vals_list):
        nameless = defaultdict(list)
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                nameless[self.env["res.company"].browse(vals.get("company_id")) or self.env.company].append(vals)
        for company, own in nameless.items():
            for vals, name in zip(own, self._isp_next_names(company, len(own)), strict=True):
                vals["name"] = name
        return super().create(vals_list)

    @api.model
    def _isp_next_names(self, company, count):
        """Numbers of new lines from their sequence: of many by one statement, where Odoo would ask for each."""
        sequence = self.env["ir.sequence"].with_company(company)
        found = sequence.search(
            [("code", "=", "isp.subscription"), ("company_id", "in", [company.id, False])], order="company_id", limit=1
        ) if count > 1 else sequence
        if not found or found.use_date_range or found.implementation != "standard":
            return [sequence.next_by_code("isp.subscription") for _number in range(count)]
        self.env.cr.execute("SELECT nextval(%s) FROM generate_series(1, %s)", ["ir_sequence_%03d" % found.id, count])
        return [found.get_next_char(number) for (number,) in self.env.cr.fetchall()]

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

    def action_view_invoices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        return {**action, "domain": [("isp_subscription_id", "=", self.id)], "context": {"create": False}}
