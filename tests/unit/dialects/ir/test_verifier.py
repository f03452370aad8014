"""The verifier that leaves out what has not changed finds what one without a memory finds."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.dialects import tile, top, tpu
from smalti.dialects.context import make_context
from smalti.dialects.ir.attribute import INTEGER, integer
from smalti.dialects.ir.definition_check import definition_predicate
from smalti.dialects.ir.text.assembly import TextOp
from smalti.dialects.ir.text.module_text import parse_module
from smalti.dialects.ir.verifier import Verifier, first_error
from smalti.dialects.isa.instruction_op import OPS
from xdsl.dialects.builtin import ModuleOp, StringAttr, UnitAttr, f32
from xdsl.ir import Attribute, Block, Operation, Region
from xdsl.irdl import (
    irdl_op_definition,
    opt_operand_def,
    opt_prop_def,
    opt_result_def,
    region_def,
    traits_def,
)
from xdsl.traits import IsolatedFromAbove, NoTerminator
from xdsl.utils.exceptions import VerifyException

from tests.unit.tile_programs import two_layers

TOP = """
func.func @main(%x: tensor<1x2x4x4xf32>, %y: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = top.weight "w" seed = 7 : tensor<2x2x1x1xf32>
  %a = top.conv2d "a" %x, %w : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %b = top.add "b" %a, %y : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %c = top.clip "c" %b low = 0.0 : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  func.return %c : tensor<1x2x4x4xf32>
}
"""


def tile_module() -> ModuleOp:
    return two_layers(cores=2, tiles=2)[0]


def top_module() -> ModuleOp:
    return parse_module(TOP, make_context())


def _change(data: st.DataObject, module: ModuleOp) -> None:
    """One change somewhere in the module, sensible or not."""
    ops = [op for op in module.walk() if op.parent is not None]
    op = data.draw(st.sampled_from(ops))
    other = data.draw(st.sampled_from(ops))
    kind = data.draw(st.sampled_from(["set", "remove", "attribute", "operand", "type", "move"]))
    names = sorted(op.properties)
    if kind == "set" and names:
        name = data.draw(st.sampled_from(names))
        values = [*other.properties.values(), integer(data.draw(st.integers(-2, 130))), UnitAttr()]
        op.properties[name] = data.draw(st.sampled_from(values))
    elif kind == "remove" and names:
        del op.properties[data.draw(st.sampled_from(names))]
    elif kind == "attribute":
        op.attributes["note"] = StringAttr(data.draw(st.sampled_from("ab")))
    elif kind == "operand" and op.operands and other.results:
        op.operands[data.draw(st.integers(0, len(op.operands) - 1))] = other.results[0]
    elif kind == "type" and op.results and other.results:
        result = op.results[0]
        result._type = data.draw(st.sampled_from([other.results[0].type, f32]))
    elif kind == "move" and op is not other and op.parent is other.parent and not op.regions:
        block = op.parent
        assert block is not None
        op.detach()
        block.insert_ops_before([op], other)


@pytest.mark.parametrize("make", [top_module, tile_module])
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_memory_changes_nothing_about_what_is_found(make, data: st.DataObject):
    module = make()
    verifier = Verifier()
    assert verifier.first_error(module) is None
    for _ in range(data.draw(st.integers(1, 5))):
        saved = [(op, dict(op.properties), tuple(op.operands)) for op in module.walk()]
        _change(data, module)
        expected = first_error(module)
        assert verifier.first_error(module) == expected
        if expected is not None and data.draw(st.booleans()):
            for op, properties, operands in saved:
                op.properties = properties
                op.operands = operands
            assert verifier.first_error(module) == first_error(module)


def _allows(op: Operation) -> bool:
    try:
        op.get_irdl_definition().verify(op)  # pyright: ignore[reportAttributeAccessIssue]
    except VerifyException:
        return False
    return True


@pytest.mark.share(3)
@settings(max_examples=200)
@given(data=st.data())
def test_the_predicate_of_a_definition_holds_for_what_the_definition_allows(data: st.DataObject):
    module = data.draw(st.sampled_from([top_module, tile_module]))()
    for _ in range(data.draw(st.integers(0, 4))):
        _change(data, module)
    for op in module.walk():
        definition = op.get_irdl_definition()  # pyright: ignore[reportAttributeAccessIssue]
        holds = definition_predicate(definition)
        if holds is not None:
            assert holds(op) == _allows(op), str(op)


def test_most_definitions_have_a_predicate():
    classes = [
        *(cls for dialect in (tile.Tile, top.Top, tpu.Tpu) for cls in dialect.operations),
        *OPS.values(),
    ]
    without = [
        cls.name
        for cls in classes
        if definition_predicate(cls.get_irdl_definition()) is None  # pyright: ignore
    ]
    assert len(without) < len(classes) / 5, without


@irdl_op_definition
class Counted(TextOp):
    """An op that counts how often it is verified."""

    name = "test.counted"
    value = opt_prop_def(INTEGER)
    place = opt_prop_def(INTEGER)
    input = opt_operand_def()
    output = opt_result_def()
    OWN_PROPERTIES: ClassVar[frozenset[str]] = frozenset({"place"})
    VERIFIED: ClassVar[list[Operation]] = []

    def verify_(self) -> None:
        self.VERIFIED.append(self)


@irdl_op_definition
class Isolated(TextOp):
    """An op that holds others."""

    name = "test.isolated"
    body = region_def()
    traits = traits_def(IsolatedFromAbove(), NoTerminator())


def _counted(source: Operation | None = None, **properties: Attribute) -> Counted:
    operands = [] if source is None else [source.results[0]]
    return Counted.create(operands=operands, result_types=[f32], properties=properties)


@pytest.fixture
def chain() -> list[Counted]:
    """Three ops, each using the one before."""
    first = _counted(value=integer(1))
    second = _counted(first)
    Counted.VERIFIED.clear()
    return [first, second, _counted(second)]


def test_only_what_changed_and_its_users_are_verified_again(chain: list[Counted]):
    module, verifier = ModuleOp(chain), Verifier()
    assert verifier.first_error(module) is None
    assert chain == Counted.VERIFIED
    Counted.VERIFIED.clear()
    assert verifier.first_error(module) is None
    assert Counted.VERIFIED == []
    chain[0].properties["value"] = integer(2)
    assert verifier.first_error(module) is None
    assert chain[:2] == Counted.VERIFIED
    Counted.VERIFIED.clear()
    chain[0].properties["place"] = integer(2)
    assert verifier.first_error(module) is None
    assert chain[:1] == Counted.VERIFIED


def test_an_op_equal_to_one_before_it_is_not_verified():
    shared, other = integer(7), integer(8)
    block = Block(arg_types=[f32, f32])
    first, second = block.args
    ops = [
        Counted.create(operands=[operand], result_types=[f32], properties={name: value})
        for operand, name, value in (
            (first, "value", shared),
            (second, "value", shared),
            (first, "value", other),
            (first, "place", shared),
        )
    ]
    block.add_ops(ops)
    Counted.VERIFIED.clear()
    verifier = Verifier()
    module = ModuleOp([Isolated.create(regions=[Region(block)])])
    assert verifier.first_error(module) is None
    assert [ops[0], ops[2], ops[3]] == Counted.VERIFIED
    ops[1].properties["value"] = StringAttr("no integer")
    wrong = verifier.first_error(module)
    assert wrong is not None and wrong[0] is ops[1]


def test_after_an_error_everything_is_verified_again(chain: list[Counted]):
    module, verifier = ModuleOp(chain), Verifier()
    assert verifier.first_error(module) is None
    chain[2].properties["value"] = StringAttr("no integer")
    wrong = verifier.first_error(module)
    assert wrong is not None and wrong[0] is chain[2]
    Counted.VERIFIED.clear()
    chain[2].properties["value"] = integer(1)
    assert verifier.first_error(module) is None
    assert chain == Counted.VERIFIED


def test_a_value_from_outside_is_found_in_an_isolated_op(chain: list[Counted]):
    inner = _counted(chain[0])
    holder = Isolated.create(regions=[Region(Block([inner]))])
    module, verifier = ModuleOp([*chain, holder]), Verifier()
    for _ in range(2):
        wrong = verifier.first_error(module)
        assert wrong is not None and wrong[0] is holder
        assert "IsolatedFromAbove" in wrong[1]
    inner.operands = []
    assert verifier.first_error(module) is None
