"""The page that the link in a message opens, and what a customer sends from it: nobody sees another's, and nothing is sent twice."""

import json
import os
import re
from datetime import timedelta
from unittest.mock import patch

import requests

from odoo.exceptions import AccessError
from odoo.http import Request
from odoo.tests import new_test_user, tagged
from odoo.tests.common import ChromeBrowser
from odoo.tools import mute_logger

from .common import IspHttpCase
from .network_common import IspNetworkCommon

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
PDF = b"%PDF-1.4\n" + bytes(30)


@tagged("post_install", "-at_install")
class TestCustomerPage(IspNetworkCommon, IspHttpCase):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.line, cls.other = cls.new_line(1), cls.new_line(2)
        cls.customer = cls.line.customer_id
        cls.customer.write({"street": "Jalan Rahasia 7", "email": "siti@example.com"})
        cls.today = cls.company._isp_today()
        cls.company.isp_how_to_pay = "BCA 123 456, sebut ID Pelanggan"
        cls.move = cls.bill(cls.line, cls.today - timedelta(days=15))
        cls.theirs = cls.bill(cls.other, cls.today - timedelta(days=15))
        cls.visitor = cls.env["res.users"].with_context(no_reset_password=True).create({
            "name": "Siti", "login": "halaman-siti", "password": "halaman-siti", "partner_id": cls.line.partner_id.id, "lang": "en_US",
            "groups_id": [(6, 0, cls.env.ref("base.group_portal").ids)], "company_id": cls.company.id, "company_ids": [(6, 0, cls.company.ids)],
        })

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)

    def address(self, customer=None, what="", token=None):
        customer = customer or self.customer
        token = customer._isp_page_token() if token is None else token
        self.env.flush_all()
        return "/my/bill/%s%s?access_token=%s&lang=en" % (customer.id, what, token)

    def page(self, customer=None, **kwargs):
        answer = self.url_open(self.address(customer), **kwargs)
        self.assertEqual(answer.status_code, 200)
        return answer.text

    def do(self, what, token=None, customer=None, follow=True, file=None, **values):
        customer = customer or self.customer
        token = customer._isp_page_token() if token is None else token
        self.env.flush_all()
        answer = self.url_open("/my/bill/%s/%s" % (customer.id, what), data={
            "csrf_token": Request.csrf_token(self), "access_token": token, "lang": "en", **values,
        }, files={"file": file} if file else None, allow_redirects=follow)
        self.env.invalidate_all()
        return answer

    def proofs(self, customer=None):
        return self.env["isp.proof"].search([("customer_id", "=", (customer or self.customer).id)])

    # The page

    def test_a_form_keeps_the_language_that_was_chosen(self):
        self.assertIn('name="lang" value="en"', self.page())
        self.assertIn("lang=en", self.do("pay").url)
        self.assertIn('<html lang="en"', self.do("pay").text)

    def test_it_says_what_the_messages_say_and_nothing_of_a_person(self):
        text = self.page()
        for word in (self.move.name, "277,500", "BCA 123 456", "Proof of transfer", "I promise to pay", "Your service is active"):
            self.assertIn(word, text)
        for word in (self.customer.name, "Jalan Rahasia", "siti@example.com", self.customer.whatsapp_number, self.theirs.name, "rahasia",
                     self.line.ppp_username, self.move._portal_ensure_token(), self.router.host):
            self.assertNotIn(word, text)
        self.assertLess(len(text), 30_000)
        self.assertFalse(re.findall(r"<script|<link|src=\"(?!data:)", text), "no script and nothing from elsewhere")
        headers = self.url_open(self.address()).headers
        self.assertEqual((headers["Cache-Control"], headers["Referrer-Policy"], headers["X-Frame-Options"]), ("no-store", "no-referrer", "DENY"))
        self.assertIn("noindex", headers["X-Robots-Tag"])
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])

    def test_looking_has_no_effect(self):
        before = (self.customer.payment_request_ids, self.customer.promise_ids, self.proofs())
        self.page()
        for what in ("pay", "proof", "promise"):
            self.assertEqual(self.url_open(self.address(what="/" + what)).status_code, 405, what)
        self.env.invalidate_all()
        self.assertEqual((self.customer.payment_request_ids, self.customer.promise_ids, self.proofs()), before)

    def test_in_indonesian_unless_asked_for_otherwise(self):
        text = self.url_open(self.address().replace("&lang=en", "")).text
        self.assertIn("Bukti transfer", text)
        self.assertIn('lang="id"', text)
        self.assertIn("lang=en\">English", text)
        self.customer.message_language = "en"
        self.assertIn("Proof of transfer", self.url_open(self.address().replace("&lang=en", "")).text)
        self.assertEqual(self.url_open(self.address().replace("&lang=en", "&lang=../x")).status_code, 200)

    def test_no_other_link_opens_it(self):
        theirs = self.other.customer_id._isp_page_token()
        for token in ("", "x", "%C3%A9", "%00", "a" * 5_000, theirs, self.move._portal_ensure_token()):
            answer = self.url_open(self.address(token=token))
            self.assertEqual(answer.status_code, 404, token)
            self.assertIn("This link does not work", answer.text)
            self.assertNotIn(self.move.name, answer.text)
        for number in (0, 2**31, 10**30, 999_999_999):
            self.assertEqual(self.url_open("/my/bill/%s?access_token=%s" % (number, theirs)).status_code, 404, number)
        for what in ("pay", "proof", "promise", "delete"):
            self.assertEqual(self.do(what, token=theirs, days="3", file=("a.png", PNG)).status_code, 404)
        self.assertEqual(self.do("delete").status_code, 404)
        self.assertFalse(self.customer.payment_request_ids or self.customer.promise_ids or self.proofs())

    def test_a_link_that_was_revoked_or_sent_to_another_number_is_over(self):
        old = self.address()
        self.customer.action_isp_revoke_link()
        self.env.flush_all()
        self.assertEqual(self.url_open(old).status_code, 404)
        new = self.address()
        self.assertNotEqual(new, old)
        self.assertEqual(self.url_open(new).status_code, 200)
        self.customer.mobile = "0812-9999-0001"
        self.env.flush_all()
        self.assertEqual(self.url_open(new).status_code, 404, "whoever has the old number sees nothing more")
        self.assertEqual(self.url_open(self.address()).status_code, 200)
        self.env.flush_all()
        self.env.cr.execute("UPDATE isp_customer SET active = false WHERE id = %s", [self.customer.id])
        self.env.invalidate_all()
        self.assertEqual(self.url_open(self.address(token=self.customer.page_token)).status_code, 404)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_who_has_the_link_among_the_colleagues(self):
        self.customer._isp_page_token()
        make = lambda name: new_test_user(self.env, "halaman-%s" % name, groups="isp_management.group_%s" % name, company_id=self.company.id)  # noqa: E731
        technician, cashier, billing = make("technician"), make("cashier"), make("billing")
        with self.assertRaises(AccessError):
            self.customer.with_user(technician).read(["page_token"])
        with self.assertRaises(AccessError):
            self.customer.with_user(technician).action_isp_open_page()
        with self.assertRaises(AccessError):
            self.customer.with_user(cashier).write({"page_token": "tebakan"})
        with self.assertRaises(AccessError):
            self.customer.with_user(cashier).action_isp_revoke_link()
        self.assertIn("/my/bill/", self.customer.with_user(cashier).action_isp_open_page()["url"])
        self.customer.with_user(billing).action_isp_revoke_link()
        self.assertFalse(self.customer.page_token)
        for user in (self.visitor, self.env.ref("base.public_user")):
            with self.assertRaises(AccessError):
                self.customer.with_user(user).read(["page_token"])

    def test_nothing_owed_nothing_is_asked(self):
        self.pay(self.move)
        text = self.page()
        self.assertIn("Nothing is owed", text)
        for word in ("<form", self.move.name, "BCA 123"):
            self.assertNotIn(word, text)
        self.assertIn("said=nothing", self.do("pay").url)
        self.assertIn("said=nothing", self.do("proof", file=("a.png", PNG)).url)
        self.assertIn("said=nothing", self.do("promise", days="2").url)

    # What is done

    def test_pay_now_is_one_amount_however_often(self):
        for _time in range(3):
            self.assertEqual(self.do("pay").status_code, 200)
        [request] = self.customer.payment_request_ids
        self.assertIn("{:,.0f}".format(request.amount), self.page())

    def test_a_proof_holds_the_isolation_back_and_waits_for_review(self):
        answer = self.do("proof", file=("struk.png", PNG))
        self.assertIn("said=proof", answer.url)
        self.assertIn("has arrived", answer.text)
        self.assertIn("waits for review", self.page())
        proof = self.proofs()
        self.assertEqual((proof.state, proof.file_kind, proof.move_ids, bool(proof.user_id)), ("waiting", "png", self.move, False))
        queue = self.env.ref("isp_management.isp_proof_action").read(["res_model", "domain"])[0]
        self.assertEqual(queue["res_model"], "isp.proof")
        now = self.company._isp_now()
        why = self.line._isp_explain("en")
        self.assertEqual(why.reason, "proof_waiting", (why, now))
        # The same again, by another name.
        self.assertIn("said=proof_known", self.do("proof", file=("lagi.png", PNG)).url)
        self.assertEqual(self.proofs(), proof)

    def test_what_is_no_proof(self):
        for file, word in (
            (("a.png", b"<svg onload=alert(1)>"), "proof_kind"), (("a.exe", b"MZ" + bytes(50)), "proof_kind"), (("a.png", b""), "proof_none"), (None, "proof_none"),
            (("a.png", PNG + bytes(5 << 20)), "proof_large"),
        ):
            self.assertIn("said=%s&" % word, self.do("proof", file=file).url, word)
        self.assertIn("said=proof_none&", self.do("proof", file=None, file_name="x").url)
        self.assertFalse(self.proofs())
        self.assertEqual(self.do("proof", file=("a.png", PNG + bytes(21 << 20))).status_code, 413)
        for number in range(6):
            last = self.do("proof", file=("%s.pdf" % number, PDF + bytes([number])))
        self.assertIn("said=proof_many&", last.url)
        self.assertEqual(len(self.proofs()), 5)

    def test_a_promise_opens_the_line_once_in_a_period(self):
        self.line.sudo().write({"desired_access": "isolated", "access_cause": "arrears"})
        self.assertIn("Your internet is suspended", self.page())
        for days in ("0", "-1", "400", "abc", "٣", "9999", ""):
            self.assertIn("said=days&", self.do("promise", days=days).url, days)
        self.assertFalse(self.customer.promise_ids)
        self.assertIn("said=promised&", self.do("promise", days="2").url)
        self.assertIn("said=promised&", self.do("promise", days="2").url)
        [promise] = self.customer.promise_ids
        self.assertEqual((promise.until, bool(promise.user_id)), (self.today + timedelta(days=2), False))
        self.assertEqual(self.line.desired_access, "open")
        text = self.page()
        self.assertIn("Pay until", text)
        self.assertNotIn("I promise to pay", text)
        promise.sudo().write({"state": "broken", "until": self.today, "made_on": self.today})
        self.assertIn("said=used&", self.do("promise", days="2").url)

    def test_a_promise_opens_nothing_that_a_person_closed(self):
        self.line._isp_by_hand("isolate", "Diminta")
        self.do("promise", days="2")
        self.assertEqual(self.line.desired_access, "isolated")
        self.assertIn("contact us", self.page())

    def test_a_form_of_another_site_does_nothing(self):
        self.env.flush_all()
        with mute_logger("odoo.http"):
            answer = self.url_open("/my/bill/%s/promise" % self.customer.id, data={
                "access_token": self.customer._isp_page_token(), "days": "2", "csrf_token": "x",
            })
        self.assertEqual(answer.status_code, 400)
        self.assertFalse(self.customer.promise_ids)

    def test_the_link_opens_no_chatter(self):
        self.customer.message_post(body="Sering telat bayar", subtype_xmlid="mail.mt_comment", message_type="comment")
        token, before = self.customer._isp_page_token(), len(self.customer.message_ids)
        self.env.flush_all()
        for route, more in (("chatter_init", {}), ("chatter_fetch", {}), ("chatter_post", {"message": "halo"})):
            body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 0, "params": {
                "res_model": "isp.customer", "res_id": self.customer.id, "token": token, **more,
            }})
            with mute_logger("odoo.http"):
                answer = self.url_open("/mail/%s" % route, data=body, headers={"Content-Type": "application/json"})
            self.assertIn("error", answer.json(), route)
            self.assertNotIn("Sering", answer.text)
        self.env.invalidate_all()
        self.assertEqual(len(self.customer.message_ids), before)

    def test_a_browser_that_was_never_here(self):
        address = self.address()
        with requests.Session() as browser:
            text = browser.get(self.base_url() + address, timeout=900).text
            hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
            answer = browser.post(self.base_url() + "/my/bill/%s/promise" % self.customer.id, data={**hidden, "days": "2"}, timeout=900)
        self.assertIn("said=promised", answer.url)
        self.env.invalidate_all()
        self.assertEqual(len(self.customer.promise_ids), 1)

    # After logging in

    def test_a_proof_from_the_portal(self):
        self.authenticate("halaman-siti", "halaman-siti")
        send = lambda line, file: self.url_open(  # noqa: E731
            "/my/internet/%s/proof" % line.id, data={"csrf_token": Request.csrf_token(self)}, files={"file": file},
        )
        answer = send(self.line, ("struk.pdf", PDF))
        self.assertIn("told=proof", answer.url)
        for word in ("has arrived", "Waits for review", "Send the proof"):
            self.assertIn(word, answer.text)
        self.env.invalidate_all()
        self.assertEqual((self.proofs().user_id, self.proofs().file_kind), (self.visitor, "pdf"))
        self.assertIn("told=proof_known", send(self.line, ("struk.pdf", PDF)).url)
        self.assertIn("told=proof_kind", send(self.line, ("struk.pdf", b"halo")).url)
        self.assertTrue(send(self.other, ("struk.pdf", PDF)).url.endswith("/my/internet"))
        self.env.invalidate_all()
        self.assertFalse(self.proofs(self.other.customer_id))
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            self.env["isp.proof"].with_user(self.visitor).create({"customer_id": self.customer.id})

    def test_on_a_telephone(self):
        """Nothing is wider than the screen, and what is pressed is large enough for a thumb."""
        self.do("pay")
        self.line.sudo().write({"desired_access": "isolated", "access_cause": "arrears"})
        address = self.address()
        # Somebody has to look at it: ISP_ODOO_PICTURES names a directory to leave it in.
        if os.environ.get("ISP_ODOO_PICTURES"):
            for lang in ("en", "id"):
                with open(os.path.join(os.environ["ISP_ODOO_PICTURES"], "customer_page_%s.html" % lang), "wb") as kept:
                    kept.write(self.url_open(address.replace("&lang=en", "&lang=" + lang)).content)
        fits = """
            const root = document.documentElement, small = [...document.querySelectorAll("button, select, input[type=file]")]
                .filter((one) => one.getBoundingClientRect().height < 44);
            if (window.innerWidth > 400 || root.scrollWidth > window.innerWidth) {
                console.error("wider than the screen: " + root.scrollWidth + " of " + window.innerWidth);
            } else if (%s && small.length) {
                console.error("too small for a thumb: " + small[0].outerHTML);
            } else {
                console.log("test successful");
            }
        """
        navigate = ChromeBrowser.navigate_to

        def narrow(browser, *args, **kwargs):
            browser._websocket_request("Emulation.setDeviceMetricsOverride", params={
                "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True,
            })
            return navigate(browser, *args, **kwargs)

        with patch.object(ChromeBrowser, "navigate_to", narrow):
            self.browser_js(address, fits % "true", "document.readyState === 'complete'")
            self.browser_js("/my/internet/%s" % self.line.id, fits % "false", "document.readyState === 'complete'", login="halaman-siti")

    # The link in the messages

    def reminder(self):
        """An overdue reminder that may leave now, whatever the hour is."""
        message = self.env["isp.notification"]._isp_queue(
            self.company, "overdue", self.customer, "uji", level=3, not_before=self.company._isp_now() - timedelta(minutes=1),
            move_ids=[(6, 0, self.move.ids)],
        )
        self.company.write({"isp_quiet_until": 0, "isp_quiet_from": 23.98})
        return message

    def text(self):
        [sent] = self.sent()
        return sent.text

    def test_what_asks_for_money_carries_it(self):
        self.env["ir.config_parameter"].sudo().set_param("web.base.url", "https://isp.example.id")
        message = self.reminder()
        self.env["isp.notification"]._cron_isp_send()
        self.assertEqual(message.state, "sent", (message.state, message.error))
        token = self.customer.page_token
        self.assertIn("https://isp.example.id/my/bill/%s?access_token=%s" % (self.customer.id, token), self.text())
        self.assertIn("access_token=***", message.body)
        self.assertNotIn(token, message.body, "the log shows it to nobody")

    def test_without_https_or_when_it_is_not_wanted_it_does_not(self):
        for base, wanted in (("http://isp.example.id", True), ("https://isp.example.id", False), ("https://%s.id" % ("x" * 60), True)):
            self.env["ir.config_parameter"].sudo().set_param("web.base.url", base)
            self.company.isp_page_link = wanted
            self.assertIsNone(self.customer._isp_link_of_message("overdue"))
        self.env["ir.config_parameter"].sudo().set_param("web.base.url", "https://isp.example.id")
        self.company.isp_page_link = True
        for kind in ("payment_received", "reopened"):
            self.assertIsNone(self.customer._isp_link_of_message(kind))
