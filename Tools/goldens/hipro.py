"""Goldens of HiPro with tiny-clip: objectives and gradients over a tree of three tasks, and task affinity."""

import torch
import transformers

from prompts import Prompts, leaf, report
from reference import cross_entropy, unit
from storage import GOLDENS, generator, make_deterministic, normal, save_json, save_tensors

SHARED = ["cat", "red fox", "wooden chair", "blue bird"]
TASKS = {"photo": SHARED, "sketch": SHARED, "digit": ["number seven", "zero", "big letter"]}
CHILDREN = {3: [0, 1], 4: [3, 2]}
PATHS = [[4, 3, 0], [4, 3, 1], [4, 2]]  # root … leaf of each task
NODES, M, STEPS, SAMPLES = 5, 4, 10, 12
SGD = {"lr": 0.02, "momentum": 0.9, "weight_decay": 5e-4}
WARM_STEPS, WARM_RATE, LOOK_AHEAD = 3, 0.02, 0.1
NAMES = list(TASKS.values())


class Tree:
    """Losses of the three tasks as functions of the nodes' contexts."""

    def __init__(self, prompts, inputs):
        self.prompts = prompts
        self.x = [inputs[f"x.{t}"].to(prompts.dtype) for t in range(3)]
        self.labels = [inputs[f"labels.{t}"] for t in range(3)]

    def loss(self, w, task):
        return cross_entropy(self.prompts.logits(self.x[task], w), self.labels[task])

    def classifiers(self, contexts, task):
        """w_n(t) of every node n on the task's path, root first."""
        return [self.prompts.classifier(contexts[node], NAMES[task]) for node in PATHS[task]]

    def losses(self, contexts, objective):
        """One loss per task: the sum over the path, or that of the path's mean classifier."""
        found = []
        for task in range(3):
            w = self.classifiers(contexts, task)
            if objective == "per_node":
                found.append(sum(self.loss(each, task) for each in w))
            else:
                found.append(self.loss(average(w), task))
        return torch.stack(found)

    def shared_losses(self, context):
        """CE of each task under one context."""
        return torch.stack([self.loss(self.prompts.classifier(context, NAMES[t]), t) for t in range(3)])


def average(classifiers):
    """Mean of unit-norm classifiers, renormalised row by row."""
    return unit(torch.stack(classifiers).mean(0))


def combined_classifiers(tree, contexts):
    found = {}
    for task in range(3):
        w = [each.detach() for each in tree.classifiers(contexts, task)]
        found |= {f"w_ind.{task}": w[-1], f"w_shr.{task}": average(w[:-1]), f"w_avg.{task}": average(w),
                  f"logits_avg.{task}": tree.prompts.logits(tree.x[task], average(w))}
    return found


def objective(tree, start, name):
    """Gradients at step 0, then ten steps of SGD on all nodes."""
    contexts = [leaf(each, tree.prompts.dtype) for each in start]
    losses = tree.losses(contexts, name)
    found = {f"{name}.step0.losses": losses}
    for node, gradient in enumerate(torch.autograd.grad(losses.sum(), contexts)):
        found[f"{name}.step0.gradient.nodes.{node}"] = gradient
    found |= {f"{name}.step0.{key}": value for key, value in combined_classifiers(tree, contexts).items()}

    stepper = torch.optim.SGD(contexts, foreach=False, **SGD)
    curve = []
    for _ in range(STEPS):
        losses = tree.losses(contexts, name)
        stepper.zero_grad()
        losses.sum().backward()
        stepper.step()
        curve.append(losses.detach())
    found[f"{name}.sgd.task_losses"] = torch.stack(curve)
    found[f"{name}.sgd.losses"] = torch.stack(curve).sum(1)
    found |= {f"{name}.final.nodes.{node}": each for node, each in enumerate(contexts)}
    return found | {f"{name}.final.{key}": value for key, value in combined_classifiers(tree, contexts).items()}


def affinities(tree, context):
    """Task gradients at one context, and the matrices made of them."""
    losses = tree.shared_losses(context)
    gradients = torch.stack([torch.autograd.grad(each, context, retain_graph=True)[0] for each in losses])
    flat = gradients.flatten(1)
    dot = flat @ flat.T
    with torch.no_grad():
        after = torch.stack([tree.shared_losses(context - LOOK_AHEAD * each) for each in gradients])
    ahead = 1 - after / losses.detach()  # [i, j]: what a step on task i does to the loss of task j
    apart = unit(flat) - unit(flat).mean(0)
    return {"losses": losses, "gradients": gradients, "dot": dot, "cosine": unit(flat) @ unit(flat).T,
            "centred_cosine": unit(apart) @ unit(apart).T,
            "look_ahead": ahead, "look_ahead_symmetric": (ahead + ahead.T) / 2}


def affinity(tree, start):
    context = leaf(start, tree.prompts.dtype)
    records = []
    for _ in range(WARM_STEPS):
        records.append(affinities(tree, context))
        with torch.no_grad():
            context -= WARM_RATE * records[-1]["gradients"].sum(0)
    found = {f"affinity.step0.{key}": value for key, value in records[0].items()}
    for key in ["dot", "cosine", "centred_cosine", "look_ahead", "look_ahead_symmetric"]:
        found[f"affinity.mean.{key}"] = torch.stack([record[key] for record in records]).mean(0)
    found["affinity.warm.losses"] = torch.stack([record["losses"] for record in records])
    return found | {"affinity.warm.final_context": context}


def main() -> None:
    make_deterministic()
    transformers.utils.logging.disable_progress_bar()
    inputs = {f"nodes.{node}": normal((M, 32), 401 + node, 0.02) for node in range(NODES)}
    inputs["affinity.context"] = normal((M, 32), 410, 0.02)
    for task in range(3):
        # Tasks 0 and 1 share half of their features' direction, so that their gradients are related.
        base = normal((SAMPLES, 24), 420 + task // 2)
        inputs[f"x.{task}"] = unit(base + normal((SAMPLES, 24), 430 + task))
        source = generator(440 + task // 2)
        inputs[f"labels.{task}"] = torch.randint(len(NAMES[task]), (SAMPLES,), generator=source)

    runs = []
    for dtype in [torch.float32, torch.float64]:
        tree = Tree(Prompts(dtype), inputs)
        start = [inputs[f"nodes.{node}"] for node in range(NODES)]
        runs.append(objective(tree, start, "per_node") | objective(tree, start, "combined")
                    | affinity(tree, inputs["affinity.context"]))
    report(*runs)
    for key in ["cosine", "look_ahead"]:
        print(f"  {key}:", runs[0][f"affinity.mean.{key}"].tolist())

    save_tensors(GOLDENS / "prompts" / "hipro.safetensors", inputs | runs[0])
    save_json(GOLDENS / "prompts" / "hipro.json", {
        "checkpoint": "tiny-clip", "contextLength": M, "steps": STEPS, "sgd": SGD,
        "tasks": [{"name": name, "classNames": names, "path": path}
                  for (name, names), path in zip(TASKS.items(), PATHS)],
        "tree": {"children": {str(node): below for node, below in CHILDREN.items()}, "root": 4},
        "affinity": {"warmSteps": WARM_STEPS, "warmRate": WARM_RATE, "lookAheadRate": LOOK_AHEAD}})


if __name__ == "__main__":
    main()
