#!/usr/bin/env python3
"""The other side of `make bench`: the same steps in PyTorch with the modules of `transformers`.

It reads one request a line on standard input and answers with one line of JSON:

    {"do": "load", "folder": F, "threads": N}                            the checkpoint that both sides use
    {"do": "case", "name": C, "file": F, …}                              the inputs and starting parameters of a case
    {"do": "step", "way": W}                                             the work once: seconds, losses
    {"do": "pictures", "folder": F, "count": N}                          JPEG files to decode

Ways: `published` does what the published implementations do (every text at all positions, frozen image features computed in
every step), `best` cuts texts behind the longest one, keeps frozen image features and steps with PyTorch's fused optimizer,
`compiled` is `best` with `torch.compile` on the blocks. For picture files `best` is the fastest of several numbers of decoding
processes, and in bf16 of autocast and of rounded weights.
"""

import copy
import ctypes
import json
import math
import os
import signal
import sys
import time

import torch
import torch._inductor.config
import torch._dynamo
import torch._functorch.config
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPImageProcessor, CLIPModel

# Beyond its limit of shapes torch.compile goes on without compiling, and says nothing.
torch._dynamo.config.recompile_limit = 64
torch._dynamo.config.fail_on_recompile_limit_hit = True


def compile_afresh(towers, name):
    """Every case compiles its own shapes."""
    torch._dynamo.reset()
    towers.compiled = None
    # Affinities take several gradients of one graph, whose buffers would otherwise be given away after the first.
    torch._functorch.config.donated_buffer = name != "affinity"
    # Where no gradient follows weights become constants of the compiled graphs, and are packed.
    torch._inductor.config.freezing = name in ("pictures", "sentences")


def wake_cores():
    """Multiplies for a fifth of a second: cores that have slept through the other side's turn are slow at first."""
    x = torch.full((512, 512), 1 / 512)
    start = time.perf_counter()
    with torch.no_grad():
        while time.perf_counter() - start < 0.2:
            x @ x


def marks(rows):
    """What tells rows of features apart, a number each: their products with one vector that both sides know."""
    vector = torch.tensor([(7919 * j) % 1009 / 1009 - 0.5 for j in range(rows.shape[1])], dtype=torch.float64)
    return (rows.double() @ vector).tolist()


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


class Towers:
    """Both towers with prompts, out of the modules of `transformers`."""

    def __init__(self, folder):
        self.processor = CLIPImageProcessor.from_pretrained(folder)
        self.use(CLIPModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval())

    def use(self, model):
        self.model = model.requires_grad_(False)
        self.text_layers = list(model.text_model.encoder.layers)
        self.image_layers = list(model.vision_model.encoder.layers)
        self.compiled = None

    def layers(self, tower, compiled):
        plain = self.text_layers if tower == "text" else self.image_layers
        if not compiled:
            return plain
        if self.compiled is None and torch._inductor.config.freezing:
            self.compiled = {
                name: [torch.compile(layer, dynamic=False) for layer in layers]
                for name, layers in (("text", self.text_layers), ("image", self.image_layers))
            }
        elif self.compiled is None:
            block = torch.compile(lambda layer, x, causal: layer(x, None, is_causal=causal), dynamic=False)
            self.compiled = {
                "text": [lambda x, _, is_causal=True, layer=layer: block(layer, x, True) for layer in self.text_layers],
                "image": [lambda x, _, is_causal=False, layer=layer: block(layer, x, False) for layer in self.image_layers],
            }
        return self.compiled[tower]

    def words(self, ids, ends, prompts, length, compiled=False):
        """Unit features of texts whose tokens after the first are prompts, by layer."""
        embeddings = self.model.text_model.embeddings
        ids = ids[:, :length]
        x = embeddings.token_embedding(ids)
        if 0 in prompts:
            count = prompts[0].shape[0]
            x = torch.cat([x[:, :1], prompts[0].expand(len(ids), -1, -1), x[:, 1 + count:]], 1)
        x = x + embeddings.position_embedding.weight[:length]
        for number, layer in enumerate(self.layers("text", compiled)):
            if number > 0 and number in prompts:
                count = prompts[number].shape[0]
                x = torch.cat([x[:, :1], prompts[number].expand(len(ids), -1, -1), x[:, 1 + count:]], 1)
            x = layer(x, None, is_causal=True)
        x = self.model.text_model.final_layer_norm(x)[torch.arange(len(ids)), ends]
        return unit(self.model.text_projection(x))

    def pictures(self, pixels, prompts={}, compiled=False):
        """Unit features of pictures whose tokens after the class token are prompts, by layer."""
        vision = self.model.vision_model
        x = vision.pre_layrnorm(vision.embeddings(pixels))
        there = 0
        for number, layer in enumerate(self.layers("image", compiled)):
            if number in prompts:
                x = torch.cat([x[:, :1], prompts[number].expand(len(pixels), -1, -1), x[:, 1 + there:]], 1)
                there = prompts[number].shape[0]
            x = layer(x, None, is_causal=False)
        return unit(self.model.visual_projection(vision.post_layernorm(x[:, 0])))


