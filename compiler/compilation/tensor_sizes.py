"""Refuses networks with a tensor that no memory of the target can hold, before anything is computed with it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp, TensorType

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects.ir.location import place_of

if TYPE_CHECKING:
    from ...backends.targets.target import Target


def check_tensor_sizes(module: ModuleOp, target: Target) -> None:
    """Check every value of a network, counted with a byte an element: how it is stored is not settled yet.

    Raises DiagnosticError, at the op that makes it, if a value is larger than the target's global memory.
    """
    capacity = target.global_memory.size_bytes
    for op in module.walk():
        for result in op.results:
            if isinstance(result.type, TensorType) and prod(result.type.get_shape()) > capacity:
                raise DiagnosticError(
                    f"its result {list(result.type.get_shape())} has {prod(result.type.get_shape())} elements; "
                    f"the global memory of target '{target.name}' has {capacity} bytes",
                    place_of(op),
                    hint="use a smaller batch or model, or a target with more global memory",
                )
