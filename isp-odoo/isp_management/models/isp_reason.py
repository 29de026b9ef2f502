"""The engine's reasons in the user's language: codes are for programs."""

from odoo import api, fields, models
from odoo.tools.translate import _lt

REASONS = {
    "nothing_overdue": _lt("Nothing is overdue"),
    "within_grace": _lt("Overdue, still within the grace"),
    "small_debt": _lt("Too little overdue to isolate"),
    "overdue_too_long": _lt("Overdue for too long"),
    "before_hour": _lt("Too early in the day"),
    "day_not_allowed": _lt("Weekend or holiday"),
    "promised": _lt("Promised to pay"),
    "exempt": _lt("Exempt"),
    "site_outage": _lt("Outage of the router"),
    "proof_waiting": _lt("A proof of transfer waits"),
    "still_overdue": _lt("Still overdue"),
    "isolated_by_hand": _lt("Isolated by hand"),
    "reopened_by_hand": _lt("Reopened by hand"),
    "paid": _lt("Paid"),
    "settled_not_paid": _lt("Given up, not paid"),
    "paid_enough": _lt("Enough was paid"),
    "pending": _lt("Not in service yet"),
    "paused": _lt("Paused"),
    "terminated": _lt("Terminated"),
    "in_service": _lt("In service"),
    "isolation.arrears": _lt("Overdue for too long"),
}

# What is wrong with a router, or with a line on it, as docs/errors.md has it.
TROUBLES = {
    "port.not_sent": _lt("Not reached: look at power, cable, address and port."),
    "port.unknown": _lt("It is not known whether it was done; the router is read again."),
    "port.refused": _lt("The router refuses: look at the API user's password and rights, and at the version."),
    "router.unreachable": _lt("No connection: look at power, cable, address, port and the router's /ip/service."),
    "router.tls": _lt("No TLS connection: look at the certificate of api-ssl."),
    "router.login_timeout": _lt("It does not answer the login: look at its load."),
    "router.bad_credentials": _lt("User or password is wrong."),
    "router.login_refused": _lt("The login is refused: look at the user's group and the addresses that it may come from."),
    "router.other_machine": _lt("Another machine answers than before."),
    "router.too_old": _lt("This RouterOS is too old: it needs 6.43 or later."),
    "router.busy": _lt("It is busy, and is tried again."),
    "router.closed": _lt("The connection was closed; it is tried again."),
    "router.timeout": _lt("No answer came in time; it is read again."),
    "router.timed_out": _lt("The router gave up a command that took too long: look at its load."),
    "router.interrupted": _lt("The router interrupted the command; it is read again."),
    "router.connection_lost": _lt("The connection broke; it is read again."),
    "router.unreadable": _lt("This is not the RouterOS API: look at the port."),
    "router.already_exists": _lt("An object with this name is on the router already and is not ours."),
    "router.no_such_command": _lt("This RouterOS does not know a command: look at its version and packages."),
    "router.unknown_parameter": _lt("This RouterOS does not know a setting: look at its version."),
    "router.no_match": _lt("Something that must be on the router, such as a profile, is missing."),
    "router.invalid_value": _lt("The router refuses a value."),
    "router.not_permitted": _lt("The API user may not do this: give its group read, write and api."),
    "router.refused": _lt("The router refuses, in its own words."),
    "router.account_not_ours": _lt("An account of this name is on the router and is not ours: take it over, or use another user name."),
    "router.account_of_another": _lt("The account belongs to another line: give one of the two another user name."),
    "router.account_twins": _lt("Several accounts have this name: remove all but one on the router."),
    "router.profile_not_ours": _lt("A profile of the package's name has other terms, and we did not make it."),
    "router.profile_twins": _lt("Several profiles have this name: remove all but one on the router."),
    "router.group_ambiguous": _lt("Two packages give one group different terms."),
    "router.session_stays": _lt("A session does not end: look at it on the router."),
    "router.not_kept": _lt("The router does not keep the change: another program may change it back."),
    "router.entry_not_ours": _lt("The line's address is in the isolation list by an entry that is not ours: remove that entry."),
    "router.no_fixed_address": _lt("The line is isolated by its address, and its account has no fixed one."),
}


def trouble_words(code, told):
    """What is wrong in the user's language, and what the program or the router told, as it was told."""
    words = str(TROUBLES[code]) if code in TROUBLES else ""
    return "%s (%s)" % (words, told) if words and told else words or told or ""


class IspIsolationEvent(models.Model):
    _inherit = "isp.isolation_event"

    reason_text = fields.Char("Why", compute="_compute_reason_text")

    @api.depends("reason", "reason_code")
    @api.depends_context("lang")
    def _compute_reason_text(self):
        for event in self:
            event.reason_text = event.reason or str(REASONS.get(event.reason_code, event.reason_code))


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    access_reason_text = fields.Char("Why", compute="_compute_access_reason_text")
    last_router_answer_text = fields.Char("Router's answer", compute="_compute_last_router_answer_text")

    @api.depends("access_reason")
    @api.depends_context("lang")
    def _compute_access_reason_text(self):
        for line in self:
            line.access_reason_text = str(REASONS.get(line.access_reason, line.access_reason or ""))

    @api.depends("last_router_answer", "last_router_code")
    @api.depends_context("lang")
    def _compute_last_router_answer_text(self):
        for line in self:
            line.last_router_answer_text = trouble_words(line.last_router_code, line.last_router_answer)


class IspRouter(models.Model):
    _inherit = "isp.router"

    trouble_text = fields.Char("Trouble", compute="_compute_trouble_text")

    @api.depends("last_error", "last_error_code")
    @api.depends_context("lang")
    def _compute_trouble_text(self):
        for router in self:
            router.trouble_text = trouble_words(router.last_error_code, router.last_error)
