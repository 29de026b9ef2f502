"""A running Odoo with an invented provider that has lived three months, and simulated routers and WhatsApp behind it.

usage: demo.py CONF PORT [check]        scripts/odoo_demo calls it

Everything happens through the addon: its billing, its isolation, its routers over real sockets. With ``check`` it stops
once Odoo has answered, and fails unless the routers hold what Odoo wants.
"""

import os
import random
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta

from boot import company_of, environment
from dateutil.relativedelta import relativedelta
from isp_engine.testing import SimulatedRouter, SimulatedWhatsApp

CUSTOMERS = 60
PACKAGES = [("R10", "Rumah 10 Mbps", 150_000, 10), ("R20", "Rumah 20 Mbps", 250_000, 20), ("R50", "Rumah 50 Mbps", 400_000, 50),
            ("U100", "Usaha 100 Mbps", 950_000, 100)]
TOWERS = ["Sukamaju", "Cibiru", "Lembang"]
FIRST = ["Siti", "Budi", "Dewi", "Agus", "Rina", "Joko", "Sri", "Eko", "Wati", "Hendra", "Nur", "Yanto", "Ani", "Dedi", "Lina"]
LAST = ["Rahayu", "Santoso", "Lestari", "Wijaya", "Hidayat", "Susanti", "Pratama", "Kurniawan", "Handayani", "Setiawan"]
STREETS = ["Jl. Melati", "Jl. Kenanga", "Jl. Merdeka", "Gg. Mawar", "Jl. Cempaka", "Jl. Pahlawan"]
EXPENSES = [("BW", "Bandwidth", 4_500_000), ("GAJI", "Gaji", 6_000_000), ("LISTRIK", "Listrik menara", 850_000)]


def main(conf, port, check=False):
    # The same provider each time.
    chance = random.Random(17)
    with SimulatedWhatsApp() as meta:
        simulators = {name: SimulatedRouter(identity=name) for name in TOWERS}
        try:
            with environment(conf) as env:
                build(env, simulators, meta, chance)
                live(env, chance)
                env.cr.commit()
                report(env, simulators, meta)
            serve(conf, port, check)
        finally:
            for simulator in simulators.values():
                simulator.close()


def build(env, simulators, meta, chance):
    company = company_of(env)
    company.write({"name": "Nusantara Net", "isp_overdue_days": "3", "isp_isolate_on_weekends": True, "isp_isolate_at": 0})
    env.ref("base.user_admin").write({"lang": "id_ID", "tz": "Asia/Jakarta"})
    env["isp.channel"].create({
        "name": "Layanan pelanggan", "phone_number_id": meta.phone_number_id, "base_url": meta.base_url,
        "access_token": meta.access_token, "app_secret": meta.app_secret, "verify_token": "demo",
    })
    routers = []
    for name, simulator in simulators.items():
        host, port = simulator.address.rsplit(":", 1)
        routers.append(env["isp.router"].create({
            "name": name, "location": "Menara " + name, "host": host, "port": int(port), "username": simulator.username,
            "password": simulator.password, "timeout_seconds": 3,
        }))
    packages = [
        env["isp.package"].create({
            "code": code, "name": name, "price": price, "speed_down": 1000 * speed, "speed_up": 500 * speed, "user_group": code,
        })
        for code, name, price, speed in PACKAGES
    ]
    kind = env["isp.installation_kind"].create({"name": "Pasang baru wireless", "code": "WL", "price": 500_000})
    today = company._isp_today()
    for number in range(CUSTOMERS):
        name = "%s %s" % (chance.choice(FIRST), chance.choice(LAST))
        customer = env["isp.customer"].create({
            "name": name, "mobile": "0812-5500-%04d" % number, "city": "Bandung",
            "street": "%s No. %s" % (chance.choice(STREETS), chance.randint(1, 90)),
            "nik": "327301%02d%02d%02d%04d" % (chance.randint(1, 28), chance.randint(1, 12), chance.randint(60, 99), number + 1),
        })
        start = today - timedelta(days=chance.randint(20, 95))
        line = env["isp.subscription"].create({
            "customer_id": customer.id, "package_id": chance.choice(packages).id, "router_id": routers[number % 3].id,
            "ppp_username": "%s%03d" % (name.split()[0].lower(), number), "ppp_password": "demo-%04d" % number,
            "activation_date": start, "cycle": "quarterly" if number % 9 == 8 else "monthly",
        })
        line.action_activate()
        cpe = env["isp.cpe"].create({
            "customer_id": customer.id, "subscription_id": line.id, "outdoor_unit": "SXT Lite5", "serial": "HE%06d" % number,
            "router": "hAP lite", "ip_address": "10.20.%s.%s" % (number // 200, number % 200 + 10), "value": 650_000,
        })
        cpe.action_install()
        fee = env["isp.installation_fee"].create({
            "customer_id": customer.id, "subscription_id": line.id, "kind_id": kind.id, "date": start,
        })
        if number % 4:
            fee.action_invoice()
    for code, name, amount in EXPENSES:
        category = env["isp.expense_category"].create({"code": code, "name": name})
        for back in range(3):
            env["isp.expense"].create({
                "name": name, "category_id": category.id, "amount": amount, "date": today - relativedelta(months=back),
            }).action_post()
    env.cr.commit()


def live(env, chance):
    """Three months of billing and paying, then isolation, routers and messages of today."""
    company = company_of(env)
    careless = set(chance.sample(env["isp.customer"].search([]).ids, 9))
    for back in (2, 1, 0):
        moment = datetime.now() - relativedelta(months=back)
        env(context={"isp_now": moment.strftime("%Y-%m-%d %H:%M:%S")})["isp.billing_run"]._cron_bill()
    customers = {customer.partner_id.id: customer.id for customer in env["isp.customer"].search([])}
    for move in env["account.move"].search([("move_type", "=", "out_invoice"), ("state", "=", "posted")]):
        late = (company._isp_today() - move.invoice_date_due).days
        if late > -6 and (late > 40 or customers.get(move.partner_id.id) not in careless):
            paid_on = min(company._isp_today(), move.invoice_date_due - timedelta(days=chance.randint(-2, 6)))
            env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
                {"payment_date": max(paid_on, move.invoice_date)}
            )._create_payments()
    env.cr.commit()
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


def serve(conf, port, check):
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
        print("\n  open %s/web   user admin   password admin\n\n  Ctrl-C stops it; nothing is kept." % url, flush=True)
        if not check:
            server.wait()
    except KeyboardInterrupt:
        print()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], check=sys.argv[3:] == ["check"])
