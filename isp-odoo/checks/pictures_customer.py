"""Pictures of what customers see: the page behind the link in a message, the payment by a gateway, and the pages of who logs in."""

import base64
import os
import tempfile

WIDTHS = ((1400, 950), (390, 844))
PASSWORD = "kata-sandi-uji"
LANGUAGES = (("en_US", "en-US,en"), ("id_ID", "id-ID,id"))
# A picture of one dot, as a proof of transfer.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def take(browser, picture, isolated):
    """Returns how many were taken. `isolated` is a line that owes, as the officer who is logged in reads it."""
    customer = isolated["customer_id"][0]
    link = browser.rpc("isp.customer", "action_isp_open_page", [customer])["url"]
    link = link[link.index("/my/bill/"):]
    # Another one logs in, so that what one asks for is not shown to the other.
    [portal] = browser.rpc("res.users", "search_read", [("login", "=", "pelanggan")], fields=["partner_id"])
    leave(browser)
    taken = 0
    for lang, header in LANGUAGES:
        browser.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": header})
        taken += behind_the_link(browser, picture, link, lang)
    for lang, header in LANGUAGES:
        leave(browser)
        browser.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": header})
        speak(browser, portal["id"], lang)
        taken += logged_in(browser, picture, lang)
    return taken


def leave(browser):
    # A customer's own browser: nobody chose another language in it.
    browser.open("/web/session/logout")
    browser.wait("document.querySelector('input[name=login]')")
    browser.send("Network.clearBrowserCookies")


def shoot(browser, picture, name, lang, widths=WIDTHS):
    taken = 0
    for width, height in widths:
        browser.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        taken += picture(name, lang, width)
    return taken


def press(browser, form, then):
    browser.run("document.querySelector(%r).click();" % ("form[action*='%s'] button" % form))
    browser.wait(then, "after %s" % form)


def behind_the_link(browser, picture, link, lang):
    """What is owed, an amount to pay exactly, a code of a gateway, a proof that was sent."""
    address = "%s&lang=%s" % (link, lang[:2])
    browser.open(address)
    browser.wait("document.querySelector('input[type=file]')")
    taken = shoot(browser, picture, "bill", lang)
    for number, method in enumerate(("qris", "va")):
        browser.open(address)
        browser.wait("document.querySelector('select[name=way]')")
        found = browser.run("""
            const ways = [...document.querySelectorAll("select[name=way] option")].filter((one) => one.textContent.includes("Midtrans"));
            const one = ways.find((way) => way.textContent.includes("QRIS") === (%s === 0));
            one.selected = true;
            return !!one;
        """ % number)
        assert found, "no way to pay by %s" % method
        press(browser, "/online", "location.pathname.startsWith('/payment/isp/pay/')")
        browser.wait("document.querySelector('#wrapwrap h3')")
        taken += shoot(browser, picture, "gateway-%s" % method, lang)
    browser.open(address)
    browser.wait("document.querySelector('input[type=file]')")
    if browser.run("return !!document.querySelector(\"form[action$='/pay']\");"):
        press(browser, "/pay", "location.search.includes('said') || !document.querySelector(\"form[action$='/pay']\")")
    browser.wait("document.querySelector('input[type=file]')")
    taken += shoot(browser, picture, "bill-asked", lang)
    upload(browser, "input[type=file]", "/proof")
    browser.wait("document.querySelector('section[role=status]')")
    taken += shoot(browser, picture, "bill-proof", lang)
    browser.open(address.replace("access_token=", "access_token=x"))
    browser.wait("document.querySelector('section')")
    taken += shoot(browser, picture, "bill-unknown", lang)
    # The browser names each page that answers 404.
    browser.errors[:] = [error for error in browser.errors if "404" not in error]
    return taken


def upload(browser, selector, form):
    """Choose a file and send its form."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "bukti.png")
        with open(path, "wb") as file:
            file.write(DOT)
        root = browser.send("DOM.getDocument")["root"]["nodeId"]
        node = browser.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        browser.send("DOM.setFileInputFiles", files=[path], nodeId=node)
        browser.run("document.querySelector(%r).click();" % ("form[action*='%s'] button" % form))
        browser.wait("document.readyState === 'complete' && !document.querySelector(%r)?.files?.length" % selector)


def speak(browser, user, lang):
    """The language of the customer who logs in."""
    browser.open("/web/login")
    browser.wait("document.querySelector('input[name=login]')")
    enter(browser, "admin", "admin")
    browser.wait("document.querySelector('.o_main_navbar')", "the office does not open")
    browser.rpc("res.users", "write", [user], {"lang": lang})
    leave(browser)


def enter(browser, name, password):
    browser.run("document.querySelector('input[name=login]').value = %r;" % name)
    browser.run("document.querySelector('input[name=password]').value = %r;" % password)
    browser.run("document.querySelector('.oe_login_form button[type=submit]').click();")


def logged_in(browser, picture, lang):
    """The customer's lines, a line with what is owed and a proof, and Odoo's page of an invoice with the ways to pay it."""
    browser.open("/web/login")
    browser.wait("document.querySelector('input[name=login]')")
    enter(browser, "pelanggan", PASSWORD)
    browser.wait("document.querySelector('.o_portal_my_home, .o_portal_docs, .o_portal')", "the portal does not open")
    taken = shoot(browser, picture, "portal-home", lang)
    browser.open("/my/internet")
    browser.wait("document.querySelector('a[href^=\"/my/internet/\"]')")
    taken += shoot(browser, picture, "portal-lines", lang)
    path = browser.run("return [...document.querySelectorAll('a[href^=\"/my/internet/\"]')].pop().getAttribute('href');")
    browser.open(path)
    browser.wait("document.querySelector('#isp_fault')")
    taken += shoot(browser, picture, "portal", lang)
    if browser.run("return !!document.querySelector('#isp_proof');"):
        upload(browser, "#isp_proof", "/proof")
        browser.wait("document.querySelector('.alert-info')")
        taken += shoot(browser, picture, "portal-proof", lang)
    invoice = browser.run("""
        const late = [...document.querySelectorAll("tr")].filter((row) => row.querySelector(".text-bg-danger, .text-bg-info"));
        return (late[0] || document).querySelector("a[href*='/my/invoices/']")?.getAttribute("href");
    """)
    assert invoice, "no invoice in the portal"
    browser.open(invoice)
    browser.wait("document.querySelector('#portal_pay')", "no button to pay an invoice")
    browser.wait("[...document.querySelectorAll('iframe')].some((one) => one.contentDocument?.querySelector('h2'))", "no invoice")
    taken += shoot(browser, picture, "portal-invoice", lang)
    browser.run("document.querySelector('a[href=\"#pay\"], [data-bs-target=\"#pay_with\"], #portal_pay ~ * .btn-primary, .o_portal_invoice_actions .btn-primary, a.btn-primary').click();")
    browser.wait("[...document.querySelectorAll('#o_payment_form, .o_payment_form')].some((one) => one.offsetParent)", "no form to pay with")
    taken += shoot(browser, picture, "portal-pay", lang)
    return taken
