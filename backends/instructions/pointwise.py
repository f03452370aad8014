"""The element-wise instructions: conversions, operations of two operands, functions of one, look-ups,
the choice between two; see instruction.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.comparison import COMPARISONS, LOGIC
from ..numerics.device.pointwise import binary, convert, lookup, select, unary
from ..numerics.elementwise import FLOAT_OPERATIONS
from ..numerics.storage import FLOAT_NAMES, LOOKUP_NAMES, bytes_of, size_bytes
from ..numerics.unary import NOT, UNARY_KINDS
from ..targets import cycles as formulas
from .access import Access, Operand, local, local_rows
from .fields import (
    CLAMP,
    OUT_COLUMNS,
    REQUANTIZATION,
    ROWS,
    address,
    enum,
    integer,
    or_else,
    real,
    storage,
    written_columns,
)
from .instruction import Instruction
from .rules import CLAMP_ORDER, PARTIAL_ROWS, SHIFT_RANGE, Rule, one_of

if TYPE_CHECKING:
    from ..targets.target import Target

BINARY_KINDS = (*FLOAT_OPERATIONS, *COMPARISONS, *LOGIC)
"""The operations of two operands, by code."""
INTEGER_BINARY_KINDS = ("add", "sub", "mul", "min", "max")
"""The operations of integers, besides comparisons."""
TABLE_ENTRIES = 256
"""How many entries a table has that is looked up with 8 bits."""


def _row_elements(f: Mapping[str, Any], target: Target) -> Any:
    """Count the elements that an instruction with the fields ROWS and OUT_COLUMNS computes."""
    return formulas.row_elements(target, f["rows"], written_columns(f), f["out_pitch"])


def _written_rows(f: Mapping[str, Any], type: str) -> Access:
    """Return what an instruction with the fields ROWS and OUT_COLUMNS writes."""
    columns = written_columns(f)
    return local_rows(f["out"], f["rows"], f["out_pitch"], columns, type, write=True)


def _row_groups(f: Mapping[str, Any], target: Target) -> Any:
    """Count the lane groups that are read of the operand of an instruction with the fields ROWS."""
    return formulas.lane_groups_read(target, (f["rows"], f["columns"]), (f["in_pitch"], 1))


class Convert(Instruction):
    """Changes the storage type or quantization of rows of elements, clamps, and fills each row up
    to its end.

    Integer to integer: requantize(x − zero_point_in, multiplier, shift) + zero_point_out. Float to
    integer: round_half_even(x / scale) + zero_point_out. Integer to float: (x − zero_point_in) ·
    scale. Float to float: one rounding; to f8E4M3FN and f8E5M2 that of x / scale, saturated.

    v2: convert x=0x0, out=0x0, in_type=i8, out_type=f32, rows=2, columns=3, in_pitch=4,
        out_pitch=4, scale=0.012345
    """

    mnemonic, opcode, engine = "convert", 20, "vector"
    numerics = staticmethod(convert)
    fields = (
        address("x"),
        address("out"),
        storage("in_type"),
        storage("out_type"),
        *ROWS,
        OUT_COLUMNS,
        real("scale", "<f8", "real value per storage step", 1.0),
        *REQUANTIZATION,
    )
    rules = (
        *PARTIAL_ROWS,
        CLAMP_ORDER,
        SHIFT_RANGE,
        ("scale > 0", lambda f: 0 < f["scale"] < math.inf),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        wider = max(f["in_type"], f["out_type"], key=size_bytes)
        elements, operations = _row_elements(f, target), target.vector.operations_of("convert")
        return formulas.vector_cycles(target, wider, elements, operations, _row_groups(f, target))

    @staticmethod
    def counted_type(f: Mapping[str, Any]) -> str:
        return f["out_type"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (
            local_rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["in_type"]),
            _written_rows(f, f["out_type"]),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["rows"] * f["in_pitch"], f["in_type"]),)


_OUT_PITCH = integer("out_pitch", "<u4", "elements from row to row of the output; 0: size3", 0)
_OUT_ROWS_APART: Rule = (
    "out_pitch 0 or at least size3",
    lambda f: or_else(f["out_pitch"], f["size3"]) >= f["size3"],
)


def _binary_fits(kind: str, type: str) -> bool:
    if kind in COMPARISONS:
        return True
    if kind in LOGIC or type == "bool":
        return kind in LOGIC and type == "bool"
    return type in FLOAT_NAMES or kind in INTEGER_BINARY_KINDS


class Binary(Instruction):
    """Element-wise arithmetic of two operands over four dimensions; stride 0 broadcasts; the output
    is dense, but for the rows of its last dimension, which begin every `out_pitch` elements.

    Integer add: round_half_even(((a−za)·a_multiplier + (b−zb)·b_multiplier) · 2^−shift) +
    zero_point. Integer mul: requantize((a−za)·(b−zb), a_multiplier, shift) + zero_point. Floats:
    the operation, rounded once. Integer min and max: of stored values. Comparisons of any type give
    bools; and, or, xor take them. `type` is that of the operands.

    v3: binary kind=add, type=i8, a=0x0, b=0x10, out=0x20, size3=16, a_stride3=1, b_stride3=1,
        a_multiplier=2147483648, shift=40, clamp_low=-128.0
    """

    mnemonic, opcode, engine = "binary", 21, "vector"
    numerics = staticmethod(binary)
    fields = (
        enum("kind", "operation", BINARY_KINDS),
        storage("type"),
        address("a"),
        address("b"),
        address("out"),
        *(integer(f"size{d}", "<u2" if d == 0 else "<u4", "elements", 1) for d in range(4)),
        *(integer(f"a_stride{d}", "<u4", "elements", 0) for d in range(4)),
        *(integer(f"b_stride{d}", "<u4", "elements", 0) for d in range(4)),
        integer("a_zero_point", "<i2", "storage value", 0),
        integer("b_zero_point", "<i2", "storage value", 0),
        integer("zero_point", "<i2", "storage value", 0),
        integer("a_multiplier", "<u4", "2^-shift", 0),
        integer("b_multiplier", "<u4", "2^-shift", 0),
        integer("shift", "<u1", "bits", 0),
        real("clamp_low", "<f4", "storage value", float("-inf")),
        real("clamp_high", "<f4", "storage value", float("inf")),
        _OUT_PITCH,
    )
    rules = (
        _OUT_ROWS_APART,
        CLAMP_ORDER,
        SHIFT_RANGE,
        (
            "a type that its kind has ( floats : all but and , or , xor ; integers : add , sub , "
            "mul , min , max and comparisons ; bool : and , or , xor and comparisons )",
            lambda f: _binary_fits(f["kind"], f["type"]),
        ),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = _broadcast_elements(f, target)
        operations = target.vector.operations_of(f["kind"])
        groups = (_broadcast_groups(f, name, target) for name in ("a", "b"))
        return formulas.vector_cycles(target, f["type"], elements, operations, *groups)

    @staticmethod
    def out_type(f: Mapping[str, Any]) -> str:
        """Return the storage type of the output."""
        return "bool" if f["kind"] in COMPARISONS else f["type"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return _broadcast_accesses(f, {"a": f["type"], "b": f["type"]}, Binary.out_type(f))

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        a, b, _ = Binary.accesses(f)
        return Operand("a", a.elements(f["type"]), f["type"]), Operand(
            "b", b.elements(f["type"]), f["type"]
        )


def _broadcast_elements(f: Mapping[str, Any], target: Target) -> Any:
    """Count the elements that an instruction over four dimensions computes."""
    rows, pitch = f["size0"] * f["size1"] * f["size2"], or_else(f["out_pitch"], f["size3"])
    return formulas.row_elements(target, rows, f["size3"], pitch)


def _broadcast_groups(f: Mapping[str, Any], name: str, target: Target) -> Any:
    """Count the lane groups that are read of an operand with strides over four dimensions."""
    sizes = [f[f"size{d}"] for d in range(4)]
    return formulas.lane_groups_read(target, sizes, [f[f"{name}_stride{d}"] for d in range(4)])


def _broadcast_accesses(
    f: Mapping[str, Any], operands: Mapping[str, str], out_type: str
) -> tuple[Access, ...]:
    """Return the accesses of operands (name: storage type) with strides over four dimensions, and of the output."""
    sizes = tuple(f[f"size{d}"] for d in range(4))

    def operand(name: str, storage: str) -> Access:
        size = size_bytes(storage)
        strides = tuple(f[f"{name}_stride{d}"] * size for d in range(4))
        # Elements that are broadcast are read once.
        counts = tuple((n - 1) * (s > 0) + 1 for n, s in zip(sizes, strides, strict=True))
        return Access("local", None, 0, f[name], size, counts, strides)

    rows, pitch = sizes[0] * sizes[1] * sizes[2], or_else(f["out_pitch"], sizes[3])
    reads = [operand(name, storage) for name, storage in operands.items()]
    return (*reads, local_rows(f["out"], rows, pitch, sizes[3], out_type, write=True))


class Select(Instruction):
    """out = condition ? a : b over four dimensions; stride 0 broadcasts; the output is that of binary.

    The condition's elements are bools, `type` is that of a, b and the output.

    v10: select type=f32, condition=0x0, a=0x100, b=0x200, out=0x300, size3=16,
        condition_stride3=1, a_stride3=1
    """

    mnemonic, opcode, engine = "select", 29, "vector"
    numerics = staticmethod(select)
    fields = (
        storage("type"),
        address("condition"),
        address("a"),
        address("b"),
        address("out"),
        *(integer(f"size{d}", "<u2" if d == 0 else "<u4", "elements", 1) for d in range(4)),
        *(
            integer(f"{name}_stride{d}", "<u4", "elements", 0)
            for name in ("condition", "a", "b")
            for d in range(4)
        ),
        _OUT_PITCH,
    )
    rules = (_OUT_ROWS_APART,)

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = _broadcast_elements(f, target)
        operations = target.vector.operations_of("select")
        groups = (_broadcast_groups(f, name, target) for name in ("condition", "a", "b"))
        return formulas.vector_cycles(target, f["type"], elements, operations, *groups)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        operands = {"condition": "bool", "a": f["type"], "b": f["type"]}
        return _broadcast_accesses(f, operands, f["type"])

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        storages = {"condition": "bool", "a": f["type"], "b": f["type"]}
        pairs = zip(storages.items(), Select.accesses(f), strict=False)
        return tuple(Operand(name, each.elements(s), s) for (name, s), each in pairs)


class Unary(Instruction):
    """A function of each element of rows, clamped; each row is filled with 0 up to its end.

    `type` is that of x and of the output; but is_nan and is_inf give bools, and not takes them.

    v8: unary kind=elu, type=f32, x=0x0, out=0x0, rows=1, columns=10, in_pitch=16, out_pitch=16,
        alpha=0.5, clamp_high=1.0
    """

    mnemonic, opcode, engine = "unary", 26, "vector"
    numerics = staticmethod(unary)
    fields = (
        enum("kind", "function", (*UNARY_KINDS, NOT)),
        storage("type"),
        address("x"),
        address("out"),
        *ROWS,
        OUT_COLUMNS,
        real("alpha", "<f8", "parameter of the function", 0.0),
        real("beta", "<f8", "parameter of the function", 0.0),
        *CLAMP,
    )
    rules = (
        *PARTIAL_ROWS,
        CLAMP_ORDER,
        (
            "type bool where its kind is not , and a float type otherwise",
            lambda f: f["type"] == "bool" if f["kind"] == NOT else f["type"] in FLOAT_NAMES,
        ),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements, operations = _row_elements(f, target), target.vector.operations_of(f["kind"])
        return formulas.vector_cycles(
            target, f["type"], elements, operations, _row_groups(f, target)
        )

    @staticmethod
    def out_type(f: Mapping[str, Any]) -> str:
        """Return the storage type of the output."""
        kind = UNARY_KINDS.get(f["kind"])
        return "bool" if kind is not None and kind.is_predicate else f["type"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (
            local_rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["type"]),
            _written_rows(f, Unary.out_type(f)),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["rows"] * f["in_pitch"], f["type"]),)


class Lookup(Instruction):
    """The entry of a table for each element of rows, of 8 bits; each row is filled with the zero
    point up to its end.

    An element's bits, as an unsigned number, are the index into `table` [256].

    v9: lookup in_type=i8, out_type=u8, x=0x0, table=0x100, out=0x0, rows=1, columns=10,
        in_pitch=16, out_pitch=16, zero_point=7
    """

    mnemonic, opcode, engine = "lookup", 27, "vector"
    numerics = staticmethod(lookup)
    fields = (
        storage("in_type"),
        storage("out_type"),
        address("x"),
        address("table"),
        address("out"),
        *ROWS,
        OUT_COLUMNS,
        integer("zero_point", "<i4", "storage value", 0),
    )
    rules = (*PARTIAL_ROWS, one_of("in_type", LOOKUP_NAMES))

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements, operations = _row_elements(f, target), target.vector.operations_of("lookup")
        return formulas.vector_cycles(
            target, f["out_type"], elements, operations, _row_groups(f, target)
        )

    @staticmethod
    def counted_type(f: Mapping[str, Any]) -> str:
        return f["out_type"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        type = f["out_type"]
        return (
            local_rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["in_type"]),
            local(f["table"], bytes_of(TABLE_ENTRIES, type)),
            _written_rows(f, type),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (
            Operand("x", f["rows"] * f["in_pitch"], f["in_type"]),
            Operand("table", TABLE_ENTRIES, f["out_type"]),
        )
