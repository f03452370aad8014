"""Arguments that say what a compilation does so that a quantized network loses less."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ...passes.accuracy.roundings import ROUNDINGS
from .files import InputFile

if TYPE_CHECKING:
    from ...compiler.compilation.accuracy import Accuracy


def add_accuracy_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --rounding, --bias-correction, --equalize, --smooth-quant and --samples."""
    group = parser.add_argument_group(
        "accuracy", "what is done to weights and biases of a quantized network, on samples"
    )
    group.add_argument(
        "--rounding",
        choices=tuple(ROUNDINGS),
        default="nearest",
        help="how weights are rounded (default: nearest); adaround: up or down, layer by layer, so that each gives "
        "what it gives in floats",
    )
    group.add_argument(
        "--bias-correction",
        action="store_true",
        help="let biases take what the means of a layer's results lose",
    )
    group.add_argument(
        "--equalize",
        action="store_true",
        help="balance the channels between products, so that one scale fits all channels",
    )
    group.add_argument(
        "--smooth-quant",
        type=_alpha,
        nargs="?",
        const="auto",
        metavar="ALPHA",
        help="move what makes channels of activations large into the weights that read them: all for 1, little for 0 "
        "(default: auto, what is best for each activation)",
    )
    group.add_argument(
        "--samples",
        type=InputFile,
        metavar="DATA",
        help="the samples that these look at, as --calibration takes them (default: those of --calibration)",
    )


def accuracy_of(args: argparse.Namespace) -> Accuracy:
    """Return what the arguments ask for."""
    from ...compiler.compilation.accuracy import Accuracy

    return Accuracy(
        args.rounding, args.bias_correction, args.samples, args.equalize, args.smooth_quant
    )


def _alpha(text: str) -> float | str:
    """Return a number, or the word auto. Raises ArgumentTypeError if the text is neither."""
    if text == "auto":
        return text
    try:
        alpha = float(text)
    except ValueError:
        alpha = -1.0
    if not 0 <= alpha <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is neither a number from 0 to 1 nor auto")
    return alpha
