#!/usr/bin/env python3
"""What banyan does where it cannot write, where the clock is set while it works, and beside itself.

    python3 Tools/reliability/places.py [--only "full disk"] [--strict] [--json FILE]

Small file systems are mounted (root only); the clock is set for the one process alone, by clock.c. What this machine does not
allow is left out: the record and the last line say so, and with --strict the exit code is 77.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import typing

from kills import contents

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534


class Left(Exception):
    """This machine does not allow it."""


class Bench:
    def __init__(self, banyan, place):
        self.banyan, self.place = banyan, place
        self.failures = []
        self.checks = 0

    def start(self, *words, environment=None, before=None):
        return subprocess.Popen([str(word) for word in [*(before or []), self.banyan, *words]], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True,
                                env={**os.environ, "SWIFT_BACKTRACE": "enable=no", "BANYAN_CACHE": str(self.place / "cache"), **(environment or {})})

    def run(self, *words, **more):
        process = self.start(*words, **more)
        out, errors = process.communicate(timeout=600)
        return process.returncode, out, errors

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            self.failures.append(what)
            print(f"  FAILED: {what}", flush=True)

    def good(self, *words, **more):
        code, out, errors = self.run(*words, **more)
        self.check(code == 0, f"banyan {' '.join(map(str, words))}: code {code}: {errors[-400:]}")
        return out

    def refused(self, *words, texts, code=1, **more):
        """The command must fail in order: with this code, one of these texts, and no signal."""
        found, _, errors = self.run(*words, **more)
        known = any(text in errors for text in texts)
        self.check(found == code and known, f"banyan {' '.join(map(str, words[:6]))}…: code {found}, expected {code} with {texts}: {errors[-400:]}")
        return errors

    @contextlib.contextmanager
    def disk(self, name, size):
        folder = self.place / name
        folder.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, text=True)
        if made.returncode:
            raise Left(f"no file system can be mounted: {made.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=False)

    def remount(self, folder, how):
        subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)

    def training(self, output, *more):
        return ["train", "--model", "embedded", "--tasks", self.place / "world", "--method", "hipro", "--shots", "4", "--seeds", "1,2", "--epochs", "12",
                "--context-length", "2", "--threads", "1", "--quiet", "--output", output, *more]

    @contextlib.contextmanager
    def service(self, *words, environment=None):
        """A service of the finished run that is ready; it is told to stop at the end."""
        log = self.place / "serve.log"
        with log.open("w") as target:
            service = subprocess.Popen([str(word) for word in [self.banyan, "serve", "--run", self.reference, "--listen", "127.0.0.1:0", "--threads", "1", *words]],
                                       stderr=target, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
            try:
                end = time.monotonic() + 60
                port = ready = None
                while not ready and time.monotonic() < end and service.poll() is None:
                    time.sleep(0.1)
                    found = re.search(r"on http://127\.0\.0\.1:(\d+)/", log.read_text())
                    port = found and found.group(1)
                    ready = port and subprocess.run(["curl", "-sf", "-m", "5", f"http://127.0.0.1:{port}/v2/health/ready"], capture_output=True).returncode == 0
                self.check(bool(ready), f"the service does not start: {log.read_text()[-300:]}")
                yield service, port, log
            finally:
                service.terminate()
                service.wait(timeout=60)

    def ask(self, port, task=None):
        """The status of a picture's answer."""
        address = f"http://127.0.0.1:{port}/classify" + (f"?task={task}" if task else "")
        return subprocess.run(["curl", "-s", "-m", "20", "-o", os.devnull, "-w", "%{http_code}", "-H", "Content-Type: image/png",
                               "--data-binary", f"@{self.picture}", address], capture_output=True, text=True).stdout

    def leftovers(self, folder):
        return [str(file) for file in folder.rglob("*.partial")]


class Writing(typing.NamedTuple):
    """A command that fills a folder, and what goes on with it when there is room."""

    begin: typing.Callable
    again: typing.Callable | None = None
    # The file or folder without which there is nothing to go on with.
    mark: str = ""
    results: list = []


