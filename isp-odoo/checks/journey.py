"""A provider made by hand: an empty Odoo, a browser, a MikroTik router and a WhatsApp behind real sockets.

usage: journey.py CONF PORT DIRECTORY      scripts/odoo_journey calls it; ISP_ODOO_PICTURES keeps the pictures

Everything that belongs to the addon happens through the web client in headless Chromium: install it, settings, package, router,
WhatsApp number, customer, subscription, bill, isolate, pay, reopen, print each report. The crons run in the server by
themselves; only the one that decides about isolation is pressed, because it comes every ten minutes. Fails on any error on
the console, in a dialog or in the server's log.
"""

import io
import itertools
import os
import re
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone

from browser import Browser
from PyPDF2 import PdfReader
from isp_engine.testing import SimulatedRouter, SimulatedWhatsApp

ISP = "isp_management."
REPORTS = {
    "customer": ("Siti Rahayu", "isp_report_customer_menu"), "cpe": ("LHG 5", "isp_report_cpe_menu"),
    "package": ("HOME-20", "isp_report_package_menu"), "finance": ("277.500", "isp_report_finance_menu"),
    "profit_loss": ("250.000", "isp_report_profit_loss_menu"),
}
PASSWORD = "kata-sandi-uji"
LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ")
GROUPS = ("technician", "cashier", "billing", "manager")


def main(conf, port, directory):
    log = os.path.join(os.environ.get("ISP_ODOO_PICTURES") or directory, "server.log")
    url = "http://127.0.0.1:%s" % port
    with SimulatedRouter(identity="menara-sukamaju") as router, SimulatedWhatsApp(sender=True) as meta, open(log, "wb") as out:
        server = subprocess.Popen(
            [sys.executable, os.path.join(os.environ["ODOO_SRC"], "odoo-bin"), "-c", conf, "--http-port", port,
             "--max-cron-threads", "1", "--log-handler", "py.warnings:ERROR"], stdout=out, stderr=subprocess.STDOUT,
        )
        try:
            answers(server, url, log)
            browser = Browser(url, directory, os.environ.get("ISP_ODOO_PICTURES"))
            try:
                live(browser, router, meta)
            finally:
                browser.close()
        finally:
            server.terminate()
            server.wait()
    with open(log, encoding="utf-8") as file:
        wrong = wrong_lines(file.read().splitlines(keepends=True))
    assert not wrong, "the server's log has errors:\n%s" % "".join(wrong)
    assert not browser.errors, "the console has errors:\n%s" % "\n".join(browser.errors)


def wrong_lines(lines):
    """The lines of errors, but for two requests that changed one row at a time: Odoo does the second one again by itself, and
    has another error to tell when that fails five times."""
    wrong = []
    for at, line in enumerate(lines):
        if " ERROR " in line or " CRITICAL " in line:
            # What the database said stands behind a query of one or more lines, before the next line of the log.
            told = "".join(itertools.takewhile(lambda more: not LOGGED.match(more), lines[at + 1:]))
            again = " odoo.sql_db: bad query: " in line and "ERROR: could not serialize access due to concurrent " in told
            if not again:
                wrong.append(line)
    return wrong


def answers(server, url, log):
    for _ in range(180):
        if server.poll() is not None:
            with open(log, encoding="utf-8") as file:
                sys.exit("error: Odoo did not start\n%s" % file.read()[-3000:])
        try:
            # A file first and alone: several at once make Odoo read its manifests in several threads, which CPython's
            # parser does not always survive.
            for path in ("/web/static/img/favicon.ico", "/web/login"):
                with urllib.request.urlopen(url + path, timeout=30):
                    pass
            return
        except OSError:
            time.sleep(0.5)
    sys.exit("error: Odoo does not answer")


