"""Routers over real sockets, against the simulated ones."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

import isp_engine as isp
from isp_engine import routers
from isp_engine.testing import SimulatedRouter
from stories import refused


def account(key: int, access: isp.records.Access = "open", **more: object) -> routers.Account:
    made = routers.Account(key, f"db:{key}", f"user-{key}", "rahasia", "HOME-20", "20M/10M", access)
    return made._replace(**more)


def endpoint(simulated: SimulatedRouter, key: isp.Key, *accounts: routers.Account, **more: object) -> routers.Router:
    made = routers.Router(key, simulated.address, simulated.username, simulated.password, accounts)
    return made._replace(**more)


def test_a_line_is_planned_made_isolated_and_reopened() -> None:
    with SimulatedRouter() as simulated:
        (plan,) = routers.plan([endpoint(simulated, "r1", account(7))])
        assert (plan.router, plan.error, plan.isolates) == ("r1", None, 0)
        assert [(s.what, s.name, s.account, s.action) for s in plan.steps] == [
            ("profile", "HOME-20", None, "create"),
            ("account", "user-7", 7, "create"),
        ]
        assert plan.steps[0].changes == (routers.FieldChange("rate-limit", "", "10M/20M"),)
        assert "+ account user-7 profile=HOME-20" in plan.text
        assert simulated.secrets() == []

        (applied,) = routers.apply([endpoint(simulated, "r1", account(7))])
        assert applied.accounts == (
            routers.AccountOutcome(7, "done", "open", True, None, applied.accounts[0].answer),
        )
        assert simulated.password_is("user-7", "rahasia")
        assert simulated.sessions()[0].profile == "HOME-20"

        (applied,) = routers.apply([endpoint(simulated, "r1", account(7, "isolated"))])
        assert applied.accounts[0].access == "isolated"
        secret = simulated.secret("user-7")
        assert secret is not None
        assert secret.profile == "isolir"
        assert [(s.profile, s.address_list) for s in simulated.sessions()] == [("isolir", "ISOLIR")]
        (seen,) = routers.observe([endpoint(simulated, "r1", account(7))])
        assert seen.accounts[0].access == "isolated"

        (applied,) = routers.apply([endpoint(simulated, "r1", account(7))])
        assert applied.accounts[0][1:4] == ("done", "open", True)
        simulated.reset_counters()
        (applied,) = routers.apply([endpoint(simulated, "r1", account(7))])
        assert applied.accounts[0][1:4] == ("done", "open", False)
        assert simulated.counters()["writes"] == 0


def test_lines_that_nobody_logs_in_for() -> None:
    """By address and by box, beside one that logs in: planned, made, isolated, opened, moved and left."""
    fixed = account(1, username="", password="", service="static", ip_address="10.20.0.7")
    leased = account(2, username="", password="", service="dhcp", ip_address="10.20.0.8", mac="aa-bb-cc-00-11-22")
    with SimulatedRouter() as simulated:
        lines = (fixed, account(7), leased)
        (plan,) = routers.plan([endpoint(simulated, "r1", *lines)])
        assert [(s.what, s.name, s.account, s.action) for s in plan.steps[1:]] == [
            ("account", "user-7", 7, "create"),
            ("queue", "10.20.0.7", 1, "create"),
            ("lease", "AA:BB:CC:00:11:22", 2, "create"),
        ]
        (applied,) = routers.apply([endpoint(simulated, "r1", *lines)])
        assert [(a.account, a.state, a.access) for a in applied.accounts] == [
            (1, "done", "open"), (7, "done", "open"), (2, "done", "open"),
        ]
        simulated.plug_dhcp("AA:BB:CC:00:11:22", "10.20.0.200")
        assert simulated.felt("10.20.0.7") == simulated.felt("10.20.0.8") == ("10M/20M", False)
        shut = [line._replace(access="isolated") for line in (fixed, leased)]
        (applied,) = routers.apply([endpoint(simulated, "r1", *shut)])
        assert [a.access for a in applied.accounts] == ["isolated", "isolated"]
        assert simulated.felt("10.20.0.7") == simulated.felt("10.20.0.8") == ("64k/64k", True)
        (seen,) = routers.observe([endpoint(simulated, "r1", *lines)])
        assert [(a.account, a.access) for a in seen.accounts] == [(1, "isolated"), (7, "open"), (2, "isolated")]
        moved = [shut[0]._replace(ip_address="10.20.0.9"), shut[1]._replace(mac="AA:BB:CC:00:11:33")]
        (applied,) = routers.apply([endpoint(simulated, "r1", *moved)])
        assert [(a.state, a.access) for a in applied.accounts] == [("done", "isolated")] * 2
        assert simulated.felt("10.20.0.7") == (None, False), "nothing is left at the old address"
        assert simulated.felt("10.20.0.9") == ("64k/64k", True)
        after = account(3, username="", password="", service="static", ip_address="10.20.0.9")
        (applied,) = routers.apply([endpoint(simulated, "r1", after)])
        assert [(a.state, a.code) for a in applied.accounts] == [("refused", "router.account_of_another")]
        (applied,) = routers.apply([endpoint(simulated, "r1", after._replace(succeeds=[fixed.owner]))])
        assert [(a.state, a.access) for a in applied.accounts] == [("done", "open")]
        assert simulated.felt("10.20.0.9") == ("10M/20M", False)

    for wrong, code in [
        (fixed._replace(ip_address="10.20.0"), "subscription.ip_address"),
        (fixed._replace(ip_address=None), "value.empty"),
        (leased._replace(mac="zz"), "subscription.mac"),
        (fixed._replace(password="x"), "subscription.not_for_service"),
    ]:
        assert refused(routers.plan, [routers.Router("r1", "127.0.0.1", "api", "x", [wrong])]).code == code
    twice = leased._replace(ip_address="10.20.0.7")
    assert refused(routers.plan, [routers.Router("r1", "127.0.0.1", "api", "x", [fixed, twice])]).code == "value.duplicate"


def test_addresses_and_boxes_are_read_as_people_write_them() -> None:
    for text in ["aa-bb-cc-00-11-22", "AABBCC001122", "aabb.cc00.1122", " AA:BB:CC:00:11:22 "]:
        assert routers.parse_mac(text) == "AA:BB:CC:00:11:22"
    assert routers.parse_ip_address(" 10.20.0.7/32") == "10.20.0.7"
    for parse, text, code in [
        (routers.parse_mac, "zz", "subscription.mac"),
        (routers.parse_mac, "ff:ff:ff:ff:ff:ff", "subscription.mac"),
        (routers.parse_ip_address, "10.20.0", "subscription.ip_address"),
        (routers.parse_ip_address, "127.0.0.1", "subscription.ip_address"),
    ]:
        assert refused(parse, text).code == code


def test_a_dead_router_delays_nobody_and_has_its_error() -> None:
    with SimulatedRouter(identity="a") as up, SimulatedRouter() as down, SimulatedRouter() as hanging:
        down.down()
        hanging.fail("freeze", times=0)
        started = time.monotonic()
        answers = routers.status(
            [endpoint(up, 1), endpoint(down, 2), endpoint(hanging, 3), endpoint(up, 4, password="no")], deadline=1.0
        )
        took = time.monotonic() - started
        assert took < 3
        assert [(a.router, a.identity, a.version, a.accounts) for a in answers] == [
            (1, "a", "7.21.5 (stable)", 0),
            (2, "", "", 0),
            (3, "", "", 0),
            (4, "", "", 0),
        ]
        assert answers[0].error is None
        assert isinstance(answers[1].error, isp.NotReached)
        assert isinstance(answers[2].error, isp.RetryableError)
        assert isinstance(answers[3].error, isp.Refused)
        codes = [a.error.code for a in answers if a.error]
        assert codes == ["router.unreachable", "router.timeout", "router.bad_credentials"]


def test_another_machine_is_left_alone_until_a_person_says_that_it_is_right() -> None:
    with SimulatedRouter(identity="A", serial="S1") as one, SimulatedRouter(identity="B", serial="S2") as two:
        (applied,) = routers.apply([endpoint(one, 1, account(1))])
        known = applied.machine
        assert known == routers.Machine("A", "S1")
        (status,) = routers.status([endpoint(two, 2)])
        assert status.machine == routers.Machine("B", "S2")
        # The addresses were swapped: the second answers for the first.
        swapped = endpoint(two, 1, account(1, "isolated"))._replace(machine=known)
        for call in (routers.apply, routers.plan, routers.observe, routers.status, routers.import_secrets):
            (answer,) = call([swapped])
            assert isinstance(answer.error, isp.Refused)
            assert answer.error.code == "router.other_machine"
            assert "A (S1) -> B (S2)" in str(answer.error)
        assert two.secrets() == []
        # A new router at the address of one that is known.
        (answer,) = routers.apply([endpoint(two, 3, account(1))._replace(other_machines=[routers.Machine("B", "S2")])])
        assert answer.error is not None
        assert answer.error.code == "router.other_machine"
        assert two.secrets() == []
        # The same one, under another name too, and one that a person confirmed by forgetting the old one.
        renamed = endpoint(one, 1, account(1))._replace(machine=routers.Machine("old", "S1"))
        (answer,) = routers.apply([renamed])
        assert (answer.error, answer.machine) == (None, known)
        (answer,) = routers.apply([swapped._replace(machine=None)])
        assert answer.error is None
        assert [secret.name for secret in two.secrets()] == ["user-1"]


def test_a_router_that_was_down_is_reopened_later() -> None:
    with SimulatedRouter() as simulated:
        routers.apply([endpoint(simulated, 1, account(1, "isolated"))])
        simulated.down()
        (applied,) = routers.apply([endpoint(simulated, 1, account(1))], deadline=1)
        assert isinstance(applied.error, isp.NotReached)
        assert applied.accounts == ()
        secret = simulated.secret("user-1")
        assert secret is not None
        assert secret.profile == "isolir"
        simulated.up()
        (applied,) = routers.apply([endpoint(simulated, 1, account(1))])
        assert applied.accounts[0].access == "open"


def test_a_lost_reply_is_made_good_in_the_same_call() -> None:
    with SimulatedRouter() as simulated:
        simulated.fail("reply_lost", on="/ppp/secret/add")
        (applied,) = routers.apply([endpoint(simulated, 1, account(1))])
        assert applied.error is None, "the router is read again, and what was done is seen"
        assert [(a.state, a.access) for a in applied.accounts] == [("done", "open")]
        assert len(simulated.secrets()) == 1
        (applied,) = routers.apply([endpoint(simulated, 1, account(1))])
        assert applied.error is None
        assert len(simulated.secrets()) == 1


def test_a_router_that_cannot_be_read_back_is_unknown() -> None:
    with SimulatedRouter() as simulated:
        routers.apply([endpoint(simulated, 1, account(1))])
        simulated.fail("reply_lost", on="/ppp/secret/print", times=100)
        (applied,) = routers.apply([endpoint(simulated, 1, account(1, "isolated"))])
        assert isinstance(applied.error, isp.OutcomeUnknown)
        assert applied.error.retryable
        assert applied.accounts == ()
        simulated.heal()
        (applied,) = routers.apply([endpoint(simulated, 1, account(1, "isolated"))])
        assert (applied.error, applied.accounts[0].access) == (None, "isolated")


def test_the_breaker_holds_isolations_only() -> None:
    with SimulatedRouter() as simulated:
        policy = isp.IsolationPolicy(breaker_count=2, breaker_percent=10)
        routers.apply([endpoint(simulated, 1, *(account(n) for n in range(5)))])
        wanted = [account(n, "isolated") for n in range(3)] + [account(3, "closed"), account(4)]
        (applied,) = routers.apply([endpoint(simulated, 1, *wanted)], policy=policy)
        assert (applied.isolates, applied.limit, applied.error) == (3, 2, None)
        assert [(a.state, a.code) for a in applied.accounts] == [("held", "isolation.breaker")] * 3 + [
            ("done", None),
            ("done", None),
        ]
        assert sum(secret.profile == "isolir" for secret in simulated.secrets()) == 0
        (applied,) = routers.apply([endpoint(simulated, 1, *wanted, approved=True)], policy=policy)
        assert [a.access for a in applied.accounts] == ["isolated"] * 3 + ["closed", "open"]
        # They are isolated already, so nobody is cut off and nothing is held.
        (applied,) = routers.apply([endpoint(simulated, 1, *wanted)], policy=policy)
        assert (applied.isolates, {a.state for a in applied.accounts}) == (0, {"done"})


def test_accounts_of_others_are_not_touched() -> None:
    with SimulatedRouter() as simulated:
        simulated.add_secret("user-1", "theirs", comment="Pak Budi")
        (applied,) = routers.apply([endpoint(simulated, 1, account(1), account(2))])
        assert [(a.state, a.code) for a in applied.accounts] == [
            ("refused", "router.account_not_ours"),
            ("done", None),
        ]
        assert simulated.password_is("user-1", "theirs")
        (applied,) = routers.apply([endpoint(simulated, 1, account(1, adopt=True))])
        assert applied.accounts[0].state == "done"
        secret = simulated.secret("user-1")
        assert secret is not None
        assert secret.comment == "Pak Budi"


def test_a_filled_router_is_imported() -> None:
    with SimulatedRouter() as simulated:
        simulated.add_profile("10M", "5M/10M")
        simulated.add_secret("budi01", "a", profile="10M")
        simulated.add_secret("x1", "b", profile="10M", comment="Siti Aminah 081311112222", remote_address="10.0.0.9")
        simulated.add_secret("x2", "c", comment="Rina - 0812 9999 8888")
        known = [
            routers.KnownAccount(1, "db:1", "budi01", "Budi Santoso"),
            routers.KnownAccount("s", "db:2", "siti", "Siti Aminah", "0813-1111-2222"),
        ]
        (found,) = routers.import_secrets([endpoint(simulated, 1)], known)
        assert [(a.name, a.verdict, a.subscriptions, a.evidence, a.confidence) for a in found.accounts] == [
            ("budi01", "match", (1,), "user_name", 100),
            ("x1", "match", ("s",), "phone", 90),
            ("x2", "new", (), None, None),
        ]
        assert (found.accounts[2].customer, found.accounts[2].phone) == ("Rina", "+6281299998888")
        assert (found.accounts[1].password, found.accounts[1].remote_address) == ("b", "10.0.0.9")
        assert found.packages[0] == routers.FoundPackage("10M", "10M/5M", 2)
        shown = repr(found)
        assert "081311112222" not in shown
        assert "'b'" not in shown


def test_hotspot_users_are_found_too() -> None:
    with SimulatedRouter() as simulated:
        simulated.add_secret("budi01", "a")
        simulated.add_hotspot_user("warung", "c", comment="Rina - 0812 9999 8888")
        simulated.add_hotspot_user("default-trial", "")
        simulated.add_hotspot_user("budi01", "d")
        known = [routers.KnownAccount(1, "db:1", "budi01", "Budi Santoso")]
        (found,) = routers.import_secrets([endpoint(simulated, 1)], known)
        assert [(a.name, a.service, a.verdict) for a in found.accounts] == [
            ("budi01", "pppoe", "conflict"),
            ("warung", "hotspot", "new"),
            ("budi01", "hotspot", "conflict"),
        ]
        assert (found.accounts[1].customer, found.accounts[1].password) == ("Rina", "c")


def test_a_group_is_isolated_its_own_way_and_closed_accounts_go() -> None:
    with SimulatedRouter() as simulated:
        own = routers.RouterSettings(isolations=[routers.GroupIsolation("HOME-20", "disable")], remove_closed=True)
        routers.apply([endpoint(simulated, 1, account(1, "isolated"), settings=own)])
        secret = simulated.secret("user-1")
        assert secret is not None and (secret.profile, secret.disabled) == ("HOME-20", True)
        routers.apply([endpoint(simulated, 1, account(1, "closed"), settings=own)])
        assert simulated.secret("user-1") is None


def test_bursts_and_ways_of_isolating() -> None:
    burst = routers.GroupBurst("HOME-20", 200, 75, 16)
    with SimulatedRouter() as simulated:
        switch = routers.RouterSettings(isolation="disable", bursts=[burst])
        routers.apply([endpoint(simulated, 1, account(1), settings=switch)])
        assert ("HOME-20", "10M/20M 20M/40M 7500k/15M 16/16") in [p[:2] for p in simulated.profiles()]
        (applied,) = routers.apply([endpoint(simulated, 1, account(1, "isolated"), settings=switch)])
        assert applied.accounts[0].access == "isolated"
        secret = simulated.secret("user-1")
        assert secret is not None
        assert (secret.profile, secret.disabled) == ("HOME-20", True)
        for change, field in [
            ({"isolation": "shout"}, "settings.isolation"),
            ({"bursts": [burst._replace(percent=100)]}, "settings.bursts[0].percent"),
            ({"isolations": [routers.GroupIsolation("HOME-20", "shout")]}, "settings.isolations[0].isolation"),  # type: ignore[arg-type]
        ]:
            error = refused(routers.plan, [endpoint(simulated, 1, settings=switch._replace(**change))])
            assert error.field == field


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python leaves SIGINT alone where it was started to ignore it, as jobs in the background are."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_wait() -> None:
    with SimulatedRouter() as simulated:
        simulated.fail("freeze", times=0)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            routers.status([endpoint(simulated, 1)], deadline=30)
        assert time.monotonic() - started < 5


def test_other_threads_run_while_a_call_waits() -> None:
    with SimulatedRouter() as simulated:
        simulated.fail("freeze", times=0)
        counted = 0
        stop = threading.Event()

        def count() -> None:
            nonlocal counted
            while not stop.is_set():
                counted += 1
                time.sleep(0.005)

        thread = threading.Thread(target=count)
        thread.start()
        routers.status([endpoint(simulated, 1)], deadline=0.5)
        stop.set()
        thread.join()
        assert counted > 20


def test_values_are_refused_with_their_place() -> None:
    router = routers.Router(1, "10.0.0.1", "api", "secret", [account(1)])
    for change, code, field in [
        ({"address": "10.0.0.1:70000"}, "value.not_one_of", "address"),
        ({"username": " "}, "value.empty", "username"),
        ({"password": None}, "value.type", "password"),
        ({"tls_fingerprint": "ab"}, "value.fingerprint", "tls_fingerprint"),
        ({"accounts": [account(1, speed="fast")]}, "package.speed", "accounts[0].speed"),
        ({"accounts": [account(1, access="shut")]}, "value.not_one_of", "accounts[0].access"),
        ({"accounts": [account(1), account(2, username="user-1")]}, "value.duplicate", "accounts[1]"),
    ]:
        error = refused(routers.plan, [router._replace(**change)])
        assert (error.code, error.row, error.field) == (code, 0, field)
        assert "secret" not in str(error)
    assert refused(routers.status, [], deadline=0).code == "value.range"
    assert refused(routers.status, [], deadline="1").code == "value.type"
    assert routers.status([]) == []


def test_no_secret_is_shown() -> None:
    assert "rahasia" not in repr(account(1))
    assert "password=***" in repr(account(1))
    assert "hunter2" not in repr(routers.Router(1, "r", "api", "hunter2"))


def test_a_closed_simulator_says_so() -> None:
    simulated = SimulatedRouter()
    simulated.close()
    simulated.close()
    with pytest.raises(isp.IspError) as error:
        simulated.secrets()
    assert error.value.code == "simulator.closed"


def test_many_routers_at_once() -> None:
    simulated = [SimulatedRouter(identity=f"r{n}") for n in range(20)]
    for router in simulated:
        router.fail("latency", detail=0.3)
    started = time.monotonic()
    answers = routers.status([endpoint(router, n) for n, router in enumerate(simulated)])
    assert time.monotonic() - started < 3
    assert [(a.router, a.identity) for a in answers] == [(n, f"r{n}") for n in range(20)]
    for router in simulated:
        router.close()
