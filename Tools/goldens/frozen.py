"""Goldens of methods on top of frozen features, with tiny-clip: linear probe, CLIP-Adapter, Tip-Adapter and its trained form.

Three tasks, two of them with the same classes. The minimum of the linear probe is scikit-learn's; the text's weights are
those of transformers' own CLIPModel. All but the former is computed in float32 (saved) and in float64 (printed beside it).
"""

import warnings

import torch
import transformers
from sklearn.linear_model import LogisticRegression

from clip import load, token_ids
from prompts import leaf, report
from reference import cross_entropy, unit
from storage import GOLDENS, generator, make_deterministic, normal, save_json, save_tensors

SHARED = ["cat", "red fox", "wooden chair", "grand piano"]
TASKS = {"photo": SHARED, "sketch": SHARED, "digit": ["number seven", "zero", "big letter"]}
NAMES = list(TASKS.values())
TEMPLATE = "a photo of a {}."
STEPS, TRAINING, HELD = 10, 12, 30
WIDTH, MIDDLE = 24, 6
SGD = {"momentum": 0.9, "weight_decay": 5e-4}
RATES = {"linear-probe": 0.5, "clip-adapter": 0.05, "tip-adapter-f": 0.005}
STRENGTHS = [0.01, 1.0, 100.0]
RATIO = 0.2
ALPHA, BETA = 1.0, 5.5
LIMITS = {"alpha": 40.0, "beta": 13.0}


def pictures():
    """Unit features and labels to train on (x, labels) and held out (held.x, held.labels); classes overlap."""
    found = {}
    for task, names in enumerate(NAMES):
        centres = normal((len(names), WIDTH), 700 + task)
        for kind, count, seed in [("", TRAINING, 710), ("held.", HELD, 720)]:
            labels = torch.randint(len(names), (count,), generator=generator(seed + task))
            noise = normal((count, WIDTH), seed + 30 + task, 1.6)
            found |= {f"{kind}x.{task}": unit(centres[labels] + noise), f"{kind}labels.{task}": labels}
    return found


@torch.no_grad()
def text_weights(dtype):
    """The unit features of the sentences by task, and exp(logit_scale)."""
    model = load("tiny-clip", dtype)
    weights = [
        unit(model.get_text_features(token_ids("tiny-clip", [TEMPLATE.format(name) for name in names])).pooler_output)
        for names in NAMES]
    return weights, model.logit_scale.exp()


def learn(parameters, logits, labels, rate, prefix):
    """Step 0 and ten full-batch steps of SGD on the summed losses; `logits(task)` reads the parameters."""
    losses = lambda: torch.stack([cross_entropy(logits(task), labels[task]) for task in range(len(NAMES))])
    before = losses()
    found = {f"{prefix}.step0.losses": before}
    for (path, _), gradient in zip(
            parameters.items(), torch.autograd.grad(before.sum(), list(parameters.values()))):
        found[f"{prefix}.step0.gradient.{path}"] = gradient
    found |= {f"{prefix}.step0.logits.{task}": logits(task).detach() for task in range(len(NAMES))}
    stepper = torch.optim.SGD(list(parameters.values()), lr=rate, foreach=False, **SGD)
    curve = []
    for _ in range(STEPS):
        now = losses()
        stepper.zero_grad()
        now.sum().backward()
        stepper.step()
        curve.append(now.detach())
    found[f"{prefix}.sgd.task_losses"] = torch.stack(curve)
    return found | {f"{prefix}.final.logits.{task}": logits(task).detach() for task in range(len(NAMES))}


class Features:
    """The pictures in one precision, as lists by task."""

    def __init__(self, inputs, dtype):
        read = lambda key: [inputs[f"{key}.{task}"] for task in range(len(NAMES))]
        self.x, self.held = [each.to(dtype) for each in read("x")], [each.to(dtype) for each in read("held.x")]
        self.labels, self.held_labels = read("labels"), read("held.labels")


# Linear probe

