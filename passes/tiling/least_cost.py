"""What no schedule does a layer in fewer cycles than: cost models of whole layers, and of one element of a layer.
No IR.

A tiler counts the work of a window by a cost model. Given one of these in its place, it counts what any tiles of the
layer need together, or what the first element of the layer has to wait for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cost import CostModel

if TYPE_CHECKING:
    from ...backends.targets.systolic import Folds


@dataclass(eq=False)
class _UnpaddedCosts(CostModel):
    """A cost model without padding, as there may be layouts and tiles in which rows end where their elements do."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lane_group = 1
        self.burst_bytes = 1

    def _folds(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> Folds[int]:
        from ...backends.targets import cycles

        return cycles.matrix_folds(self.target, storage, m=m, k=k, n=n, repeat=repeat)

    def vector_product_cycles(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> int:
        operations = self.operations_of("vector_matmul")
        return self.vector_cycles(storage, repeat * m * k * n, operations)


@dataclass(eq=False)
class LeastCosts(_UnpaddedCosts):
    """Counts the cycles for which the units of all cores together are busy with a layer, however it is cut into tiles.

    A product takes the array for its whole folds. Loads and drains at the ends of instructions may overlap with the
    neighbors of an instruction, if the unit overlaps at all. Cutting a layer into parts never makes this less, as
    rounding up each of several parts gives at least the whole rounded up. Products of a batch, or of groups, may share
    a fold, as blocks along its diagonal, or have the same right-hand side.
    """

    def matrix_cycles(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> int:
        least = self._busy(storage, m * repeat, k, n, 1)
        if repeat == 1:
            return least
        unit = self.target.matrix
        # More products than the array has rows or columns share no fold.
        together = min(repeat, max(unit.rows, unit.columns))
        packed = (
            self._busy(storage, m, k * count, n * count, -(-repeat // count))
            for count in range(1, together + 1)
        )
        return min(least, *packed)

    def _busy(self, storage: str, m: int, k: int, n: int, repeat: int) -> int:
        unit = self.target.matrix
        return self._folds(storage, m, k, n, repeat).busy(unit.rows, unit.overlap)


@dataclass(eq=False)
class LatencyCosts(_UnpaddedCosts):
    """Counts the cycles from the operands of a layer's first element to its result, with all units free.

    Of a product it counts one fold through which one row streams: the others may have been summed before the last
    operand arrived, or on another core.
    """

    def matrix_cycles(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> int:
        unit = self.target.matrix
        return self._folds(storage, 1, 1, 1).cycles(unit.rows, unit.overlap)

    def vector_product_cycles(self, storage: str, m: int, k: int, n: int, repeat: int = 1) -> int:
        return super().vector_product_cycles(storage, 1, 1, 1)
