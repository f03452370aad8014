"""An op that Smalti does not know is treated by the traits that it has."""

from collections.abc import Sequence

import numpy as np
from smalti.dialects import top, tpu
from smalti.dialects.ir.attribute import text
from smalti.dialects.ir.field import operand, prop
from smalti.dialects.network.shape import Shape
from smalti.dialects.network.traits import (
    CanStayFloat,
    ChannelLast,
    ComparesElements,
    Converts,
    HasPoles,
    KeepsLayout,
    Moves,
    RoundsResult,
    RowMajor,
)
from smalti.dialects.quant.element_type import shape_of
from smalti.dialects.top.top_op import TopOp
from smalti.passes.canonicalize import Canonicalize
from smalti.passes.top_to_tpu.float_results import Reader, float_results
from smalti.passes.tpu_to_tile.tensor_layouts import choose_layouts
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def


class OneOperand(TopOp):
    """Base of the network ops of this plugin."""

    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)


@irdl_op_definition
class GainOp(OneOperand):
    """An op that rounds its result, and may compute in floats; without a gain it is its operand."""

    name = "mine.gain"
    kind: StringAttr = prop(converter=text)
    traits = traits_def(RoundsResult(where=lambda op: op.kind.data == "loud"), CanStayFloat())

    def unchanged_operand(self) -> SSAValue | None:
        return self.input if self.kind.data == "none" else None


@irdl_op_definition
class SortOp(OneOperand):
    """An op that compares its operand's elements."""

    name = "mine.sort"
    traits = traits_def(ComparesElements())


@irdl_op_definition
class RootOp(OneOperand):
    """An op with a pole at 0."""

    name = "mine.root"
    traits = traits_def(HasPoles(points=lambda op: {"input": (0.0,)}))


@irdl_op_definition
class ShyOp(OneOperand):
    """An op that computes in floats only for ops with poles."""

    name = "mine.shy"
    traits = traits_def(CanStayFloat(only_before_poles=lambda op: True))


class TpuOneOperand(tpu.TpuOp):
    """Base of the tpu ops of this plugin."""

    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)


@irdl_op_definition
class BlurOp(TpuOneOperand):
    """An op of images."""

    name = "mine.blur"
    traits = traits_def(ChannelLast())


@irdl_op_definition
class ScanOp(TpuOneOperand):
    """An op of rows."""

    name = "mine.scan"
    traits = traits_def(RowMajor())


@irdl_op_definition
class ShadeOp(TpuOneOperand):
    """An element-wise op."""

    name = "mine.shade"
    traits = traits_def(KeepsLayout())


@irdl_op_definition
class RollOp(TpuOneOperand):
    """An op that moves elements."""

    name = "mine.roll"
    traits = traits_def(Moves(), KeepsLayout())


def function(kinds: Sequence[type[Operation]], shape: Sequence[int]) -> FuncOp:
    """A function that applies one op after the other."""
    made = FuncOp("main", ([TensorType(f32, shape)], [TensorType(f32, shape)]))
    block = made.body.block
    value: SSAValue = block.args[0]
    for number, kind in enumerate(kinds):
        assert issubclass(kind, top.TopOp | tpu.TpuOp)
        op = kind(f"v{number}", value)
        block.add_op(op)
        value = op.output
    block.add_op(ReturnOp(value))
    return made


def orders(*kinds: type[Operation]) -> list[tuple[tuple[int, ...], int]]:
    """The order and the pitch of each op's result."""
    layouts = choose_layouts(function(kinds, (1, 5, 4, 4)), 16)
    return [(layout.order, layout.pitch) for layout in layouts.values()]


def test_layouts_follow_the_traits():
    pixels, rows, dense = ((0, 2, 3, 1), 16), ((0, 1, 2, 3), 16), ((0, 1, 2, 3), 4)
    assert orders(BlurOp, ShadeOp) == [pixels, pixels]
    assert orders(ShadeOp, ScanOp) == [rows, rows]
    assert orders(RollOp, RollOp) == [dense, dense]


def test_what_only_comparing_ops_read_stays_in_floats():
    body = function([SortOp], (4,)).body.block
    gain = GainOp("g", body.args[0], kind="loud")
    body.insert_op_before(gain, next(iter(body.ops)))
    sort = next(op for op in body.ops if isinstance(op, SortOp))
    sort.operands[0] = gain.output
    assert float_results(body.ops) == {gain.output: Reader.COMPARISON}


def test_what_an_op_with_a_pole_reads_stays_in_floats_though_others_read_it():
    body = function([RootOp], (4,)).body.block
    gain, shy = GainOp("g", body.args[0], kind="loud"), ShyOp("s", body.args[0])
    root = next(op for op in body.ops if isinstance(op, RootOp))
    body.insert_ops_before([gain, shy, top.ReluOp("r", gain.output)], root)
    root.operands[0] = gain.output
    assert float_results(body.ops) == {gain.output: Reader.POLE}
    assert HasPoles.points_of(root) == {gain.output: (0.0,)}
    root.operands[0] = shy.output
    assert float_results(body.ops) == {shy.output: Reader.POLE}
    body.insert_op_after(sort := SortOp("o", shy.output), root)
    assert float_results([*body.ops]) == {shy.output: Reader.POLE}
    root.operands[0] = sort.output
    assert float_results(body.ops) == {}


def test_a_trait_may_depend_on_the_properties():
    body = function([], (4,)).body.block
    loud, quiet = (GainOp("g", body.args[0], kind=kind) for kind in ("loud", "quiet"))
    assert RoundsResult.holds(loud) and not RoundsResult.holds(quiet)
    assert not Converts.holds(loud) and not RoundsResult.holds(body)


def test_canonicalize_folds_an_op_that_tells_its_unchanged_operand():
    made = function([], (4,))
    block = made.body.block
    gain = GainOp("g", block.args[0], kind="none")
    returned = block.last_op
    assert returned is not None
    block.insert_op_before(gain, returned)
    returned.operands[0] = gain.output
    module = ModuleOp([made])
    Canonicalize().apply(Context(), module)
    assert [op.name for op in made.body.block.ops] == ["func.return"]
    assert np.prod(shape_of(returned.operands[0])) == 4
