"""Calibration data that are images: which are, what the model says of them, and the samples that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
from onnx import ModelProto
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.interpreter.samples import input_tensors, main_function
from ...backends.numerics.storage import dtype_of
from ..inputs.images import Preprocessing, image_input, image_paths, lists_images
from .doubtful_data import InputSummary, doubts
from .sample_source import ImageSamples
from .samples import is_random

Data = str | Path | Mapping[str, np.ndarray]
_PEEKED = 4
"""So many images are looked at to tell whether they seem to lack normalization."""


def metadata_of(model: str | Path | ModelProto, data: Data) -> dict[str, str]:
    """Return the metadata of an ONNX model if the data are images, which they may tell how to normalize, else none."""
    if not are_images(data):
        return {}
    if not isinstance(model, ModelProto):
        import onnx

        if Path(model).suffix == ".mlir":
            return {}
        model = onnx.load(model, load_external_data=False)
    return {each.key: each.value for each in model.metadata_props}


def are_images(data: Data) -> bool:
    """Tell whether data are a folder of images, or a text file that lists some: a .txt, or any file whose first line is
    the path of an image.
    """
    if not isinstance(data, str | Path) or is_random(data):
        return False
    path = Path(data)
    return path.is_dir() or path.suffix.lower() == ".txt" or lists_images(path)


def image_samples(
    module: ModuleOp,
    source: Path,
    preprocessing: Preprocessing,
    skip_bad: bool,
    warn: Callable[[Diagnostic], None],
) -> ImageSamples:
    """Return the images of a folder or list as samples of the network's only input.

    Raises DiagnosticError if it has several, or if there are no images.
    """
    tensors = input_tensors(main_function(module))
    place = Place(file=str(source))
    if len(tensors) != 1:
        raise DiagnosticError(
            f"the network has {len(tensors)} inputs; images are fed to networks with one",
            place,
            hint="give an .npz with an array for each input",
        )
    ((name, (shape, storage)),) = tensors.items()
    images = image_input(name, shape, dtype_of(storage), preprocessing)
    paths = image_paths(source)
    samples = ImageSamples(paths, images, skips_bad=skip_bad, warn=warn)
    silent_samples = ImageSamples(paths, images, skips_bad=skip_bad)
    summary = InputSummary()
    for part in islice(silent_samples.parts(_PEEKED), 1):
        summary.add(part[name])
    for doubt in doubts(module, {name: summary}, place):
        warn(doubt)
    return samples
