"""Each group opens every menu, view, record, dialog and button that it is shown, through the web client's own requests.

A button that is shown may refuse with a sentence; it never ends in "you may not" or in a traceback. With records of every state, in a
company without any, and in both languages.
"""

import base64
import time
from contextlib import contextmanager
from datetime import datetime, timedelta

from odoo import Command, fields
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..logic import clock
from .common import IspHttpCase
from .network_common import IspNetworkCommon
from .web_client import SENTENCES, X2MANY, Refused, WebClient, own_nodes, parse, specification, values_of

ROOT = "isp_management.isp_menu_root"
DIALOGS = 2
# One record of each of these values is opened.
KINDS = ("state", "desired_access", "active", "move_type", "payment_state", "breaker_tripped", "kind")


@tagged("post_install", "-at_install")
class TestClicks(IspNetworkCommon, IspHttpCase):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.provider()

    @classmethod
    def provider(cls):
        """Something in every state that a screen shows."""
        today = cls.company._isp_today()
        start = today - timedelta(days=70)
        lines = cls.env["isp.subscription"].browse()
        for number in range(1, 7):
            lines |= cls.new_line(number, start=start, router_id=cls.router.id)
        cls.active, cls.isolated, cls.by_hand, paused, ended, cls.late = lines
        cls.new_subscription(cls.new_customer("Calon"), activate=False)
        cls.new_customer("Tanpa langganan", mobile="0812-0000-9999")
        for line in lines:
            cls.env["isp.cpe"].create({"customer_id": line.customer_id.id, "subscription_id": line.id, "outdoor_unit": "SXT"}).action_install()
        for ago in range(70, -1, -7):
            with clock.at(fields.Datetime.now() - timedelta(days=ago)):
                cls.env["isp.billing_run"]._bill(cls.company, time.monotonic() + 60)
        paused.action_pause()
        ended.action_terminate()
        ended.customer_id.action_terminate()
        cls.isolated._isp_want("isolate", "overdue_too_long", overdue=277_500, days_late=9)
        cls.by_hand._isp_by_hand("isolate", "Diminta")
        cls.active.sudo().billing_error = "Tidak ada harga"
        invoices = cls.active.move_ids.sorted("invoice_date")
        cls.pay(invoices[0], on=today)
        invoices[1].button_draft()
        invoices[1].button_cancel()
        customer = cls.active.customer_id
        customer.nik = "3273015708900001"
        for state in ("stock", "installed", "returned"):
            cpe = cls.env["isp.cpe"].create({
                "customer_id": customer.id, "subscription_id": cls.active.id, "outdoor_unit": "LHG 5 %s" % state,
                "serial": "S-%s" % state, "password": "rahasia-cpe",
            })
            if state != "stock":
                cpe.action_install()
            if state == "returned":
                cpe.action_return()
        kind = cls.env["isp.installation_kind"].create({"name": "PSB", "code": "PSB", "price": 300_000, "instalments": 3})
        fees = cls.env["isp.installation_fee"].create([
            {"customer_id": customer.id, "subscription_id": cls.active.id, "kind_id": kind.id, "date": today, "amount": 300_000,
             "instalments": 3}
            for _number in range(2)
        ])
        fees[0].action_invoice()
        cls.env["isp.promise"].create({"customer_id": cls.late.customer_id.id, "until": today + timedelta(days=3)})
        cls.env["isp.proof"].create({
            "customer_id": cls.late.customer_id.id, "content": base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)), "file_name": "struk.png",
        })
        asked = cls.env["isp.payment_request"]._isp_ask(cls.late.customer_id)
        cls.env["account.bank.statement.line"].create([
            {"journal_id": cls.company_data["default_journal_bank"].id, "date": today, "payment_ref": text, "amount": amount}
            for text, amount in ((cls.active.customer_id.customer_code, asked.amount), ("BUNGA", 1_250))
        ])
        cls.env["isp.exemption"].create({
            "customer_id": customer.id, "since": today, "until": today + timedelta(days=9), "reason": "Kantor desa",
        })
        now = datetime.now().replace(microsecond=0)
        outages = cls.env["isp.outage"].create([
            {"name": "Listrik padam", "router_id": cls.router.id, "since": now - timedelta(days=5)},
            {"name": "Kabel putus", "router_id": cls.router.id, "since": now - timedelta(hours=1)},
        ])
        outages[0].action_close()
        for state in ("queued", "sent", "failed", "unknown"):
            cls.env["isp.notification"].sudo().create({
                "customer_id": customer.id, "subscription_id": cls.active.id, "kind": "overdue", "once_key": state, "state": state,
                "body": "Tagihan Anda", "company_id": cls.company.id,
            })
        category = cls.env["isp.expense_category"].create({"name": "Listrik", "code": "PLN"})
        expenses = cls.env["isp.expense"].create([
            {"name": "Token", "category_id": category.id, "amount": 10_000, "date": today} for _number in range(2)
        ])
        expenses[0].action_post()
        collector = cls.env["isp.collector"].create({"name": "Pak Asep"})
        cls.late.collector_id = collector
        cash = cls.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=cls.late.move_ids[:1].ids
        ).create({"journal_id": cls.company._isp_collector_journal().id, "payment_date": today, "isp_collector_id": collector.id})
        cash._create_payments()
        cls.env["isp.holiday"].create({"name": "Libur desa", "date": today, "company_id": cls.company.id})
        cls.env["isp.message_template"].with_company(cls.company).browse().action_isp_load_standard()
        cls.router.sudo().write({
            "breaker_tripped": True, "breaker_waiting": 3, "last_error_code": "router.other_machine",
        })

    def client(self, group, lang="id_ID", company=None):
        company = company or self.company
        user = new_test_user(
            self.env, "klik-%s-%s-%s" % (group, lang, company.id), groups="isp_management.group_%s" % group, lang=lang,
            company_id=company.id, company_ids=[Command.set(company.ids)],
        )
        return WebClient(self, user)

    @contextmanager
    def undone(self):
        """What happens within did not happen: each button is pressed on the same provider."""
        self.env.flush_all()
        savepoint = self.cr.savepoint(flush=False)
        try:
            yield
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    # Walking

    def walk(self, client, press=True):
        self.seen = {"menus": 0, "views": 0, "records": 0, "buttons": 0, "dialogs": 0}
        self.wrong, self.pressed, self.press, self.visited = [], set(), press, set()
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.sql_db"):
            for menu in client.menus(ROOT):
                self.seen["menus"] += 1
                with self.told(client, menu["xmlid"]):
                    self.action(client, client.load(menu["actionID"]), menu["xmlid"])
        self.assertFalse(self.wrong, "\n\n".join(self.wrong[:40]))
        return self.seen

    @contextmanager
    def told(self, client, where):
        try:
            yield
        except Refused as error:
            # A dialog of Odoo that says why it does not open, for what was chosen.
            if error.name not in SENTENCES or not where.count(" > "):
                self.wrong.append("%s (%s): %s" % (where, client.user.login, error))
        except ( AssertionError, NameError, ValueError) as error:
            self.wrong.append("%s (%s): %s" % (where, client.user.login, error))

    def action(self, client, action, where, depth=0, context=None):
        if not action:
            return
        kind = action["type"]
        if kind == "ir.actions.act_window":
            self.window(client, action, where, depth, context or {})
        elif kind == "ir.actions.client" and action["tag"] == "isp_management.dashboard":
            client.call("isp.dashboard", "data")
        elif kind == "ir.actions.client" and action["tag"] == "isp_management.map":
            client.call("isp.dashboard", "map_data")
        elif kind == "ir.actions.server":
            self.action(client, client.run(action["id"], context), where, depth)

    def window(self, client, action, where, depth, context):
        model = action["res_model"]
        # A list that a button leads to is the one of its own menu, and walked through there; a dialog is walked through here.
        dialog = action.get("target") == "new"
        place = (model, where.rsplit(" > ", 1)[-1] if dialog else str(action["views"]))
        if depth and place in self.visited:
            return
        self.visited.add(place)
        press, self.press = self.press, self.press and (dialog or not depth)
        try:
            self.views(client, action, where, depth, context)
        finally:
            self.press = press

    def views(self, client, action, where, depth, context):
        model = action["res_model"]
        context = {**context, **client.dictionary(action.get("context"), context=context)}
        domain = client.domain(action.get("domain"), context={"active_id": False, **context})
        search = (action.get("search_view_id") or [False])[0] if isinstance(action.get("search_view_id"), (list, tuple)) else False
        views = [list(view) for view in action["views"]]
        got = client.call(
            model, "get_views", views=[*views, [search, "search"]], context=context, options={"toolbar": depth == 0, "load_filters": True},
        )
        self.assertIn(model, got["models"])
        for name in got["views"]:
            with self.told(client, "%s %s %s" % (where, model, name)):
                self.seen["views"] += 1
                self.view(client, model, name, got, domain, context, "%s %s" % (where, model), action.get("res_id"), depth)

    def view(self, client, model, name, got, domain, context, where, res_id, depth):
        arch, fields = parse(got["views"][name]), got["models"][model]
        if name == "search":
            return self.search_view(client, model, arch, domain, context)
        asked = specification(arch, got["models"], model)
        if name == "form":
            return self.form(client, model, arch, asked, got, domain, context, where, res_id, depth)
        if name in ("list", "tree", "kanban", "calendar", "activity"):
            rows = client.call(model, "web_search_read", domain=domain, specification=asked, limit=80, context=context)["records"]
            self.seen["records"] += len(rows)
            for node in own_nodes(arch, "button", fields):
                for row in (rows[:1] if node.get("display") != "always" else [{"id": False}]):
                    self.button(client, model, node, row, context, "%s %s" % (where, name), depth)
            for bound in got["views"][name].get("toolbar", {}).get("action", []) if rows and name == "list" else ():
                self.bound(client, model, bound, rows, context, where, depth)
            return None
        names = [node.get("name") for node in own_nodes(arch, "field", fields)]
        stored = [one for one in names if fields[one].get("type") in ("monetary", "integer", "float") and fields[one].get("store")]
        groups = [one for one in names if one not in stored]
        client.call(model, "read_group", domain, ["%s:sum" % one for one in stored], groups, lazy=False, context=context)
        return None

    def search_view(self, client, model, arch, domain, context):
        for node in arch.iter("filter"):
            if node.get("domain"):
                more = client.domain(node.get("domain"), context=context)
                client.call(model, "search_count", [*domain, *more], context=context)
            group = client.dictionary(node.get("context"), context=context).get("group_by")
            if group:
                client.call(model, "web_read_group", domain, [], [group], context=context)
        for node in arch.iter("field"):
            if node.get("filter_domain"):
                for word in ("0812-0000-0001", "x'%"):
                    client.call(model, "search_count", [*domain, *client.evaluate(node.get("filter_domain"), {"self": word})])

    def form(self, client, model, arch, asked, got, domain, context, where, res_id, depth):
        fields = got["models"][model]
        if not res_id and arch.get("create", "true") not in ("0", "false", "False"):
            client.call(model, "onchange", [], {}, [], asked, context=context)
        if not res_id and self.env[model].is_transient() and self.press:
            # A dialog is saved with what it proposes when one of its buttons is pressed.
            values = client.call(model, "onchange", [], {}, [], asked, context=context)["value"]
            values = {name: values_of(values)[name] for name in values if fields[name]["type"] not in X2MANY}
            with self.undone():
                [row] = client.call(model, "web_save", [], values, asked, context=context)
                self.form(client, model, arch, asked, got, domain, context, where, row["id"], depth)
            return
        ids = [res_id] if res_id else self.one_of_each(client, model, domain, context)
        for record in ids:
            with self.told(client, "%s form of %s" % (where, record)):
                [row] = client.call(model, "web_read", [record], asked, context=context)
                self.seen["records"] += 1
                self.closed_fields(client, model, arch, fields, row, where)
                for node in own_nodes(arch, "button", fields):
                    self.button(client, model, node, row, context, where, depth)
                for outer in own_nodes(arch, "field", fields):
                    inner = next((child for child in outer if child.tag == "tree"), None)
                    for line in (row.get(outer.get("name")) or [])[:1] if inner is not None else ():
                        relation = fields[outer.get("name")]["relation"]
                        for node in own_nodes(inner, "button", got["models"][relation]):
                            self.button(client, relation, node, line, context, where, depth)

    def one_of_each(self, client, model, domain, context):
        kinds = [name for name in KINDS if name in self.env[model]._fields and self.env[model]._fields[name].store]
        if self.env[model].is_transient():
            return []
        rows = client.call(model, "search_read", domain, ["id", *kinds], limit=200, context={**context, "active_test": False})
        # The first and the last of each kind.
        ends = [{tuple(row[name] for name in kinds): row["id"] for row in order} for order in (reversed(rows), rows)]
        return list(dict.fromkeys([*ends[0].values(), *ends[1].values()]))[:16]

    def closed_fields(self, client, model, arch, fields, row, where):
        """A field that this person may not change cannot be typed into."""
        guarded = getattr(type(self.env[model]), "_isp_guarded", None)
        if not guarded or arch.get("edit", "true") in ("0", "false", "False"):
            return
        record = self.env[model].browse(row["id"]).with_user(client.user)
        forbidden = record._isp_forbidden({**guarded, **record._isp_guarded_later})
        values = values_of(row)
        for node in own_nodes(arch, "field", fields):
            name = node.get("name")
            hidden = any(
                up.get("invisible") and client.evaluate(up.get("invisible"), values) for up in (node, *node.iterancestors())
            )
            if name not in forbidden or hidden or node.get("widget") == "statusbar" or not node.get("invisible", "x"):
                continue
            readonly = node.get("readonly")
            closed = client.evaluate(readonly, values) if readonly else fields[name].get("readonly")
            self.assertTrue(closed, "%s: %s of %s can be typed into, and is refused" % (where, name, model))

    def button(self, client, model, node, row, context, where, depth):
        name, values = node.get("name"), values_of(row)
        if node.get("special") or not name or not self.press:
            return
        # Of the forms of Odoo only what is ours.
        if not model.startswith("isp.") and not name.startswith(("action_isp", "isp_")):
            return
        for up in (node, *node.iterancestors()):
            if up.get("invisible") and client.evaluate(up.get("invisible"), {**values, **context}):
                return
        with self.told(client, "%s button %s (%s %s)" % (where, name, model, row["id"])), self.undone():
            self.seen["buttons"] += 1
            self.pressed.add((model, name))
            own = client.dictionary(node.get("context"), values, context)
            around = {**context, **own, "active_model": model, "active_id": row["id"], "active_ids": [row["id"]] if row["id"] else []}
            try:
                if node.get("type") == "action":
                    found = client.load(int(name), around)
                else:
                    found = client.button(model, name, [row["id"]] if row["id"] else [], around)
            except Refused as error:
                if error.name not in SENTENCES:
                    raise
                return
            if depth < DIALOGS and isinstance(found, dict):
                self.seen["dialogs"] += 1
                self.action(client, found, "%s > %s" % (where, name), depth + 1, around)

    def bound(self, client, model, bound, rows, context, where, depth):
        """What the menu "Action" of a list offers, for the records of it."""
        ids = [row["id"] for row in rows]
        around = {"active_model": model, "active_id": ids[0], "active_ids": ids}
        if not self.press:
            return
        with self.told(client, "%s action %s" % (where, bound["name"])), self.undone():
            self.pressed.add((model, bound["xml_id"] if "xml_id" in bound else bound["name"]))
            self.seen["buttons"] += 1
            try:
                found = client.load(bound["id"], {**context, **around})
                if found["type"] == "ir.actions.server":
                    found = client.run(bound["id"], {**context, **around})
            except Refused as error:
                if error.name not in SENTENCES:
                    raise
                return
            self.action(client, found, "%s > %s" % (where, bound["name"]), depth + 1, around)

    # The groups

    def test_a_technician_presses_every_button(self):
        seen = self.walk(self.client("technician"))
        self.assertGreater(seen["buttons"], 40, seen)

    def test_a_cashier_presses_every_button(self):
        seen = self.walk(self.client("cashier"))
        self.assertGreater(seen["buttons"], 30, seen)

    def test_billing_presses_every_button(self):
        seen = self.walk(self.client("billing"))
        self.assertGreater(seen["buttons"], 60, seen)

    def test_a_manager_presses_every_button(self):
        seen = self.walk(self.client("manager"))
        self.assertGreater(seen["buttons"], 80, seen)
        self.assertGreater(seen["views"], 80, seen)
        every = {
            (view.model, node.get("name"))
            for view in self.env["ir.ui.view"].search([("model", "=like", "isp.%"), ("type", "in", ("form", "tree"))])
            for node in own_nodes(parse({"arch": view.arch}), "button", {}) if node.get("type") == "object"
        }
        # Asked for in a state that other tests bring about.
        every -= {
            ("isp.router.import.wizard", "action_import"), ("isp.outage", "action_view_credits"),
            ("isp.clock", "action_isp_clock_is_right"), ("isp.policy.wizard", "action_take"),
        }
        left = {button for button in every if button[1] not in {name for _model, name in self.pressed}}
        left = {button for button in left if button[1] != "action_withdraw"}
        self.assertFalse(left, "nobody pressed these")

    def test_every_view_in_english(self):
        for group in ("technician", "cashier", "billing", "manager"):
            with self.subTest(group=group):
                seen = self.walk(self.client(group, "en_US"), press=False)
                self.assertGreater(seen["views"], 40, seen)

    def test_a_company_without_anything(self):
        other = self.company_data_2["company"]
        for group in ("technician", "cashier", "billing", "manager"):
            with self.subTest(group=group):
                seen = self.walk(self.client(group, company=other))
                self.assertGreater(seen["menus"], 10, seen)
