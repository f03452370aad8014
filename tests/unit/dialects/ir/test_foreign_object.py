"""Python objects that a pass puts where attributes belong are told by the verifier, and not met by the printer."""

import pytest
from smalti.dialects import top
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.dialects.ir.verifier import Verifier
from xdsl.dialects import test as any_ops
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr, f32
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, result_def

RELU = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %y = top.relu "y" %x {note = [1 : i8, {a = "b"}]} : (tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
"""
INT = "holds a Python object of type int, expected an attribute"


@irdl_op_definition
class Anything(IRDLOperation):
    """An op whose properties may be any attributes."""

    name = "test.anything"
    any = opt_prop_def()
    listed = opt_prop_def(ArrayAttr)
    out = result_def()


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"mine": 3}, f"'mine' {INT}"),
        ({"mine": None}, "'mine' holds a Python object of type NoneType, expected an attribute"),
        ({"mine": ArrayAttr([StringAttr("a"), 3])}, f"'mine' {INT}"),
        ({"mine": DictionaryAttr({"a": ArrayAttr([3])})}, f"'mine' {INT}"),
        (
            {3: StringAttr("a")},
            "the name of an attribute is a Python object of type int, expected a string",
        ),
    ],
)
@pytest.mark.parametrize("kind", [top.ReluOp, any_ops.TestOp])
def test_objects_among_attributes(kind, attributes, message):
    module, verifier = parse_module(RELU, make_context()), Verifier()
    relu = next(op for op in module.walk() if isinstance(op, top.ReluOp))
    op = relu
    if kind is any_ops.TestOp:
        op = any_ops.TestOp()
        relu.parent.insert_op_before(op, relu)
    assert verifier.first_error(module) is None
    op.attributes.update(attributes)
    assert verifier.first_error(module) == (op, message)


@pytest.mark.parametrize("value", [3, ArrayAttr([3])])
@pytest.mark.parametrize("name", ["any", "listed"])
def test_objects_among_properties(name, value):
    op = Anything.create(result_types=[f32], properties={name: ArrayAttr([StringAttr("a")])})
    assert Verifier().first_error(op) is None
    op.properties[name] = value
    assert Verifier().first_error(op) == (op, f"'{name}' {INT}")


def test_an_object_as_location():
    module, verifier = parse_module(RELU, make_context()), Verifier()
    assert verifier.first_error(module) is None
    relu = next(op for op in module.walk() if isinstance(op, top.ReluOp))
    relu.location = "here"  # pyright: ignore[reportAttributeAccessIssue]
    wrong = (relu, "its location is a Python object of type str, expected a location")
    assert verifier.first_error(module) == wrong
