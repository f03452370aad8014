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

AUTO = "auto"
"""The alpha that stands for what is best for each activation."""


@dataclass(frozen=True)
class Accuracy:
    """Passes of level top that change weights and biases of a network that is quantized.

    `rounding`: "nearest", or "adaround": weights up or down so that layers give what they give in floats (Nagel et al.,
    2020). `bias_correction`: whether biases take what the means of a layer's results lose (Nagel et al., 2019).
    `samples`: what these look at, as `calibration` takes them; None for the samples of the calibration. `equalize`:
    whether channels are balanced between products (Nagel et al., 2019). `smooth_quant`: how much of the magnitudes of
    activations' channels moves into the weights that read them, 0 to 1, or "auto" for what is best for each activation
    (Xiao et al., 2022); None for nothing. Ranges of a table are measured anew where these two change a tensor.

    Raises DiagnosticError if a value has a wrong type, if there is no such rounding, or if `smooth_quant` is out of
    bounds.
    """

    rounding: str = "nearest"
    bias_correction: bool = False
    samples: str | Path | Mapping[str, np.ndarray] | None = None
    equalize: bool = False
    smooth_quant: float | str | None = None

    def __post_init__(self) -> None:
        check_arguments(
            "Accuracy",
            {
                "rounding": Argument([self.rounding], (str,), f"one of {', '.join(ROUNDINGS)}"),
                "bias_correction": switch(self.bias_correction),
                "equalize": switch(self.equalize),
                "smooth_quant": Argument(
                    [self.smooth_quant],
                    (int, float, str, type(None)),
                    "a number from 0 to 1, 'auto', or None",
                ),
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

        alpha = self.smooth_quant
        if alpha not in (None, AUTO) and (isinstance(alpha, str) or not 0 <= alpha <= 1):
            raise DiagnosticError(
                f"there is no alpha {alpha!r}",
                Place(name="Accuracy(smooth_quant=)"),
                hint=f"give a number from 0 to 1, or {AUTO!r}",
            )

    @property
    def changes_channels(self) -> bool:
        """Whether factors of channels move between layers."""
        return self.equalize or self.smooth_quant is not None

    @property
    def alpha(self) -> float | None:
        """What SmoothQuant is given; None for what is best for each activation."""
        return None if self.smooth_quant in (None, AUTO) else float(self.smooth_quant)

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
            "--equalize": self.equalize or None,
            "--smooth-quant": self.smooth_quant,
            "--samples": self.samples,
        }


def no_integers(scheme: Scheme) -> DiagnosticError:
    """Return the diagnostic for a network whose scheme, one of floats, has nothing to round weights to."""
    return DiagnosticError(
        f"scheme {scheme.name} has no integers to round weights to",
        hint="leave --rounding, --bias-correction, --equalize and --smooth-quant out, or quantize to integers",
    )


def no_samples(source: str | Path | Mapping[str, np.ndarray] | None) -> DiagnosticError:
    """Return the diagnostic for weights that are to be fitted to samples, if there are none, or a table in their
    place.
    """
    return DiagnosticError(
        "weights and biases are fitted to samples, and there are none",
        None if source is None else place_of_data(source),
        hint="give an .npz with arrays named as the model's inputs: --samples data.npz",
    )
