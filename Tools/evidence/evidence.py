#!/usr/bin/env python3
"""The fair comparison of Documentation/Evidence.md: choose settings, run the methods, make the tables.

    python3 Tools/evidence/evidence.py tune      # settings, on development worlds and seeds
    python3 Tools/evidence/evidence.py run       # three presets x five shot counts x all methods and controls
    python3 Tools/evidence/evidence.py tables    # Markdown from the records

Everything is done by the program itself (`banyan world`, `banyan train`, `banyan compare`); this only loops. What is
finished is skipped, so a stopped sweep goes on with the same command.
"""

import argparse
import concurrent.futures
import json
import math
import pathlib
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "Experiments" / "demo"
PRESETS = ["families", "strangers", "mixed"]
SHOTS = [1, 2, 4, 8, 16]
TUNING = {"presets": ["families", "mixed"], "shots": [1, 4]}
PICTURES = 44  # of every class: 16 to learn from, 4 to choose with, 24 to test on

DEVELOPMENT = {"world": 7, "seeds": "101,102"}
EVIDENCE = {"world": 1001, "seeds": "1,2,3,4,5"}

# A name in the tables: the catalogue's method, and what differs from that method's settings.
METHODS = {
    "zero-shot": ("zero-shot", []),
    "coop": ("coop", []),
    "coop-mt": ("coop-mt", []),
    "hipro": ("hipro", []),
    # Root and leaves alone: the mean of the weights of one prompt for all and of one prompt each.
    "mean-of-both": ("hipro", ["affinity.tree=star"]),
    "random-tree": ("hipro", ["affinity.tree=random"]),
    "planted-tree": ("hipro", ["affinity.tree=planted"]),
}
# What tuning chose at four shots where it differs from the choice at one shot, which Experiments/demo holds.
FROM_FOUR_SHOTS = {"coop": ["training.epochs=100"]}
RATES = [0.005, 0.02]
STEPS = [40, 100]


def run(words):
    result = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{result.stderr}")
    return result.stdout


def draw(banyan, folder, preset, seed):
    world = folder / f"{preset}-{seed}"
    if not (world / "world.json").exists():
        run([banyan, "world", "--preset", preset, "--seed", seed, "--pictures", PICTURES, "--output", world, "--quiet"])
    return world


def train(banyan, output, world, method, shots, seeds, sets, cache):
    if (output / "record.json").exists():
        return
    shutil.rmtree(output, ignore_errors=True)
    words = [banyan, "train", "--config", SETTINGS / f"{METHODS[method][0]}.json", "--model", "embedded"]
    words += ["--tasks", world, "--method", METHODS[method][0], "--shots", shots, "--validation-shots", 4]
    words += ["--seeds", seeds, "--threads", 1, "--cache", cache, "--output", output, "--quiet"]
    for setting in METHODS[method][1] + sets:
        if setting == "affinity.tree=planted":
            planted = json.loads((world / "world.json").read_text())["plantedTree"]
            setting = f"affinity.tree={planted}"
        if setting == "affinity.tree=star":
            names = [task["name"] for task in json.loads((world / "world.json").read_text())["tasks"]]
            setting = f"affinity.tree=({','.join(names)});"
        words += ["--set", setting]
    run(words)


