"""The bytes of a tile program's weight buffers, as they lie in global memory."""

from __future__ import annotations

from math import prod

import numpy as np
from xdsl.dialects.builtin import MemRefType

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tile
from ...dialects.ir.weights import WeightStore, seeded
from ...dialects.quant.element_type import element_storage


def weight_data(op: tile.GlobalOp, store: WeightStore) -> np.ndarray:
    """The data of a weight buffer in its physical shape and storage type, padding zero.

    DiagnosticError where the weight store has other data than the buffer says.
    """
    name = op.buffer_name.data
    kind = op.output.type
    assert isinstance(kind, MemRefType)
    storage, physical = element_storage(kind), kind.get_shape()
    shape, order = tuple(op.shape.get_values()), tuple(op.order.get_values())
    if op.key is not None:
        data = store.get(op.key.data)
        found = store.info(op.key.data)[0]
    elif op.seed is not None:
        data, found = seeded(op.seed.value.data, shape, storage), storage
    else:
        raise DiagnosticError(f"weight buffer '{name}' has neither key nor seed")
    if found != storage or data.size != prod(shape):
        raise DiagnosticError(
            f"weight buffer '{name}' holds {storage} {list(shape)}, "
            f"the weight store has {found} {list(data.shape)}",
            hint="keep the .safetensors file that was written with the IR beside it",
        )
    moved = data.reshape(shape).transpose(order)
    if moved.shape == physical:
        return moved
    padded = np.zeros(physical, dtype=data.dtype)
    padded[..., : moved.shape[-1]] = moved
    return padded
