"""The tiny checkpoints: seeded random CLIPs small enough for the repository, in every layout that is read.

tiny-clip          quick-GELU, Hugging Face layout, one fp32 file, legacy eos_token_id 2
tiny-clip-gelu     GELU, other shapes, eos_token_id = the real id
tiny-clip-fp16     tiny-clip rounded to float16
tiny-clip-bf16     tiny-clip rounded to bfloat16
tiny-clip-sharded  tiny-clip in three files with an index
tiny-clip-openclip tiny-clip under OpenAI's names, fused query/key/value, transposed projections
"""

import math
import shutil
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel

import vocabulary
from storage import GOLDENS, make_deterministic, normal, save_json, save_tensors

IMAGE_MEAN = [0.48145466, 0.4578275, 0.40821073]
IMAGE_STD = [0.26862954, 0.26130258, 0.27577711]
TINY_SEED, GELU_SEED = 129, 105  # of 101…160, features among the least alike
LOGIT_SCALE = 2.5
"""Smaller than CLIP's 4.6: random features are less alike than learned ones, and ten steps must stay smooth."""


def configuration(vocabulary_size, text, vision, projection, activation, end):
    """`text` and `vision`: (width, layers, heads, mlp), `vision` followed by (side, patch)."""
    return CLIPConfig(
        text_config={
            "vocab_size": vocabulary_size, "hidden_size": text[0], "num_hidden_layers": text[1],
            "num_attention_heads": text[2], "intermediate_size": text[3], "max_position_embeddings": 77,
            "hidden_act": activation, "projection_dim": projection,
            "bos_token_id": 0 if end == 2 else vocabulary_size - 2, "eos_token_id": end,
            "pad_token_id": 1 if end == 2 else vocabulary_size - 1,
        },
        vision_config={
            "hidden_size": vision[0], "num_hidden_layers": vision[1], "num_attention_heads": vision[2],
            "intermediate_size": vision[3], "image_size": vision[4], "patch_size": vision[5],
            "hidden_act": activation, "projection_dim": projection,
        },
        projection_dim=projection, logit_scale_init_value=LOGIT_SCALE,
    )


@torch.no_grad()
def randomise(model: CLIPModel, seed: int) -> None:
    """Every weight from N(0, ·), biases and layer-norm weights too; each has a generator of its own.

    The deviations are chosen so that a different word or picture gives a clearly different feature.
    """
    for index, (name, weight) in enumerate(sorted(model.named_parameters())):
        noise = normal(weight.shape, 1000 * seed + index)
        if name == "logit_scale":
            continue
        if "norm" in name or "layrnorm" in name:
            weight.copy_(1 + 0.15 * noise if name.endswith("weight") else 0.1 * noise)
        elif name.endswith("bias"):
            weight.copy_(0.1 * noise)
        elif "token_embedding" in name:
            weight.copy_(0.3 * noise)
        elif "position_embedding" in name:
            weight.copy_(0.1 * noise)
        elif "class_embedding" in name:
            weight.copy_(0.3 * noise)
        else:
            fan = math.prod(weight.shape[1:])
            gain = 1.4 if "q_proj" in name or "k_proj" in name else 1.0
            weight.copy_(gain * noise / math.sqrt(fan))


def build(config: CLIPConfig, seed: int) -> CLIPModel:
    config._attn_implementation = "eager"
    model = CLIPModel(config).eval()
    randomise(model, seed)
    return model


def weights_of(model: CLIPModel) -> dict[str, torch.Tensor]:
    return {name: weight.detach() for name, weight in model.named_parameters()}


def config_json(config: CLIPConfig, dtype: str) -> dict:
    """The keys that published CLIP checkpoints carry, without the version-dependent rest."""
    common = ["attention_dropout", "hidden_act", "hidden_size", "intermediate_size", "layer_norm_eps",
              "num_attention_heads", "num_hidden_layers", "projection_dim"]
    text = common + ["bos_token_id", "eos_token_id", "pad_token_id", "max_position_embeddings", "vocab_size"]
    vision = common + ["image_size", "num_channels", "patch_size"]
    return {
        "architectures": ["CLIPModel"], "model_type": "clip", "dtype": dtype,
        "projection_dim": config.projection_dim, "logit_scale_init_value": config.logit_scale_init_value,
        "text_config": {"model_type": "clip_text_model"} | {key: getattr(config.text_config, key) for key in text},
        "vision_config": {"model_type": "clip_vision_model"}
        | {key: getattr(config.vision_config, key) for key in vision},
    }


def preprocessor_json(side: int) -> dict:
    return {
        "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True, "do_resize": True,
        "size": {"shortest_edge": side}, "resample": 3, "do_center_crop": True,
        "crop_size": {"height": side, "width": side}, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": IMAGE_MEAN, "image_std": IMAGE_STD,
    }


def write_folder(folder: Path, config: CLIPConfig, words, dtype: str = "float32") -> None:
    """Everything but the weights."""
    vocab, merges = words
    save_json(folder / "config.json", config_json(config, dtype))
    save_json(folder / "preprocessor_config.json", preprocessor_json(config.vision_config.image_size))
    vocabulary.write(folder, vocab, merges)


