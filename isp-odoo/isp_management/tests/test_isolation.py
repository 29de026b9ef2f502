from datetime import date, datetime
from unittest.mock import patch

from isp_engine import routers as router_engine
from isp_engine import whatsapp

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..logic import transaction
from .network_common import IspNetworkCommon

# Issued on Monday 23 February, due on Thursday 5 March; five days late on Tuesday 10 March.
ISSUED = date(2026, 2, 23)
TOO_EARLY, ISOLATED = "2026-03-10 09:00", "2026-03-10 10:00"


@tagged("post_install", "-at_install")
class TestIsolation(IspNetworkCommon):
    def owing_line(self, number=1):
        line = self.new_line(number)
        return line, self.bill(line, ISSUED)

    def test_owing_isolated_paid_and_reopened(self):
        line, move = self.owing_line()
        self.sync("2026-03-01 09:00")
        self.decide(TOO_EARLY)
        self.assertEqual(line.desired_access, "open")
        self.decide(ISOLATED)
        self.assertEqual((line.desired_access, line.access_cause, line.observed_access), ("isolated", "arrears", "open"))
        self.assertFalse(line.access_agrees)
        event = line.isolation_event_ids
        self.assertEqual(
            (event.action, event.state, event.reason_code, event.overdue, event.days_late),
            ("isolate", "pending", "overdue_too_long", 277_500, 5),
        )
        self.assertEqual(self.on_router(line).profile, "HOME-20", "deciding calls no router")
        self.sync("2026-03-10 10:01")
        self.assertEqual((line.observed_access, event.state, line.access_agrees), ("isolated", "done", True))
        self.assertEqual(self.on_router(line).profile, "ISOLIR")
        self.assertEqual([(s.profile, s.address_list) for s in self.simulated.sessions()], [("ISOLIR", "ISOLIR")])
        self.decide("2026-03-10 10:10")
        self.assertEqual(len(line.isolation_event_ids), 1, "deciding again changes nothing")

        self.pay(move, env=self.at("2026-03-13 22:00"))
        self.assertIn(move.payment_state, ("paid", "in_payment"))
        self.assertEqual(line.desired_access, "open")
        self.assertEqual(line.isolation_event_ids.sorted("id").mapped("action"), ["isolate", "reopen"])
        self.sync("2026-03-13 22:01")
        self.assertEqual((line.observed_access, self.on_router(line).profile), ("open", "HOME-20"))

    def test_a_router_that_is_down_cannot_lose_a_reopening(self):
        line, move = self.owing_line()
        self.decide(ISOLATED)
        self.sync("2026-03-10 10:01")
        self.simulated.down()
        self.pay(move, env=self.at("2026-03-11 09:00"))
        self.assertIn(move.payment_state, ("paid", "in_payment"), "the payment does not wait for the router")
        self.sync("2026-03-11 09:01")
        self.assertEqual(
            (line.desired_access, line.observed_access, line.last_router_code), ("open", "isolated", "port.not_sent")
        )
        self.simulated.up()
        self.sync("2026-03-11 09:02")
        self.assertEqual((line.observed_access, line.isolation_event_ids[0].state), ("open", "done"))

    def test_part_of_the_debt_reopens_where_the_policy_says_so(self):
        line, move = self.owing_line()
        self.decide(ISOLATED)
        self.pay(move, 200_000, env=self.at("2026-03-11 09:00"))
        self.assertEqual(line.desired_access, "isolated")
        self.company.isp_reopen_when_paid_percent = 70
        self.decide("2026-03-11 09:10")
        self.assertEqual((line.desired_access, line.isolation_event_ids[0].reason_code), ("open", "paid_enough"))

    def test_promises_exemptions_and_outages_protect(self):
        lines = [self.owing_line(n)[0] for n in range(1, 5)]
        promised, exempt, cut_off, bare = lines
        self.env["isp.promise"].create(
            {"customer_id": promised.customer_id.id, "made_on": date(2026, 3, 9), "until": date(2026, 3, 12)}
        )
        self.env["isp.exemption"].create({
            "customer_id": exempt.customer_id.id, "since": date(2026, 3, 1), "until": date(2026, 3, 31), "reason": "rumah dinas",
        })
        cut_off.router_id = self.router.copy({"name": "Bandung-3", "password": "x"})
        self.env["isp.outage"].create(
            {"name": "Kabel putus", "router_id": cut_off.router_id.id, "since": datetime(2026, 3, 10, 1)}
        )
        self.decide(ISOLATED)
        self.assertEqual([line.desired_access for line in lines], ["open", "open", "open", "isolated"])
        why = {line: line.with_context(isp_now="2026-03-10 03:00:00")._isp_explain() for line in lines}
        self.assertEqual([why[line].reason for line in lines], ["promised", "exempt", "site_outage", "overdue_too_long"])
        self.assertIn("sampai 2026-03-31: rumah dinas", why[exempt].sentence)
        self.decide("2026-03-13 10:00")
        self.assertEqual(promised.desired_access, "isolated")

    def test_promises_are_kept_or_broken(self):
        kept, move = self.owing_line(1)
        broken, _move = self.owing_line(2)
        promises = self.env["isp.promise"].create([
            {"customer_id": line.customer_id.id, "made_on": date(2026, 3, 9), "until": date(2026, 3, 12)}
            for line in (kept, broken)
        ])
        self.decide("2026-03-10 10:00")
        self.assertEqual(promises.mapped("state"), ["running", "running"])
        self.pay(move, env=self.at("2026-03-11 09:00"))
        self.decide("2026-03-12 10:00")
        self.assertEqual(promises.mapped("state"), ["kept", "running"])
        self.decide("2026-03-13 10:00")
        self.assertEqual(promises.mapped("state"), ["kept", "broken"])
        self.assertEqual((kept.desired_access, broken.desired_access), ("open", "isolated"))

    def test_a_public_holiday_is_kept_unless_the_company_says_otherwise(self):
        # Nyepi, 19 March 2026, a Thursday; the invoice was due on the 14th.
        line = self.new_line()
        self.bill(line, date(2026, 3, 4))
        self.decide("2026-03-19 10:00")
        self.assertEqual(line.desired_access, "open")
        self.company.isp_public_holidays = "none"
        self.decide("2026-03-19 10:00")
        self.assertEqual(line.desired_access, "isolated")

    def test_the_public_holidays_are_shown_with_which_of_them_are_kept(self):
        days = self.env["isp.public_holiday"].with_context(lang="id_ID")
        imlek = days.search([("date", "=", date(2026, 2, 17))])
        self.assertEqual((imlek.name, imlek.kind, imlek.estimated, imlek.kept), ("Tahun Baru Imlek", "national", False, True))
        self.assertEqual(days.search([("name", "ilike", "imlek"), ("date", ">=", date(2026, 1, 1)), ("date", "<", date(2026, 3, 1))]).mapped("date"), [
            date(2026, 2, 16), date(2026, 2, 17),
        ])
        leave = days.search([("kind", "=", "joint_leave")], limit=1)
        self.company.isp_public_holidays = "national"
        self.env.invalidate_all()
        self.assertEqual((imlek.kept, leave.kept), (True, False))
        # Each group looks at them, and nobody changes one.
        for group in ("technician", "cashier", "billing", "manager"):
            user = new_test_user(self.env, "libur-" + group, groups="isp_management.group_%s" % group, company_id=self.company.id)
            self.assertTrue(days.with_user(user).search_count([]))
            with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
                imlek.with_user(user).write({"name": "x"})

    def test_why_names_invoice_and_router_answer(self):
        line, move = self.owing_line()
        self.decide(ISOLATED)
        self.sync("2026-03-10 10:01")
        told = line.with_context(isp_now="2026-03-12 03:00:00").action_isp_explain()
        wizard = self.env["isp.explain.wizard"].with_context(isp_now="2026-03-12 03:00:00").browse(told["res_id"])
        self.env.user.lang = "id_ID" if self.env["res.lang"]._lang_get_id("id_ID") else False
        wizard.invalidate_recordset()
        self.assertIn("Layanan diisolir sejak 10/03/2026 10:00 WIB karena tunggakan Rp277.500", wizard.sentence)
        self.assertIn(move.name, wizard.evidence)
        self.assertIn("jawaban router 10/03/2026 10:01 WIB: diisolir", wizard.evidence)

    def test_weekends_and_holidays(self):
        line = self.new_line()
        # Due on Monday 9 March: five days late on Saturday.
        self.bill(line, date(2026, 2, 27))
        self.env["isp.holiday"].create({"name": "Libur", "date": date(2026, 3, 16), "company_id": self.company.id})
        for moment in ("2026-03-14 10:00", "2026-03-15 10:00", "2026-03-16 10:00"):
            self.decide(moment)
            self.assertEqual(line.desired_access, "open", moment)
        self.decide("2026-03-17 10:00")
        self.assertEqual(line.desired_access, "isolated")

    def test_by_hand_needs_a_reason_and_is_not_opened_by_a_payment(self):
        line, move = self.owing_line()
        user = new_test_user(self.env, "billing", groups="isp_management.group_billing", company_id=self.company.id,
                             company_ids=[(6, 0, self.company.ids)])
        wizard = self.at("2026-03-01 15:00")["isp.isolation.wizard"].with_user(user).create(
            {"subscription_ids": [(6, 0, line.ids)], "action": "isolate", "reason": " "}
        )
        with self.assertRaises(UserError):
            wizard.action_confirm()
        wizard.reason = "Permintaan pelanggan"
        wizard.action_confirm()
        event = line.isolation_event_ids
        self.assertEqual((line.access_cause, event.cause, event.user_id), ("manual", "manual", user))
        self.sync("2026-03-02 09:00")
        self.pay(move, env=self.at("2026-03-02 10:00"), on=date(2026, 3, 2))
        self.decide("2026-03-02 10:10")
        self.assertEqual(line.desired_access, "isolated")
        self.assertIn("oleh %s" % user.name, line.with_context(isp_now="2026-03-02 03:10:00")._isp_explain().sentence)
        opened = self.at("2026-03-02 10:10")["isp.isolation.wizard"].with_user(user).create(
            {"subscription_ids": [(6, 0, line.ids)], "action": "reopen", "reason": "Pelanggan kembali"}
        )
        opened.action_confirm()
        self.sync("2026-03-02 10:11")
        self.assertEqual((line.desired_access, line.observed_access), ("open", "open"))
        technician = new_test_user(self.env, "tech", groups="isp_management.group_technician", company_id=self.company.id,
                                   company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(AccessError):
            self.env["isp.isolation.wizard"].with_user(technician).create(
                {"subscription_ids": [(6, 0, line.ids)], "action": "isolate", "reason": "x"}
            ).action_confirm()

    def test_a_person_reopens_for_a_promise(self):
        line, _move = self.owing_line()
        self.decide(ISOLATED)
        self.env["isp.isolation.wizard"].with_context(isp_now="2026-03-11 02:00:00").create({
            "subscription_ids": [(6, 0, line.ids)], "action": "reopen", "reason": "Bayar Jumat",
            "promise_until": date(2026, 3, 13),
        }).action_confirm()
        self.decide("2026-03-13 10:00")
        self.assertEqual(line.desired_access, "open")
        self.decide("2026-03-16 10:00")
        self.assertEqual(line.desired_access, "isolated")

    def test_the_breaker_holds_until_a_manager_approves(self):
        self.company.write({"isp_breaker_count": 2, "isp_breaker_percent": 10})
        lines = [self.owing_line(n)[0] for n in range(1, 4)]
        self.sync("2026-03-01 09:00")
        self.decide(ISOLATED)
        self.assertEqual({line.desired_access for line in lines}, {"open"})
        self.assertEqual((self.router.breaker_tripped, self.router.breaker_waiting), (True, 3))
        self.assertEqual(len(self.router.activity_ids), 1)
        self.decide("2026-03-10 10:10")
        self.assertEqual(len(self.router.activity_ids), 1, "one activity, not one each run")
        action = self.router.with_context(isp_now="2026-03-10 03:20:00").action_isp_breaker()
        wizard = self.env["isp.breaker.wizard"].with_context(isp_now="2026-03-10 03:20:00").browse(action["res_id"])
        self.assertEqual((wizard.count, wizard.limit, set(wizard.subscription_ids.ids)), (3, 2, {line.id for line in lines}))
        clerk = new_test_user(self.env, "clerk", groups="isp_management.group_billing", company_id=self.company.id,
                              company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(AccessError):
            self.env["isp.breaker.wizard"].with_user(clerk).create({"router_id": self.router.id}).action_approve()
        wizard.action_approve()
        self.assertEqual({line.desired_access for line in lines}, {"isolated"})
        self.assertFalse(self.router.breaker_tripped)
        self.sync("2026-03-10 10:21")
        self.assertEqual({line.observed_access for line in lines}, {"isolated"})
        # The approval was for this; three others a day later wait again.
        more = [self.owing_line(n)[0] for n in range(4, 7)]
        self.decide("2026-03-11 10:00")
        self.assertEqual({line.desired_access for line in more}, {"open"})

    def test_the_breaker_counts_closings_too(self):
        self.company.write({"isp_breaker_count": 2, "isp_breaker_percent": 0})
        lines = [self.new_line(number) for number in (1, 2, 3)]
        self.sync("2026-03-01 09:00")
        for line in lines:
            line.sudo().end_date = date(2026, 3, 9)
        self.decide("2026-03-10 10:00")
        self.assertEqual({line.desired_access for line in lines}, {"open"}, "three ends at once are asked about")
        self.assertEqual({line.state for line in lines}, {"active"})
        self.assertEqual((self.router.breaker_tripped, self.router.breaker_waiting), (True, 3))
        wizard = self.at("2026-03-10 10:05")["isp.breaker.wizard"].create({"router_id": self.router.id})
        self.assertEqual(wizard.count, 3)
        wizard.action_approve()
        self.decide("2026-03-10 10:10")
        self.assertEqual({(line.desired_access, line.state) for line in lines}, {("closed", "terminated")})

    def test_the_breaker_never_holds_a_reopening(self):
        self.company.write({"isp_breaker_count": 2, "isp_breaker_percent": 0})
        paid, move = self.owing_line(9)
        self.decide(ISOLATED)
        self.sync("2026-03-10 10:01")
        lines = [self.owing_line(n)[0] for n in range(1, 4)]
        move.isp_subscription_id = paid
        self.pay(move, env=self.at("2026-03-11 09:59"))
        self.decide("2026-03-11 10:00")
        self.sync("2026-03-11 10:01")
        self.assertEqual((paid.observed_access, {line.desired_access for line in lines}), ("open", {"open"}))
        self.assertTrue(self.router.breaker_tripped)

    def test_no_transaction_is_open_while_the_network_is_used(self):
        line, _move = self.owing_line()
        self.decide(ISOLATED)
        self.remind_and_queue()
        steps = []

        def committed(env):
            env.flush_all()
            steps.append(("commit", env.cr.sql_log_count))
            env.invalidate_all()

        def called(function):
            def call(*args, **kwargs):
                steps.append(("call", self.env.cr.sql_log_count))
                return function(*args, **kwargs)

            return call

        with patch.object(transaction, "commit", committed), \
                patch.object(router_engine, "apply", called(router_engine.apply)), \
                patch.object(router_engine, "plan", called(router_engine.plan)), \
                patch.object(whatsapp, "send", called(whatsapp.send)):
            self.sync("2026-03-10 10:01")
            self.send("2026-03-10 10:02")
            self.at("2026-03-10 10:03")["isp.router"]._cron_isp_drift()
        self.assertEqual(line.observed_access, "isolated")
        calls = [index for index, (step, _count) in enumerate(steps) if step == "call"]
        self.assertEqual(len(calls), 3)
        for index in calls:
            self.assertEqual(steps[index - 1], ("commit", steps[index][1]), "no statement between the commit and the call")
            self.assertEqual(steps[index + 1][0], "commit", "what was seen is written down at once")

    def remind_and_queue(self):
        self.at("2026-03-10 10:00")["isp.notification"]._cron_isp_reminders()

    def test_a_paused_or_ended_line_is_closed(self):
        line = self.new_line(start=date(2026, 3, 1))
        self.sync("2026-03-01 09:00")
        self.change_terms(line, "2026-03-01 09:00", "end", last_day=date(2026, 3, 5), reason="moved")
        self.decide("2026-03-05 12:00")
        self.assertEqual(line.desired_access, "open", "the last day of service is a day of service")
        self.decide("2026-03-06 12:00")
        self.sync("2026-03-06 12:01")
        self.assertEqual((line.desired_access, line.observed_access), ("closed", "closed"))

    def test_each_of_the_four_groups_works_without_an_access_error(self):
        line, _move = self.owing_line()
        self.decide(ISOLATED)
        self.sync("2026-03-10 10:01")
        self.env.flush_all()
        for group in ("technician", "cashier", "billing", "manager"):
            user = new_test_user(self.env, "g_%s" % group, groups="isp_management.group_%s" % group,
                                 company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
            own = self.env(user=user, context={**self.env.context, "isp_now": "2026-03-12 03:00:00"})
            for model in ("isp.subscription", "isp.router", "isp.isolation_event", "isp.notification"):
                records = own[model].search([("company_id", "=", self.company.id)])
                own.invalidate_all()
                views = own[model].get_views([(False, "form"), (False, "list")])["models"][model]
                records.read(list(views))
            action = own["isp.subscription"].browse(line.id).action_isp_explain()
            self.assertTrue(own[action["res_model"]].browse(action["res_id"]).read(["sentence", "evidence"])[0]["sentence"])
            if group in ("technician", "manager"):
                router = own["isp.router"].browse(self.router.id)
                router.action_isp_test()
                action = router.action_isp_plan()
                own[action["res_model"]].browse(action["res_id"]).action_apply()
                router.action_isp_import()
                own["isp.subscription"].browse(line.id).action_isp_sync_now()
            if group in ("billing", "manager"):
                own["isp.subscription"].browse(line.id).action_isp_reopen()
                own["isp.message_template"].search([]).read()
