"""Finds calibration data that are probably not what the network is fed in use, and ranges that are probably not what it
needs, and says what to do about each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import Diagnostic, Place
from ...backends.interpreter.samples import input_names, main_function
from ...dialects.network.traits import ScalesOrShifts
from ...passes.top.calibration_table import CalibrationTable
from ..inputs.array_stream import UNNAMED
from .clipping.lost_energy import lost_energy
from .clipping.statistics import Clip, Statistics

FEW_SAMPLES = 4
"""With fewer samples than this, ranges say more about the samples than about the network."""
MUCH_ENERGY = 0.01
"""A tensor that loses this part of its energy where it saturates has 20 dB, if nothing else is lost."""
_SHOWN_NAMES = 8


@dataclass
class InputSummary:
    """What `doubts` looks at in the data of an input: the least and the greatest number, and whether all are whole."""

    low: float = np.inf
    high: float = -np.inf
    is_whole: bool = True

    def add(self, array: np.ndarray) -> None:
        """Take in finite numbers, an array of any shape; bools have no range."""
        if array.dtype == np.bool_ or not array.size:
            return
        self.low = min(self.low, float(array.min()))
        self.high = max(self.high, float(array.max()))
        whole = array.dtype.kind in "iu" or bool(np.all(array == np.floor(array)))
        self.is_whole = self.is_whole and whole

    @property
    def has_range(self) -> bool:
        """Whether there are numbers."""
        return self.low <= self.high


def doubts(
    module: ModuleOp, summaries: Mapping[str, InputSummary], place: Place
) -> Iterator[Diagnostic]:
    """Yield a warning for each input whose data are all zero, or whole numbers up to 255, as pixels are, where the
    network expects floats.

    Args:
        module: the network that is calibrated.
        summaries: what is known of the data, by input name.
        place: the file that they come from.
    """
    function = main_function(module)
    values = dict(zip(input_names(function), function.body.block.args, strict=True))
    for name, each in summaries.items():
        if not each.has_range:
            continue
        if each.low == each.high == 0:
            yield _zeros(name, place)
        elif (
            each.low >= 0
            and 128 <= each.high <= 255
            and each.is_whole
            and not _normalizes(values[name])
        ):
            yield _pixels(name, each.low, each.high, place)


def doubt_of_count(count: int, names: Sequence[str], place: Place) -> Diagnostic | None:
    """Return a warning if `count` samples for the inputs `names` are few to quantize a network by; None if there are
    enough, or no samples or inputs.
    """
    if not names or not 0 < count < FEW_SAMPLES:
        return None
    samples = "is only 1 sample" if count == 1 else f"are only {count} samples"
    inputs = ", ".join(f"'{name}'" for name in names)
    return Diagnostic(
        "warning",
        f"there {samples} for {inputs}: INT8 cuts off what lies beyond their range",
        place,
        hint="give samples of every kind that the network meets in use, a hundred if there are so many",
    )


def doubt_of_cuts(
    statistics: Mapping[str, Statistics], table: CalibrationTable, place: Place
) -> Diagnostic | None:
    """Return a remark that names the tensors of whose energy a table cuts off much, with the share of each; None if
    there are none.
    """
    lost = {
        name: lost_energy(statistics[name], Clip(row.threshold, row.low, row.high))
        for name, row in table.rows.items()
    }
    much = sorted((name for name in lost if lost[name] > MUCH_ENERGY), key=lambda name: -lost[name])
    if not much:
        return None
    shown = [f"'{name}': {_percent(lost[name])} by {table.rows[name].method}" for name in much]
    rest = [f"and {len(much) - _SHOWN_NAMES} more"] if len(much) > _SHOWN_NAMES else []
    tensors = "1 tensor loses" if len(much) == 1 else f"{len(much)} tensors lose"
    return Diagnostic(
        "remark",
        f"{tensors} more than {_percent(MUCH_ENERGY)} of the energy where the table cuts numbers off",
        place,
        [*shown[:_SHOWN_NAMES], *rest],
        "if what is cut off are no outliers, calibrate with mse or min-max, or correct these rows of the table",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 0.995 else "all"


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


def _normalizes(value: SSAValue) -> bool:
    """Return whether all readers of an input scale or shift it."""
    return all(ScalesOrShifts.holds(use.operation) for use in value.uses)
