"""Cycle formulas: what an instruction costs on a target, without waiting and shared bandwidth.

The timing simulator and the compiler's cost models both call these functions, so that what the
compiler minimizes is what the simulator measures. The compiler calls them with integers, for every tiling
that a search tries; the simulator with columns of whole numbers in f64, for all instructions at
once.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError
from ..numerics.rounding_up import Whole, ceil_div, round_up

if TYPE_CHECKING:
    from .target import Target

Dataflow = Literal["weight_stationary", "output_stationary", "input_stationary"]


def _ceil(value: Any) -> Any:
    return ceil(value) if isinstance(value, (int, float)) else np.ceil(value)


def larger(a: Any, b: Any) -> Any:
    """Return the larger of two numbers, or of two columns at each place."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return max(a, b)
    return np.maximum(a, b)


def _mapping(
    m: int, k: int, n: int, rows: int, columns: int, dataflow: Dataflow
) -> tuple[int, int, bool]:
    """Return (folds, streamed length, whether a stationary operand is loaded first) for a product [m,k] x [k,n]."""
    if dataflow == "weight_stationary":
        return ceil_div(k, rows) * ceil_div(n, columns), m, True
    if dataflow == "input_stationary":
        return ceil_div(k, rows) * ceil_div(m, columns), n, True
    if dataflow == "output_stationary":
        return ceil_div(m, rows) * ceil_div(n, columns), k, False
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
    """Return the cycles of `repeat` matrix products [m,k] x [k,n] on a systolic array of rows x columns cells; 0 if any
    size is 0.

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
    return some * ((folds - 1) * larger(streamed, rows) + streamed + fill)


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


def matrix_cycles(target: Target, storage: str, *, m: int, k: int, n: int, repeat: int = 1) -> int:
    """Return the cycles of `repeat` products [m,k] x [k,n] of operands of type `storage` on the target's matrix unit.

    A cell that makes fewer than one product per cycle streams that much slower: T rows take ceil(T
    / macs_per_cycle) steps. Raises DiagnosticError if the unit cannot multiply this type.
    """
    unit, rate = target.matrix, matrix_rate(target, storage)
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
    """Return the cycles of `operations` passes over `elements` of type `storage`: startup + operations ·
    ceil(elements / lanes).
    """
    return target.vector.startup_cycles + operations * ceil_div(elements, target.lanes_of(storage))


def epilogue_operations(target: Target, residual: bool) -> int:
    """Count the passes over its elements that the vector unit makes for an epilogue."""
    operations = target.vector.operations_of("epilogue")
    return operations + target.vector.operations_of("residual") if residual else operations


def transfer_issue_cycles(target: Target, runs: int) -> int:
    """Return the cycles that a DMA engine takes to issue a transfer of `runs` runs: its start, then an address a
    cycle.
    """
    return target.dma.issue_cycles + larger(runs, 1) - 1


def local_write_cycles(target: Target, size_bytes: int) -> int:
    """Return the cycles to write `size_bytes` to local memory through one port, at least 1."""
    return larger(1, _ceil(size_bytes / target.local_memory.bytes_per_cycle))


def transfer_bytes_on_bus(target: Target, run_bytes: Whole, runs: Whole) -> Whole:
    """Return the bytes that a transfer of `runs` separate runs takes on global memory's bus: whole bursts for each
    run.
    """
    burst = target.global_memory.burst_bytes
    return round_up(run_bytes, burst) * runs
