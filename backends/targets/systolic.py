"""Cycles of matrix products on a systolic array: what a product streams through it, fold by fold.

Without overlap these are the closed forms of SCALE-Sim (Samajdar et al., "SCALE-Sim: Systolic CNN
Accelerator Simulator", 2018, section 3), whose reported figure is one less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal

from ..numerics.rounding_up import Whole, ceil_div, larger

Dataflow = Literal["weight_stationary", "output_stationary", "input_stationary"]


@dataclass(frozen=True)
class Folds(Generic[Whole]):
    """What an instruction does on the array of the matrix unit, in whole cycles (or columns of them).

    The operand that stays in the cells is cut into `count` folds of the array's size. `load`: to load
    the first fold's stationary operand, or 0 if no operand is loaded. `stream`: the length that one
    fold streams. `drain`: from the last value that streams in to the last sum that comes out.
    """

    load: Whole
    stream: Whole
    count: Whole
    drain: Whole

    def interval(self, rows: int) -> Whole:
        """Return the cycles from the begin of one fold to the next on an array of `rows` rows, with overlap: while one
        fold streams, the next one is loaded (output stationary: the finished one drained).
        """
        return larger(self.stream, rows)

    def busy(self, rows: int, overlap: bool) -> Whole:
        """Return the cycles from the start of the instruction to that of one that follows it without a gap.

        With `overlap` they hide each other's load and drain.
        """
        return self.count * self.interval(rows) if overlap else self.cycles(rows, False)

    def cycles(self, rows: int, overlap: bool) -> Whole:
        """Return the cycles of the whole instruction, alone, on an array of `rows` rows.

        With `overlap` load and drain are paid once; without, for every fold.
        """
        alone = self.load + self.stream + self.drain
        if not overlap:
            return self.count * alone
        return (self.count - 1) * self.interval(rows) + alone


def gemm_folds(
    m: Whole, k: Whole, n: Whole, rows: int, columns: int, dataflow: Dataflow, repeat: Whole = 1
) -> Folds[Whole]:
    """Return the folds of `repeat` matrix products [m,k] x [k,n] on an array of rows x columns cells.

    Where an operand stays (weights or inputs), loading it takes `rows` cycles, and the other operand
    streams against it; where the outputs stay, the depth streams. The last sum leaves after
    rows + columns - 2 cycles. Raises ValueError for an unknown dataflow.
    """
    drain = rows + columns - 2
    if dataflow == "weight_stationary":
        return Folds(rows, m, ceil_div(k, rows) * ceil_div(n, columns) * repeat, drain)
    if dataflow == "input_stationary":
        return Folds(rows, n, ceil_div(k, rows) * ceil_div(m, columns) * repeat, drain)
    if dataflow == "output_stationary":
        return Folds(0, k, ceil_div(m, rows) * ceil_div(n, columns) * repeat, drain)
    raise ValueError(f"unknown dataflow '{dataflow}'")


def gemm_cycles(
    m: Whole,
    k: Whole,
    n: Whole,
    rows: int,
    columns: int,
    dataflow: Dataflow,
    overlap: bool = False,
    repeat: Whole = 1,
) -> Whole:
    """Return the cycles of `repeat` matrix products [m,k] x [k,n] on an array of rows x columns cells; 0 if any size
    is 0. Raises ValueError for an unknown dataflow.
    """
    some = (m > 0) & (k > 0) & (n > 0) & (repeat > 0)
    return some * gemm_folds(m, k, n, rows, columns, dataflow, repeat).cycles(rows, overlap)
