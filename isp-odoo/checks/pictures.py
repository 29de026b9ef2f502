"""Pictures of the screens that people sit in all day: in both languages, 1400 and 390 pixels wide. To be looked at.

scripts/odoo_demo pictures calls it for the demo provider; ISP_ODOO_PICTURES names the directory.
"""

import base64
import os

from browser import Browser

WIDTHS = ((1400, 950), (390, 844))
ACTIONS = (
    ("dashboard", "isp_dashboard_action"), ("customers", "isp_customer_action"), ("lines", "isp_subscription_action"),
    ("map", "isp_map_action"), ("round", "isp_round_action"), ("work", "isp_work_action"), ("invoices", "isp_invoice_action"),
    ("routers", "isp_router_action"), ("profit-loss", "isp_report_profit_loss_action"), ("cash", "isp_report_cash_action"),
    ("bank", "isp_bank_line_action"), ("holidays", "isp_public_holiday_action"), ("settings", "isp_settings_open_action"),
)
PASSWORD = "kata-sandi-uji"


def take(url, directory, pictures):
    """Returns how many were taken; any error on the console ends it."""
    browser = Browser(url, directory, pictures)
    taken = 0
    try:
        sign_in(browser, "admin", "admin")
        provide(browser)
        [isolated] = browser.rpc("isp.subscription", "search_read", [
            ("state", "=", "active"), ("desired_access", "=", "isolated"), ("is_overdue", "=", True),
        ], fields=["customer_id"], limit=1)
        for lang in ("en_US", "id_ID"):
            browser.rpc("res.users", "write", [2], {"lang": lang})
            # The first page of a session still has the menus of the language before.
            browser.open("/web?%s" % lang)
            browser.see(".o_main_navbar")
            for width, height in WIDTHS:
                window(browser, width, height)
                for name, path in screens(isolated):
                    browser.open("/web?%s-%s-%s#%s" % (lang, width, name, path))
                    browser.see(".o_action_manager .o_action, .o_action_manager .o_view_controller, .modal-dialog .o_form_view")
                    taken += picture(browser, pictures, lang, width, name)
        taken += portal(browser, pictures)
    finally:
        browser.close()
    assert not browser.errors, "the console has errors:\n%s" % "\n".join(browser.errors)
    return taken


def screens(line):
    for name, action in ACTIONS:
        yield name, "action=isp_management.%s" % action
    yield "customer", "model=isp.customer&view_type=form&id=%s" % line["customer_id"][0]
    yield "line", "model=isp.subscription&view_type=form&id=%s" % line["id"]


def window(browser, width, height):
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
    browser.send("Emulation.setTouchEmulationEnabled", enabled=width < 600)


def picture(browser, pictures, lang, width, name):
    browser.settle()
    browser.run("await new Promise((resolve) => setTimeout(resolve, 700));")
    data = browser.send("Page.captureScreenshot", format="png")["data"]
    with open(os.path.join(pictures, "%s-%s-%s.png" % (name, lang[:2], width)), "wb") as file:
        file.write(base64.b64decode(data))
    return 1


def sign_in(browser, name, password):
    browser.open("/web/login")
    browser.see("input[name=login]")
    browser.run("shown('input[name=login]').value = %r; shown('input[name=password]').value = %r;" % (name, password))
    browser.click(".oe_login_form button[type=submit]")
    browser.see(".o_main_navbar, #wrapwrap .o_portal", seconds=300)


def provide(browser):
    """What the demo provider lacks: coordinates, a collector who logs in, somebody who looks at the own line."""
    customers = browser.rpc("isp.customer", "search_read", [("state", "=", "active")], fields=["partner_id"])
    for number, customer in enumerate(customers):
        browser.rpc("isp.customer", "write", [customer["id"]], {
            "partner_latitude": -7.2 - (number * 37 % 23) / 500, "partner_longitude": 107.9 + (number * 53 % 29) / 400,
        })
    collector = browser.rpc("isp.collector", "create", {"name": "Pak Asep", "user_id": 2})
    owing = browser.rpc("isp.subscription", "search", [("is_owing", "=", True), ("state", "=", "active")], limit=8)
    browser.rpc("isp.subscription", "write", owing, {"collector_id": collector})
    [line] = browser.rpc("isp.subscription", "search_read", [("id", "=", owing[0])], fields=["partner_id"])
    [group] = browser.rpc("ir.model.data", "search_read", [("module", "=", "base"), ("name", "=", "group_portal")], fields=["res_id"])
    browser.rpc("res.users", "create", {
        "name": line["partner_id"][1], "login": "pelanggan", "password": PASSWORD, "partner_id": line["partner_id"][0], "lang": "id_ID",
        "groups_id": [[6, 0, [group["res_id"]]]],
    })


def portal(browser, pictures):
    # A customer's own browser: nobody chose another language in it.
    browser.open("/web/session/logout")
    browser.send("Network.clearBrowserCookies")
    browser.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": "id-ID,id"})
    browser.open("/web/login")
    browser.wait("document.querySelector('input[name=login]')")
    browser.run("document.querySelector('input[name=login]').value = 'pelanggan';")
    browser.run("document.querySelector('input[name=password]').value = %r;" % PASSWORD)
    browser.click(".oe_login_form button[type=submit]")
    browser.wait("document.querySelector('.o_portal_my_home, .o_portal_docs, .o_portal')", "the portal does not open")
    taken = 0
    for width, height in WIDTHS:
        window(browser, width, height)
        browser.open("/my/internet")
        browser.wait("document.querySelector('a[href^=\"/my/internet/\"]')")
        path = browser.run("return [...document.querySelectorAll('a[href^=\"/my/internet/\"]')].pop().getAttribute('href');")
        browser.open(path)
        browser.wait("document.querySelector('#isp_fault')")
        browser.run("await new Promise((resolve) => setTimeout(resolve, 500));")
        data = browser.send("Page.captureScreenshot", format="png")["data"]
        with open(os.path.join(pictures, "portal-id-%s.png" % width), "wb") as file:
            file.write(base64.b64decode(data))
        taken += 1
    return taken
