"""Writes a random CLIP of OpenAI's ViT-B geometry, and what transformers computes with it, into a folder.

    build_checkpoint.py FOLDER [--vision b16|b32] [--vocabulary FOLDER] [--seed 7]

The numbers of layers, heads and ids are the real ones; the weights are noise, so nothing is downloaded and
nothing here is as small as in Tests/Goldens. `--vocabulary` names a folder with CLIP's own vocab.json and
merges.txt; without it the small vocabulary of Tools/goldens is filled up to 49,408 with unused tokens.

FOLDER gets config.json, model.safetensors (0.6 GB), the tokenizer's and the preprocessor's files, class_names.json
and reference.safetensors:
    pixels [2, 3, 224, 224], ids [6, 77], text_features and text_unit [6, 512], image_features and image_unit
    [2, 512], logits_per_image [2, 6]; coop.context [16, 512], coop.classifier [65, 512], coop.cotangent [65, 512],
    coop.gradient [16, 512] = ∂⟨classifier, cotangent⟩/∂context.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "goldens"))

import vocabulary
from transformers import CLIPTokenizer
from checkpoints import build, config_json, configuration, preprocessor_json, weights_of
from clip import features
from reference import ReferenceCLIP, unit
from storage import normal, save_json, save_tensors

SIZE = 49_408
PATCHES = {"b16": 16, "b32": 32}
CONTEXT = 16
PROMPTS = ["a photo of a dog.", "a photo of a cat.", "a drawing of an old telephone beside a window",
           "a sketch of the number 7", "", " ".join(["a red house and a blue boat"] * 20)]
# The categories of Office-Home.
CLASS_NAMES = """
alarm clock, backpack, batteries, bed, bike, bottle, bucket, calculator, calendar, candles, chair, clipboards,
computer, couch, curtains, desk lamp, drill, eraser, exit sign, fan, file cabinet, flipflops, flowers, folder, fork,
glasses, hammer, helmet, kettle, keyboard, knives, lamp shade, laptop, marker, monitor, mop, mouse, mug, notebook,
oven, pan, paper clip, pen, pencil, postit notes, printer, push pin, radio, refrigerator, ruler, scissors,
screwdriver, shelf, sink, sneakers, soda, speaker, spoon, tv, table, telephone, toothbrush, toys, trash can, webcam
"""


def class_names() -> list[str]:
    return [name.strip() for name in CLASS_NAMES.replace("\n", " ").split(",")]


def write_vocabulary(folder: Path, source: Path | None) -> None:
    vocab, merges = vocabulary.train(vocabulary.CORPUS, 300)
    if source is None:
        # CLIP's two special tokens have the two highest ids: the legacy way to find EOT needs that.
        specials = sorted(vocab, key=vocab.get)[-2:]
        words = [word for word in sorted(vocab, key=vocab.get) if word not in specials]
        words += [f"<unused {index}>" for index in range(SIZE - len(vocab))]
        vocab = {word: index for index, word in enumerate(words + specials)}
    vocabulary.write(folder, vocab, merges)
    if source is not None:
        for name in ["vocab.json", "merges.txt"]:
            shutil.copyfile(source / name, folder / name)


def prompt_rows(clip, tokenizer, context, names):
    """[SOS] context [name] [.] [EOT]… as embeddings [names, 77, width], and the EOT indices."""
    rows, ends = [], []
    for name in names:
        tail = tokenizer(name + ".", add_special_tokens=False).input_ids + [tokenizer.eos_token_id]
        ends.append(context.shape[0] + len(tail))
        tail += [tokenizer.eos_token_id] * (76 - context.shape[0] - len(tail))
        start = clip.token_embedding(torch.tensor([tokenizer.bos_token_id]))
        rows.append(torch.cat([start, context, clip.token_embedding(torch.tensor(tail))]))
    return torch.stack(rows), torch.tensor(ends)


def coop(clip, tokenizer, names):
    """A classifier under a context of 16 and its gradient, a few classes at a time to keep memory small."""
    width = clip["text_projection.weight"].shape[1]
    context = normal((CONTEXT, width), 502, 0.02).requires_grad_()
    cotangent = normal((len(names), clip["text_projection.weight"].shape[0]), 503)
    rows, gradient = [], torch.zeros_like(context)
    for first in range(0, len(names), 13):
        part = slice(first, first + 13)
        w = unit(clip.text_features(*prompt_rows(clip, tokenizer, context, names[part])))
        gradient += torch.autograd.grad((w * cotangent[part]).sum(), context)[0]
        rows.append(w.detach())
    return {"coop.context": context, "coop.classifier": torch.cat(rows), "coop.cotangent": cotangent,
            "coop.gradient": gradient}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to write; made when absent")
    parser.add_argument("--vision", choices=sorted(PATCHES), default="b16", help="ViT-B/16 or ViT-B/32")
    parser.add_argument("--vocabulary", type=Path, help="folder with CLIP's vocab.json and merges.txt")
    parser.add_argument("--seed", type=int, default=7, help="of the weights")
    arguments = parser.parse_args()
    if arguments.vocabulary:
        missing = [name for name in ["vocab.json", "merges.txt"] if not (arguments.vocabulary / name).is_file()]
        if missing:
            parser.error(f"{arguments.vocabulary} has no {' and no '.join(missing)}")
    names = class_names()
    assert len(names) == len(set(names)) == 65

    begun = time.monotonic()
    torch.use_deterministic_algorithms(True)
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    config = configuration(
        SIZE, (512, 12, 8, 2048), (768, 12, 12, 3072, 224, PATCHES[arguments.vision]), 512, "quick_gelu", end=2)
    config.logit_scale_init_value = 4.6052
    model = build(config, arguments.seed)
    save_tensors(folder / "model.safetensors", weights_of(model))
    save_json(folder / "config.json", config_json(config, "float32"))
    save_json(folder / "preprocessor_config.json", preprocessor_json(224))
    write_vocabulary(folder, arguments.vocabulary)
    save_json(folder / "class_names.json", names)

    tokenizer = CLIPTokenizer.from_pretrained(folder)
    if len(tokenizer) != SIZE:
        parser.error(f"the vocabulary has {len(tokenizer)} tokens, CLIP's has {SIZE}")
    ids = tokenizer(PROMPTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    pixels = normal((2, 3, 224, 224), 501)
    found = {"pixels": pixels, "ids": ids} | features(model, ids, pixels)
    clip = ReferenceCLIP(weights_of(model), config)
    own = clip.text_features(clip.token_embedding(ids), (ids == SIZE - 1).int().argmax(-1))
    print(f"reference − transformers, text_features: {(own - found['text_features']).abs().max().item():.1e} "
          f"of {own.abs().max().item():.1f}")
    save_tensors(folder / "reference.safetensors", found | coop(clip, tokenizer, names))
    print(f"{folder}: done in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
