"""The element-wise ops of `tpu`: arithmetic of two operands, functions of one, tables, comparisons,
logic, the choice between two.
"""

from __future__ import annotations

from typing import ClassVar, Self

from xdsl.dialects.builtin import LocationAttr, StringAttr, TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def
from xdsl.utils.exceptions import VerifyException

from ...backends.instructions.pointwise import TABLE_ENTRIES
from ...backends.numerics.unary import NOT
from ..network.pointwise import CompareBase, LogicalBase, SelectBase, UnaryBase
from ..network.shape import Shape, ShapeError
from ..network.tensor_op import BinaryBase
from ..quant.element_type import (
    element_of,
    element_storage,
    is_bool,
    is_float,
    is_quantized,
    shape_of,
)
from . import quantization_rules as rules
from .tpu_op import ClampedOp, TpuOp, clamp_properties


class BinaryOp(BinaryBase, ClampedOp):
    """Base of the element-wise ops of two operands, with NumPy's broadcasting."""

    QUANTIZED: ClassVar[bool] = False

    @classmethod
    def make(
        cls,
        name: str,
        lhs: SSAValue,
        rhs: SSAValue,
        *,
        element: Attribute | None = None,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """The op; `element` is the result's (lhs's if None)."""
        properties = clamp_properties(clamp_low, clamp_high)
        return cls.build_named(name, [lhs, rhs], properties, location, element=element)

    def verify_elements(self) -> None:
        values = [("lhs", self.lhs), ("rhs", self.rhs), ("result", self.output)]
        if self.QUANTIZED and is_quantized(self.output.type):
            rules.activations(values, one_storage=True)
        else:
            rules.floats(values)


@irdl_op_definition
class AddOp(BinaryOp):
    """lhs + rhs; floats, or quantized values of one storage type.

    %add = tpu.add "add" %clamp, %residual :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>, tensor<1x2x4x4x!quant.uniform<i8:f32,
        1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>
    """

    name = "tpu.add"
    QUANTIZED: ClassVar[bool] = True


@irdl_op_definition
class SubOp(BinaryOp):
    """lhs − rhs (float types only).

    %sub = tpu.sub "sub" %p, %logits : (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "tpu.sub"


@irdl_op_definition
class MulOp(BinaryOp):
    """lhs · rhs; floats, or quantized values of one storage type.

    %mul = tpu.mul "mul" %add, %residual :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>, tensor<1x2x4x4x!quant.uniform<i8:f32,
        1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>
    """

    name = "tpu.mul"
    QUANTIZED: ClassVar[bool] = True


@irdl_op_definition
class DivOp(BinaryOp):
    """lhs / rhs (float types only).

    %div = tpu.div "div" %sub, %logits clamp_low = 0.0 :
        (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "tpu.div"


class ExtremeOp(BinaryOp):
    """Base of min and max: floats, or quantized values of one type, whose stored values it compares."""

    def verify_elements(self) -> None:
        rules.same_element("rhs", self.rhs, "lhs", self.lhs)
        rules.same_element("result", self.output, "lhs", self.lhs)
        if is_quantized(self.output.type):
            rules.activations([("lhs", self.lhs)], one_storage=True)
        else:
            rules.floats([("lhs", self.lhs)])


@irdl_op_definition
class MinOp(ExtremeOp):
    """The smaller of lhs and rhs, NaN where one is; all three have one element type.

    %min = tpu.min "min" %q, %q clamp_low = 0.0 :
        (tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>,
        tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>) -> tensor<4x!quant.uniform<i8:f32, 1.000000e-01:3>>
    """

    name = "tpu.min"


@irdl_op_definition
class MaxOp(ExtremeOp):
    """The larger of lhs and rhs, NaN where one is; all three have one element type.

    %max = tpu.max "max" %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.max"


@irdl_op_definition
class PowerOp(BinaryOp):
    """lhs^rhs (float types only).

    %power = tpu.power "power" %max, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.power"


@irdl_op_definition
class ModuloOp(BinaryOp):
    """The remainder of lhs / rhs, with the sign of lhs (float types only).

    %modulo = tpu.modulo "modulo" %power, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.modulo"


@irdl_op_definition
class PreluOp(BinaryOp):
    """lhs, times rhs (the slope) where lhs is negative (float types only).

    %prelu = tpu.prelu "prelu" %modulo, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.prelu"


@irdl_op_definition
class UnaryOp(UnaryBase, ClampedOp):
    """The function `kind` of each element of a float tensor, then a clamp; parameters as top.unary.

    is_nan and is_inf give bools, and not takes them; those have no clamp.

    %y = tpu.unary "y" %x kind = "exp" clamp_high = 4.0 : (tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.unary"

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        kind: str,
        alpha: float | None = None,
        beta: float | None = None,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """The op with the input's shape; its elements are the input's, or bools."""
        properties = {
            **cls.unary_properties(kind, alpha, beta),
            **clamp_properties(clamp_low, clamp_high),
        }
        return cls.build_named(name, [input], properties, location)

    def verify_elements(self) -> None:
        self.verify_kind()
        operand, result = element_of(self.input), self.output.type.element_type
        if self.kind.data == NOT or self.gives_bools:
            expects = is_bool if self.kind.data == NOT else is_float
            if not expects(operand) or not is_bool(result):
                raise VerifyException(
                    f"{self.kind.data} is of {'bools' if expects is is_bool else 'floats'} and "
                    f"gives bools, i1, got {operand} and {result}"
                )
            if self.clamp != (None, None):
                raise VerifyException("bools have no clamp")
        else:
            rules.floats([("input", self.input), ("result", self.output)])


@irdl_op_definition
class LookupOp(TpuOp):
    """Any function of 8 bits, as a table: out = table[bits of the element as an unsigned number].

    The input is quantized in i8 or u8 with one scale; the table [256] has the result's element type.

    %y = tpu.lookup "y" %x, %table : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01>>,
        tensor<256x!quant.uniform<i8:f32, 1.000000e-02>>) ->
        tensor<4x!quant.uniform<i8:f32, 1.000000e-02>>
    """

    name = "tpu.lookup"
    input = operand_def(TensorType)
    table = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        table: SSAValue,
        *,
        location: LocationAttr | None = None,
    ) -> Self:
        """The look-up of every element of `input`."""
        return cls.build_named(name, [input, table], {}, location)

    def result_element(self) -> Attribute:
        return element_of(self.table)

    def expected_shape(self) -> Shape:
        if shape_of(self.table) != (TABLE_ENTRIES,):
            raise ShapeError(
                f"table must have shape [{TABLE_ENTRIES}], has {list(shape_of(self.table))}"
            )
        return shape_of(self.input)

    def verify_elements(self) -> None:
        rules.activations([("input", self.input)], one_storage=True)
        if element_storage(self.input.type) not in ("i8", "u8"):
            raise VerifyException(f"input must be stored as i8 or u8, got {element_of(self.input)}")
        rules.per_tensor("table", self.table)
        rules.storable(self.table)
        rules.same_element("result", self.output, "table", self.table)


@irdl_op_definition
class CompareOp(CompareBase, TpuOp):
    """lhs (kind) rhs as bools, for two operands of one element type; kinds as top.compare.

    %less = tpu.compare "less" %x, %x kind = "less_or_equal" :
        (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
    """

    name = "tpu.compare"

    @classmethod
    def make(
        cls,
        name: str,
        lhs: SSAValue,
        rhs: SSAValue,
        *,
        kind: str,
        location: LocationAttr | None = None,
    ) -> Self:
        """The comparison."""
        return cls.build_named(name, [lhs, rhs], {"kind": StringAttr(kind)}, location)

    def verify_elements(self) -> None:
        self.verify_comparison()
        rules.same_element("rhs", self.rhs, "lhs", self.lhs)
        rules.per_tensor("lhs", self.lhs)
        rules.storable(self.lhs)


@irdl_op_definition
class LogicalOp(LogicalBase, TpuOp):
    """lhs (kind) rhs for bools; kinds: and, or, xor.

    %both = tpu.logical "both" %less, %not kind = "xor" : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
    """

    name = "tpu.logical"

    @classmethod
    def make(
        cls,
        name: str,
        lhs: SSAValue,
        rhs: SSAValue,
        *,
        kind: str,
        location: LocationAttr | None = None,
    ) -> Self:
        """The operation."""
        return cls.build_named(name, [lhs, rhs], {"kind": StringAttr(kind)}, location)

    def verify_elements(self) -> None:
        self.verify_logic()


@irdl_op_definition
class SelectOp(SelectBase, TpuOp):
    """lhs where `condition` (bools) holds, rhs elsewhere; lhs, rhs and result have one element
    type.

    %chosen = tpu.select "chosen" %both, %x, %x :
        (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.select"

    @classmethod
    def make(
        cls,
        name: str,
        condition: SSAValue,
        lhs: SSAValue,
        rhs: SSAValue,
        *,
        location: LocationAttr | None = None,
    ) -> Self:
        """The choice."""
        return cls.build_named(name, [condition, lhs, rhs], {}, location)

    def verify_elements(self) -> None:
        self.verify_condition()
        rules.same_element("rhs", self.rhs, "lhs", self.lhs)
        rules.same_element("result", self.output, "lhs", self.lhs)
        rules.per_tensor("lhs", self.lhs)
        rules.storable(self.lhs)
