"""Makes the bytes of a tile program's weight buffers, as they lie in global memory."""

from __future__ import annotations

from math import prod

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError
from ...ir.attribute import values_of
from ...ir.weights import WeightStore, seeded
from ..buffer import GlobalOp


def weight_data(op: GlobalOp, store: WeightStore) -> np.ndarray:
    """Return the data of a weight buffer in its physical shape and storage type, with zeros as padding.

    Raises DiagnosticError if the data in the weight store do not fit the buffer.
    """
    name, storage, shape = op.buffer_name.data, op.storage, values_of(op.shape)
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
    return op.to_physical(data.reshape(1, *shape))[0]