def full_disk(bench):
    """Nine commands that write, on disks of many sizes, and a service; then the disk grows and the work goes on."""
    sizes = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768]
    run = bench.reference
    captioned = bench.place / "captioned"
    bench.good("world", "--preset", "strangers", "--seed", "5", "--pictures", "4", "--output", captioned, "--quiet")
    sweep = bench.place / "sweep.json"
    sweep.write_text(json.dumps({
        "title": "Two methods", "samples": ["2 shots"], "runs": [{"method": "zero-shot"}, {"method": "coop", "options": {"context": {"length": 2}}}],
        "base": {"model": "embedded", "tasks": str(bench.place / "world"), "seeds": [1], "threads": 1, "training": {"epochs": 3}}}))
    pretraining = ["pretrain", "--data", captioned / "captions.csv", "--threads", "1", "--batch-size", "16", "--warmup-steps", "4", "--steps", "12", "--quiet"]
    for setting in ["validationShare=0.2", "saveEvery=4", "geometry.imageSize=32", "geometry.image.width=32", "geometry.image.layers=2",
                    "geometry.text.width=32", "geometry.text.layers=2", "geometry.projection=32"]:
        pretraining += ["--set", setting]
    shared = ["--cache", bench.place / "cache"]
    new = bench.place / "new"
    commands = {
        "train": Writing(lambda f: bench.training(f / "run", *shared), lambda f: ["train", "--resume", "--quiet", "--output", f / "run"],
                         "run/experiment.json", ["run"]),
        "train with its cache": Writing(lambda f: bench.training(f / "run", "--cache", f / "cache"),
                                        lambda f: ["train", "--resume", "--quiet", "--output", f / "run", "--cache", f / "cache"],
                                        "run/experiment.json", ["run"]),
        "experiment": Writing(*[lambda f: ["experiment", sweep, *shared, "--output", f / "runs", "--quiet"]] * 2, "runs", ["runs"]),
        "pretrain": Writing(lambda f: [*pretraining, "--output", f / "clip"], lambda f: ["pretrain", "--resume", "--quiet", "--output", f / "clip"],
                            "clip/pretraining/settings.json", ["clip"]),
        "world": Writing(lambda f: ["world", "--preset", "strangers", "--seed", "2", "--pictures", "2", "--quiet", "--output", f / "world"]),
        "export": Writing(*[lambda f: ["export", "--run", run, "--output", f / "out"]] * 2, "", ["out"]),
        "report": Writing(lambda f: ["report", run, "--output", f / "report.html", "--figures", f / "figures"]),
        "graft": Writing(lambda f: ["graft", "--run", run, "--tasks", new, "--output", f / "grafted", "--quiet"]),
        "embed": Writing(lambda f: ["embed", "--tasks", bench.place / "world", "--model", "embedded", "--shots", "2", "--draws", "64", "--output", f / "e.json", "--quiet"]),
    }
    told, gone_on = dict.fromkeys(commands, 0), dict.fromkeys(commands, 0)
    for name, work in commands.items():
        undisturbed = bench.place / "with room"
        undisturbed.mkdir()
        bench.good(*work.begin(undisturbed))
        expected = contents(undisturbed, work.results)
        shutil.rmtree(undisturbed)
        for size in sizes:
            with bench.disk("full", f"{size}k") as folder:
                code, _, errors = bench.run(*work.begin(folder))
                if code == 0:
                    break
                told[name] += 1
                is_told = "No space left" in errors and "free some space" in errors.lower()
                bench.check(code == 1 and is_told, f"{name} on {size} KiB: code {code}: {errors[-300:]}")
                bench.check(not bench.leftovers(folder), f"{name} on {size} KiB leaves {bench.leftovers(folder)[:3]}")
                for file in folder.rglob("*.json"):
                    json.loads(file.read_text())
                if work.again and (folder / work.mark).exists():
                    bench.remount(folder, "size=64m")
                    if name == "export":
                        # As a killed one would leave it; it is not in the way.
                        left = folder / "out" / ".transformers.partial"
                        left.mkdir(parents=True, exist_ok=True)
                        (left / "model.safetensors").write_bytes(b"half")
                    bench.good(*work.again(folder))
                    bench.check(contents(folder, work.results) == expected, f"{name} on {size} KiB, gone on with: the result differs")
                    gone_on[name] += 1
        else:
            bench.check(False, f"{name} does not fit on the largest disk")
        bench.check(told[name] > 0, f"{name} was never told")
        bench.check(not work.again or gone_on[name] > 0, f"{name} was never gone on with")
    traffic_on_a_full_disk(bench)
    return (f"{len(commands)} commands, told {sum(told.values())} times; when there was room "
            f"{', '.join(f'{count} × {name}' for name, count in gone_on.items() if count)} went on or were done by the same command, and ended equal; "
            "a service whose traffic finds no room answers, says so, and writes it when there is some")


