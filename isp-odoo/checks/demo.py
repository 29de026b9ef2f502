"""A running Odoo with an invented provider that has lived four months, and simulated routers and WhatsApp behind it.

usage: demo.py CONF PORT [check|pictures]        scripts/odoo_demo calls it

Everything happens through the addon: its billing, its isolation, its routers over real sockets. It fails unless the routers of a
provider that was just made hold what Odoo wants; one that a person worked with is told as it is. With ``check`` it stops once Odoo
has answered; with ``pictures`` it leaves pictures of the screens first. SIGINT, SIGTERM and SIGHUP end it in order, and so does the end
of a process that ISP_DEMO_OWNERS names.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack

from boot import company_of, environment
from isp_engine.testing import SimulatedGateway, SimulatedRouter, SimulatedWhatsApp


# The static code of an invented shop: no app finds it.
QRIS = "00020101021126200016ID.CO.CONTOH.WWW5204481453033605802ID5918SINAR PRIANGAN NET6007BANDUNG6304FC42"


# Where the simulated routers of a database that was kept had been.
LOOPBACK = "127.0.0.1"


def main(conf, port, task=None):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A shell has what it starts in the background ignore SIGINT, which nobody asked for; nohup SIGHUP, which somebody did.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)
    with ExitStack() as stack:
        meta = stack.enter_context(SimulatedWhatsApp(sender=True))
        with environment(conf) as env:
            # A database that was kept has the provider already.
            fresh = not env["isp.customer"].with_context(active_test=False).search_count([], limit=1)
            if fresh:
                build(env)
            simulators = connect(env, meta, stack, fresh)
            if task == "pictures":
                take_payments(env, stack.enter_context(SimulatedGateway("midtrans")))
            env.cr.commit()
            live(env)
            env.cr.commit()
            differ, isolated, expected = report(env, simulators, meta)
            if fresh:
                assert isolated, "nobody was isolated"
                assert not differ, "the routers do not agree on %s lines: %s" % (len(differ), differ[:1].last_router_answer)
                found = sum(len(simulator.secrets()) for simulator in simulators.values())
                assert found == expected, "%s accounts for %s lines" % (found, expected)
            reads = env.ref("base.user_admin").lang
        serve(conf, port, task, reads)


def end(number, frame):
    raise KeyboardInterrupt


def build(env):
    """The provider of demo/, as the addon's own demo data makes it, in the main company."""
    company = company_of(env)
    company.write({
        "name": "Sinar Priangan Net", "street": "Jl. Contoh 1", "city": "Bandung", "phone": "022-5550100",
        "isp_isolate_on_weekends": True, "isp_isolate_at": 0, "isp_qris": QRIS,
    })
    env.ref("base.user_admin").write({"lang": "id_ID", "tz": "Asia/Jakarta"})
    env["isp.demo"].with_context(lang="id_ID")._fill(company.id)


def connect(env, meta, stack, fresh):
    """Simulated routers and WhatsApp behind what the demo data only wrote down; returns the routers by name.

    In a database that was kept, a router with another address is a person's and stays as it is."""
    simulators = {}
    routers = env["isp.router"].search([] if fresh else [("host", "=", LOOPBACK)])
    for router in routers:
        simulator = simulators[router.name] = stack.enter_context(SimulatedRouter(identity=router.name))
        host, port = simulator.address.rsplit(":", 1)
        router.write({
            "host": host, "port": int(port), "username": simulator.username, "password": simulator.password,
            "timeout_seconds": 3, "state": "unknown", "last_error": False, "last_error_code": False,
            # Another machine with each start, with another serial number.
            "machine_since": False, "serial": False,
        })
    # Only a router's own answer says that it agrees.
    lines = env["isp.subscription"].search([("router_id", "in", routers.ids)])
    lines.write({"observed_access": "unknown", "observed_at": False})
    lines.filtered(lambda line: line.state in ("active", "paused"))._isp_router_changed()
    channel = {
        "name": "Layanan pelanggan", "phone_number_id": meta.phone_number_id, "base_url": meta.base_url,
        "access_token": meta.access_token, "app_secret": meta.app_secret, "verify_token": "demo",
    }
    channels = env["isp.channel"].search([], limit=1)
    channels.write(channel) if channels else channels.create(channel)
    return simulators


