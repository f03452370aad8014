"""An op that Smalti does not know is treated by the traits that it has."""

from collections.abc import Sequence

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects import top, tpu
from smalti.dialects.ir.attribute import text
from smalti.dialects.ir.context import SmaltiContext
from smalti.dialects.ir.field import operand, prop
from smalti.dialects.network.constant import value_of
from smalti.dialects.network.shape import Shape
from smalti.dialects.network.traits import (
    CanStayFloat,
    ChannelLast,
    ComparesElements,
    Converts,
    Dense,
    FixedQuantization,
    HasPoles,
    KeepsLayout,
    Moves,
    Rearranges,
    RoundsResult,
    RowMajor,
    SumsProducts,
    TakesAnyElements,
)
from smalti.dialects.quant import calibrated, uniform
from smalti.dialects.quant.element_type import element_of, shape_of
from smalti.dialects.top.top_op import TopOp
from smalti.passes.canonicalize import Canonicalize
from smalti.passes.top.fold_batch_norm import FoldBatchNorm
from smalti.passes.top_to_tpu.conversions import register_conversions
from smalti.passes.top_to_tpu.convert_top_to_tpu import ConvertTopToTpu
from smalti.passes.top_to_tpu.precision.float_results import Reader, float_results
from smalti.passes.top_to_tpu.precision.uneven_joins import hidden_operands
from smalti.passes.top_to_tpu.tpu_builder import TpuBuilder
from smalti.passes.tpu_to_tile.tensor_layouts import choose_layouts
from xdsl.context import Context
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    ModuleOp,
    StringAttr,
    TensorType,
    f32,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.rewriter import Rewriter


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


@irdl_op_definition
class WaveOp(OneOperand):
    """An op whose result is within ±1, whatever its operand is."""

    name = "mine.wave"
    traits = traits_def(FixedQuantization(parameters=lambda op: (1 / 127, 0)))


@irdl_op_definition
class RankOp(OneOperand):
    """An op that makes positions, if its result asks for any."""

    name = "mine.rank"
    traits = traits_def(TakesAnyElements())


@irdl_op_definition
class MixOp(TopOp):
    """A product with weights that have the channels last, as the result has."""

    name = "mine.mix"
    traits = traits_def(SumsProducts(weight="mixture", bias="start", weight_axis=-1, axis=-1))
    input: SSAValue = operand()
    mixture: SSAValue = operand()
    start: SSAValue | None = operand(default=None)

    def expected_shape(self) -> Shape:
        return (shape_of(self.input)[0], shape_of(self.mixture)[1])


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


@irdl_op_definition
class FlipOp(TpuOneOperand):
    """An op that takes the axes in the opposite order."""

    name = "mine.flip"
    traits = traits_def(Moves(), Rearranges(permutation=lambda op: (3, 2, 1, 0)))

    def expected_shape(self) -> Shape:
        return shape_of(self.input)[::-1]


@irdl_op_definition
class SpillOp(TpuOneOperand):
    """An op that takes whole arrays."""

    name = "mine.spill"
    traits = traits_def(Dense())


def convert_on_host(builder: TpuBuilder, op: OneOperand) -> None:
    """Let the host compute the op's result."""
    name, value = op.result_name.data, builder.as_float(op.input)
    made = tpu.HostCallOp(name, [value], function="argmax")
    builder.set_given(op.output, builder.add(made).output)


def convert_in_floats(builder: TpuBuilder, op: OneOperand) -> None:
    """Let an op of floats compute the op's result."""
    made = ShadeOp(op.result_name.data, builder.as_float(op.input))
    builder.set_float(op.output, builder.add(made).output)


register_conversions({RankOp: convert_on_host, SortOp: convert_on_host, WaveOp: convert_in_floats})


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
    assert orders(SpillOp, ShadeOp) == [dense, dense]


def test_the_layout_of_what_is_only_rearranged_follows_its_elements():
    assert orders(BlurOp, FlipOp) == [((0, 2, 3, 1), 16), ((3, 1, 0, 2), 5)]


@pytest.mark.parametrize("kind", [RankOp, SortOp])
def test_only_ops_with_the_trait_make_integers(kind: type[OneOperand]):
    made = function([], (1,))
    block = made.body.block
    returned = block.last_op
    assert returned is not None
    op = kind("p", block.args[0], type=TensorType(i64, (1,)))
    block.insert_op_before(op, returned)
    returned.operands[0] = op.output
    convert, module, context = ConvertTopToTpu(quantize="f32"), ModuleOp([made]), SmaltiContext()
    if kind is RankOp:
        convert.apply(context, module)
        assert [each.name for each in made.body.block.ops] == ["tpu.host_call", "func.return"]
    else:
        with pytest.raises(DiagnosticError, match="makes tensor<1xi64>"):
            convert.apply(context, module)


@pytest.mark.parametrize("has_range", [False, True])
def test_an_op_fixes_the_quantization_of_its_result(has_range: bool):
    """The scale is that of the trait, with a calibrated range and without one."""
    made = function([WaveOp], (4,))
    wave = next(op for op in made.body.block.ops if isinstance(op, WaveOp))
    if has_range:
        type = TensorType(calibrated(f32, -0.2, 0.3), (4,))
        Rewriter.replace_value_with_new_type(wave.output, type)
    doubled = top.AddOp("d", wave.output, wave.output, element=calibrated(f32, -2.0, 2.0))
    made.body.block.insert_op_after(doubled, wave)
    returned = made.body.block.last_op
    assert returned is not None
    returned.operands[0] = doubled.output
    ConvertTopToTpu(quantize="int8").apply(SmaltiContext(), ModuleOp([made]))
    total = next(op for op in made.body.block.ops if isinstance(op, tpu.AddOp))
    assert element_of(total.lhs) == uniform("i8", 1 / 127, 0)


def test_a_concat_compares_the_scale_that_an_op_fixes():
    block = function([], (4,)).body.block
    wave = WaveOp("w", block.args[0], type=TensorType(calibrated(f32, -0.001, 0.001), (4,)))
    small = top.ReluOp("r", block.args[0], type=TensorType(calibrated(f32, 0.0, 0.001), (4,)))
    join = top.ConcatOp(
        "j", [wave.output, small.output], axis=0, element=calibrated(f32, -1.0, 1.0)
    )
    assert list(hidden_operands(join)) == [small.output]


def test_what_scales_channels_becomes_part_of_their_weights():
    made = function([], (2, 3))
    block = made.body.block
    returned = block.last_op
    assert returned is not None
    three_by_two, two = TensorType(f32, (3, 2)), TensorType(f32, (2,))
    mixture = top.WeightOp(
        "w", type=three_by_two, value=DenseIntOrFPElementsAttr.from_list(three_by_two, [1.0] * 6)
    )
    scale = top.WeightOp("s", type=two, value=DenseIntOrFPElementsAttr.from_list(two, [2.0, 3.0]))
    mix = MixOp("m", block.args[0], mixture.output)
    scaled = top.MulOp("y", mix.output, scale.output)
    block.insert_ops_before([mixture, scale, mix, scaled], returned)
    returned.operands[0] = scaled.output
    context = SmaltiContext()
    FoldBatchNorm().apply(context, ModuleOp([made]))
    folded = returned.operands[0].owner
    assert isinstance(folded, MixOp) and folded.result_name.data == "y" and folded.start is None
    weight = folded.mixture.owner
    assert isinstance(weight, top.WeightOp)
    assert value_of(weight, context.weights).tolist() == [[2.0, 3.0]] * 3


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
