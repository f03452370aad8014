"""Puts tensors together whose parts stay in the local memories of cores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from xdsl.ir import SSAValue

from ....dialects import tile
from ....dialects.ir.attribute import values_of
from .buffers import BufferSpec


class KeptTensors:
    """The tensors of which cores keep parts; each part is added once it is computed."""

    def __init__(self, specs: Mapping[SSAValue, BufferSpec]) -> None:
        self._parts: dict[str, list[tile.AllocOp]] = {}
        for spec in specs.values():
            op = spec.use.op
            if isinstance(op, tile.AllocOp) and op.tensor is not None and spec.use.is_used:
                self._parts.setdefault(op.tensor.data, []).append(op)
        self._missing = {name: len(parts) for name, parts in self._parts.items()}
        self._wholes: dict[str, np.ndarray] = {}

    def add(self, op: tile.AllocOp, physical: np.ndarray) -> tuple[str, np.ndarray] | None:
        """Take the values [S, physical shape] of a part; return the name and the values [S, logical shape] of its
        tensor once all parts are there.
        """
        assert op.tensor is not None and op.window is not None
        name = op.tensor.data
        part, bounds = op.to_logical(physical), values_of(op.window)
        whole = self._wholes.get(name)
        if whole is None:
            whole = np.zeros((len(part), *self._shape(name)), part.dtype)
            self._wholes[name] = whole
        if len(whole) < len(part):
            # Only the parts so far are the same for all samples.
            whole = self._wholes[name] = np.repeat(whole, len(part), axis=0)
        box = (slice(low, high) for low, high in zip(bounds[::2], bounds[1::2], strict=True))
        whole[(slice(None), *box)] = part
        self._missing[name] -= 1
        if self._missing[name]:
            return None
        return name, self._wholes.pop(name)

    def _shape(self, name: str) -> tuple[int, ...]:
        ends = [values_of(op.window)[1::2] for op in self._parts[name] if op.window is not None]
        return tuple(max(each) for each in zip(*ends, strict=True))
