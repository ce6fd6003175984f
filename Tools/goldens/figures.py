"""What figures are drawn from, by the libraries that people draw with: contour lines by contourpy (matplotlib's own), places in
the plane and bins of confidence by scikit-learn, ranks and the order of a tree's leaves by scipy."""

import math
import random

import contourpy
import numpy
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata, spearmanr
from sklearn.calibration import calibration_curve
from sklearn.manifold import TSNE, _t_sne

from storage import GOLDENS, save_json

FOLDER = GOLDENS / "figures"


def surface(x: float, y: float) -> float:
    """Two valleys, a saddle between them, and a slope."""
    first = math.exp(-((x + 1) ** 2 + y**2))
    second = 0.7 * math.exp(-(((x - 1) / 0.8) ** 2 + (y - 0.4) ** 2))
    return 1 - first - second + 0.15 * y


def lines(x, y, z, levels):
    found = contourpy.contour_generator(x, y, z, name="serial", quad_as_tri=False)
    return [[line.tolist() for line in found.lines(level)] for level in levels]


def contours() -> None:
    # Unequal steps in both directions.
    x = [-2.4 + 4.8 * i / 16 + 0.05 * math.sin(3 * i) for i in range(17)]
    y = [-1.9 + 3.8 * i / 12 + 0.04 * math.cos(2 * i) for i in range(13)]
    smooth = [[surface(a, b) for a in x] for b in y]
    levels = [0.2, 0.45, 0.62, 0.9, 1.1]
    # Noise has saddles in every other cell.
    noise = random.Random(17)
    rough = [[noise.random() for _ in x] for _ in y]
    # No level is a value of the grid: there a line would touch a corner, which libraries resolve each in its own way.
    assert not set(levels) & {value for grid in (smooth, rough) for row in grid for value in row}
    save_json(FOLDER / "contours.json", {
        "x": x, "y": y, "levels": levels, "smooth": smooth, "rough": rough,
        "smoothLines": lines(x, y, smooth, levels), "roughLines": lines(x, y, rough, levels),
    })


def embedding() -> None:
    """Three clusters of different widths in six dimensions."""
    noise = numpy.random.default_rng(23)
    centres = numpy.array([[0] * 6, [4, 0, 0, 1, 0, 0], [0, 3, 3, 0, 0, 0]], dtype=float)
    points = numpy.concatenate(
        [centre + width * noise.normal(size=(count, 6)) for centre, width, count in zip(centres, [0.5, 0.9, 0.3], [14, 12, 10])])
    points = numpy.round(points, 6)
    squared = squareform(pdist(points, "sqeuclidean"))
    perplexity = 8.0
    p = squareform(_t_sne._joint_probabilities(squared.astype(numpy.float32), perplexity, 0))
    y = noise.normal(size=(len(points), 2))
    divergence, gradient = _t_sne._kl_divergence(y.ravel(), squareform(p), 1.0, len(points), 2)
    _, pulled = _t_sne._kl_divergence(y.ravel(), squareform(12 * p), 1.0, len(points), 2)
    # What it ends with depends on where it starts.
    ends = [float(TSNE(perplexity=perplexity, method="exact", init=init, random_state=seed).fit(points).kl_divergence_)
            for init, seed in [("pca", 0)] + [("random", seed) for seed in range(9)]]
    save_json(FOLDER / "embedding.json", {
        "points": points.tolist(), "perplexity": perplexity, "p": p.ravel().tolist(), "y": y.ravel().tolist(),
        "gradient": gradient.tolist(), "exaggeratedGradient": pulled.tolist(), "divergence": divergence,
        "finalDivergences": ends,
    })


def ranks() -> None:
    noise = numpy.random.default_rng(5)
    cases = []
    for count, values in [(5, 100), (40, 6), (200, 1000), (12, 2)]:
        a = noise.integers(0, values, count).astype(float)
        b = a * noise.choice([1, -1]) + noise.integers(0, values, count)
        cases.append({"a": a.tolist(), "b": b.tolist(), "ranks": rankdata(a).tolist(), "spearman": spearmanr(a, b).statistic})
    save_json(FOLDER / "ranks.json", cases)


def leaves() -> None:
    noise = numpy.random.default_rng(31)
    cases = []
    for count in [2, 3, 8, 25]:
        affinity = noise.uniform(-0.2, 0.9, (count, count))
        affinity = numpy.round((affinity + affinity.T) / 2, 6)
        numpy.fill_diagonal(affinity, 1)
        joins = linkage(squareform(1 - affinity, checks=False), "average")
        # The branch with the first task on top, as tables list tasks.
        first = list(range(count))
        for row in joins:
            row[:2] = sorted(row[:2], key=lambda cluster: first[int(cluster)])
            first.append(first[int(row[0])])
        order = dendrogram(joins, no_plot=True)["leaves"]
        cases.append({"affinity": affinity.tolist(), "leaves": order, "heights": (1 - joins[:, 2]).tolist()})
    save_json(FOLDER / "leaves.json", cases)


def reliability() -> None:
    noise = numpy.random.default_rng(41)
    cases = []
    for count, bins in [(400, 15), (60, 10), (7, 15)]:
        # Of two classes the likelier one has half or more.
        sure = numpy.round(noise.beta(4, 2, count) / 2 + 0.5, 4)
        sure[0] = 1
        label = (noise.random(count) > sure ** 2).astype(int)
        right = label == 0
        accuracy, confidence = calibration_curve(right, sure, n_bins=bins)
        edges = numpy.linspace(0, 1, bins + 1)
        held = numpy.bincount(numpy.searchsorted(edges[1:-1], sure), minlength=bins)
        kept = held[held > 0]
        cases.append({
            "confidence": sure.tolist(), "labels": label.tolist(), "bins": bins, "counts": held.tolist(),
            "meanConfidence": confidence.tolist(), "accuracy": accuracy.tolist(),
            "error": float((kept / count * abs(accuracy - confidence)).sum()),
        })
    save_json(FOLDER / "reliability.json", cases)


if __name__ == "__main__":
    contours()
    embedding()
    ranks()
    leaves()
    reliability()
    print("figures: contours, embedding, ranks, leaves, reliability")
