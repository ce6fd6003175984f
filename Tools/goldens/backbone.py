"""Goldens of methods that change the backbone, with tiny-clip: fine-tuning, BitFit and LoRA.

Three tasks, two of them with the same classes; class names stand in two sentences whose unit features are averaged.
Gradients have the paths of the Swift package: query, key and value are one weight there. Those of large weights are kept
as sums with fixed signs. Before anything is saved, the gradients of every weight are compared with those that autograd
finds through transformers' own CLIPModel.
"""

import torch
import transformers

from clip import load
from prompts import Prompts, leaf, report
from reference import cross_entropy, unit
from storage import GOLDENS, generator, make_deterministic, normal, save_json, save_tensors

SHARED = ["cat", "red fox", "wooden chair", "blue bird"]
TASKS = {"photo": SHARED, "sketch": SHARED, "digit": ["number seven", "zero", "big letter"]}
NAMES = list(TASKS.values())
TEMPLATES = ["a photo of a {}.", "a drawing of the {} in a house."]
STEPS, SAMPLES, SIDE = 10, 6, 32
RANK, ALPHA = 2, 1.0
RATES = {"fine-tuning": 0.002, "bitfit": 0.005, "lora": 0.02}
SGD = {"momentum": 0.9, "weight_decay": 5e-4}
WHOLE = 300
"""Gradients with up to so many numbers are kept as they are."""
SIGNS = [2654435761, 2246822519, 3266489917, 668265263]


def swift_path(name):
    """transformers' name to (path, part), part 0, 1, 2 for query, key, value."""
    renames = [
        ("text_model.embeddings.token_embedding", "text.tokenEmbedding"), ("text_projection", "text.projection"),
        ("text_model.embeddings.position_embedding", "text.positionEmbedding"),
        ("text_model.final_layer_norm", "text.finalNorm"), ("text_model.encoder.layers", "text.blocks"),
        ("vision_model.embeddings.patch_embedding", "image.patchEmbedding"),
        ("vision_model.embeddings.position_embedding", "image.positionEmbedding"),
        ("vision_model.embeddings.class_embedding", "image.classEmbedding"),
        ("vision_model.pre_layrnorm", "image.preNorm"), ("vision_model.post_layernorm", "image.postNorm"),
        ("vision_model.encoder.layers", "image.blocks"), ("visual_projection", "image.projection"),
        ("logit_scale", "logitScale"), ("layer_norm", "norm"), ("self_attn.out_proj", "attention.output"),
        ("mlp.fc1", "mlp.input"), ("mlp.fc2", "mlp.output"),
    ]
    for old, new in renames:
        name = name.replace(old, new)
    for part, letter in enumerate("qkv"):
        if f"self_attn.{letter}_proj" in name:
            return name.replace(f"self_attn.{letter}_proj", "attention.qkv"), part
    return name, 0


def swift_tree(tensors):
    """Tensors by transformers' names to those by paths, sorted."""
    parts = {}
    for name, tensor in tensors.items():
        path, part = swift_path(name)
        parts.setdefault(path, {})[part] = tensor
    return {path: torch.cat([found[k] for k in sorted(found)]) if len(found) > 1 else found[0]
            for path, found in sorted(parts.items())}


def signed_sums(tensor):
    """Four sums of all elements with signs: minus where bit 31 of (index + 1) · constant is set."""
    index = torch.arange(1, tensor.numel() + 1)
    flat = tensor.detach().double().flatten()
    return torch.stack([(flat * (1 - 2 * ((index * odd >> 31) & 1))).sum() for odd in SIGNS])