def live(browser, router, meta):
    login(browser, "admin", "admin")
    install(browser)
    settings(browser)
    package(browser)
    device(browser, router)
    number(browser, meta)
    customer(browser)
    # The line starts 20 days ago: a first cron in between would bill and isolate it at once.
    wait_for_crons(browser)
    line = subscription(browser, router)
    cpe(browser)
    bill(browser)
    isolate(browser, router, line)
    pay(browser, router, line)
    messages(browser, meta)
    print_reports(browser)
    colleagues(browser)
    print("%s pictures; no error on the console" % browser._taken)


def said(text):
    print(text, flush=True)


def login(browser, name, password):
    browser.open("/web/login")
    browser.see("input[name=login]")
    browser.run("shown('input[name=login]').value = %r; shown('input[name=password]').value = %r;" % (name, password))
    browser.click(".oe_login_form button[type=submit]")
    browser.see(".o_main_navbar", seconds=300)
    browser.settle()


def install(browser):
    # Odoo's own set-up: an Indonesian company with its chart of accounts, and a user who reads Indonesian.
    company = browser.rpc("res.company", "search", [])
    country = browser.rpc("res.country", "search", [("code", "=", "ID")])
    rupiah = browser.rpc("res.currency", "search", [("name", "=", "IDR")], context={"active_test": False})
    browser.rpc("res.currency", "write", rupiah, {"active": True})
    browser.rpc("res.company", "write", company, {
        "name": "Sukamaju Net", "country_id": country[0], "street": "Jl. Merdeka 1", "city": "Garut",
    })
    chart = browser.rpc("res.config.settings", "create", {"chart_template": "id"})
    browser.rpc("res.config.settings", "execute", [chart])
    browser.rpc("res.users", "write", [2], {"lang": "id_ID", "tz": "Asia/Jakarta"})
    browser.rpc("ir.module.module", "update_list")
    apps = browser.rpc("ir.model.data", "search_read", [("module", "=", "base"), ("name", "=", "menu_management")], fields=["res_id"])
    browser.open("/web#menu_id=%s" % apps[0]["res_id"])
    browser.see(".o_kanban_record")
    browser.settle()
    browser.fill("search", "ISP Management", ".o_searchview_input")
    browser.run("""
        const it = shown(".o_searchview_input");
        it.focus();
        it.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
    """)
    browser.see(".o_kanban_record", "ISP Management")
    browser.wait("page.querySelectorAll('.o_kanban_record:not(.o_kanban_ghost)').length <= 3", "the search does not narrow")
    browser.picture("apps")
    browser.click('.o_kanban_record button[name="button_immediate_install"]')
    browser.wait("document.querySelector('.o_app[data-menu-xmlid=\"isp_management.isp_menu_root\"]') ||"
                 " document.querySelector('.o_navbar_apps_menu')", "not installed", 300)
    for _ in range(300):
        state = browser.rpc("ir.module.module", "search_read", [("name", "=", "isp_management")], fields=["state"])
        if state[0]["state"] == "installed":
            break
        time.sleep(1)
    assert state[0]["state"] == "installed", state
    time.sleep(2)
    browser.open("/web")
    browser.see(".o_main_navbar", seconds=300)
    browser.settle()
    browser.click(".o_navbar_apps_menu button")
    browser.click('.o_app[data-menu-xmlid="%sisp_menu_root"]' % ISP)
    browser.see('.o_isp_card[data-card="active"]')
    browser.picture("empty-dashboard")
    said("installed through the Apps menu")


def settings(browser):
    browser.menu(ISP + "isp_menu_configuration", ISP + "isp_settings_menu")
    for name, value in (("isp_payment_terms_days", 10), ("isp_isolate_after_days", 5), ("isp_isolate_at", "00:00"),
                        ("isp_quiet_until", "00:00"), ("isp_quiet_from", "23:59"), ("isp_breaker_percent", 100)):
        browser.fill(name, value)
    browser.run("""
        const box = shown('.o_field_widget[name="isp_isolate_on_weekends"] input');
        if (!box.checked) {
            box.click();
        }
        const holidays = shown('.o_field_widget[name="isp_public_holidays"] select');
        holidays.value = '"none"';
        holidays.dispatchEvent(new Event("change", {bubbles: true}));
    """)
    browser.picture("settings")
    browser.save()
    [found] = browser.rpc("res.company", "search_read", [], fields=[
        "isp_isolate_at", "isp_isolate_on_weekends", "isp_public_holidays", "isp_isolate_after_days",
    ])
    assert (found["isp_isolate_at"], found["isp_isolate_on_weekends"], found["isp_public_holidays"]) == (0, True, "none"), found


