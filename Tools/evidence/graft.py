#!/usr/bin/env python3
"""A new task on a trained tree, leave-one-task-out on the drawn world: grafted, from scratch with all tasks, and alone by CoOp.

    python3 Tools/evidence/graft.py run                 # one preset x shots x all tasks left out
    python3 Tools/evidence/graft.py run --arms coop     # the missing runs of one arm, beside what is there
    python3 Tools/evidence/graft.py tables              # Markdown from the records

Everything is done by the program itself. A run that is finished is skipped, unless the settings that it was asked for here (CoOp's
number of steps) are no longer those of its record: then it alone is trained again. Arms: coop (every task alone), scratch (HiPro on all
tasks), grafted and refined (the trees without a task, and their grafts).
"""

import argparse
import json
import pathlib
import shutil
import statistics
import time

from evidence import EVIDENCE, FROM_FOUR_SHOTS, ROOT, SETTINGS, draw, run

SHOTS = [1, 2, 4, 8]
ARMS = ["coop", "scratch", "grafted", "refined"]
# The most validation accuracy that refining may cost an old task.
MARGIN = 0.02


def is_finished(output, sets):
    """Whether there is a record, and it has the settings."""
    if not (output / "record.json").exists():
        return False
    experiment = json.loads((output / "record.json").read_text())["experiment"]
    for setting in sets:
        path, _, wanted = setting.partition("=")
        value = experiment
        for part in path.split("."):
            value = value[part]
        if str(value) != wanted:
            return False
    return True


def train(banyan, output, world, method, shots, seeds, cache, only=None):
    # As in the comparison of evidence.py.
    sets = FROM_FOUR_SHOTS.get(method, []) if shots >= 4 else []
    if is_finished(output, sets):
        return
    shutil.rmtree(output, ignore_errors=True)
    words = [banyan, "train", "--config", SETTINGS / f"{method}.json", "--model", "embedded", "--tasks", world, "--method", method]
    words += ["--shots", shots, "--validation-shots", 4, "--seeds", seeds, "--threads", 1, "--cache", cache, "--output", output, "-q"]
    for setting in sets:
        words += ["--set", setting]
    run(words + (["--only", ",".join(only)] if only else []))


def graft(banyan, output, world, source, name, cache, refine):
    if (output / "record.json").exists():
        return
    shutil.rmtree(output, ignore_errors=True)
    words = [banyan, "graft", "--run", source, "--tasks", world, "--only", name, "--output", output, "--cache", cache, "-q"]
    run(words + (["--refine", "--margin", MARGIN] if refine else []))


def tasks(world):
    return [task["name"] for task in json.loads((world / "world.json").read_text())["tasks"]]


def sweep(options):
    world = draw(options.banyan, options.folder, options.preset, EVIDENCE["world"])
    names = tasks(world)
    for shots in options.shots:
        place = options.folder / f"graft-{options.preset}" / f"{shots}-shots"
        for arm, method in [("scratch", "hipro"), ("coop", "coop")]:
            if arm in options.arms:
                train(options.banyan, place / f"all-{method}", world, method, shots, options.seeds, options.cache)
        grafts = [arm for arm in ["grafted", "refined"] if arm in options.arms]
        for name in names if grafts else []:
            rest = [other for other in names if other != name]
            start = time.monotonic()
            train(options.banyan, place / f"without-{name}", world, "hipro", shots, options.seeds, options.cache, only=rest)
            for arm in grafts:
                graft(options.banyan, place / f"{arm}-{name}", world, place / f"without-{name}", name, options.cache, refine=arm == "refined")
            print(f"{shots} shots, {name}: {time.monotonic() - start:.0f} s", flush=True)


def tables(options):
    world = draw(options.banyan, options.folder, options.preset, EVIDENCE["world"])
    names = tasks(world)

    def record(path):
        return json.loads((path / "record.json").read_text())

    def per_seed(path, task):
        return [seed["tasks"][task]["top1"] for seed in record(path)["runs"]]

    def guarded(path):
        """What refining changed in the validation accuracy of every old task that shares the path, seed after seed."""
        decisions = json.loads((path / "graft.json").read_text())
        return [task["after"] - task["before"] for decision in decisions for task in (decision.get("guarded") or {}).values()]

    print("| shots | CoOp alone | HiPro from scratch | grafted | refined | grafted − CoOp | grafted − scratch | seconds to graft "
          f"| to train anew | old tasks' test, refined | at worst | their validation at worst, of {-100 * MARGIN:+.1f} |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    exceeded = []
    for shots in options.shots:
        place = options.folder / f"graft-{options.preset}" / f"{shots}-shots"
        columns = {"coop": [], "scratch": [], "grafted": [], "refined": [], "old": []}
        kept = []
        seconds = {"graft": [], "scratch": []}
        for name in names:
            columns["coop"].append(per_seed(place / "all-coop", name))
            columns["scratch"].append(per_seed(place / "all-hipro", name))
            columns["grafted"].append(per_seed(place / f"grafted-{name}", name))
            columns["refined"].append(per_seed(place / f"refined-{name}", name))
            kept += guarded(place / f"refined-{name}")
            seconds["graft"].append(record(place / f"grafted-{name}")["measured"]["wallSeconds"]["training"])
            for other in names:
                if other != name:
                    before, after = per_seed(place / f"without-{name}", other), per_seed(place / f"refined-{name}", other)
                    columns["old"].append([b - a for a, b in zip(before, after)])
        # Of every single one, by the task left out, the old task and the seed: a mean over seeds would hide it.
        single = [value for row in columns["old"] for value in row]
        exceeded += [f"{shots} shots: {100 * value:+.2f}" for value in kept if value < -MARGIN - 1e-9]
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
              f"| {measured['affinity'] + measured['training']:.1f} | {shown(means['old'], '+')} "
              f"| {100 * min(single):+.1f} of {len(single)} | {f'{100 * min(kept):+.1f} of {len(kept)}' if kept else '–'} |")
    if exceeded:
        raise SystemExit(f"validation accuracies below the margin: {', '.join(exceeded)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "tables"])
    parser.add_argument("--banyan", type=pathlib.Path, default=ROOT / ".build/release/banyan")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "runs/evidence")
    parser.add_argument("--preset", default="families")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--shots", type=lambda text: [int(word) for word in text.split(",")], default=SHOTS)
    parser.add_argument("--arms", type=lambda text: text.split(","), default=ARMS,
                        help=f"of run: these alone, separated by commas, of {', '.join(ARMS)}; what is finished stays (default: all)")
    options = parser.parse_args()
    if unknown := set(options.arms) - set(ARMS):
        parser.error(f"there is no arm {', '.join(sorted(unknown))}; choose of {', '.join(ARMS)}")
    options.cache = options.folder / "cache"
    {"run": sweep, "tables": tables}[options.what](options)


if __name__ == "__main__":
    main()
