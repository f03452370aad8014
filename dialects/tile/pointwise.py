"""The element-wise tile ops: conversions, operations of two operands, functions of one, look-ups,
the choice between two.
"""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import MemRefType, StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, prop_def

from ..ir.attribute import INTEGER, INTS, REAL, REALS, integer, ints, real
from ..ir.text.assembly import Defaults
from .checks import NO_CLAMP, ONE
from .core_op import CoreOp


@irdl_op_definition
class ConvertOp(CoreOp):
    """Changes storage type or quantization of rows (last axis) of `columns` elements; see
    isa.convert.

    tile.convert core 0 %lx -> %out columns = 4 multiplier = 1073741824 shift = 31
        zero_points = [-3, 2] :
        memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
    """

    name = "tile.convert"
    columns = prop_def(INTEGER)
    scale = prop_def(REAL)
    multiplier = prop_def(INTEGER)
    shift = prop_def(INTEGER)
    zero_points = prop_def(INTS)
    clamp = prop_def(REALS)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {
        "scale": ONE,
        "multiplier": integer(0),
        "shift": integer(0),
        "zero_points": ints([0, 0]),
        "clamp": NO_CLAMP,
    }


@irdl_op_definition
class BinaryOp(CoreOp):
    """An operation of two operands, whose physical shapes broadcast to that of out (at most four
    axes).

    `kind` as isa.binary: comparisons give bools. `zero_points`: of a, b, out; `multipliers`: of a,
    b.

    tile.binary core 2 %x, %row -> %x kind = "div" :
        memref<2x3x16xf32, "local">, memref<16xf32, "local"> -> memref<2x3x16xf32, "local">
    """

    name = "tile.binary"
    kind = prop_def(StringAttr)
    zero_points = prop_def(INTS)
    multipliers = prop_def(INTS)
    shift = prop_def(INTEGER)
    clamp = prop_def(REALS)
    a = operand_def(MemRefType)
    b = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {
        "zero_points": ints([0, 0, 0]),
        "multipliers": ints([0, 0]),
        "shift": integer(0),
        "clamp": NO_CLAMP,
    }


@irdl_op_definition
class SelectOp(CoreOp):
    """a where condition (bools) holds, b elsewhere; physical shapes broadcast to that of out (at
    most four axes).

    tile.select core 0 %m, %x, %y -> %x :
        memref<2x4xi1, "local">, memref<2x4xf32, "local">, memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
    """

    name = "tile.select"
    condition = operand_def(MemRefType)
    a = operand_def(MemRefType)
    b = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"


@irdl_op_definition
class UnaryOp(CoreOp):
    """A function of each element of rows (last axis) of `columns` elements, clamped; see isa.unary.

    is_nan and is_inf give bools, and not takes them.

    tile.unary core 0 %x -> %y kind = "elu" columns = 3 alpha = 0.5 clamp = [0.0, 1.0] :
        memref<2x4xf32, "local"> -> memref<2x4xf32, "local">
    """

    name = "tile.unary"
    kind = prop_def(StringAttr)
    columns = prop_def(INTEGER)
    alpha = prop_def(REAL)
    beta = prop_def(REAL)
    clamp = prop_def(REALS)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {"alpha": real(0.0), "beta": real(0.0), "clamp": NO_CLAMP}


@irdl_op_definition
class LookupOp(CoreOp):
    """The entry of `table` [256] for each element, of 8 bits, of rows (last axis) of `columns`
    elements.

    `zero_point` is what follows each row up to its pitch.

    tile.lookup core 0 %q, %t -> %r columns = 3 zero_point = 7 :
        memref<2x4xi8, "local">, memref<256xui8, "local"> -> memref<2x4xui8, "local">
    """

    name = "tile.lookup"
    columns = prop_def(INTEGER)
    zero_point = prop_def(INTEGER)
    x = operand_def(MemRefType)
    table = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {"zero_point": integer(0)}
