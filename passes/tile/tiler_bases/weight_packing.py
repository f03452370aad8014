"""How the weights of a product lie in memory: as elements of whole bytes, or packed, so that several share a byte until
a unit of the core unpacks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ....backends.numerics.device.group_scales import stored_rows, with_scales
from ....backends.numerics.device.packing import pack_matmul_weights
from ....backends.numerics.packing import (
    elements_of_bytes,
    pack_rows,
    packed_bytes,
    weight_row_bytes,
)
from ....backends.numerics.storage import PACKED_NAMES
from ....dialects.quant.number_format import NumberFormat
from ....dialects.quant.scale_groups import ScaleGroups
from .emitter import Field


@dataclass(frozen=True)
class WeightPacking:
    """The packing of weights of type `storage`; `narrower` is that type if it is not the input's, else "none". `rate`
    is the storage type at whose rate the products go: that of the input, or of packed weights that are no narrower than
    it. `groups` are the scales of groups of input channels, whose rows stand among those of weights, for inputs of type
    `input`.
    """

    storage: str
    narrower: str
    rate: str
    input: str
    groups: ScaleGroups | None = None

    @staticmethod
    def of(x: NumberFormat, w: NumberFormat) -> WeightPacking:
        """Return the packing of weights `w` for inputs `x`."""
        narrower = "none" if w.storage == x.storage else w.storage
        fits = w.storage in PACKED_NAMES and x.fits(w.storage) and w.groups is None
        rate = w.storage if fits else x.storage
        return WeightPacking(w.storage, narrower, rate, x.storage, w.groups)

    @property
    def is_packed(self) -> bool:
        """Whether several weights share a byte."""
        return self.storage in PACKED_NAMES

    @property
    def per_byte(self) -> int:
        """How many weights a byte has, at least 1: parts of a row begin at a multiple of so many."""
        return elements_of_bytes(1, self.storage) if self.is_packed else 1

    def row_elements(self, columns: int) -> int:
        """Return how many elements a row of `columns` weights has in memory: bytes, if weights share them."""
        return packed_bytes(columns, self.storage) if self.is_packed else columns

    @property
    def group(self) -> int:
        """How many input channels share a scale; 0 if there are no such scales."""
        return 0 if self.groups is None else self.groups.size

    def stored_rows(self, depth: int) -> int:
        """Return how many rows the weights of `depth` input channels take, with those of scales."""
        return stored_rows(depth, self.group, self.input, self.storage)

    def size_bytes(self, columns: int, depth: int, taps: int = 1) -> int:
        """Return the bytes of the weights of `taps` times `depth` input channels and `columns` columns."""
        rows = taps * self.stored_rows(depth)
        return weight_row_bytes(columns, self.storage, self.narrower) * rows

    def stored(self, weights: np.ndarray, taps: int = 1) -> np.ndarray:
        """Return weights [..., taps · depth, columns], in the order in which a unit reads them, as they lie in memory;
        if there are scales of groups, [blocks, taps · depth, columns], with the rows of scales.
        """
        if not self.is_packed:
            return weights
        packed = pack_rows(weights, self.storage)
        if self.groups is None:
            return packed
        blocks, rows, columns = weights.shape
        scales = pack_matmul_weights(self.groups.stored(self.input), columns)
        by_tap = packed.reshape(blocks, taps, rows // taps, -1)
        stored = with_scales(by_tap, scales[:, None], self.group, self.input, self.storage)
        return stored.reshape(blocks, -1, stored.shape[-1])

    def fields(self, columns: int) -> Mapping[str, Field]:
        """Return the fields of a tile op that say how its rows of `columns` weights are packed, and whether the input
        has as few bits.
        """
        if not self.is_packed:
            return {}
        filled = elements_of_bytes(packed_bytes(columns, self.storage), self.storage)
        return {
            "packed": self.storage,
            "block": None if filled == columns else columns,
            "narrow": self.rate == self.storage,
            "group": self.group or None,
        }
