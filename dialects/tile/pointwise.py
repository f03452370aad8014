"""The element-wise tile ops: conversions, operations of two operands, functions of one operand, look-ups, the choice
between two operands.
"""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.instructions.pointwise import BINARY_KINDS, INTEGER_BINARY_KINDS, TABLE_ENTRIES
from ...backends.numerics.comparison import COMPARISONS, LOGIC
from ...backends.numerics.storage import LOOKUP_NAMES, is_float
from ...backends.numerics.unary import NOT, UNARY_KINDS
from ..ir.attribute import (
    Integer,
    Ints,
    Real,
    Reals,
    check_one_of,
    integer,
    ints,
    real,
    reals,
    text,
)
from ..ir.field import buffer, prop
from ..network.shape import ShapeError, broadcast_shape
from ..quant.element_type import shape_of
from .checks import (
    check_clamp,
    check_multipliers,
    check_rows,
    check_space,
    check_storage,
    check_storage_value,
    check_zero_points,
    fail_unless,
    is_dense,
    list_of,
    pitch_of,
    storage_of,
)
from .core_op import NO_CLAMP, CoreOp, Fields, Operands, Translation
from .instruction_fields import clamp_fields, columns_written, named, row_fields
from .requantized_op import RequantizedOp

MAX_BINARY_AXES = 4
"""How many axes an instruction whose operands broadcast can describe."""


@irdl_op_definition
class ConvertOp(RequantizedOp):
    """Changes the storage type or quantization of rows (last axis) of `columns` elements; see isa.convert.

    An integer becomes a real as (x − zero point) · scale, a real becomes an integer as round(x / scale) + zero point,
    and an integer becomes another integer by `multiplier` and `shift`.

    tile.convert core 0 %lx -> %out columns = 4 multiplier = 1073741824 shift = 31
        zero_points = [-3, 2] :
        memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
    """

    name = "tile.convert"
    columns: Integer = prop(converter=integer)
    scale: Real = prop(converter=real, default=1.0)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"x", "out"})
    FILLS_ROWS: ClassVar[bool] = True
    MOVES_ONLY: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_rows(self)
        scale = self.scale.value.data
        fail_unless(0 < scale < inf, f"scale must be a positive number, got {scale}")
        self.verify_requantization(storage_of(self.x), storage_of(self.out))

    def instruction(self) -> Translation:
        fields = {
            "in_type": storage_of(self.x),
            "out_type": storage_of(self.out),
            **row_fields(self),
            "out_columns": columns_written(self.out),
            "scale": self.scale.value.data,
            **self.requantization_fields(),
        }
        return "convert", fields, {"x": self.x, "out": self.out}


@irdl_op_definition
class BinaryOp(CoreOp):
    """An operation of two operands whose physical shapes broadcast to that of out (at most four axes).

    out = clamp(a `kind` b), with the formulas of isa.binary for integers; the result of comparisons is bools.
    `zero_points` are those of a, b and out, `multipliers` those of a and b.

    tile.binary core 2 %x, %row -> %x kind = "div" :
        memref<2x3x16xf32, "local">, memref<16xf32, "local"> -> memref<2x3x16xf32, "local">
    """

    name = "tile.binary"
    kind: StringAttr = prop(converter=text)
    zero_points: Ints = prop(converter=ints, default=(0, 0, 0))
    multipliers: Ints = prop(converter=ints, default=(0, 0))
    shift: Integer = prop(converter=integer, default=0)
    clamp: Reals = prop(converter=reals, default=NO_CLAMP)
    a: SSAValue = buffer()
    b: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"a", "b", "out"})

    def verify_fields(self) -> None:
        for name in ("a", "b", "out"):
            check_space(self, name, "local")
        kind, storage = self.kind.data, storage_of(self.a)
        check_one_of("kind", kind, BINARY_KINDS)
        check_storage("b", self.b, storage)
        check_storage("out", self.out, "bool" if kind in COMPARISONS else storage)
        if kind in LOGIC:
            check_storage("a", self.a, "bool")
        elif kind not in COMPARISONS:
            fail_unless(
                is_float(storage) or kind in INTEGER_BINARY_KINDS,
                f"{kind} is for floats, out is {storage}",
            )
        _check_broadcast(self, "a", "b")
        check_zero_points(self.zero_points, storage, storage, storage_of(self.out))
        check_multipliers(list_of("multipliers", self.multipliers, 2), self.shift.value.data)
        check_clamp(self.clamp)

    def instruction(self) -> Translation:
        fields = {
            "kind": self.kind.data,
            "type": storage_of(self.a),
            **_broadcast_fields(self.out, a=self.a, b=self.b),
            **named(("a_zero_point", "b_zero_point", "zero_point"), self.zero_points),
            **named(("a_multiplier", "b_multiplier"), self.multipliers),
            "shift": self.shift.value.data,
            **clamp_fields(self),
        }
        return "binary", fields, {"a": self.a, "b": self.b, "out": self.out}


@irdl_op_definition
class SelectOp(CoreOp):
    """a where condition (bools) holds, b elsewhere; physical shapes broadcast to that of out (at most four axes).

    tile.select core 0 %m, %x, %y -> %x :
        memref<2x4xi1, "local">, memref<2x4xf32, "local">, memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
    """

    name = "tile.select"
    condition: SSAValue = buffer()
    a: SSAValue = buffer()
    b: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"condition", "a", "b", "out"})

    def verify_fields(self) -> None:
        for name in ("condition", "a", "b", "out"):
            check_space(self, name, "local")
        check_storage("condition", self.condition, "bool")
        check_storage("a", self.a, storage_of(self.out))
        check_storage("b", self.b, storage_of(self.out))
        _check_broadcast(self, "condition", "a", "b")

    def instruction(self) -> Translation:
        operands: Operands = {"condition": self.condition, "a": self.a, "b": self.b}
        fields = {"type": storage_of(self.out), **_broadcast_fields(self.out, **operands)}
        return "select", fields, {**operands, "out": self.out}


