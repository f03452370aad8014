"""Whether the tensors of a network can fit into global memory at all, before they are cut into tiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tile
from ...dialects.ir.location import place_of

if TYPE_CHECKING:
    from xdsl.ir import Operation

    from ...backends.targets.target import Target


def check_global_memory(ops: Iterable[Operation], target: Target) -> None:
    """Check the least that the buffers of a program need in global memory, whatever the order of the layers.

    That is all inputs, outputs and weights, and the largest of the other tensors: a value that is
    read has been written whole. Raises DiagnosticError if the target has less.
    """
    capacity = target.global_memory.size_bytes
    sizes: Counter[str] = Counter()
    largest: tile.GlobalOp | None = None
    for buffer in [op for op in ops if isinstance(op, tile.GlobalOp)]:
        segment = buffer.segment.data
        if segment in ("input", "output") or buffer.output.first_use is not None:
            size = buffer.size_bytes
            sizes[segment] = (
                max(sizes[segment], size) if segment == "scratch" else sizes[segment] + size
            )
            largest = buffer if largest is None or size > largest.size_bytes else largest
    needed = sum(sizes.values())
    if needed <= capacity or largest is None:
        return
    name = largest.buffer_name.data
    raise DiagnosticError(
        f"the model needs at least {needed} bytes of global memory, target '{target.name}' has {capacity}",
        place_of(largest),
        notes=[
            *(f"{segment}: {size} bytes" for segment, size in sizes.items()),
            f"the largest tensor is '{name}' with {largest.size_bytes} bytes",
        ],
        hint="use a smaller batch or model, or a target with more global memory",
    )
