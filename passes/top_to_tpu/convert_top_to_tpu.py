"""`convert-top-to-tpu`: from what the network does to what the target computes, in integers or floats, by a scheme for
each layer.

Before:

    func.func @main(%image: tensor<1x4x!quant.calibrated<f32<0.0:1.0>>>) -> ... {
      %w = top.weight "w" key = "fc.weight" : tensor<4x2xf32>
      %c = top.matmul "c" %image, %w : ...
      %y = top.relu "y" %c : ... -> tensor<1x2x!quant.calibrated<f32<0.0:3.0>>>
      func.return %y

After (quantize=int8):

    func.func @main(%image: tensor<1x4xf32>) -> tensor<1x2xf32> {
      %image_i8 = tpu.cast "image_i8" %image : ... -> tensor<1x4x!quant.uniform<i8:f32, ...>>
      %w = tpu.weight "fc.weight.i8" key = "fc.weight.i8" : tensor<4x2x!quant.uniform<...>>
      %c = tpu.matmul "c" %image_i8, %w accumulator = "i32" : ...
      %y = tpu.clamp "y" %c clamp_low = 0.0 : ...
      %y_f32 = tpu.cast "y_f32" %y : ... -> tensor<1x2xf32>
      func.return %y_f32

Where a relu or clip is the only user of an op that rounds its result, that op rounds to the
activation's quantization: saturating there loses nothing that the clamp keeps, and the finer scale
is used from the start. Where a concat is, it rounds to the concat's, which its result would be
requantized to. Arithmetic between a product and a softmax, such as the masks of attention, is in
floats, as the softmax is; so is what comparisons or ops with poles (log, 1/x) read, and what is only
moved on its way to an output. What 8 bits have rounded is kept away from poles.

In f32, f16 and bf16 every tensor is stored in that type, weights converted once; biases stay f32, as
the accumulators that they are added to, and so does what f16 cannot hold: sums of squares, and sums
of integers until they are scaled. Inputs and results of the function keep their types, with
casts at the border.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import Rewriter

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.numerics.storage import NETWORK_FLOAT_NAMES, PACKED_NAMES, is_float
from ...backends.targets.target import Target, load_target
from ...dialects import top, tpu
from ...dialects.ir.context import report
from ...dialects.ir.location import place_of
from ...dialects.ir.target_attribute import set_target
from ...dialects.ir.weights import WeightStore
from ...dialects.network.traits import GivesQuantization, Moves, RoundsResult, TakesAnyElements
from ...dialects.quant.element_type import (
    element_storage,
    shape_of,
)
from ..smalti_pass import F32_TOLERANCE, Level, SmaltiPass, store_of
from ..top.constant import constant_result, make_constant
from .conversions import conversion_of
from .poles import bound_result, bounded_operand, doubt, rounded_near_poles
from .precision.float_results import float_results
from .precision.given_quantization import given_elements
from .precision.given_regions import given_regions
from .precision.joined_factors import factors_of_joins
from .precision.layer_schemes import schemes_in_qtable, schemes_of_layers
from .precision.saturated_ranges import saturated_bounds
from .precision.schemes import Scheme, check_target, chosen_scheme
from .precision.uneven_joins import hidden_operands, one_scale_warning, uneven_joins
from .precision.wide_floats import wide_results
from .tpu_builder import TpuBuilder

_COMPUTED = (*NETWORK_FLOAT_NAMES, "bool")
"""The element types that engines compute; others are only moved, and given to calls of the host."""
_ROUNDING = {"f16": 0.01, "bf16": 0.1, "i8": 0.25}
"""By how much rounding activations to each type may change an output, as a share of the output's range."""