@irdl_op_definition
class UnaryOp(CoreOp):
    """A function of each element of rows (last axis) of `columns` elements, clamped; see isa.unary.

    out[r,c] = clamp(kind(x[r,c])); `alpha` and `beta` are parameters that some functions have. The result of is_nan and
    is_inf is bools, and the operand of not is bools.

    tile.unary core 0 %x -> %y kind = "elu" columns = 3 alpha = 0.5 clamp = [0.0, 1.0] :
        memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
    """

    name = "tile.unary"
    kind: StringAttr = prop(converter=text)
    columns: Integer = prop(converter=integer)
    alpha: Real = prop(converter=real, default=0.0)
    beta: Real = prop(converter=real, default=0.0)
    clamp: Reals = prop(converter=reals, default=NO_CLAMP)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"x", "out"})
    FILLS_ROWS: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_rows(self)
        kind, storage = self.kind.data, storage_of(self.x)
        check_one_of("kind", kind, (*UNARY_KINDS, NOT))
        if kind == NOT:
            check_storage("x", self.x, "bool")
            check_storage("out", self.out, "bool")
            return
        fail_unless(is_float(storage), f"{kind} is for floats, x is {storage}")
        check_storage("out", self.out, "bool" if UNARY_KINDS[kind].is_predicate else storage)
        check_clamp(self.clamp)

    def instruction(self) -> Translation:
        fields = {
            "kind": self.kind.data,
            "type": storage_of(self.x),
            **row_fields(self),
            "out_columns": columns_written(self.out),
            "alpha": self.alpha.value.data,
            "beta": self.beta.value.data,
            **clamp_fields(self),
        }
        return "unary", fields, {"x": self.x, "out": self.out}


@irdl_op_definition
class LookupOp(CoreOp):
    """The entry of `table` [256] for each 8-bit element of rows (last axis) of `columns` elements.

    out[r,c] = table[bits of x[r,c]]. `zero_point` is the value that fills each row from `columns` up to its pitch.

    tile.lookup core 0 %q, %t -> %r columns = 3 zero_point = 7 :
        memref<2x4xi8, "local">, memref<256xui8, "local"> -> memref<2x4xui8, "local">
    """

    name = "tile.lookup"
    columns: Integer = prop(converter=integer)
    zero_point: Integer = prop(converter=integer, default=0)
    x: SSAValue = buffer()
    table: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"x", "out"})
    FILLS_ROWS: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_rows(self)
        check_storage("x", self.x, *LOOKUP_NAMES)
        check_space(self, "table", "local")
        storage = storage_of(self.out)
        check_storage("table", self.table, storage)
        fail_unless(
            shape_of(self.table) == (TABLE_ENTRIES,),
            f"table must have shape [{TABLE_ENTRIES}], has {list(shape_of(self.table))}",
        )
        check_storage_value("zero point", self.zero_point.value.data, storage)

    def instruction(self) -> Translation:
        fields = {
            "in_type": storage_of(self.x),
            "out_type": storage_of(self.out),
            **row_fields(self),
            "out_columns": columns_written(self.out),
            "zero_point": self.zero_point.value.data,
        }
        return "lookup", fields, {"x": self.x, "table": self.table, "out": self.out}


def _check_broadcast(op: Any, *names: str) -> None:
    """Raise VerifyException unless the operands broadcast to out, and out has no more axes than an instruction can
    describe.
    """
    shape = shape_of(op.out)
    fail_unless(
        len(shape) <= MAX_BINARY_AXES,
        f"out has {len(shape)} axes, at most {MAX_BINARY_AXES} are allowed",
    )
    shapes = [shape_of(getattr(op, name)) for name in names]
    try:
        fits = broadcast_shape(*shapes, shape) == shape
    except ShapeError:
        fits = False
    listed = " and ".join(f"{name} {list(own)}" for name, own in zip(names, shapes, strict=True))
    fail_unless(fits, f"{listed} do not broadcast to out {list(shape)}")


def _broadcast_fields(out: SSAValue, **operands: SSAValue) -> Fields:
    """Return the sizes of the output's axes, its pitch (0 if it has no gaps), and the strides with which the operands
    are read.
    """
    shape = shape_of(out)
    sizes = [1] * (MAX_BINARY_AXES - len(shape)) + list(shape)
    fields: Fields = {f"size{d}": size for d, size in enumerate(sizes)}
    fields["out_pitch"] = 0 if is_dense(out) else pitch_of(out)
    for name, value in operands.items():
        strides = broadcast_strides(shape_of(value), MAX_BINARY_AXES, pitch_of(value))
        fields |= {f"{name}_stride{d}": stride for d, stride in enumerate(strides)}
    return fields


def broadcast_strides(shape: tuple[int, ...], rank: int, pitch: int | None = None) -> list[int]:
    """Return the strides, in elements, of a row-major `shape`, aligned at the last of `rank` axes; 0 for an axis along
    which elements repeat. If there is a `pitch`, rows begin every so many elements.
    """
    strides = [0] * rank
    step = 1
    for axis in range(1, len(shape) + 1):
        if shape[-axis] > 1:
            strides[-axis] = step
        step = pitch if axis == 1 and pitch is not None else step * shape[-axis]
    return strides
