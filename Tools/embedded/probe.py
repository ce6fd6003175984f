#!/usr/bin/env python3
"""How good a CLIP folder is on drawn worlds, computed by transformers and scikit-learn alone: zero-shot and linear probe.

    banyan world --preset families --pictures 60 --output runs/probe/families --quiet      # and strangers, mixed
    .deps/venv/bin/python Tools/embedded/probe.py Sources/BanyanCLIP/Resources/embedded-clip runs/probe/*

The first 40 pictures of a class train the probe (logistic regression on unit features), the others test both.
"""

import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

SHOTS = 40


def main():
    folder, worlds = sys.argv[1], [pathlib.Path(p) for p in sys.argv[2:]]
    model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
    processor = CLIPImageProcessor.from_pretrained(folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)

    def features(output):
        return torch.nn.functional.normalize(getattr(output, "pooler_output", output), dim=-1).numpy()

    averages = []
    with torch.inference_mode():
        for world in worlds:
            tasks = sorted(p for p in world.iterdir() if p.is_dir())
            rows = []
            for task in tasks:
                classes = sorted(p.name for p in task.iterdir())
                texts = tokenizer([f"a photo of a {name}." for name in classes], padding=True, return_tensors="pt")
                words = features(model.get_text_features(**texts))
                sets = {"train": ([], []), "test": ([], [])}
                for label, name in enumerate(classes):
                    files = sorted((task / name).glob("*.png"))
                    for number, file in enumerate(files):
                        images, labels = sets["train" if number < SHOTS else "test"]
                        images.append(Image.open(file).convert("RGB"))
                        labels.append(label)
                x = {}
                for split, (images, _) in sets.items():
                    parts = [processor(images[i:i + 512], return_tensors="pt") for i in range(0, len(images), 512)]
                    x[split] = np.concatenate([features(model.get_image_features(**part)) for part in parts])
                y = {split: np.array(labels) for split, (_, labels) in sets.items()}
                zero = (np.argmax(x["test"] @ words.T, axis=1) == y["test"]).mean()
                # Unit features are small numbers; C = 100 is about no penalty.
                probe = LogisticRegression(C=100, max_iter=2000).fit(x["train"], y["train"])
                score = probe.score(x["test"], y["test"])
                rows.append((zero, score))
                print(f"{world.name:12} {task.name:20} zero-shot {100 * zero:5.1f}   linear probe {100 * score:5.1f}")
            mean = np.mean(rows, axis=0)
            averages.append(mean)
            print(f"{world.name:12} {'average':20} zero-shot {100 * mean[0]:5.1f}   linear probe {100 * mean[1]:5.1f}")
    mean = np.mean(averages, axis=0)
    print(f"{'all':12} {'average':20} zero-shot {100 * mean[0]:5.1f}   linear probe {100 * mean[1]:5.1f}")


if __name__ == "__main__":
    main()
