#!/usr/bin/env python3
"""Loads a running `banyan serve` from outside: how much it answers, how fast at half load, and what it does at twice its load.

    python3 Tools/reliability/service.py --run runs/x --picture a.jpg [--seconds 30] [--overload 600]

Starts the service itself on a free port, on this machine alone, and stops it at the end. Prints a table and, with --json, a record.
"""

import argparse
import asyncio
import json
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Service:
    def __init__(self, options):
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        words = [options.banyan, "serve", "--run", options.run, "--listen", "127.0.0.1:0", "--log-format", "json", "--latency", options.latency]
        words += ["--batch", options.batch, "--log-level", "notice" if options.quiet_log else "info"] + (["--threads", options.threads] if options.threads else [])
        self.process = subprocess.Popen([str(word) for word in words], stderr=self.log, stdout=subprocess.DEVNULL)
        self.port = self.wait(r"on http://127\.0\.0\.1:(\d+)")
        self.pace = float(self.wait(r'"picturesPerSecond":"([0-9.]+)"'))

    def wait(self, pattern):
        for _ in range(1200):
            found = re.search(pattern, pathlib.Path(self.log.name).read_text())
            if found:
                return found.group(1)
            if self.process.poll() is not None:
                raise SystemExit(pathlib.Path(self.log.name).read_text())
            time.sleep(0.1)
        raise SystemExit("the service does not start")

    def memory(self):
        """Resident memory in MiB."""
        pages = int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * 4096 / 2**20

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            return float(re.search(rf"(?m)^{name} (\S+)$", answer.read().decode()).group(1))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)


def request(picture, path="/classify?top=1"):
    body = picture.read_bytes()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def answer(reader):
    """The status of the next answer on a connection, and when to come again; its body is read and dropped."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
    await reader.readexactly(length)
    again = re.search(rb"(?i)retry-after: (\d+)", head)
    return status, int(again.group(1)) if again else 0


async def closed(service, message, connections, seconds):
    """As many clients as that, each asking again as soon as it is answered, or when it was told to: answers a second."""
    done = 0
    end = time.monotonic() + seconds

    async def client():
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        while time.monotonic() < end:
            writer.write(message)
            await writer.drain()
            status, again = await answer(reader)
            done += status == 200
            await asyncio.sleep(again)
        writer.close()

    start = time.monotonic()
    await asyncio.gather(*[client() for _ in range(connections)])
    return done / (time.monotonic() - start)


async def opened(service, message, rate, seconds, disturb=False):
    """Requests at random moments, `rate` a second, whatever becomes of the others: what came back, and when."""
    statuses, seconds_taken, refused, memory, tasks = {}, [], [], [], []
    noise = random.Random(7)

    async def one(kind):
        start = time.monotonic()
        status = "?"
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            if kind == "slow":
                for part in range(20):
                    writer.write(message[part * 40:(part + 1) * 40])
                    await writer.drain()
                    await asyncio.sleep(0.25)
                status = "slow client left"
            elif kind == "aborted":
                writer.write(message[:len(message) // 2])
                await writer.drain()
                status = "upload aborted"
            elif kind == "malformed":
                writer.write(noise.choice([b"\x00\xff\r\n\r\n", b"POST /classify HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                                           b"POST /v2/models/x/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{]"]))
                await writer.drain()
                await asyncio.wait_for(reader.read(64), 30)
                status = "malformed"
            else:
                writer.write(message)
                await writer.drain()
                status, _ = await asyncio.wait_for(answer(reader), 120)
                (seconds_taken if status == 200 else refused).append(time.monotonic() - start)
            writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
            status = status if status != "?" and kind != "plain" else type(error).__name__
        statuses[status] = statuses.get(status, 0) + 1

    begin = time.monotonic()
    now = begin
    sampled = begin
    while now < begin + seconds:
        await asyncio.sleep(noise.expovariate(rate))
        now = time.monotonic()
        tasks.append(asyncio.create_task(one("plain")))
        if disturb and noise.random() < 0.2:
            tasks.append(asyncio.create_task(one(noise.choice(["slow", "aborted", "malformed"]))))
        if now - sampled >= 5:
            sampled = now
            memory.append(service.memory())
            tasks = [task for task in tasks if not task.done()]
    await asyncio.gather(*tasks)
    return statuses, sorted(seconds_taken), sorted(refused), memory


def at(values, share):
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banyan", type=pathlib.Path, default=ROOT / ".build/release/banyan")
    parser.add_argument("--run", required=True)
    parser.add_argument("--picture", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--overload", type=float, default=60, help="seconds at twice the load")
    parser.add_argument("--latency", type=float, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--quiet-log", action="store_true", help="no line in the log for each request")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    message = request(options.picture)
    service = Service(options)
    failures = []
    try:
        record = {"picturesPerSecondOfTheTower": service.pace, "bytes": options.picture.stat().st_size, "latency": options.latency}
        asyncio.run(closed(service, message, 2 * options.batch, 3))
        record["answersPerSecond"] = asyncio.run(closed(service, message, 2 * options.batch, options.seconds))
        record["share"] = record["answersPerSecond"] / service.pace
        half = record["answersPerSecond"] / 2
        statuses, taken, _, _ = asyncio.run(opened(service, message, half, options.seconds))
        record["half"] = {"rate": half, "p50": at(taken, 0.5), "p99": at(taken, 0.99), "statuses": statuses}
        if set(statuses) != {200}:
            failures.append(f"at half load: {statuses}")
        if options.overload > 0:
            statuses, taken, refused, memory = asyncio.run(
                opened(service, message, 2 * record["answersPerSecond"], options.overload, disturb=True))
            quarter = max(1, len(memory) // 4)
            growth = statistics.mean(memory[-quarter:]) - statistics.mean(memory[quarter:2 * quarter] or memory)
            record["double"] = {
                "seconds": options.overload, "statuses": {str(key): value for key, value in statuses.items()},
                "p50": at(taken, 0.5), "p99": at(taken, 0.99), "max": at(taken, 1),
                "late": sum(value > options.latency for value in taken), "refusalP99": at(refused, 0.99),
                "margin": service.metric("banyan_latency_margin"),
                "memoryMiB": [round(value) for value in memory[:: max(1, len(memory) // 12)]], "growthMiB": growth,
            }
            allowed = {200, 429, "slow client left", "upload aborted", "malformed"}
            if set(statuses) - allowed:
                failures.append(f"at twice the load: {statuses}")
            if at(taken, 0.99) > options.latency:
                failures.append(f"latency promised {options.latency} s, p99 {at(taken, 0.99):.2f} s")
            if growth > 64:
                failures.append(f"memory grew by {growth:.0f} MiB")
        record["exit"] = service.stop()
        if record["exit"]:
            failures.append(f"the service ended with {record['exit']}")
    finally:
        if service.process.poll() is None:
            service.process.kill()
    print(json.dumps(record, indent=2))
    if options.json:
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
