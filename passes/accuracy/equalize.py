"""`top-equalize`: balances the channels between products, so that one scale fits all channels of tensors and weights.

Before:

    %a = top.conv2d "a" %x, %w, %b : ...
    %r = top.relu "r" %a : ...
    %y = top.conv2d "y" %r, %v, %c : ...

After, with a factor sᵢ = √(max|wᵢ| / max|vᵢ|) for each channel i of %r:

    %a = top.conv2d "a" %x, %w', %b' : ...         w'ᵢ = wᵢ / sᵢ, b'ᵢ = bᵢ / sᵢ
    %r = top.relu "r" %a : ...
    %y = top.conv2d "y" %r, %v', %c : ...          v'ᵢ = vᵢ · sᵢ

This is cross-layer equalization (M. Nagel et al.: Data-Free Quantization Through Weight Equalization and Bias
Correction, 2019). Depthwise convolutions are in the middle of two such pairs; all pairs are balanced in turns until
nothing changes. What the network computes stays the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ..pattern_driver import rewrite
from ..smalti_pass import Level, SmaltiPass, store_of
from ..top.fold_batch_norm import Product
from .channel_factors import ChannelFactors, TakeFactors, channel_magnitudes, finite
from .channel_paths import ChannelPath, channel_paths
from .sample_run import Arrays, SampleRun, read_samples

_SWEEPS = 20
_SETTLED = 1e-3


@dataclass(frozen=True)
class Equalize(SmaltiPass):
    """Balance the weights of channels between products: samples=FILE.

    Between the products there may be ops that keep positive factors, as relu does. Channels that are clipped at a
    bound, as by ReLU6, take part only where there are samples, and only as far as none of those is clipped otherwise
    than before. The pass runs before calibrated ranges are given.
    """

    name = "top-equalize"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = {
        "balanced": "tensors whose channels were balanced",
        "bounded": "tensors left as they are, for they are clipped at a bound and there are no samples",
    }

    @cached_property
    def changed(self) -> set[str]:
        """The names of the tensors that have other numbers after the pass."""
        return set()

    samples: str | None = None
    """Path of the samples, an .npz file, for channels that are clipped; None to leave these as they are."""

    def arrays(self) -> Arrays | None:
        """Return the samples by input name, if there are any. Raises DiagnosticError if they cannot be read."""
        return None if self.samples is None else read_samples(self.samples)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        store, arrays = store_of(ctx), self.arrays()
        for function in module.body.ops:
            if not isinstance(function, FuncOp) or not function.body.blocks:
                continue
            paths = [
                path
                for path in channel_paths(function.body.block, store)
                if Product.of(path.maker) is not None
            ]
            greatest: dict[ChannelPath, np.ndarray] = {}
            if arrays is not None and any(np.isfinite(path.bound) for path in paths):
                greatest = greatest_before_clips(function, store, arrays, paths)
            usable = [path for path in paths if np.isinf(path.bound) or path in greatest]
            self.count("bounded", len(paths) - len(usable))
            factors = _balanced(usable, greatest, store)
            for path in usable:
                if np.any(factors.made[path.maker] != 1):
                    self.count("balanced")
                    self.changed.update(path.names)
            rewrite(module, [TakeFactors(factors)])


class EqualizeInMemory(Equalize):
    """The pass on samples that are already in memory; `samples` names them."""

    _arrays: Arrays

    def __init__(self, samples: str, arrays: Arrays, **options: Any) -> None:
        super().__init__(samples, **options)
        object.__setattr__(self, "_arrays", arrays)  # the pass is frozen, as all are

    def arrays(self) -> Arrays:
        return self._arrays


def _balanced(
    paths: list[ChannelPath], greatest: Mapping[ChannelPath, np.ndarray], store: WeightStore
) -> ChannelFactors:
    """Return the factors at which the weights on both sides of each path have equal magnitudes."""
    found = ChannelFactors(store)
    for path in paths:
        found.apply(path, np.ones(path.channels))
    for _ in range(_SWEEPS):
        change = 0.0
        for path in paths:
            product = Product.of(path.maker)
            assert product is not None
            made = channel_magnitudes(found.weight(path.maker), product.channels.weight_axis)
            read = np.max(
                [channel_magnitudes(found.weight(op), axis) for op, axis in path.readers.items()],
                axis=0,
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                factors = finite(np.sqrt(made / read))
            if path in greatest:
                before = found.made[path.maker]
                factors = path.allowed(factors * before, greatest[path]) / before
            found.apply(path, factors)
            change = max(change, float(np.abs(np.log(factors)).max(initial=0)))
        if change < _SETTLED:
            break
    return found


def greatest_before_clips(
    function: FuncOp, store: WeightStore, samples: Arrays, paths: list[ChannelPath]
) -> dict[ChannelPath, np.ndarray]:
    """Return the greatest number of each channel over samples, before it is clipped, by path."""
    made = {path.maker: path for path in paths}
    found: dict[ChannelPath, np.ndarray] = {}
    with SampleRun(function, store, samples) as run:
        for op in function.body.block.ops:
            if not isinstance(op, top.TopOp):
                break
            run.compute(op)
            if op in made:
                found[made[op]] = made[op].greatest(run.value(op.output))
            run.release(op)
    return found
