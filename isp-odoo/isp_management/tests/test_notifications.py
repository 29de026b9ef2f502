import base64
from datetime import date, datetime

from odoo.exceptions import UserError, ValidationError
from odoo.sql_db import db_connect
from odoo.tests import tagged

from ..logic import transaction
from .network_common import IspNetworkCommon

ISSUED = date(2026, 2, 23)  # due on Thursday 5 March


@tagged("post_install", "-at_install")
class TestNotifications(IspNetworkCommon):
    def remind(self, moment):
        self.at(moment)["isp.notification"]._cron_isp_reminders()
        self.env.invalidate_all()

    def log(self, kind=None):
        domain = [("company_id", "=", self.company.id)]
        return self.env["isp.notification"].search([*domain, ("kind", "=", kind)] if kind else domain)

    def test_the_five_kinds_of_one_story(self):
        line = self.new_line()
        move = self.bill(line, ISSUED)
        self.sync("2026-03-01 09:00")
        for moment in ("2026-03-02 09:00", "2026-03-08 09:00"):
            self.remind(moment)
            self.remind(moment)
            self.send(moment)
        self.decide("2026-03-10 10:00")
        self.send("2026-03-10 10:00")
        self.assertEqual((self.log("isolated").state, self.log("isolated").error_code), ("queued", "notification.router_not_yet"))
        self.sync("2026-03-10 10:01")
        self.send("2026-03-10 10:02")
        self.pay(move, env=self.at("2026-03-10 21:30"), on=date(2026, 3, 10))
        self.sync("2026-03-10 21:31")
        self.send("2026-03-10 21:32")
        self.assertEqual(
            self.log().sorted("id").mapped(lambda n: (n.kind, n.level, n.state)),
            [("due_soon", 3, "sent"), ("overdue", 3, "sent"), ("isolated", 0, "sent"), ("payment_received", 0, "sent"),
             ("reopened", 0, "sent")],
        )
        texts = [message.text for message in self.sent()]
        self.assertEqual(len(texts), 5)
        self.assertEqual(self.log().sorted("id").mapped("body"), texts)
        # An underscore would be a mark of WhatsApp's for slanted words.
        asks = "tagihan internet Anda di %s" % self.company.name.replace("_", "\u02cd")
        self.assertIn(asks, texts[0], "the company asks, when no other name is set")
        self.assertIn("sebesar Rp 277.500: %s Rp 277.500 (jatuh tempo 5 Maret 2026)" % move.name, texts[0])
        self.assertIn("lewat jatuh tempo 3 hari", texts[1])
        self.assertIn("diisolir mulai 10 Maret 2026", texts[1])
        self.assertIn("diisolir sejak 10 Maret 2026 karena tunggakan Rp 277.500", texts[2])
        self.assertIn("pembayaran sebesar Rp 277.500 pada 10 Maret 2026", texts[3])
        self.assertIn("Sisa tagihan Anda Rp 0", texts[3])
        self.assertIn("dibuka kembali sejak 10 Maret 2026", texts[4])
        self.assertEqual(self.sent()[0].to, "6281200000001")
        self.assertEqual(self.meta.duplicates(), {})

    def test_a_reminder_names_the_day_on_which_the_line_is_isolated_and_none_where_it_is_not(self):
        lines = {number: self.new_line(number) for number in range(1, 8)}
        moves = {number: self.bill(line, ISSUED) for number, line in lines.items()}
        before = self.at("2026-03-07 15:00")
        before["isp.promise"].create({
            "customer_id": lines[2].customer_id.id, "made_on": date(2026, 3, 7), "until": date(2026, 3, 16),
        })
        before["isp.exemption"].create({
            "customer_id": lines[3].customer_id.id, "since": date(2026, 3, 1), "until": date(2030, 12, 31), "reason": "kantor desa",
        })
        lines[4].with_env(before).action_pause()
        lines[5].with_env(before).action_terminate()
        other = self.router.copy({"name": "Bandung-2", "host": "127.0.0.2"})
        lines[6].sudo().router_id = other
        before["isp.outage"].create({"name": "Kabel putus", "router_id": other.id, "since": datetime(2026, 3, 7, 8)})
        proof = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20)
        before["isp.proof"].create({"customer_id": lines[7].customer_id.id, "content": proof, "file_name": "struk.png"})
        # Who has no line yet: nothing is isolated for the installation.
        kind = self.env["isp.installation_kind"].create({"name": "Wireless", "code": "WL", "price": 500_000})
        waits = self.new_customer("Pelanggan 8", mobile="0812-0000-0008")
        fee = self.env["isp.installation_fee"].create({"customer_id": waits.id, "kind_id": kind.id, "date": ISSUED})
        fee.with_env(self.at("2026-02-23 09:00")).action_invoice()
        fee.move_ids.invoice_date_due = date(2026, 3, 5)
        self.remind("2026-03-08 09:00")
        self.send("2026-03-08 09:01")
        texts = {message.to[-1]: message.text for message in self.sent() if "pengingat" in message.template or "terlambat" in message.template}
        self.assertEqual(set(texts), set("12345678"))
        for number, day in (("1", "10 Maret"), ("2", "17 Maret"), ("7", "12 Maret")):
            self.assertIn("Bila belum dibayar, layanan diisolir mulai %s 2026 dan dibuka otomatis" % day, texts[number])
        for number in "34568":
            self.assertIn("Bila belum dibayar, tagihan ini tetap terbuka dan dapat ditagih lagi.", texts[number])
            self.assertNotIn("diisolir", texts[number])
        self.assertIn(moves[3].name, texts["3"])
        # The days that were named come, and nobody is isolated before.
        isolated = {}
        for day in range(8, 18):
            self.decide("2026-03-%02d 10:00" % day)
            for number, line in lines.items():
                if line.desired_access == "isolated":
                    isolated.setdefault(number, day)
        self.assertEqual(isolated, {1: 10, 2: 17, 7: 12})

    def test_several_invoices_make_one_message(self):
        line = self.new_line()
        self.bill(line, ISSUED)
        second = self.new_subscription(line.customer_id, ppp_username="kedua", ppp_password="x")
        self.bill(second, ISSUED, 100_000)
        self.remind("2026-03-02 09:00")
        self.assertEqual(len(self.log("due_soon")), 1)
        self.assertEqual(len(self.log("due_soon").move_ids), 2)
        self.send("2026-03-02 09:01")
        self.assertIn("Rp 388.500", self.sent()[0].text)

    def test_a_paid_invoice_cancels_what_was_queued(self):
        line = self.new_line()
        move = self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        self.pay(move, env=self.at("2026-03-02 09:01"), on=date(2026, 3, 2))
        self.send("2026-03-02 09:02")
        reminder = self.log("due_soon")
        self.assertEqual((reminder.state, reminder.error_code), ("dropped", "notification.paid"))
        self.assertEqual([m.template for m in self.sent()], ["isp_pembayaran_diterima_2"])

    def test_quiet_hours_hold_reminders_and_not_receipts(self):
        line = self.new_line()
        move = self.bill(line, ISSUED)
        self.remind("2026-03-02 21:00")
        self.send("2026-03-02 21:01")
        self.assertEqual(self.sent(), [])
        self.pay(move, 1_000, env=self.at("2026-03-02 23:00"), on=date(2026, 3, 2))
        self.send("2026-03-02 23:01")
        self.assertEqual([m.template for m in self.sent()], ["isp_pembayaran_diterima_2"])
        self.assertIn("Sisa tagihan Anda Rp 276.500", self.sent()[0].text)
        self.send("2026-03-03 08:00")
        self.assertEqual(self.log("due_soon").state, "sent")

    def test_a_line_that_is_open_again_is_not_told_that_it_is_isolated(self):
        line = self.new_line()
        move = self.bill(line, ISSUED)
        self.decide("2026-03-10 10:00")
        self.sync("2026-03-10 20:30")
        self.send("2026-03-10 20:31")
        self.assertEqual(self.sent(), [], "isolation is told in the day")
        self.pay(move, env=self.at("2026-03-10 22:00"), on=date(2026, 3, 10))
        self.sync("2026-03-10 22:01")
        self.send("2026-03-11 08:00")
        self.assertEqual((self.log("isolated").state, self.log("isolated").error_code), ("dropped", "notification.reopened"))

    def test_whatsapp_is_down_and_comes_back(self):
        lines = [self.new_line(n) for n in (1, 2)]
        for line in lines:
            self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        self.meta.down()
        self.send("2026-03-02 09:01")
        reminders = self.log("due_soon")
        self.assertEqual(set(reminders.mapped("state")), {"queued"})
        self.assertEqual((self.channel.state, self.channel.last_error_code), ("trouble", "whatsapp.channel_down"))
        self.assertEqual(set(reminders.mapped("attempts")), {0}, "the number was asked, and no message was tried")
        self.assertTrue(self.channel.activity_ids, "somebody has to know")
        self.meta.up()
        self.send("2026-03-02 09:02")
        self.assertEqual(set(reminders.mapped("state")), {"sent"})
        self.assertEqual((self.channel.state, len(self.sent()), len(self.channel.activity_ids)), ("ok", 2, 0))

    def test_what_is_unknown_is_never_sent_again_by_itself(self):
        line = self.new_line()
        self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        self.meta.fail("reply_lost")
        self.send("2026-03-02 09:01")
        reminder = self.log("due_soon")
        self.assertEqual((reminder.state, reminder.error_code), ("unknown", "port.unknown"))
        self.send("2026-03-02 12:00")
        self.remind("2026-03-02 12:00")
        self.send("2026-03-02 12:01")
        self.assertEqual(len(self.sent()), 1)
        self.assertEqual(self.meta.duplicates(), {})
        reminder.action_isp_send_again()
        self.send("2026-03-02 12:02")
        self.assertEqual((reminder.state, len(self.sent())), ("sent", 2), "a person may decide otherwise")

    def test_a_process_that_died_leaves_an_unknown_message(self):
        line = self.new_line()
        self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        self.log("due_soon").sudo().write({"state": "sending", "sent_at": datetime(2026, 3, 2, 2, 1)})
        self.send("2026-03-02 09:10")
        self.assertEqual(self.log("due_soon").state, "sending")
        self.send("2026-03-02 09:17")
        self.assertEqual((self.log("due_soon").state, self.sent()), ("unknown", []))

    def test_what_meta_refuses(self):
        lines = [self.new_line(n) for n in (1, 2, 3)]
        for line in lines:
            self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        reminders = {n.customer_id: n for n in self.log("due_soon")}
        first, second, third = (reminders[line.customer_id] for line in lines)
        self.meta.fail_recipient("6281200000001", 131026)
        self.meta.fail_recipient("6281200000002", 131056)
        self.meta.fail_recipient("6281200000003", 132001)
        # A text at fault would let the others wait: it comes last.
        third.sudo().not_before = datetime(2026, 3, 2, 3, 0)
        self.send("2026-03-02 09:01")
        self.assertEqual((first.state, first.error_code), ("failed", "whatsapp.131026"))
        self.assertEqual((second.state, second.error_code, bool(second.next_attempt)), ("queued", "whatsapp.131056", True))
        self.send("2026-03-02 10:00")
        self.assertEqual((third.state, third.error_code), ("queued", "whatsapp.132001"))
        self.assertEqual(third.template, "isp_tagihan_pengingat_2/id", "a text at fault is no fault of the message")
        self.assertNotIn("6281200000001", first.error)

    def test_who_cannot_or_will_not_hear_is_not_written_to(self):
        without = self.new_subscription(self.new_customer("Budi", mobile=False, phone="022-7301234"))
        unwilling = self.new_line(1)
        unwilling.customer_id.whatsapp_allowed = False
        for line in (without, unwilling):
            self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        self.assertFalse(self.log("due_soon"))

    def test_two_crons_at_once_send_once(self):
        line = self.new_line()
        self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT pg_try_advisory_lock(%s, %s)", (transaction.LOCK_CHANNEL, self.channel.id))
            self.assertTrue(other.fetchone()[0])
            self.send("2026-03-02 09:01")
            self.assertEqual((self.sent(), self.log("due_soon").state), ([], "queued"))
            other.execute("SELECT pg_advisory_unlock(%s, %s)", (transaction.LOCK_CHANNEL, self.channel.id))
        self.send("2026-03-02 09:01")
        self.assertEqual(len(self.sent()), 1)
        again = self.env["isp.notification"]._isp_queue(
            self.company, "due_soon", line.customer_id, self.log("due_soon").once_key.split(":")[2], level=3
        )
        self.assertFalse(again, "the key is there already")

    def test_texts_are_edited_checked_and_previewed(self):
        templates = self.env["isp.message_template"]
        templates.action_isp_load_standard()
        own = templates.search([("company_id", "=", self.company.id)])
        self.assertEqual(len(own), 12)
        templates.action_isp_load_standard()
        self.assertEqual(templates.search_count([("company_id", "=", self.company.id)]), 12)
        mine = own.filtered(lambda t: (t.kind, t.language) == ("due_soon", "id"))
        mine.write({"name": "toko_pengingat", "body": "Hai {{nama}}, {{jumlah}} jatuh tempo {{jatuh_tempo}} ya."})
        self.assertEqual(mine.preview, "Hai Siti Rahayu, Rp 277.500 jatuh tempo 10 Maret 2026 ya.")
        self.assertIn('"toko_pengingat"', mine.registration)
        self.assertIn("{{hari_terlambat}}", own.filtered(lambda t: t.kind == "overdue")[0].parameters)
        for body in ("{{nama}}", "Hai {{sandi}} ya", "Hai {{nama ya"):
            with self.assertRaises(ValidationError, msg=body):
                mine.body = body
        line = self.new_line()
        self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        self.send("2026-03-02 09:01")
        reminder = self.log("due_soon")
        self.assertEqual(reminder.body, "Hai Pelanggan 1, Rp 277.500 jatuh tempo 5 Maret 2026 ya.")
        self.assertEqual((reminder.state, reminder.error_code), ("queued", "whatsapp.132001"), "Meta does not know it yet")
        self.assertEqual((reminder.template, self.channel.stopped_count), ("toko_pengingat/id", 1))

    def test_a_customer_who_reads_english_gets_english(self):
        line = self.new_line()
        line.customer_id.message_language = "en"
        self.bill(line, ISSUED)
        self.remind("2026-03-02 09:00")
        self.send("2026-03-02 09:01")
        self.assertIn("your internet bill at", self.sent()[0].text)
        self.assertEqual(self.sent()[0].language, "en")

    def test_the_test_button_says_what_whatsapp_said(self):
        action = self.channel.action_isp_test()
        wizard = self.env["isp.channel.test.wizard"].browse(action["res_id"])
        wizard.phone = "0812-3456-7890"
        self.assertIn("Siti Rahayu", wizard.preview)
        self.assertEqual(wizard.action_send()["params"]["type"], "success")
        self.assertEqual((self.sent()[0].to, self.channel.state), ("6281234567890", "ok"))
        self.meta.fail("graph", code=190)
        self.assertEqual(wizard.action_send()["params"]["type"], "danger")
        self.assertEqual((self.channel.state, self.channel.last_error_code), ("trouble", "whatsapp.190"))
        wizard.phone = "022-7301234"
        with self.assertRaises(UserError):
            wizard.action_send()

    def test_nobody_reads_the_secrets_of_the_number(self):
        self.assertEqual(len(set(self.channel.read(["access_token", "app_secret", "verify_token"])[0].values())), 2)
        self.assertEqual(self.channel.isp_reveal("app_secret"), self.meta.app_secret)
