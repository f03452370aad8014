"""The other element-wise ops of `tpu`: functions of one operand, tables, clamps, comparisons, logic, the choice between
two operands, changes of the number format.
"""

from __future__ import annotations

from dataclasses import InitVar

import numpy as np
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.utils.exceptions import VerifyException

from ...backends.instructions.pointwise import TABLE_ENTRIES
from ...backends.numerics.quantization import cast, requantize
from ...backends.numerics.storage import LOOKUP_NAMES
from ...backends.numerics.unary import NOT, unary
from ..ir.attribute import Integer, integer
from ..ir.field import DERIVED, argument, operand, prop
from ..network.pointwise import CompareBase, LogicalBase, SelectBase, UnaryBase
from ..network.shape import Shape, ShapeError
from ..network.tensor_op import Arrays
from ..network.traits import Converts, KeepsLayout
from ..quant.element_type import element_of, element_storage, is_bool, is_float, shape_of
from ..quant.number_format import NumberFormat, float_clamp
from . import quantization_rules as rules
from .constant import WeightOp
from .tpu_op import ClampedOp, TpuOp


@irdl_op_definition
class UnaryOp(UnaryBase, ClampedOp):
    """The function `kind` of each element of a float tensor, then a clamp; parameters as top.unary.

    The result of is_nan and is_inf is bools, and the operand of not is bools; these kinds have no clamp.

    %y = tpu.unary "y" %x kind = "exp" clamp_high = 4.0 : (tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.unary"
    traits = traits_def(KeepsLayout())

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

    def evaluate(self, operands: Arrays) -> np.ndarray:
        if self.kind.data == NOT:
            return np.logical_not(operands[0])
        return unary(operands[0], self.kind.data, *self.parameters, float_clamp(self.clamp))

    def table_operand(self) -> SSAValue | None:
        return self.input


@irdl_op_definition
class LookupOp(TpuOp):
    """Any function of 8 bits, given as a table: out = table[bits of the element as an unsigned number].

    The input is quantized in i8 or u8 with one scale; the table [256] has the result's element type.

    %y = tpu.lookup "y" %x, %table : (tensor<4x!quant.uniform<i8:f32, 1.000000e-01>>,
        tensor<256x!quant.uniform<i8:f32, 1.000000e-02>>) ->
        tensor<4x!quant.uniform<i8:f32, 1.000000e-02>>
    """

    name = "tpu.lookup"
    traits = traits_def(KeepsLayout())
    input: SSAValue = operand()
    table: SSAValue = operand()

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
        if element_storage(self.input.type) not in LOOKUP_NAMES:
            known = " or ".join(LOOKUP_NAMES)
            raise VerifyException(f"input must be stored as {known}, got {element_of(self.input)}")
        rules.per_tensor("table", self.table)
        rules.storable(self.table)
        rules.same_element("result", self.output, "table", self.table)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        value, table = operands
        index = np.ascontiguousarray(value).view(np.uint8)
        if len(table) == 1:
            return np.take(table[0], index)
        spread = np.broadcast_to(index, (len(table), *index.shape[1:]))
        return np.stack([np.take(row, each) for row, each in zip(table, spread, strict=True)])

    def table_operand(self) -> SSAValue | None:
        return self.input if isinstance(self.table.owner, WeightOp) else None


@irdl_op_definition
class ClampOp(ClampedOp):
    """min(max(input, clamp_low), clamp_high); input and result types are equal.

    %clamp = tpu.clamp "clamp" %rq clamp_low = -1.0 clamp_high = 1.0 :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>) ->
        tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>
    """

    name = "tpu.clamp"
    traits = traits_def(KeepsLayout())
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return self.clamped(operands[0])

    def unchanged_operand(self) -> SSAValue | None:
        return self.input if self.clamp == (None, None) else None

    def table_operand(self) -> SSAValue | None:
        return self.input


@irdl_op_definition
class CompareOp(CompareBase, TpuOp):
    """Compares lhs with rhs, of one element type, and gives bools; kinds as top.compare.

    %less = tpu.compare "less" %x, %x kind = "less_or_equal" :
        (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
    """

    name = "tpu.compare"
    traits = traits_def(KeepsLayout())

    def verify_elements(self) -> None:
        self.verify_comparison()
        rules.same_element("rhs", self.rhs, "lhs", self.lhs)
        rules.per_tensor("lhs", self.lhs)
        rules.storable(self.lhs)

    def tile_kind(self) -> str:
        return self.kind.data

    def table_operand(self) -> SSAValue | None:
        return self.operand_beside_number()


@irdl_op_definition
class LogicalOp(LogicalBase, TpuOp):
    """Combines the bools lhs and rhs; `kind` is and, or or xor.

    %both = tpu.logical "both" %less, %not kind = "xor" : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
    """

    name = "tpu.logical"
    traits = traits_def(KeepsLayout())

    def verify_elements(self) -> None:
        self.verify_logic()

    def tile_kind(self) -> str:
        return self.kind.data


@irdl_op_definition
class SelectOp(SelectBase, TpuOp):
    """lhs where `condition` (bools) holds, rhs elsewhere; lhs, rhs and result have one element
    type.

    %chosen = tpu.select "chosen" %both, %x, %x :
        (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "tpu.select"
    traits = traits_def(KeepsLayout())

    def verify_elements(self) -> None:
        self.verify_condition()
        rules.same_element("rhs", self.rhs, "lhs", self.lhs)
        rules.same_element("result", self.output, "lhs", self.lhs)
        rules.per_tensor("lhs", self.lhs)
        rules.storable(self.lhs)


@irdl_op_definition
class CastOp(TpuOp):
    """Converts between float and quantized types: quantizes (round half to even) or dequantizes; converts floats to
    another float type with one rounding, and to scaled small floats, saturated.

    %r = tpu.cast "x" %a :
        (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>
    """

    name = "tpu.cast"
    traits = traits_def(KeepsLayout(), Converts())
    element: InitVar[Attribute] = argument()
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def verify_elements(self) -> None:
        rules.cast(self.input, self.output)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        source, result = NumberFormat.of(self.input.type), NumberFormat.of(self.output.type)
        return cast(operands[0], result.storage, source.quantization, result.quantization)

    def unchanged_operand(self) -> SSAValue | None:
        return self.input

    def table_operand(self) -> SSAValue | None:
        return self.input


@irdl_op_definition
class RequantizeOp(ClampedOp):
    """Changes the quantization: round_half_even((x − zx) · multiplier · 2^−shift) + zy, saturated.

    multiplier · 2^−shift is the input's scale divided by the result's, as `quantize_multiplier` gives it.

    %rq = tpu.requantize "rq" %residual multiplier = 1073741824 shift = 31 clamp_high = 6.0 :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32,
        2.500000e-01:5>>
    """

    name = "tpu.requantize"
    traits = traits_def(KeepsLayout())
    element: InitVar[Attribute] = argument()
    multiplier: Integer = prop(converter=integer, default=DERIVED)
    shift: Integer = prop(converter=integer, default=DERIVED)
    input: SSAValue = operand()

    def derive_fields(self) -> None:
        if not {"multiplier", "shift"} <= self.properties.keys():
            ratio = rules.ratio(element_of(self.input), self.output.type.element_type)
            self.properties |= zip(("multiplier", "shift"), map(integer, ratio), strict=True)

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def verify_elements(self) -> None:
        rules.activations([("input", self.input), ("result", self.output)], one_storage=False)
        expected = rules.ratio(element_of(self.input), self.output.type.element_type)
        found = self.multiplier.value.data, self.shift.value.data
        if found != expected:
            raise VerifyException(
                f"multiplier {found[0]} and shift {found[1]} are not the ratio of the scales, "
                f"{expected[0]} and {expected[1]}"
            )

    def evaluate(self, operands: Arrays) -> np.ndarray:
        source, result = NumberFormat.of(self.input.type), NumberFormat.of(self.output.type)
        return requantize(
            operands[0].astype(np.int64) - source.zero_point,
            self.multiplier.value.data,
            self.shift.value.data,
            result.zero_point,
            result.storage,
            result.clamp(self.clamp),
        )

    def table_operand(self) -> SSAValue | None:
        return self.input
