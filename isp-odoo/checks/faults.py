"""Billing with real processes: a worker killed in the middle, two crons at once beside a user who posts invoices; two
companies.

usage: faults.py CONF            (scripts/odoo_test runs it on a database of its own)

Exits 0 when, after each fault and another run, every subscription has exactly one posted invoice per period and the
numbers of the journal have neither a hole nor a double.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date

from boot import company_of, environment, subscriptions

COUNT, SECOND = 120, 40
BATCH = 10
MOMENTS = {1: "2026-01-05 03:00:00", 2: "2026-02-05 03:00:00", 3: "2026-03-05 03:00:00", 4: "2026-04-05 03:00:00"}


def main(conf):
    with environment(conf) as env:
        subscriptions(env, COUNT, date(2026, 1, 5))
        # Billed after the main company: the order is by name.
        second = env["res.company"].create({
            "name": "Penyedia kedua", "country_id": env.ref("base.id").id, "currency_id": env.ref("base.IDR").id,
        })
        subscriptions(env, SECOND, date(2026, 1, 5), second)
        env.cr.commit()
    for month, at in ((1, 15), (2, 63)):
        killed_at = kill_in_the_middle(conf, month, at)
        check(conf, month, complete=False)
        assert run("bill", conf, month).wait() == 0
        check(conf, month)
        print("killed with %s of %s invoices committed, and all are there once after another run" % (killed_at, COUNT))
    both = [run("bill", conf, 3), run("bill", conf, 3)]
    assert [process.wait() for process in both] == [0, 0]
    check(conf, 3)
    print("two crons at once: %s invoices of two companies, each once" % (COUNT + SECOND))
    processes = [run("bill", conf, 4), run("user", conf, 4), run("bill", conf, 4)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    # On a busy machine a batch may meet the user five times in a row: it is left to the next run.
    assert run("bill", conf, 4).wait() == 0
    check(conf, 4)
    print("two crons beside a user who posts invoices: each once, numbers without holes")


def run(what, conf, month, *more):
    return subprocess.Popen([sys.executable, os.path.abspath(__file__), conf, what, str(month), *map(str, more)])


def kill_in_the_middle(conf, month, at):
    """Kill -9 a run within the batch after ``at`` invoices of the month are committed; return how many there were then.

    The run stops itself there, however slow the machine is, and is killed while it stands still.
    """
    process = run("bill", conf, month, at)
    _pid, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "the run ended before it was killed"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with environment(conf) as env:
        return env["account.move"].search_count([("isp_period_start", "=", day(month))])


def day(month):
    return date(2026, month, 5)


def check(conf, month, complete=True):
    with environment(conf) as env:
        moves = env["account.move"].search([("isp_subscription_id", "!=", False)])
        periods = Counter((move.isp_subscription_id.id, move.isp_period_start) for move in moves)
        assert set(periods.values()) <= {1}, "a period was billed twice"
        assert set(moves.mapped("state")) == {"posted"}, "an invoice is not posted"
        assert all(move.amount_total == 277_500 for move in moves), "an invoice is not whole"
        company = company_of(env)
        others = moves.filtered(lambda m: m.company_id != company)
        moves -= others
        of_month = moves.filtered(lambda m: m.isp_period_start == day(month))
        if not complete:
            assert 0 < len(of_month) < COUNT, "the run was killed too late: %s" % len(of_month)
            assert not len(of_month) % BATCH, "a batch was committed in part"
            return
        for own, count in ((moves, COUNT), (others, SECOND)):
            assert len(own) == count * month, "%s invoices of %s" % (len(own), count * month)
            assert len(own.journal_id) == 1 and own.journal_id.company_id == own.company_id
            everything = env["account.move"].search([("journal_id", "=", own.journal_id.id), ("state", "=", "posted")])
            numbers = sorted(everything.mapped("sequence_number"))
            assert numbers == list(range(1, len(numbers) + 1)), "the numbers have a hole or a double"
        assert not env["isp.subscription"].search_count([("billing_error", "!=", False)])


def bill(conf, month, stop_at=None):
    """What the cron worker does, in small batches so that there is a middle."""
    with environment(conf, isp_now=MOMENTS[month]) as env:
        sys.modules["odoo.addons.isp_management.models.isp_billing_run"].BATCH = BATCH
        if stop_at:
            stop_after(env, month, stop_at)
        env["isp.billing_run"]._cron_bill()
        env.cr.commit()


def stop_after(env, month, stop_at):
    """Stand still some statements after the commit that brings so many invoices."""
    cursor, left = type(env.cr), None
    commit, execute = cursor.commit, cursor.execute

    def counted(self):
        nonlocal left
        commit(self)
        if left is None:
            execute(self, "SELECT count(*) FROM account_move WHERE isp_period_start = %s", [day(month)])
            if self.fetchone()[0] >= stop_at:
                left = random.randrange(30)

    def stopping(self, *args, **kwargs):
        nonlocal left
        if left is not None:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGSTOP)
        return execute(self, *args, **kwargs)

    cursor.commit, cursor.execute = counted, stopping


def user(conf, month):
    """Somebody who enters invoices in the same journal meanwhile; collisions are tried again, as Odoo's server does."""
    with environment(conf) as env:
        partner = env["res.partner"].create({"name": "Pembeli"})
        env.cr.commit()

        def invoice():
            move = env["account.move"].create({
                "move_type": "out_invoice", "partner_id": partner.id, "invoice_date": day(month),
                "invoice_line_ids": [(0, 0, {"name": "Kabel", "price_unit": 50_000})],
            })
            move.action_post()

        import odoo.service.model
        from psycopg2 import OperationalError

        left = 15
        while left:
            try:
                odoo.service.model.retrying(invoice, env)
                env.cr.commit()
                left -= 1
            except OperationalError:
                # On a busy machine somebody meets the billing five times in a row, and presses the button again.
                env.cr.rollback()
            time.sleep(0.05)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        {"bill": bill, "user": user}[sys.argv[2]](sys.argv[1], *map(int, sys.argv[3:]))
