"""The calibration tables that a sensitivity analysis compares, one for each method, and the best of them by tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.progress import Progress, silent
from ...dialects.ir.context import SmaltiContext
from ...passes.top.calibration_grammar import read_table
from ...passes.top.calibration_table import CalibrationTable, Row
from ..calibration.clipping.method import BEST_OF, Method, method_named
from ..calibration.ranges import calibration_table, collect_statistics
from ..calibration.sample_source import ArraySamples
from .layer_groups import LayerGroup

GIVEN = "table"
"""What the table that the user gives is called among the methods."""
NEW = "new"
"""What the table of the best thresholds is called."""


def given_table(
    given: CalibrationTable | str | Path, groups: Sequence[LayerGroup]
) -> CalibrationTable:
    """Return a table, or that of a file. Raises DiagnosticError if it cannot be read, or if it names no layer of the
    network.
    """
    table = given if isinstance(given, CalibrationTable) else read_table(given)
    names = {layer for group in groups for layer in group.layers}
    if not names & table.rows.keys():
        raise DiagnosticError(
            "the calibration table names no layer of the network",
            place_of_table(given),
            hint="smalti calibrate writes the table of a model",
        )
    return table


def place_of_table(given: CalibrationTable | str | Path) -> Place:
    """Return where a diagnostic about a table points."""
    if isinstance(given, CalibrationTable):
        return Place(name="calibration table")
    return Place(file=str(given))


def tables_by_method(
    module: ModuleOp,
    ctx: SmaltiContext,
    data: Mapping[str, np.ndarray],
    methods: Sequence[str],
    progress: Progress = silent,
) -> dict[str, CalibrationTable]:
    """Return the table of each method, by the name of the method, from samples: arrays by input name.

    Methods that need the same histograms share a run of the network. Raises DiagnosticError if there is no such method,
    and for best-of, which is no method of its own.
    """
    chosen = [method_named(name) for name in methods]
    if BEST_OF in methods:
        raise DiagnosticError(
            f"{BEST_OF} chooses among methods, as a sensitivity analysis does itself",
            Place(name=f"--method {BEST_OF}"),
            hint="give the methods that it chooses among: mse, min-max and percentile:99.99",
        )
    tables: dict[str, CalibrationTable] = {}
    by_histogram: dict[type | None, list[Method]] = {}
    for method in chosen:
        by_histogram.setdefault(method.histogram, []).append(method)
    for histogram, sharing in by_histogram.items():
        statistics = collect_statistics(
            module, ctx.weights, ArraySamples(module, data), histogram=histogram, progress=progress
        )
        tables |= {method.name: calibration_table(module, statistics, method) for method in sharing}
    return {method.name: tables[method.name] for method in chosen}


def best_table(
    groups: Sequence[LayerGroup],
    tables: Mapping[str, CalibrationTable],
    best: Mapping[str, str],
    comments: Sequence[str],
) -> CalibrationTable:
    """Return the table of which each row is from the table that is `best` for the group of its tensor, by the name of
    the group; the rows of inputs and of other tensors are from the table that is best for the first reader, else from
    the first table.
    """
    first = next(iter(tables.values()))
    rows: dict[str, Row] = dict(first.rows)
    for group in reversed(groups):
        chosen = tables[best[group.name]].rows if group.name in best else first.rows
        for name in (*group.inputs, *group.layers):
            if name in chosen:
                rows[name] = chosen[name]
    return CalibrationTable(rows, comments, first.four_bits, first.asymmetric)
