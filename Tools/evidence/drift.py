#!/usr/bin/env python3
"""How often `banyan drift` raises a false alarm, and how often it finds a planted one, on drawn worlds of other seeds.

    python3 Tools/evidence/drift.py run       # writes windows.json; goes on where it was stopped
    python3 Tools/evidence/drift.py tables    # Markdown

Windows are pictures of the run's own tasks from worlds that it never saw, drawn at random whatever their class. Planted: a near relative's pictures under a task's name, those of
another family, and a quarter of the classes.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess

from evidence import EVIDENCE, ROOT, draw, run
from graft import tasks, train

CLASSES = 28
SIZES = [28, 56, 112]


def window(folder, source, names, size, chance, replaced=None, classes=None):
    """`size` pictures of each task, drawn by `chance`, as links into a world; `replaced` puts other tasks' pictures under a task's name."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in names:
        origin = source / (replaced or {}).get(name, name)
        labels = sorted(os.listdir(origin))[: classes or CLASSES]
        for picture in chance.sample([picture for label in labels for picture in sorted((origin / label).iterdir())], size):
            place = folder / name / picture.parent.name
            place.mkdir(parents=True, exist_ok=True)
            os.symlink(picture, place / picture.name)
    return folder


def ask(options, trained, pictures):
    words = [options.banyan, "drift", "--run", trained, "--pictures", pictures, "--draws", 399, "--format", "json", "-q", "--cache", options.cache]
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if result.returncode not in (0, 3) or not result.stdout:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout)["rows"]


def sweep(options):
    world = draw(options.banyan, options.folder, "families", EVIDENCE["world"])
    trained = options.folder / "drift-run"
    train(options.banyan, trained, world, "hipro", 8, "1", options.cache)
    names = tasks(world)
    families = [names[place:place + 3] for place in range(0, 9, 3)]
    near = {name: family[(family.index(name) + 1) % 3] for family in families for name in family}
    far = {name: families[(number + 1) % 3][0] for number, family in enumerate(families) for name in family}
    record = options.folder / "windows.json"
    done = json.loads(record.read_text()) if record.exists() else []
    known = {(item["world"], item["kind"], item["size"]) for item in done}
    for number in range(options.worlds):
        other = options.folder / f"drift-world-{number}"
        if not (other / "world.json").exists():
            run([options.banyan, "world", "--preset", "families", "--seed", 5000 + number, "--pictures", 16, "--output", other, "--quiet"])
        for size in SIZES:
            for kind, more in [("same", {}), ("near", {"replaced": near}), ("far", {"replaced": far}), ("mix", {"classes": CLASSES // 4})]:
                # Planted ones need fewer worlds to be seen.
                if (number, kind, size) in known or (kind != "same" and number >= options.worlds // 4):
                    continue
                chance = random.Random(f"{number} {kind} {size}")
                rows = ask(options, trained, window(options.folder / "window", other, names, size, chance, **more))
                done.append({"world": number, "kind": kind, "size": size, "rows": rows})
                record.write_text(json.dumps(done))
        shutil.rmtree(other)
        print(f"world {number + 1} of {options.worlds}", flush=True)


def tables(options):
    done = json.loads((options.folder / "windows.json").read_text())
    print("| pictures a task | " + " | ".join(str(size) for size in SIZES) + " |")
    print("|---|" + "---:|" * len(SIZES))

    def line(title, kind, count):
        cells = []
        for size in SIZES:
            items = [item for item in done if item["kind"] == kind and item["size"] == size]
            found, total = count(items)
            cells.append(f"{found} of {total}")
        print(f"| {title} | " + " | ".join(cells) + " |")

    line("nothing changed: services with an alarm (level 0.05)", "same",
         lambda items: (sum(any(row["hasMoved"] for row in item["rows"]) for item in items), len(items)))
    line("nothing changed: tasks with p ≤ 0.05", "same",
         lambda items: (sum(row["pValue"] <= 0.05 for item in items for row in item["rows"]), sum(len(item["rows"]) for item in items)))
    for title, kind in [("a near relative's pictures: tasks named", "near"), ("another family's pictures: tasks named", "far"),
                        ("a quarter of the classes: tasks named", "mix")]:
        line(title, kind, lambda items: (sum(row["hasMoved"] for item in items for row in item["rows"]), sum(len(item["rows"]) for item in items)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "tables"])
    parser.add_argument("--banyan", type=pathlib.Path, default=ROOT / ".build/release/banyan")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "runs/evidence")
    parser.add_argument("--worlds", type=int, default=40)
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.cache = options.folder / "cache"
    {"run": sweep, "tables": tables}[options.what](options)


if __name__ == "__main__":
    main()