def new(browser, section, item):
    browser.menu(ISP + section, ISP + item)
    browser.click(".o_list_button_add, .o-kanban-button-new")
    browser.see(".o_form_view")
    browser.settle()


def package(browser):
    new(browser, "isp_menu_configuration", "isp_package_menu")
    for name, value in (("name", "Rumah 20 Mbps"), ("code", "HOME-20"), ("price", "250000"), ("speed_down", "20000"),
                        ("speed_up", "10000"), ("user_group", "HOME-20")):
        browser.fill(name, value)
    browser.save()
    browser.picture("package")


def device(browser, router):
    new(browser, "isp_menu_network", "isp_router_menu")
    host, port = router.address.rsplit(":", 1)
    for name, value in (("name", "Menara Sukamaju"), ("host", host), ("port", port), ("username", router.username),
                        ("password", router.password)):
        browser.fill(name, value)
    browser.choose("site_id", "Sukamaju", new=True)
    browser.save()
    browser.button("action_isp_test")
    wait_for(browser, "isp.router", [], "state", "ok")
    browser.menu(ISP + "isp_menu_network", ISP + "isp_router_menu")
    browser.click(".o_data_row .o_data_cell", "Menara Sukamaju")
    browser.see('.o_field_widget[name="identity"]', "menara-sukamaju")
    browser.picture("router")
    said("the router answered: %s" % browser.rpc("isp.router", "search_read", [], fields=["identity", "version"])[0])


def number(browser, meta):
    new(browser, "isp_menu_configuration", "isp_channel_menu")
    for name, value in (("name", "Layanan pelanggan"), ("phone_number_id", meta.phone_number_id), ("base_url", meta.base_url),
                        ("access_token", meta.access_token), ("app_secret", meta.app_secret), ("verify_token", "kata-kunci")):
        browser.fill(name, value)
    browser.save()
    browser.picture("whatsapp-number")


def customer(browser):
    new(browser, "isp_menu_customers", "isp_customer_menu")
    for name, value in (("name", "Siti Rahayu"), ("mobile", "0812-3456-7890"), ("nik", "3273015708900001"), ("city", "Garut")):
        browser.fill(name, value)
    browser.save()
    browser.see('.o_field_widget[name="customer_code"]', "PLG")
    shown = browser.run("""return shown('.o_field_widget[name="nik"] input').value;""")
    assert "*" in shown and "5708900001" not in shown, "the NIK is shown"
    browser.picture("customer")


def subscription(browser, router):
    new(browser, "isp_menu_customers", "isp_subscription_menu")
    browser.choose("customer_id", "Siti Rahayu")
    browser.choose("package_id", "Rumah 20")
    browser.choose("router_id", "Menara Sukamaju")
    start = datetime.utcnow() + timedelta(hours=7) - timedelta(days=20)
    browser.fill("activation_date", start.strftime("%d/%m/%Y"))
    browser.run("document.querySelector('.o_form_sheet').click();")
    for name, value in (("ppp_username", "siti"), ("ppp_password", "rahasia-siti")):
        browser.fill(name, value)
    browser.save()
    browser.button("action_activate")
    wait_for(browser, "isp.subscription", [], "state", "active")
    [line] = browser.rpc("isp.subscription", "search_read", [], fields=["activation_date"])
    assert line["activation_date"] == start.strftime("%Y-%m-%d"), line
    wait_router(browser, router, "HOME-20")
    reopen_line(browser)
    browser.picture("line-open")
    said("the line is on the router by the cron, after its button")
    return line["id"]


