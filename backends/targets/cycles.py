"""Cycle formulas: what an instruction costs on a target, waiting and shared bandwidth apart.

The timing simulator and the compiler's cost models both call these functions, so that what the
compiler minimizes is what the simulator measures. The compiler calls them with integers, for every tiling
that a search tries; the simulator with columns of whole numbers in f64, for all instructions at
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..numerics.whole import Whole, ceil_div, round_up
from .target_error import TargetError

if TYPE_CHECKING:
    from .target import Target

SOFTMAX_OPERATIONS = 8
"""Passes over its elements that the vector unit makes for a softmax."""

NORMALIZE_OPERATIONS = 6
"""Passes over its elements that the vector unit makes for a normalization: mean, deviations, their
squares' sum, quotient, scale, offset."""

Dataflow = Literal["weight_stationary", "output_stationary", "input_stationary"]


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


def matrix_rate(target: Target, storage: str) -> float:
    """Give the multiply-accumulates of one cell of the matrix unit in one cycle for operands of type
    `storage`. Raises TargetError if the unit cannot multiply this type.
    """
    rate = target.matrix.macs_per_cycle.get(storage)
    if rate is None:
        known = ", ".join(target.matrix.macs_per_cycle)
        raise TargetError(
            f"the matrix unit of target '{target.name}' has no rate for type '{storage}'",
            target.name,
            ("matrix.macs_per_cycle",),
            f"it multiplies {known}: quantize to one of them",
        )
    return rate


def matrix_cycles(target: Target, storage: str, *, m: int, k: int, n: int, repeat: int = 1) -> int:
    """Cycles of `repeat` products [m,k] x [k,n] of operands of type `storage` on the target's
    matrix unit.

    A cell that makes fewer than one product per cycle streams that much slower: T rows take ceil(T
    / macs_per_cycle) steps. Raises TargetError if the unit cannot multiply this type.
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
    """Cycles of `operations` passes over `elements` of type `storage`: startup + operations ·
    ceil(elements / lanes).
    """
    return target.vector.startup_cycles + operations * ceil_div(elements, target.lanes_of(storage))


def reduce_operations(kind: str) -> int:
    """Passes over its elements that the vector unit makes for a reduction: one, two where each
    element takes an operation before it is added, and those of a softmax for exponentials.
    """
    return {"l1": 2, "log_sum_exp": SOFTMAX_OPERATIONS}.get(kind, 1)


def local_response_norm_operations(size: Whole, channels: Whole) -> Whole:
    """Passes over its elements that the vector unit makes for a local response normalization over
    `size` of `channels`: the squares, their sum, a power (a logarithm and an exponential, each half
    of a softmax), a product.
    """
    smaller = size + channels - _larger(size, channels)
    return 2 + smaller + SOFTMAX_OPERATIONS


_DIVISION = 4
"""Passes of a division or square root: a first approximation and Newton steps."""
_EXPONENTIAL = 6
"""Passes of exp or log: the reduction of the range, a polynomial, and putting the exponent back."""

_BINARY_OPERATIONS: Mapping[str, int] = {
    "div": _DIVISION,
    "power": 2 * _EXPONENTIAL + 1,
    "modulo": _DIVISION + 2,
    "prelu": 2,
}
"""Passes of the vector unit over its elements for operations of two operands; others take one."""

_UNARY_OPERATIONS: Mapping[str, int] = {
    "abs": 1, "neg": 1, "sign": 1, "floor": 1, "ceil": 1, "round": 1, "not": 1, "is_nan": 1, "is_inf": 1,
    "leaky_relu": 2, "thresholded_relu": 2, "hard_sigmoid": 2, "hard_swish": 3, "shrink": 3,
    "reciprocal": _DIVISION, "sqrt": _DIVISION, "softsign": _DIVISION + 2,
    "exp": _EXPONENTIAL, "log": _EXPONENTIAL, "power": 2 * _EXPONENTIAL + 1,
    "elu": _EXPONENTIAL + 2, "selu": _EXPONENTIAL + 3, "celu": _EXPONENTIAL + 3,
    "sigmoid": _EXPONENTIAL + 1 + _DIVISION, "swish": _EXPONENTIAL + 3 + _DIVISION,
    "tanh": _EXPONENTIAL + 2 + _DIVISION, "sinh": _EXPONENTIAL + 2 + _DIVISION,
    "cosh": _EXPONENTIAL + 2 + _DIVISION, "softplus": 2 * _EXPONENTIAL + 3,
    "mish": 3 * _EXPONENTIAL + 6 + _DIVISION,
    "erf": 2 * _EXPONENTIAL + _DIVISION, "gelu": 2 * _EXPONENTIAL + _DIVISION + 3,
    "gelu_tanh": _EXPONENTIAL + 7 + _DIVISION,
    "sin": _EXPONENTIAL + 2, "cos": _EXPONENTIAL + 2, "tan": _EXPONENTIAL + 4 + _DIVISION,
    "asin": _EXPONENTIAL + 2 + _DIVISION, "acos": _EXPONENTIAL + 2 + _DIVISION, "atan": _EXPONENTIAL + 2 + _DIVISION,
    "asinh": _EXPONENTIAL + 3 + _DIVISION, "acosh": _EXPONENTIAL + 3 + _DIVISION,
    "atanh": _EXPONENTIAL + 2 + _DIVISION,
}  # fmt: skip
"""Passes of the vector unit over its elements for functions of one operand: assumptions of the
model, sums of those of the steps that the function is made of.
"""

LOOKUP_OPERATIONS = 2
"""Passes of a table look-up: the bits become an address, and the entry is read."""


def binary_operations(kind: str) -> int:
    """Passes over its elements that the vector unit makes for an operation of two operands."""
    return _BINARY_OPERATIONS.get(kind, 1)


def unary_operations(kind: str) -> int:
    """Passes over its elements that the vector unit makes for a function of one operand."""
    return _UNARY_OPERATIONS[kind]


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
    return round_up(run_bytes, burst) * runs
