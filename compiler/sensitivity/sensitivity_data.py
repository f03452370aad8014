"""The samples and thresholds that an analysis of sensitivity, or a search of schemes, takes from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.progress import Progress, silent
from ...backends.interpreter.samples import declared_inputs
from ...dialects.ir.context import SmaltiContext
from ...passes.top.annotate_calibration import doubts_of_table
from ...passes.top.calibration_table import CalibrationTable
from ..calibration.image_data import Data, are_images, image_samples
from ..calibration.samples import load_calibration_data
from ..inputs.images import Preprocessing
from .layer_groups import layer_groups
from .threshold_tables import GIVEN, given_table, place_of_table, tables_by_method


def load_samples(
    source: Data,
    module: ModuleOp,
    ctx: SmaltiContext,
    preprocessing: Preprocessing,
    *,
    skip_bad: bool = False,
) -> dict[str, np.ndarray]:
    """Return samples by input name: arrays of a file, random ones, or images, which are preprocessed; with `skip_bad`
    those that cannot be read are left out, with a warning.

    Raises DiagnosticError if they cannot be read, or do not fit the network.
    """
    if not are_images(source):
        return load_calibration_data(source, module, ctx.on_report)
    assert isinstance(source, str | Path)
    images = image_samples(module, Path(source), preprocessing, skip_bad, ctx.on_report)
    part = next(iter(images.parts(len(images))))
    return {name: array.reshape(-1, *array.shape[2:]) for name, array in part.items()}


def first_samples(
    module: ModuleOp, data: Mapping[str, np.ndarray], count: int | None
) -> dict[str, np.ndarray]:
    """Return the first samples, `count` of them or all."""
    shapes = declared_inputs(module)
    return {
        name: array if count is None else array[: count * (shapes[name] or (1,))[0]]
        for name, array in data.items()
    }


def threshold_tables(
    given: CalibrationTable | str | Path,
    methods: Sequence[str],
    module: ModuleOp,
    ctx: SmaltiContext,
    data: Mapping[str, np.ndarray],
    progress: Progress = silent,
) -> dict[str, CalibrationTable]:
    """Return the tables to compare: "table" is that of the file `given`, the others are those of methods, on samples.

    Warns of rows that no value fits, and of sections that are not used. Raises DiagnosticError if the file is no table
    of the network, or if there is no such method.
    """
    old = given_table(given, layer_groups(module))
    for doubt in doubts_of_table(old, place_of_table(given), module):
        ctx.on_report(doubt)
    by_method = tables_by_method(
        module, ctx, data, [each for each in methods if each != GIVEN], progress
    )
    return {GIVEN: old, **by_method}
