"""What an instruction's fields may hold: codes of names, ranges, and the rules that tie fields to
each other.

The verifier of the isa dialect, the encoder and the check of program files share these rules. This
module knows neither xDSL nor programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..numerics.comparison import COMPARISONS, LOGIC
from ..numerics.host import FLAGS, HOST_FUNCTIONS
from ..numerics.reduction import INTEGER_KINDS
from ..numerics.unary import NOT
from .instruction_set import (
    BY_MNEMONIC,
    NO_ADDRESS,
    SEGMENTS,
    STORAGE_CODES,
    Access,
    Field,
    Instruction,
)
from .pointwise import INTEGER_BINARY_KINDS


@cache
def code_names(field: Field) -> tuple[str, ...]:
    """The names that a storage or enum field can hold, by code."""
    if field.kind == "storage":
        return tuple(STORAGE_CODES)
    return field.values


@cache
def _codes(field: Field) -> dict[str, int]:
    return {name: code for code, name in enumerate(code_names(field))}


def named_code(field: Field, name: str) -> int:
    """The code of a name of a storage or enum field, -1 if it has no such name."""
    return _codes(field).get(name, -1)


def field_code(field: Field, value: Any) -> Any:
    """The number that encodes `value`: a name's code (unknown names stay as they are), an f32
    rounded, else the number.
    """
    if field.kind in ("storage", "enum") and isinstance(value, str):
        return _codes(field).get(value, value)
    if field.kind == "real" and field.dtype == "<f4":
        with np.errstate(over="ignore"):
            return float(np.float32(value))
    return value


def least(field: Field) -> int:
    """The smallest value of an integer field.

    What counts something (extents, pitches, numbers of runs) is at least 1: those are the fields
    whose default is not 0, apart from the strides.
    """
    if field.dtype[1] == "i":
        return int(np.iinfo(field.dtype).min)
    counts = field.kind == "int" and field.default != 0 and not field.name.endswith("_stride")
    return 1 if counts else 0


@cache
def bounds(field: Field) -> tuple[int, int]:
    """Smallest and largest value (codes of names) of a field that is not real."""
    if field.kind in ("storage", "enum"):
        # Code 0 of a storage field is "none", which no instruction works on.
        return (1 if field.kind == "storage" else 0), len(code_names(field)) - 1
    if field.kind == "flag":
        return 0, 1
    high = int(np.iinfo(field.dtype).max)
    # The IR holds addresses as int64.
    return least(field), min(high, 2**63 - 1) if field.kind == "address" else high


def field_error(field: Field, value: Any) -> str | None:
    """Why a field cannot hold a value (a code for names), or None if it can."""
    if field.kind == "real":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            return f"field '{field.name}' is a number, got {value!r}"
        if field.dtype == "<f4" and math.isfinite(value) and field_code(field, value) != value:
            return f"field '{field.name}' is stored as f32, which cannot hold {value!r}"
        return None
    if isinstance(value, str):
        known = ", ".join(name for name in code_names(field) if name != "none")
        return f"field '{field.name}' is one of {known}, got '{value}'"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        return f"field '{field.name}' is an integer, got {value!r}"
    low, high = bounds(field)
    if low <= value <= high:
        return None
    if field.kind in ("storage", "enum"):
        known = ", ".join(code_names(field)[low:])
        shown = code_names(field)[value] if 0 <= value <= high else value
        return f"field '{field.name}' is one of {known}, got {shown}"
    return f"field '{field.name}' is {low} to {high} ({field.unit}), got {value}"


Fields = Mapping[str, Any]
Rule = tuple[str, Callable[[Fields], bool]]
"""What must hold between the fields of an instruction, in words that follow "must have", and its
test.
"""

FLOAT_TYPES = ("f16", "bf16", "f32", "f64")
_OPERAND_TYPES = ("i8", "u8", "i16", *FLOAT_TYPES[:3])
_ACCUMULATOR_TYPES = ("i32", "i64", "f32")


def _at_most(smaller: str, larger: str) -> Rule:
    return f"{smaller} <= {larger}", lambda f: f[smaller] <= f[larger]


def _one_of(name: str, types: Sequence[str]) -> Rule:
    return f"{name} one of {', '.join(types)}", lambda f: f[name] in types


def _same_kind(first: str, second: str) -> Rule:
    return (
        f"{first} and {second} both integer or both float",
        lambda f: (f[first] in FLOAT_TYPES) == (f[second] in FLOAT_TYPES),
    )


MAX_TAPS = 2**20
MAX_SPAN_ELEMENTS = 2**26


def _span(f: Fields, axis: str) -> int:
    """Pixels from the first to the last one under the windows along an axis."""
    steps = (int(f[f"out_{axis}"]) - 1) * int(f[f"stride_{axis}"])
    return steps + (int(f[f"kernel_{axis}"]) - 1) * int(f[f"dilation_{axis}"]) + 1


def _near(f: Fields) -> bool:
    pixel = int(f["batch"]) * int(f["in_pitch"] if "in_pitch" in f else f["pitch"])
    image = int(f["in_height"]) * int(f["in_width"])
    return _span(f, "height") * _span(f, "width") * pixel <= 4 * image * pixel + MAX_SPAN_ELEMENTS


_WINDOWS: tuple[Rule, ...] = (
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
_MULTIPLY: tuple[Rule, ...] = (
    _one_of("type", _OPERAND_TYPES),
    _one_of("acc_type", _ACCUMULATOR_TYPES),
    _same_kind("type", "acc_type"),
)
_CONV: tuple[Rule, ...] = (
    *_MULTIPLY,
    *_WINDOWS,
    _at_most("in_channels", "in_pitch"),
    _at_most("out_channels", "out_pitch"),
)
_PITCHES: tuple[Rule, ...] = (_at_most("columns", "in_pitch"), _at_most("columns", "out_pitch"))
_CLAMP: Rule = ("clamp_low <= clamp_high", lambda f: f["clamp_low"] <= f["clamp_high"])
_SHIFT: Rule = ("shift <= 62", lambda f: f["shift"] <= 62)
_TRANSFER: tuple[Rule, ...] = (
    (
        "peer_core 0 unless both memories are local",
        lambda f: f["peer_core"] == 0 or f["src_space"] == f["dst_space"] == "local",
    ),
)


def _binary_fits(kind: str, type: str) -> bool:
    if kind in COMPARISONS:
        return True
    if kind in LOGIC or type == "bool":
        return kind in LOGIC and type == "bool"
    return type in FLOAT_TYPES or kind in INTEGER_BINARY_KINDS


def _host_length(f: Fields) -> bool:
    allowed = {"one": 1, "same": f["length"]}.get(HOST_FUNCTIONS[f["function"]].lengths)
    return f["out_length"] <= f["length"] if allowed is None else f["out_length"] == allowed


def _host_types(f: Fields) -> bool:
    gives_positions = HOST_FUNCTIONS[f["function"]].gives_positions
    return f["out_type"] == ("i64" if gives_positions else f["type"])


def _host_flags(f: Fields) -> bool:
    own = HOST_FUNCTIONS[f["function"]].flags
    return all(name in own or not f[name] for name in FLAGS)


RULES: Mapping[str, tuple[Rule, ...]] = {
    "load": (
        *_TRANSFER,
        _one_of("dst_space", ("local",)),
        _one_of("src_space", ("global", "local")),
        (
            "group 0 unless it reads global memory",
            lambda f: not f["group"] or f["src_space"] == "global",
        ),
    ),
    "store": (
        *_TRANSFER,
        _one_of("src_space", ("local",)),
        _one_of("dst_space", ("global", "local")),
        ("group 0", lambda f: f["group"] == 0),
        (
            "dst_segment output or scratch",
            lambda f: f["dst_space"] != "global" or f["dst_segment"] in ("output", "scratch"),
        ),
    ),
    "host_call": (
        _one_of("type", FLOAT_TYPES[:3]),
        _one_of("out_segment", ("output", "scratch")),
        ("out_type as its function gives it for type", _host_types),
        ("out_length as its function gives it for length", _host_length),
        (f"no flag but those of its function ( {' , '.join(FLAGS)} )", _host_flags),
    ),
    "conv2d": (
        *_CONV,
        ("in_channels a multiple of groups", lambda f: f["in_channels"] % f["groups"] == 0),
        ("out_channels a multiple of groups", lambda f: f["out_channels"] % f["groups"] == 0),
    ),
    "depthwise_conv2d": (
        *_CONV,
        (
            "out_channels a multiple of in_channels",
            lambda f: f["out_channels"] % f["in_channels"] == 0,
        ),
        _at_most("out_channels", "block"),
    ),
    "matmul": (
        *_MULTIPLY,
        _at_most("k", "x_pitch"),
        _at_most("n", "out_pitch"),
        ("k <= block when transpose_w", lambda f: not f["transpose_w"] or f["k"] <= f["block"]),
    ),
    "epilogue": (
        _one_of("acc_type", _ACCUMULATOR_TYPES),
        _same_kind("acc_type", "type"),
        _at_most("channels", "acc_pitch"),
        _at_most("channels", "out_pitch"),
        _at_most("channels", "table_pitch"),
        (
            "channels <= residual_pitch when there is a residual",
            lambda f: f["residual"] == NO_ADDRESS or f["channels"] <= f["residual_pitch"],
        ),
        _CLAMP,
    ),
    "convert": (*_PITCHES, _CLAMP, _SHIFT, ("scale > 0", lambda f: 0 < f["scale"] < math.inf)),
    "binary": (
        _CLAMP,
        _SHIFT,
        (
            "a type that its kind has ( floats : all but and , or , xor ; integers : add , sub , "
            "mul , min , max and comparisons ; bool : and , or , xor and comparisons )",
            lambda f: _binary_fits(f["kind"], f["type"]),
        ),
    ),
    "unary": (
        *_PITCHES,
        _CLAMP,
        (
            "type bool where its kind is not , and a float type otherwise",
            lambda f: f["type"] == "bool" if f["kind"] == NOT else f["type"] in FLOAT_TYPES,
        ),
    ),
    "lookup": (*_PITCHES, _one_of("in_type", ("i8", "u8"))),
    "pool": (*_WINDOWS, _CLAMP, _SHIFT),
    "reduce": (
        _at_most("inner", "out_pitch"),
        _CLAMP,
        _SHIFT,
        (
            f"a float type unless kind is {', '.join(INTEGER_KINDS)}",
            lambda f: f["kind"] in INTEGER_KINDS or f["type"] in FLOAT_TYPES,
        ),
    ),
    "resample": (("taps 1 to gather", lambda f: not f["gather"] or f["taps"] == 1),),
    "softmax": (_one_of("type", FLOAT_TYPES), *_PITCHES),
    "normalize": (
        _one_of("type", FLOAT_TYPES),
        (
            "length * inner <= pitch",
            lambda f: int(f["length"]) * int(f["inner"]) <= int(f["pitch"]),
        ),
        ("epsilon >= 0", lambda f: 0 <= f["epsilon"] < math.inf),
        (
            "rows a multiple of parameter_rows",
            lambda f: f["rows"] % f["parameter_rows"] == 0,
        ),
        (
            "length a multiple of parameter_length",
            lambda f: f["length"] % f["parameter_length"] == 0,
        ),
        ("parameter_inner 1 or inner", lambda f: f["parameter_inner"] in (1, f["inner"])),
    ),
    "local_response_norm": (
        _one_of("type", FLOAT_TYPES),
        *_PITCHES,
        (
            "finite alpha , beta and offset",
            lambda f: all(math.isfinite(f[name]) for name in ("alpha", "beta", "offset")),
        ),
    ),
}
"""By mnemonic. Every storage field also is something else than "none", and every count at least 1
(`bounds`).
"""

assert RULES.keys() <= BY_MNEMONIC.keys()


@dataclass(frozen=True)
class MemorySizes:
    """The bytes of the memories that a core's instructions may touch; `segments` in the order of
    `SEGMENTS`.
    """

    local: int
    acc: int
    segments: tuple[int, ...]
    cores: int

    def of(self, access: Access) -> int:
        """The size of the memory that an access touches; all cores have equal memories."""
        if access.space == "global":
            return self.segments[access.segment]
        return self.local if access.space == "local" else self.acc


def instruction_error(
    instruction: type[Instruction], fields: Fields, sizes: MemorySizes
) -> str | None:
    """What is wrong with an instruction whose fields each fit: a broken rule, or bytes outside
    memory; None if all is well.

    `fields` are those of the table's `accesses`: names for codes, with `engine`. The answer names
    the field.
    """
    for text, holds in RULES.get(instruction.mnemonic, ()):
        if not holds(fields):
            return f"it must have {text}, got {_shown(text, fields)}"
    transfer = "src_space" in fields
    for access in instruction.accesses(fields):
        if access.core is not None and access.core >= sizes.cores:
            return f"field 'peer_core' names core {access.core}, there are {sizes.cores}"
        first, last, total = _extent(access)
        size = sizes.of(access)
        where = _address_field(instruction, fields, access)
        if first < 0 or last > size:
            verb = "writes" if access.write else "reads"
            return (
                f"field '{where}': it {verb} bytes {first:#x} to {last:#x} of "
                f"{_memory_name(access)}, which has {size:#x}"
            )
        # Runs that lie inside and do not overlap cannot be more than the memory: that bounds what a
        # simulator has to hold.
        if total > size and (access.write or not transfer):
            return f"field '{where}': its runs overlap ({total} bytes in a range of {last - first})"
    return None


def _extent(access: Access) -> tuple[int, int, int]:
    """First byte, byte past the last, and the sum of the lengths of all runs."""
    first, last, total = access.address, access.address + access.run_bytes, access.run_bytes
    for count, stride in zip(access.counts, access.strides, strict=True):
        reach = (count - 1) * stride
        if reach < 0:
            first += reach
        else:
            last += reach
        total *= count
    return first, last, total


def _address_field(instruction: type[Instruction], fields: Fields, access: Access) -> str:
    """The address field that an access starts from (the first with its value)."""
    if "src_space" in fields:
        return "dst" if access.write else "src"
    names = [field.name for field in instruction.fields if field.kind == "address"]
    return next((name for name in names if fields[name] == access.address), "address")


def _memory_name(access: Access) -> str:
    if access.space != "global":
        return (
            f"{access.space} memory"
            if access.core is None
            else f"core {access.core}'s local memory"
        )
    return f"segment '{SEGMENTS[access.segment]}'"


def _shown(text: str, fields: Fields) -> str:
    """The values of the fields that a rule speaks of."""
    words = text.replace(",", " ").split()
    return ", ".join(f"{name}={fields[name]}" for name in fields if name in words) or "other values"
