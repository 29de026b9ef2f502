from isp_engine import routers as engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..logic import router_calls, transaction
from ..models.isp_subscription_service import SERVICES


class IspRouterImportWizard(models.TransientModel):
    _name = "isp.router.import.wizard"
    _description = "Take over the accounts of a router"
    _inherit = ["isp.show.mixin"]

    router_id = fields.Many2one("isp.router", required=True, readonly=True)
    company_id = fields.Many2one(related="router_id.company_id")
    start_date = fields.Date(
        "First day of service", required=True, default=lambda self: self.env.company._isp_today(),
        help="New customers are billed from this day on; its day of the month is their billing day.",
    )
    activate = fields.Boolean("Activate new subscriptions", default=True)
    line_ids = fields.One2many("isp.router.import.line", "wizard_id", "Accounts")
    ours = fields.Integer("Accounts that are known already", readonly=True)

    @api.model
    def _isp_read(self, router):
        """The accounts on the router and whose they seem to be, outside any transaction."""
        router.check_access_rights("write")
        router.check_access_rule("write")
        lines = self.env["isp.subscription"].sudo().search(
            [("company_id", "=", router.company_id.id), ("state", "!=", "terminated")]
        )
        known = [
            engine.KnownAccount(
                line.id, line._isp_owner(), line.ppp_username or "", line.customer_id.name or "",
                line.customer_id.whatsapp_number or None,
            )
            for line in lines
        ]
        work, deadline = [router._isp_engine_router()], router._isp_deadline()
        router._isp_log_sending(_("Accounts read"))
        transaction.commit(self.env)
        answers, refused = router_calls.call(
            lambda routers, **options: engine.import_secrets(routers, known, **options), work, deadline=deadline
        )
        error = refused.get(router.id) or answers[router.id].error
        if error:
            raise UserError(_("%(router)s does not answer: %(error)s", router=router.name, error=error))
        return answers[router.id]

    @api.model
    def _isp_open_for(self, router):
        found = self._isp_read(router)
        packages = {
            package.user_group: package
            for package in self.env["isp.package"].search([("company_id", "=", router.company_id.id)])
        }
        wizard = self.create({
            "router_id": router.id,
            "start_date": router.company_id._isp_today(),
            "ours": sum(account.verdict == "ours" for account in found.accounts),
            "line_ids": [
                (0, 0, {
                    "name": account.name,
                    "service": account.service,
                    "profile": account.profile,
                    "rate_limit": account.rate_limit,
                    "comment": account.comment,
                    "disabled": account.disabled,
                    "verdict": account.verdict,
                    "subscription_id": account.subscriptions[0] if account.verdict == "match" else False,
                    "confidence": account.confidence or 0,
                    "customer_name": account.customer or account.name,
                    "phone": account.phone,
                    "package_id": packages[account.profile].id if account.profile in packages else False,
                    "chosen": account.verdict == "match" and (account.confidence or 0) >= 90,
                })
                for account in found.accounts
                if account.verdict != "ours"
            ],
        })
        return wizard._isp_show(_("Accounts on %s", router.name), "extra-large")

    def action_import(self):
        """Link or create what was chosen; the passwords are read again, since none is kept in between."""
        self.ensure_one()
        chosen = self.line_ids.filtered("chosen")
        if not chosen:
            raise UserError(_("Choose the accounts to take over."))
        for line in chosen:
            if not line.subscription_id and not line.package_id:
                raise UserError(_("Choose a subscription or, for a new customer, a package for %s.", line.name))
        found = {(account.service, account.name): account for account in self._isp_read(self.router_id).accounts}
        taken = self.env["isp.subscription"]
        for line in chosen:
            account = found.get((line.service, line.name))
            if account is None or not account.password:
                raise UserError(_(
                    "The router does not show the password of %s. Its API user needs the policy \"sensitive\".", line.name
                ))
            subscription = line.subscription_id or line._isp_create()
            subscription.write({
                "router_id": self.router_id.id,
                "service": account.service,
                "ppp_username": account.name,
                "ppp_password": account.password,
                "ip_address": account.remote_address or subscription.ip_address,
                "router_adopt": True,
            })
            if subscription.state == "draft" and self.activate and not line.subscription_id:
                subscription.action_activate()
            taken |= subscription
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_subscription_action")
        return {**action, "domain": [("id", "in", taken.ids)], "target": "current"}


class IspRouterImportLine(models.TransientModel):
    _name = "isp.router.import.line"
    _description = "An account found on a router"
    _order = "id"

    wizard_id = fields.Many2one("isp.router.import.wizard", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="wizard_id.company_id")
    chosen = fields.Boolean("Take over")
    name = fields.Char("Account", readonly=True)
    service = fields.Selection(SERVICES, "Way onto the network", readonly=True)
    profile = fields.Char(readonly=True)
    rate_limit = fields.Char("Speed", readonly=True)
    comment = fields.Char(readonly=True)
    disabled = fields.Boolean(readonly=True)
    verdict = fields.Selection(
        [("match", "Known customer"), ("conflict", "Several fit"), ("new", "New customer")], readonly=True
    )
    confidence = fields.Integer("Sure to (%)", readonly=True)
    subscription_id = fields.Many2one("isp.subscription", domain="[('company_id', '=', company_id)]")
    customer_name = fields.Char("New customer")
    phone = fields.Char("Mobile number")
    package_id = fields.Many2one("isp.package", domain="[('company_id', '=', company_id)]")

    def _isp_create(self):
        self.ensure_one()
        company = self.wizard_id.company_id
        customer = self.env["isp.customer"].create(
            {"name": self.customer_name or self.name, "mobile": self.phone, "company_id": company.id}
        )
        return self.env["isp.subscription"].create({
            "company_id": company.id,
            "customer_id": customer.id,
            "package_id": self.package_id.id,
            "router_id": self.wizard_id.router_id.id,
            "activation_date": self.wizard_id.start_date,
            "zone": company.isp_zone,
        })
