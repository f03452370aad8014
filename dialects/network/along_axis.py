"""What `top.along_axis` and `tpu.host_call` have in common: functions along one axis of a tensor."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.host import FLAGS, HOST_FUNCTIONS, call_function
from ..ir.attribute import Integer, check_one_of, flag, integer, text
from ..ir.field import operand, prop
from ..quant.element_type import (
    element_of,
    element_storage,
    expressed,
    shape_of,
    type_of_storage,
)
from .shape import Shape, ShapeError
from .tensor_op import Arrays, TensorOp


class AlongAxisBase(TensorOp):
    """The function `kind` along `axis` (non-negative), whose size in the result is `length`. Without `keepdims` an axis
    of length 1 is dropped. `flags` are those of the kind (numerics/host.py).
    """

    kind: StringAttr = prop(converter=text)
    axis: Integer = prop(converter=integer)
    length: Integer = prop(converter=integer)
    keepdims: UnitAttr | None = prop(converter=flag, default=False)
    largest: UnitAttr | None = prop(converter=flag, default=False)
    last: UnitAttr | None = prop(converter=flag, default=False)
    exclusive: UnitAttr | None = prop(converter=flag, default=False)
    reverse: UnitAttr | None = prop(converter=flag, default=False)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        shape, axis = list(shape_of(self.input)), self.axis.value.data
        if not 0 <= axis < len(shape):
            raise ShapeError(f"axis {axis} is none of an input of {len(shape)} axes")
        shape[axis] = self.length.value.data
        if self.keepdims is None:
            del shape[axis]
        return tuple(shape)

    def result_element(self) -> Attribute:
        known = HOST_FUNCTIONS.get(self.kind.data)
        if known is None or known.gives is None:
            return expressed(element_of(self.input))
        return type_of_storage(known.gives)

    @property
    def sizes(self) -> dict[str, int]:
        """The input and result as the numerics take them: outer, length, inner,
        out_length."""
        shape, axis = shape_of(self.input), self.axis.value.data
        outer = inner = 1
        for size in shape[:axis]:
            outer *= size
        for size in shape[axis + 1 :]:
            inner *= size
        length = self.length.value.data
        return {"outer": outer, "length": shape[axis], "inner": inner, "out_length": length}

    @property
    def flags(self) -> dict[str, int]:
        """The flags, 0 or 1 by name."""
        return {name: int(getattr(self, name) is not None) for name in FLAGS}

    def verify_function(self) -> None:
        """Raise VerifyException if the kind is unknown, if it does not have a flag that is set, or if it does not give
        a result of this length or element type.
        """
        check_one_of("kind", self.kind.data, tuple(HOST_FUNCTIONS))
        known, given = HOST_FUNCTIONS[self.kind.data], self.flags
        for name in FLAGS:
            if given[name] and name not in known.flags:
                raise VerifyException(f"{self.kind.data} has no flag {name}")
        size, length = self.sizes["length"], self.length.value.data
        most = min(size, 1) if known.lengths == "one" else size
        least = {"one": 1, "same": size, "fewer": 0}[known.lengths]
        if most < least:
            raise VerifyException(f"{self.kind.data} of an axis without elements is not defined")
        if not least <= length <= most:
            raise VerifyException(
                f"{self.kind.data} of {size} elements has length {least} to {most}, got {length}"
            )
        if self.keepdims is None and known.lengths != "one":
            raise VerifyException(f"{self.kind.data} keeps its axis: keepdims is needed")
        if element_storage(self.input.type) not in known.takes:
            takes = ", ".join(known.takes)
            raise VerifyException(
                f"{self.kind.data} takes elements of {takes}, got {element_of(self.input)}"
            )
        expected, found = self.result_element(), expressed(self.output.type.element_type)
        if found != expected:
            raise VerifyException(f"result must have elements of {expected}, got {found}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        sizes = self.sizes
        values = x.reshape(len(x), sizes["outer"], sizes["length"], sizes["inner"])
        result = call_function(self.kind.data, values, sizes["out_length"], self.flags)
        return result.reshape(len(x), *self.output.type.get_shape())
