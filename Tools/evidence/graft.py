#!/usr/bin/env python3
"""A new task on a trained tree, leave-one-task-out on the drawn world: grafted, from scratch with all tasks, and alone by CoOp.

    python3 Tools/evidence/graft.py run       # one preset x shots x all tasks left out
    python3 Tools/evidence/graft.py tables    # Markdown from the records

Everything is done by the program itself; what is finished is skipped.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import time

from evidence import EVIDENCE, ROOT, SETTINGS, draw, run

SHOTS = [1, 2, 4, 8]


def train(banyan, output, world, method, shots, seeds, cache, only=None):
    if (output / "record.json").exists():
        return
    shutil.rmtree(output, ignore_errors=True)
    words = [banyan, "train", "--config", SETTINGS / f"{method}.json", "--model", "embedded", "--tasks", world, "--method", method]
    words += ["--shots", shots, "--validation-shots", 4, "--seeds", seeds, "--threads", 1, "--cache", cache, "--output", output, "-q"]
    run(words + (["--only", ",".join(only)] if only else []))


def graft(banyan, output, world, source, name, cache, refine):
    if (output / "record.json").exists():
        return
    shutil.rmtree(output, ignore_errors=True)
    words = [banyan, "graft", "--run", source, "--tasks", world, "--only", name, "--output", output, "--cache", cache, "-q"]
    run(words + (["--refine", "--margin", "0.02"] if refine else []))


def tasks(world):
    return [task["name"] for task in json.loads((world / "world.json").read_text())["tasks"]]


def sweep(options):
    world = draw(options.banyan, options.folder, options.preset, EVIDENCE["world"])
    names = tasks(world)
    for shots in options.shots:
        place = options.folder / f"graft-{options.preset}" / f"{shots}-shots"
        for method in ["hipro", "coop"]:
            train(options.banyan, place / f"all-{method}", world, method, shots, options.seeds, options.cache)
        for name in names:
            rest = [other for other in names if other != name]
            start = time.monotonic()
            train(options.banyan, place / f"without-{name}", world, "hipro", shots, options.seeds, options.cache, only=rest)
            graft(options.banyan, place / f"grafted-{name}", world, place / f"without-{name}", name, options.cache, refine=False)
            graft(options.banyan, place / f"refined-{name}", world, place / f"without-{name}", name, options.cache, refine=True)
            print(f"{shots} shots, {name}: {time.monotonic() - start:.0f} s", flush=True)


def tables(options):
    world = draw(options.banyan, options.folder, options.preset, EVIDENCE["world"])
    names = tasks(world)

    def record(path):
        return json.loads((path / "record.json").read_text())

    def per_seed(path, task):
        return [seed["tasks"][task]["top1"] for seed in record(path)["runs"]]

    print("| shots | CoOp alone | HiPro from scratch | grafted | refined | grafted − CoOp | grafted − scratch | seconds to graft "
          "| to train anew | old tasks, refined | the worst of them |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for shots in options.shots:
        place = options.folder / f"graft-{options.preset}" / f"{shots}-shots"
        columns = {"coop": [], "scratch": [], "grafted": [], "refined": [], "old": []}
        seconds = {"graft": [], "scratch": []}
        for name in names:
            columns["coop"].append(per_seed(place / "all-coop", name))
            columns["scratch"].append(per_seed(place / "all-hipro", name))
            columns["grafted"].append(per_seed(place / f"grafted-{name}", name))
            columns["refined"].append(per_seed(place / f"refined-{name}", name))
            seconds["graft"].append(record(place / f"grafted-{name}")["measured"]["wallSeconds"]["training"])
            for other in names:
                if other != name:
                    before, after = per_seed(place / f"without-{name}", other), per_seed(place / f"refined-{name}", other)
                    columns["old"].append([b - a for a, b in zip(before, after)])
        worst = min(statistics.mean(row) for row in columns["old"])
        measured = record(place / "all-hipro")["measured"]["wallSeconds"]
        # The mean over tasks of each seed, then over seeds.
        means = {key: [statistics.mean(row) for row in zip(*rows)] for key, rows in columns.items()}

        def shown(values, sign=""):
            spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
            return f"{100 * statistics.mean(values):{sign}.1f}{spread}"

        def gap(a, b):
            return shown([x - y for x, y in zip(means[a], means[b])], "+")

        print(f"| {shots} | {shown(means['coop'])} | {shown(means['scratch'])} | {shown(means['grafted'])} | {shown(means['refined'])} "
              f"| {gap('grafted', 'coop')} | {gap('grafted', 'scratch')} | {statistics.mean(seconds['graft']):.1f} "
              f"| {measured['affinity'] + measured['training']:.1f} | {shown(means['old'], '+')} | {100 * worst:+.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "tables"])
    parser.add_argument("--banyan", type=pathlib.Path, default=ROOT / ".build/release/banyan")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "runs/evidence")
    parser.add_argument("--preset", default="families")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--shots", type=lambda text: [int(word) for word in text.split(",")], default=SHOTS)
    options = parser.parse_args()
    options.cache = options.folder / "cache"
    {"run": sweep, "tables": tables}[options.what](options)


if __name__ == "__main__":
    main()
