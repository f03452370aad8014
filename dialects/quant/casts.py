"""The casts between real numbers, quantized types and the integers that store them."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerType, MemRefType, TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def, traits_def
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from .uniform_type import UniformQuantizedType, verify_quantized_shape


class _CastOp(IRDLOperation):
    """Base of the casts; operand and result have the same shape."""

    input = operand_def()
    output = result_def()
    traits = traits_def(Pure())

    def __init__(self, input: SSAValue, output_type: Attribute):
        super().__init__(operands=[input], result_types=[output_type])

    @classmethod
    def parse(cls, parser):
        """Read `%x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5>>`."""
        operand = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source = parser.parse_type()
        parser.parse_keyword("to")
        target = parser.parse_type()
        op = cls(parser.resolve_operand(operand, source), target)
        op.attributes.update(attributes)
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.input)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.input.type)
        printer.print_string(" to ")
        printer.print_attribute(self.output.type)

    def _verify_cast(self, real: Attribute, quantized: Attribute) -> None:
        if _shape(real) != _shape(quantized):
            raise VerifyException(f"shapes of {self.input.type} and {self.output.type} differ")
        element = _element(quantized)
        if not isinstance(element, UniformQuantizedType):
            raise VerifyException(f"expected a quantized type, got {element}")
        if _element(real) != element.expressed:
            raise VerifyException(f"expected elements of {element.expressed}, got {_element(real)}")
        verify_quantized_shape(quantized)


@irdl_op_definition
class QcastOp(_CastOp):
    """Quantizes: converts real numbers to a quantized type.

    %y = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>>
    """

    name = "quant.qcast"

    def verify_(self) -> None:
        self._verify_cast(self.input.type, self.output.type)


@irdl_op_definition
class DcastOp(_CastOp):
    """Dequantizes: converts a quantized type to the real numbers that it stands for.

    %y = quant.dcast %x : tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>> to tensor<4xf32>
    """

    name = "quant.dcast"

    def verify_(self) -> None:
        self._verify_cast(self.output.type, self.input.type)


@irdl_op_definition
class ScastOp(_CastOp):
    """Reinterprets a quantized type as the integers that store it, or the reverse; no bits change.

    %y = quant.scast %x : tensor<4x!quant.uniform<i8:f32, 2.300000e-02:-3>> to tensor<4xi8>
    """

    name = "quant.scast"

    def verify_(self) -> None:
        quantized, plain = self.input.type, self.output.type
        if not isinstance(_element(quantized), UniformQuantizedType):
            quantized, plain = plain, quantized
        element = _element(quantized)
        if not isinstance(element, UniformQuantizedType):
            raise VerifyException("one side must be a quantized type")
        if _shape(quantized) != _shape(plain):
            raise VerifyException(f"shapes of {self.input.type} and {self.output.type} differ")
        # MLIR's quant.scast takes signless integers of the storage's width for signed and unsigned
        # storage.
        if _element(plain) != IntegerType(element.storage.width.data):
            raise VerifyException(
                f"expected elements of i{element.storage.width.data}, got {_element(plain)}"
            )


def _element(type: Attribute) -> Attribute:
    return type.element_type if isinstance(type, TensorType | MemRefType) else type


def _shape(type: Attribute) -> tuple[int, ...]:
    return type.get_shape() if isinstance(type, TensorType | MemRefType) else ()
