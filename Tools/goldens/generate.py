"""Makes all goldens anew, each script in a process of its own, then the manifest.

    generate.py                 all
    generate.py clip prompts    only these, then the manifest
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# In this order: each may read what those before it have written.
SCRIPTS = ["tokenizer", "image", "checkpoints", "clip", "prompts", "hipro", "grouped", "backbone", "embedded", "frozen", "coupled", "figures", "task2vec"]


def main() -> int:
    parser = argparse.ArgumentParser(description="makes the goldens and their manifest")
    parser.add_argument("scripts", nargs="*", metavar="script", help=", ".join(SCRIPTS))
    chosen = parser.parse_args().scripts
    unknown = [name for name in chosen if name not in SCRIPTS]
    if unknown:
        parser.error(f"no such script: {', '.join(unknown)} (there are {', '.join(SCRIPTS)})")
    # The environment decides how sums are split among threads and how sets are ordered: fix both.
    environment = os.environ | {
        "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false", "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name in SCRIPTS + ["manifest"]:
        script = HERE / f"{name}.py"
        if chosen and name not in chosen and name != "manifest":
            continue
        if not script.is_file():
            print(f"{name}: not there, left out", file=sys.stderr)
            continue
        print(f"{name}:", flush=True)
        code = subprocess.run([sys.executable, str(script)], env=environment, check=False).returncode
        if code:
            print(f"{name} failed with {code}; later scripts were not run", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
