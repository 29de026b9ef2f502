from datetime import date

from isp_engine.testing import SimulatedWhatsApp

from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .network_common import IspNetworkCommon

ISSUED = date(2026, 2, 23)  # due on Thursday 5 March


@tagged("post_install", "-at_install")
class TestMessageChannel(IspNetworkCommon):
    """What rests, what waits, what is asked for, and who asks (rules N6 to N8)."""

    def log(self, kind=None):
        domain = [("company_id", "=", self.company.id)]
        return self.env["isp.notification"].search([*domain, ("kind", "=", kind)] if kind else domain, order="id")

    def reminders(self, count, moment="2026-03-02 09:00"):
        for number in range(1, count + 1):
            self.bill(self.new_line(number), ISSUED)
        self.at(moment)["isp.notification"]._cron_isp_reminders()
        return self.log("due_soon").sudo()

    def test_after_a_fault_of_the_number_messages_wait_and_none_is_lost(self):
        reminders = self.reminders(30)
        for code in (130429, 33, 131005, 133010, 131051):
            self.meta.fail("graph", code=code, times=0)
            self.send("2026-03-02 09:01")
            self.assertEqual(set(reminders.mapped("state")), {"queued"}, code)
            self.assertEqual((self.channel.state, self.channel.last_error_code), ("trouble", "whatsapp.%s" % code))
            self.assertLessEqual(sum(reminders.mapped("attempts")), 4, "one message at most meets it")
            self.meta.heal()
            reminders.write({"next_attempt": False})
        self.meta.fail("status", code=503, times=0)
        self.send("2026-03-02 09:02")
        self.assertLessEqual(len(reminders.filtered(lambda n: n.state == "unknown")), 1)
        self.assertEqual(self.sent(), [])
        self.meta.heal()
        reminders.filtered(lambda n: n.state == "queued").write({"next_attempt": False})
        self.send("2026-03-02 09:10")
        self.assertEqual(len(self.sent()), len(reminders.filtered(lambda n: n.state == "sent")))
        self.assertGreaterEqual(len(self.sent()), 29)
        self.assertEqual((self.channel.state, self.meta.duplicates()), ("ok", {}))

    def test_a_channel_that_swallows_messages_gets_one(self):
        reminders = self.reminders(20)
        self.meta.fail("reply_lost", times=0)
        self.send("2026-03-02 09:01")
        self.assertEqual(len(self.sent()), 1)
        self.assertEqual(sorted(reminders.mapped("state")), ["queued"] * 19 + ["unknown"])
        self.assertEqual(self.channel.state, "trouble")

    def test_what_a_text_stopped_goes_again_by_one_button(self):
        reminders = self.reminders(5)
        self.meta.fail("graph", code=132015, times=0)
        self.send("2026-03-02 09:01")
        self.assertEqual(set(reminders.mapped("state")), {"queued"})
        self.assertEqual(set(reminders.mapped("template")), {"isp_tagihan_pengingat_2/id"})
        self.assertEqual((sum(reminders.mapped("attempts")), self.channel.stopped_count), (1, 5))
        self.pay(self.log("due_soon")[0].move_ids, env=self.at("2026-03-02 09:05"))
        self.meta.heal()
        cashier = new_test_user(self.env, "kasir-wa", groups="isp_management.group_cashier", company_id=self.company.id)
        with self.assertRaises(UserError):
            self.channel.with_user(cashier).action_isp_retry_stopped()
        self.send("2026-03-02 09:06")
        self.assertEqual([m.template for m in self.sent()], ["isp_pembayaran_diterima_2"], "the other text is in order")
        self.channel.with_env(self.at("2026-03-02 09:07")).action_isp_retry_stopped()
        self.send("2026-03-02 09:07")
        self.assertEqual(sorted(reminders.mapped("state")), ["dropped"] + ["sent"] * 4, "and who has paid is not asked")
        self.assertEqual((self.channel.stopped_count, self.meta.duplicates()), (0, {}))

    def test_the_button_of_one_text_leaves_the_others(self):
        self.env["isp.message_template"].action_isp_load_standard()
        text = self.env["isp.message_template"].search([("kind", "=", "due_soon"), ("language", "=", "id")])
        with self.assertRaises(UserError):
            text.action_isp_retry_stopped()
        reminders = self.reminders(2)
        reminders[0].sudo().write({"state": "failed", "template": "isp_tagihan_pengingat_2/id"})
        reminders[1].sudo().write({"state": "failed", "template": "isp_tagihan_pengingatX2/id"})
        text.action_isp_retry_stopped()
        self.assertEqual(reminders.mapped("state"), ["queued", "failed"])

    def test_whatsapp_that_is_set_up_late_tells_nothing_of_last_month(self):
        token = self.meta.access_token
        self.channel.access_token = False
        line = self.new_line()
        move = self.bill(line, ISSUED)
        self.sync("2026-03-01 09:00")
        self.decide("2026-03-10 10:00")
        self.sync("2026-03-10 10:01")
        self.pay(move, env=self.at("2026-03-11 09:00"), on=date(2026, 3, 11))
        self.sync("2026-03-11 09:01")
        self.send("2026-03-11 09:02")
        self.assertEqual(set(self.log().mapped("state")), {"queued"})
        self.channel.access_token = token
        self.send("2026-04-11 09:00")
        self.assertEqual(self.sent(), [])
        self.assertEqual(set(self.log().mapped("error_code")), {"notification.too_old"})
        self.assertEqual(self.log()[0].with_context(lang="en_US").why, "Too long ago to be told now")

    def test_a_message_is_about_one_isolation(self):
        line = self.new_line()
        self.bill(line, ISSUED)
        self.sync("2026-03-01 09:00")
        self.decide("2026-03-10 10:00")
        self.sync("2026-03-10 20:30")
        line.with_env(self.at("2026-03-10 21:00"))._isp_by_hand("reopen", "janji lisan")
        self.sync("2026-03-10 21:01")
        line.with_env(self.at("2026-03-10 21:30"))._isp_by_hand("isolate", "batal")
        self.sync("2026-03-10 21:31")
        self.send("2026-03-11 08:00")
        told = [(n.kind, n.state, n.error_code) for n in self.log() if n.kind != "due_soon"]
        self.assertEqual(told[0], ("isolated", "dropped", "notification.reopened"))
        self.assertEqual(told[-1], ("isolated", "sent", False))
        self.assertEqual([m.template for m in self.sent() if "diisolir" in m.template or "dihentikan" in m.template], [
            "isp_layanan_dihentikan_sementara_2",
        ])

    def test_a_reminder_asks_for_everything_and_says_who_asks(self):
        self.company.write({
            "isp_sender_name": "Desa Net", "isp_pay_to": "BCA 123 a.n. Desa Net\nLoket Jl. Mawar 1", "isp_sender_contact": "0811-222-333",
        })
        meta = SimulatedWhatsApp(sender=True)
        self.addCleanup(meta.close)
        self.channel.write({
            "phone_number_id": meta.phone_number_id, "base_url": meta.base_url, "access_token": meta.access_token,
        })
        line = self.new_line()
        old = self.bill(line, date(2026, 1, 26))
        new = self.bill(line, ISSUED)
        self.at("2026-03-02 09:00")["isp.notification"]._cron_isp_reminders()
        self.assertEqual(len(self.log()), 1, "one message, the gravest")
        self.send("2026-03-02 09:01")
        [message] = meta.messages()
        for said in ("Desa Net", "BCA 123 a.n. Desa Net; Loket Jl. Mawar 1", old.name, new.name, "Rp 555.000"):
            self.assertIn(said, message.text)
        self.assertEqual((self.log().amount, self.log().body), (555_000, message.text))
        with self.assertRaises(ValidationError):
            self.company.isp_pay_to = "satu\ndua\ntiga\nempat"

    def test_the_receipt_of_a_part_says_what_remains_and_that_the_line_stays_isolated(self):
        line = self.new_line()
        move = self.bill(line, ISSUED)
        self.sync("2026-03-01 09:00")
        self.decide("2026-03-10 10:00")
        self.sync("2026-03-10 10:01")
        self.pay(move, 100_000, env=self.at("2026-03-10 22:00"), on=date(2026, 3, 10))
        self.send("2026-03-10 22:01")
        text = self.sent()[-1].text
        self.assertIn("Rp 177.500; layanan tetap diisolir sampai tunggakan Rp 177.500 dibayar", text)

    def test_the_night_is_that_of_the_line(self):
        line = self.new_line(zone="WIT")
        self.bill(line, ISSUED)
        self.at("2026-03-02 05:00")["isp.notification"]._cron_isp_reminders()
        self.send("2026-03-02 05:59")
        self.assertEqual(self.sent(), [])
        self.send("2026-03-02 06:00")
        self.assertEqual(len(self.sent()), 1, "08:00 in Jayapura")
