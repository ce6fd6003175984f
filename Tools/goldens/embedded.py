"""Goldens of the CLIP that ships: features that transformers computes for some pixels and captions with its own files."""

import torch
from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

from reference import unit
from storage import GOLDENS, ROOT, make_deterministic, normal, save_json, save_tensors

FOLDER = ROOT / "Sources" / "BanyanCLIP" / "Resources" / "embedded-clip"
CAPTIONS = [
    "a photo of a mug.", "a pencil drawing of a small fish on the left", "clip art of an orange umbrella",
    "a studio photo of a pair of red scissors.", "blueprint of an aeroplane at the top",
    "New words: 3 zebras!",
]


def pixels() -> torch.Tensor:
    """Four pictures [4, 64, 64, 3] of 8 bits: slopes, levels and noise."""
    slope = torch.linspace(-1, 1, 64)
    waves, level = normal((2, 4, 3, 1, 1), 902), normal((4, 3, 1, 1), 903)
    values = 0.5 + 0.18 * (waves[0] * slope + waves[1] * slope[:, None] + level) + 0.1 * normal((4, 3, 64, 64), 901)
    return (values.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


def main() -> None:
    make_deterministic()
    model = CLIPModel.from_pretrained(FOLDER, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = CLIPTokenizer.from_pretrained(FOLDER)
    processor = CLIPImageProcessor.from_pretrained(FOLDER)
    images = pixels()
    with torch.inference_mode():
        ready = processor(list(images.numpy()), return_tensors="pt").pixel_values
        tokens = tokenizer(CAPTIONS, padding=True, truncation=True, return_tensors="pt")
        output = model(pixel_values=ready, **tokens)
    save_tensors(GOLDENS / "embedded" / "features.safetensors", {
        "pixels": images, "image": unit(output.image_embeds), "text": unit(output.text_embeds),
        "logits_per_image": output.logits_per_image,
    })
    save_json(GOLDENS / "embedded" / "features.json", {"captions": CAPTIONS, "ids": [
        tokenizer(text).input_ids for text in CAPTIONS]})


if __name__ == "__main__":
    main()
