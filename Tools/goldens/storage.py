"""Where goldens live, and how they are written so that two runs give the same bytes."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "Tests" / "Goldens"


def make_deterministic() -> None:
    """One thread and deterministic kernels: the order of every sum is then fixed."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_default_dtype(torch.float32)


def generator(seed: int) -> torch.Generator:
    """A generator of its own for each group of numbers, so that adding one does not move the others."""
    return torch.Generator().manual_seed(seed)


def normal(shape, seed: int, std: float = 1.0) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed)) * std


def save_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Writes a safetensors file; int64 becomes int32, because no id or label here needs more."""
    ready = {}
    for name, tensor in tensors.items():
        value = tensor.detach()
        if value.dtype == torch.int64:
            value = value.to(torch.int32)
        # A clone of its own: safetensors refuses tensors that share memory.
        ready[name] = value.clone().contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    # One metadata key only: the order of several is not fixed.
    save_file(ready, str(path), metadata={"format": "pt"})
    path.chmod(0o644)


def save_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
