"""Schemes of quantization: in which numbers a layer keeps its activations and its weights, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ....backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ....backends.numerics.storage import PACKED_NAMES, SCALED_FLOAT_NAMES, is_float, storage_type
from ....backends.targets.target import Target

Quantize = Literal["int8", "f32", "f16", "bf16"]
QUANTIZE: tuple[Quantize, ...] = get_args(Quantize)
"""The schemes that the option `quantize` takes; the option `scheme` takes them all."""
WeightScales = Literal["channel", "tensor"] | int
"""One scale for each output channel, one for all weights, or one for each of so many input channels."""


@dataclass(frozen=True)
class Scheme:
    """How a layer stores the numbers that it computes with.

    `activations` is the storage type of its result and of what it reads, `weights` that of its constant weights, which
    have zero point 0. If `symmetric`, activations have zero point 0, too. `weight_scales` says how many scales weights
    have. `inputs` is the storage type to whose range products narrow what they read, but the inputs of the network, if
    it is not that of activations; each number keeps a byte of its own. Of small floats they are cast to it, with a
    scale, where weights are constant. If `power_of_two`, every scale is a power of
    two, so that requantization is a shift. `ends` names the scheme of the network's first and last product with
    constant weights, and of all that follows the last, if it is another. `calibration` is the method by which ranges
    are taken from samples, None for the default one. Ops that have no form in integers compute in f32.
    """

    name: str
    description: str
    activations: str
    weights: str
    symmetric: bool = False
    weight_scales: WeightScales = "channel"
    power_of_two: bool = False
    inputs: str | None = None
    ends: str | None = None
    calibration: str | None = None

    @property
    def quantizes(self) -> bool:
        """Whether activations are integers."""
        return not is_float(self.activations)

    @property
    def reads_ranges(self) -> bool:
        """Whether layers need calibrated ranges: those of integers, and products of scaled small floats."""
        return self.quantizes or self.inputs in SCALED_FLOAT_NAMES

    @property
    def has_8_bits(self) -> bool:
        """Whether activations are integers of 8 bits or fewer."""
        return self.quantizes and storage_type(self.activations).file_bits <= 8


INT8 = Scheme("int8", "8 bits, activations asymmetric, weights per channel", "i8", "i8")
_W4A8 = Scheme("w4a8", "activations 8 bits asymmetric, weights 4 bits per channel", "i8", "i4")
_W4A4 = Scheme(
    "w4a4",
    "weights 4 bits per channel, inputs of products 4 bits asymmetric, other activations 8 bits",
    "i8",
    "i4",
    inputs="i4",
    calibration="mse-i4",
)
_FLOATS = tuple(
    Scheme(name, f"activations and weights {name}", name, name) for name in ("f32", "f16", "bf16")
)
_WEIGHT_ONLY = tuple(
    Scheme(
        f"w{weights[1:]}{floats}",
        f"activations {floats}, weights {weights} symmetric per channel",
        floats,
        weights,
    )
    for floats in ("f16", "bf16")
    for weights in ("i8", "i4")
)
_GROUPED = tuple(
    Scheme(
        f"w4{activations}-g{size}",
        f"activations {what}, weights 4 bits in groups of {size} input channels",
        storage,
        "i4",
        weight_scales=size,
    )
    for activations, storage, what in (
        ("a8", "i8", "8 bits asymmetric"),
        ("f16", "f16", "f16"),
        ("bf16", "bf16", "bf16"),
    )
    for size in (32, 64, 128)
)
_SMALL_FLOATS = tuple(
    Scheme(
        name,
        f"products of inputs and weights in {storage} with scales, activations f16",
        "f16",
        storage,
        inputs=storage,
    )
    for name, storage in (("f8e4m3", "f8E4M3FN"), ("f8e5m2", "f8E5M2"))
)
_OTHERS = (
    Scheme(
        "symmetric-kl",
        "8 bits, activations symmetric, calibrated by KL divergence, weights per channel",
        "i8",
        "i8",
        symmetric=True,
        calibration="kl",
    ),
    Scheme(
        "asymmetric-minmax",
        "8 bits, activations asymmetric between least and greatest number, weights per channel",
        "i8",
        "i8",
        calibration="min-max",
    ),
    Scheme(
        "u8-asymmetric",
        "8 bits, activations u8 asymmetric between least and greatest number, weights i8 per channel",
        "u8",
        "i8",
        calibration="min-max",
    ),
    Scheme(
        "asymmetric-per-tensor",
        "8 bits, activations asymmetric, weights with one scale",
        "i8",
        "i8",
        weight_scales="tensor",
    ),
    Scheme(
        "power-of-two",
        "8 bits, symmetric, all scales powers of two: requantization is a shift",
        "i8",
        "i8",
        symmetric=True,
        power_of_two=True,
        calibration="mse",
    ),
    Scheme(
        "hybrid",
        "int8, but the first product, the last and what follows it by w8a16",
        "i8",
        "i8",
        ends="w8a16",
    ),
    Scheme(
        "w8a16",
        "activations 16 bits symmetric, weights 8 bits per channel",
        "i16",
        "i8",
        symmetric=True,
        calibration="max",
    ),
)
SCHEMES: Mapping[str, Scheme] = {
    each.name: each
    for each in (INT8, _W4A8, _W4A4, *_FLOATS, *_WEIGHT_ONLY, *_GROUPED, *_SMALL_FLOATS, *_OTHERS)
}
"""Every scheme, by its name."""
_ONE_BIT = (
    "of one bit no network that was trained in floats keeps anything, and no target multiplies it",
    "w4a8 and w4a4 have the fewest bits",
)
_LOGARITHMIC = (
    "no target's units decode numbers of sign and exponent",
    "power-of-two has scales, not numbers, that are powers of two",
)
_REFUSED: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("int1", "i1", "w1a1", "w1a8", "binary"), _ONE_BIT),
    **dict.fromkeys(("log", "log8", "log16", "logarithmic"), _LOGARITHMIC),
}
"""Why schemes that one may ask for are not offered, and what to take in their place."""


def scheme_named(name: str, place: Place | None = None) -> Scheme:
    """Return the scheme of a name, in capitals or not. Raises DiagnosticError at `place` if there is none."""
    found = SCHEMES.get(name.lower())
    if found is None and name.lower() in _REFUSED:
        why, hint = _REFUSED[name.lower()]
        raise DiagnosticError(f"scheme '{name}' is not offered: {why}", place, hint=hint)
    if found is None:
        raise DiagnosticError(
            f"there is no scheme '{name}'",
            place,
            hint=did_you_mean(name.lower(), SCHEMES) or f"the schemes are {', '.join(SCHEMES)}",
        )
    return found


def check_target(scheme: Scheme, target: Target) -> None:
    """Raise DiagnosticError, which lists the schemes of which the target is capable, if its units multiply no integers
    of a type of this one. (Floats that the matrix unit lacks are multiplied as wider ones.)
    """
    lacking = _lacking(scheme, target)
    if lacking is None:
        return
    lack, help = lacking
    capable = [each.name for each in SCHEMES.values() if _lacking(each, target) is None]
    raise DiagnosticError(
        f"target '{target.name}' cannot compute by scheme '{scheme.name}': {lack}",
        hint=f"it computes by {', '.join(capable)}; {help}",
    )


def _lacking(scheme: Scheme, target: Target) -> tuple[str, str] | None:
    """Return what a target lacks for a scheme, and what to do about it; None if it lacks nothing."""
    rates = target.matrix.macs_per_cycle
    kinds = (
        ("activations", scheme.activations, scheme.quantizes),
        ("weights", scheme.weights, scheme.weights in (*PACKED_NAMES, *SCALED_FLOAT_NAMES)),
    )
    for what, storage, is_needed in kinds:
        if is_needed and storage not in rates:
            return (
                f"its matrix unit has no rate for {what} of {storage}",
                f"for a machine that multiplies {storage}, give the target a rate in matrix.macs_per_cycle",
            )
    if isinstance(scheme.weight_scales, int) and not target.matrix.group_scales:
        return (
            "its units multiply no weights by scales of groups of input channels",
            "for a machine that does, give the target matrix.group_scales = true",
        )
    return None


def chosen_scheme(
    scheme: str | None, quantize: str | None = None, place: Place | None = None
) -> Scheme:
    """Return the scheme of a network for the values of the options `scheme`, which wins, and `quantize`: int8 if both
    are None. Raises DiagnosticError at `place` if a value is none of theirs.
    """
    if quantize is not None and quantize not in QUANTIZE:
        raise DiagnosticError(
            f"option 'quantize' is {quantize}, expected one of {', '.join(QUANTIZE)}",
            place,
            hint=did_you_mean(quantize, QUANTIZE)
            or ("it is a value of option 'scheme'" if quantize in SCHEMES else None),
        )
    return scheme_named(scheme or quantize or INT8.name, place)
