"""A running Odoo with an invented provider that has lived four months, and simulated routers and WhatsApp behind it.

usage: demo.py CONF PORT [check|pictures]        scripts/odoo_demo calls it

Everything happens through the addon: its billing, its isolation, its routers over real sockets. With ``check`` it stops
once Odoo has answered, and fails unless the routers hold what Odoo wants; with ``pictures`` it leaves pictures of the screens first.
"""

import os
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


def main(conf, port, task=None):
    with ExitStack() as stack:
        meta = stack.enter_context(SimulatedWhatsApp(sender=True))
        with environment(conf) as env:
            # A database that was kept has the provider already.
            if not env["isp.customer"].with_context(active_test=False).search_count([], limit=1):
                build(env)
            simulators = connect(env, meta, stack)
            if task == "pictures":
                take_payments(env, stack.enter_context(SimulatedGateway("midtrans")))
            env.cr.commit()
            live(env)
            env.cr.commit()
            report(env, simulators, meta)
        serve(conf, port, task)


def build(env):
    """The provider of demo/, as the addon's own demo data makes it, in the main company."""
    company = company_of(env)
    company.write({
        "name": "Sinar Priangan Net", "street": "Jl. Contoh 1", "city": "Bandung", "phone": "022-5550100",
        "isp_isolate_on_weekends": True, "isp_isolate_at": 0, "isp_qris": QRIS,
    })
    env.ref("base.user_admin").write({"lang": "id_ID", "tz": "Asia/Jakarta"})
    env["isp.demo"].with_context(lang="id_ID")._fill(company.id)


def connect(env, meta, stack):
    """Simulated routers and WhatsApp behind what the demo data only wrote down; returns the routers by name."""
    simulators = {}
    for router in env["isp.router"].search([]):
        simulator = simulators[router.name] = stack.enter_context(SimulatedRouter(identity=router.name))
        host, port = simulator.address.rsplit(":", 1)
        router.write({
            "host": host, "port": int(port), "username": simulator.username, "password": simulator.password,
            "timeout_seconds": 3, "state": "unknown", "last_error": False, "last_error_code": False,
        })
    # Only a router's own answer says that it agrees.
    lines = env["isp.subscription"].search([])
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
    env.invalidate_all()
    lines = env["isp.subscription"].search([("state", "=", "active")])
    isolated = lines.filtered(lambda line: line.desired_access == "isolated")
    differ = lines.filtered(lambda line: not line.access_agrees)
    on_routers = sum(len(simulator.secrets()) for simulator in simulators.values())
    print("%s customers, %s lines, %s of them isolated; %s accounts on %s simulated routers; %s invoices; %s messages" % (
        len(env["isp.customer"].search([])), len(lines), len(isolated), on_routers, len(simulators),
        env["account.move"].search_count([("move_type", "=", "out_invoice"), ("state", "=", "posted")]), len(meta.messages()),
    ))
    assert isolated, "nobody was isolated"
    assert not differ, "the routers do not agree on %s lines: %s" % (len(differ), differ[:1].last_router_answer)
    assert on_routers == len(lines), "%s accounts for %s lines" % (on_routers, len(lines))


def serve(conf, port, task):
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
        print("\n  open %s/web   user admin   password admin\n\n  Ctrl-C stops it%s." % (
            url, "" if os.environ.get("KEEP") else "; nothing is kept"), flush=True)
        if task == "pictures":
            take_pictures(url)
        elif not task:
            server.wait()
    except KeyboardInterrupt:
        print()
    finally:
        server.terminate()
        server.wait()


def take_pictures(url):
    from pictures import take

    with tempfile.TemporaryDirectory() as directory:
        pictures = os.environ.get("ISP_ODOO_PICTURES") or sys.exit("error: ISP_ODOO_PICTURES must name a directory")
        os.makedirs(pictures, exist_ok=True)
        print("%s pictures in %s; no error on the console" % (take(url, directory, pictures), pictures))


if __name__ == "__main__":
    main(*sys.argv[1:4])