class Model:
    """Logits of a task under any weights."""

    def __init__(self, prompts, inputs):
        self.prompts, self.clip, self.dtype = prompts, prompts.clip, prompts.dtype
        self.frozen = dict(prompts.clip.weights)
        self.pixels = [(inputs[f"pixels.{t}"].to(prompts.dtype) - 128) / 64 for t in range(3)]
        self.labels = [inputs[f"labels.{t}"].long() for t in range(3)]

    def sentences(self, task, template):
        """[classes, 77] ids and the indices of the end tokens."""
        ids = torch.full((len(NAMES[task]), self.prompts.length), self.prompts.end)
        ends = []
        for row, name in enumerate(NAMES[task]):
            text = [self.prompts.start, *self.prompts.ids(template.replace("{}", name))]
            ids[row, : len(text)] = torch.tensor(text)
            ends.append(len(text))
        return ids, torch.tensor(ends)

    def logits(self, weights, task):
        self.clip.weights = weights
        sentences = [self.sentences(task, template) for template in TEMPLATES]
        text = [unit(self.clip.text_features(self.clip.token_embedding(ids), ends)) for ids, ends in sentences]
        image = unit(self.clip.image_features(self.pixels[task]))
        return self.clip.scale * image @ unit(torch.stack(text).mean(0)).T

    def losses(self, sets):
        """One loss per task, each under its own set of weights."""
        return torch.stack([cross_entropy(self.logits(sets[t], t), self.labels[t]) for t in range(3)])


def train(model, name, start, weights_of, shared):
    """Ten steps of SGD on one set of parameters for all tasks, or on one for each: losses, gradients at step 0, logits."""
    sets = [{key: leaf(value, model.dtype) for key, value in start.items()} for _ in range(1 if shared else 3)]
    of_task = [sets[0 if shared else t] for t in range(3)]
    leaves = [each for one in sets for each in one.values()]
    stepper = torch.optim.SGD(leaves, lr=RATES[name], foreach=False, **SGD)
    curve, first = [], None
    for _ in range(STEPS):
        losses = model.losses([weights_of(own) for own in of_task])
        stepper.zero_grad()
        losses.sum().backward()
        if first is None:
            first = [{key: value.grad.clone() for key, value in one.items()} for one in sets]
        stepper.step()
        curve.append(losses.detach())
    with torch.no_grad():
        logits = [model.logits(weights_of(own), t) for t, own in enumerate(of_task)]
    return torch.stack(curve), first, logits


def record(found, prefix, curve, logits):
    found[f"{prefix}.losses"] = curve
    found |= {f"{prefix}.logits.{t}": each for t, each in enumerate(logits)}


def fine_tuning(model):
    """One copy of all weights for all tasks, and one for each task."""
    one, each = {}, {}
    curve, gradients, logits = train(model, "fine-tuning", model.frozen, dict, shared=True)
    record(one, "shared", curve, logits)
    tree = swift_tree(gradients[0])
    one |= {f"gradient.{path}": value for path, value in tree.items() if value.numel() <= WHOLE}
    one["sums"] = torch.stack([signed_sums(value) for value in tree.values()])
    one["norms"] = torch.stack([value.double().norm() for value in tree.values()])

    curve, gradients, logits = train(model, "fine-tuning", model.frozen, dict, shared=False)
    record(each, "tasks", curve, logits)
    trees = [swift_tree(one) for one in gradients]
    each["sums"] = torch.stack([torch.stack([signed_sums(value) for value in own.values()]) for own in trees])
    each["norms"] = torch.stack([torch.stack([value.double().norm() for value in own.values()]) for own in trees])
    return one, each, list(tree)


def bitfit(model):
    found = {}
    kinds = {"both": ("text_model", "vision_model"), "image": ("vision_model",), "text": ("text_model",)}
    for kind, towers in kinds.items():
        start = {name: value for name, value in model.frozen.items()
                 if name.endswith(".bias") and name.startswith(towers)}
        curve, gradients, logits = train(model, "bitfit", start, lambda own: model.frozen | own, shared=True)
        record(found, kind, curve, logits)
        if kind == "both":
            found |= {f"gradient.{path}": value for path, value in swift_tree(gradients[0]).items()}
    start = {name: value for name, value in model.frozen.items() if name.endswith(".bias")}
    curve, _, logits = train(model, "bitfit", start, lambda own: model.frozen | own, shared=False)
    record(found, "tasks", curve, logits)
    return found


def lora_start():
    """A and B of every query, key and value projection; B is not zero, so that A has a gradient."""
    found, seed = {}, 800
    for tower, width in [("image", 48), ("text", 32)]:
        for layer in range(3):
            for part in ["query", "key", "value"]:
                path = f"{tower}.blocks.{layer}.attention.{part}"
                spread = torch.rand((RANK, width), generator=generator(seed)) * 2 - 1
                found |= {f"{path}.A": spread / width ** 0.5, f"{path}.B": normal((width, RANK), seed + 1, 0.2)}
                seed += 2
    return found


