"""What a compilation does so that a quantized network loses less, beyond the choice of ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ...passes.accuracy.roundings import ROUNDINGS
from ...passes.top_to_tpu.precision.schemes import Scheme
from ..calibration.samples import place_of_data
from .arguments import Argument, check_arguments, switch


@dataclass(frozen=True)
class Accuracy:
    """Passes of level top that change weights and biases of a network that is quantized.

    `rounding`: "nearest", or "adaround": weights up or down so that layers give what they give in floats (Nagel et al.,
    2020). `bias_correction`: whether biases take what the means of a layer's results lose (Nagel et al., 2019).
    `samples`: what these look at, as `calibration` takes them; None for the samples of the calibration.

    Raises DiagnosticError if a value has a wrong type, or if there is no such rounding.
    """

    rounding: str = "nearest"
    bias_correction: bool = False
    samples: str | Path | Mapping[str, np.ndarray] | None = None

    def __post_init__(self) -> None:
        check_arguments(
            "Accuracy",
            {
                "rounding": Argument([self.rounding], (str,), f"one of {', '.join(ROUNDINGS)}"),
                "bias_correction": switch(self.bias_correction),
                "samples": Argument(
                    [self.samples],
                    (str, Path, Mapping, type(None)),
                    "arrays by input name, the path of an .npz file, 'random:SEED', or None",
                ),
            },
        )
        if self.rounding not in ROUNDINGS:
            raise DiagnosticError(
                f"there is no rounding '{self.rounding}'",
                Place(name="Accuracy(rounding=)"),
                hint=did_you_mean(self.rounding, ROUNDINGS)
                or f"the roundings are {', '.join(ROUNDINGS)}",
            )

    @property
    def rounds_weights(self) -> bool:
        """Whether weights or biases are fitted to samples."""
        return self.rounding != "nearest" or self.bias_correction

    @property
    def flags(self) -> dict[str, object]:
        """What is asked for, by the flag that asks for it; None for what is not."""
        return {
            "--rounding": None if self.rounding == "nearest" else self.rounding,
            "--bias-correction": self.bias_correction or None,
            "--samples": self.samples,
        }


def no_integers(scheme: Scheme) -> DiagnosticError:
    """Return the diagnostic for a network whose scheme, one of floats, has nothing to round weights to."""
    return DiagnosticError(
        f"scheme {scheme.name} has no integers to round weights to",
        hint="leave --rounding and --bias-correction out, or quantize to integers",
    )


def no_samples(source: str | Path | Mapping[str, np.ndarray] | None) -> DiagnosticError:
    """Return the diagnostic for weights that are to be fitted to samples, if there are none, or a table in their
    place.
    """
    return DiagnosticError(
        "weights are rounded and biases corrected on samples, and there are none",
        None if source is None else place_of_data(source),
        hint="give an .npz with arrays named as the model's inputs: --samples data.npz",
    )
