"""The base of the ops of `top`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from xdsl.ir import Attribute, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..network.tensor_op import TensorOp
from ..quant.element_type import element_of, expressed, is_float

_KIND = re.compile(r'(?<=kind = ")\w+')


class TopOp(TensorOp):
    """Base of the ops of `top`: one result, named by the property `name` (unique in the module)."""

    KINDS: ClassVar[Sequence[str]] = ()
    """The kinds that the op has if it is one of several functions, named by its property `kind`."""

    @classmethod
    def variants(cls, example: str) -> Mapping[str, str]:
        """Return texts of the op that a target may treat differently, made from the `example` of the docstring, by what
        tells one from the others: its kind, or "" for the only one.
        """
        return {kind: _KIND.sub(kind, example) for kind in cls.KINDS} or {"": example}

    def result_element(self) -> Attribute:
        """Return the element type of a result made without one: that of the first operand, without its calibrated
        range.
        """
        return expressed(element_of(self.operands[0]))

    def verify_(self) -> None:
        self.verify_shape()
        self._verify_elements()

    def _verify_elements(self) -> None:
        """Raise VerifyException unless every operand and the result are floats of one type, calibrated or not."""
        self.verify_same_floats(self.named_operands())

    def verify_same_floats(self, values: Sequence[tuple[str, SSAValue]]) -> None:
        """Raise VerifyException unless the named operands and the result have one element type, which must be a float
        if the op needs one.
        """
        result = expressed(self.output.type.element_type)
        for name, value in values:
            if expressed(element_of(value)) != result:
                raise VerifyException(
                    f"{name} has elements of {element_of(value)}, the result of "
                    f"{self.output.type.element_type}"
                )
        if self.NEEDS_FLOATS and not is_float(result):
            raise VerifyException(f"elements must be floats, got {result}")

    NEEDS_FLOATS: ClassVar[bool] = True
