"""Finds calibration data that are probably not what the network is fed in use, and says what to do about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import Diagnostic, Place
from ...backends.interpreter.samples import input_names, main_function
from ...dialects.network.traits import ScalesOrShifts
from ..inputs.arrays import UNNAMED

FEW_SAMPLES = 4
"""With fewer samples than this, ranges say more about the samples than about the network."""


def doubts(module: ModuleOp, data: Mapping[str, np.ndarray], place: Place) -> Iterator[Diagnostic]:
    """Yield a warning for each input whose data are all zero, or whole numbers up to 255, as pixels are, where the
    network expects floats.

    Args:
        module: the network that is calibrated.
        data: arrays by input name, checked to fit the inputs.
        place: the file that they come from.
    """
    function = main_function(module)
    values = dict(zip(input_names(function), function.body.block.args, strict=True))
    for name, array in data.items():
        if not _has_range(array):
            continue
        low, high = float(array.min()), float(array.max())
        if low == high == 0:
            yield _zeros(name, place)
        elif low >= 0 and 128 <= high <= 255 and _is_whole(array) and not _normalizes(values[name]):
            yield _pixels(name, low, high, place)


def doubt_of_number(data: Mapping[str, np.ndarray], place: Place) -> Diagnostic | None:
    """Return a warning if there are few samples to quantize a network by; None if there are enough."""
    # Axis 0 of what has no batch is longer than the number of samples, which is seldom known better.
    ranged = {name: array for name, array in data.items() if _has_range(array)}
    count = max((len(np.atleast_1d(array)) for array in ranged.values()), default=0)
    return doubt_of_count(count, list(ranged), place)


def doubt_of_count(count: int, names: Sequence[str], place: Place) -> Diagnostic | None:
    """Return a warning if `count` samples for the inputs `names` are few to quantize a network by; None if there are
    enough, or none.
    """
    if not 0 < count < FEW_SAMPLES:
        return None
    samples = "is only 1 sample" if count == 1 else f"are only {count} samples"
    inputs = ", ".join(f"'{name}'" for name in names)
    return Diagnostic(
        "warning",
        f"there {samples} for {inputs}: INT8 cuts off what lies beyond their range",
        place,
        hint="give samples of every kind that the network meets in use, a hundred if there are so many",
    )


def doubt_of_name(array: str, name: str, place: Place) -> Diagnostic | None:
    """Return a warning if a file's only array, taken for the network's only input, has the name of something else."""
    if array in (name, UNNAMED):
        return None
    return Diagnostic(
        "warning",
        f"the array '{array}' is taken for input '{name}', as the file has no other",
        place,
        hint=f"save it with numpy.savez(path, **{{{name!r}: array}}) if it is right",
    )


def _zeros(name: str, place: Place) -> Diagnostic:
    return Diagnostic(
        "warning",
        f"the data for input '{name}' are all zero: no range can be found from them",
        place,
        hint="save the arrays that the network is fed in use, after their preprocessing",
    )


def _pixels(name: str, low: float, high: float, place: Place) -> Diagnostic:
    return Diagnostic(
        "warning",
        f"the data for input '{name}' are whole numbers from {low:g} to {high:g}, as pixels are "
        "before they are normalized",
        place,
        hint="if the network was trained on normalized floats, save the arrays after that preprocessing",
    )


def _has_range(array: np.ndarray) -> bool:
    return array.dtype != np.bool_ and array.size > 0


def _is_whole(array: np.ndarray) -> bool:
    return array.dtype.kind in "iu" or bool(np.all(array == np.floor(array)))


def _normalizes(value: SSAValue) -> bool:
    """Return whether all readers of an input scale or shift it."""
    return all(ScalesOrShifts.holds(use.operation) for use in value.uses)