class Case:
    """One kind of step, with its parameters and its optimizer for each way."""

    def __init__(self, towers, request):
        self.towers, self.request = towers, request
        self.inputs = load_file(request["file"])
        self.scale = towers.model.logit_scale.exp().item()
        self.features = None
        self.states, self.own_weights = {}, {}
        self.first_weights = [weight.detach().clone() for weight in self.weights()]

    def state(self, way):
        if way not in self.states:
            own = {k[2:]: v.clone().requires_grad_() for k, v in self.inputs.items() if k.startswith("p.")}
            whole = self.weights()
            for weight in whole:
                weight.requires_grad_()
            rate = self.request["rate"]
            optimizer = torch.optim.SGD(
                [*own.values(), *whole], lr=rate, momentum=0.9, weight_decay=5e-4, fused=way != "published")
            self.states[way] = (own, optimizer)
        return self.states[way]

    def weights(self):
        """The towers' own weights, where they are trained."""
        return list(self.towers.model.parameters()) if self.request["name"] == "fine-tuning" else []

    @torch.no_grad()
    def enter(self, way):
        """Gives the towers the weights that this way's descent has come to; not timed."""
        self.state(way)
        for weight, value in zip(self.weights(), self.own_weights.setdefault(way, self.first_weights)):
            weight.copy_(value)

    @torch.no_grad()
    def leave(self, way):
        self.own_weights[way] = [weight.detach().clone() for weight in self.weights()]

    def length(self, way):
        return self.inputs["ids"].shape[1] if way == "published" else int(self.inputs["ends"].max()) + 1

    def frozen(self, way, task):
        """Features of the frozen image tower: kept, but where the published code computes them in every step."""
        pixels = self.inputs[f"pixels.{task}"]
        if way == "published":
            return self.towers.pictures(pixels)
        if self.features is None:
            with torch.inference_mode():
                found = [self.towers.pictures(self.inputs[f"pixels.{t}"]) for t in range(self.request["tasks"])]
            self.features = [x.clone() for x in found]
        return self.features[task].clone()

    def loss(self, x, w, task):
        return F.cross_entropy(self.scale * x @ w.T, self.inputs[f"labels.{task}"])

    def words(self, way, prompts):
        return self.towers.words(
            self.inputs["ids"], self.inputs["ends"], prompts, self.length(way), compiled=way == "compiled")

    def losses(self, way, own):
        name, compiled = self.request["name"], way == "compiled"
        tasks = range(self.request["tasks"])
        if name == "coop":
            return [self.loss(self.frozen(way, 0), self.words(way, {0: own["tasks.0.context"]}), 0)]
        if name == "affinity":
            w = self.words(way, {0: own["shared.context"]})
            return [self.loss(self.frozen(way, t), w, t) for t in tasks]
        if name == "hipro":
            nodes = {n: self.words(way, {0: own[f"nodes.{n}.context"]}) for n in range(self.request["nodes"])}
            # A task's pictures once, however many nodes its path has.
            pictures = [self.frozen(way, t) for t in tasks]
            return [sum(self.loss(pictures[t], nodes[n], t) for n in self.request["paths"][t]) for t in tasks]
        if name == "maple":
            text = {k: own[f"tasks.0.text.{k}"] for k in range(self.request["depth"])}
            image = {k: F.linear(text[k], own[f"tasks.0.projection.{k}.weight"], own[f"tasks.0.projection.{k}.bias"])
                     for k in text}
        elif name == "mmap":
            layers = range(self.request["depth"])
            text = {k: torch.kron(own[f"tasks.0.text.{k}"], own[f"tasks.0.source.{k}"]) for k in layers}
            image = {k: torch.kron(own[f"tasks.0.image.{k}"], own[f"tasks.0.source.{k}"]) for k in layers}
        elif name == "vpt":
            text, image = None, {k: own[f"tasks.0.image.{k}"] for k in range(self.request["depth"])}
        elif name == "fine-tuning":
            text, image = {}, {}
        pixels = self.inputs["pixels.0"]
        w = self.inputs["weights"] if text is None else self.words(way, text)
        x = self.towers.pictures(pixels, image, compiled)
        if name == "fine-tuning":
            return [F.cross_entropy(self.towers.model.logit_scale.exp() * x @ w.T, self.inputs["labels.0"])]
        return [self.loss(x, w, 0)]

    def step(self, way):
        if "repeat" in self.request:
            # Many steps are a descent from the start.
            self.states.pop(way, None)
        losses = [self.one_step(way) for _ in range(self.request.get("repeat", 1))]
        return [number for found in losses for number in found]

    def one_step(self, way):
        own, optimizer = self.state(way)
        if way == "published" and self.request["parts"] > 1:
            return self.step_in_parts(own["tasks.0.context"])
        losses = self.losses(way, own)
        if self.request["name"] == "affinity":
            context = own["shared.context"]
            found = [torch.autograd.grad(loss, context, retain_graph=True)[0].flatten() for loss in losses]
            directions = unit(torch.stack(found))
            return [sum(losses).item(), *(directions @ directions.T).flatten().tolist()]
        loss = sum(losses)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return [loss.item()]

    def step_in_parts(self, context):
        """Forward and backward of as many classes, some at a time: what the published step costs where it does not fit."""
        self.frozen("published", 0)
        for ids, ends in zip(self.inputs["ids"].chunk(self.request["parts"]), self.inputs["ends"].chunk(self.request["parts"])):
            w = self.towers.words(ids, ends, {0: context}, ids.shape[1])
            torch.autograd.grad(w.sum(), context)
        return []