def traffic_on_a_full_disk(bench):
    """A service goes on answering where its traffic cannot be written, and loses nothing of it."""
    with bench.disk("full", "64k") as folder:
        file = folder / "traffic.safetensors"
        filler = folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as target:
            while True:
                target.write(bytes(4096))
                target.flush()
        with bench.service("--traffic", file) as (service, port, log):
            answered = [bench.ask(port, "icon") for _ in range(3)]
            bench.check(answered == ["200"] * 3, f"full disk: the service answers {answered}")
            end = time.monotonic() + 30
            while time.monotonic() < end and "traffic not kept" not in log.read_text():
                time.sleep(0.2)
            told = log.read_text()
            bench.check("traffic not kept" in told and "No space left" in told, f"full disk: the service does not say it: {told[-300:]}")
            bench.check(not file.exists() and not bench.leftovers(folder), "full disk: a part of the traffic is left")
            bench.check(bench.ask(port, "icon") == "200", "full disk: the service no longer answers")
            filler.unlink()
            bench.remount(folder, "size=16m")
        bench.check(service.returncode == 0, f"full disk: the service ended with {service.returncode}")
        kept = safetensors_header(file) if file.exists() else {}
        bench.check(kept.get("tasks.0.features", {}).get("shape", [0])[0] == 4, f"full disk: the traffic that was kept is {str(kept)[:200]}")


def safetensors_header(file):
    with file.open("rb") as source:
        return json.loads(source.read(int.from_bytes(source.read(8), "little")))


def read_only(bench):
    """Folders that may not be written, as another user than root would meet them."""
    with bench.disk("readonly", "16m") as folder:
        bench.remount(folder, "ro")
        texts = ["Read-only", "may be written"]
        bench.refused(*bench.training(folder / "run"), texts=texts)
        bench.refused(*bench.training(bench.place / "ro-cache-run", "--cache", folder / "cache"), texts=["--no-cache"])
        bench.refused("world", "--preset", "strangers", "--pictures", "1", "--quiet", "--output", folder / "world", texts=texts)
        bench.refused("export", "--run", bench.reference, "--output", folder / "out", texts=texts)
        bench.refused("report", bench.reference, "--output", folder / "r.html", texts=texts)
        bench.refused("embed", "--tasks", bench.place / "world", "--model", "embedded", "--shots", "2", "--draws", "64", "--quiet", "--output", folder / "e.json", texts=texts)
    # Reading needs no writing: a finished run on such a disk answers.
    with bench.disk("archive", "16m") as folder:
        shutil.copytree(bench.reference, folder / "run")
        bench.remount(folder, "ro")
        for words in [["compare", folder / "run"], ["tree", folder / "run"], ["watch", folder / "run"],
                      ["classify", "--run", folder / "run", "--task", "icon", bench.picture]]:
            bench.good(*words)
    return f"{bench.checks} checks"


