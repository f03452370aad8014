"""What an architecture is made of, and the two exporters of PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
"""The sizes of most transformers."""
EXPORTERS = ("torchscript", "dynamo")
"""PyTorch's exporters: the one that traces, and the one of torch.export."""


@dataclass(frozen=True)
class Architecture:
    """A network without its weights: `make` builds the module, which is seeded, and its example operands."""

    name: str
    make: Callable[[], tuple[torch.nn.Module, tuple[torch.Tensor, ...]]]
    inputs: tuple[str, ...] = ("x",)


def outputs_only(model: torch.nn.Module, *fields: str, **fixed: object) -> torch.nn.Module:
    """Wrap a model of transformers: it takes tensors by position under the names `fields`, and gives a tuple of
    tensors.
    """
    from torch import nn

    class Positional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors):
            given = dict(zip(fields, tensors, strict=True))
            return tuple(self.model(**given, **fixed, return_dict=False))[:1]

    return Positional()
