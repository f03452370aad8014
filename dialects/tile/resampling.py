"""The tile ops of interpolation and of gathers along one axis."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.numerics.storage import is_float
from ..ir.attribute import Integer, integer
from ..ir.field import buffer, prop
from ..quant.element_type import shape_of
from .checks import (
    check_local_pair,
    check_rank,
    check_space,
    check_storage,
    fail_unless,
    storage_of,
)
from .core_op import CoreOp, Operands, Translation


@irdl_op_definition
class ResampleOp(CoreOp):
    """Interpolation along the physical `axis` of x, with index i32 [out,taps] and weight f32 [out,taps]; without weight
    it is a gather.

    out[…,o,…] = Σ_t x[…, index[o,t], …] · weight[o,t] along `axis`.

    tile.resample core 2 %x, %gi -> %long axis = 1 :
        memref<2x3x16xf32, "local">, memref<6x1xi32, "local"> -> memref<2x6x16xf32, "local">
    """

    name = "tile.resample"
    axis: Integer = prop(converter=integer)
    x: SSAValue = buffer()
    index: SSAValue = buffer()
    weight: SSAValue | None = buffer(optional=True)
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"

    def verify_fields(self) -> None:
        check_local_pair(self)
        check_space(self, "index", "local")
        check_storage("index", self.index, "i32")
        storage = storage_of(self.x)
        check_storage("out", self.out, storage)
        shape, axis = shape_of(self.x), self.axis.value.data
        fail_unless(0 <= axis < len(shape), f"axis {axis} is not one of {len(shape)} axes")
        length, taps = check_rank("index", self.index, 2)
        if self.weight is None:
            fail_unless(taps == 1, f"without weight there is one tap, index has {taps}")
        else:
            check_space(self, "weight", "local")
            check_storage("weight", self.weight, "f32")
            fail_unless(
                shape_of(self.weight) == (length, taps),
                f"weight must have the shape of index, [{length}, {taps}], has "
                f"{list(shape_of(self.weight))}",
            )
            fail_unless(is_float(storage), f"interpolation is for floats, x is {storage}")
        expected = (*shape[:axis], length, *shape[axis + 1 :])
        fail_unless(
            shape_of(self.out) == expected,
            f"out must have shape {list(expected)}, has {list(shape_of(self.out))}",
        )

    def instruction(self) -> Translation:
        shape, axis = shape_of(self.x), self.axis.value.data
        operands: Operands = {"x": self.x, "out": self.out, "index": self.index}
        if self.weight is not None:
            operands["weight"] = self.weight
        fields = {
            "type": storage_of(self.x),
            "outer": prod(shape[:axis]),
            "in_length": shape[axis],
            "out_length": shape_of(self.out)[axis],
            "inner": prod(shape[axis + 1 :]),
            "taps": shape_of(self.index)[1],
            "gather": int(self.weight is None),
        }
        return "resample", fields, operands
