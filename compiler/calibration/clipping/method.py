"""The methods of calibration by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ....backends.diagnostics.diagnostic import DiagnosticError, did_you_mean
from .analytic import aciq_gauss, aciq_laplace
from .divergence import entropy, kl
from .extremes import maximum, min_max, percentile
from .histogram import Histogram
from .log_histogram import LogHistogram
from .squared_error import mse
from .statistics import Clip, Statistics

DEFAULT_METHOD = "min-max"
_PERCENTILE = "percentile:"


@dataclass(frozen=True)
class Method:
    """A method: its name with its parameter, what it does in words, the histogram that it needs, if any, and what it
    makes of statistics.

    `doubts_extremes`: whether it takes rare numbers for outliers without looking at what is lost with them. Where none
    can be outliers, as among probabilities, min-max is better.
    """

    name: str
    description: str
    histogram: type[Histogram | LogHistogram] | None
    clip: Callable[[Statistics], Clip]
    doubts_extremes: bool = False


_PLAIN = (
    Method("min-max", "the least and the greatest number: nothing saturates (default)", None, min_max),
    Method("max", "the greatest magnitude on both sides of 0", None, maximum),
    Method("kl", "least Kullback-Leibler divergence of magnitudes, 2048 bins against 128 levels", Histogram, kl, True),
    Method("entropy", "least divergence of numbers with their signs, as ONNX Runtime has it", Histogram, entropy, True),
    Method("mse", "least mean squared error of rounding and saturation", LogHistogram, mse),
    Method("mse-i4", "mse for 4 bits, as scheme w4a4 has them: cuts off more", LogHistogram, partial(mse, bits=4)),
    Method("aciq-gauss", "best for a normal distribution of the same variance", LogHistogram, aciq_gauss, True),
    Method("aciq-laplace", "best for a Laplace distribution of equal mean distance", LogHistogram, aciq_laplace, True),
    Method("best-of", "mse, min-max or percentile:99.99, by the error at the outputs", LogHistogram, mse),
)  # fmt: skip
BEST_OF = "best-of"
"""The method that takes for each tensor one of `COMPARED`: the one that makes the least error at the outputs."""
COMPARED = ("mse", "min-max", "percentile:99.99")
_BY_NAME: Mapping[str, Method] = {each.name: each for each in _PLAIN}
MIN_MAX = _BY_NAME["min-max"]
"""The method that takes the least and the greatest number as they are."""
METHODS: Mapping[str, str] = {
    **{each.name: each.description for each in _PLAIN},
    f"{_PERCENTILE}P": "all but 100 - P percent of the numbers, such as percentile:99.99",
}
"""What `--method` takes, and what each does."""


def is_method(name: str) -> bool:
    """Tell whether there is a method of a name."""
    try:
        method_named(name)
    except DiagnosticError:
        return False
    return True


def method_named(name: str) -> Method:
    """Return the method of a name. Raises DiagnosticError if there is none, or if its parameter is wrong."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.startswith(_PERCENTILE):
        try:
            percent = float(name.removeprefix(_PERCENTILE))
        except ValueError:
            percent = -1.0
        if 0 < percent <= 100:
            name = f"{_PERCENTILE}{percent:.10g}"
            clip = partial(percentile, percent=percent)
            return Method(name, METHODS[f"{_PERCENTILE}P"], LogHistogram, clip, True)
        raise DiagnosticError(
            f"'{name}' is no percentile",
            hint="give a number above 0 and up to 100: percentile:99.99",
        )
    known = [each.removesuffix("P") for each in METHODS]
    raise DiagnosticError(
        f"there is no calibration method '{name}'",
        hint=did_you_mean(name, known) or f"the methods are {', '.join(METHODS)}",
    )
