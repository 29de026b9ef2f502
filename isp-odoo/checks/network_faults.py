"""Routers and messages with real processes: crons that race, and crons that are killed in the middle of a call.

usage: network_faults.py CONF            (scripts/odoo_test runs it on a database of its own)

Exits 0 when, after each fault and another run, every account is on the router once and as it is wanted, and no customer
got a message twice.
"""

import os
import signal
import subprocess
import sys
import time
from datetime import date

from boot import environment, subscriptions
from isp_engine.testing import SimulatedRouter, SimulatedWhatsApp

COUNT = 60
# Naive UTC; the day in Jakarta, when every kind of message may go out.
MORNING, LATER, MUCH_LATER = "2026-03-10 03:00:00", "2026-03-10 03:05:00", "2026-03-10 03:40:00"
METHODS = {"sync": ("isp.router", "_cron_isp_sync"), "send": ("isp.notification", "_cron_isp_send")}


def main(conf):
    with SimulatedRouter() as router, SimulatedWhatsApp(sender=True) as meta:
        prepare(conf, router, meta)
        race("sync", conf, MORNING)
        check_router(conf, router, "open", "R20")
        print("two crons at once: %s accounts, each once" % COUNT)

        by_hand(conf, "isolate", MORNING)
        # After some accounts the router stands still: the run is in the middle however slow or busy the machine is.
        router.fail("hang", on="/ppp/secret/set", after=10, times=0)
        killed_at = kill("sync", conf, MORNING, lambda: isolated(router), 10)
        router.heal()
        until(lambda: run("sync", conf, LATER).wait() == 0 and isolated(router) == COUNT)
        check_router(conf, router, "isolated", "ISOLIR")
        print("killed with %s of %s lines isolated: the next run made the rest so" % (killed_at, COUNT))

        race("send", conf, LATER)
        assert len(meta.messages()) == COUNT and meta.duplicates() == {}, len(meta.messages())
        print("two crons at once: %s messages, each once" % COUNT)

        by_hand(conf, "reopen", LATER)
        assert run("sync", conf, LATER).wait() == 0
        check_router(conf, router, "open", "R20")
        meta.fail("hang", times=0, after=5)
        killed_at = kill("send", conf, LATER, lambda: len(meta.messages()) - COUNT, 3)
        meta.heal()
        for moment in (LATER, MUCH_LATER):
            assert run("send", conf, moment).wait() == 0
        check_messages(conf, meta)
        print("killed with %s of %s messages out: nobody got one twice, and what is unknown says so" % (killed_at, COUNT))


def prepare(conf, router, meta):
    with environment(conf, isp_now=MORNING) as env:
        # checks/faults.py has billed later months; this story begins earlier, and nobody's clock is wrong.
        company = env.ref("base.main_company").with_env(env)
        env["isp.clock"]._isp_of(company)._isp_settle(company._isp_now(), "the story begins here")
        host, port = router.address.split(":")
        there = env["isp.router"].create({
            "name": "Simulated", "host": host, "port": int(port), "username": router.username, "password": router.password,
            # A machine that is busy is no router that is down.
            "timeout_seconds": 120,
        })
        env["isp.channel"].create({
            "name": "Simulated", "phone_number_id": meta.phone_number_id, "base_url": meta.base_url,
            "access_token": meta.access_token, "app_secret": meta.app_secret,
        })
        # checks/faults.py has left customers there.
        own = [("company_id", "=", env.ref("base.main_company").id), ("state", "=", "active"), ("router_id", "=", False)]
        lines = env["isp.subscription"].search(own, limit=COUNT)
        if len(lines) < COUNT:
            lines = subscriptions(env, COUNT, date(2026, 1, 5))
        for number, line in enumerate(lines):
            line.write({"router_id": there.id, "ppp_username": "user-%03d" % number, "ppp_password": "rahasia-%d" % number})
        env.cr.commit()


def by_hand(conf, action, moment):
    with environment(conf, isp_now=moment) as env:
        env["isp.subscription"].search([("router_id.name", "=", "Simulated")])._isp_by_hand(action, "uji")
        env["isp.router"].search([("name", "=", "Simulated")]).breaker_approved_until = "2026-03-11 00:00:00"
        env.cr.commit()


def run(what, conf, moment):
    return subprocess.Popen([sys.executable, os.path.abspath(__file__), conf, what, moment])


def race(what, conf, moment):
    both = [run(what, conf, moment), run(what, conf, moment)]
    assert [process.wait() for process in both] == [0, 0]


def kill(what, conf, moment, count, most):
    """Kill -9 a run when so many of its effects are seen, and nothing answers any more; return how many there were."""
    process = run(what, conf, moment)
    while count() < most:
        assert process.poll() is None, "the run ended before it was killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return count()


def until(condition, seconds=1800):
    """Wait for a condition. The limit is there so that a red check ends; it says nothing of how long it should take."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not so after %s seconds" % seconds
        # The dead process's lock goes when PostgreSQL notices that it is gone.
        time.sleep(0.5)


def isolated(router):
    return sum(secret.profile == "ISOLIR" for secret in router.secrets())


def check_router(conf, router, access, profile):
    secrets = router.secrets()
    assert len({secret.name for secret in secrets}) == len(secrets) == COUNT, len(secrets)
    assert {secret.profile for secret in secrets} == {profile}, {secret.profile for secret in secrets}
    with environment(conf) as env:
        lines = env["isp.subscription"].search([("router_id.name", "=", "Simulated")])
        assert set(lines.mapped("observed_access")) == {access}, set(lines.mapped("last_router_answer"))
        assert not any(lines.mapped("router_pending"))


def check_messages(conf, meta):
    assert meta.duplicates() == {}, meta.duplicates()
    out = {message.callback.rpartition(":")[2] for message in meta.messages()}
    with environment(conf) as env:
        rows = env["isp.notification"].search([("kind", "=", "reopened")])
        assert len(rows) == COUNT and set(rows.mapped("state")) <= {"sent", "unknown"}, set(rows.mapped("state"))
        for row in rows:
            assert row.state == "unknown" or str(row.id) in out, "a message that says it was sent was not"


def call(conf, what, moment):
    model, method = METHODS[what]
    with environment(conf, isp_now=moment) as env:
        getattr(env[model], method)()
        env.cr.commit()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        call(*sys.argv[1:])
