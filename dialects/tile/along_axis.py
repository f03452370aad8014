"""The tile op of what the host computes on buffers in global memory, slice by slice along an axis."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.numerics.host import FLAGS, HOST_FUNCTIONS
from ..ir.attribute import Ints, check_one_of, flag, ints, text
from ..ir.field import buffer, prop
from ..quant.element_type import shape_of
from .buffer import GlobalOp
from .checks import check_space, fail_unless, list_of_at_least, storage_of
from .core_op import CoreOp, Fields, Translation
from .instruction_fields import named


@irdl_op_definition
class HostCallOp(CoreOp):
    """The host's `function` of x, with sizes [outer, length, inner, out_length]; both are dense buffers in global
    memory; see isa.host_call.

    out[o,·,i] = function(x[o,·,i]). The instruction checks what the function requires beyond these sizes.

    tile.host_call core 0 %x -> %out function = "argmax" sizes = [1, 10, 1, 1] :
        memref<1x10xf32, "global"> -> memref<1xi64, "global">
    """

    name = "tile.host_call"
    function: StringAttr = prop(converter=text)
    sizes: Ints = prop(converter=ints)
    largest: UnitAttr | None = prop(converter=flag, default=False)
    last: UnitAttr | None = prop(converter=flag, default=False)
    exclusive: UnitAttr | None = prop(converter=flag, default=False)
    reverse: UnitAttr | None = prop(converter=flag, default=False)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"

    def verify_fields(self) -> None:
        check_space(self, "x", "global")
        check_space(self, "out", "global")
        check_one_of("function", self.function.data, tuple(HOST_FUNCTIONS))
        outer, length, inner, out_length = list_of_at_least("sizes", self.sizes, 4, 1)
        for name, value, expected in (
            ("x", self.x, outer * length * inner),
            ("out", self.out, outer * out_length * inner),
        ):
            found = prod(shape_of(value))
            fail_unless(found == expected, f"{name} has {found} elements, sizes say {expected}")

    def instruction(self) -> Translation:
        fields: Fields = {
            "function": self.function.data,
            "type": storage_of(self.x),
            "out_type": storage_of(self.out),
            **named(("outer", "length", "inner", "out_length"), self.sizes),
            **{name: int(name in self.properties) for name in FLAGS},
        }
        for name, value in (("x", self.x), ("out", self.out)):
            owner = value.owner
            assert isinstance(owner, GlobalOp), "the verifier asks for buffers of global memory"
            fields[f"{name}_segment"] = owner.segment.data
        return "host_call", fields, {"x": self.x, "out": self.out}