def write_sharded(folder: Path, weights: dict[str, torch.Tensor], shards: int) -> None:
    """Names in order, cut where a third and two thirds of the bytes are reached."""
    total = sum(weight.nbytes for weight in weights.values())
    parts, place, done = [{} for _ in range(shards)], {}, 0
    for name in sorted(weights):
        index = min(done * shards // total, shards - 1)
        parts[index][name] = weights[name]
        place[name] = f"model-{index + 1:05}-of-{shards:05}.safetensors"
        done += weights[name].nbytes
    for index, part in enumerate(parts):
        save_tensors(folder / f"model-{index + 1:05}-of-{shards:05}.safetensors", part)
    save_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": place})


def openai_names(weights: dict[str, torch.Tensor], config: CLIPConfig) -> dict[str, torch.Tensor]:
    """Hugging Face names to OpenAI's: query, key and value fused by rows, projections as [width, dim]."""
    renamed = {
        "logit_scale": weights["logit_scale"],
        "text_projection": weights["text_projection.weight"].T,
        "visual.proj": weights["visual_projection.weight"].T,
        "token_embedding.weight": weights["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": weights["text_model.embeddings.position_embedding.weight"],
        "visual.class_embedding": weights["vision_model.embeddings.class_embedding"],
        "visual.positional_embedding": weights["vision_model.embeddings.position_embedding.weight"],
        "visual.conv1.weight": weights["vision_model.embeddings.patch_embedding.weight"],
    }
    norms = {"ln_final": "text_model.final_layer_norm", "visual.ln_pre": "vision_model.pre_layrnorm",
             "visual.ln_post": "vision_model.post_layernorm"}
    parts = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
             "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
    for to, tower, layers in [("transformer", "text_model", config.text_config.num_hidden_layers),
                              ("visual.transformer", "vision_model", config.vision_config.num_hidden_layers)]:
        for index in range(layers):
            old, new = f"{tower}.encoder.layers.{index}", f"{to}.resblocks.{index}"
            norms |= {f"{new}.{theirs}": f"{old}.{ours}" for theirs, ours in parts.items()}
            for kind in ["weight", "bias"]:
                renamed[f"{new}.attn.in_proj_{kind}"] = torch.cat(
                    [weights[f"{old}.self_attn.{part}_proj.{kind}"] for part in "qkv"])
    for new, old in norms.items():
        for kind in ["weight", "bias"]:
            renamed[f"{new}.{kind}"] = weights[f"{old}.{kind}"]
    return renamed


def open_clip_json(config: CLIPConfig) -> dict:
    text, vision = config.text_config, config.vision_config
    return {
        "model_cfg": {
            "embed_dim": config.projection_dim, "quick_gelu": text.hidden_act == "quick_gelu",
            "vision_cfg": {
                "image_size": vision.image_size, "layers": vision.num_hidden_layers, "width": vision.hidden_size,
                "head_width": vision.hidden_size // vision.num_attention_heads,
                "mlp_ratio": vision.intermediate_size / vision.hidden_size, "patch_size": vision.patch_size,
            },
            "text_cfg": {
                "context_length": text.max_position_embeddings, "vocab_size": text.vocab_size,
                "width": text.hidden_size, "heads": text.num_attention_heads, "layers": text.num_hidden_layers,
                "mlp_ratio": text.intermediate_size / text.hidden_size,
            },
        },
        "preprocess_cfg": {"mean": IMAGE_MEAN, "std": IMAGE_STD},
    }


def tiny_words():
    return vocabulary.train(vocabulary.CORPUS, 240)


def tiny_clip() -> CLIPModel:
    vocab, _ = tiny_words()
    config = configuration(len(vocab), (32, 3, 4, 64), (48, 3, 4, 96, 32, 8), 24, "quick_gelu", end=2)
    return build(config, seed=TINY_SEED)


def tiny_gelu_words():
    return vocabulary.train(vocabulary.CORPUS, 30)


def tiny_clip_gelu() -> CLIPModel:
    vocab, _ = tiny_gelu_words()
    size = len(vocab)
    return build(configuration(size, (24, 2, 3, 48), (20, 3, 2, 40, 24, 8), 16, "gelu", end=size - 1), seed=GELU_SEED)


def main() -> None:
    make_deterministic()
    for folder in GOLDENS.glob("tiny-clip*"):
        shutil.rmtree(folder)
    words, model = tiny_words(), tiny_clip()
    weights, config = weights_of(model), model.config

    write_folder(GOLDENS / "tiny-clip", config, words)
    save_tensors(GOLDENS / "tiny-clip" / "model.safetensors", weights)

    for name, dtype in [("fp16", torch.float16), ("bf16", torch.bfloat16)]:
        folder = GOLDENS / f"tiny-clip-{name}"
        write_folder(folder, config, words, str(dtype).removeprefix("torch."))
        save_tensors(folder / "model.safetensors", {key: value.to(dtype) for key, value in weights.items()})

    write_folder(GOLDENS / "tiny-clip-sharded", config, words)
    write_sharded(GOLDENS / "tiny-clip-sharded", weights, 3)

    folder = GOLDENS / "tiny-clip-openclip"
    save_json(folder / "open_clip_config.json", open_clip_json(config))
    vocabulary.write(folder, *words)
    save_tensors(folder / "open_clip_model.safetensors", openai_names(weights, config))

    words, model = tiny_gelu_words(), tiny_clip_gelu()
    write_folder(GOLDENS / "tiny-clip-gelu", model.config, words)
    save_tensors(GOLDENS / "tiny-clip-gelu" / "model.safetensors", weights_of(model))


if __name__ == "__main__":
    main()