def regression(x, labels, classes, strength):
    """scikit-learn's minimum of Σ CE + strength/2 ‖W‖², to its last digits."""
    assert set(labels.tolist()) == set(range(classes)), "a class without pictures has no row in scikit-learn"
    model = LogisticRegression(C=1 / strength, solver="newton-cg", tol=1e-12, max_iter=10_000)
    with warnings.catch_warnings():
        # Its line search says so where rounding alone is left.
        warnings.simplefilter("ignore")
        model.fit(x.double().numpy(), labels.numpy())
    head, bias = torch.tensor(model.coef_), torch.tensor(model.intercept_)
    surplus = torch.softmax(x.double() @ head.T + bias, 1) - torch.nn.functional.one_hot(labels, classes)
    slope = (surplus.T @ x.double() + strength * head).abs().max().item()
    if not slope < 1e-7:
        print(f"  strength {strength}: scikit-learn stopped at a slope of {slope:.1e}")
    return head, bias


def chosen_strength(x, labels, held, held_labels, classes):
    """The exponent by accuracy, then cross-entropy, then size: decades first, then between them."""
    seen = {}

    def score(exponent):
        head, bias = regression(x, labels, classes, 10 ** exponent)
        logits = held.double() @ head.T + bias
        correct = (logits.argmax(1) == held_labels).sum().item()
        return (-correct, cross_entropy(logits, held_labels).item())

    for exponent in range(6, -7, -1):
        seen[float(exponent)] = score(exponent)
    for step in [0.5, 0.25, 0.125]:
        centre = min(seen, key=lambda exponent: (seen[exponent], -exponent))
        for exponent in [centre + step, centre - step]:
            if abs(exponent) <= 6:
                seen[exponent] = score(exponent)
    ranked = sorted(seen, key=lambda exponent: (seen[exponent], -exponent))
    print("  strengths:", [(exponent, *seen[exponent]) for exponent in ranked[:3]])
    return ranked[0]


def linear_probe(inputs, dtype):
    features = Features(inputs, dtype)
    parameters = {key: leaf(inputs[key], dtype) for key in inputs if key.startswith("tasks.")}
    return learn(
        parameters, lambda t: features.x[t] @ parameters[f"tasks.{t}.head"].T + parameters[f"tasks.{t}.bias"],
        features.labels, RATES["linear-probe"], "steps")


def minima(inputs):
    features, found = Features(inputs, torch.float32), {}
    for task, names in enumerate(NAMES):
        x, labels, held = features.x[task], features.labels[task], features.held[task]
        for index, strength in enumerate(STRENGTHS):
            head, bias = regression(x, labels, len(names), strength)
            found |= {f"minimum.{index}.head.{task}": head.float(), f"minimum.{index}.bias.{task}": bias.float(),
                      f"minimum.{index}.logits.{task}": (held.double() @ head.T + bias).float()}
        exponent = chosen_strength(x, labels, held, features.held_labels[task], len(names))
        head, bias = regression(x, labels, len(names), 10 ** exponent)
        found |= {f"chosen.exponent.{task}": torch.tensor(exponent),
                  f"chosen.logits.{task}": (held.double() @ head.T + bias).float()}
    return found


# Adapter

def clip_adapter(inputs, dtype):
    features, (texts, scale) = Features(inputs, dtype), text_weights(dtype)

    def adapted(x, parameters, path):
        moved = torch.relu(torch.relu(x @ parameters[f"{path}.input"].T) @ parameters[f"{path}.output"].T)
        return unit(RATIO * moved + (1 - RATIO) * x)

    shared = {key: leaf(inputs[key], dtype) for key in inputs if key.startswith("shared.")}
    own = {key: leaf(inputs[key], dtype) for key in inputs if key.startswith("tasks.")}
    rate = RATES["clip-adapter"]
    found = learn(
        shared, lambda t: scale * adapted(features.x[t], shared, "shared.adapter") @ texts[t].T,
        features.labels, rate, "image")
    found |= learn(
        own, lambda t: scale * features.x[t] @ adapted(texts[t], own, f"tasks.{t}.adapter").T,
        features.labels, rate, "text")
    return found | {f"weights.{task}": each for task, each in enumerate(texts)}