def cpe(browser):
    new(browser, "isp_menu_network", "isp_cpe_menu")
    browser.choose("customer_id", "Siti Rahayu")
    for name, value in (("outdoor_unit", "LHG 5"), ("serial", "HE123456"), ("ip_address", "10.20.0.10"), ("username", "admin"),
                        ("password", "rahasia-cpe"), ("value", "850000")):
        browser.fill(name, value)
    browser.save()
    browser.button("action_install")
    browser.picture("cpe")


def bill(browser):
    browser.menu(ISP + "isp_menu_billing", ISP + "isp_billing_run_menu")
    browser.button("action_bill_now")
    browser.see(".o_data_row", "277")
    browser.picture("billing-run")
    browser.menu(ISP + "isp_menu_billing", ISP + "isp_invoice_menu")
    browser.click('.o_data_row td[name="name"]')
    browser.see(".o_form_view", "277.500")
    browser.picture("invoice")
    said("billed once, with PPN")


def isolate(browser, router, line):
    # Nobody is late with an invoice that was written a moment ago (rule B2), and no clock is moved here: a manager moves its due date.
    [owed] = browser.rpc("account.move", "search_read", [("isp_subscription_id", "=", line)], fields=["id"])
    late = datetime.now(timezone.utc).date() - timedelta(days=10)
    browser.rpc("account.move", "write", [owed["id"]], {"invoice_date_due": late.isoformat()})
    [cron] = browser.rpc("ir.cron", "search_read", [("code", "ilike", "_cron_isp_isolation")], fields=["id"])
    browser.rpc("ir.cron", "method_direct_trigger", [cron["id"]])
    wait_router(browser, router, "ISOLIR")
    wait_for(browser, "isp.subscription", [("id", "=", line)], "observed_access", "isolated")
    reopen_line(browser)
    browser.picture("line-isolated")
    browser.button("action_isp_explain")
    browser.see(".modal-dialog .o_form_view")
    browser.picture("why-isolated")
    browser.click(".modal-dialog .btn-close")
    said("isolated on the router, and Odoo has seen it")


def pay(browser, router, line):
    browser.button("action_view_invoices")
    browser.click('.o_data_row td[name="name"]')
    browser.see('button[name="action_register_payment"]')
    browser.button("action_register_payment")
    browser.see(".modal-dialog .o_form_view")
    browser.picture("payment")
    browser.button("action_create_payments")
    wait_for(browser, "account.move", [("isp_subscription_id", "=", line)], "payment_state", ("paid", "in_payment"))
    wait_router(browser, router, "HOME-20")
    wait_for(browser, "isp.subscription", [("id", "=", line)], "observed_access", "open")
    reopen_line(browser)
    browser.picture("line-reopened")
    browser.menu(ISP + "isp_menu_network", ISP + "isp_isolation_event_menu")
    browser.picture("isolation-events")
    said("paid, and open again on the router")


def messages(browser, meta):
    for _ in range(120):
        states = browser.rpc("isp.notification", "search_read", [], fields=["kind", "state"])
        if {row["kind"] for row in states} >= {"isolated", "payment_received", "reopened"} and all(
            row["state"] in ("sent", "dropped") for row in states
        ):
            break
        time.sleep(1)
    else:
        raise AssertionError("messages: %s" % states)
    assert meta.messages() and not meta.duplicates(), meta.duplicates()
    browser.menu(ISP + "isp_menu_billing", ISP + "isp_notification_menu")
    browser.picture("notifications")
    browser.menu(ISP + "isp_dashboard_menu")
    browser.picture("dashboard")
    said("%s messages taken by WhatsApp, none twice" % len(meta.messages()))