@dataclass(frozen=True)
class ConvertTopToTpu(SmaltiPass):
    """Convert a network to what the target computes: target=NAME
    quantize=int8|f32|f16|bf16 scheme=NAME qtable=FILE.

    The target may be a file (target=my.toml). A scheme wins over quantize, which takes the plainest schemes only. Those
    of integers need a calibrated range on every activation that gets a quantization of its own
    (top-annotate-calibration); data movement and max_pool keep their input's. Casts stand at the borders of the
    function and around what computes in floats. A row of the qtable is NAME SCHEME: the layer whose result has that
    name, or all that fit the glob, compute by that scheme.
    """

    name = "convert-top-to-tpu"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = {
        "ops": "top ops converted",
        "host_calls": "ops that the host computes",
        "saturated_weights": "weights that the storage type cannot hold, put at its limit",
    }

    target: str = "default-8c"
    """Name of the target, or path of its TOML file."""
    quantize: str = "int8"
    """Type that the target computes in: int8, or a type of floats for all values."""
    scheme: str | None = None
    """Name of the scheme by which the network is quantized; None for what quantize says."""
    qtable: str | None = None
    """Path of a table that gives some layers another scheme; None for none."""

    @property
    def tolerance(self) -> float:
        """By how much rounding to the number format may change an output; a greater change is not a loss of precision
        but a mistake.
        """
        scheme = self._chosen()
        rounding = _ROUNDING.get(scheme.activations, F32_TOLERANCE)
        return rounding if is_float(scheme.weights) else max(rounding, _ROUNDING["i8"])

    def run(self, ctx: Context, module: ModuleOp) -> None:
        scheme = self._chosen()
        target = load_target(self.target)
        functions = [op for op in module.body.ops if isinstance(op, FuncOp) and op.body.blocks]
        if not functions:
            raise DiagnosticError("the module has no function to convert", place_of(module))
        for function in functions:
            self._convert(function, ctx, scheme, target)
        set_target(module, self.target, target)

    def _chosen(self) -> Scheme:
        return chosen_scheme(self.scheme, self.quantize, Place(name=f"pass '{self.name}'"))

    def _convert(self, function: FuncOp, ctx: Context, scheme: Scheme, target: Target) -> None:
        old = _body(function)
        _fold_without_elements(old, store_of(ctx))
        ops = list(old.ops)
        schemes = schemes_of_layers(ops, scheme, self.given_schemes)
        for each in dict.fromkeys((scheme, *schemes.values())):
            check_target(each, target)
        builder = TpuBuilder(function, store_of(ctx), scheme, schemes)
        given = given_elements(ops)
        for value, element in given.items():
            builder.ranges.give(value, element)
        if builder.quantizes:
            builder.float_results = float_results(ops)
            builder.ranges.bounds = saturated_bounds(ops, builder.float_results, builder.store)
            builder.given_regions = {*given_regions(ops), *builder.float_formats}
            floats = {*builder.float_results, *builder.given_regions, *given}
            builder.joined = factors_of_joins(ops, floats)
            _share_quantization(builder, ops)
        products = "f32" in target.matrix.macs_per_cycle
        builder.packed_weights = set(PACKED_NAMES) & target.matrix.macs_per_cycle.keys()
        builder.scales_groups = target.matrix.group_scales
        builder.wide_results = _wide_results(schemes, ops, builder.store, products)
        returned = ops.pop()
        assert isinstance(returned, ReturnOp)
        for op in ops:
            builder.begin(op)
            conversion = conversion_of(op)
            if conversion is None:
                raise _cannot_convert(op)
            _check_storage(op)
            _convert_near_poles(builder, op, conversion)
            self.count("ops")
        builder.begin(returned)
        outputs = [builder.as_given(value) for value in returned.operands]
        self.count("saturated_weights", builder.saturated)
        if builder.saturated:
            message = f"{builder.saturated} weights are beyond {scheme.activations} and stand at its limit"
            report(ctx, Diagnostic("remark", message, place_of(function)))
        builder.ranges.check()
        for warning in (*builder.warnings, *_warn_of_joins(builder, ops)):
            report(ctx, warning)
        builder.add(ReturnOp(*outputs))
        _remove_unused_calls(builder)
        self._report_host_calls(ctx, builder)
        function.body.detach_block(old)
        old.erase()
        function.body.add_block(builder.block)
        inputs = [argument.type for argument in builder.block.args]
        function.properties["function_type"] = FunctionType.from_lists(
            inputs, [each.type for each in outputs]
        )

    def given_schemes(self, layers: Collection[str]) -> Mapping[str, Scheme]:
        """Return the schemes of those layers that have one of their own, by their names."""
        return schemes_in_qtable(self.qtable, layers)

    def _report_host_calls(self, ctx: Context, builder: TpuBuilder) -> None:
        """Report what the host computes, so that nobody has to notice it by the time that it takes."""
        calls = [op for op in builder.block.ops if isinstance(op, tpu.HostCallOp)]
        self.count("host_calls", len(calls))
        for op in calls:
            call = op.call()
            storages = ", ".join(dict.fromkeys(each.storage for each in call.operands))
            known = f"no engine does {call.function} of {storages}", call.known.advice
            cause, advice = builder.causes.get(op, known)
            message = f"the host computes '{op.result_name.data}': {cause}"
            report(ctx, Diagnostic("remark", message, place_of(op), hint=advice or None))


class ConvertBySchemes(ConvertTopToTpu):
    """The pass with the schemes of layers in memory, by their names, in place of a qtable; `others` is the scheme of
    the layers that have none.
    """

    _given: Mapping[str, Scheme]

    def __init__(self, target: str, others: str, given: Mapping[str, Scheme]) -> None:
        super().__init__(target=target, scheme=others)
        object.__setattr__(self, "_given", given)  # the pass is frozen, as all are

    def given_schemes(self, layers: Collection[str]) -> Mapping[str, Scheme]:
        return self._given


def _wide_results(
    schemes: Mapping[SSAValue, Scheme],
    ops: Sequence[Operation],
    store: WeightStore,
    products: bool,
) -> set[SSAValue]:
    """Return the results of layers in f16 and bf16 that are computed in f32 all the same, `products` too."""
    found: set[SSAValue] = set()
    for narrow in ("f16", "bf16"):
        narrow_results = {value for value, each in schemes.items() if each.activations == narrow}
        if narrow_results:
            found |= narrow_results & wide_results(ops, narrow, store, products=products)
    return found


