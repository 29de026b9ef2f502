"""Holds the addon to mapping: a model, a wizard or `logic/` that compares or adds days of periods, or rounds money, writes a rule of
the engine a second time.

usage: no_rules.py [ADDON]      names each place, exit code 1 when there is one

Runs without Odoo, over the syntax tree; `isp-py/tests/test_addon_rules.py` runs it in `make test`. What is no rule and looks like one
stands in ALLOWED, with the reason.
"""

import ast
import pathlib
import re
import sys

ADDON = pathlib.Path(__file__).parents[1] / "isp_management"
FOLDERS = ("models", "wizard", "logic")

# Days of periods and of terms: what the engine decides by.
DAYS = {
    "period_start", "period_end", "isp_period_start", "isp_period_end", "isp_credit_start", "isp_credit_end", "activation_date",
    "service_from", "end_date", "paused_from", "billed_from", "charged_until", "change_date", "changed_on", "held_until",
    "discount_until", "isp_billed_through", "position", "last_day", "date_from", "invoice_date", "invoice_date_due", "due_date",
    "issue_date", "made_on",
}
# Ends that the engine compares; their difference is the length of an outage, which is shown.
ENDS = {"until"}
# Days that a query counts on by itself: `m.invoice_date_due + %s`.
IN_SQL = re.compile(r"\b\w*(?:_date|_due|_start|_end|_from|_until)\s*[+-]\s*(?:%s|%\(|interval\b|[0-9])", re.IGNORECASE)
MONEY = {"amount", "price", "fee", "total", "dpp", "ppn", "price_unit", "amount_total", "amount_untaxed", "amount_residual", "held_price"}
ROUNDERS = {"round", "floor", "ceil", "trunc", "float_round", "quantize"}
ADDERS = {"relativedelta", "fromordinal", "toordinal"}

# A file, or a function of it -> why it is no rule.
ALLOWED = {
    "logic/clock.py:day_after": "Odoo keeps the last day of a span, the engine the day after it",
    "logic/clock.py:last_day": "Odoo keeps the last day of a span, the engine the day after it",
    "logic/money.py": "refuses fractions, and tells books that round to 0.01 in whole rupiah",
    "models/isp_billing_run.py:_bill": "the engine's next position is written when no other run has come further",
    "models/isp_left_out.py:_isp_bill_again": "a mark that is there already may lie earlier",
    "models/isp_subscription_source.py:_isp_join_invoices": "another module's invoices say from when on it has billed",
    "models/isp_demo.py": "the demo invents what happens on which day",
    "models/isp_customer_page.py": "the days that a customer may choose from, counted from today; the engine says whether one may be promised",
    "models/isp_dashboard.py": "the months of a chart",
    "models/isp_dashboard_pictures.py": "the days and months of charts",
    "models/res_company_money.py:_isp_start_late_fees": "setting the policy starts it on that day",
    "models/isp_isolation_run.py:_isp_access_facts": "what ended days ago in every zone is not searched; the engine decides what holds",
    "wizard/isp_outage_credit_wizard.py": "a day more on each side is searched, the engine picks; days of its notes are counted to be shown",
    "models/isp_bank_line.py:_isp_match": "a day more on each side is searched, the engine picks",
    "models/isp_late_fee.py:_charge_late_fees": "a fee that could not be written keeps its day for the next run",
    "models/isp_subscription.py:the module": "a constraint of the table: a line does not end before it begins",
    "models/isp_installation_fee.py:_isp_write_invoices": "what is of a day to come is a draft that Odoo posts",
    "models/isp_invoice_writer.py:_fits_numbers": "Odoo's own lock dates",
    "models/isp_isolation_run.py:_isp_settle": "a word for a promise that is over: nothing is decided by it",
}


def faults(source, file):
    """``(line, function, what)`` of each place of a file that decides."""
    found = []

    def walk(node, function):
        for child in ast.iter_child_nodes(node):
            inside = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
            what = fault(child)
            if what:
                found.append((child.lineno, inside or "the module", what))
            walk(child, inside)

    walk(ast.parse(source, file), None)
    return found


def fault(node):
    """What is wrong with one node, or None."""
    if isinstance(node, ast.Compare):
        ordered = any(isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for op in node.ops)
        if ordered and any(is_one_of(part, DAYS | ENDS) for part in (node.left, *node.comparators)):
            return "compares days of periods"
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value):
        return "adds days"
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        if isinstance(node.op, (ast.Add, ast.Sub)) and any(is_one_of(side, DAYS) or is_days(side) for side in sides):
            return "adds days"
        if isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mod)) and any(is_one_of(side, MONEY) for side in sides):
            return "divides money"
    if isinstance(node, ast.Call):
        called = name_of(node.func)
        if called in ("min", "max") and any(is_one_of(part, DAYS) for arg in node.args for part in ast.walk(arg)):
            return "compares days of periods"
        if called in ADDERS or called in ("add", "subtract") and any(k.arg in ("days", "months", "weeks", "years") for k in node.keywords):
            return "adds days"
        if called in ROUNDERS and any(is_money(part) for arg in node.args for part in ast.walk(arg)):
            return "rounds money"
    return None


def name_of(node):
    """The last name of an expression: `a.b.c` is c, `row["c"]` is c."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    return None


def is_one_of(node, names):
    return name_of(node) in names


def is_money(node):
    name = name_of(node) or ""
    return name in MONEY or any(word in name for word in ("amount", "price", "residual", "rupiah", "overdue"))


def is_days(node):
    """A span of days, such as `timedelta(days=1)`; hours and minutes are of moments."""
    return isinstance(node, ast.Call) and name_of(node.func) == "timedelta" and (
        bool(node.args) or any(k.arg in ("days", "weeks") for k in node.keywords)
    )


def look(addon=ADDON, allowed=None):
    """All that is wrong with an addon, a text each."""
    allowed = ALLOWED if allowed is None else allowed
    wrong = []
    for folder in FOLDERS:
        for path in sorted((addon / folder).glob("*.py")):
            file = "%s/%s" % (folder, path.name)
            for line, function, what in faults(path.read_text(encoding="utf-8"), file):
                if file not in allowed and "%s:%s" % (file, function) not in allowed:
                    wrong.append("%s:%s: %s %s; ask the engine" % (file, line, function, what))
    return wrong


if __name__ == "__main__":
    found = look(*(pathlib.Path(argument) for argument in sys.argv[1:2]))
    print("\n".join(found))
    sys.exit(bool(found))
