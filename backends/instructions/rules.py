"""Rules between the fields of an instruction, of the kinds that several instructions have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..numerics.quantization import MAX_SHIFT
from ..numerics.storage import (
    ACCUMULATOR_NAMES,
    FLOAT_NAMES,
    MATRIX_NAMES,
    NARROW_WEIGHT_NAMES,
    OPERAND_NAMES,
    PACKED_NAMES,
    sums_floats,
    takes_weights,
)
from ..numerics.windows.sliding_windows import window_extent
from .fields import written_columns

Fields = Mapping[str, Any]
Rule = tuple[str, Callable[[Fields], bool]]
"""A rule between the fields of an instruction: words that follow "must have", and its test.

The test takes the fields of one instruction, with names for codes.
"""


def at_most(smaller: str, larger: str) -> Rule:
    """Require that one field is at most another."""
    return f"{smaller} <= {larger}", lambda f: f[smaller] <= f[larger]


def one_of(name: str, names: Sequence[str]) -> Rule:
    """Require one of some storage types, memories or segments of a field."""
    return f"{name} one of {', '.join(names)}", lambda f: f[name] in names


def same_kind(first: str, second: str) -> Rule:
    """Require two storage types that are both integer or both float."""
    return (
        f"{first} and {second} both integer or both float",
        lambda f: (f[first] in FLOAT_NAMES) == (f[second] in FLOAT_NAMES),
    )


MAX_TAPS = 2**20
MAX_SPAN_ELEMENTS = 2**26


def _span(f: Fields, axis: str) -> int:
    """Count the pixels from the first to the last one under the windows along an axis."""
    steps = (int(f[f"out_{axis}"]) - 1) * int(f[f"stride_{axis}"])
    return steps + window_extent(int(f[f"kernel_{axis}"]), int(f[f"dilation_{axis}"]))


def _near(f: Fields) -> bool:
    pixel = int(f["batch"]) * int(f["in_pitch"] if "in_pitch" in f else f["pitch"])
    image = int(f["in_height"]) * int(f["in_width"])
    return _span(f, "height") * _span(f, "width") * pixel <= 4 * image * pixel + MAX_SPAN_ELEMENTS


WINDOWS: tuple[Rule, ...] = (
    # Fields of 16 bits allow windows that take hours or all memory to simulate, over an image of a
    # few bytes.
    (
        f"kernel_height * kernel_width <= {MAX_TAPS}",
        lambda f: int(f["kernel_height"]) * int(f["kernel_width"]) <= MAX_TAPS,
    ),
    (
        "windows near the image ( out_height , stride_height , kernel_height , dilation_height and "
        "out_width , stride_width , kernel_width , dilation_width : what they span has at most "
        f"4 times the elements of in_height and in_width , and {MAX_SPAN_ELEMENTS} )",
        _near,
    ),
)
MULTIPLY: tuple[Rule, ...] = (
    one_of("type", MATRIX_NAMES),
    one_of("acc_type", ACCUMULATOR_NAMES),
    (
        "type and acc_type both integer or both float",
        lambda f: sums_floats(f["type"]) == (f["acc_type"] in FLOAT_NAMES),
    ),
)
ON_VECTOR_UNIT: Rule = one_of("type", OPERAND_NAMES)
"""Require a storage type that the vector unit multiplies."""
PACKED: tuple[Rule, ...] = (
    one_of("w_type", ("none", *NARROW_WEIGHT_NAMES)),
    (
        f"narrow_x 0 unless w_type is {' or '.join(PACKED_NAMES)} and type an integer type",
        lambda f: (
            not f["narrow_x"] or (f["w_type"] in PACKED_NAMES and f["type"] not in FLOAT_NAMES)
        ),
    ),
    (
        f"w_group 0 or narrow_x 0 and w_type {' or '.join(PACKED_NAMES)}",
        lambda f: not f["w_group"] or (f["w_type"] in PACKED_NAMES and not f["narrow_x"]),
    ),
    (
        "type of more bits than w_type, or unsigned of as many",
        lambda f: f["w_type"] == "none" or takes_weights(f["type"], f["w_type"]),
    ),
)
"""The rules of weights of another type than the inputs."""
PITCHES: tuple[Rule, ...] = (at_most("columns", "in_pitch"), at_most("columns", "out_pitch"))
OUT_COLUMNS_FIT: Rule = at_most("out_columns", "out_pitch")


def written(name: str) -> Rule:
    """Require that the elements of a row that a field counts are among those that the instruction writes."""
    text = f"{name} <= out_columns ( out_pitch if that is 0 )"
    return text, lambda f: f[name] <= written_columns(f)


PARTIAL_ROWS: tuple[Rule, ...] = (
    at_most("columns", "in_pitch"),
    written("columns"),
    OUT_COLUMNS_FIT,
)
CLAMP_ORDER: Rule = ("clamp_low <= clamp_high", lambda f: f["clamp_low"] <= f["clamp_high"])
SHIFT_RANGE: Rule = (f"shift <= {MAX_SHIFT}", lambda f: f["shift"] <= MAX_SHIFT)
