"""Finds the statistics and the range of every tensor of a network over samples, with the top interpreter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext

import numpy as np
from threadpoolctl import threadpool_limits
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.diagnostics.progress import Progress, silent
from ...backends.interpreter.function import samples_per_chunk
from ...backends.interpreter.samples import (
    input_names,
    main_function,
)
from ...backends.interpreter.top import run_top
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.traits import IsBounded, Moves
from ...dialects.quant.element_type import is_float
from ...passes.top.calibration_table import CalibrationTable, Ranges, Row
from ...passes.top_to_tpu.precision.float_results import Reader, float_results
from .clipping.histogram import Histogram
from .clipping.log_histogram import LogHistogram
from .clipping.method import MIN_MAX, Method, is_method, method_named
from .clipping.statistics import Statistics
from .sample_source import ArraySamples, Samples

_MEMORY_SHARE = 2
"""Samples run in half of the memory that a run takes: about as quick."""


def measured_table(
    module: ModuleOp,
    weights: WeightStore,
    data: Samples,
    method: Method,
    *,
    progress: Progress | None = None,
) -> CalibrationTable:
    """Return the table that a method makes of `data`, without comments. Raises what `collect_statistics` raises."""
    statistics = collect_statistics(
        module,
        weights,
        data,
        histogram=method.histogram,
        progress=progress,
    )
    return calibration_table(module, statistics, method)


def remeasured_table(
    table: CalibrationTable,
    changed: Collection[str],
    module: ModuleOp,
    weights: WeightStore,
    data: Samples,
    *,
    progress: Progress | None = None,
) -> CalibrationTable:
    """Return a table with new rows for the tensors `changed`, which have other numbers than when it was made: by the
    method that their rows name, or min-max where that is not known. Raises what `collect_statistics` raises.
    """
    methods: dict[str, list[str]] = {}
    for name in changed:
        given = table.rows[name].method if name in table.rows else ""
        methods.setdefault(given if is_method(given) else MIN_MAX.name, []).append(name)
    rows = dict(table.rows)
    for method, names in methods.items():
        measured = measured_table(
            module, weights, data, method_named(method), progress=progress
        ).rows
        rows.update({name: measured[name] for name in names if name in measured})
    return CalibrationTable(rows, table.comments, table.four_bits, table.asymmetric)


def calibrate(
    module: ModuleOp,
    weights: WeightStore,
    data: Samples | Mapping[str, np.ndarray],
    *,
    progress: Progress | None = None,
) -> Ranges:
    """Return the least and the greatest value over `data` of every input and op's result, by name, as
    `collect_statistics` finds them, and raising what it raises.
    """
    samples = ArraySamples(module, data) if isinstance(data, Mapping) else data
    found = collect_statistics(module, weights, samples, progress=progress)
    return {name: (each.low, each.high) for name, each in found.items()}


def calibration_table(
    module: ModuleOp,
    statistics: Mapping[str, Statistics],
    method: Method,
    comments: Sequence[str] = (),
) -> CalibrationTable:
    """Return the table of what a method makes of the statistics of a network of top ops.

    Tensors whose op bounds them keep their least and greatest numbers under methods that doubt these.
    """
    bounded = _bounded(main_function(module)) if method.doubts_extremes else frozenset[str]()
    rows: dict[str, Row] = {}
    for name, each in statistics.items():
        chosen = MIN_MAX if name in bounded else method
        clip = chosen.clip(each)
        rows[name] = Row(clip.threshold, clip.low, clip.high, chosen.name)
    return CalibrationTable(rows, comments)


def _bounded(function: FuncOp) -> frozenset[str]:
    """Return the names of the results that an op bounds, and of those that are only moved from such ones."""
    found: set[SSAValue] = set()
    for op in function.body.block.ops:
        moved = Moves.holds(op) and op.operands and found.issuperset(op.operands)
        if moved or IsBounded.holds(op):
            found.update(op.results)
    return frozenset(_names(found))


def collect_statistics(
    module: ModuleOp,
    weights: WeightStore,
    data: Samples,
    *,
    histogram: type[Histogram | LogHistogram] | None = None,
    progress: Progress | None = None,
) -> dict[str, Statistics]:
    """Return the statistics over `data` of every input and op's result, by name. Bools, integers and tensors without
    elements have none.

    Args:
        module: a network of top ops.
        weights: the store that holds its weights.
        data: the samples.
        histogram: the class of the histograms that the statistics get, which take some time; None for none.
        progress: told how many samples are done.

    Samples run in chunks of bounded memory; only the statistics are kept. If all fit in one chunk, BLAS works in one
    thread: the next ones would wait for each other's products longer than they compute, busily. Masks put
    infinities into tensors that only softmaxes and comparisons read: the range of such a tensor is that of its finite
    elements, and it has none if no element is finite.

    Raises:
        DiagnosticError: if the inputs do not fit the network, if a tensor has a NaN, or if one that others than
            softmaxes and comparisons read has an infinity.
    """
    report = progress or silent
    samples = len(data)
    function = main_function(module)
    chunk = samples_per_chunk(function, _MEMORY_SHARE)
    readers = float_results(function.body.block.ops)
    masked = _names(value for value, reader in readers.items() if reader is Reader.COMPARISON)
    without_range = _names(op.results[0] for op in function.body.block.ops if _has_no_range(op))
    without_range |= {
        name
        for name, argument in zip(input_names(function), function.body.block.args, strict=True)
        if not is_float(argument.type)
    }
    statistics: dict[str, Statistics] = {}

    def observe(name: str, value: np.ndarray) -> None:
        if name in masked:
            value = value[~np.isinf(value)]
        if name in without_range or not value.size:
            return
        if name not in statistics:
            statistics[name] = Statistics(None if histogram is None else histogram())
        _add(statistics[name], name, value)

    with threadpool_limits(1, "blas") if samples <= chunk else nullcontext():
        for number, part in enumerate(data.parts(chunk)):
            report("calibrate", number * chunk, samples)
            run_top(module, weights, part, observe=observe)
    report("calibrate", samples, samples)
    return statistics


def _names(results: Iterable[SSAValue]) -> set[str]:
    """Return the names of the top ops that make `results`."""
    return {value.owner.result_name.data for value in results if isinstance(value.owner, top.TopOp)}


def _has_no_range(op: Operation) -> bool:
    """Return whether an op gives bools or positions."""
    return isinstance(op, top.TopOp) and not is_float(op.results[0].type)


def _add(statistics: Statistics, name: str, value: np.ndarray) -> None:
    """Take in the numbers of a tensor. Raises DiagnosticError if one is not finite."""
    statistics.add(value)
    if not (np.isfinite(statistics.low) and np.isfinite(statistics.high)):
        raise DiagnosticError(
            f"tensor '{name}' becomes NaN or infinite on the calibration data",
            hint="check the preprocessing of the data, and the model itself, on ONNX Runtime",
        )
