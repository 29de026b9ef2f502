from datetime import date, datetime

from isp_engine.testing import SimulatedRouter
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..logic import transaction
from .network_common import IspNetworkCommon

EARLY = "2026-03-10 09:00"


@tagged("post_install", "-at_install")
class TestRouters(IspNetworkCommon):
    def test_a_line_is_registered_changed_paused_and_closed(self):
        line = self.new_line()
        self.assertTrue(line.router_pending)
        self.assertFalse(self.on_router(line), "nothing happens inside the transaction")
        self.sync(EARLY)
        self.assertEqual((line.observed_access, line.router_pending, line.access_agrees), ("open", False, True))
        self.assertEqual(self.on_router(line).profile, "HOME-20")
        self.assertTrue(self.simulated.password_is("pelanggan-1", "rahasia-1"))
        self.assertIn(("HOME-20", "10M/20M"), [p[:2] for p in self.simulated.profiles()], "upload first")
        self.assertEqual(self.router.state, "ok")

        fast = self.new_package("HOME-50", 400_000, speed_down=50_000)
        self.change_terms(line, EARLY, "package", package_id=fast.id, at_once="now")
        self.sync(EARLY)
        self.assertEqual(self.on_router(line).profile, "HOME-50")
        self.assertEqual([s.profile for s in self.simulated.sessions()], ["HOME-50"], "the old session was ended")
        fast.speed_down = 60_000
        self.assertTrue(line.router_pending, "the speed of a package is its lines' matter")
        self.sync(EARLY)
        self.assertIn("10M/60M", [p.rate_limit for p in self.simulated.profiles()])
        line.ppp_password = "baru"
        self.sync(EARLY)
        self.assertTrue(self.simulated.password_is("pelanggan-1", "baru"))

        line.with_env(self.at(EARLY)).action_pause()
        self.sync(EARLY)
        self.assertTrue(self.on_router(line).disabled)
        self.assertEqual(self.simulated.sessions(), [])
        self.assertEqual(line.observed_access, "closed")
        line.with_env(self.at("2026-03-11 09:00")).action_resume()
        self.sync(EARLY)
        self.assertFalse(self.on_router(line).disabled)

    def both(self):
        """A static and a DHCP line that are served."""
        fixed = self.new_subscription(self.new_customer("Kantor Desa"), service="static", ip_address="10.20.0.7/32")
        leased = self.new_subscription(
            self.new_customer("Toko Maju"), service="dhcp", mac="aa-bb-cc-00-11-22", ip_address="10.20.0.8"
        )
        self.assertEqual((fixed.ip_address, leased.mac), ("10.20.0.7", "AA:BB:CC:00:11:22"))
        self.sync(EARLY)
        self.assertEqual([(s.observed_access, s.access_agrees) for s in fixed + leased], [("open", True)] * 2)
        self.assertEqual(self.simulated.felt("10.20.0.7"), ("10M/20M", False))
        self.simulated.plug_dhcp(leased.mac, "10.20.0.200")
        self.assertEqual(self.simulated.felt("10.20.0.8"), ("10M/20M", False))
        return fixed, leased

    def test_lines_that_nobody_logs_in_for(self):
        """A static and a DHCP line are served, isolated, opened, paused and ended by their address and box."""
        fixed, leased = self.both()
        (fixed + leased)._isp_by_hand("isolate", "uji")
        self.sync(EARLY)
        self.assertEqual([s.observed_access for s in fixed + leased], ["isolated"] * 2)
        self.assertTrue(self.simulated.felt("10.20.0.7")[1] and self.simulated.felt("10.20.0.8")[1])
        (fixed + leased)._isp_by_hand("reopen", "uji")
        self.sync(EARLY)
        self.assertEqual([s.observed_access for s in fixed + leased], ["open"] * 2)
        self.assertEqual([self.simulated.felt("10.20.0.%s" % n) for n in (7, 8)], [("10M/20M", False)] * 2)
        self.simulated.reset_counters()
        self.sync(EARLY)
        self.at(EARLY)["isp.router"]._cron_isp_drift()
        self.env.invalidate_all()
        self.assertEqual(self.simulated.counters()["writes"], 0)
        self.assertFalse(any((fixed + leased).mapped("router_drift")), (fixed + leased).mapped("router_drift"))

        (fixed + leased).with_env(self.at(EARLY)).action_pause()
        self.sync(EARLY)
        self.assertEqual([s.observed_access for s in fixed + leased], ["closed"] * 2)
        (fixed + leased).with_env(self.at("2026-03-11 09:00")).action_terminate()
        self.sync("2026-03-11 09:00")
        self.assertFalse(any((fixed + leased).mapped("router_pending")), (fixed + leased).mapped("last_router_answer"))
        # Whoever comes next may have the address and the box.
        self.new_subscription(self.new_customer("Warnet"), service="static", ip_address="10.20.0.7")
        self.sync("2026-03-11 10:00")
        self.assertEqual(self.simulated.felt("10.20.0.7"), ("10M/20M", False))

    def test_a_line_moves_to_another_address_or_box(self):
        fixed, leased = self.both()
        (fixed + leased)._isp_by_hand("isolate", "uji")
        self.sync(EARLY)
        # The box is exchanged while its line is isolated: the new one is shut in as well, and the old one gets nothing.
        old = self.env["isp.cpe"].create({
            "customer_id": leased.customer_id.id, "subscription_id": leased.id, "router": "hAP", "router_mac": "aabbcc001122",
        })
        old.action_install()
        wizard = self.env["isp.cpe.replace.wizard"].browse(old.action_replace()["res_id"])
        wizard.reason = "petir"
        with self.assertRaisesRegex(UserError, "MAC address"):
            wizard.action_confirm()
        wizard.mac = "zz"
        with self.assertRaisesRegex(ValidationError, "zz"), self.env.cr.savepoint():
            wizard.action_confirm()
        wizard.mac = "AABBCC001133"
        new = self.env["isp.cpe"].browse(wizard.action_confirm()["res_id"])
        self.assertEqual((new.router_mac, leased.mac), ("AA:BB:CC:00:11:33", "AA:BB:CC:00:11:33"))
        fixed.ip_address = "10.20.0.9"
        self.sync(EARLY)
        self.assertEqual([s.observed_access for s in fixed + leased], ["isolated"] * 2)
        self.simulated.plug_dhcp(leased.mac, "10.20.0.201")
        self.assertTrue(self.simulated.felt("10.20.0.8")[1])
        self.assertEqual(self.simulated.felt("10.20.0.7"), (None, False))
        self.assertTrue(self.simulated.felt("10.20.0.9")[1])
        (fixed + leased)._isp_by_hand("reopen", "uji")
        self.sync(EARLY)
        self.assertEqual([self.simulated.felt("10.20.0.%s" % n) for n in (8, 9)], [("10M/20M", False)] * 2)

    def test_what_a_line_cannot_have_is_said(self):
        fixed, leased = self.both()
        for line, vals in (
            (fixed, {"service": "pppoe"}), (fixed, {"ip_address": False}), (leased, {"mac": False}), (fixed, {"router_id": False}),
        ):
            with self.assertRaisesRegex(UserError, "is in service as"), self.env.cr.savepoint():
                line.write(vals)
        with self.assertRaisesRegex(IntegrityError, "ip_address_on_router"), self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
            fixed.ip_address = "10.20.0.8"
            fixed.flush_recordset()
        for line, vals in (
            (fixed, {"ip_address": "10.20.0"}), (fixed, {"ip_address": "127.0.0.1"}),
            (leased, {"mac": "zz"}), (leased, {"mac": "FF:FF:FF:FF:FF:FF"}),
        ):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                line.write(vals)
        other = self.new_subscription(self.new_customer("Lupa"), service="dhcp")
        self.sync(EARLY)
        self.assertEqual((other.last_router_code, other.last_router_answer), ("subscription.no_account", "The MAC address is missing."))
        for text in ("AABBCC001122", "aa:bb:cc:00:11:22"):
            self.assertIn(leased, self.env["isp.subscription"].search([("find", "ilike", text)]))

    def test_a_planned_change_of_package_comes_on_its_day(self):
        line = self.new_line()
        self.sync("2026-03-09 09:00")
        faster = self.new_package("HOME-50", 400_000, speed_down=50_000)
        self.change_terms(line, "2026-03-09 09:00", "package", package_id=faster.id)
        self.assertEqual(line.change_date, date(2026, 4, 5))
        for moment, profile in (("2026-04-04 23:00", "HOME-20"), ("2026-04-05 00:10", "HOME-50")):
            self.at(moment)["isp.subscription"]._cron_isp_isolation()
            self.sync(moment)
            self.assertEqual(self.on_router(line).profile, profile)
        self.simulated.reset_counters()
        self.at("2026-04-05 00:20")["isp.subscription"]._cron_isp_isolation()
        self.sync("2026-04-05 00:20")
        self.assertEqual(self.simulated.counters()["connections"], 0)

    def test_bursts_and_another_way_of_isolating(self):
        self.package.write({"burst_down": 40_000, "burst_up": 20_000, "burst_threshold_down": 15_000,
                            "burst_threshold_up": 7_500, "burst_seconds": 8})
        self.router.isolation_method = "disable"
        line = self.new_line()
        self.sync(EARLY)
        self.assertIn(("HOME-20", "10M/20M 20M/40M 7500k/15M 8/8"), [p[:2] for p in self.simulated.profiles()])
        line._isp_by_hand("isolate", "uji")
        self.sync(EARLY)
        self.assertEqual((line.observed_access, self.on_router(line).disabled), ("isolated", True))
        with self.assertRaises(ValidationError):
            self.router.isolation_method = "profile"
        with self.assertRaises(ValidationError):
            self.package.burst_up = 30_000

    def test_a_package_is_isolated_its_own_way(self):
        self.package.isolation_method = "disable"
        line, other = self.new_line(), self.new_line(2, package_id=self.new_package("TOKO", 300_000).id)
        self.sync(EARLY)
        (line | other)._isp_by_hand("isolate", "uji")
        self.sync(EARLY)
        self.assertEqual(set((line | other).mapped("observed_access")), {"isolated"})
        self.assertEqual((self.on_router(line).disabled, self.on_router(line).profile), (True, "HOME-20"))
        self.assertEqual((self.on_router(other).disabled, self.on_router(other).profile), (False, "ISOLIR"))

    def test_accounts_of_lines_that_ended_are_removed_where_the_provider_wants_it(self):
        line, other = self.new_line(), self.new_line(2)
        self.sync(EARLY)
        line.action_terminate()
        self.sync(EARLY)
        self.assertTrue(self.on_router(line).disabled, "it stays, disabled")
        self.router.remove_closed = True
        self.sync(EARLY)
        self.assertIsNone(self.on_router(line))
        self.assertFalse(self.on_router(other).disabled)
        self.assertTrue(line.access_agrees and not line.router_pending)

    def test_nothing_is_written_when_nothing_changed(self):
        self.new_line()
        self.sync(EARLY)
        self.simulated.reset_counters()
        self.sync(EARLY)
        self.assertEqual(self.simulated.counters()["connections"], 0)

    def test_a_router_that_is_down_is_tried_again_until_it_agrees(self):
        line = self.new_line()
        self.simulated.down()
        self.sync("2026-03-10 09:00")
        self.assertEqual((line.router_pending, line.router_attempts, line.last_router_code), (True, 1, "port.not_sent"))
        self.assertEqual(line.router_next_attempt, datetime(2026, 3, 10, 2, 1))
        self.assertEqual((self.router.state, self.router.last_error_code), ("trouble", "port.not_sent"))
        words = "Not reached: look at power, cable, address and port. (%s)"
        self.assertEqual(self.router.trouble_text, words % self.router.last_error)
        self.assertEqual(line.last_router_answer_text, words % line.last_router_answer)
        self.simulated.up()
        self.sync("2026-03-10 09:00")
        self.assertEqual(line.router_attempts, 1, "not before its time")
        self.sync("2026-03-10 09:01")
        self.assertEqual((line.observed_access, line.router_attempts, self.router.state), ("open", 0, "ok"))

    def test_a_dead_router_delays_no_other(self):
        other = self.router.copy({"name": "Bandung-2", "port": 1, "host": "127.0.0.1", "password": "x"})
        dead = self.new_line(1, router_id=other.id)
        alive = self.new_line(2)
        self.sync(EARLY)
        self.assertEqual((alive.observed_access, dead.observed_access), ("open", "unknown"))
        self.assertEqual((self.router.state, other.state), ("ok", "trouble"))

    def test_a_lost_answer_is_made_good(self):
        line = self.new_line()
        self.simulated.fail("reply_lost", on="/ppp/secret/add")
        self.sync("2026-03-10 09:00")
        self.assertEqual((line.observed_access, line.last_router_code), ("open", False), "the router is read again")
        self.assertTrue(self.on_router(line))
        self.sync("2026-03-10 09:05")
        self.assertEqual(line.observed_access, "open")
        self.assertEqual(len(self.simulated.secrets()), 1)
        # A router that cannot be read back leaves it unknown, until it can.
        self.simulated.fail("reply_lost", on="/ppp/secret/print", times=100)
        line._isp_want("isolate", "overdue_too_long", overdue=277_500)
        self.sync("2026-03-10 10:00")
        self.assertEqual(line.last_router_code, "port.unknown")
        self.simulated.heal()
        self.sync("2026-03-10 11:00")
        self.assertEqual(line.observed_access, "isolated")

    def test_one_bad_line_keeps_no_other_from_being_heard(self):
        spaced = self.new_line(1)
        spaced.ppp_username = "pelanggan\u200bé"
        without = self.new_line(2)
        without.ppp_password = False
        good = self.new_line(3)
        self.sync(EARLY)
        self.assertEqual(good.observed_access, "open")
        self.assertEqual((spaced.last_router_code, without.last_router_code), ("value.bad_router_name", "subscription.no_account"))
        self.assertEqual(self.router.state, "ok")

    def test_accounts_of_others_are_not_touched(self):
        self.simulated.add_secret("pelanggan-1", "milik-orang", comment="Pak Budi")
        line = self.new_line()
        self.sync(EARLY)
        self.assertEqual((line.observed_access, line.last_router_code), ("unknown", "router.account_not_ours"))
        self.assertTrue(self.simulated.password_is("pelanggan-1", "milik-orang"))

    def test_a_line_in_service_does_not_move_and_leave_its_account_behind(self):
        line = self.new_line()
        self.sync(EARLY)
        with self.assertRaises(UserError):
            line.ppp_username = "lain"
        line.with_env(self.at(EARLY)).action_pause()
        self.sync(EARLY)
        line.ppp_username = "lain"
        self.assertEqual(line.ppp_username, "lain")

    def test_the_connection_test_says_who_answers(self):
        self.new_line()
        self.sync(EARLY)
        action = self.router.action_isp_test()
        self.assertEqual(action["params"]["type"], "success")
        self.assertEqual((self.router.identity, self.router.account_count), ("tower-1", 1))
        self.assertIn("7.21.5", self.router.version)
        self.router.password = "salah"
        action = self.router.action_isp_test()
        self.assertEqual((action["params"]["type"], self.router.last_error_code), ("danger", "router.bad_credentials"))
        self.assertNotIn("salah", action["params"]["message"])

    def test_another_machine_is_left_alone_until_a_manager_confirms_it(self):
        line = self.new_line()
        self.sync(EARLY)
        self.assertEqual(self.router.identity, "tower-1")
        self.assertTrue(self.router.serial, "a virtual router has the id of its licence")
        self.assertTrue(self.router.machine_since)
        other = SimulatedRouter(identity="tower-2", serial="HG2")
        self.addCleanup(other.close)
        host, port = other.address.split(":")
        self.router.write({"host": host, "port": int(port), "username": other.username, "password": other.password})
        line.ppp_password = "baru"
        self.sync("2026-03-10 09:10")
        self.assertEqual((self.router.state, self.router.last_error_code), ("trouble", "router.other_machine"))
        self.assertEqual((line.router_pending, line.last_router_code), (True, "router.other_machine"))
        self.at("2026-03-10 12:00")["isp.router"]._cron_isp_drift()
        self.env.invalidate_all()
        self.assertEqual((other.secrets(), line.router_drift), ([], False))
        self.router.action_isp_test()
        self.assertEqual(self.router.last_error_code, "router.other_machine")
        technician, manager = (
            new_test_user(
                self.env, "mesin-%s" % group, groups="base.group_user,isp_management.group_%s" % group,
                company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
            ) for group in ("technician", "manager")
        )
        with self.assertRaises(AccessError):
            self.router.with_user(technician).action_isp_confirm_machine()
        self.router.with_user(manager).action_isp_confirm_machine()
        self.assertEqual((self.router.state, self.router.identity, self.router.serial), ("ok", "tower-2", "HG2"))
        self.assertIn("HG2", self.router.message_ids[0].body)
        self.sync("2026-03-10 13:00")
        self.assertTrue(other.password_is("pelanggan-1", "baru"))
        # A second router at the address of the first.
        twin = self.router.copy({"name": "Menara 3", "password": other.password})
        twin.action_isp_test()
        self.assertEqual((twin.last_error_code, twin.serial), ("router.other_machine", False))

    def test_drift_is_listed_and_brought_right(self):
        line, gone = self.new_line(1), self.new_line(2)
        self.sync(EARLY)
        self.simulated.remove_secret(gone.ppp_username)
        env = self.at("2026-03-10 12:00")
        env["isp.router"]._cron_isp_drift()
        self.env.invalidate_all()
        self.assertFalse(line.router_drift)
        self.assertIn("profile", gone.router_drift)
        self.assertEqual(self.router.drift_count, 1)
        self.sync("2026-03-10 12:01")
        self.assertTrue(self.on_router(gone))
        self.assertFalse(gone.router_drift)

    def test_a_plan_is_shown_and_applied(self):
        line = self.new_line()
        action = self.router.with_context(isp_now="2026-03-10 02:00:00").action_isp_plan()
        wizard = self.env["isp.router.plan.wizard"].browse(action["res_id"])
        self.assertEqual(
            [(line.what, line.name, line.action, line.subscription_id) for line in wizard.line_ids],
            [("profile", "HOME-20", "create", line.browse()), ("account", "pelanggan-1", "create", line)],
        )
        self.assertIn("+ account pelanggan-1", wizard.text)
        self.assertFalse(self.on_router(line))
        wizard.action_apply()
        self.assertEqual(self.on_router(line).profile, "HOME-20")
        self.assertEqual(line.observed_access, "open")
        again = self.env["isp.router.plan.wizard"].browse(self.router.action_isp_plan()["res_id"])
        self.assertFalse(again.line_ids)
        self.simulated.down()
        with self.assertRaises(UserError):
            self.router.action_isp_plan()

    def test_existing_accounts_become_customers(self):
        self.simulated.add_profile("HOME-20", "10M/20M")
        self.simulated.add_secret("siti", "a", profile="HOME-20", remote_address="10.0.0.7")
        self.simulated.add_secret("x9", "b", profile="HOME-20", comment="Rina - 0812 9999 8888")
        self.simulated.add_secret("y9", "c", profile="default")
        known = self.new_subscription(self.new_customer("Siti Rahayu"), ppp_username="siti", activate=False)
        known.ppp_username = "siti"
        action = self.router.action_isp_import()
        wizard = self.env["isp.router.import.wizard"].browse(action["res_id"])
        by_name = {line.name: line for line in wizard.line_ids}
        self.assertEqual((by_name["siti"].verdict, by_name["siti"].subscription_id), ("match", known))
        self.assertTrue(by_name["siti"].chosen)
        rina = by_name["x9"]
        self.assertEqual(
            (rina.verdict, rina.customer_name, rina.phone, rina.package_id), ("new", "Rina", "+6281299998888", self.package)
        )
        self.assertFalse(rina.chosen)
        self.assertFalse(by_name["y9"].package_id)
        rina.chosen = True
        wizard.start_date = date(2026, 3, 10)
        taken = self.env["isp.subscription"].search(wizard.action_import()["domain"])
        new = taken - known
        self.assertEqual(new.customer_id.name, "Rina")
        self.assertEqual((new.state, new.billing_day, new._isp_open("ppp_password")), ("active", 10, "b"))
        self.assertEqual((known.state, known.ip_address), ("draft", "10.0.0.7"))
        self.sync("2026-03-10 09:00")
        self.assertEqual((new.observed_access, new.router_adopt), ("open", False))
        self.assertEqual(self.on_router(new).comment, "Rina - 0812 9999 8888")
        action = self.router.action_isp_import()
        self.assertEqual(self.env["isp.router.import.wizard"].browse(action["res_id"]).ours, 1)

    def test_existing_hotspot_users_become_customers(self):
        self.simulated.add_hotspot_user("warung", "c", comment="Rina - 0812 9999 8888")
        self.simulated.add_secret("warung", "a")
        wizard = self.env["isp.router.import.wizard"].browse(self.router.action_isp_import()["res_id"])
        self.assertEqual(wizard.line_ids.mapped(lambda line: (line.name, line.service)), [("warung", "pppoe"), ("warung", "hotspot")])
        hotspot = wizard.line_ids.filtered(lambda line: line.service == "hotspot")
        hotspot.write({"chosen": True, "package_id": self.package.id})
        wizard.start_date = date(2026, 3, 10)
        taken = self.env["isp.subscription"].search(wizard.action_import()["domain"])
        self.assertEqual((taken.customer_id.name, taken.service, taken.ppp_username), ("Rina", "hotspot", "warung"))
        self.assertEqual((taken.state, taken._isp_open("ppp_password")), ("active", "c"))
        self.sync("2026-03-10 09:00")
        self.assertEqual((taken.observed_access, taken.router_adopt), ("open", False))
        self.assertEqual(self.simulated.secret("warung").owner, None, "the account of the same name for PPPoE is left alone")

    def test_a_router_that_another_process_talks_to_is_left_to_it(self):
        line = self.new_line()
        # A connection of its own, as another cron worker has.
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT pg_try_advisory_lock(%s, %s)", (transaction.LOCK_ROUTER, self.router.id))
            self.assertTrue(other.fetchone()[0])
            self.sync(EARLY)
            self.assertEqual((line.observed_access, line.router_attempts), ("unknown", 0))
            other.execute("SELECT pg_advisory_unlock(%s, %s)", (transaction.LOCK_ROUTER, self.router.id))
        self.sync(EARLY)
        self.assertEqual(line.observed_access, "open")
