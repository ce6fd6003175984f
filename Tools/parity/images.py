"""Compares planes that Banyan made of real photographs with transformers' CLIPImageProcessor on Pillow.

    images.py list FOLDER... --count 200 > files.txt     picks files, spread evenly over the folders
    (let Banyan write the planes of files.txt, in order, as little-endian float32, to planes.bin)
    images.py compare files.txt planes.bin --size 224

Optional: it needs photographs that are not part of the repository.
"""

import argparse
import pathlib
import sys

import numpy as np
from PIL import Image, ImageOps
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil


def list_files(folders, count):
    for folder in folders:
        endings = {".jpg", ".jpeg", ".png", ".webp"}
        found = sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix.lower() in endings)
        share = max(1, count // len(folders))
        step = max(1, len(found) // share)
        for path in found[::step][:share]:
            print(path)


def compare(listing, planes, size):
    processor = CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
    files = pathlib.Path(listing).read_text().split("\n")
    files = [name for name in files if name]
    ours = np.fromfile(planes, dtype="<f4")
    if ours.size != len(files) * 3 * size * size:
        sys.exit(f"{planes}: expected {len(files)} pictures of 3x{size}x{size}, found {ours.size} numbers")
    ours = ours.reshape(len(files), 3, size, size)
    level = (1 / 255) / np.array(processor.image_std).reshape(3, 1, 1)
    worst, exact = 0.0, 0
    for name, mine in zip(files, ours):
        picture = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
        reference = processor(picture, return_tensors="np")["pixel_values"][0]
        difference = np.abs(mine - reference) / level
        exact += int(np.array_equal(mine, reference))
        if difference.max() > worst:
            worst = difference.max()
            print(f"{name}: {worst:.4f} levels")
    print(f"{len(files)} pictures: {exact} equal bit for bit, largest difference {worst:.4f} levels of 255")
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    lister = commands.add_parser("list")
    lister.add_argument("folders", nargs="+")
    lister.add_argument("--count", type=int, default=200)
    comparer = commands.add_parser("compare")
    comparer.add_argument("listing")
    comparer.add_argument("planes")
    comparer.add_argument("--size", type=int, default=224)
    options = parser.parse_args()
    if options.command == "list":
        list_files(options.folders, options.count)
    else:
        sys.exit(0 if compare(options.listing, options.planes, options.size) <= 1 else 1)
