"""Calibration of a model, as a function of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from onnx import ModelProto

from ..backends.diagnostics.diagnostic import DiagnosticError
from ..backends.diagnostics.progress import Progress, silent
from ..passes.top.calibration_table import CalibrationTable
from .calibration.clipping.method import DEFAULT_METHOD, method_named
from .calibration.ranges import calibration_table, collect_statistics
from .calibration.samples import load_calibration_data, place_of_data
from .compilation.compilation import Compilation, CompileOptions, start_from_model
from .compilation.pipelines import level_of
from .onnx_import.model.limits import ImportLimits


def calibrate_model(
    model: str | Path | ModelProto,
    data: str | Path | Mapping[str, np.ndarray],
    *,
    method: str = DEFAULT_METHOD,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    symbols: Mapping[str, int] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    limits: ImportLimits | None = None,
    progress: Progress = silent,
) -> CalibrationTable:
    """Run an ONNX model on samples, and return where each of its tensors should saturate in 8 bits.

    Args:
        model: an ONNX model or its path.
        data: arrays by input name, an .npz of them, or "random:SEED".
        method: one of `compiler.calibration.clipping.method.METHODS`, such as "mse" or "percentile:99.9".
        batch, input_shapes, symbols, constants, limits: as `import_model` takes them.
        progress: told how many samples are done.

    Raises:
        DiagnosticError: if there is no such method, the model cannot be imported, or the data do not fit it.
    """
    method_named(method)
    compilation = start_from_model(
        model,
        CompileOptions(),
        batch=batch,
        input_shapes=input_shapes,
        symbols=symbols,
        constants=constants,
        limits=limits,
        progress=progress,
    )
    return calibrated(compilation, data, method)


def calibrated(
    compilation: Compilation, data: str | Path | Mapping[str, np.ndarray], method: str
) -> CalibrationTable:
    """Return the calibration table of a network at `top`, whose passes have run as those of a compilation do.

    Raises DiagnosticError if there is no such method, or if the data do not fit the network.
    """
    chosen = method_named(method)
    if (level := level_of(compilation.module)) != "top":
        raise DiagnosticError(
            f"this is IR of level {level}; level top is calibrated",
            hint="smalti import or smalti compile --emit top writes it",
        )
    compilation.keep_levels = False
    compilation.lower_to("top")
    module, ctx = compilation.module, compilation.ctx
    arrays = load_calibration_data(data, module, ctx.on_report)
    statistics = collect_statistics(
        module,
        ctx.weights,
        arrays,
        histograms=chosen.needs_histogram,
        progress=compilation.progress,
    )
    source = data if isinstance(data, str) and data.startswith("random:") else place_of_data(data)
    counts = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
    return calibration_table(
        statistics, chosen, [f"data: {source}: {counts}", f"method: {chosen.name}"]
    )
