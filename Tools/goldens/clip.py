"""Goldens of the frozen model, made by transformers: operations, blocks, towers, features and logits.

It also checks `reference.py` against transformers and stops where they differ.
"""

import torch
import torch.nn.functional as F
import transformers
from transformers import CLIPModel, CLIPTokenizer
from transformers.activations import ACT2FN

from checkpoints import weights_of
from reference import ReferenceCLIP, unit
from storage import GOLDENS, make_deterministic, normal, save_json, save_tensors

PROMPTS = [
    "a photo of a cat.", "a photo of a dog.", "a drawing of a red house.", "two black birds in a green tree",
    "a sketch of the number 7", "cat", "", "A Painting OF the SEA, at night!",
    "a blurry picture of a small wooden chair and a large table beside a window",
    "zebra's stripes & \"quoted\" words: 3.14, 2,718", "café naïve ☂ 猫",
    " ".join(["the quick brown fox and the lazy dog looked at one hundred pictures"] * 12),
]
TEXT_POSITIONS = 24  # of a text's hidden states that are kept


def load(name: str, dtype=torch.float32) -> CLIPModel:
    # The eager softmax of transformers always runs in float32: in float64 only sdpa is exact.
    attention = "sdpa" if dtype == torch.float64 else "eager"
    return CLIPModel.from_pretrained(GOLDENS / name, dtype=dtype, attn_implementation=attention).eval()


