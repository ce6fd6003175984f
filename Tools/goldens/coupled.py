"""Goldens of image prompts and of prompts that couple both towers, with tiny-clip: VPT, MaPLe, MVLPT's unified prompts.

Three tasks, two of them with the same classes. MaPLe's image prompts stand behind the patches here, as in its authors'
code, and not between class token and patches as in the Swift package: the numbers must be the same. Its prompts end one
layer before the towers do. Pictures are bytes, so that the file stays small: pixels are (byte − 128) / 64.
"""

import torch
import transformers

from prompts import Prompts, leaf, report
from reference import between, cross_entropy, unit
from storage import GOLDENS, generator, make_deterministic, normal, save_json, save_tensors

SHARED = ["cat", "red fox", "wooden chair", "blue bird"]
TASKS = {"photo": SHARED, "sketch": SHARED, "digit": ["number seven", "zero", "big letter"]}
NAMES = list(TASKS.values())
TEMPLATES = ["a photo of a {}.", "a drawing of the {} in a house."]
LENGTH, LAYERS, TEXT, IMAGE = 2, 3, 32, 48
DEPTH = 2  # layers with MaPLe's prompts, and with the unified image prompts
WIDTH = 16  # of the unified sequence
STEPS, SAMPLES = 10, 6
SGD = {"lr": 0.02, "momentum": 0.9, "weight_decay": 5e-4}


class Model:
    """Losses of the tasks under prompts of either tower."""

    def __init__(self, prompts, inputs):
        self.prompts, self.clip, self.dtype = prompts, prompts.clip, prompts.dtype
        self.pixels = [(inputs[f"pixels.{t}"].to(prompts.dtype) - 128) / 64 for t in range(3)]
        self.labels = [inputs[f"labels.{t}"].long() for t in range(3)]

    def sentences(self, task):
        """Frozen class weights: the mean of the templates' unit features, made unit again."""
        features = []
        for template in TEMPLATES:
            texts = [[self.prompts.start, *self.prompts.ids(template.replace("{}", name))] for name in NAMES[task]]
            ids = torch.tensor([text + [self.prompts.end] * (self.prompts.length - len(text)) for text in texts])
            ends = torch.tensor([len(text) for text in texts])
            features.append(unit(self.clip.text_features(self.clip.token_embedding(ids), ends)))
        return unit(torch.stack(features).mean(0)).detach()

    def words(self, text, task):
        """Class weights under text prompts by layer, right after the start token."""
        rows, ends = [], []
        for name in NAMES[task]:
            label, stop = self.prompts.ids(name), self.prompts.ids(".")
            used = 1 + LENGTH + len(label) + len(stop)
            tail = label + stop + [self.prompts.end] * (self.prompts.length - used)
            embed = self.clip.token_embedding
            rows.append(torch.cat([embed(torch.tensor([self.prompts.start])), text[0], embed(torch.tensor(tail))]))
            ends.append(used)
        deeper = {layer: tokens for layer, tokens in text.items() if layer > 0}
        return unit(self.clip.text_features(torch.stack(rows), torch.tensor(ends), replaced=deeper))

    def pictures(self, image, task):
        """Unit features of pictures under prompts by layer, between the class token and the patches."""
        x = self.clip.patches(self.pixels[task])
        for layer in range(LAYERS):
            if layer in image:
                x = between(x, image[layer], skip=LENGTH if layer > 0 else 0)
            x = self.clip.block(x, layer, self.clip.vision, causal=False)
        return self.pooled(x)

    def pictures_behind(self, image, task):
        """The same with the prompts behind the patches."""
        x = self.clip.patches(self.pixels[task])
        count = x.shape[1]
        for layer in range(LAYERS):
            if layer in image:
                x = torch.cat([x[:, :count], image[layer].expand(x.shape[0], -1, -1)], 1)
            x = self.clip.block(x, layer, self.clip.vision, causal=False)
        return self.pooled(x)

    def pooled(self, x):
        pooled = self.clip.norm(x[:, 0], "vision_model.post_layernorm", self.clip.vision)
        return unit(pooled @ self.clip["visual_projection.weight"].T)

    def logits(self, method, own, task):
        x, w = method(self, own, task)
        return self.clip.scale * x @ w.T

    def losses(self, method, sets):
        return torch.stack([
            cross_entropy(self.logits(method, sets[t], t), self.labels[t]) for t in range(3)])


def vpt(model, own, task):
    return model.pictures({k: own[f"image.{k}"] for k in range(LAYERS)}, task), model.sentences(task)


def vpt_shallow(model, own, task):
    return model.pictures({0: own["image.0"]}, task), model.sentences(task)


def maple(model, own, task):
    text = {k: own[f"text.{k}"] for k in range(DEPTH)}
    image = {k: text[k] @ own[f"projection.{k}.weight"].T + own[f"projection.{k}.bias"] for k in range(DEPTH)}
    return model.pictures_behind(image, task), model.words(text, task)


def upt(model, own, task):
    """One pre-norm block with one head over the whole sequence, then one map for each tower."""

    def linear(x, path):
        return x @ own[f"{path}.weight"].T + own[f"{path}.bias"]

    def norm(x, path):
        return torch.nn.functional.layer_norm(x, (WIDTH,), own[f"{path}.weight"], own[f"{path}.bias"], 1e-5)

    tokens = own["tokens"]
    q, k, v = linear(norm(tokens, "block.norm1"), "block.attention.qkv").split(WIDTH, dim=1)
    seen = tokens + linear(torch.softmax(q @ k.T / WIDTH ** 0.5, -1) @ v, "block.attention.output")
    hidden = linear(norm(seen, "block.norm2"), "block.mlp.input")
    z = seen + linear(hidden * torch.sigmoid(1.702 * hidden), "block.mlp.output")
    image = linear(z[LENGTH:], "image").view(DEPTH, LENGTH, IMAGE)
    return model.pictures({k: image[k] for k in range(DEPTH)}, task), model.words({0: linear(z[:LENGTH], "text")}, task)


