"""What the web client asks a server for, asked over HTTP as it asks: menus, actions, views, records, buttons."""

import json

from dateutil.relativedelta import relativedelta
from lxml import etree

from odoo.tools.safe_eval import datetime, safe_eval, time

# Refusals that are sentences for a person. Everything else that a button ends in is a fault of ours.
SENTENCES = {
    "odoo.exceptions.UserError", "odoo.exceptions.ValidationError", "odoo.exceptions.RedirectWarning",
    "odoo.exceptions.MissingError",
}
# The errors that the client has a dialog for (addon web: core/errors/error_dialogs.js); any other is shown with its traceback.
DIALOGS = SENTENCES | {"odoo.exceptions.AccessDenied", "odoo.exceptions.AccessError"}
X2MANY = ("one2many", "many2many")


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, name, message, debug):
        super().__init__("%s: %s\n%s" % (name, message, debug))
        self.name = name


class WebClient:
    """A person who is logged in at a browser, without the browser."""

    def __init__(self, case, user):
        self.case, self.user = case, user
        case.authenticate(user.login, user.login)
        self.context = {"lang": user.lang, "tz": user.tz or "Asia/Jakarta", "uid": user.id, "allowed_company_ids": user.company_ids.ids}
        self.calls = 0

    def post(self, route, **params):
        self.calls += 1
        answer = self.case.url_open(
            route, json.dumps({"jsonrpc": "2.0", "id": self.calls, "method": "call", "params": params}).encode(),
            headers={"Content-Type": "application/json"},
        )
        answer.raise_for_status()
        found = answer.json()
        if "error" in found:
            data = found["error"]["data"]
            # As the client chooses its dialog: by the class, else by the one that the error says it is.
            name = data["name"] if data["name"] in DIALOGS else data["context"].get("exception_class") or data["name"]
            raise Refused(name, data["message"], data["debug"][-1500:])
        return found.get("result")

    def call(self, model, method, *args, context=None, **kwargs):
        kwargs["context"] = {**self.context, **(context or {})}
        return self.post("/web/dataset/call_kw/%s/%s" % (model, method), model=model, method=method, args=args, kwargs=kwargs)

    def button(self, model, method, ids, context=None):
        return self.post(
            "/web/dataset/call_button", model=model, method=method, args=[ids],
            kwargs={"context": {**self.context, **(context or {})}},
        )

    def load(self, action, context=None):
        return self.post("/web/action/load", action_id=action, additional_context={**self.context, **(context or {})})

    def run(self, action, context=None):
        return self.post("/web/action/run", action_id=action, context={**self.context, **(context or {})})

    def menus(self, root):
        """The menus of one app that this person sees, each with its action."""
        answer = self.case.url_open("/web/webclient/load_menus/%s" % self.calls)
        answer.raise_for_status()
        menus = answer.json()
        apps = [menu["id"] for menu in menus.values() if menu.get("xmlid") == root]
        return [menu for menu in menus.values() if menu.get("appID") in apps and menu.get("actionID")]

    # What is written in views and actions for the client to work out

    def evaluate(self, text, values=None, context=None):
        return safe_eval(text, {
            "uid": self.user.id, "context": {**self.context, **(context or {})}, "context_today": datetime.date.today,
            "current_date": str(datetime.date.today()), "today": str(datetime.date.today()), "datetime": datetime, "time": time,
            "relativedelta": relativedelta, "allowed_company_ids": self.user.company_ids.ids, "parent": _Values({}),
            **(context or {}), **(values or {}),
        })

    def dictionary(self, value, values=None, context=None):
        """An action's or a button's context, which is a text."""
        return value if isinstance(value, dict) else self.evaluate(value, values, context) if value else {}

    def domain(self, value, values=None, context=None):
        return value if isinstance(value, list) else self.evaluate(value, values, context) if value else []


class _Values(dict):
    """`parent.name` in an expression."""

    def __getattr__(self, name):
        return self.get(name, False)


def own_nodes(arch, tag, model_fields):
    """The nodes of a view that are about its own records: not those in the lists within it, nor in the chatter, which asks by itself
    (web: form_arch_parser.js)."""
    for node in arch.iter(tag):
        if any("oe_chatter" in (up.get("class") or "").split() for up in node.iterancestors("div")):
            continue
        if not any(
            up.tag == "field" and model_fields.get(up.get("name"), {}).get("type") in X2MANY for up in node.iterancestors()
        ):
            yield node


def specification(arch, models, model):
    """What the client reads for a view: its fields, names of the records they point to, and the rows of lists within it."""
    fields, asked = models[model], {}
    for node in own_nodes(arch, "field", fields):
        name = node.get("name")
        field = fields.get(name)
        if not field:
            continue
        hidden = {node.get("invisible"), node.get("column_invisible")} & {"1", "True", "true"}
        if field["type"] == "many2one":
            asked[name] = {"fields": {} if hidden else {"display_name": {}}}
        elif field["type"] in X2MANY:
            inner = next((child for child in node if child.tag in ("tree", "kanban", "form")), None)
            asked[name] = {}
            if inner is not None and not hidden and field["relation"] in models:
                asked[name]["fields"] = specification(inner, models, field["relation"])
        else:
            asked[name] = {}
    return asked


def values_of(record):
    """A record as expressions in views see it."""
    found = {}
    for name, value in record.items():
        if isinstance(value, dict) and "id" in value:
            value = value["id"]
        elif isinstance(value, list):
            value = [row["id"] if isinstance(row, dict) else row for row in value]
        found[name] = value
    found.setdefault("id", record.get("id", False))
    found["active_id"] = found["id"]
    return found


def parse(view):
    return etree.fromstring(view["arch"])
