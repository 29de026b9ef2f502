#!/usr/bin/env python3
"""Other clients beside ours, against one loopback server, in one run: benches/peers/run.py

mikrotik-rs is built by cargo, as a program of its own, from the registry that cargo is set up with. librouteros and RouterOS-api
are measured when this Python has them; `python3 -m pip install librouteros RouterOS-api` gets them from where pip is set up
to look. Prints medians and ratios: figures of one machine mean little.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 5


def build():
    cargo = ["cargo", "bench", "-p", "isp-mikrotik", "--bench", "wire", "--no-run", "--message-format=json"]
    lines = subprocess.run(cargo, cwd=HERE.parents[1], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    ours = [m["executable"] for m in map(json.loads, lines) if m.get("target", {}).get("name") == "wire"]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")) / "peers"
    subprocess.run(["cargo", "build", "--release", "--target-dir", target], cwd=HERE, check=True)
    return ours[-1], str(target / "release" / "peer-mikrotik-rs")


def arguments(number):
    return {
        "name": f"081234{number:06}",
        "password": "rahasia123",
        "service": "pppoe",
        "profile": "10M",
        "comment": "isp:4f1a09c2be77",
    }


def librouteros(host, port, count):
    from librouteros import connect

    api = connect(host=host, port=port, username="api", password="x")
    path = api.path("ppp", "secret")
    started = time.perf_counter()
    for number in range(count):
        tuple(path("add", **arguments(number)))
    return count / (time.perf_counter() - started)


def routeros_api(host, port, count):
    import routeros_api as module

    pool = module.RouterOsApiPool(host, username="api", password="x", port=port, plaintext_login=True)
    menu = pool.get_api().get_binary_resource("/ppp/secret")
    started = time.perf_counter()
    for number in range(count):
        menu.call("add", {key: value.encode() for key, value in arguments(number).items()})
    return count / (time.perf_counter() - started)


def program(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return float(done.stdout)


def main():
    wire, rust_peer = build()
    server = subprocess.Popen([wire, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip()
        host, port = address.split(":")
        runs = {}
        # On one thread; as a task on many threads; as the main function of a runtime of many threads.
        for work, window, count in (("window 16", 16, 100_000), ("sequential", 1, 10_000)):
            for runtime in ("single", "threads", "main"):
                ours = (wire, "--client", address, window, count, runtime)
                theirs = (rust_peer, address, window, count, runtime)
                runs[f"isp-mikrotik, {work}, {runtime}"] = lambda ours=ours: program(*ours)
                runs[f"mikrotik-rs, {work}, {runtime}"] = lambda theirs=theirs: program(*theirs)
        for name, run, count in (("librouteros", librouteros, 3_000), ("RouterOS-api", routeros_api, 40)):
            try:
                __import__(run.__name__)
            except ImportError:
                print(f"{name}: not installed, left out", file=sys.stderr)
                continue
            runs[f"{name}, sequential, single"] = lambda run=run, count=count: run(host, int(port), count)
        rounds = [{name: run() for name, run in runs.items()} for _ in range(ROUNDS)]
    finally:
        server.kill()
        server.wait()
    print(f"{'':<38}{'commands/s':>12}{'ours / it':>12}   (medians of {ROUNDS} rounds)")
    for name in runs:
        # The same work on the same kind of runtime.
        ours = name.replace(name.split(",")[0], "isp-mikrotik", 1)
        ratio = statistics.median(round_[ours] / round_[name] for round_ in rounds)
        print(f"{name:<38}{statistics.median(round_[name] for round_ in rounds):>12,.0f}{ratio:>12.1f}")


if __name__ == "__main__":
    main()
