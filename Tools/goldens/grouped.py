"""Goldens of prompts in both towers for groups of tasks: MmAP and the two partners of its ablation, with tiny-clip.

Three tasks; the first two are a group with prompts of its own, and every task has prompts beside it. All numbers follow
from the equations of Xin et al., AAAI 2024, through `reference.py`; Kronecker products are torch.kron's.
"""

import torch
import transformers

from prompts import Prompts, leaf, report
from reference import cross_entropy, unit
from storage import GOLDENS, generator, make_deterministic, normal, save_json, save_tensors

SHARED = ["cat", "red fox", "wooden chair", "blue bird"]
TASKS = {"photo": SHARED, "sketch": SHARED, "digit": ["number seven", "zero", "big letter"]}
NAMES = list(TASKS.values())
UNITS = ["groups.0", "tasks.0", "tasks.1", "tasks.2"]
OF_TASK = [["groups.0", "tasks.0"], ["groups.0", "tasks.1"], ["tasks.2"]]
LENGTH, LAYERS, TEXT, IMAGE, SOURCE = 2, 3, 32, 48, 8
ROWS, COLUMNS = 2, 8  # m, n
# Of the random starts: at these float32 and float64 agree well.
SPREAD = {"mmap": 0.6, "mmap_shared": 0.6, "joint": 0.3, "mlp": 0.3}
STEPS, SAMPLES = 10, 4
SGD = {"lr": 0.02, "momentum": 0.9, "weight_decay": 5e-4}


def kronecker(unit_of, tower, layer):
    return torch.kron(unit_of(f"{tower}.{layer}"), unit_of(f"source.{layer}"))


def shared_kronecker(unit_of, tower, layer):
    return torch.kron(unit_of(f"{tower}.{layer}"), unit_of("source"))


def free(unit_of, tower, layer):
    return unit_of(f"{tower}.{layer}")


def mapped(unit_of, tower, layer):
    return unit_of(f"source.{layer}") @ unit_of(f"{tower}.{layer}.weight").T + unit_of(f"{tower}.{layer}.bias")


