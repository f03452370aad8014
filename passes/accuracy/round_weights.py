"""`top-round-weights`: rounds weights and corrects biases so that layers give what they give in floats, on samples.

Before, with calibrated ranges:

    %w = top.weight "w" key = "w" : tensor<4x2xf32>
    %y = top.matmul "y" %x, %w, %b : ...

After (rounding=adaround, correct-biases=true):

    %w = top.weight "w_i8" key = "w.i8" : tensor<4x2x!quant.uniform<i8<-127:127>:f32:1, {0.01,0.02}>>
    %w_1 = top.dequantize "w" %w : ...
    %b = top.weight "b" value = dense<...> : tensor<2xf32>
    %y = top.matmul "y" %x, %w_1, %b : ...

The conversion to level tpu keeps the integers. Layers are rounded in order: each reads what the network gives whose
layers before are quantized, and is compared with what it gives in the float network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NotRequired, TypedDict

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ...backends.numerics.storage import LOOKUP_NAMES, PACKED_NAMES, dtype_of, storage_type
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.network.rewriting import erase_if_unused, take_type
from ...dialects.quant import UniformQuantizedType, uniform, uniform_per_axis
from ...dialects.quant.element_type import shape_of
from ..pattern_driver import pattern_counts, rewrite
from ..smalti_pass import Level, SmaltiPass, store_of
from ..top.constant import make_constant
from ..top.fold_batch_norm import Product
from ..top_to_tpu.precision.layer_schemes import schemes_in_qtable, schemes_of_layers
from ..top_to_tpu.precision.schemes import Scheme, chosen_scheme
from .reconstruction import Grid, Moments, Rounded, round_adaptively, round_to_nearest
from .rounded_activations import RoundedActivations
from .roundings import ROUNDINGS
from .sample_run import Arrays, SampleRun, read_samples
from .weighted_layer import WeightedLayer

CHANGE = 0.25
"""By how much other integers may change an output, as a share of its range."""


class AddBias(RewritePattern):
    """conv2d or matmul without a bias  ⇒  one with a bias of zeros, for the correction to change."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        layer = WeightedLayer.of(op)
        if layer is None or layer.bias is not None:
            return
        outputs = shape_of(layer.weight.output)[layer.weight_axis]
        name = layer.op.result_name.data
        bias = make_constant(f"{name}_bias", np.zeros(outputs, np.float32), self.store)
        product = Product(layer.op, layer.channels)
        changed = product.with_weights(name, layer.weight.output, bias.output)
        take_type(changed, layer.op.output)
        rewriter.replace(layer.op, [bias, changed])


@dataclass(frozen=True)
class RoundWeights(SmaltiPass):
    """Round the weights of quantized layers, or correct their biases, on samples: samples=FILE
    rounding=nearest|adaround correct-biases=true|false quantize=… scheme=… qtable=FILE.

    The samples are an .npz with arrays named as the inputs. Layers in floats or of more than 8 bits, weights
    with several scales for an output, and weights that the model itself quantizes stay as they are.
    """

    name = "top-round-weights"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = {
        "weights": "layers whose weights were rounded",
        "moved": "weights that became another integer than the nearest",
        "biases": "layers whose biases were corrected",
        **pattern_counts(AddBias),
    }

    samples: str
    """Path of the samples, an .npz file."""
    rounding: str = "adaround"
    """How weights are rounded."""
    correct_biases: bool = True
    """Whether biases take what the means of results lose."""
    weight_bits: int | None = None
    """Bits of weights, if they are to have fewer than their scheme says, stored as it says; None for all."""
    quantize: str = "int8"
    """Type that the target computes in, as convert-top-to-tpu takes it."""
    scheme: str | None = None
    """Name of the scheme of the network, as convert-top-to-tpu takes it; None for what quantize says."""
    qtable: str | None = None
    """Path of a table that gives some layers another scheme; None for none."""

    @property
    def tolerance(self) -> float:
        return CHANGE

    def arrays(self) -> Arrays:
        """Return the samples by input name. Raises DiagnosticError if they cannot be read."""
        return read_samples(self.samples)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        place = Place(name=f"pass '{self.name}'")
        if self.rounding not in ROUNDINGS:
            raise DiagnosticError(
                f"option 'rounding' is {self.rounding}, expected one of {', '.join(ROUNDINGS)}",
                place,
                hint=did_you_mean(self.rounding, ROUNDINGS),
            )
        if self.weight_bits is not None and not 2 <= self.weight_bits <= 8:
            raise DiagnosticError(
                f"option 'weight-bits' is {self.weight_bits}, expected 2 to 8", place
            )
        network = chosen_scheme(self.scheme, self.quantize, place)
        given = partial(schemes_in_qtable, self.qtable)
        store, arrays = store_of(ctx), self.arrays()
        if self.correct_biases:
            self.rewrite(module, [AddBias(store)])
        for function in module.body.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                schemes = schemes_of_layers(function.body.block.ops, network, given)
                activations = RoundedActivations(function.body.block, schemes, network)
                plan = self._plan(function, store, arrays, activations)
                rewrite(module, [ReplaceConstants(plan, store)])

    def _plan(
        self,
        function: FuncOp,
        store: WeightStore,
        samples: Arrays,
        activations: RoundedActivations,
    ) -> dict[Operation, NewConstants]:
        """Return the new constants of layers, while both networks run over the samples layer by layer."""
        plan: dict[Operation, NewConstants] = {}
        with (
            SampleRun(function, store, samples) as floats,
            SampleRun(function, store, samples, activations.rounded) as quantized,
        ):
            for op in function.body.block.ops:
                if not isinstance(op, top.TopOp):
                    break
                floats.compute(op)
                layer, scheme = WeightedLayer.of(op), activations.scheme_of(op.output)
                given: dict[SSAValue, np.ndarray] = {}
                if layer is not None and activations.is_quantized(op.output):
                    weight = value_of(layer.weight, store)
                    bias = np.zeros(0) if layer.bias is None else value_of(layer.bias, store)
                    grid = self._grid(scheme)
                    input = activations.narrowed(layer.input, quantized.value(layer.input), scheme)
                    given[layer.input] = input
                    if grid is not None and np.all(np.isfinite(weight)):
                        new = self._new(layer, weight, bias, grid, input, floats)
                        plan[op] = NewConstants(layer, new[0], scheme.weights, grid, new[1])
                        given.update(layer.constants(plan[op].numbers, new[1]))
                quantized.compute(op, given)
                floats.release(op)
                quantized.release(op)
        return plan

    def _grid(self, scheme: Scheme) -> Grid | None:
        """Return the integers that weights of a scheme may be; None if there are several scales for an output, or if
        activations have more than 8 bits, as which weights are stored then.
        """
        if isinstance(scheme.weight_scales, int) or scheme.activations not in LOOKUP_NAMES:
            return None
        bits = self.weight_bits or storage_type(scheme.weights).file_bits
        per_output = scheme.weight_scales == "channel"
        return Grid((1 << (bits - 1)) - 1, per_output, scheme.power_of_two)

    def _new(
        self,
        layer: WeightedLayer,
        weight: np.ndarray,
        bias: np.ndarray,
        grid: Grid,
        input: np.ndarray,
        floats: SampleRun,
    ) -> tuple[Rounded, np.ndarray]:
        """Return the new weights and the new bias of a layer that reads `input` in the quantized network."""
        adapts = self.rounding == "adaround"
        moments = Moments(covary=adapts)
        form, result = layer.form, layer.op.output
        for part in floats.chunks(layer.input, result):
            moments.add(
                form.factors(input[part]),
                form.sums(floats.value(result)[part]),
            )
        matrices = form.weight_matrices(weight).astype(np.float64)
        if adapts:
            rounded = round_adaptively(matrices, moments, grid)
            nearest = grid.nearest(matrices, rounded.scales)
            self.count("moved", int(np.count_nonzero(rounded.integers != nearest)))
        else:
            rounded = round_to_nearest(matrices, grid)
        self.count("weights")
        if self.correct_biases:
            bias = moments.bias(rounded.weights).astype(np.float32)
            self.count("biases")
        return rounded, bias


