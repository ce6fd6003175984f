#!/usr/bin/env python3
"""Loads a running `banyan serve` from outside: how much it answers beside its bare tower, how fast at half load, and what it
does at twice its load.

    python3 Tools/reliability/service.py --run runs/x --picture a.jpg [--seconds 30] [--overload 600]

Starts the service itself on a free port, on this machine alone, and stops it at the end. Prints the record and a table; with --json
the record is kept. The run must be one whose pictures pass the image tower once (zero-shot, CoOp, HiPro).

The bare tower is timed in a second process on the same run and threads, in turn with the load, so that a machine whose speed
drifts does not decide: planes that need no decoding, in batches of as many pictures as the loaded service's had, by the time that
each batch spends in the tower (`banyan_batch_seconds`).
"""

import argparse
import array
import asyncio
import collections
import contextlib
import datetime
import http.client
import json
import mimetypes
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from load import at, closed, named, opened

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 3


class Service:
    def __init__(self, options, **settings):
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        words = [options.banyan, "serve", "--run", options.run, "--listen", "127.0.0.1:0", "--log-format", "json"]
        words += ["--log-level", "notice" if options.quiet_log else "info"] + (["--threads", options.threads] if options.threads else [])
        for name, value in settings.items():
            words += [f"--{name.replace('_', '-')}", value]
        self.process = subprocess.Popen([str(word) for word in words], stderr=self.log, stdout=subprocess.DEVNULL)
        try:
            self.port = int(self.wait(r"on http://127\.0\.0\.1:(\d+)"))
            self.pace = float(self.wait(r'"picturesPerSecond":"([0-9.]+)"'))
            self.threads = int(self.wait(r'"threads":"?(\d+)'))
        except BaseException:
            self.kill()
            raise

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

    def read(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return answer.read().decode()

    def metric(self, name):
        """A number of the metrics; zero before it was counted first."""
        found = re.search(rf"(?m)^{name} (\S+)$", self.read("/metrics"))
        return float(found.group(1)) if found else 0.0

    def batches(self):
        """How many batches there were, of how many pictures, and how long they were in the tower."""
        return [self.metric(f"banyan_batch_{name}") for name in ["pictures_count", "pictures_sum", "seconds_sum"]]

    def stop(self):
        """The exit code, or that there was none."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            return "still running after two minutes"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def request(picture, path):
    body = picture.read_bytes()
    kind = mimetypes.guess_type(picture.name)[0] or "application/octet-stream"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def bare(tower, count, seconds):
    """The tower alone on batches of `count` pictures: pictures a second, and how many pictures a batch really had."""
    task = json.loads(tower.read("/v2/models"))["models"][0]
    path = f"/v2/models/{urllib.parse.quote(task, safe='')}"
    shape = next(item["shape"] for item in json.loads(tower.read(path))["inputs"] if item["name"] == "pixels")[1:]
    noise = random.Random(5)
    plane = array.array("f", (noise.uniform(-2, 2) for _ in range(shape[0] * shape[1] * shape[2]))).tobytes()
    head = json.dumps({
        "inputs": [{"name": "pixels", "shape": [count, *shape], "datatype": "FP32", "parameters": {"binary_data_size": count * len(plane)}}],
        "outputs": [{"name": "label"}]}).encode()
    body = head + plane * count
    connection = http.client.HTTPConnection("127.0.0.1", tower.port, timeout=600)

    def ask():
        connection.request("POST", f"{path}/infer", body=body, headers={"Inference-Header-Content-Length": str(len(head))})
        found = connection.getresponse()
        text = found.read()
        if found.status != 200:
            raise SystemExit(f"the tower alone: {found.status} {text[:300]}")

    # Once for nothing, so that memory for batches of this size is there.
    ask()
    time.sleep(0.1)
    before = tower.batches()
    asked = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ask()
        asked += count
    time.sleep(0.1)
    connection.close()
    number, pictures, spent = [late - early for late, early in zip(tower.batches(), before)]
    if pictures != asked:
        raise SystemExit(f"the tower alone: {asked} pictures were sent, {pictures} were in its batches")
    return pictures / spent, pictures / number


class Trial:
    """The parts of the trial in turn, what they found, and what is wrong with it."""

    def __init__(self, options, service):
        self.options, self.service = options, service
        self.message, self.long = request(options.picture, "/classify?top=1"), request(options.picture, "/classify")
        self.failures = []
        self.record = {
            "date": datetime.date.today().isoformat(), "machine": machine(), "cores": os.cpu_count(), "threads": service.threads,
            "run": options.run, "bytes": options.picture.stat().st_size, "latency": options.latency, "batch": options.batch,
            "clients": 2 * options.batch, "picturesPerSecondAtStart": service.pace,
        }

    def check(self, holds, what):
        if not holds:
            self.failures.append(what)

    def throughput(self, tower):
        """The service with more clients than it answers at once, and the tower alone, in turn."""
        clients, seconds = self.record["clients"], self.options.seconds
        asyncio.run(closed(self.service, self.message, clients, 3))
        found = []
        statuses = collections.Counter()
        for _ in range(ROUNDS):
            before = self.service.batches()
            answers, came = asyncio.run(closed(self.service, self.message, clients, seconds / 2))
            number, pictures, _ = [late - early for late, early in zip(self.service.batches(), before)]
            statuses += came
            pace, size = bare(tower, min(64, self.options.batch, max(1, round(pictures / max(1, number)))), seconds / 4)
            found.append({"answers": answers, "batch": pictures / max(1, number), "tower": pace, "towerBatch": size, "share": answers / pace})
        self.check(set(statuses) <= {200, 429}, f"more clients than are answered at once: {named(statuses)}")

        def sum_up(key):
            values = [item[key] for item in found]
            return statistics.median(values), [min(values), max(values)]

        for key, name in [("tower", "picturesPerSecondOfTheTower"), ("answers", "answersPerSecond"), ("share", "share")]:
            self.record[name], self.record[f"{name}Spread"] = sum_up(key)
        self.record["rounds"] = found
        self.check(self.record["share"] >= 0.9, f"{self.record['share']:.1%} of the bare tower's pace, expected 90 % or more")

    def promised(self, flow, where):
        """Times of what was accepted; a stall of a shared machine may make one answer late, and one of a thousand."""
        late = sum(value > self.options.latency for value in flow.taken)
        p99 = at(flow.taken, 0.99)
        self.check(flow.taken, f"{where}: nothing was answered")
        self.check(p99 is None or p99 <= self.options.latency, f"{where}: latency promised {self.options.latency} s, p99 {p99} s")
        self.check(late <= max(1, len(flow.taken) / 1000),
                   f"{where}: {late} of {len(flow.taken)} answers were later than promised, {at(flow.taken, 1)} s at worst")
        self.check(flow.lost == 0, f"{where}: {flow.lost} requests were lost")
        return {"answered": len(flow.taken), "p50": at(flow.taken, 0.5), "p99": p99, "max": at(flow.taken, 1), "late": late,
                "lateShare": late / max(1, len(flow.taken)), "lost": flow.lost}

    def half(self):
        rate, margin = self.record["answersPerSecond"] / 2, self.service.metric("banyan_latency_margin")
        flow = asyncio.run(opened(self.service, self.message, self.long, rate, self.options.seconds))
        statuses = flow.counts["plain"]
        self.record["half"] = {"rate": rate, "marginBefore": margin, "offered": flow.offered, **self.promised(flow, "at half load"), "statuses": named(statuses)}
        self.check(set(statuses) == {200}, f"at half load: {named(statuses)}")

    def double(self):
        rate = 2 * self.record["answersPerSecond"]
        flow = asyncio.run(opened(self.service, self.message, self.long, rate, self.options.overload, disturb=True))
        counts = flow.counts
        memory = flow.memory
        quarter = max(1, len(memory) // 4)
        growth = statistics.mean(memory[-quarter:]) - statistics.mean(memory[quarter:2 * quarter] or memory)
        # Of the last three only how many there were: what they got stands below.
        others = {"slow client left": "slow_client", "upload aborted": "aborted_upload", "malformed": "malformed"}
        statuses = named(counts["plain"]) | {name: sum(counts[kind].values()) for name, kind in others.items()}
        times = flow.offered / self.record["answersPerSecond"]
        self.record["double"] = {
            "seconds": self.options.overload, "rate": rate, "offered": flow.offered, "timesTheAnsweringRate": times, "statuses": statuses,
            "slowUploads": named(counts["slow_upload"]), "slowReaders": named(counts["slow_reader"]),
            "slowClients": named(counts["slow_client"]), "abortedUploads": named(counts["aborted_upload"]),
            "malformed": named(counts["malformed"]), **self.promised(flow, "at twice the load"), "refused": len(flow.refused),
            "refusalP99": at(flow.refused, 0.99), "margin": self.service.metric("banyan_latency_margin"),
            "memoryMiB": [round(value) for value in memory[:: max(1, len(memory) // 12)]], "growthMiB": growth,
        }
        for name, kind in [("requests", "plain"), ("slow uploads", "slow_upload"), ("slow readers", "slow_reader")]:
            self.check(set(counts[kind]) <= {200, 429}, f"at twice the load: {name}: {named(counts[kind])}")
        for name, kind in [("slow clients", "slow_client"), ("aborted uploads", "aborted_upload")]:
            self.check(set(counts[kind]) <= {"left"}, f"at twice the load: {name}: {named(counts[kind])}")
        bad = [key for key in counts["malformed"] if key != "closed" and not (isinstance(key, int) and 400 <= key < 500)]
        self.check(not bad, f"at twice the load: malformed requests: {named(counts['malformed'])}")
        self.check(times >= 1.95, f"{times:.2f} times the answering rate was offered, expected twice")
        self.check(growth <= 64, f"memory grew by {growth:.0f} MiB")


def machine():
    found = re.search(r"(?m)^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else "unknown"


def table(record):
    """The record as Documentation/Service.md shows it."""
    def seconds(*values):
        return ", ".join("–" if value is None else f"{value:.2g} s" if value < 1 else f"{value:.1f} s" for value in values)

    def spread(name, form):
        low, high = record[f"{name}Spread"]
        return f"{form.format(record[name])} ({form.format(low)} to {form.format(high)})"

    sizes = [round(item["towerBatch"]) for item in record["rounds"]]
    batches = "–".join(str(size) for size in sorted({min(sizes), max(sizes)}))
    lines = ["| | |", "|---|---:|", f"| the tower alone, in batches of {batches} pictures as the service had | {spread('picturesPerSecondOfTheTower', '{:.1f}')} pictures/s |"]
    lines.append(f"| answers, {record['clients']} clients that ask again at once, or when they are told to "
                 f"| {spread('answersPerSecond', '{:.1f}')} /s, {spread('share', '{:.0%}')} |")
    half = record["half"]
    lines.append(f"| half of that load, at random moments: median, 99 of 100 | {seconds(half['p50'], half['p99'])} |")
    if "double" in record:
        double = record["double"]
        statuses = double["statuses"]
        lines.append(
            f"| {double['timesTheAnsweringRate']:.2f} times that load for {double['seconds']:g} s ({double['answered']:,} answered, "
            f"{double['refused']:,} refused), {sum(double['slowUploads'].values())} of it slow uploads and {sum(double['slowReaders'].values())} "
            f"slow readers, beside {statuses['slow client left']} slow clients that leave, {statuses['upload aborted']} aborted uploads and "
            f"{statuses['malformed']} malformed requests: median, 99 of 100, slowest of what was accepted "
            f"| {seconds(double['p50'], double['p99'], double['max'])} |")
        lines.append(f"| whole requests without an answer | {double['lost']} |")
        lines.append(f"| later than the {record['latency']:g} s that were promised | {double['late']} of {double['answered']:,} |")
        lines.append(f"| 99 of 100 refusals (429) | {seconds(double['refusalP99'])} |")
        lines.append(f"| growth of memory over that time | {double['growthMiB']:.1f} MiB ({double['memoryMiB'][-1]}) |")
    return "\n".join(lines)


def holds_longer(file, seconds):
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return json.loads(file.read_text())["double"]["seconds"] > seconds
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banyan", type=pathlib.Path, default=ROOT / ".build/release/banyan")
    parser.add_argument("--run", required=True)
    parser.add_argument("--picture", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=30, help="at half load; throughput takes three times half of it, the tower a quarter each")
    parser.add_argument("--overload", type=float, default=60, help="seconds at twice the load")
    parser.add_argument("--latency", type=float, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--quiet-log", action="store_true", help="no line in the log for each request")
    parser.add_argument("--json", type=pathlib.Path, help="where the record goes; one of a longer overload is not replaced")
    options = parser.parse_args()
    if options.json and holds_longer(options.json, options.overload):
        parser.error(f"{options.json} holds the record of a longer overload; choose another name")
    with contextlib.ExitStack() as stack:
        # Nothing bounds its batches but their size, and they are waited for, so that each is whole.
        tower = Service(options, batch=options.batch, latency=3600, gather=100, max_body=64)
        stack.callback(tower.kill)
        service = Service(options, batch=options.batch, latency=options.latency)
        stack.callback(service.kill)
        trial = Trial(options, service)
        # What was measured is kept whatever ends the trial.
        try:
            trial.throughput(tower)
            trial.check(tower.stop() == 0, "the service that times the tower alone did not end in order")
            trial.half()
            if options.overload > 0:
                trial.double()
        except Exception as error:
            trial.check(False, f"the trial was broken off: {type(error).__name__}: {error}")
        trial.record["exit"] = service.stop()
        trial.check(trial.record["exit"] == 0, f"the service ended with {trial.record['exit']}")
    trial.record["failures"] = trial.failures
    print(json.dumps(trial.record, indent=2))
    if "half" in trial.record:
        print(table(trial.record))
    if options.json:
        options.json.write_text(json.dumps(trial.record, indent=2) + "\n")
    for failure in trial.failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    raise SystemExit(1 if trial.failures else 0)


if __name__ == "__main__":
    main()
