"""Writes or checks Tests/Goldens/MANIFEST.json: the SHA-256 of every file below Tests/Goldens.

    manifest.py           write it
    manifest.py --check   exit 1 and list what was added, removed or changed
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

# Not from `storage`: the check runs with any Python 3, without torch.
GOLDENS = Path(__file__).resolve().parents[2] / "Tests" / "Goldens"
MANIFEST = GOLDENS / "MANIFEST.json"


def hashes() -> dict[str, str]:
    found = {}
    for path in sorted(GOLDENS.rglob("*")):
        if path.is_file() and path != MANIFEST and not path.name.startswith("."):
            found[path.relative_to(GOLDENS).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def changes(recorded: dict[str, str], found: dict[str, str]) -> list[str]:
    lines = [f"removed  {name}" for name in sorted(recorded.keys() - found.keys())]
    lines += [f"added    {name}" for name in sorted(found.keys() - recorded.keys())]
    return lines + [f"changed  {name}" for name in sorted(recorded.keys() & found.keys())
                    if recorded[name] != found[name]]


def main() -> int:
    parser = argparse.ArgumentParser(description="hashes of the goldens")
    parser.add_argument("--check", action="store_true", help="compare with the manifest, write nothing")
    found = hashes()
    if not parser.parse_args().check:
        MANIFEST.write_text(json.dumps({"files": found}, indent=2) + "\n", encoding="utf-8")
        print(f"{len(found)} files in {MANIFEST.name}")
        return 0
    if not MANIFEST.is_file():
        print(f"there is no {MANIFEST.name}: run manifest.py without --check", file=sys.stderr)
        return 1
    lines = changes(json.loads(MANIFEST.read_text(encoding="utf-8"))["files"], found)
    print("\n".join(lines) if lines else f"{len(found)} files as recorded")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
