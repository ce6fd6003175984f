"""Goldens of learned prompts with tiny-clip: CoOp, its positions, deep prompts in both towers.

Everything is computed twice, in float32 (saved) and in float64 (printed beside it, as a measure of how far
two correct float32 programs may differ).
"""

import torch
import transformers
from transformers import CLIPTokenizer

from checkpoints import weights_of
from clip import load, pictures
from reference import ReferenceCLIP, cross_entropy, unit
from storage import GOLDENS, generator, make_deterministic, normal, save_json, save_tensors

NAMES = ["cat", "red fox", "wooden chair", "grand piano", "swiss army knife"]
WORDS = "a photo of a"
M = 4
STEPS = 10
SGD = {"lr": 0.02, "momentum": 0.9, "weight_decay": 5e-4}
ADAMW = {"lr": 1e-2, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 1e-2}


class Prompts:
    """Prompts of tiny-clip: ids of texts, and classifiers from contexts."""

    def __init__(self, dtype):
        model = load("tiny-clip")
        self.dtype = dtype
        self.clip = ReferenceCLIP(weights_of(model), model.config, dtype)
        self.length = model.config.text_config.max_position_embeddings
        self.tokenizer = CLIPTokenizer.from_pretrained(GOLDENS / "tiny-clip")
        self.start, self.end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def word_context(self):
        """The embeddings of the first M tokens of WORDS."""
        return self.clip.token_embedding(torch.tensor(self.ids(WORDS)[:M]))

    def embeddings(self, contexts, names, position="end"):
        """Contexts [M, width] or [classes, M, width] and names to ([classes, 77, width], EOT indices)."""
        rows, ends = [], []
        for index, name in enumerate(names):
            context = contexts if contexts.dim() == 2 else contexts[index]
            label, stop = self.ids(name), self.ids(".")
            assert label + stop == self.ids(name + "."), f"“{name}.” merges across its parts"
            if position == "end":
                parts = [context, label + stop]
            elif position == "front":
                parts = [label, context, stop]
            else:
                parts = [context[: M // 2], label, context[M // 2:], stop]
            used = 1 + M + len(label) + len(stop)
            parts = [[self.start], *parts, [self.end] * (self.length - used)]
            rows.append(torch.cat([
                part if torch.is_tensor(part) else self.clip.token_embedding(torch.tensor(part)) for part in parts]))
            ends.append(used)
        return torch.stack(rows), torch.tensor(ends)

    def classifier(self, contexts, names, position="end", replaced=None):
        """Unit-norm text features [classes, dim] of the names under the contexts."""
        return unit(self.clip.text_features(*self.embeddings(contexts, names, position), replaced=replaced))

    def logits(self, x, w):
        return self.clip.scale * x @ w.T


def leaf(tensor, dtype):
    return tensor.detach().to(dtype).clone().requires_grad_()


def fit(prompts, x, labels, start, optimizer):
    """Full-batch steps on one context: the loss before each step, and the context after the last."""
    context = leaf(start, prompts.dtype)
    stepper = optimizer([context])
    losses = []
    for _ in range(STEPS):
        loss = cross_entropy(prompts.logits(x, prompts.classifier(context, NAMES)), labels)
        stepper.zero_grad()
        loss.backward()
        stepper.step()
        losses.append(loss.detach())
    return torch.stack(losses), context.detach()


def coop(prompts, x, labels, inputs):
    found = {}

    def step_zero(prefix, start, **arguments):
        context = leaf(start, prompts.dtype)
        w = prompts.classifier(context, NAMES, **arguments)
        loss = cross_entropy(prompts.logits(x, w), labels)
        gradient, = torch.autograd.grad(loss, context)
        found.update({f"{prefix}.classifier": w, f"{prefix}.loss": loss, f"{prefix}.gradient": gradient})

    step_zero("end", inputs["context"])
    step_zero("words", prompts.word_context())
    step_zero("front", inputs["context"], position="front")
    step_zero("middle", inputs["context"], position="middle")
    step_zero("class_specific", inputs["class_contexts"])

    betas = tuple(ADAMW["betas"])
    choices = {"sgd": lambda p: torch.optim.SGD(p, foreach=False, **SGD),
               "adamw": lambda p: torch.optim.AdamW(p, foreach=False, **(ADAMW | {"betas": betas}))}
    for name, optimizer in choices.items():
        for start, tensor in [("", inputs["context"]), ("words.", prompts.word_context())]:
            found[f"{start}{name}.losses"], found[f"{start}{name}.final_context"] = fit(
                prompts, x, labels, tensor, optimizer)
    return found | {"words.context": prompts.word_context()}


def deep_text(prompts, x, labels, inputs):
    """Contexts at layers 0, 1, 2; then an insertion at layer 1 only."""
    found = {}
    contexts = [leaf(inputs[f"deep_text.context.{k}"], prompts.dtype) for k in range(3)]
    w = prompts.classifier(contexts[0], NAMES, replaced={1: contexts[1], 2: contexts[2]})
    loss = cross_entropy(prompts.logits(x, w), labels)
    found |= {"deep_text.classifier": w, "deep_text.loss": loss}
    for k, gradient in enumerate(torch.autograd.grad(loss, contexts)):
        found[f"deep_text.gradient.{k}"] = gradient

    # A plain prompt of 77 positions; from layer 1 on it has 77 + M.
    tokens = leaf(inputs["inserted_text.tokens"], prompts.dtype)
    ids = torch.full((len(NAMES), prompts.length), prompts.end)
    ends = []
    for row, name in enumerate(NAMES):
        text = [prompts.start] + prompts.ids(f"{WORDS} {name}.")
        ids[row, : len(text)] = torch.tensor(text)
        ends.append(len(text))
    w = unit(prompts.clip.text_features(prompts.clip.token_embedding(ids), torch.tensor(ends), inserted={1: tokens}))
    loss = cross_entropy(prompts.logits(x, w), labels)
    gradient, = torch.autograd.grad(loss, tokens)
    return found | {"inserted_text.ids": ids, "inserted_text.classifier": w, "inserted_text.loss": loss,
                    "inserted_text.gradient": gradient}


def deep_image(prompts, inputs):
    """Two tokens after the class token: new at each layer; at layer 0 only; at layer 1 only."""
    found = {}
    pixels, cotangent = pictures().to(prompts.dtype), inputs["image.cotangent"].to(prompts.dtype)
    kinds = {
        "deep_image": ([0, 1, 2], lambda t: {"inserted": {0: t[0]}, "replaced": {1: t[1], 2: t[2]}}),
        "shallow_image": ([0], lambda t: {"inserted": {0: t[0]}}),
        "inserted_image": ([1], lambda t: {"inserted": {1: t[0]}}),
    }
    for kind, (layers, arguments) in kinds.items():
        tokens = [leaf(inputs[f"image.tokens.{k}"], prompts.dtype) for k in layers]
        raw = prompts.clip.image_features(pixels, **arguments(tokens))
        found |= {f"{kind}.features": raw, f"{kind}.unit": unit(raw)}
        for k, gradient in zip(layers, torch.autograd.grad((unit(raw) * cotangent).sum(), tokens)):
            found[f"{kind}.gradient.{k}"] = gradient
    return found


def report(single, double):
    """How far float32 is from float64, relative to the largest entry of each tensor."""
    for name, value in single.items():
        if value.is_floating_point():
            gap = (value.double() - double[name]).abs().max() / double[name].abs().max()
            print(f"  {name} {list(value.shape)}: size {double[name].abs().max().item():.1e}, gap {gap.item():.1e}")


def main() -> None:
    make_deterministic()
    transformers.utils.logging.disable_progress_bar()
    inputs = {
        "context": normal((M, 32), 301, 0.02), "class_contexts": normal((len(NAMES), M, 32), 302, 0.02),
        "x": unit(normal((20, 24), 303)), "labels": torch.randint(len(NAMES), (20,), generator=generator(304)),
        "inserted_text.tokens": normal((M, 32), 308, 0.1),
        "image.cotangent": normal((3, 24), 310),
    }
    for k in range(3):
        # From layer 1 on the hidden states are of size one, and so are the tokens that stand among them.
        inputs[f"deep_text.context.{k}"] = normal((M, 32), 305 + k, 0.02 if k == 0 else 0.5)
        inputs[f"image.tokens.{k}"] = normal((2, 48), 311 + k, 0.5)

    runs = []
    for dtype in [torch.float32, torch.float64]:
        prompts = Prompts(dtype)
        x, labels = inputs["x"].to(dtype), inputs["labels"]
        runs.append(coop(prompts, x, labels, inputs) | deep_text(prompts, x, labels, inputs)
                    | deep_image(prompts, inputs))
    report(*runs)

    ids = {name: prompts.ids(name) for name in NAMES}
    save_tensors(GOLDENS / "prompts" / "coop.safetensors", inputs | runs[0])
    save_json(GOLDENS / "prompts" / "coop.json", {
        "checkpoint": "tiny-clip", "classNames": NAMES, "classTokens": ids, "stopTokens": prompts.ids("."),
        "initialWords": WORDS, "initialTokens": prompts.ids(WORDS), "contextLength": M, "steps": STEPS,
        "sgd": SGD, "adamw": ADAMW})


if __name__ == "__main__":
    main()
