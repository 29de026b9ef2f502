"""Odoo forks its workers after the import. Each test runs a process of its own."""

import subprocess
import sys
from pathlib import Path

USE = """
from datetime import date, datetime, timezone
import isp_engine as isp
NOW = datetime(2026, 3, 13, 3, tzinfo=timezone.utc)
D = date(2026, 1, 5)
def use():
    rows = [isp.Subscription(n, "P", D, 5, billed_from=D) for n in range(2000)]
    plan = isp.plan_billing(rows, [isp.Package("P", [isp.Price(D, 150_000)])], NOW)
    assert len(plan.invoices) == 6000 and plan.invoices[-1].total == 166_500
    bill = isp.OpenInvoice("A", D, D, 1000)
    assert isp.due_reminders([isp.DunningFacts(1, [bill])], NOW)[0].kind == "overdue"
    assert isp.decide_isolation([isp.AccessFacts(1, D, "open", [bill])], NOW)[0].action == "isolate"
    assert isp.allocate([isp.AllocationFacts(1, [bill], [isp.Credit(1, 1)])])[0].amount == 1
    assert isp.ppn([isp.Taxable(55_000, D, "inclusive")])[0].rounding == 1
    assert isp.parse_phone("081234567890").digits == "6281234567890"
    assert isp.parse_nik("3273014102900001").masked.startswith("3273*")
    try:
        isp.format_rupiah(0.5)
    except isp.InvalidValue as error:
        assert error.code == "value.type"
    else:
        raise AssertionError
"""

FORK = """
import os, signal, sys, threading
def child():
    signal.alarm(40)
    try:
        use()
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)
def fork_and_use(count):
    children = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            child()
        children.append(pid)
    use()
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    if any(ended):
        print("children ended with", ended, file=sys.stderr, flush=True)
        os._exit(1)
"""


# The simulators run in a process of their own, so that their sockets are not inherited.
SERVE = """
import sys
from isp_engine.testing import SimulatedRouter, SimulatedWhatsApp
with SimulatedRouter() as router, SimulatedWhatsApp() as meta:
    print(router.address, meta.base_url, meta.phone_number_id, meta.access_token, flush=True)
    sys.stdin.read()
    print(len(router.secrets()), len(meta.messages()), sum(meta.duplicates().values()), flush=True)
"""

NETWORK = """
from datetime import date
from isp_engine import routers, whatsapp
ROUTER, BASE, NUMBER, TOKEN = sys.argv[1:]
def use():
    me = os.getpid()
    account = routers.Account(me, f"db:{me}", f"user-{me}", "rahasia", "P", "20M/10M", "open")
    router = routers.Router(1, ROUTER, "api", "simulated", [account])
    (applied,) = routers.apply([router], deadline=30)
    assert applied.error is None and applied.accounts[0].access == "open", applied
    (status,) = routers.status([router], deadline=30)
    assert status.error is None and status.accounts >= 1, status
    note = whatsapp.Message(1, f"db:{me}:{use.count}", "081234567890", "Budi",
        whatsapp.Reopened("P", date(2026, 1, 1)))
    use.count += 1
    (sent,) = whatsapp.send(whatsapp.Channel(NUMBER, TOKEN, BASE), [note], deadline=30)
    assert sent.outcome == "accepted", sent
use.count = 0
"""


def run_network(script: str) -> list[int]:
    """Runs a script beside simulators; gives how many accounts and messages they hold, and messages sent twice."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as simulators:
        assert simulators.stdin is not None
        assert simulators.stdout is not None
        there = simulators.stdout.readline().split()
        run(FORK + NETWORK + script, *there)
        simulators.stdin.close()
        return [int(number) for number in simulators.stdout.readline().split()]


def run(script: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_children_use_what_the_parent_only_imported() -> None:
    run(USE + FORK + "fork_and_use(8)")


def test_children_use_what_the_parent_used() -> None:
    run(USE + FORK + "use(); fork_and_use(8); fork_and_use(2)")


def test_children_forked_in_the_middle_of_a_first_call_of_another_thread() -> None:
    # The first calls of the threads and the first fork come at once: a lock that a first call held without the
    # interpreter made such children wait for ever, in one run of eight.
    run(
        USE
        + FORK
        + """
stop = threading.Event()
def busy():
    while not stop.is_set():
        use()
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(5):
    fork_and_use(4)
stop.set()
for thread in threads:
    thread.join()
"""
    )


def test_children_forked_in_the_middle_of_the_first_decision() -> None:
    # The decision reads the public holidays. When it read them at the first call, without the interpreter, one process
    # in sixty had a child that waited for them for ever.
    for _ in range(30):
        run(
            USE
            + """
import os, signal, threading
facts = [isp.AccessFacts(1, D, "open", [isp.OpenInvoice("A", D, D, 1000)])]
start = threading.Barrier(5)
def first():
    start.wait()
    isp.decide_isolation(facts, NOW)
threads = [threading.Thread(target=first) for _ in range(4)]
for thread in threads:
    thread.start()
start.wait()
children = []
for _ in range(6):
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        isp.decide_isolation(facts, NOW)
        os._exit(0)
    children.append(pid)
ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
assert not any(ended), ended
"""
        )


def test_the_import_builds_nothing() -> None:
    if not Path("/proc/self/task").exists():
        raise AssertionError("this test reads /proc, which every Linux has")
    run(
        """
import os
def held():
    return len(os.listdir("/proc/self/task")), sorted(os.listdir("/proc/self/fd"))
import datetime, decimal, typing, collections.abc
before = held()
import isp_engine
assert held() == before, (held(), before)
"""
    )


def test_children_use_the_network_that_the_parent_only_imported() -> None:
    assert run_network("fork_and_use(6)") == [7, 7, 0]


def test_children_use_the_network_that_the_parent_used() -> None:
    assert run_network("use(); fork_and_use(6); fork_and_use(2)") == [9, 11, 0]


def test_children_forked_while_another_thread_uses_the_network() -> None:
    accounts, messages, twice = run_network(
        """
stop = threading.Event()
def busy():
    while not stop.is_set():
        routers.status([routers.Router(1, ROUTER, "api", "simulated")], deadline=30)
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(5):
    fork_and_use(3)
stop.set()
for thread in threads:
    thread.join()
"""
    )
    assert (accounts, messages, twice) == (16, 20, 0)


def test_a_simulator_belongs_to_the_process_that_started_it() -> None:
    run(
        """
import os, signal
import isp_engine
from isp_engine.testing import SimulatedRouter
simulated = SimulatedRouter()
pid = os.fork()
if pid == 0:
    signal.alarm(20)
    try:
        simulated.secrets()
    except isp_engine.IspError as error:
        del simulated
        os._exit(0 if error.code == "simulator.other_process" else 2)
    os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert simulated.secrets() == []
simulated.close()
"""
    )
