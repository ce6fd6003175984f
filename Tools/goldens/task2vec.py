"""Goldens of task embeddings: a ResNet-34 by torchvision, the information of a CLIP tower's filters by transformers and
autograd, picture by picture, and Model2Vec by torch's own Adam in float64."""

import sys

import numpy
import torch
import torch.nn.functional as F

from clip import load, pictures
from reference import unit
from storage import GOLDENS, ROOT, make_deterministic, normal, save_json, save_tensors

# In a folder of its own, where transformers does not find it (`make goldens` puts it there). Its detection ops are compiled for
# accelerators; the network needs none of them.
sys.path.append(str(ROOT / ".deps" / "torchvision"))
torch.library.register_fake = lambda name: lambda function: function
import torchvision  # noqa: E402

FOLDER = GOLDENS / "task2vec"


def hashed(count: int, stream: int) -> numpy.ndarray:
    """Numbers on ±½ that any language makes: ((i · 40503 + stream · 7919 + 1) · 2654435761 mod 2³²) / 2³² − ½."""
    index = numpy.arange(count, dtype=numpy.uint64)
    mixed = ((index * 40503 + stream * 7919 + 1) * 2654435761) % (1 << 32)
    return mixed.astype(numpy.float64) / (1 << 32) - 0.5


def residual() -> None:
    network = torchvision.models.resnet34().eval()
    state = network.state_dict()
    names = sorted(name for name in state if not name.endswith("num_batches_tracked") and not name.startswith("fc."))
    for stream, name in enumerate(names):
        shape = state[name].shape
        values = torch.from_numpy(hashed(state[name].numel(), stream)).reshape(shape)
        if len(shape) == 4:
            values = values * (24 / (shape[1] * shape[2] * shape[3])) ** 0.5
        elif name.endswith(("running_var", "weight")):
            values = 1 + values
        else:
            values = 0.2 * values
        state[name] = values.to(torch.float32)
    network.load_state_dict(state, strict=False)
    network.fc = torch.nn.Identity()
    found = {}
    x = torch.from_numpy(hashed(2 * 3 * 64 * 64, 999) * 4).to(torch.float32).reshape(2, 3, 64, 64)
    with torch.no_grad():
        found["features"] = network(x)
    save_tensors(FOLDER / "resnet34.safetensors", found)
    save_json(FOLDER / "resnet34.json", {"names": names, "shapes": [list(state[name].shape) for name in names]})


def information() -> None:
    """Per picture: label, and of every filter the mean square of its weights' gradient of log p(label)."""
    model = load("tiny-clip", torch.float64)
    tower, projection = model.vision_model, model.visual_projection
    pixels = pictures().double()
    width = projection.weight.shape[0]
    head, bias = normal((5, width), 1301).double() * 0.4, normal((5,), 1302).double() * 0.1
    labels, scale = torch.tensor([3, 0, 4]), 4.0
    weights = {"image.patchEmbedding": [tower.embeddings.patch_embedding.weight], "image.projection": [projection.weight]}
    for number, layer in enumerate(tower.encoder.layers):
        block, attention = f"image.blocks.{number}", layer.self_attn
        weights |= {
            f"{block}.attention.qkv": [attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight],
            f"{block}.attention.output": [attention.out_proj.weight],
            f"{block}.mlp.input": [layer.mlp.fc1.weight], f"{block}.mlp.output": [layer.mlp.fc2.weight],
        }
    found = {"pixels": pixels.float(), "head": head.float(), "bias": bias.float(), "labels": labels}
    sums = {name: 0 for name in weights}
    features = []
    for picture, label in zip(pixels, labels):
        feature = unit(projection(tower(picture[None]).pooler_output))
        features.append(feature.detach())
        loss = F.cross_entropy((scale * feature) @ head.T + bias, label[None])
        for name, parts in weights.items():
            gradients = torch.autograd.grad(loss, parts, retain_graph=True)
            sums[name] = sums[name] + torch.cat([gradient.flatten(1).square().mean(1) for gradient in gradients])
    found["features"] = torch.cat(features).float()
    found |= {f"sum.{name}": value for name, value in sums.items()}
    save_tensors(FOLDER / "information.safetensors", found)


def distance(a, b):
    first, second = a / (a + b), b / (a + b)
    return 1 - F.cosine_similarity(first, second, dim=-1)


def selection() -> None:
    """Five tasks, four models of other tasks, errors as drawn; the loss with its logarithm."""
    # Filters of very different size, as those of different layers are.
    magnitudes = 10.0 ** torch.linspace(0, 4, 12, dtype=torch.float64)
    tasks = normal((5, 12), 1310).double().exp() * magnitudes
    trained = (0.11 + normal((4, 12), 1311).double().exp()) * magnitudes
    prior = torch.full((4, 12), 0.05, dtype=torch.float64) * torch.tensor([1, 2, 0.5, 1], dtype=torch.float64)[:, None]
    errors = (0.3 + 0.1 * normal((5, 4), 1312).double()).clamp(0.02, 0.9)
    sharpness, alpha, rate, decay, epochs, floor = 20.0, 0.15, 0.05, 5e-4, 81, 1e-6
    scale = trained.mean(0)
    logits = -sharpness * (errors - errors.mean(1, keepdim=True)) / errors.std(1, keepdim=True, correction=0)
    soft = logits.softmax(1)
    offsets = torch.zeros_like(trained, requires_grad=True)
    gamma = torch.zeros((), dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([offsets, gamma], lr=rate, weight_decay=decay)

    def chances():
        models = (trained / scale + offsets - floor).relu() + floor
        d = distance(models[None], (tasks / scale)[:, None]) - alpha * distance(models, prior / scale)[None]
        return (-gamma.exp() * d).log_softmax(1)

    losses = []
    for _ in range(epochs):
        adam.zero_grad()
        loss = -(soft * chances()).sum(1).mean()
        losses.append(loss.item())
        loss.backward()
        adam.step()
    losses.append(-(soft * chances()).sum(1).mean().item())
    save_json(FOLDER / "model2vec.json", {
        "tasks": tasks.tolist(), "models": trained.tolist(), "priors": prior[:, 0].tolist(), "errors": errors.tolist(),
        "soft": soft.tolist(), "losses": losses, "offsets": offsets.tolist(), "logGamma": gamma.item(),
        "probabilities": chances().exp().tolist(),
        "distances": distance(tasks[:, None], trained[None]).tolist(),
    })


if __name__ == "__main__":
    make_deterministic()
    residual()
    information()
    selection()
