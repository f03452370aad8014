"""Calibration of a model, as a function of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from numpy.typing import ArrayLike
from onnx import ModelProto

from ..backends.diagnostics.diagnostic import DiagnosticError
from ..backends.diagnostics.progress import Progress, silent
from ..passes.top.calibration_table import CalibrationTable
from .calibration.best_of import measured_statistics_and_table
from .calibration.clipping.method import DEFAULT_METHOD, METHODS, method_named
from .calibration.doubtful_data import (
    doubt_of_count,
    doubt_of_cuts,
)
from .calibration.image_data import Data, are_images, image_samples, metadata_of
from .calibration.ranges import measured_table
from .calibration.sample_source import ImageSamples, Samples
from .calibration.samples import (
    calibration_samples,
    few_samples,
    place_of_data,
    told_in_tables,
)
from .compilation.arguments import Argument, check_arguments, switch
from .compilation.compilation import Compilation, start_from_model
from .compilation.compile_options import CompileOptions
from .compilation.pipelines import level_of
from .inputs.images import Preprocessing
from .model import shape_arguments
from .onnx_import.model.limits import ImportLimits


def calibrate_model(
    model: str | Path | ModelProto,
    data: Data,
    *,
    method: str = DEFAULT_METHOD,
    four_bits: str | None = None,
    preprocessing: Preprocessing | None = None,
    skip_bad: bool = False,
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
        data: arrays by input name, an .npz of them, an .npy for a model with one input, "random:SEED", a folder of
            images, or a text file that lists images. Memory does not grow with the number of images.
        method: one of `compiler.calibration.clipping.method.METHODS`, such as "mse" or "percentile:99.9".
        four_bits: the method for tensors where they have 4 bits, such as "mse-i4"; None if ranges are those of 8 bits.
        preprocessing: what is done to images; None stands for what the metadata of the model say.
        skip_bad: whether images that cannot be read are left out, with a warning, rather than an error.
        batch, input_shapes, symbols, constants, limits: as `import_model` takes them.
        progress: told how many samples are done.

    Raises:
        DiagnosticError: if there is no such method, the model cannot be imported, or the data do not fit it.
    """
    check_arguments(
        "calibrate_model",
        {
            "data": Argument(
                [data], (str, Path, Mapping), "arrays by input name, a path, or 'random:SEED'"
            ),
            "method": Argument([method], (str,), f"one of {', '.join(METHODS)}"),
            "four_bits": Argument([four_bits], (str, type(None)), "a method, or None"),
            "preprocessing": Argument(
                [preprocessing], (Preprocessing, type(None)), "Preprocessing, or None"
            ),
            "skip_bad": switch(skip_bad),
            **shape_arguments(batch, input_shapes, symbols, constants, limits),
        },
    )
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
    if preprocessing is None:
        preprocessing = Preprocessing().of_metadata(metadata_of(model, data))
    return calibrated(
        compilation, data, method, preprocessing, skip_bad=skip_bad, four_bits=four_bits
    )


def calibrated(
    compilation: Compilation,
    data: Data,
    method: str,
    preprocessing: Preprocessing,
    *,
    skip_bad: bool = False,
    four_bits: str | None = None,
) -> CalibrationTable:
    """Return the calibration table of a network at `top`, whose passes run as those of a compilation do; `four_bits` is
    the method for tensors where they have 4 bits.

    Raises DiagnosticError if there is no such method, if the IR is of another level, or if the data do not fit the
    network.
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
    if are_images(data):
        assert isinstance(data, str | Path)
        samples: Samples = image_samples(module, Path(data), preprocessing, skip_bad, ctx.on_report)
    else:
        samples = calibration_samples(data, module, ctx.on_report)
        if (doubt := few_samples(data, samples)) is not None:
            ctx.on_report(doubt)
    statistics, table = measured_statistics_and_table(
        module, ctx.weights, samples, chosen, compilation.progress
    )
    comments = [
        f"{told_in_tables(data)}, {samples.taken} samples",
        f"method: {chosen.name}",
        *table.comments,
    ]
    if isinstance(samples, ImageSamples):
        comments.insert(1, f"preprocessing: {preprocessing}")
        doubt = doubt_of_count(samples.taken, [samples.input.name], place_of_data(data))
        if doubt is not None:
            ctx.on_report(doubt)
    table = replace(table, comments=comments)
    if four_bits is not None:
        narrow = measured_table(
            module, ctx.weights, samples, method_named(four_bits), progress=compilation.progress
        )
        table = replace(table, four_bits=narrow.rows)
    cuts = doubt_of_cuts(statistics, table, place_of_data(data))
    if cuts is not None:
        ctx.on_report(cuts)
    return table
