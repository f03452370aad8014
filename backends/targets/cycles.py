"""Cycle formulas: what an instruction costs on a target, without waiting and shared bandwidth.

The timing simulator and the compiler's cost models both call these functions, so that what the
compiler minimizes is what the simulator measures. The compiler calls them with integers, for every tiling
that a search tries; the simulator with columns of whole numbers in f64, for all instructions at
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError
from ..numerics.rounding_up import Whole, ceil_div, larger, round_up
from .systolic import Folds, gemm_folds

if TYPE_CHECKING:
    from .target import Target


def _ceil(value: Any) -> Any:
    return ceil(value) if isinstance(value, (int, float)) else np.ceil(value)


def matrix_rate(target: Target, storage: str) -> float:
    """Return the multiply-accumulates of one cell of the matrix unit in one cycle for operands of type `storage`.
    Raises DiagnosticError if the unit cannot multiply this type.
    """
    rate = target.matrix.macs_per_cycle.get(storage)
    if rate is None:
        known = ", ".join(target.matrix.macs_per_cycle)
        raise DiagnosticError(
            f"the matrix unit of target '{target.name}' has no rate for type '{storage}'",
            hint=f"it multiplies {known}: quantize to one of them",
        )
    return rate


def check_unpacks(target: Target, weights: str, group: Whole | int = 0) -> None:
    """Raise DiagnosticError unless the units of the target unpack weights of storage type `weights`, and multiply them
    by the scale of each `group` of input channels; "none" are not packed, and groups of 0 have no scales.
    """
    if weights != "none" and weights not in target.matrix.macs_per_cycle:
        known = ", ".join(target.matrix.macs_per_cycle)
        raise DiagnosticError(
            f"target '{target.name}' unpacks no weights of '{weights}': its matrix unit has no rate for them",
            hint=f"it multiplies {known}: quantize weights to one of them",
        )
    if np.any(group > 0) and not target.matrix.group_scales:
        raise DiagnosticError(
            f"target '{target.name}' multiplies no weights by scales of groups of input channels",
            hint="quantize weights per output channel, or give the target matrix.group_scales = true",
        )


def matrix_folds(
    target: Target,
    storage: str,
    weights: str = "none",
    group: Whole | int = 0,
    *,
    m: Whole,
    k: Whole,
    n: Whole,
    repeat: Whole = 1,
) -> Folds[Whole]:
    """Return the folds of `repeat` products [m,k] x [k,n] of operands of type `storage` on the target's matrix unit.

    A cell that makes fewer than one product per cycle streams that much slower: a length of T takes
    ceil(T / macs_per_cycle) cycles. Weights of the packed type `weights` are unpacked on the way and, if `group` is not
    0, multiplied by the scales of groups of so many rows, which takes no time. Raises DiagnosticError if the unit
    cannot multiply this type, or unpack these weights.
    """
    check_unpacks(target, weights, group)
    unit, rate = target.matrix, matrix_rate(target, storage)
    folds = gemm_folds(m, k, n, unit.rows, unit.columns, unit.dataflow, repeat)
    return folds if rate == 1.0 else replace(folds, stream=_ceil(folds.stream / rate))


def matrix_cycles(
    target: Target, storage: str, *, m: Whole, k: Whole, n: Whole, repeat: Whole = 1
) -> Whole:
    """Return the cycles of an instruction of these folds that has the matrix unit to itself; see `matrix_folds`."""
    folds = matrix_folds(target, storage, m=m, k=k, n=n, repeat=repeat)
    return folds.cycles(target.matrix.rows, target.matrix.overlap)


def vector_cycles(
    target: Target, storage: str, elements: Whole, operations: int, *lane_groups: Whole
) -> Whole:
    """Return the cycles of `operations` passes over `elements` of type `storage`: startup + operations ·
    ceil(elements / lanes), or more if an operand is read in more `lane_groups` than that (`lane_groups_read`).

    The unit reads lanes / lane_group groups of each operand in a cycle, while it computes on those read before:
    the cycles are startup + max(operations · ceil(elements / lanes), ceil(lane groups · lane_group / lanes)). So an
    operand of whole groups costs nothing more, and one of single elements lane_group times as much.
    """
    lanes, busy = target.lanes_of(storage), 0
    for groups in lane_groups:
        busy = larger(busy, ceil_div(groups * target.vector.lane_group, lanes))
    return target.vector.startup_cycles + larger(operations * ceil_div(elements, lanes), busy)


def vector_product_cycles(
    target: Target, storage: str, *, m: Whole, k: Whole, n: Whole, repeat: Whole = 1
) -> Whole:
    """Return the cycles of `repeat` products [m,k] x [k,n] of operands of type `storage` on the vector unit.

    For each row of the left-hand matrix every element of the right-hand one takes a lane, rows of whole lane groups; so
    several rows of a narrow matrix are multiplied at once, and their products added on the way to the accumulators.
    """
    elements = repeat * m * k * round_up(n, target.vector.lane_group)
    return vector_cycles(target, storage, elements, target.vector.operations_of("vector_matmul"))


def lane_groups_read(target: Target, sizes: Sequence[Whole], strides: Sequence[Whole]) -> Whole:
    """Count the lane groups that the vector unit reads of an operand of `sizes` elements at `strides` in elements,
    outermost axis first.

    The local memory gives lane_group neighboring elements at a time, and the unit can spread one of them over all
    lanes; it cannot collect the elements of a group from several places. So elements that follow one another (stride
    1) are read in ceil(length / lane_group) groups, neighboring axes as one if they lie side by side; an element that
    is repeated (stride 0) is read once for each of its runs; and every element at another stride takes a group of
    its own.
    """
    length: Any = 1
    rows: Any = 1
    joins: Any = True
    repeated: Any = False
    for size, stride in zip(reversed(sizes), reversed(strides), strict=True):
        neighbor = (stride == length) & (repeated == 0)
        repeat = (stride == 0) & (length == 1)
        joins = joins & ((size == 1) | neighbor | repeat)
        repeated = repeated | (joins & repeat & (size > 1))
        length = length * (1 + (size - 1) * (joins & neighbor))
        rows = rows * (1 + (size - 1) * (joins == 0))
    return rows * ceil_div(length, target.vector.lane_group)


def row_elements(target: Target, rows: Whole, columns: Whole, pitch: Whole) -> Whole:
    """Count the elements that the vector unit computes for rows of `columns` elements that begin every `pitch`
    elements: whole lane groups of each row, but no more than the elements where rows follow each other without a gap.
    """
    whole: Any = round_up(columns, target.vector.lane_group)
    return rows * (columns + (columns != pitch) * (whole - columns))


def permute_cycles(
    target: Target, storage: str, *, tiles: Whole, rows: Whole, columns: Whole
) -> Whole:
    """Return the cycles to transpose `tiles` of rows x columns elements of type `storage`.

    The model's assumption is a square of lane_group x lane_group registers for each lane group of the vector unit. A
    block takes lane_group cycles to enter it, a row in each, and as many to leave, a column in each, while the next
    block enters from the other side. So the lanes / lane_group squares pass lanes elements in a cycle; blocks are
    whole, and a target that cannot let blocks enter and leave at once says `permute = 2` in its operations.
    """
    group = target.vector.lane_group
    blocks = tiles * ceil_div(rows, group) * ceil_div(columns, group)
    operations = target.vector.operations_of("permute")
    return vector_cycles(target, storage, blocks * group * group, operations)


def epilogue_operations(target: Target, residual: bool) -> int:
    """Count the passes over its elements that the vector unit makes for an epilogue."""
    operations = target.vector.operations_of("epilogue")
    return operations + target.vector.operations_of("residual") if residual else operations


def transfer_issue_cycles(target: Target, runs: int) -> int:
    """Return the cycles that a DMA engine takes to issue a transfer of `runs` runs: its start, then an address a
    cycle.
    """
    return target.dma.issue_cycles + larger(runs, 1) - 1


def further_store_issue_cycles(target: Target) -> int:
    """Return the cycles that a DMA engine takes to issue a store of a multicast group that is not the group's first:
    its start alone, as its addresses step like those of the first.
    """
    return target.dma.issue_cycles


def local_write_cycles(target: Target, size_bytes: int) -> int:
    """Return the cycles to write `size_bytes` to local memory through one port, at least 1."""
    return larger(1, _ceil(size_bytes / target.local_memory.bytes_per_cycle))


def transfer_bytes_on_bus(target: Target, run_bytes: Whole, runs: Whole) -> Whole:
    """Return the bytes that a transfer of `runs` separate runs takes on global memory's bus: whole bursts for each
    run.
    """
    burst = target.global_memory.burst_bytes
    return round_up(run_bytes, burst) * runs
