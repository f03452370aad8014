"""The method best-of: for each tensor that one of several methods which makes the least error at the network's outputs.

Methods look at the numbers of one tensor; what the network makes of an error there they do not know. Here each tensor
alone is rounded and cut off as each method wants it, on a few samples spread over the data, and what is computed from
it is computed again. The first method stays unless another one is better beyond doubt: by two standard errors of what
the samples say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.progress import Progress, silent
from ...backends.interpreter.function import samples_per_chunk
from ...backends.interpreter.samples import main_function
from ...backends.numerics.quantization import activation_parameters
from ...dialects.ir.weights import WeightStore
from ...dialects.network.traits import GivesQuantization, Moves
from ...passes.top.calibration_table import CalibrationTable, Row
from .clipping.method import BEST_OF, COMPARED, Method, method_named
from .clipping.statistics import Statistics
from .output_error import OutputErrors
from .ranges import calibration_table, collect_statistics
from .sample_source import Samples

MOST_SAMPLES = 16
_MOST_COST = 40_000_000_000
"""So many multiply-accumulates are spent on all tensors: less than a minute of one processor."""
_DOUBT = 2.0
"""A method must be better by so many standard errors."""
_SAME = 1 / 64
"""Bounds that differ by a smaller part of the range are the same."""


def measured_statistics_and_table(
    module: ModuleOp,
    weights: WeightStore,
    samples: Samples,
    method: Method,
    progress: Progress = silent,
) -> tuple[dict[str, Statistics], CalibrationTable]:
    """Return the statistics of a network's tensors over samples, and the table that a method, best-of or another, makes
    of them. Raises what `collect_statistics` raises.
    """
    if method.name != BEST_OF:
        statistics = collect_statistics(
            module, weights, samples, histogram=method.histogram, progress=progress
        )
        return statistics, calibration_table(module, statistics, method)
    spread = SpreadSamples(samples, most_samples(module))
    statistics = collect_statistics(
        module, weights, spread, histogram=method.histogram, progress=progress
    )
    kept = spread.kept()
    tables = [calibration_table(module, statistics, method_named(each)) for each in COMPARED]
    rows, measured = best_of(module, weights, kept, tables, progress)
    count = len(next(iter(kept.values()), ()))
    told = f"best-of: {', '.join(COMPARED)} compared for {measured} tensors on {count} samples"
    return statistics, CalibrationTable(rows, [told])


class SpreadSamples:
    """Samples that keep some of those that they give, spread evenly over all."""

    def __init__(self, samples: Samples, most: int) -> None:
        self._samples = samples
        self._step = -(-len(samples) // most)
        self._kept: list[dict[str, np.ndarray]] = []
        self.taken = 0

    def __len__(self) -> int:
        return len(self._samples)

    def parts(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield the samples, `size` at a time."""
        self._kept, first = [], 0
        for part in self._samples.parts(size):
            count = len(next(iter(part.values()), ()))
            chosen = slice(-first % self._step, count, self._step)
            self._kept.append({name: array[chosen].copy() for name, array in part.items()})
            first += count
            self.taken = self._samples.taken
            yield part

    def kept(self) -> dict[str, np.ndarray]:
        """Return the kept samples, by input name: [S, declared shape...]."""
        names = self._kept[0] if self._kept else ()
        return {name: np.concatenate([part[name] for part in self._kept]) for name in names}


def most_samples(module: ModuleOp) -> int:
    """Return how many samples the tensors of a network are kept for: as many as fit the memory of a run, at least 1."""
    function = main_function(module)
    live = samples_per_chunk(function, share=8)
    return max(1, min(MOST_SAMPLES, live))


def best_of(
    module: ModuleOp,
    weights: WeightStore,
    samples: Mapping[str, np.ndarray],
    tables: list[CalibrationTable],
    progress: Progress = silent,
) -> tuple[dict[str, Row], int]:
    """Return for each tensor the best of its rows in several tables, and how many tensors were measured.

    Args:
        module: a network of top ops.
        weights: the store that holds its weights.
        samples: what it is measured on, [S, declared shape...] by input name.
        tables: tables of the same tensors; rows of the first one stay where others are no better.
        progress: told how many tensors are done.

    Tensors that need least to be computed again are measured first, until `_MOST_COST` is spent.
    """
    first, *others = (table.rows for table in tables)
    errors = OutputErrors(module, weights, samples)
    costs, count = errors.costs(), len(next(iter(samples.values()), ()))
    candidates: dict[str, list[Row]] = {}
    spent = 0
    for name in sorted(costs, key=lambda name: costs[name]):
        if name not in first or _has_no_scale(errors.values[name]):
            continue
        rows = _different([first[name], *(table[name] for table in others if name in table)])
        spent += costs[name] * len(rows) * count if len(rows) > 1 else 0
        if len(rows) > 1 and spent <= _MOST_COST:
            candidates[name] = rows
    chosen = dict(first)
    for done, (name, rows) in enumerate(candidates.items()):
        progress("compare methods", done, len(candidates))
        found = errors.of(name, [partial(_rounded, low=row.low, high=row.high) for row in rows])
        chosen[name] = rows[_best(found)]
    progress("compare methods", len(candidates), len(candidates))
    return chosen, len(candidates)


def _has_no_scale(value: SSAValue) -> bool:
    """Tell whether a tensor is quantized as another one is: what only moves, and what one op reads that gives it its
    own scale.
    """
    readers = [use.operation for use in value.uses]
    return Moves.holds(value.owner) or (len(readers) == 1 and GivesQuantization.holds(readers[0]))


def _different(rows: list[Row]) -> list[Row]:
    """Return the rows whose bounds differ from those of all rows before."""
    kept: list[Row] = []
    for row in rows:
        least = _SAME * (row.high - row.low)
        if all(
            abs(row.low - each.low) > least or abs(row.high - each.high) > least for each in kept
        ):
            kept.append(row)
    return kept


def _best(errors: np.ndarray) -> int:
    """Return which row of errors [methods, S] is the best: the first one, unless others are better beyond doubt."""
    gains = errors[0] - errors
    means, samples = gains.mean(axis=1), errors.shape[1]
    doubts = gains.std(axis=1, ddof=1) / np.sqrt(samples) if samples > 1 else means
    return int(np.argmax(np.where(means > _DOUBT * doubts, means, 0)))


def _rounded(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return numbers as 8 bits between two bounds hold them, in f32."""
    scale, zero_point = activation_parameters(low, high)
    steps = np.rint(values / np.float32(scale)) + zero_point
    return (np.clip(steps, -128, 127) - zero_point).astype(np.float32) * np.float32(scale)