# Cache

def cached(x, keys, values, alpha, beta):
    return alpha * torch.exp(-beta * (1 - x @ keys.T)) @ values


def searched(text, x, keys, values, labels):
    """(α, β) by accuracy, then cross-entropy."""
    grid = lambda limit, count: [0.1 + i * (limit - 0.1) / count for i in range(count)]
    results = []
    for beta in grid(LIMITS["beta"], 200):
        for alpha in grid(LIMITS["alpha"], 20):
            logits = text + cached(x, keys, values, alpha, beta)
            correct = (logits.argmax(1) == labels).sum().item()
            results.append((-correct, cross_entropy(logits, labels).item(), beta, alpha))
    results.sort()
    print("  searched:", results[:3])
    return torch.tensor(results[0][3]), torch.tensor(results[0][2])


def tip_adapter(inputs, dtype):
    features, (texts, scale) = Features(inputs, dtype), text_weights(dtype)
    values = [torch.nn.functional.one_hot(labels, len(names)).to(dtype)
              for labels, names in zip(features.labels, NAMES)]
    keys = {f"tasks.{task}.keys": leaf(x, dtype) for task, x in enumerate(features.x)}

    def logits(x, task):
        return scale * x @ texts[task].T + cached(x, keys[f"tasks.{task}.keys"], values[task], ALPHA, BETA)

    found = {f"held.logits.{task}": logits(x, task).detach() for task, x in enumerate(features.held)}
    found |= {f"values.{task}": each for task, each in enumerate(values)}
    if dtype == torch.float64:
        for task, x in enumerate(features.held):
            found[f"searched.alpha.{task}"], found[f"searched.beta.{task}"] = searched(
                scale * x @ texts[task].T, x, features.x[task], values[task], features.held_labels[task])
    found |= learn(keys, lambda t: logits(features.x[t], t), features.labels, RATES["tip-adapter-f"], "trained")
    return found | {f"trained.held.logits.{task}": logits(x, task).detach() for task, x in enumerate(features.held)}


def both(function, inputs):
    """The float32 run; what only the precise one has is taken from there."""
    single, double = function(inputs, torch.float32), function(inputs, torch.float64)
    report(single, double)
    return {key: value.float() for key, value in double.items() if key not in single} | single


def main() -> None:
    make_deterministic()
    transformers.utils.logging.disable_progress_bar()
    given = pictures()
    heads, adapters = {}, {}
    for task, names in enumerate(NAMES):
        heads |= {f"tasks.{task}.head": normal((len(names), WIDTH), 770 + task, 0.2),
                  f"tasks.{task}.bias": normal((len(names),), 775 + task, 0.2)}
    for index, path in enumerate(["shared", "tasks.0", "tasks.1", "tasks.2"]):
        adapters |= {f"{path}.adapter.input": normal((MIDDLE, WIDTH), 780 + index, 0.2),
                     f"{path}.adapter.output": normal((WIDTH, MIDDLE), 785 + index, 0.4)}
    folder = GOLDENS / "methods"
    print(" linear-probe:")
    save_tensors(
        folder / "linear-probe.safetensors",
        given | heads | both(linear_probe, given | heads) | minima(given))
    print(" clip-adapter:")
    save_tensors(folder / "clip-adapter.safetensors", given | adapters | both(clip_adapter, given | adapters))
    print(" tip-adapter:")
    save_tensors(folder / "tip-adapter.safetensors", given | both(tip_adapter, given))
    save_json(folder / "frozen.json", {
        "checkpoint": "tiny-clip", "tasks": [{"name": name, "classNames": names} for name, names in TASKS.items()],
        "template": TEMPLATE, "steps": STEPS, "sgd": SGD, "rates": RATES, "strengths": STRENGTHS, "ratio": RATIO,
        "alpha": ALPHA, "beta": BETA, "limits": LIMITS})


if __name__ == "__main__":
    main()
