"""Cycle formulas: what an instruction costs on a target, waiting and shared bandwidth apart.

The timing simulator and the compiler's cost models both call these functions, so that what the
compiler minimises is what the simulator measures. The compiler calls them with integers, for every tiling
that a search tries; the simulator with columns of whole numbers in f64, for all instructions at
once.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from .target_error import TargetError

if TYPE_CHECKING:
    from .target import Target

SOFTMAX_OPERATIONS = 8
"""Passes over its elements that the vector unit makes for a softmax."""

NORMALIZE_OPERATIONS = 6
"""Passes over its elements that the vector unit makes for a normalisation: mean, deviations, their
squares' sum, quotient, scale, offset."""

Dataflow = Literal["weight_stationary", "output_stationary", "input_stationary"]


Whole = TypeVar("Whole", int, np.ndarray)
"""A whole number, or a column of them."""


def _ceil_div(a: Whole, b: int) -> Whole:
    return -(-a // b)


def _ceil(value: Any) -> Any:
    return ceil(value) if isinstance(value, (int, float)) else np.ceil(value)


def _larger(a: Any, b: Any) -> Any:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return max(a, b)
    return np.maximum(a, b)


def _mapping(
    m: int, k: int, n: int, rows: int, columns: int, dataflow: Dataflow
) -> tuple[int, int, bool]:
    """(folds, streamed length, whether a stationary operand is loaded first) of a product [m,k] x
    [k,n].
    """
    if dataflow == "weight_stationary":
        return _ceil_div(k, rows) * _ceil_div(n, columns), m, True
    if dataflow == "input_stationary":
        return _ceil_div(k, rows) * _ceil_div(m, columns), n, True
    if dataflow == "output_stationary":
        return _ceil_div(m, rows) * _ceil_div(n, columns), k, False
    raise ValueError(f"unknown dataflow '{dataflow}'")


def gemm_cycles(
    m: int,
    k: int,
    n: int,
    rows: int,
    columns: int,
    dataflow: Dataflow,
    overlap: bool = False,
    repeat: int = 1,
) -> int:
    """Cycles of `repeat` matrix products [m,k] x [k,n] on a systolic array of rows x columns cells;
    0 if any size is 0.

    The operand that stays is cut into folds of the array's size. Without overlap this is the closed
    form of SCALE-Sim (Samajdar et al., "SCALE-Sim: Systolic CNN Accelerator Simulator", 2018,
    section 3), whose reported figure is one less: per fold 2R + C + T − 2 where a stationary
    operand is loaded first (R), streamed against T rows, and the last sum leaves after R + C − 2;
    output stationary R + C + K − 2. T is m (weights stay) or n (inputs stay).

    With overlap the next fold is loaded (output stationary: the finished one drained) while the
    present one streams, so a fold costs max(T, R), the last one T, and load and drain are paid
    once.
    """
    some = (m > 0) & (k > 0) & (n > 0) & (repeat > 0)
    folds, streamed, loaded = _mapping(m, k, n, rows, columns, dataflow)
    fill = (2 * rows if loaded else rows) + columns - 2
    folds *= repeat
    if not overlap:
        return some * folds * (streamed + fill)
    return some * ((folds - 1) * _larger(streamed, rows) + streamed + fill)


def matrix_cycles(target: Target, storage: str, *, m: int, k: int, n: int, repeat: int = 1) -> int:
    """Cycles of `repeat` products [m,k] x [k,n] of operands of type `storage` on the target's
    matrix unit.

    A cell that makes fewer than one product per cycle streams that much slower: T rows take ceil(T
    / macs_per_cycle) steps. Raises TargetError if the unit cannot multiply this type.
    """
    unit = target.matrix
    rate = unit.macs_per_cycle.get(storage)
    if rate is None:
        known = ", ".join(unit.macs_per_cycle)
        raise TargetError(
            f"the matrix unit of target '{target.name}' has no rate for type '{storage}'",
            target.name,
            ("matrix.macs_per_cycle",),
            f"it multiplies {known}: quantize to one of them",
        )
    if rate != 1.0:
        streamed = _mapping(m, k, n, unit.rows, unit.columns, unit.dataflow)[1]
        streamed = _ceil(streamed / rate)
        if unit.dataflow == "weight_stationary":
            m = streamed
        elif unit.dataflow == "input_stationary":
            n = streamed
        else:
            k = streamed
    return gemm_cycles(m, k, n, unit.rows, unit.columns, unit.dataflow, unit.overlap, repeat)


def vector_cycles(target: Target, storage: str, elements: int, operations: int) -> int:
    """Cycles of `operations` passes over `elements` of type `storage`: startup + operations ·
    ceil(elements / lanes).
    """
    return target.vector.startup_cycles + operations * _ceil_div(elements, target.lanes_of(storage))


def reduce_operations(kind: str) -> int:
    """Passes over its elements that the vector unit makes for a reduction: one, two where each
    element takes an operation before it is added, and those of a softmax for exponentials.
    """
    return {"l1": 2, "log_sum_exp": SOFTMAX_OPERATIONS}.get(kind, 1)


def local_response_norm_operations(size: Whole, channels: Whole) -> Whole:
    """Passes over its elements that the vector unit makes for a local response normalisation over
    `size` of `channels`: the squares, their sum, a power (a logarithm and an exponential, each half
    of a softmax), a product.
    """
    smaller = size + channels - _larger(size, channels)
    return 2 + smaller + SOFTMAX_OPERATIONS


def transfer_issue_cycles(target: Target, runs: int) -> int:
    """Cycles for which a DMA engine issues a transfer of `runs` runs: its start, then one address
    per cycle.
    """
    return target.dma.issue_cycles + _larger(runs, 1) - 1


def local_write_cycles(target: Target, size_bytes: int) -> int:
    """Cycles to write `size_bytes` to local memory through one port, at least 1."""
    return _larger(1, _ceil(size_bytes / target.local_memory.bytes_per_cycle))


def transfer_bytes_on_bus(target: Target, run_bytes: Whole, runs: Whole) -> Whole:
    """Bytes that a transfer of `runs` separate runs takes on the bus of global memory: whole bursts
    for each run.
    """
    burst = target.global_memory.burst_bytes
    return _ceil_div(run_bytes, burst) * burst * runs