def shapes(method):
    """The parameters of one unit."""
    found = {}
    for layer in range(LAYERS):
        if method in ("mmap", "mmap_shared"):
            source = "source" if method == "mmap_shared" else f"source.{layer}"
            found |= {source: (ROWS, COLUMNS), f"text.{layer}": (LENGTH // ROWS, TEXT // COLUMNS),
                      f"image.{layer}": (LENGTH // ROWS, IMAGE // COLUMNS)}
        elif method == "joint":
            found |= {f"text.{layer}": (LENGTH, TEXT), f"image.{layer}": (LENGTH, IMAGE)}
        else:
            found |= {f"source.{layer}": (LENGTH, SOURCE),
                      f"text.{layer}.weight": (TEXT, SOURCE), f"text.{layer}.bias": (TEXT,),
                      f"image.{layer}.weight": (IMAGE, SOURCE), f"image.{layer}.bias": (IMAGE,)}
    return found


RULES = {"mmap": kronecker, "mmap_shared": shared_kronecker, "joint": free, "mlp": mapped}


class Model:
    """Both towers under the prompts of a task."""

    def __init__(self, prompts, inputs):
        self.prompts, self.clip = prompts, prompts.clip
        self.pixels = [inputs[f"pixels.{t}"].to(prompts.dtype) for t in range(3)]
        self.labels = [inputs[f"labels.{t}"] for t in range(3)]

    def tokens(self, rule, parameters, task, tower):
        """[count, width] of every layer: the group's first, then the task's own."""
        parts = [[rule(lambda name: parameters[f"{unit}.{name}"], tower, layer) for unit in OF_TASK[task]]
                 for layer in range(LAYERS)]
        return [torch.cat(part) for part in parts]

    def logits(self, rule, parameters, task):
        text = self.tokens(rule, parameters, task, "text")
        rows, ends = [], []
        for name in NAMES[task]:
            label, stop = self.prompts.ids(name), self.prompts.ids(".")
            used = 1 + len(text[0]) + len(label) + len(stop)
            parts = [[self.prompts.start], text[0], label + stop + [self.prompts.end] * (self.prompts.length - used)]
            rows.append(torch.cat([
                part if torch.is_tensor(part) else self.clip.token_embedding(torch.tensor(part)) for part in parts]))
            ends.append(used)
        w = unit(self.clip.text_features(
            torch.stack(rows), torch.tensor(ends), replaced={k: text[k] for k in range(1, LAYERS)}))
        image = self.tokens(rule, parameters, task, "image")
        x = unit(self.clip.image_features(
            self.pixels[task], inserted={0: image[0]}, replaced={k: image[k] for k in range(1, LAYERS)}))
        return self.clip.scale * x @ w.T

    def losses(self, rule, parameters):
        return torch.stack([cross_entropy(self.logits(rule, parameters, t), self.labels[t]) for t in range(3)])


def run(model, name, start):
    rule = RULES[name]
    parameters = {path: leaf(value, model.prompts.dtype) for path, value in start.items()}
    losses = model.losses(rule, parameters)
    found = {f"{name}.losses": losses}
    gradients = torch.autograd.grad(losses.sum(), list(parameters.values()))
    found |= {f"{name}.gradient.{path}": value for path, value in zip(parameters, gradients)}
    stepper = torch.optim.SGD(list(parameters.values()), foreach=False, **SGD)
    curve = []
    for _ in range(STEPS):
        losses = model.losses(rule, parameters)
        stepper.zero_grad()
        losses.sum().backward()
        stepper.step()
        curve.append(losses.detach())
    found[f"{name}.curve"] = torch.stack(curve)
    return found | {f"{name}.logits.{t}": model.logits(rule, parameters, t) for t in range(3)}


def main() -> None:
    make_deterministic()
    transformers.utils.logging.disable_progress_bar()
    inputs, starts = {}, {}
    for task in range(3):
        # A pattern for each class, with noise, so that there is something to learn.
        labels = torch.randint(len(NAMES[task]), (SAMPLES,), generator=generator(840 + task // 2))
        scenes = normal((4, 3, 32, 32), 820 + task // 2)
        inputs[f"labels.{task}"] = labels
        inputs[f"pixels.{task}"] = scenes[labels] + normal((SAMPLES, 3, 32, 32), 830 + task, 0.5)
    for offset, name in enumerate(RULES):
        starts[name] = {
            f"{unit}.{path}": normal(shape, 860 + 40 * offset + 10 * place + sum(map(ord, path)) % 997, SPREAD[name])
            for place, unit in enumerate(UNITS) for path, shape in shapes(name).items()}
        inputs |= {f"{name}.start.{path}": value for path, value in starts[name].items()}

    runs = []
    for dtype in [torch.float32, torch.float64]:
        model = Model(Prompts(dtype), inputs)
        found = {}
        for name in RULES:
            found |= run(model, name, starts[name])
        runs.append(found)
    report(*runs)
    for name in RULES:
        own = {k: v for k, v in (inputs | runs[0]).items() if k.startswith(f"{name}.")}
        save_tensors(GOLDENS / "methods" / f"{name.replace('_', '-')}.safetensors",
                     {k.removeprefix(f"{name}."): v for k, v in own.items()})
    save_tensors(GOLDENS / "methods" / "grouped-pictures.safetensors",
                 {k: v for k, v in inputs.items() if k.split(".")[0] in ("labels", "pixels")})
    save_json(GOLDENS / "methods" / "grouped.json", {
        "checkpoint": "tiny-clip", "steps": STEPS, "sgd": SGD, "length": LENGTH, "sourceRows": ROWS,
        "sourceColumns": COLUMNS, "sourceWidth": SOURCE, "groups": [["photo", "sketch"], ["digit"]],
        "tasks": [{"name": name, "classNames": names} for name, names in TASKS.items()]})


if __name__ == "__main__":
    main()