class Pictures:
    """Files to features; no gradients."""

    def __init__(self, towers, request):
        self.towers, self.batch, self.precision = towers, request["batch"], request["precision"]
        self.files = sorted(os.path.join(request["folder"], name) for name in os.listdir(request["folder"]))
        self.rounded = None
        # How the fastest goes, by way: decoding processes, and whether weights are rounded once.
        self.settings = {}

    def decode(self, file):
        with Image.open(file) as picture:
            return self.towers.processor(picture.convert("RGB"), return_tensors="pt")["pixel_values"][0]

    def encode(self, pixels, compiled, rounds=False):
        if self.precision == "bf16":
            if rounds:
                return self.rounded.pictures(pixels.bfloat16(), compiled=compiled).float()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return self.towers.pictures(pixels, compiled=compiled).float()
        return self.towers.pictures(pixels, compiled=compiled)

    def step(self, way):
        found = []
        if way == "published":
            # One process that decodes, then encodes, batch after batch.
            with torch.no_grad():
                for start in range(0, len(self.files), self.batch):
                    pixels = torch.stack([self.decode(f) for f in self.files[start:start + self.batch]])
                    found += marks(self.encode(pixels, False))
            return found
        if way not in self.settings:
            self.settings[way] = self.fastest(way)
            print(f"pictures, {way}: {self.settings[way]}", file=sys.stderr, flush=True)
        return self.run(way, len(self.files), **self.settings[way])

    def run(self, way, count, workers, rounds):
        loader = torch.utils.data.DataLoader(Files(self, count), batch_size=self.batch, num_workers=workers)
        found = []
        with torch.inference_mode():
            for pixels in loader:
                found += marks(self.encode(pixels, way == "compiled", rounds))
        return found

    def fastest(self, way):
        """Tried on a part of the files, each setting once before it is timed."""
        if self.precision == "bf16":
            self.rounded = copy.copy(self.towers)
            self.rounded.use(copy.deepcopy(self.towers.model).bfloat16())
        tried = []
        for workers in (0, 1, 2):
            for rounds in ([False, True] if self.precision == "bf16" else [False]):
                seconds = []
                for _ in range(3):
                    start = time.perf_counter()
                    self.run(way, min(len(self.files), 3 * self.batch), workers, rounds)
                    seconds.append(time.perf_counter() - start)
                tried.append((min(seconds[1:]), {"workers": workers, "rounds": rounds}))
        return min(tried, key=lambda each: each[0])[1]