class StorageLimits(TypedDict):
    """The least and the greatest integer of a quantized type."""

    storage_min: NotRequired[int]
    storage_max: NotRequired[int]


@dataclass(frozen=True)
class NewConstants:
    """The integers of a layer's weights in the storage type `storage`, and its bias."""

    layer: WeightedLayer
    rounded: Rounded
    storage: str
    grid: Grid
    bias: np.ndarray

    @property
    def numbers(self) -> np.ndarray:
        """What the weights stand for, f32 in the op's shape."""
        return self.layer.form.weight_of_matrices(self.rounded.weights).astype(np.float32)

    @property
    def integers(self) -> np.ndarray:
        """The weights in their storage type, in the op's shape."""
        integers = self.layer.form.weight_of_matrices(self.rounded.integers)
        return integers.astype(np.int8).astype(dtype_of(self.storage))

    @property
    def element(self) -> UniformQuantizedType:
        """The type of the integers."""
        scales = self.rounded.scales.reshape(-1).tolist()
        limit = self.grid.limit
        limits: StorageLimits = {}
        if self.storage not in PACKED_NAMES:
            limits = {"storage_min": -limit, "storage_max": limit}
        if not self.grid.per_output:
            return uniform(self.storage, scales[0], **limits)
        axis = self.layer.weight_axis
        return uniform_per_axis(self.storage, axis, scales, **limits)


class ReplaceConstants(RewritePattern):
    """conv2d or matmul  ⇒  conv2d or matmul with the weights and the bias of a plan."""

    def __init__(self, plan: dict[Operation, NewConstants], store: WeightStore) -> None:
        self.plan = plan
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        new = self.plan.pop(op, None)
        if new is None:
            return
        layer, name = new.layer, new.layer.weight.result_name.data
        stored = make_constant(
            f"{name}_{new.storage}", new.integers, self.store, f"{name}.{new.storage}", new.element
        )
        weight = top.DequantizeOp(name, stored.output)
        made: list[top.TopOp] = [stored, weight]
        bias = layer.bias
        if bias is not None:
            bias = make_constant(bias.result_name.data, new.bias, self.store)
            made.append(bias)
        product = Product(layer.op, layer.channels)
        changed = product.with_weights(
            layer.op.result_name.data, weight.output, None if bias is None else bias.output
        )
        take_type(changed, layer.op.output)
        rewriter.replace(layer.op, [*made, changed])
        erase_if_unused(rewriter, layer.weight, layer.bias)


class RoundWeightsInMemory(RoundWeights):
    """The pass on samples that are already in memory; `samples` names them."""

    _arrays: Arrays

    def __init__(self, samples: str, arrays: Arrays, **options: Any) -> None:
        super().__init__(samples, **options)
        object.__setattr__(self, "_arrays", arrays)  # the pass is frozen, as all are

    def arrays(self) -> Arrays:
        return self._arrays