def lora(model, start):
    def weights(own, scale):
        changed = dict(model.frozen)
        for path in own:
            if path.endswith(".A"):
                tower, _, layer, _, part = path[:-2].split(".")
                prefix = {"image": "vision_model", "text": "text_model"}[tower]
                name = f"{prefix}.encoder.layers.{layer}.self_attn.{part[0]}_proj.weight"
                changed[name] = changed[name] + scale * own[path[:-1] + "B"] @ own[path]
        return changed

    found = {}
    root = ALPHA / RANK ** 0.5
    curve, gradients, logits = train(model, "lora", start, lambda own: weights(own, root), shared=True)
    record(found, "shared", curve, logits)
    found |= {f"gradient.{path}": value for path, value in gradients[0].items()}
    curve, _, logits = train(model, "lora", start, lambda own: weights(own, root), shared=False)
    record(found, "tasks", curve, logits)
    with torch.no_grad():
        found["rank.losses"] = model.losses([weights({k: leaf(v, model.dtype) for k, v in start.items()},
                                                     ALPHA / RANK)] * 3)
    return found


def check_transformers(model):
    """Gradients of all weights through transformers' modules in float64 must be those of the plain mathematics."""
    theirs = load("tiny-clip", torch.float64)
    total = 0
    for task in range(3):
        text = [unit(theirs.get_text_features(model.sentences(task, template)[0]).pooler_output)
                for template in TEMPLATES]
        image = unit(theirs.get_image_features(model.pixels[task]).pooler_output)
        logits = theirs.logit_scale.exp() * image @ unit(torch.stack(text).mean(0)).T
        total = total + torch.nn.functional.cross_entropy(logits, model.labels[task])
    total.backward()
    _, gradients, _ = train(model, "fine-tuning", model.frozen, dict, shared=True)
    # As fused weights: the gradient of a key's bias alone is zero but for rounding.
    expected = swift_tree({name: weight.grad for name, weight in theirs.named_parameters()})
    found = swift_tree(gradients[0])
    assert found.keys() == expected.keys()
    worst = max(((found[path] - value).abs().max() / value.abs().max()).item() for path, value in expected.items())
    print(f"  gradients of {len(found)} weights, reference − transformers in float64: {worst:.1e}")
    if not worst < 1e-10:
        raise SystemExit("reference.py and transformers differ in a gradient")


def main() -> None:
    make_deterministic()
    transformers.utils.logging.disable_progress_bar()
    inputs = {}
    for task in range(3):
        labels = torch.arange(SAMPLES) % len(NAMES[task])
        # Classes have patterns of their own, which the first two tasks share; levels as in a file.
        scenes = normal((len(NAMES[task]), 3, SIDE, SIDE), 780 + task // 2)
        levels = 128 + 64 * (scenes[labels] + 0.5 * normal((SAMPLES, 3, SIDE, SIDE), 785 + task))
        inputs |= {f"pixels.{task}": levels.clamp(0, 255).to(torch.uint8), f"labels.{task}": labels}
    start = lora_start()

    runs = []
    for dtype in [torch.float32, torch.float64]:
        model = Model(Prompts(dtype), inputs)
        one, each, paths = fine_tuning(model)
        runs.append({"fine-tuning-mt": one, "fine-tuning": each, "bitfit": bitfit(model), "lora": lora(model, start)})
    check_transformers(model)

    folder = GOLDENS / "methods"
    save_tensors(folder / "backbone-pictures.safetensors", inputs)
    for name, found in runs[0].items():
        print(f" {name}:")
        report(found, runs[1][name])
        print(next(value for key, value in found.items() if key.endswith("losses")).tolist())
        extra = {f"start.{path}": value for path, value in start.items()} if name == "lora" else {}
        tensors = {key: value.float() if value.is_floating_point() else value for key, value in (extra | found).items()}
        save_tensors(folder / f"{name}.safetensors", tensors)
    save_json(folder / "backbone.json", {
        "checkpoint": "tiny-clip", "templates": TEMPLATES, "steps": STEPS, "sgd": SGD, "rates": RATES, "paths": paths,
        "signs": SIGNS, "lora": {"rank": RANK, "alpha": ALPHA},
        "tasks": [{"name": name, "classNames": names} for name, names in TASKS.items()]})


if __name__ == "__main__":
    main()
