"""A device: what it can, and how it gets a model ready."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .loaded_model import LoadedModel
from .served_model import ServedModel


class Device(ABC):
    """Hardware, or what stands for it. `name`: as callers name it, with a number if there may be several: `TPU.0`."""

    name: str

    @property
    @abstractmethod
    def full_name(self) -> str:
        """What it is, for people."""

    @property
    def capabilities(self) -> Sequence[str]:
        """The types of numbers that it computes in, in OpenVINO's words."""
        return ("FP32",)

    @property
    def helps_at_startup(self) -> bool:
        """Whether it is ready so soon that AUTO lets it serve while a better one loads."""
        return False

    def load_nanoseconds(self) -> int:
        """Return how long it takes in virtual time to load a model."""
        return 0

    def supported_nodes(self, model: ServedModel, settings: Mapping[str, Any]) -> Collection[str]:
        """Return the names of the nodes of a model that it can run; all, if it finds out only when it loads."""
        return model.nodes

    @property
    def largest_batch(self) -> int:
        """The largest batch that `optimal_batch` may return."""
        return 1

    def most_instances(self, settings: Mapping[str, Any]) -> int:
        """Return how many programs of one core may run side by side."""
        return 1

    def optimal_batch(self, model: ServedModel, settings: Mapping[str, Any]) -> int:
        """Return the size of batches from which a greater one pays no more."""
        return 1

    @abstractmethod
    def load(
        self, model: ServedModel, batches: Sequence[int], settings: Mapping[str, Any]
    ) -> LoadedModel:
        """Return a model that is ready to run for sizes of batches, of which it may leave out all but the first.

        Raises DiagnosticError if the model cannot run on it.
        """
