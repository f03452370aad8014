"""`top-smooth-quant`: moves what makes some channels of an activation large into the weights that read them.

Before, where some channels of %n are ten times as large as the others:

    %n = top.normalize "n" %x, %g bias %b ... : ...
    %y = top.matmul "y" %n, %w, %c : ...

After, with a factor sᵢ = max|nᵢ|^α / max|wᵢ|^(1 − α) for each channel i:

    %n = top.normalize "n" %x, %g' bias %b' ... : ...      g'ᵢ = gᵢ / sᵢ, b'ᵢ = bᵢ / sᵢ
    %y = top.matmul "y" %n, %w', %c : ...                  w'ᵢ = wᵢ · sᵢ

This is SmoothQuant (G. Xiao et al., 2022); what divides may be a product, too, so that it serves convolutions. If
others than products read a normalization, as a residual connection does, the products get a normalization of their own.
What the network computes stays the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.numerics.quantization import activation_parameters
from ...backends.numerics.storage import integer_range
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.network.rewriting import with_operands
from ..pattern_driver import pattern_counts, rewrite
from ..smalti_pass import Level, SmaltiPass, store_of
from .channel_factors import ChannelFactors, TakeFactors, along, channel_magnitudes, finite
from .channel_paths import ChannelPath, channel_paths, made_axis, readers_of
from .reconstruction import Grid, round_to_nearest
from .sample_run import Arrays, SampleRun, read_samples
from .weighted_layer import WeightedLayer

ALPHAS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""What is tried where no alpha is given, besides no factors at all."""
_TRIED_ELEMENTS = 1 << 16
"""The error of each alpha is that on samples of about so many numbers."""
_WEIGHTS = Grid(127)