def _remove_unused_calls(builder: TpuBuilder) -> None:
    """Remove calls whose results nothing reads: what read them took another form."""
    for op in reversed(list(builder.block.ops)):
        if isinstance(op, tpu.HostCallOp) and not any(op.output.uses):
            op.detach()
            op.erase()


def _body(function: FuncOp) -> Block:
    """Return the one block of a function. Raises DiagnosticError if there are more, or if it does not end in a
    return.
    """
    if len(function.body.blocks) != 1 or not isinstance(function.body.block.last_op, ReturnOp):
        raise DiagnosticError("a network is one block that ends in func.return", place_of(function))
    for argument in function.body.block.args:
        try:
            element_storage(argument.type)
        except ValueError as error:
            raise DiagnosticError(f"input {argument.index}: {error}", place_of(function)) from None
    return function.body.block


def _cannot_convert(op: Operation) -> DiagnosticError:
    """Return the diagnostic for an op without a conversion: of a plugin, or of another level."""
    if not isinstance(op, top.TopOp):
        message, hint = f"{op.name} is no op of level top", "convert a module of level top"
        return DiagnosticError(message, place_of(op), hint=hint)
    name = type(op).__name__
    return DiagnosticError(
        f"{op.name} has no conversion in {ConvertTopToTpu.name}",
        place_of(op),
        hint="write a function of (builder, op) that adds tpu ops, and register it: "
        f"Plugin(conversions={{{name}: convert}}); or replace the op by others in a pass before",
    )


def _check_storage(op: Operation) -> None:
    """Raise DiagnosticError if an op that computes makes values that no engine computes."""
    if isinstance(op, top.WeightOp) or TakesAnyElements.holds(op) or Moves.holds(op):
        return
    if element_storage(op.results[0].type) not in _COMPUTED:
        raise DiagnosticError(
            f"{op.name} makes {op.results[0].type}: engines compute {', '.join(_COMPUTED)}",
            place_of(op),
            hint="use top.call with a function of these elements, or cast its operands to f32 before",
        )


def _share_quantization(builder: TpuBuilder, ops: list[Operation]) -> None:
    """Let values that only a relu, clip or concat uses be quantized as its result is. This goes from the end on, so
    that a chain takes the quantization of its last op.
    """
    for op in reversed(ops):
        if not GivesQuantization.holds(op) or _joins_floats(builder, op):
            continue
        for value in op.operands:
            scheme = builder.scheme_of(value)
            if not value.has_one_use() or not RoundsResult.holds(value.owner):
                continue
            if scheme.quantizes and scheme == builder.scheme_of(op.results[0]):
                builder.ranges.take(value, op.results[0], scheme)


def _warn_of_joins(builder: TpuBuilder, ops: Sequence[Operation]) -> list[Diagnostic]:
    """Return the warnings for concats that hide some of what they join, because readers want them in one scale."""
    forced = dict.fromkeys(
        join
        for value, join in uneven_joins(ops).items()
        if builder.has_quantized_form(value) and not builder.follows_model(value)
    )
    told: list[Diagnostic] = []
    for join in forced:
        remark = builder.joined.remark(join) if isinstance(join, top.ConcatOp) else None
        hidden = [value for value in hidden_operands(join) if value not in builder.joined.values]
        told += [] if remark is None else [remark]
        told += [one_scale_warning(join, hidden, builder.name_of)] if hidden else []
    return told


def _joins_floats(builder: TpuBuilder, op: Operation) -> bool:
    """Tell whether `op` is a concat in floats, whose parts keep their own scales."""
    return Moves.holds(op) and op.results[0] in builder.float_results


def _convert_near_poles(
    builder: TpuBuilder, op: Operation, conversion: Callable[[TpuBuilder, Any], None]
) -> None:
    """Convert `op`; if it has poles and 8 bits have rounded what it reads, keep it away from them."""
    rounded = rounded_near_poles(builder, op)
    builder.bounded = {
        value: bounded_operand(builder, value, points) for value, points in rounded.items()
    }
    conversion(builder, op)
    builder.bounded = {}
    if not rounded:
        return
    assert isinstance(op, top.TopOp)
    bound_result(builder, op.output)
    warning = doubt(builder, op, rounded)
    if warning is not None:
        builder.warnings.append(warning)


def _fold_without_elements(block: Block, store: WeightStore) -> None:
    """Put constants in the place of ops whose results have no elements or are computed from nothing else: no engine
    computes on nothing.
    """
    for op in block.ops:
        if isinstance(op, top.TopOp) and any(
            0 in shape_of(value) for value in (op.output, *op.operands)
        ):
            array = constant_result(op, store)
            if array is not None:
                constant = make_constant(op.result_name.data, array, store)
                constant.location = op.location
                Rewriter.replace_op(op, constant)
