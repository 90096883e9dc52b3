"""Checks over HTTP: how many a second one core of the server answers, and how long one waits at half of that.

    python benchmarks/serve.py [--seconds N] [--clients N] [--workers N] [--wrk N] [--memory]
        [--beside ADDRESS BODY PID]

Clients are processes that keep their connection and send a claim of six codes as soon as they have the answer to the
one before. They share the machine with the server: on two cores the figures are a lower bound. What a check costs
beyond HTTP itself is the ratio to /healthz in the same run, and the processor time of the server for each. With
--beside, another server on this machine, which is running already, gets the file BODY at its ADDRESS, such as
http://127.0.0.1:8000/api/v1/validate, in the same run; PID is its process.

--wrk N has wrk, where it is installed, keep N connections busy from one thread, which costs the machine less than
clients in Python. --memory adds up what all processes of the server hold after some thousand checks each.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

CLAIM = {
    "id": "A1",
    "codes": ["I11.0", "I50.22", "E11.22", "N18.4", "Z79.4", "M62.81"],
    "age": 78,
    "sex": "F",
    "service_date": "2026-05-01",
}


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """Return a request as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def ask(connection: socket.socket, sent: bytes) -> None:
    """Send a request and read its answer."""
    connection.sendall(sent)
    got = connection.recv(65_536)
    while b"\r\n\r\n" not in got:
        got += connection.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    found = re.search(rb"content-length: (\d+)", head)
    assert found is not None
    left = int(found[1]) - len(body)
    while left > 0:
        left -= len(connection.recv(65_536))


def client(port: int, sent: bytes, seconds: float, pause: float, out: multiprocessing.SimpleQueue[list[float]]) -> None:
    """Ask for some seconds, `pause` seconds from one request to the next at least; put how long each took."""
    times = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ends = time.perf_counter() + seconds
        due = time.perf_counter()
        while (now := time.perf_counter()) < ends:
            if pause:
                if now < due:
                    time.sleep(due - now)
                now = due = max(due, now - 1)
                due += pause
            ask(connection, sent)
            times.append(time.perf_counter() - now)
    out.put(times)


def load(port: int, sent: bytes, clients: int, seconds: float, rate: float = 0) -> list[float]:
    """Return how long each request took, sorted; `rate` is how many a second all clients send, 0 for all they can."""
    out: multiprocessing.SimpleQueue[list[float]] = multiprocessing.SimpleQueue()
    pause = clients / rate if rate else 0
    processes = [multiprocessing.Process(target=client, args=(port, sent, seconds, pause, out)) for _ in range(clients)]
    for one in processes:
        one.start()
    times = [taken for _ in processes for taken in out.get()]
    for one in processes:
        one.join()
    return sorted(times)


def used(pid: int) -> float:
    """Return the processor time of a process and of those that it started, in seconds."""
    ticks = 0
    for one in (str(pid), *_children(pid)):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def measure(port: int, pid: int, clients: int, seconds: float) -> None:
    """Print rates, waits and processor time."""
    check, health = request("POST", "/v1/check", json.dumps(CLAIM).encode()), request("GET", "/healthz")
    load(port, check, 1, 1)
    rates = {}
    for name, sent in (("/healthz", health), ("/v1/check", check)):
        before = used(pid)
        times = load(port, sent, clients, seconds)
        rates[name] = len(times) / seconds
        cost = (used(pid) - before) / len(times) * 1e6
        print(
            f"{name:<10} {rates[name]:>8,.0f} a second, {clients} clients; server {cost:,.0f} µs of processor time each"
        )
    print(f"a check is answered {rates['/v1/check'] / rates['/healthz']:.2f} times as often as /healthz")
    half = load(port, check, clients, seconds, rates["/v1/check"] / 2)
    points = {point: half[min(len(half) - 1, int(len(half) * point))] * 1e3 for point in (0.5, 0.99, 0.999)}
    told = ", ".join(f"p{str(point)[2:].ljust(2, '0')} {value:.2f} ms" for point, value in points.items())
    print(f"half load  {len(half) / seconds:>8,.0f} a second: {told}")


def beside(address: str, body: Path, pid: int, clients: int, seconds: float) -> None:
    """Print the rate and the processor time of another server."""
    parts = urlsplit(address)
    sent = request("POST", parts.path, body.read_bytes())
    before = used(pid)
    times = load(parts.port or 80, sent, clients, seconds)
    cost = (used(pid) - before) / len(times) * 1e6
    print(f"{address}: {len(times) / seconds:,.0f} a second, {cost:,.0f} µs of processor time each")


def with_wrk(address: str, body: Path, connections: int, seconds: float) -> None:
    """Print how many requests a second wrk gets answered over so many connections, and how long they took."""
    wrk = shutil.which("wrk")
    if wrk is None:
        print("wrk is not installed; --wrk measures nothing")
        return
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(
            'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
            f"local file = io.open({json.dumps(str(body))})\nwrk.body = file:read('*a')\nfile:close()\n"
        )
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency", "-s", str(script), address]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s*([\d.]+)", told)
    waits = dict(re.findall(r"^\s+(50|99)%\s+(\S+)", told, re.MULTILINE))
    assert rate is not None, told
    failed = " ".join(re.findall(r"Non-2xx.*|Socket errors.*", told))
    print(
        f"{address}: {float(rate[1]):,.0f} a second over {connections} connections (wrk); "
        f"p50 {waits.get('50')}, p99 {waits.get('99')}{'; ' + failed if failed else ''}"
    )


def memory(pid: int) -> None:
    """Print what a server and its workers hold: each page once (PSS), a process's own, and each process alone (RSS)."""
    children = _children(pid)
    held = [_held(one) for one in (str(pid), *children)]
    proportional, own, alone = (sum(one[name] for one in held) / 1024 for name in ("Pss", "Private", "Rss"))
    print(
        f"{len(children) or 1} workers: {proportional:,.0f} MB together (PSS), "
        f"{own / len(held):,.1f} MB a process's own, {alone / len(held):,.0f} MB resident each"
    )


def _held(pid: str) -> dict[str, int]:
    """Return the memory of a process in KiB: Pss, Rss, and Private, which nobody shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    values = {name.rstrip(":"): int(rest[0]) for name, *rest in map(str.split, lines) if rest and rest[0].isdigit()}
    return {**values, "Private": values["Private_Clean"] + values["Private_Dirty"]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Start a server and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--wrk", type=int, default=0, metavar="CONNECTIONS")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--beside", nargs=3, metavar=("ADDRESS", "BODY", "PID"))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryFile("w+") as log, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "weakcode", "serve", "--port", "0", "--workers", str(options.workers)]
        server = subprocess.Popen(command, stderr=log)
        try:
            port = None
            while port is None:
                time.sleep(0.1)
                log.seek(0)
                found = re.search(r":(\d+); ready", log.read())
                port = int(found[1]) if found else None
                assert server.poll() is None, "the server ended"
            measure(port, server.pid, options.clients, options.seconds)
            if options.beside:
                address, body, pid = options.beside
                beside(address, Path(body), int(pid), options.clients, options.seconds)
            if options.wrk:
                claim = Path(folder) / "claim.json"
                claim.write_text(json.dumps(CLAIM))
                with_wrk(f"http://127.0.0.1:{port}/v1/check", claim, options.wrk, options.seconds)
                if options.beside:
                    with_wrk(options.beside[0], Path(options.beside[1]), options.wrk, options.seconds)
            if options.memory:
                memory(server.pid)
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main()
