"""One box that finds a customer or a line by whatever is at hand: a name, an ID, a number as it is dialled, a package, a PPPoE name, a
serial, an address."""

from isp_engine import InvalidValue
from isp_engine.routers import parse_mac

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.osv import expression
from odoo.tools import escape_psql

# Shorter than this, digits are part of a name or a code and no telephone number.
DIGITS_AT_LEAST = 4
EXACT = ("=", "=ilike", "=like")
NEGATIVE = ("!=", "not ilike", "not like")


def dialled(text):
    """The part of a telephone number that is the same however it is written: 0812-3456, +62 812 3456 and 62812 3456 are one.
    None when the text is none."""
    if set(text) - set("0123456789 +-()./"):
        return None
    digits = "".join(c for c in text if c.isdigit())
    if len(digits) < DIGITS_AT_LEAST:
        return None
    if digits.startswith("0"):
        return digits[1:]
    if digits.startswith("62") and len(digits) > DIGITS_AT_LEAST:
        return digits[2:]
    return digits


def boxed(text):
    """A MAC address as it is kept, however it is written."""
    try:
        return parse_mac(text)
    except InvalidValue:
        return text


def positive(operator, value):
    if not isinstance(value, str) or operator not in ("ilike", "like", "=", "=ilike", "=like", *NEGATIVE):
        raise UserError(_("Customers and lines are found by a text."))
    return operator not in NEGATIVE


class IspFindMixin(models.AbstractModel):
    _name = "isp.find.mixin"
    _description = "A box that finds by whatever is at hand"
    _rec_names_search = ["find"]

    find = fields.Char("Name, number, package ...", compute="_compute_find", search="_search_find")

    def _compute_find(self):
        """A box to search in; nothing is shown."""
        self.find = False

    @api.model
    def _search_find(self, operator, value):
        wanted = positive(operator, value)
        return self._isp_named(value) if operator in EXACT else self._isp_having(value, wanted)


class IspCustomer(models.Model):
    _name = "isp.customer"
    _inherit = ["isp.customer", "isp.find.mixin"]

    @api.model
    def _isp_named(self, text):
        """Exactly this one, as a file that is imported names it."""
        code = text[1:].split("]")[0] if text.startswith("[") and "]" in text else text
        return expression.OR([[("customer_code", "=ilike", escape_psql(code.strip()))], [("name", "=", text)]])

    @api.model
    def _isp_found(self, text):
        domains = [[("name", "ilike", text)], [("customer_code", "ilike", text)], [("email", "=ilike", text)]]
        number = dialled(text)
        if number:
            domains += [[("whatsapp_number", "like", number)], [("phone", "ilike", text)], [("mobile", "ilike", text)]]
        return expression.OR(domains)

    @api.model
    def _isp_having(self, value, wanted):
        """Those that have it about them, or have not."""
        own = self.with_context(active_test=False)._search(self._isp_found(value))
        lines = self.env["isp.subscription"].with_context(active_test=False)
        theirs = lines._search(lines._isp_found(value))
        if wanted:
            return ["|", ("id", "in", own), ("subscription_ids", "any", [("id", "in", theirs)])]
        return [("id", "not in", own), ("subscription_ids", "not any", [("id", "in", theirs)])]


class IspSubscription(models.Model):
    _name = "isp.subscription"
    _inherit = ["isp.subscription", "isp.find.mixin"]

    @api.model
    def _isp_named(self, text):
        """Exactly this one, as a file that is imported names it."""
        return expression.OR([[("name", "=", text)], [("ppp_username", "=", text)]])

    @api.model
    def _isp_found(self, text):
        """What is of the line itself: its number, account, address, package and devices."""
        cpes = self.env["isp.cpe"]
        devices = cpes._search(expression.OR([
            [(name, "ilike", text)] for name in ("serial", "router_serial", "outdoor_mac", "router_mac")
        ] + [[("ip_address", "=", text)], [("name", "=ilike", text)]]))
        return expression.OR([
            [("name", "ilike", text)], [("ppp_username", "ilike", text)], [("ip_address", "=", text)], [("mac", "=", boxed(text))],
            [("package_id.code", "=ilike", text)], [("package_id.name", "ilike", text)], [("cpe_ids", "any", [("id", "in", devices)])],
        ])

    @api.model
    def _isp_having(self, value, wanted):
        """Those that have it about them, or have not."""
        own = self.with_context(active_test=False)._search(self._isp_found(value))
        customers = self.env["isp.customer"].with_context(active_test=False)
        theirs = customers._search(customers._isp_found(value))
        if wanted:
            return ["|", ("id", "in", own), ("customer_id", "in", theirs)]
        return [("id", "not in", own), ("customer_id", "not in", theirs)]