def shapes(method):
    """The parameters of one copy, with the deviations of their starts."""
    if method == "vpt":
        return {f"image.{k}": ((LENGTH, IMAGE), 0.3) for k in range(LAYERS)}
    if method == "maple":
        found = {}
        for k in range(DEPTH):
            found |= {f"text.{k}": ((LENGTH, TEXT), 0.3), f"projection.{k}.weight": ((IMAGE, TEXT), 0.2),
                      f"projection.{k}.bias": ((IMAGE,), 0.2)}
        return found
    found = {"tokens": (((1 + DEPTH) * LENGTH, WIDTH), 0.5)}
    for path, rows, columns in [
        ("block.attention.qkv", 3 * WIDTH, WIDTH), ("block.attention.output", WIDTH, WIDTH),
        ("block.mlp.input", 4 * WIDTH, WIDTH), ("block.mlp.output", WIDTH, 4 * WIDTH), ("text", TEXT, WIDTH),
        ("image", IMAGE, WIDTH),
    ]:
        found |= {f"{path}.weight": ((rows, columns), 0.25), f"{path}.bias": ((rows,), 0.1)}
    for path in ["block.norm1", "block.norm2"]:
        found |= {f"{path}.weight": ((WIDTH,), 0.3), f"{path}.bias": ((WIDTH,), 0.1)}
    return found


def run(model, method, starts):
    """Losses, gradients at step 0, ten steps of SGD, logits after them; `starts` has one copy, or one for each task."""
    copies = [{path: leaf(value, model.dtype) for path, value in start.items()} for start in starts]
    sets = copies * 3 if len(copies) == 1 else copies
    leaves = [each for own in copies for each in own.values()]
    stepper = torch.optim.SGD(leaves, foreach=False, **SGD)
    found, curve = {}, []
    for step in range(STEPS):
        losses = model.losses(method, sets)
        stepper.zero_grad()
        losses.sum().backward()
        if step == 0:
            for place, own in enumerate(copies):
                copy = "shared" if len(copies) == 1 else f"tasks.{place}"
                found |= {f"gradient.{copy}.{path}": value.grad.clone() for path, value in own.items()}
        stepper.step()
        curve.append(losses.detach())
    found["curve"] = torch.stack(curve)
    with torch.no_grad():
        return found | {f"logits.{t}": model.logits(method, sets[t], t) for t in range(3)}


def start(method, seed):
    found = {}
    for offset, (path, (shape, deviation)) in enumerate(shapes(method).items()):
        centre = 1.0 if path.endswith(("norm1.weight", "norm2.weight")) else 0.0
        found[path] = centre + normal(shape, seed + offset, deviation)
    return found


def main() -> None:
    make_deterministic()
    transformers.utils.logging.disable_progress_bar()
    inputs = {}
    for task in range(3):
        # A pattern for each class, with noise, so that there is something to learn; tasks 0 and 1 share the patterns.
        labels = torch.randint(len(NAMES[task]), (SAMPLES,), generator=generator(1140 + task))
        scenes = normal((4, 3, 32, 32), 1120 + task // 2)
        pixels = scenes[labels] + normal((SAMPLES, 3, 32, 32), 1130 + task, 0.5)
        inputs[f"labels.{task}"] = labels
        inputs[f"pixels.{task}"] = (pixels * 64 + 128).round().clamp(0, 255).to(torch.uint8)
    starts = {
        "vpt": [start("vpt", 1200 + 10 * t) for t in range(3)], "maple": [start("maple", 1240)],
        "upt": [start("upt", 1260)]}
    # One start for all copies of MaPLe, whose maps are large.
    cases = {
        "vpt": (vpt, starts["vpt"]), "vpt-mt": (vpt, starts["vpt"][:1]), "vpt-shallow": (vpt_shallow, [
            {"image.0": own["image.0"]} for own in starts["vpt"]]),
        "maple": (maple, starts["maple"] * 3), "maple-mt": (maple, starts["maple"]), "upt": (upt, starts["upt"])}

    runs = []
    for dtype in [torch.float32, torch.float64]:
        model = Model(Prompts(dtype), inputs)
        runs.append({f"{name}/{key}": value for name, (method, copies) in cases.items()
                     for key, value in run(model, method, copies).items()})
    report(*runs)

    for name, (_, copies) in cases.items():
        own = {key.removeprefix(f"{name}/"): value for key, value in runs[0].items() if key.startswith(f"{name}/")}
        alike = len(copies) == 1 or copies[0] is copies[1]
        for place, copy in enumerate(copies[:1] if alike else copies):
            own |= {f"start.{path}" if alike else f"start.{place}.{path}": value for path, value in copy.items()}
        if name == "maple":
            # Large ones of the last task alone.
            own = {key: value for key, value in own.items()
                   if not (key.startswith(("gradient.tasks.0", "gradient.tasks.1")) and key.endswith(".weight"))}
        save_tensors(GOLDENS / "methods" / f"{name}.safetensors", own)
    save_tensors(GOLDENS / "methods" / "coupled-pictures.safetensors", inputs)
    save_json(GOLDENS / "methods" / "coupled.json", {
        "checkpoint": "tiny-clip", "steps": STEPS, "sgd": SGD, "length": LENGTH, "depth": DEPTH, "width": WIDTH,
        "templates": TEMPLATES,
        "tasks": [{"name": name, "classNames": names} for name, names in TASKS.items()]})


if __name__ == "__main__":
    main()