def permission(bench):
    """Files and folders that another user owns; and a folder that becomes another's in the middle of a training."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Left("only root can become another user")
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    home = bench.place / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    reachable = bench.run("--version", before=nobody)[0] == 0
    if not reachable:
        raise Left("another user cannot reach the program")
    environment = {"HOME": str(home), "BANYAN_CACHE": str(home / "cache")}
    closed = bench.place / "closed"
    shutil.copytree(bench.reference, closed)
    for file in closed.rglob("*"):
        if file.is_file():
            file.chmod(0o600)
    bench.refused("compare", closed, texts=["cannot be read"], code=66, before=nobody, environment=environment)
    bench.refused("classify", "--run", closed, "--task", "icon", bench.picture, texts=["cannot be read"], code=66, before=nobody, environment=environment)
    bench.refused(*bench.training(bench.place / "not-mine"), texts=["may be written", "cannot be made"], before=nobody, environment=environment)
    bench.refused("train", "--resume", "--quiet", "--output", closed, texts=["cannot be read"], code=66, before=nobody, environment=environment)
    # A picture that may not be read.
    broken = bench.place / "closed-world"
    shutil.copytree(bench.place / "world", broken)
    next(iter(sorted(broken.rglob("*.png")))).chmod(0)
    bench.refused("train", "--model", "embedded", "--tasks", broken, "--method", "zero-shot", "--shots", "1", "--seeds", "1", "--quiet", "--output", home / "run",
                  texts=["cannot be read"], code=66, before=nobody, environment=environment)
    lost = 0
    for number, delay in enumerate([0.6, 1.0, 1.4, 1.8, 2.2]):
        folder = home / f"lost-{number}"
        process = bench.start(*bench.training(folder / "run", "--epochs", "60"), before=nobody, environment=environment)
        time.sleep(delay)
        # The folder becomes another's, who lets nobody else write.
        chown(folder, 0)
        _, errors = process.communicate(timeout=300)
        if process.returncode == 0:
            continue
        lost += 1
        bench.check(process.returncode == 1 and ("Permission denied" in errors or "cannot be made" in errors),
                    f"lost after {delay} s: code {process.returncode}: {errors[-300:]}")
        chown(folder, NOBODY)
        if (folder / "run/experiment.json").exists():
            bench.good("train", "--resume", "--quiet", "--output", folder / "run", before=nobody, environment=environment)
            bench.check(contents(folder, ["run"]) == bench.longer, f"lost after {delay} s: the result differs")
    bench.check(lost > 0, "permission was never lost in the middle")
    return f"{bench.checks} checks, permission lost {lost} times in the middle"


def chown(folder, user):
    folder.mkdir(exist_ok=True)
    for place in [folder, *folder.rglob("*")]:
        with contextlib.suppress(FileNotFoundError):
            os.chown(place, user, user)


def clock(bench):
    """The clock goes back and forth by years while a training, and a service, are at work."""
    library = bench.place / "clock.so"
    source = pathlib.Path(__file__).with_name("clock.c")
    compiler = next(filter(None, map(shutil.which, ["clang", "cc", "gcc"])), None)
    if not sys.platform.startswith("linux") or compiler is None:
        raise Left("there is no C compiler, or the system is not Linux")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    stamp = bench.place / "clock"
    day = 86400

    def set_clock(seconds):
        stamp.with_suffix(".new").write_text(f"{seconds}\n")
        stamp.with_suffix(".new").rename(stamp)

    environment = {"LD_PRELOAD": str(library), "BANYAN_CLOCK": str(stamp)}
    set_clock(900 * day)
    shown = subprocess.run([sys.executable, "-c", "import time; print(time.time(), time.monotonic())"], env={**os.environ, **environment},
                           capture_output=True, text=True, check=True).stdout.split()
    bench.check(abs(float(shown[0]) - time.time() - 900 * day) < 60 and abs(float(shown[1]) - time.monotonic()) < 60, f"clock: it cannot be set: {shown}")
    set_clock(0)
    jumps = 0
    for number, moves in enumerate([[-900 * day, 0], [4000 * day, -4000 * day, day], [-3600, 3600]]):
        folder = bench.place / f"clock-{number}"
        set_clock(0)
        process = bench.start(*bench.training(folder / "run", "--epochs", "100000", "--cache", bench.place / "cache"), environment=environment)
        for move in moves:
            time.sleep(1.2)
            set_clock(move)
            jumps += 1
        # Saving goes by a clock that nobody sets: within a few seconds there is a state to go on from.
        end = time.monotonic() + 30
        while time.monotonic() < end and process.poll() is None and not list(folder.glob("run/seed-*/state.safetensors")):
            time.sleep(0.2)
        bench.check(process.poll() is None and bool(list(folder.glob("run/seed-*/state.safetensors"))), f"clock {moves}: nothing was saved")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        watched = bench.run("watch", folder / "run", "--once")
        bench.check(watched[0] in (0, 66), f"clock: watch ends with {watched}")
    whole = bench.place / "clock-whole"
    set_clock(-900 * day)
    process = bench.start(*bench.training(whole / "run", "--cache", bench.place / "cache"), environment=environment)
    time.sleep(0.8)
    set_clock(900 * day)
    _, errors = process.communicate(timeout=300)
    bench.check(process.returncode == 0, f"clock: code {process.returncode}: {errors[-300:]}")
    bench.check(contents(whole, ["run"]) == bench.expected, "clock: the result differs")
    with bench.service(environment=environment) as (service, port, log):
        answered = 0
        for move in [0, -900 * day, 900 * day, -3600, 0]:
            set_clock(move)
            jumps += 1
            answered += sum(bench.ask(port) == "200" for _ in range(3))
        bench.check(answered == 15, f"clock: the service answered {answered} of 15: {log.read_text()[-300:]}")
    bench.check(service.returncode == 0, f"clock: the service ended with {service.returncode}")
    return f"{jumps} jumps, results equal, work saved on time"


def two_processes(bench):
    """Several processes on one cache, and on one output folder."""
    cache = bench.place / "shared-cache"
    folders = [bench.place / f"beside-{number}" for number in range(6)]
    running = [bench.start(*bench.training(folder / "run", "--cache", cache)) for folder in folders]
    for folder, process in zip(folders, running):
        _, errors = process.communicate(timeout=300)
        bench.check(process.returncode == 0, f"one cache: code {process.returncode}: {errors[-300:]}")
        bench.check(contents(folder, ["run"]) == bench.expected, "one cache: the result differs")
    bench.check(not bench.leftovers(cache), "one cache: parts of entries are left")
    rounds = 12
    kept_out = 0
    for number in range(rounds):
        folder = bench.place / f"same-{number}"
        more = ["--resume"] if number % 2 else []
        running = [bench.start(*bench.training(folder / "run", "--cache", cache, *(more if index else []))) for index in range(4)]
        codes = []
        for process in running:
            _, errors = process.communicate(timeout=300)
            codes.append(process.returncode)
            known = ["another process is using", "holds a stopped run", "holds a finished run", "is finished", "no run to resume", "is not empty"]
            bench.check(process.returncode in (0, 1, 66) and (process.returncode == 0 or any(text in errors for text in known)),
                        f"one output: code {process.returncode}: {errors[-300:]}")
        kept_out += sum(code != 0 for code in codes)
        bench.check(0 in codes, f"one output: nobody finished: {codes}")
        bench.check(contents(folder, ["run"]) == bench.expected, "one output: the result differs")
    return f"6 trainings on one cache and {rounds} × 4 on one folder: results equal, {kept_out} kept out"


CHECKS = {"full disk": full_disk, "read-only folder": read_only, "lost permission": permission, "clock": clock, "two processes": two_processes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banyan", type=pathlib.Path, default=ROOT / ".build/release/banyan")
    parser.add_argument("--place", type=pathlib.Path, default=ROOT / "runs/reliability/places")
    parser.add_argument("--only", default="")
    parser.add_argument("--strict", action="store_true", help="end with 77 where this machine does not allow a part")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    place = options.place.resolve()
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    bench = Bench(options.banyan.resolve(), place)
    bench.good("world", "--preset", "strangers", "--seed", "3", "--pictures", "12", "--output", place / "all", "--quiet")
    (place / "world").mkdir()
    (place / "new").mkdir()
    for name in ["icon", "night", "pencil"]:
        shutil.move(place / "all" / name, place / "world" / name)
    shutil.move(place / "all" / "studio", place / "new" / "studio")
    bench.picture = next(iter(sorted((place / "world").rglob("*.png"))))
    for name, epochs in [("reference", "12"), ("longer", "60")]:
        bench.good(*bench.training(place / name / "run", "--epochs", epochs, "--cache", place / "cache"))
    if bench.failures:
        sys.exit("the work cannot even be done undisturbed")
    bench.reference = place / "reference" / "run"
    bench.expected = contents(place / "reference", ["run"])
    bench.longer = contents(place / "longer", ["run"])
    record = {}
    for name, check in CHECKS.items():
        if options.only and name not in options.only.split(","):
            continue
        bench.checks = 0
        failed = len(bench.failures)
        try:
            outcome, what = "passed", check(bench)
        except Left as left:
            outcome, what = "left out", str(left)
        if len(bench.failures) > failed:
            outcome, what = "failed", f"{what}; {len(bench.failures) - failed} FAILED"
        record[name] = {"outcome": outcome, "what": what}
        print(f"{name:18} {'left out, ' if outcome == 'left out' else ''}{what}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    for failure in bench.failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    if not bench.failures:
        shutil.rmtree(place)
    left_out = [name for name, part in record.items() if part["outcome"] == "left out"]
    if left_out:
        # scripts/reliability reads this line.
        print(f"left out: {', '.join(left_out)}", flush=True)
    raise SystemExit(1 if bench.failures else 77 if left_out and options.strict else 0)


if __name__ == "__main__":
    main()
