"""Pictures of the screens that people sit in all day, and of what customers see (pictures_customer.py): in both languages, 1400 and 390
pixels wide. To be looked at. A page of a telephone that can be pushed sideways ends it.

scripts/odoo_demo pictures calls it for the demo provider; ISP_ODOO_PICTURES names the directory.
"""

import base64
import os

import pictures_customer
from browser import Browser

WIDTHS = ((1400, 950), (390, 844))
# Spreadsheets of a small provider, and the same with a wrong row in each.
SHEETS = {
    "lokasi.csv": "kode;nama;zona;koordinat\nLBG;Lembang;WIB;-6.8118,107.6175\n",
    "routers.csv": "code,site,address,username,password\nRTR-LBG,LBG,10.99.0.1,isp,contoh-router\n",
    "paket.csv": "kode;nama;harga;ppn;kecepatan;grup\nLBG-20;Lembang 20;Rp 165.000;termasuk;20/10;lbg20\n",
    "pelanggan.csv": "id_pelanggan;nama;alamat;telepon\nLBG-1;Asep Hidayat;Jl. Raya Lembang 12;0812-3456-7001\n"
                     "LBG-2;Euis Komariah;Jl. Maribaya 3;0812-3456-7002\nLBG-3;Dadang;Jl. Kolonel Masturi 8;\n",
    "langganan.csv": "id_pelanggan,paket,router,username,password,mulai,tanggal_tagih\nLBG-1,LBG-20,RTR-LBG,asep@lbg,contoh-1,2026-01-05,5\n"
                     "LBG-2,LBG-20,RTR-LBG,euis@lbg,contoh-2,2026-02-10,10\nLBG-3,LBG-20,RTR-LBG,dadang@lbg,contoh-3,2026-02-28,\n",
    "psb.csv": "id_pelanggan,jenis,biaya,tanggal,cicilan\nLBG-2,FO baru,500000,2026-02-10,3\n",
}
WRONG = {
    "paket.csv": ("Rp 165.000", "gratis"), "pelanggan.csv": ("0812-3456-7002", "0812"), "langganan.csv": ("RTR-LBG,euis", "RTR-XYZ,euis"),
    "psb.csv": ("2026-02-10", "31/02/2026"),
}
SIDEWAYS = """
const width = document.documentElement.clientWidth;
const wide = (document.scrollingElement.scrollWidth > width + 1) ? [...document.querySelectorAll("body *")].filter((found) => {
    const box = found.getBoundingClientRect();
    return box.width && box.right > width + 1 && ![...document.querySelectorAll(".table-responsive, .o_list_renderer")].some((up) => up.contains(found));
}).slice(0, 3).map((found) => found.outerHTML.slice(0, 200)) : [];
return wide.join("\\n") || (document.scrollingElement.scrollWidth > width + 1 ? "the page" : "");
"""
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
                taken += spreadsheets(browser, pictures, lang, width)
        taken += pictures_customer.take(browser, lambda name, lang, width: picture(browser, pictures, lang, width, name, whole=True), isolated)
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


def spreadsheets(browser, pictures, lang, width):
    """The import of spreadsheets: files chosen, rows that are wrong, and what would be written."""
    taken = 0
    wrong = {name: text.replace(*WRONG.get(name, ("", ""))) for name, text in SHEETS.items()}
    for name, sheets, looks in (("import-files", SHEETS, False), ("import-errors", wrong, True), ("import-preview", SHEETS, True)):
        wizard = browser.rpc("isp.spreadsheet.wizard", "create", {"billed_from": "2026-01-01", "file_ids": [
            [0, 0, {"name": file, "content": base64.b64encode(text.encode()).decode()}] for file, text in sheets.items()
        ]})
        if looks:
            browser.rpc("isp.spreadsheet.wizard", "action_look", [wizard], context={"lang": lang})
        browser.open("/web?%s-%s-%s#action=isp_management.isp_package_action" % (lang, width, name))
        browser.see(".o_action_manager .o_view_controller")
        browser.settle()
        browser.run("""await odoo.__WOWL_DEBUG__.root.env.services.action.doAction({
            type: "ir.actions.act_window", res_model: "isp.spreadsheet.wizard", res_id: %s, views: [[false, "form"]], target: "new",
            name: %r, context: {dialog_size: "extra-large"},
        });""" % (wizard, "Impor spreadsheet" if lang == "id_ID" else "Import spreadsheets"))
        browser.see(".modal-dialog .o_form_view")
        taken += picture(browser, pictures, lang, width, name)
        if looks:
            # What stands below in the dialog.
            browser.run("const it = page.querySelector('.modal-body, .o_form_view'); it.scrollTop = it.scrollHeight; page.closest('.modal').scrollTop = 9999;")
            taken += picture(browser, pictures, lang, width, name + "-below")
    return taken


def picture(browser, pictures, lang, width, name, whole=False):
    if not whole:
        browser.settle()
    browser.run("await new Promise((resolve) => setTimeout(resolve, 700));")
    sideways = browser.run(SIDEWAYS) if width < 600 else ""
    data = browser.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
    with open(os.path.join(pictures, "%s-%s-%s.png" % (name, lang[:2], width)), "wb") as file:
        file.write(base64.b64decode(data))
    if sideways:
        browser.errors.append("%s %s %s can be pushed sideways by %s" % (name, lang, width, sideways))
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
