"""The constants that tiling makes: packed weights and tables of parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ....backends.numerics.storage import name_of
from ....dialects import tile
from ....dialects.ir.text.value_name import value_name
from ....dialects.ir.weights import WeightStore
from ...tiling.layout import row_major
from .emitter import global_buffer
from .layer import Buffer

Identity = tuple[object, ...]


@dataclass
class Constants:
    """The constants made so far, each made once, however many cores read it."""

    store: WeightStore
    made: dict[Identity, Buffer] = field(default_factory=dict)
    operations: list[tile.GlobalOp] = field(default_factory=list)
    """The declarations of the new buffers, in the order in which they were made."""
    decisions: dict[Identity, int] = field(default_factory=dict)
    """Numbers that all cores of a layer must share, such as the block size of packed weights."""

    def once(self, identity: Identity, name: str, make: Callable[[], np.ndarray]) -> Buffer:
        """Return the row-major buffer of weights for `identity`; the first time, make it from `make()` under the name
        `name`.
        """
        found = self.made.get(identity)
        if found is None:
            array = make()
            key = self.store.add(name, array)
            operation = global_buffer(
                key, "weights", row_major(array.shape), name_of(array.dtype), key=key
            )
            operation.output.name_hint = value_name(key)
            self.operations.append(operation)
            found = Buffer.of(operation)
            self.made[identity] = found
        return found

    def decide(self, identity: Identity, decide: Callable[[], int]) -> int:
        """Return the number decided for `identity`; the first time, call `decide()`."""
        if identity not in self.decisions:
            self.decisions[identity] = decide()
        return self.decisions[identity]
