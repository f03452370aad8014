"""Ops of tile: constructors, which buffers may go, and the instructions that computations are."""

import pytest
from smalti.backends.instructions.instruction_set import BY_MNEMONIC
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, verify
from smalti.dialects.tile.pointwise import broadcast_strides
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.transforms.canonicalize import CanonicalizePass
from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination

from tests.shared_files import ROOT

LIT = ROOT / "tests" / "lit" / "dialects" / "tile" / "ops.mlir"


def computations() -> list[tile.CoreOp]:
    module = parse_module(LIT.read_text(), make_context())
    tiles = [op for op in module.walk() if isinstance(op, tile.CoreOp)]
    return [op for op in tiles if not isinstance(op, tile.CopyOp)]


def program(*ops: Operation) -> ModuleOp:
    return ModuleOp([tile.ProgramOp("main", ops)])


def test_constructors():
    x = tile.GlobalOp("x", "input", (1, 4), "f32")
    y = tile.GlobalOp("y", "output", (1, 4, 2), "i8", order=(0, 2, 1), physical=(1, 2, 16))
    a = tile.AllocOp(1, (1, 16), "f32", address=64)
    acc = tile.AllocOp(1, (1, 16), "f32", "acc")
    table = tile.AllocOp(1, (1, 16), "f32")
    copy = tile.CopyOp(
        1, x.output, a.output, source_strides=(4, 1), target_strides=(16, 1), sizes=(1, 4), pad=12
    )
    epilogue = tile.EpilogueOp(1, acc.output, table.output, None, a.output, channels=4)
    module = program(x, y, a, acc, table, copy, epilogue)
    verify(module)
    assert epilogue.residual is None and epilogue.clamp.get_values() == (
        -float("inf"),
        float("inf"),
    )
    assert str(y.output.type) == 'memref<1x2x16xi8, "global">'
    with pytest.raises(TypeError, match=r"tile.fill has no property 'color'"):
        tile.FillOp(0, a.output, color=1)


def test_a_layer():
    x = tile.GlobalOp("x", "input", (4,), "f32")
    y = tile.GlobalOp("y", "output", (4,), "f32")
    from xdsl.dialects.builtin import TensorType, f32

    block = Block(arg_types=[TensorType(f32, [4])])
    block.add_op(tile.YieldOp(block.args[0]))
    layer = tile.LayerOp([x.output], y.output, block, window=(0, 4), core=2)
    verify(program(x, y, layer))
    assert layer.core is not None and layer.core.value.data == 2


def test_unused_buffers_go_and_equal_ones_stay_two():
    ops = [
        tile.GlobalOp("x", "input", (4,), "f32"),
        tile.GlobalOp("s", "scratch", (4,), "f32"),
        a := tile.AllocOp(0, (4,), "f32"),
        b := tile.AllocOp(0, (4,), "f32"),
        tile.AllocOp(0, (4,), "f32"),
        tile.FillOp(0, a.output, value=0.0),
        tile.FillOp(0, b.output, value=0.0),
    ]
    module = program(*ops)
    CommonSubexpressionElimination().apply(make_context(), module)
    CanonicalizePass().apply(make_context(), module)
    kept = [op.name for op in module.walk()][2:]
    assert kept == ["tile.global", "tile.alloc", "tile.alloc", "tile.fill", "tile.fill"]


@pytest.mark.parametrize("op", computations(), ids=lambda op: op.name)
def test_fields_are_those_of_the_instruction(op: tile.CoreOp):
    mnemonic, fields, operands = op.instruction()
    instruction = BY_MNEMONIC[mnemonic]
    by_name = {field.name: field for field in instruction.fields}
    assert set(fields) | set(operands) <= set(by_name)
    addresses = {name for name, field in by_name.items() if field.kind == "address"}
    assert set(operands) <= addresses and not set(fields) & addresses
    # What is left out has a default, but for the weights of a gather, which it does not read.
    missing = {n for n, f in by_name.items() if f.default is None} - set(fields) - set(operands)
    assert missing <= ({"weight"} if fields.get("gather") else set())
    assert set(operands.values()) == set(op.operands)
    assert callable(instruction.numerics)


@pytest.mark.parametrize("op", computations(), ids=lambda op: op.name)
def test_what_an_instruction_accesses_is_inside_its_buffers(op: tile.CoreOp):
    from smalti.dialects.quant.element_type import type_bytes

    mnemonic, fields, operands = op.instruction()
    instruction = BY_MNEMONIC[mnemonic]
    complete = {field.name: fields.get(field.name, field.default) for field in instruction.fields}
    names = list(operands)
    complete |= {name: index << 32 for index, name in enumerate(names)}
    for access in instruction.accesses(complete):
        last = int(access.intervals()[-1, 1])
        index = access.address >> 32
        assert last - (index << 32) <= type_bytes(operands[names[index]].type)


def test_a_copy_is_no_computation():
    a, b = (tile.AllocOp(0, (4,), "f32").output for _ in range(2))
    copy = tile.CopyOp(0, a, b, source_strides=[1], target_strides=[1], sizes=[4])
    with pytest.raises(ValueError, match=r"tile.copy is no computation"):
        copy.instruction()


def test_broadcast_strides():
    assert broadcast_strides((3, 16), 4) == [0, 0, 16, 1]
    assert broadcast_strides((2, 1, 16), 4) == [0, 16, 0, 1]
    assert broadcast_strides((1,), 4) == [0, 0, 0, 0]
