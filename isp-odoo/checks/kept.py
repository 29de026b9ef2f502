"""A demo that was kept starts again after a person worked with it, however it was ended.

usage: kept.py SCRIPT DIRECTORY        scripts/odoo_kept calls it

Three starts of ``scripts/odoo_demo`` with one KEEP. Between the first two a customer with a line that has no router is put to work and
another line is paused, by XML-RPC. The first is ended by SIGTERM to the script, the second by SIGHUP, and of the third the script is
killed, so that nobody passes on a signal. Each time everything that was started has to end, and the database has to be kept.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client

SECONDS = 900


class Demo:
    def __init__(self, script, directory, number):
        self.said = os.path.join(directory, "said-%s" % number)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        environment = {**os.environ, "KEEP": os.path.join(directory, "kept"), "ISP_DEMO_PORT": str(port)}
        environment.pop("ISP_TEST_PG", None)
        with open(self.said, "wb") as out:
            self.script = subprocess.Popen([script], stdout=out, stderr=out, env=environment, start_new_session=True, preexec_fn=hears_all)
        self.url = self.waits_for(r"open (http://\S+)/web").group(1)
        self.processes = started_by(self.script.pid)
        assert len(self.processes) > 3, "hardly anything was started: %s" % self.processes

    def text(self):
        with open(self.said, encoding="utf-8", errors="replace") as file:
            return file.read()

    def waits_for(self, pattern):
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            found = re.search(pattern, self.text())
            if found:
                return found
            if self.script.poll() is not None:
                break
            time.sleep(1)
        sys.exit("error: the demo did not say %r\n%s" % (pattern, self.text()[-4000:]))

    def ends_by(self, number, kept=True):
        self.script.send_signal(number)
        code = self.script.wait(timeout=SECONDS)
        until = time.monotonic() + SECONDS
        while True:
            left = [pid for pid in self.processes if os.path.exists("/proc/%s" % pid)]
            if not left:
                break
            assert time.monotonic() < until, "%s left these processes: %s" % (signal.Signals(number).name, left)
            time.sleep(1)
        assert not kept or (code == 0 and "kept in" in self.text()), "ended with %s\n%s" % (code, self.text()[-4000:])

    def call(self, model, method, *arguments, **options):
        return xmlrpc.client.ServerProxy(self.url + "/xmlrpc/2/object").execute_kw("isp", 2, "admin", model, method, arguments, options)


def hears_all():
    """Whoever started this check with nohup had it ignore SIGHUP, and what it starts would, too."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def started_by(pid):
    """What a process started, with all that these started."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as file:
                children.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(name))
        except OSError:
            pass  # it ended just now
    found = list(children.get(pid, []))
    for one in found:
        found.extend(children.get(one, []))
    return found


def works(demo):
    """What a person did meanwhile: a line without a router, and a pause."""
    sold = demo.call("isp.subscription", "search_read", [("state", "=", "active")], ["package_id"], limit=1)[0]
    line, package = sold["id"], sold["package_id"][0]
    customer = demo.call("isp.customer", "create", [{"name": "Tanpa Router", "mobile": "081200000001"}])[0]
    without = demo.call("isp.subscription", "create", [{"customer_id": customer, "package_id": package}])
    demo.call("isp.subscription", "action_activate", without)
    demo.call("isp.subscription", "action_pause", [line])
    return {without[0]: "active", line: "paused"}


def found(demo, lines):
    return {line["id"]: line["state"] for line in demo.call("isp.subscription", "read", list(lines), ["state"])}


def main(script, directory):
    first = Demo(script, directory, 1)
    lines = works(first)
    first.ends_by(signal.SIGTERM)
    second = Demo(script, directory, 2)
    assert "going on with what is kept" in second.text() and "without a router: " in second.text(), second.text()
    assert found(second, lines) == lines, found(second, lines)
    second.ends_by(signal.SIGHUP)
    third = Demo(script, directory, 3)
    paused = next(line for line, state in lines.items() if state == "paused")
    third.call("isp.subscription", "action_resume", [paused])
    third.ends_by(signal.SIGKILL, kept=False)
    assert os.path.isdir(os.path.join(directory, "kept", "next")), "the database was not kept"
    print("a demo was kept, and started again, after SIGTERM and SIGHUP, and was kept after SIGKILL")


if __name__ == "__main__":
    main(*sys.argv[1:3])