def token_ids(name: str, texts) -> torch.Tensor:
    """[texts, 77], cut to 77 and padded with the end token."""
    tokenizer = CLIPTokenizer.from_pretrained(GOLDENS / name)
    return tokenizer(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids


def pictures() -> torch.Tensor:
    """Three pictures [3, 3, 32, 32] as they come out of the preprocessor."""
    noise, direction = 0.5 * normal((3, 3, 32, 32), 221), normal((2, 3, 3, 1, 1), 222)
    # As in real pictures, each channel has a slope and a level besides the noise.
    slope = torch.linspace(-1, 1, 32)
    return noise + direction[0] * slope + direction[1] * slope[:, None] + normal((3, 3, 1, 1), 223)


def with_gradient(prefix, function, x, seed):
    """Input, output, a fixed cotangent, and the gradient of ⟨output, cotangent⟩ with respect to the input."""
    x = x.clone().requires_grad_()
    y = function(x)
    cotangent = normal(y.shape, seed)
    gradient, = torch.autograd.grad((y * cotangent).sum(), x)
    parts = {"input": x, "output": y, "cotangent": cotangent, "gradient": gradient}
    return {f"{prefix}.{part}": value for part, value in parts.items()}


def operations():
    found = {}
    weight, bias = 1 + normal(32, 201, 0.2), normal(32, 202, 0.2)
    found |= with_gradient(
        "op.layer_norm", lambda x: F.layer_norm(x, (32,), weight, bias, 1e-5), normal((2, 5, 32), 203, 2.0), 204)
    found |= {"op.layer_norm.weight": weight, "op.layer_norm.bias": bias}
    spread = torch.cat([torch.linspace(-12, 12, 49), normal(15, 205, 2.0)])
    found |= with_gradient("op.quick_gelu", ACT2FN["quick_gelu"], spread, 206)
    found |= with_gradient("op.gelu", ACT2FN["gelu"], spread, 207)
    return found


def blocks(model):
    """One attention, one MLP and one block of each tower, with tiny-clip's own weights."""
    text, vision = model.text_model.encoder.layers[0], model.vision_model.encoder.layers[1]
    mask = torch.full((7, 7), float("-inf")).triu(1)[None, None]
    found = with_gradient(
        "attention", lambda x: text.self_attn(x, attention_mask=mask)[0], normal((2, 7, 32), 211), 212)
    found |= with_gradient("mlp", text.mlp, normal((2, 7, 32), 213), 214)
    found |= with_gradient("text_block", lambda x: text(x, attention_mask=mask), normal((2, 7, 32), 215), 216)
    found |= with_gradient(
        "vision_block", lambda x: vision(x, attention_mask=None), normal((1, 17, 48), 217), 218)
    return found


@torch.no_grad()
def features(model, ids, pixels):
    """Raw and unit features and the logits, by transformers."""
    out = model(input_ids=ids, pixel_values=pixels)
    return {
        "text_features": model.get_text_features(ids).pooler_output, "text_unit": out.text_embeds,
        "image_features": model.get_image_features(pixels).pooler_output, "image_unit": out.image_embeds,
        "logits_per_image": out.logits_per_image,
    }


@torch.no_grad()
def hidden_states(model, ids, pixels):
    """Entry 0 is the input of the first layer, entry k the output of layer k − 1, before the last layer norm.

    Of texts the first positions only: attention is causal, and the rest is padding.
    """
    text = model.text_model(ids, output_hidden_states=True).hidden_states
    vision = model.vision_model(pixels, output_hidden_states=True).hidden_states
    return {f"text_hidden.{k}": state[:, :TEXT_POSITIONS] for k, state in enumerate(text)} | {
        f"image_hidden.{k}": state for k, state in enumerate(vision)}


@torch.no_grad()
def check_reference(model, ids, pixels, expected, dtype, tolerance):
    """The plain mathematics must give what transformers gives, within `tolerance` of the largest entry."""
    reference = ReferenceCLIP(weights_of(model), model.config, dtype)
    ends = (ids == model.config.text_config.vocab_size - 1).int().argmax(-1)
    text = reference.text_features(reference.token_embedding(ids), ends)
    image = reference.image_features(pixels.to(dtype))
    logits = reference.scale * unit(image) @ unit(text).T
    for name, value in [("text_features", text), ("image_features", image), ("text_unit", unit(text)),
                        ("image_unit", unit(image)), ("logits_per_image", logits)]:
        error = (value - expected[name]).abs().max().item()
        print(f"  reference − transformers, {name}, {dtype}: {error:.1e}")
        size = reference.scale.item() if name.startswith("logits") else max(1.0, expected[name].abs().max().item())
        if not error <= tolerance * size:
            raise SystemExit(f"reference.py and transformers differ in {name} by {error}")


def golden(name, pixels):
    """Features of one checkpoint in both precisions."""
    ids = token_ids(name, PROMPTS)
    model, double = load(name), load(name, torch.float64)
    found = {"ids": ids, "pixels": pixels} | features(model, ids, pixels)
    precise = features(double, ids, pixels.double())
    check_reference(model, ids, pixels, found, torch.float32, 1e-6)
    check_reference(double, ids, pixels, precise, torch.float64, 1e-14)
    for key, value in precise.items():
        print(f"  {name} {key}: float32 − float64 {(found[key] - value).abs().max().item():.1e}")
    alike = found["text_unit"] @ found["text_unit"].T
    pair = found["image_unit"] @ found["image_unit"].T
    upper = lambda m: m[torch.ones_like(m).triu(1).bool()]
    print(f"  {name} cosines: text {upper(alike).min():.2f}…{upper(alike).max():.2f}, "
          f"image {upper(pair).min():.2f}…{upper(pair).max():.2f}")
    found |= {f"float64.{key}": value for key, value in precise.items()}
    return model, found


def main() -> None:
    make_deterministic()
    transformers.utils.logging.disable_progress_bar()
    pixels = pictures()
    model, found = golden("tiny-clip", pixels)
    found |= operations() | blocks(model) | hidden_states(model, found["ids"][[0, 3]], pixels[:1])
    for name in ["fp16", "bf16"]:
        # The stored half weights, widened: arithmetic in float32, as a loader that widens would have it.
        half = features(load(f"tiny-clip-{name}", torch.float32), found["ids"], pixels)
        found |= {f"{name}.{key}": half[key] for key in ["text_unit", "image_unit", "logits_per_image"]}
    save_tensors(GOLDENS / "clip" / "clip.safetensors", found)

    sharded = features(load("tiny-clip-sharded"), found["ids"], pixels)
    assert all(torch.equal(sharded[key], found[key]) for key in sharded), "shards do not give the same weights"

    _, found = golden("tiny-clip-gelu", pixels[:, :, :24, :24].contiguous())
    save_tensors(GOLDENS / "clip" / "clip-gelu.safetensors", found)
    save_json(GOLDENS / "clip" / "prompts.json", {"prompts": PROMPTS})


if __name__ == "__main__":
    main()
