"""CLIP's two towers in plain PyTorch, written from the equations, with prompts at any layer.

It reads the weights of a transformers CLIPModel by name and nothing else of it. `clip.py` checks that
plain inputs give what transformers gives; the prompt goldens then rest on this file.

Shapes: texts [classes, positions, width]; pictures [batch, 1 + patches, width].
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass
class Tower:
    """The numbers of one tower that the weights do not tell."""

    prefix: str
    layers: int
    heads: int
    activation: str
    epsilon: float


class ReferenceCLIP:
    """Frozen weights and the two forward passes."""

    def __init__(self, weights: dict[str, torch.Tensor], config, dtype=torch.float32):
        self.weights = {name: tensor.detach().to(dtype) for name, tensor in weights.items()}
        text, vision = config.text_config, config.vision_config
        self.text = Tower(
            "text_model", text.num_hidden_layers, text.num_attention_heads, text.hidden_act, text.layer_norm_eps)
        self.vision = Tower(
            "vision_model", vision.num_hidden_layers, vision.num_attention_heads, vision.hidden_act,
            vision.layer_norm_eps)
        self.patch = vision.patch_size

    def __getitem__(self, name: str) -> torch.Tensor:
        return self.weights[name]

    @property
    def scale(self) -> torch.Tensor:
        """exp(logit_scale), the factor before the cosine."""
        return self["logit_scale"].exp()

    # Operations

    def norm(self, x, name, tower):
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        return (x - mean) / torch.sqrt(variance + tower.epsilon) * self[name + ".weight"] + self[name + ".bias"]

    def linear(self, x, name):
        return x @ self[name + ".weight"].T + self[name + ".bias"]

    @staticmethod
    def activate(x, kind):
        if kind == "quick_gelu":
            return x * torch.sigmoid(1.702 * x)
        if kind == "gelu":
            return 0.5 * x * (1 + torch.erf(x / 2 ** 0.5))
        raise ValueError(f"unknown activation {kind}")

    def attention(self, x, name, tower, causal):
        batch, positions, width = x.shape
        size = width // tower.heads

        def split(part):
            return self.linear(x, f"{name}.{part}").view(batch, positions, tower.heads, size).transpose(1, 2)

        scores = split("q_proj") @ split("k_proj").transpose(-1, -2) / size ** 0.5
        if causal:
            hidden = torch.ones(positions, positions, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(hidden, float("-inf"))
        mixed = torch.softmax(scores, -1) @ split("v_proj")  # [batch, heads, positions, size]
        return self.linear(mixed.transpose(1, 2).reshape(batch, positions, width), f"{name}.out_proj")

    def mlp(self, x, name, tower):
        return self.linear(self.activate(self.linear(x, f"{name}.fc1"), tower.activation), f"{name}.fc2")

    def block(self, x, index, tower, causal):
        name = f"{tower.prefix}.encoder.layers.{index}"
        x = x + self.attention(self.norm(x, f"{name}.layer_norm1", tower), f"{name}.self_attn", tower, causal)
        return x + self.mlp(self.norm(x, f"{name}.layer_norm2", tower), f"{name}.mlp", tower)

    # Text

    def token_embedding(self, ids):
        return self["text_model.embeddings.token_embedding.weight"][ids]

    def text_features(self, embeddings, ends, replaced=None, inserted=None, add_positions=True):
        """Token embeddings [classes, positions, width] and EOT indices [classes] to raw features.

        `replaced[k]` [M, width]: stands at positions 1…M of layer k's input (k > 0), instead of what was there.
        `inserted[k]` [M, width]: M new positions after SOS at layer k's input; what follows moves by M.
        """
        x = embeddings
        if add_positions:
            x = x + self["text_model.embeddings.position_embedding.weight"][: x.shape[1]]
        for layer in range(self.text.layers):
            if inserted and layer in inserted:
                x = between(x, inserted[layer], skip=0)
                ends = ends + inserted[layer].shape[0]
            if replaced and layer in replaced:
                x = between(x, replaced[layer], skip=replaced[layer].shape[0])
            x = self.block(x, layer, self.text, causal=True)
        x = self.norm(x, "text_model.final_layer_norm", self.text)
        return x[torch.arange(x.shape[0]), ends] @ self["text_projection.weight"].T

    # Image

    def patches(self, pixels):
        """Pixels [batch, 3, side, side] to the first layer's input [batch, 1 + patches, width]."""
        batch = pixels.shape[0]
        tiles = F.unfold(pixels, self.patch, stride=self.patch).transpose(1, 2)  # [batch, patches, 3·patch²]
        kernel = self["vision_model.embeddings.patch_embedding.weight"].flatten(1)
        start = self["vision_model.embeddings.class_embedding"].expand(batch, 1, -1)
        x = torch.cat([start, tiles @ kernel.T], 1) + self["vision_model.embeddings.position_embedding.weight"]
        return self.norm(x, "vision_model.pre_layrnorm", self.vision)

    def image_features(self, pixels, replaced=None, inserted=None):
        """Pixels to raw features; `replaced` and `inserted` as for text, after the class token."""
        x = self.patches(pixels)
        for layer in range(self.vision.layers):
            if inserted and layer in inserted:
                x = between(x, inserted[layer], skip=0)
            if replaced and layer in replaced:
                x = between(x, replaced[layer], skip=replaced[layer].shape[0])
            x = self.block(x, layer, self.vision, causal=False)
        pooled = self.norm(x[:, 0], "vision_model.post_layernorm", self.vision)
        return pooled @ self["visual_projection.weight"].T


def between(x, tokens, skip):
    """`tokens` [M, width] after position 0 of every row, `skip` of the old positions left out."""
    return torch.cat([x[:, :1], tokens.expand(x.shape[0], -1, -1), x[:, 1 + skip:]], 1)


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def cross_entropy(logits, labels):
    """Mean over the samples of −log softmax at the label."""
    return (torch.logsumexp(logits, -1) - logits[torch.arange(len(labels)), labels]).mean()