class SplitNormalization(RewritePattern):
    """normalize that products and others read  ⇒  one for the products and one for the others."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store
        self.made: list[str] = []

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.NormalizeOp) or (axis := made_axis(op, self.store)) is None:
            return
        users = [use.operation for use in op.output.uses]
        reads = [readers_of(op.output, axis, [user]) is not None for user in users]
        if all(reads) or not any(reads):
            return
        name = f"{op.result_name.data}_smooth"
        self.made.append(name)
        own = with_operands(op, name, {})
        rewriter.insert(own, InsertPoint.after(op))
        for user, is_product in zip(users, reads, strict=True):
            if is_product:
                user.operands[0] = own.output
                rewriter.notify_op_modified(user)


@dataclass(frozen=True)
class SmoothQuant(SmaltiPass):
    """Move the magnitudes of activations' channels into the weights that read them, on samples: samples=FILE alpha=….

    A greater alpha moves more. Without alpha each activation gets the one at which the products that read it, in 8
    bits, are nearest to what they are in floats, or none if that is nearest. Channels that are clipped at a bound, as
    by ReLU6, are changed only as far as no sample is clipped otherwise than before. The pass runs before calibrated
    ranges are given.
    """

    name = "top-smooth-quant"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = {
        "smoothed": "activations whose channels were changed",
        **pattern_counts(SplitNormalization),
    }

    @cached_property
    def changed(self) -> set[str]:
        """The names of the tensors that have other numbers after the pass, or that it made."""
        return set()

    samples: str
    """Path of the samples, an .npz file."""
    alpha: float | None = None
    """How much is moved, from 0 to 1; None for what is best for each activation."""

    def arrays(self) -> Arrays:
        """Return the samples by input name. Raises DiagnosticError if they cannot be read."""
        return read_samples(self.samples)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        if self.alpha is not None and not 0 <= self.alpha <= 1:
            raise DiagnosticError(
                f"option 'alpha' is {self.alpha}, expected 0 to 1",
                Place(name=f"pass '{self.name}'"),
            )
        store, arrays = store_of(ctx), self.arrays()
        split = SplitNormalization(store)
        self.rewrite(module, [split])
        self.changed.update(split.made)
        for function in module.body.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                factors = self._factors(function, store, arrays)
                rewrite(module, [TakeFactors(factors)])

    def _factors(self, function: FuncOp, store: WeightStore, samples: Arrays) -> ChannelFactors:
        found = ChannelFactors(store)
        paths = {path.read: path for path in channel_paths(function.body.block, store)}
        unclipped = {path.made: path for path in paths.values()}
        greatest: dict[ChannelPath, np.ndarray] = {}
        alphas = ALPHAS if self.alpha is None else (self.alpha,)
        with SampleRun(function, store, samples) as run:
            for op in function.body.block.ops:
                if not isinstance(op, top.TopOp):
                    break
                run.compute(op)
                if op.output in unclipped:
                    path = unclipped[op.output]
                    greatest[path] = path.greatest(run.value(op.output))
                if op.output in paths:
                    path = paths[op.output]
                    numbers = run.value(op.output)
                    tried = [
                        path.allowed(_smoothing(path, numbers, alpha, store), greatest[path])
                        for alpha in alphas
                    ]
                    if self.alpha is None:
                        tried = [np.ones(path.channels), *tried]
                    chosen = tried[0] if len(tried) == 1 else _best(path, numbers, tried, store)
                    found.apply(path, chosen)
                    if np.any(chosen != 1):
                        self.count("smoothed")
                        self.changed.update(path.names)
                run.release(op)
        return found


class SmoothQuantInMemory(SmoothQuant):
    """The pass on samples that are already in memory; `samples` names them."""

    _arrays: Arrays

    def __init__(self, samples: str, arrays: Arrays, **options: Any) -> None:
        super().__init__(samples, **options)
        object.__setattr__(self, "_arrays", arrays)  # the pass is frozen, as all are

    def arrays(self) -> Arrays:
        return self._arrays


def _smoothing(
    path: ChannelPath, numbers: np.ndarray, alpha: float, store: WeightStore
) -> np.ndarray:
    """Return the factors of a path by `alpha`, whose geometric mean is 1: the scale of a tensor is of no matter."""
    activations = path.greatest_magnitude(numbers)
    weights = np.zeros(path.channels)
    for reader, axis in path.readers.items():
        layer = WeightedLayer.of(reader)
        assert layer is not None
        weight = value_of(layer.weight, store)
        weights = np.maximum(weights, channel_magnitudes(weight, axis))
    used = (activations > 0) & (weights > 0)
    if not used.any():
        return np.ones(path.channels)
    logs = alpha * np.log(activations[used]) - (1 - alpha) * np.log(weights[used])
    factors = np.ones(path.channels)
    factors[used] = np.exp(logs - logs.mean())
    return finite(factors)


def _best(
    path: ChannelPath, numbers: np.ndarray, tried: Sequence[np.ndarray], store: WeightStore
) -> np.ndarray:
    """Return those factors with which the products that read [S, shape...] lose least in 8 bits."""
    step = max(1, numbers.size // _TRIED_ELEMENTS)
    errors = [_error(path, numbers, numbers[::step], factors, store) for factors in tried]
    return tried[int(np.argmin(errors))]


def _error(
    path: ChannelPath,
    numbers: np.ndarray,
    part: np.ndarray,
    factors: np.ndarray,
    store: WeightStore,
) -> float:
    """Return the squared errors of the products that read `part` of a path's `numbers` in 8 bits, each as a share of
    the squares of its results.
    """
    divisors = along(factors, path.axis + 1, numbers.ndim).astype(np.float32)
    axes = tuple(a for a in range(numbers.ndim) if a != path.axis + 1)
    low = float((numbers.min(axes) / factors).min())
    high = float((numbers.max(axes) / factors).max())
    scale, zero_point = activation_parameters(low, high)
    least, greatest = (end - zero_point for end in integer_range("i8"))
    rounded = np.clip(np.rint(part / divisors / scale), least, greatest) * np.float32(scale)
    total = 0.0
    for reader, axis in path.readers.items():
        layer = WeightedLayer.of(reader)
        assert layer is not None
        form = layer.form
        weight = value_of(layer.weight, store).astype(np.float64)
        scaled = form.weight_matrices(weight * along(factors, axis, weight.ndim))
        quantized = round_to_nearest(scaled, _WEIGHTS).weights.astype(np.float32)
        exact = form.factors(part) @ form.weight_matrices(weight).astype(np.float32)
        got = form.factors(rounded) @ quantized
        total += float(((got - exact) ** 2).sum()) / max(float((exact**2).sum()), 1e-30)
    return total
