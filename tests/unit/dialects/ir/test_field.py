"""Fields that are declared once: properties, operands and constructor of an op follow from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects import top
from smalti.dialects.ir.attribute import (
    Integer,
    Ints,
    Real,
    flag,
    integer,
    ints,
    optional_real,
    real,
    text,
)
from smalti.dialects.ir.field import operand, operand_list, prop
from smalti.dialects.network.tensor_op import Arrays
from smalti.dialects.quant.element_type import shape_of
from smalti.dialects.top.top_op import TopOp
from xdsl.dialects.builtin import StringAttr, TensorType, UnitAttr, bf16, f32
from xdsl.ir import Block, SSAValue
from xdsl.irdl import AttrSizedOperandSegments, OptOperandDef, OptPropertyDef, irdl_op_definition


@irdl_op_definition
class SampleOp(TopOp):
    """An op with a field of each kind."""

    name = "test.sample"
    size: Integer = prop(converter=integer)
    kind: StringAttr = prop(converter=text, default="plain")
    strides: Ints = prop(converter=ints, default=(1, 1))
    factor: Real = prop(converter=real, default=0.5, alias="scale")
    low: Real | None = prop(converter=optional_real, default=None)
    fast: UnitAttr | None = prop(converter=flag, default=False)
    input: SSAValue = operand()
    bias: SSAValue | None = operand(default=None)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def expected_shape(self) -> tuple[int, ...]:
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return operands[0]


@irdl_op_definition
class DerivingOp(TopOp):
    """An op with a field that follows from its operands unless it is given."""

    name = "test.deriving"
    rank: Integer = prop(converter=integer)
    input: SSAValue = operand()

    def derive_fields(self) -> None:
        self.properties.setdefault("rank", integer(len(shape_of(self.input))))

    def expected_shape(self) -> tuple[int, ...]:
        return shape_of(self.input)


def value(*shape: int) -> SSAValue:
    return Block(arg_types=[TensorType(f32, shape)]).args[0]


def test_declarations_become_definitions():
    definition = SampleOp.get_irdl_definition()
    optional = {n for n, d in definition.properties.items() if isinstance(d, OptPropertyDef)}
    assert optional >= {"low", "fast"} and not optional & {"size", "kind", "strides", "scale"}
    assert [(n, isinstance(d, OptOperandDef)) for n, d in definition.operands] == [
        ("input", False),
        ("bias", True),
    ]


def test_fields_left_out_are_at_their_defaults():
    op = SampleOp("y", value(2, 3), size=4)
    op.verify()
    assert op.size == integer(4) and op.kind == StringAttr("plain")
    assert op.strides == ints((1, 1)) and op.factor == real(0.5)
    assert op.low is None and op.fast is None and op.bias is None


def test_a_property_may_have_another_name_than_its_field():
    assert SampleOp("y", value(2), size=4, scale=2.0).factor.value.data == 2.0
    assert "scale" in SampleOp.get_irdl_definition().properties


def test_fields_take_values_of_python_and_attributes():
    made: Any = SampleOp  # `scale` is the name in IR, type checkers know the field's
    op = made("y", value(2), size=integer(4), kind="odd", strides=[2, 3], low=-1.0, fast=True)
    assert op.kind.data == "odd" and op.strides.get_values() == (2, 3)
    assert op.low == real(-1.0) and op.fast == UnitAttr()
    assert made("y", value(2), size=4, fast=False, low=None).fast is None


def test_operands_are_given_by_position_or_by_keyword():
    x, b = value(2, 3), value(3)
    for op in (SampleOp("y", x, b, size=1), SampleOp("y", input=x, bias=b, size=1)):
        assert op.input is x and op.bias is b
    assert SampleOp("y", x, None, size=1).bias is None


def test_a_list_of_operands():
    parts = [value(2, 3), value(2, 4)]
    assert list(top.ConcatOp("y", parts, axis=1).operands) == parts
    assert operand_list() is not operand_list()


def test_result_type_follows_unless_it_is_given():
    x = value(2, 3)
    assert SampleOp("y", x, size=1).output.type == TensorType(f32, [2, 3])
    assert SampleOp("y", x, size=1, type=TensorType(bf16, [2, 3])).output.type.element_type == bf16


def test_a_field_that_follows_from_the_operands():
    assert DerivingOp("y", value(2, 3, 4)).rank == integer(3)
    assert DerivingOp("y", value(2, 3, 4), rank=7).rank == integer(7)


@pytest.mark.parametrize(
    ("operands", "fields", "message"),
    [
        ([], {"size": 1}, r"test.sample needs operand 'input'"),
        ([None], {"size": 1}, r"test.sample needs operand 'input'"),
        ([value(2)] * 3, {"size": 1}, r"test.sample has 2 operands, got 3"),
        ([value(2)], {"size": 1, "color": 3}, r"test.sample has no property 'color'"),
        ([value(2)], {}, r"test.sample 'y' needs 'size'"),
        ([value(2)], {"size": None}, r"test.sample 'y' needs 'size'"),
    ],
)
def test_mistakes_are_type_errors(operands: list[Any], fields: dict[str, Any], message: str):
    with pytest.raises(TypeError, match=message):
        SampleOp("y", *operands, **fields)


def test_shapes_that_do_not_fit_are_diagnostics():
    with pytest.raises(DiagnosticError, match=r"top.add 'y': "):
        top.AddOp("y", value(2, 3), value(4))


def test_a_field_that_may_be_absent_has_no_default():
    with pytest.raises(TypeError, match="is absent by default"):
        prop(converter=optional_real, default=1.0)
