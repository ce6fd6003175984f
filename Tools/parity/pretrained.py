"""Opens a checkpoint that Banyan wrote with transformers and compares the features of both.

    pretrained.py FOLDER FEATURES.safetensors [--tolerance 1e-4]

FOLDER is what CheckpointWriter (or `banyan pretrain`) wrote. FEATURES.safetensors is what Banyan computes with it:
    image_features [pictures, projection], text_features [texts, projection], before they are made unit vectors,
and in the file's metadata two JSON lists of texts: `pictures`, paths of files (relative ones from the file's folder),
and `texts`, the captions. In Swift, for a `checkpoint`, its `model`, `tokenizer` and `preprocessor`:

    let rows = texts.map { ClassTokens(sentence: tokenizer.encode($0).ids) }
    let planes = try pictures.flatMap { preprocessor(try ImageDecoder.decode(contentsOf: URL(filePath: $0))) }
    let pixels = try Tensor(planes, shape: [pictures.count, 3, size, size])
    try SafetensorsFile.write(
      ParameterTree(["image_features": model.image.features(pixels),
                     "text_features": model.text.features(rows).select(0, 0)]),
      metadata: ["pictures": json(pictures), "texts": json(texts)], to: file)

It opens FOLDER with CLIPModel.from_pretrained and CLIPProcessor.from_pretrained, in float32, prints the largest
differences relative to the largest entry, and ends with 1 where one is above the tolerance. Keys that transformers
misses or does not know end it too.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from PIL import Image
from safetensors import safe_open
from transformers import CLIPModel, CLIPProcessor


def read(path: Path):
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        missing = [key for key in ("pictures", "texts") if key not in metadata]
        missing += [key for key in ("image_features", "text_features") if key not in file.keys()]
        if missing:
            sys.exit(f"{path}: expected {', '.join(missing)}, found none")
        pictures, texts = json.loads(metadata["pictures"]), json.loads(metadata["texts"])
        return [path.parent / name for name in pictures], texts, {key: file.get_tensor(key) for key in file.keys()}


def features(output) -> torch.Tensor:
    # A tensor until transformers 4, since 5 a structure that holds it.
    return output if torch.is_tensor(output) else output.pooler_output


def difference(name: str, ours: torch.Tensor, theirs: torch.Tensor) -> float:
    if ours.shape != theirs.shape:
        sys.exit(f"{name}: expected shape {tuple(theirs.shape)}, found {tuple(ours.shape)}")
    gap = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    print(f"{name} {tuple(ours.shape)}: largest difference {gap:.1e} of {theirs.abs().max().item():.2f}")
    return gap


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("features", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    pictures, texts, ours = read(arguments.features)

    model, info = CLIPModel.from_pretrained(arguments.folder, dtype=torch.float32, output_loading_info=True)
    wrong = {kind: sorted(info[kind]) for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[kind]}
    if wrong:
        sys.exit(f"{arguments.folder}: {wrong}")
    model.eval()
    processor = CLIPProcessor.from_pretrained(arguments.folder)
    images = [Image.open(path).convert("RGB") for path in pictures]
    inputs = processor(text=texts, images=images, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        theirs = {
            "image_features": features(model.get_image_features(pixel_values=inputs["pixel_values"])),
            "text_features": features(
                model.get_text_features(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])),
        }
    gaps = [difference(name, ours[name], theirs[name]) for name in theirs]
    return 0 if max(gaps) <= arguments.tolerance else 1


if __name__ == "__main__":
    sys.exit(main())