def print_reports(browser):
    for key, (word, menu) in REPORTS.items():
        browser.menu(ISP + "isp_menu_reports", ISP + menu)
        browser.see(".o_action_manager .o_view_controller")
        browser.picture("report-%s" % key)
        browser.menu(ISP + "isp_menu_reports", ISP + "isp_report_print_menu")
        browser.click('.modal-dialog input[data-value="%s"]' % key)
        browser.click('.modal-dialog button[name="action_pdf"]')
        name, data = browser.downloaded(".pdf")
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]
        assert data.startswith(b"%PDF-") and word in " ".join(pages).replace("\n", " "), (key, pages)
        if browser.pictures:
            with open(os.path.join(browser.pictures, "report-%s.pdf" % key), "wb") as file:
                file.write(data)
        browser.see('.modal-dialog button[name="action_xlsx"]')
        browser.click('.modal-dialog button[name="action_xlsx"]')
        _name, data = browser.downloaded(".xlsx")
        assert data.startswith(b"PK"), key
        browser.click('.modal-dialog button[special="cancel"], .modal-dialog .btn-close')
        browser.wait("!document.querySelector('.modal-dialog')")
    said("five reports on screen, as PDF and as XLSX")


def colleagues(browser):
    """One user of each group: each sees the dashboard and the menus that are theirs."""
    groups = {
        row["name"]: row["res_id"]
        for row in browser.rpc("ir.model.data", "search_read", [("module", "=", "isp_management"), ("model", "=", "res.groups")], fields=["name", "res_id"])
    }
    for group in GROUPS:
        browser.rpc("res.users", "create", {
            "name": group, "login": group, "password": PASSWORD, "lang": "id_ID", "groups_id": [[6, 0, [groups["group_%s" % group]]]],
        })
    for group in GROUPS:
        browser.open("/web/session/logout")
        browser.see("input[name=login]")
        login(browser, group, PASSWORD)
        browser.open("/web")
        browser.settle()
        browser.click(".o_navbar_apps_menu button")
        browser.click('.o_app[data-menu-xmlid="%sisp_menu_root"]' % ISP)
        browser.see('.o_isp_card[data-card="active"]')
        browser.menu(ISP + "isp_menu_customers", ISP + "isp_customer_menu")
        browser.click(".o_data_row .o_data_cell, .o_kanban_record", "Siti Rahayu")
        browser.see('.o_field_widget[name="customer_code"]')
        assert not browser.run("return !!document.querySelector('.o_error_dialog, .o_dialog_warning');"), group
        browser.picture("as-%s" % group)
    said("seen by a colleague of each group")


def reopen_line(browser):
    browser.menu(ISP + "isp_menu_customers", ISP + "isp_subscription_menu")
    browser.click(".o_data_row .o_data_cell, .o_kanban_record", "Siti Rahayu")
    browser.see('.o_field_widget[name="observed_access"]')


def wait_router(browser, router, profile, seconds=300):
    """Until the router itself holds the line's account in that profile."""
    end = time.monotonic() + seconds
    while True:
        secret = router.secret("siti")
        if secret is not None and secret.profile == profile:
            return
        assert time.monotonic() < end, "the router has %s, not %s" % (secret and secret.profile, profile)
        browser.run("return 1;")
        time.sleep(0.3)


def wait_for_crons(browser, seconds=300):
    """Until each of ours has run once that Odoo has run within minutes after they were installed. Billing waits for its hour."""
    end = time.monotonic() + seconds
    soon = (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    while True:
        crons = browser.rpc("ir.cron", "search_read", [("name", "=like", "ISP: %")], fields=["name", "lastcall", "nextcall"])
        waiting = [cron["name"] for cron in crons if not cron["lastcall"] and cron["nextcall"] < soon]
        if crons and not waiting:
            return
        assert time.monotonic() < end, "%s did not run" % ", ".join(waiting)
        time.sleep(0.5)


def wait_for(browser, model, domain, name, value, seconds=300):
    wanted = value if isinstance(value, tuple) else (value,)
    end = time.monotonic() + seconds
    while True:
        [found] = browser.rpc(model, "search_read", domain, fields=[name])
        if found[name] in wanted:
            return
        assert time.monotonic() < end, "%s is %s, not %s" % (name, found[name], value)
        time.sleep(0.3)


if __name__ == "__main__":
    main(*sys.argv[1:])