def take_payments(env, gateway):
    """A simulated gateway and the own QRIS code on Odoo's payment page."""
    providers, company, settings = env["payment.provider"], company_of(env), gateway.settings
    gateway_provider = providers.search([("code", "=", "isp_midtrans"), ("company_id", "=", company.id)], limit=1)
    gateway_provider.write({"isp_key": settings.key, "isp_base_url": settings.base_url})
    for provider in gateway_provider | providers.search([("code", "=", "isp_qris"), ("company_id", "=", company.id)], limit=1):
        # The simulator is a gateway's sandbox.
        provider.write({"state": "test" if provider == gateway_provider else "enabled", "is_published": True})


def live(env):
    """What the crons do today."""
    env["isp.router"]._cron_isp_sync()
    env["isp.subscription"]._cron_isp_isolation()
    env["isp.router"]._cron_isp_sync()
    env["isp.notification"]._cron_isp_reminders()
    env["isp.notification"]._cron_isp_send()


def report(env, simulators, meta):
    """Say what there is; returns the lines that differ from their routers, how many are isolated, and how many have an account."""
    env.invalidate_all()
    lines = env["isp.subscription"].search([("state", "in", ("active", "paused"))])
    on_routers = lines.filtered("router_id")
    isolated = lines.filtered(lambda line: line.desired_access == "isolated")
    differ = on_routers.filtered(lambda line: not line.access_agrees)
    print("%s customers, %s lines, %s of them isolated; %s accounts on %s simulated routers; %s invoices; %s messages" % (
        len(env["isp.customer"].search([])), len(lines), len(isolated),
        sum(len(simulator.secrets()) for simulator in simulators.values()), len(simulators),
        env["account.move"].search_count([("move_type", "=", "out_invoice"), ("state", "=", "posted")]), len(meta.messages()),
    ))
    for line in differ:
        print("its router does not agree on %s: %s" % (line.display_name, line.last_router_answer or "no answer yet"))
    if lines - on_routers:
        print("without a router: %s" % ", ".join((lines - on_routers).mapped("display_name")))
    return differ, len(isolated), len(on_routers)


def serve(conf, port, task, reads):
    url = "http://127.0.0.1:%s" % port
    server = subprocess.Popen([
        sys.executable, os.path.join(os.environ["ODOO_SRC"], "odoo-bin"), "-c", conf, "--http-port", port,
        "--max-cron-threads", "1", "--log-level", "warn", "--log-handler", "py.warnings:ERROR",
    ])
    try:
        for _ in range(120):
            if server.poll() is not None:
                sys.exit("error: Odoo did not start")
            try:
                with urllib.request.urlopen(url + "/web/login", timeout=20) as answer:
                    assert answer.status == 200
                break
            except OSError:
                time.sleep(1)
        else:
            sys.exit("error: Odoo does not answer")
        print("\n  open %s/web   user admin   password admin   database isp" % url)
        print("  admin reads %s; another language: the user's name at the top right, Preferences, Language" % reads)
        print("\n  Ctrl-C stops it%s." % ("" if os.environ.get("KEEP") else "; nothing is kept"), flush=True)
        if task == "pictures":
            take_pictures(url)
        elif not task:
            until_the_end(server)
    except KeyboardInterrupt:
        print()
    finally:
        try:
            # A signal to all of us told the server, too; a second one would cut it short.
            server.wait(timeout=0 if task else 5)
        except subprocess.TimeoutExpired:
            server.terminate()
        server.wait()


def until_the_end(server):
    """Wait for the server, or for the end of who started all of this and can pass on no signal any more."""
    owners = [int(owner) for owner in os.environ.get("ISP_DEMO_OWNERS", "").split()]
    while all(map(lives, owners)):
        try:
            server.wait(timeout=1)
            return
        except subprocess.TimeoutExpired:
            pass


def lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def take_pictures(url):
    from pictures import take

    with tempfile.TemporaryDirectory() as directory:
        pictures = os.environ.get("ISP_ODOO_PICTURES") or sys.exit("error: ISP_ODOO_PICTURES must name a directory")
        os.makedirs(pictures, exist_ok=True)
        print("%s pictures in %s; no error on the console" % (take(url, directory, pictures), pictures))


if __name__ == "__main__":
    main(*sys.argv[1:4])
