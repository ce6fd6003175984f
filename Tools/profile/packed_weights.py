#!/usr/bin/env python3
"""What products gain where their weights are packed once: MKL's and oneDNN's packed forms beside MKL's plain one, by the towers' shapes.

    .deps/venv/bin/python Tools/profile/packed_weights.py    # all threads; Markdown, GFLOP/s
"""

import time

import torch

# Rows, inputs, outputs: texts of 65 names, of a part of 1,000, of 65 under seven prompts; six pictures of a batch, as many as are taken at once.
SHAPES = [(277, 512, 1536), (277, 512, 512), (277, 512, 2048), (277, 2048, 512),
          (350, 512, 1536), (350, 512, 512), (350, 512, 2048), (350, 2048, 512),
          (1932, 512, 1536), (1932, 512, 512), (1932, 512, 2048), (1932, 2048, 512),
          (1182, 768, 2304), (1182, 768, 768), (1182, 768, 3072), (1182, 3072, 768)]  # fmt: skip


def seconds(work, repeats):
    begin = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - begin) / repeats


@torch.inference_mode()
def main():
    torch.manual_seed(0)
    print("| rows × inputs × outputs | MKL | MKL, packed | oneDNN, packed |\n|---|---:|---:|---:|")
    for rows, inputs, outputs in SHAPES:
        x, w = torch.randn(rows, inputs), torch.randn(outputs, inputs)
        mkl = torch.ops.mkl._mkl_reorder_linear_weight(w, rows)
        dnn = torch.ops.mkldnn._reorder_linear_weight(w, rows)
        ways = [
            lambda: torch.nn.functional.linear(x, w),
            lambda: torch.ops.mkl._mkl_linear(x, mkl, w, None, rows),
            lambda: torch.ops.mkldnn._linear_pointwise(x, dnn, None, "none", [], ""),
        ]
        work = 2 * rows * inputs * outputs
        repeats = max(3, int(0.15 * 200e9 / work))
        for way in ways:
            seconds(way, 2)
        # In turns: the machine's speed drifts.
        best = [min(times) for times in zip(*([seconds(way, repeats) for way in ways] for _ in range(7)))]
        print(f"| {rows} × {inputs} × {outputs} | " + " | ".join(f"{work / time / 1e9:.0f}" for time in best) + " |", flush=True)


main()
