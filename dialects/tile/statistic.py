"""Tiles of pooling, reductions, interpolation and normalizations."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import MemRefType, StringAttr, UnitAttr
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, opt_prop_def, prop_def

from ..ir.attribute import INTEGER, INTS, REAL, REALS, integer, ints
from ..ir.text.assembly import Defaults
from .checks import NO_CLAMP
from .core_op import CoreOp


@irdl_op_definition
class PoolOp(CoreOp):
    """A tile of max or average pooling; x [n,h,w,pitch]; `pads` (top, left, bottom, right); `kind`:
    max, average.

    tile.pool core 0 %lx -> %out kind = "average" kernel = [3, 3] pads = [1, 1, 1, 1]
        count_include_pad multiplier = 1073741824 shift = 30 zero_points = [-3, 4] :
        memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
    """

    name = "tile.pool"
    kind = prop_def(StringAttr)
    kernel = prop_def(INTS)
    strides = prop_def(INTS)
    dilations = prop_def(INTS)
    pads = prop_def(INTS)
    count_include_pad = opt_prop_def(UnitAttr)
    multiplier = prop_def(INTEGER)
    shift = prop_def(INTEGER)
    zero_points = prop_def(INTS)
    clamp = prop_def(REALS)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {
        "strides": ints([1, 1]),
        "dilations": ints([1, 1]),
        "pads": ints([0, 0, 0, 0]),
        "multiplier": integer(0),
        "shift": integer(0),
        "zero_points": ints([0, 0]),
        "clamp": NO_CLAMP,
    }


@irdl_op_definition
class ReduceOp(CoreOp):
    """The reduction `kind` (see top.reduce) over the middle of three axes of x: `sizes` (outer,
    length, inner), `strides` (outer, length), in elements.

    tile.reduce core 2 %x -> %mean kind = "mean" sizes = [2, 3, 12] strides = [48, 16] :
        memref<2x3x16xf32, "local"> -> memref<2x16xf32, "local">
    """

    name = "tile.reduce"
    kind = prop_def(StringAttr)
    sizes = prop_def(INTS)
    strides = prop_def(INTS)
    multiplier = prop_def(INTEGER)
    shift = prop_def(INTEGER)
    zero_points = prop_def(INTS)
    clamp = prop_def(REALS)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {
        "multiplier": integer(0),
        "shift": integer(0),
        "zero_points": ints([0, 0]),
        "clamp": NO_CLAMP,
    }


@irdl_op_definition
class ResampleOp(CoreOp):
    """Interpolation along the physical `axis` of x; index i32 [out,taps], weight f32 [out,taps]
    (none: a gather).

    tile.resample core 2 %x, %gi -> %long axis = 1 :
        memref<2x3x16xf32, "local">, memref<6x1xi32, "local"> -> memref<2x6x16xf32, "local">
    """

    name = "tile.resample"
    axis = prop_def(INTEGER)
    x = operand_def(MemRefType)
    index = operand_def(MemRefType)
    weight = opt_operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"


@irdl_op_definition
class SoftmaxOp(CoreOp):
    """Softmax, with `log` its logarithm, of each row (last axis) of `columns` elements.

    tile.softmax core 2 %x -> %x columns = 12 log :
        memref<2x3x16xf32, "local"> -> memref<2x3x16xf32, "local">
    """

    name = "tile.softmax"
    columns = prop_def(INTEGER)
    log = opt_prop_def(UnitAttr)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"


@irdl_op_definition
class NormalizeOp(CoreOp):
    """Rows (last axis) of length · inner elements normalized over `length`; parameters f32 [2, rows,
    length, inner]: see isa.normalize.

    tile.normalize core 0 %x parameters %table -> %out kind = "rms" length = 3 inner = 16
        epsilon = 0.5 :
        memref<6x48xf32, "local">, memref<2x3x1x16xf32, "local"> -> memref<6x48xf32, "local">
    """

    name = "tile.normalize"
    kind = prop_def(StringAttr)
    length = prop_def(INTEGER)
    inner = prop_def(INTEGER)
    epsilon = prop_def(REAL)
    x = operand_def(MemRefType)
    parameters = opt_operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {"inner": integer(1)}


@irdl_op_definition
class LocalResponseNormOp(CoreOp):
    """Local response normalization along each row (last axis) of `columns` elements; see
    top.local_response_norm.

    tile.local_response_norm core 0 %x -> %out columns = 37 size = 5 alpha = 0.5 beta = 0.75
        offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
    """

    name = "tile.local_response_norm"
    columns = prop_def(INTEGER)
    size = prop_def(INTEGER)
    alpha = prop_def(REAL)
    beta = prop_def(REAL)
    offset = prop_def(REAL)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
