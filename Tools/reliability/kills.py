#!/usr/bin/env python3
"""Kills banyan with SIGKILL at random moments, lets it go on, and compares every byte of what it ends with.

    python3 Tools/reliability/kills.py [--kills 200] [--seed 1] [--only training,sweep] [--json FILE]

Four kinds of work share the kills: training (HiPro, two seeds), a sweep of four methods, pre-training a CLIP, and filling the
feature cache. Each is first done without disturbance; then it is begun again and again in a new folder, killed after a random
time, gone on with, killed again, until it ends by itself. What it ends with must be the undisturbed result, but for times, memory
and the command line.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What two equal runs may differ in.
TIMED = {"createdAt", "command", "measured", "seal", "seconds", "wallSeconds", "peakMemoryBytes", "picturesPerSecond"}


class Work:
    """One kind of work: how it is begun and gone on with, and where its result lies."""

    def __init__(self, name, begin, again, mark, results, states=None):
        self.name, self.begin, self.again, self.mark, self.results, self.states = name, begin, again, mark, results, states

    def command(self, folder):
        return self.again(folder) if (folder / self.mark).exists() else self.begin(folder)


def works(options, place):
    world = place / "world"
    small = ["--threads", "1", "--shots", "4", "--context-length", "2"]
    # A seed is saved every five seconds, and takes several times that.
    length = ["--epochs", 8, "--seeds", "1,2,3"] if options.short else ["--epochs", 250, "--seeds", "1,2"]
    training = ["train", "--model", "embedded", "--tasks", world, "--only", "icon,night,pencil", "--method", "hipro", *length, "--quiet", *small]
    sweep = place / "sweep.json"
    sweep.write_text(json.dumps({
        "title": "Four methods", "base": {"model": "embedded", "tasks": str(world), "seeds": [1, 2], "threads": 1,
                                           "data": {"only": ["icon", "night", "pencil"]}, "training": {"epochs": 3 if options.short else 15}},
        "samples": ["2 shots"],
        "runs": [{"method": "zero-shot"}, {"method": "coop", "options": {"context": {"length": 2}}},
                 {"method": "hipro", "options": {"context": {"length": 2}}}, {"method": "linear-probe"}]}))
    geometry = ["imageSize=32", "image.width=32", "image.layers=2", "text.width=32", "text.layers=2", "projection=32"]
    pretrain = ["pretrain", "--data", world / "captions.csv", "--threads", "1", "--batch-size", "16", "--warmup-steps", "40", "--steps", 60 if options.short else 160,
                "--set", "validationShare=0.2", "--set", "saveEvery=20", "--quiet"]
    for value in geometry:
        pretrain += ["--set", f"geometry.{value}"]
    caching = ["train", "--model", "embedded", "--tasks", world, "--method", "zero-shot", "--shots", "1", "--validation-shots", "0",
               "--seeds", "1", "--threads", "1", "--quiet"]
    if options.short:
        caching += ["--only", "icon,night,pencil"]
    common = place / "cache"
    return [
        Work("training", lambda f: [*training, "--cache", common, "--output", f / "run"],
             lambda f: ["train", "--resume", "--quiet", "--cache", common, "--output", f / "run"], "run/experiment.json", ["run"],
             None if options.short else "run/seed-*/state.safetensors"),
        Work("sweep", *[lambda f: ["experiment", sweep, "--cache", common, "--output", f / "runs", "--quiet"]] * 2, "runs", ["runs"]),
        Work("pre-training", lambda f: [*pretrain, "--output", f / "clip"],
             lambda f: ["pretrain", "--resume", "--quiet", "--output", f / "clip"], "clip/pretraining/settings.json", ["clip"]),
        Work("caching", lambda f: [*caching, "--cache", f / "cache", "--output", f / "run"],
             lambda f: ["train", "--resume", "--quiet", "--cache", f / "cache", "--output", f / "run"], "run/experiment.json", ["run", "cache"]),
    ]


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if key not in TIMED}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def contents(folder, results):
    """All files of a result with what two equal runs share."""
    files = {}
    for result in results:
        for file in sorted((folder / result).rglob("*")):
            # A part of a cache entry that was killed while it was written is never read; all other leftovers count.
            if not file.is_file() or file.name == ".lock" or (result == "cache" and file.name.endswith(".partial")):
                continue
            data = file.read_bytes()
            if file.name in ("record.json", "result.json"):
                data = json.dumps(without_times(json.loads(data)), sort_keys=True).encode()
            # The time of the training stands in its README.
            if file.name == "README.md":
                data = b""
            files[str(file.relative_to(folder))] = data
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banyan", type=pathlib.Path, default=ROOT / ".build/release/banyan")
    parser.add_argument("--place", type=pathlib.Path, default=ROOT / "runs/reliability/kills")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--short", action="store_true", help="shorter work: no training is long enough to be saved in its middle")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.place = options.place.resolve()
    shutil.rmtree(options.place, ignore_errors=True)
    options.place.mkdir(parents=True)
    moments = random.Random(options.seed)

    environment = {**os.environ, "BANYAN_CACHE": str(options.place / "cache"), "SWIFT_BACKTRACE": "enable=no"}

    def banyan(words):
        return subprocess.Popen([str(word) for word in [options.banyan, *words]], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)

    def done(words):
        process = banyan(words)
        _, errors = process.communicate()
        if process.returncode:
            sys.exit(f"banyan {' '.join(map(str, words))}\nended with {process.returncode}:\n{errors}")

    done(["world", "--preset", "strangers", "--seed", "3", "--pictures", "12", "--output", options.place / "world", "--quiet"])
    chosen = [work for work in works(options, options.place) if not options.only or work.name in options.only.split(",")]
    record, failures = {}, []
    for work in chosen:
        reference = options.place / f"{work.name}-whole"
        reference.mkdir()
        start = time.monotonic()
        done(work.begin(reference))
        whole = time.monotonic() - start
        expected = contents(reference, work.results)
        kills = begun = finished = spared = midway = 0
        wanted = max(1, options.kills // len(chosen))
        while kills < wanted:
            begun += 1
            folder = options.place / f"{work.name}-{begun}"
            folder.mkdir()
            for attempt in range(200):
                process = banyan(work.command(folder))
                # Later attempts are let run longer, so that work which is saved seldom ends at last.
                if kills < wanted:
                    time.sleep(moments.uniform(0, whole * (1 + attempt / 10)))
                killed = kills < wanted and process.poll() is None
                if killed:
                    process.send_signal(signal.SIGKILL)
                _, errors = process.communicate()
                if process.returncode == -signal.SIGKILL and killed:
                    kills += 1
                    midway += bool(work.states and list(folder.glob(work.states)))
                    continue
                spared += 1
                if process.returncode:
                    failures.append(f"{work.name} {begun}, attempt {attempt + 1}: code {process.returncode}: {errors.strip()[-600:]}")
                break
            found = contents(folder, work.results)
            wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
            if wrong:
                failures.append(f"{work.name} {begun}: {len(wrong)} files differ: {', '.join(wrong[:5])}")
            else:
                finished += 1
                shutil.rmtree(folder)
        record[work.name] = {"secondsUndisturbed": round(whole, 2), "kills": kills, "runs": begun, "equal": finished, "files": len(expected)}
        told = ""
        if work.states:
            record[work.name]["killsWithAState"] = midway
            told = f", {midway} killed with a state of a seed's middle to go on from"
            if midway == 0:
                failures.append(f"{work.name}: never killed where there was a state to go on from")
        print(f"{work.name:14} {whole:6.2f} s undisturbed, {kills} kills in {begun} runs, {finished} ended equal in all {len(expected)} files{told}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    if not failures:
        shutil.rmtree(options.place)
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
