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

METHODS: Mapping[str, str] = {
    "min-max": "the least and the greatest number: nothing saturates (default)",
    "max": "the greatest magnitude on both sides of 0",
    "percentile:P": "all but 100 - P percent of the numbers, such as percentile:99.99",
    "kl": "least Kullback-Leibler divergence of magnitudes, 2048 bins against 128 levels",
    "entropy": "least divergence of the numbers with their signs, as ONNX Runtime has it",
    "mse": "least mean squared error of rounding and saturation",
    "aciq-gauss": "best for a normal distribution of the same variance",
    "aciq-laplace": "best for a Laplace distribution of the same mean distance",
}
"""What `--method` takes, and what each does."""
DEFAULT_METHOD = "min-max"
_CHOOSERS: Mapping[str, Callable[[Statistics], Clip]] = {
    "min-max": min_max,
    "max": maximum,
    "kl": kl,
    "entropy": entropy,
    "mse": mse,
    "aciq-gauss": aciq_gauss,
    "aciq-laplace": aciq_laplace,
}
_HISTOGRAMS: Mapping[str, type[Histogram | LogHistogram] | None] = {
    "min-max": None,
    "max": None,
    "kl": Histogram,
    "entropy": Histogram,
}
"""The histograms of the methods, where it is no logarithmic one."""
_PERCENTILE = "percentile:"


@dataclass(frozen=True)
class Method:
    """A method: its name with its parameter, the histogram that it needs, if any, and what it makes of statistics."""

    name: str
    histogram: type[Histogram | LogHistogram] | None
    clip: Callable[[Statistics], Clip]


def method_named(name: str) -> Method:
    """Return the method of a name. Raises DiagnosticError if there is none, or if its parameter is wrong."""
    if name in _CHOOSERS:
        return Method(name, _HISTOGRAMS.get(name, LogHistogram), _CHOOSERS[name])
    if name.startswith(_PERCENTILE):
        try:
            percent = float(name.removeprefix(_PERCENTILE))
        except ValueError:
            percent = -1.0
        if 0 < percent <= 100:
            name = f"{_PERCENTILE}{percent:.10g}"
            return Method(name, LogHistogram, partial(percentile, percent=percent))
        raise DiagnosticError(
            f"'{name}' is no percentile",
            hint="give a number above 0 and up to 100: percentile:99.99",
        )
    known = [each.removesuffix("P") for each in METHODS]
    raise DiagnosticError(
        f"there is no calibration method '{name}'",
        hint=did_you_mean(name, known) or f"the methods are {', '.join(METHODS)}",
    )
