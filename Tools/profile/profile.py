#!/usr/bin/env python3
"""Where the processor time of a benchmark's cases goes, by `perf`: this side's rounds alone, neither set-up nor warm-up.

    python3 Tools/profile/profile.py coop-65 maple-16 fine-tuning    # .build/release/banyan-bench, all threads; Markdown

Shares are of all samples of the program, waiting in a loop included.
"""

import argparse
import collections
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / ".build/release/banyan-bench"

# The first that a sample's library and symbol match.
KINDS = [
    ("products", r"sgemm_kernel|gemm_kernel|sgemm_pst|jit_|brgemm|\[JIT\]|perf-\d+\.map"),
    ("copying for them", r"gemm.*copy|omp_parallel_[ab]copy|full[ab]copy|_pack|pack_"),
    ("attention", r"attention|softmax|(forward_|backward_|::)heads"),
    ("quick-GELU", r"gelu"),
    ("norms", r"norm"),
    ("decoding", r"libjpeg|jsimd|jpeg|PixelImage|PixelRows|Resampl|ImagePreprocessor"),
    ("optimizer", r"adam|sgd"),
    ("waiting", r"gomp|do_spin|barrier|libiomp|sched_yield|futex"),
    ("kernel", r"\[kernel|\[k\]|vmlinux"),
]


def profile(case, rounds, patch, folder):
    bench = subprocess.Popen(
        [BENCH, "--alone", "--patch", str(patch), "--pairs", str(rounds), "--cases", case], cwd=ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)
    data, perf = folder / "perf.data", None
    for line in bench.stderr:
        if "round 1 of" in line:
            perf = subprocess.Popen(
                ["perf", "record", "--quiet", "-e", "cpu-clock", "-F", "499", "-o", data, "-p", str(bench.pid)], stderr=subprocess.DEVNULL)
        if f"round {rounds} of" in line and perf:
            perf.send_signal(signal.SIGINT)
            perf.wait()
    if bench.wait() != 0 or not data.exists():
        sys.exit(f"{case}: banyan-bench or perf failed")
    # Counts and not shares: those of kernels made at run time, an entry an address, would be rounded to nothing.
    report = subprocess.run(
        ["perf", "report", "-i", data, "--stdio", "--no-children", "-F", "sample,dso,symbol", "-t", "|"],
        capture_output=True, text=True, check=True).stdout
    counts, rest = collections.Counter(), []
    for line in report.splitlines():
        if line.startswith("#") or line.count("|") < 2:
            continue
        count, place = line.split("|", 1)
        count = int(count)
        kind = next((name for name, pattern in KINDS if re.search(pattern, place, re.IGNORECASE)), None)
        counts[kind or "else"] += count
        if kind is None:
            rest.append((count, re.sub(r"\s+", " ", place)))
    total = counts.total()
    if total == 0:
        sys.exit(f"{case}: perf took no samples")
    shares = {name: 100 * count / total for name, count in counts.items()}
    rest = [(100 * count / total, place) for count, place in rest]
    return shares, rest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--rounds", type=int, default=6, help="the first is not sampled")
    parser.add_argument("--patch", type=int, default=16, help="side of an image token, 16 or 32")
    parser.add_argument("--rest", action="store_true", help="say what `else` is")
    options = parser.parse_args()
    names = [name for name, _ in KINDS] + ["else"]
    print("| case | " + " | ".join(names) + " |\n|---|" + "---:|" * len(names))
    for case in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            shares, rest = profile(case, options.rounds, options.patch, pathlib.Path(folder))
        print(f"| {case} | " + " | ".join(f"{shares.get(name, 0):.0f} %" for name in names) + " |", flush=True)
        if options.rest:
            for share, place in rest[:12]:
                print(f"    {share:5.1f} % {place}", file=sys.stderr)


main()