class Files(torch.utils.data.Dataset):
    def __init__(self, pictures, count):
        self.pictures, self.count = pictures, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.pictures.decode(self.pictures.files[index])


class Sentences:
    """Unit class weights of many sentences a class, without gradients."""

    def __init__(self, towers, request):
        self.towers, self.inputs, self.batch = towers, load_file(request["file"]), request["batch"]

    def step(self, way):
        ids, ends = self.inputs["ids"], self.inputs["ends"]  # [templates, classes, positions]
        length = ids.shape[2] if way == "published" else int(ends.max()) + 1
        sums = []
        with torch.no_grad() if way == "published" else torch.inference_mode():
            for start in range(0, ids.shape[1], self.batch):
                rows = slice(start, start + self.batch)
                features = [self.towers.words(ids[t, rows], ends[t, rows], {}, length, compiled=way == "compiled")
                            for t in range(len(ids))]
                sums.append(unit(torch.stack(features).mean(0)))
        return marks(torch.cat(sums))


def draw(request):
    """Soft noise as JPEG files: sizes and contents like photographs as far as a decoder is concerned."""
    os.makedirs(request["folder"], exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    for number in range(request["count"]):
        coarse = torch.randn(1, 3, 24, 32, generator=generator)
        fine = torch.randn(1, 3, 375, 500, generator=generator)
        picture = F.interpolate(coarse, (375, 500), mode="bicubic") * 50 + fine * 8 + 128
        pixels = picture[0].clamp(0, 255).byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(os.path.join(request["folder"], f"{number:04d}.jpg"), quality=90)


def end_with_parent():
    """Where the program that asks is killed, nobody is left to read the answer."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main():
    end_with_parent()
    towers = case = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if request["do"] == "load":
            torch.set_num_threads(request["threads"])
            folder = request["folder"]
            towers = Towers(folder)
            answer = {"torch": torch.__version__}
        elif request["do"] == "pictures":
            draw(request)
        elif request["do"] == "case":
            if isinstance(case, Case) and case.weights():
                towers = Towers(folder)  # the last case has trained them
            compile_afresh(towers, request["name"])
            kind = {"pictures": Pictures, "sentences": Sentences}.get(request["name"], Case)
            case = kind(towers, request)
        else:
            if isinstance(case, Case):
                case.enter(request["way"])
            wake_cores()
            start = time.perf_counter()
            try:
                losses = case.step(request["way"])
                answer = {"seconds": time.perf_counter() - start, "losses": losses}
            except Exception as error:
                # What cannot be compiled is timed as it is.
                if request["way"] != "compiled":
                    raise
                print(f"torch.compile: {error}", file=sys.stderr, flush=True)
                answer = {"failed": str(error)}
            if isinstance(case, Case):
                case.leave(request["way"])
        if not all(map(math.isfinite, answer.get("losses", []))):
            answer = {"failed": "a loss is no number"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