def sweep(jobs, workers):
    """Runs jobs side by side and says how far they are."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(*job) for job in jobs]
        for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
            future.result()
            print(f"\r{done}/{len(jobs)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def average(folder):
    record = json.loads((folder / "record.json").read_text())
    return statistics.mean(
        statistics.mean(task["top1"] for task in seed["tasks"].values()) for seed in record["runs"])


def warm(banyan, folder, world, cache):
    """Computes the image features once, so that runs side by side find them."""
    train(banyan, folder / "warm" / world.name, world, "zero-shot", 16, "1", [], cache)


def tune(arguments):
    """Rate and steps of every method, with the same budget for each."""
    folder = arguments.output / "tuning"
    cache = arguments.output / "features"
    presets, shot_counts = TUNING["presets"], TUNING["shots"]
    worlds = {preset: draw(arguments.banyan, folder, preset, DEVELOPMENT["world"]) for preset in presets}
    for world in worlds.values():
        warm(arguments.banyan, folder, world, cache)
    jobs, cells = [], {}
    for method in ["coop", "coop-mt", "hipro"]:
        for shots in shot_counts:
            for rate in RATES:
                for steps in STEPS:
                    for preset in presets:
                        output = folder / method / f"{shots}-{rate}-{steps}-{preset}"
                        sets = [f"training.learningRate={rate}", f"training.epochs={steps}"]
                        cells.setdefault((method, rate, steps), []).append(output)
                        jobs.append((train, arguments.banyan, output, worlds[preset], method, shots,
                                     DEVELOPMENT["seeds"], sets, cache))
    sweep(jobs, arguments.workers)
    print("| Method | Rate | Steps | " + " | ".join(f"{s} shots" for s in shot_counts) + " | Average |")
    print("|---|---:|---:|" + "---:|" * (len(shot_counts) + 1))
    for (method, rate, steps), outputs in cells.items():
        # The name of a run begins with its shots.
        by_shots = [statistics.mean(average(o) for o in outputs if o.name.startswith(f"{s}-")) for s in shot_counts]
        numbers = " | ".join(f"{100 * value:.1f}" for value in by_shots + [statistics.mean(by_shots)])
        print(f"| {method} | {rate} | {steps} | {numbers} |")


def evidence(arguments):
    cache = arguments.output / "features"
    jobs = []
    for preset in arguments.presets:
        world = draw(arguments.banyan, arguments.output / "worlds", preset, EVIDENCE["world"])
        warm(arguments.banyan, arguments.output, world, cache)
        for shots in arguments.shots:
            for method in METHODS:
                if method == "planted-tree" and preset == "strangers":
                    continue  # Nothing is planted there but the root: that is `mean-of-both`.
                output = arguments.output / preset / str(shots) / method
                sets = FROM_FOUR_SHOTS.get(method, []) if shots >= 4 else []
                jobs.append((train, arguments.banyan, output, world, method, shots, EVIDENCE["seeds"], sets, cache))
    sweep(jobs, arguments.workers)


def tables(arguments):
    for preset in arguments.presets:
        folder = arguments.output / preset
        print(f"\n### `{preset}`\n")
        print("| | " + " | ".join(f"{s} shot{'s' if s > 1 else ''}" for s in arguments.shots) + " |")
        print("|---|" + "---:|" * len(arguments.shots))
        for method in METHODS:
            cells = []
            for shots in arguments.shots:
                path = folder / str(shots) / method / "record.json"
                if not path.exists():
                    continue
                record = json.loads(path.read_text())
                values = [statistics.mean(t["top1"] for t in run["tasks"].values()) for run in record["runs"]]
                cells.append(f"{100 * statistics.mean(values):.1f} ± {100 * statistics.stdev(values):.1f}")
            if cells:
                print(f"| {method} | " + " | ".join(cells) + " |")
        print("\nHiPro minus the others, in points, paired by seed, with 95 % intervals:\n")
        print("| HiPro minus | " + " | ".join(f"{s} shot{'s' if s > 1 else ''}" for s in arguments.shots) + " |")
        print("|---|" + "---:|" * len(arguments.shots))
        rows = {}
        for shots in arguments.shots:
            runs = sorted(str(p.parent) for p in (folder / str(shots)).glob("*/record.json"))
            both = json.loads(run([arguments.banyan, "compare", *runs, "--baseline",
                                   str(folder / str(shots) / "hipro").split("/")[-1], "--format", "json"]))
            for row in both["differences"]["rows"]:
                low, high = -row["mean"] - row["halfWidth"], -row["mean"] + row["halfWidth"]
                rows.setdefault(row["run"], []).append(
                    f"{-100 * row['mean']:+.1f} ({100 * low:+.1f} … {100 * high:+.1f})")
        for method in METHODS:
            if method in rows:
                print(f"| {method} | " + " | ".join(rows[method]) + " |")
        if preset != "strangers":
            print("\nCophenetic correlation of the tree that was found with the planted one:\n")
            print("| | " + " | ".join(f"{s} shot{'s' if s > 1 else ''}" for s in arguments.shots) + " |")
            print("|---|" + "---:|" * len(arguments.shots))
            cells, chance = [], 0
            for shots in arguments.shots:
                found = json.loads(run([arguments.banyan, "tree", folder / str(shots) / "hipro", "--format", "json"]))
                values = [entry["agreement"] for entry in found]
                chance = found[0]["chance"]
                cells.append(f"{statistics.mean(values):.2f} ({min(values):.2f} … {max(values):.2f})")
            print("| found tree, mean (lowest … highest seed) | " + " | ".join(cells) + " |")
            print(f"\nOf 1,000 random trees 95 in 100 stay below {chance:.2f}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tune", "run", "tables"])
    parser.add_argument("--banyan", type=pathlib.Path, default=ROOT / ".build/release/banyan")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "runs/evidence")
    parser.add_argument("--workers", type=int, default=2, help="runs side by side, one thread each")
    parser.add_argument("--presets", type=lambda t: t.split(","), default=PRESETS)
    parser.add_argument("--shots", type=lambda t: [int(s) for s in t.split(",")], default=SHOTS)
    arguments = parser.parse_args()
    arguments.banyan = arguments.banyan.resolve()
    {"tune": tune, "run": evidence, "tables": tables}[arguments.what](arguments)


if __name__ == "__main__":
    main()
