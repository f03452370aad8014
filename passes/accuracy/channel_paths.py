"""Paths along which a positive factor of each channel can go from the op that makes a tensor into those that read it.

    %a = top.conv2d "a" %x, %w, %b        the channels of %w and of %b divided by the factors
    %r = top.relu "r" %a                  keeps a positive factor
    %y = top.conv2d "y" %r, %v, %c        the weights of each input channel times its factor

What the network computes stays the same but for rounding of the weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import top
from ...dialects.ir.location import place_of
from ...dialects.ir.weights import WeightStore
from ...dialects.network.traits import KeepsFactors, WeighsChannels
from ...dialects.quant import CalibratedType
from ...dialects.quant.element_type import element_of, is_network_float, shape_of
from ..top.constant import constant_of, per_channel, weight_of
from ..top.fold_batch_norm import Product
from .weighted_layer import WeightedLayer


@dataclass(frozen=True, eq=False)
class ChannelPath:
    """The op `maker` makes channels along `axis` that pass through `between` and are read by `readers` alone.

    `readers` maps each reader to the axis of its weights along which the channels lie. `bound` is the number at which
    channels are clipped on the way, infinity for none.
    """

    maker: top.TopOp
    between: tuple[top.TopOp, ...]
    axis: int
    readers: Mapping[top.TopOp, int]
    bound: float = np.inf

    @property
    def made(self) -> SSAValue:
        """The result of the maker, which nothing has clipped."""
        return self.maker.output

    @property
    def read(self) -> SSAValue:
        """What the readers read."""
        return self.between[-1].output if self.between else self.maker.output

    @property
    def names(self) -> list[str]:
        """The names of the tensors on the path."""
        return [op.result_name.data for op in (self.maker, *self.between)]

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return shape_of(self.read)[self.axis]

    def greatest(self, numbers: np.ndarray) -> np.ndarray:
        """Return the greatest number of each channel of [S, shape...]."""
        axis = self.axis + 1
        return numbers.max(tuple(a for a in range(numbers.ndim) if a != axis)).astype(np.float64)

    def greatest_magnitude(self, numbers: np.ndarray) -> np.ndarray:
        """Return the greatest magnitude in each channel of [S, shape...]."""
        return np.maximum(self.greatest(numbers), self.greatest(-numbers))

    def allowed(self, factors: np.ndarray, unclipped: np.ndarray) -> np.ndarray:
        """Return the factors by which channels are divided, changed so that none whose greatest number before the clip
        is `unclipped` is clipped otherwise than before: 1 for channels that are clipped.
        """
        if np.isinf(self.bound):
            return factors
        least = np.maximum(unclipped, 0) / self.bound
        return np.where(unclipped > self.bound, 1.0, np.maximum(factors, least))


def channel_paths(block: Block, store: WeightStore) -> list[ChannelPath]:
    """Return the paths of a block, in the order of their makers. Raises DiagnosticError if a tensor on one has a
    calibrated range, which factors would make wrong.
    """
    found: list[ChannelPath] = []
    for op in block.ops:
        if isinstance(op, top.TopOp) and (path := _path_from(op, store)) is not None:
            for value in (path.made, *(each.output for each in path.between)):
                _check_without_range(value)
            found.append(path)
    return found


def _check_without_range(value: SSAValue) -> None:
    if isinstance(element_of(value), CalibratedType):
        owner = value.owner
        assert isinstance(owner, top.TopOp)
        raise DiagnosticError(
            f"'{owner.result_name.data}' has a calibrated range, which other channels would make wrong",
            place_of(owner),
            hint="run the pass before top-annotate-calibration, and calibrate what it gives",
        )


def _path_from(maker: top.TopOp, store: WeightStore) -> ChannelPath | None:
    axis = made_axis(maker, store)
    if axis is None:
        return None
    between: list[top.TopOp] = []
    bound = np.inf
    value = maker.output
    while value.has_one_use():
        user = next(iter(value.uses)).operation
        if isinstance(user, top.ClipOp) and _clips_from_zero(user):
            if user.high is not None:
                bound = min(bound, float(user.high.value.data))
        elif not (isinstance(user, top.TopOp) and KeepsFactors.holds(user)):
            break
        between.append(user)
        value = user.output
    readers = readers_of(value, axis)
    return None if readers is None else ChannelPath(maker, tuple(between), axis, readers, bound)


def _clips_from_zero(op: top.ClipOp) -> bool:
    return (
        op.low is not None
        and op.low.value.data == 0
        and (op.high is None or op.high.value.data > 0)
    )


def made_axis(op: top.TopOp, store: WeightStore) -> int | None:
    """Return the axis of the channels of which `op` has constant weights of their own, to be divided by factors; None
    if it has none.
    """
    if isinstance(op, top.NormalizeOp):
        return _normalized_axis(op, store)
    layer = WeightedLayer.of(op)
    return None if layer is None else Product(layer.op, layer.channels).axis


def _normalized_axis(op: top.NormalizeOp, store: WeightStore) -> int | None:
    """Return the last axis if the constants of a normalization are vectors along it."""
    scale, shape = constant_of(op.scale, store), shape_of(op.output)
    if scale is None or not _are_constants(op.scale, op.bias):
        return None
    bias = np.zeros(1) if op.bias is None else constant_of(op.bias, store)
    axis = len(shape) - 1
    vectors = [
        each is not None and per_channel(each, shape, axis) is not None for each in (scale, bias)
    ]
    return axis if all(vectors) else None


def _are_constants(weight: SSAValue | None, bias: SSAValue | None) -> bool:
    found = weight_of(weight)
    is_bias = bias is None or weight_of(bias) is not None
    return found is not None and is_network_float(found.output.type) and is_bias


def readers_of(
    value: SSAValue, axis: int, users: Iterable[Operation] | None = None
) -> dict[top.TopOp, int] | None:
    """Return the ops that read `value`, with the axis of their weights along which its channels lie; None if there are
    none, or if one of them cannot take factors of the channels.
    """
    found: dict[top.TopOp, int] = {}
    for user in [use.operation for use in value.uses] if users is None else users:
        weights = _weight_axis(user, value, axis)
        if weights is None or not isinstance(user, top.TopOp):
            return None
        found[user] = weights
    return found or None


def _weight_axis(user: Operation, value: SSAValue, axis: int) -> int | None:
    """Return the axis of a product's constant weights along which the channels of its first operand lie; None for
    another op.
    """
    layer = WeightedLayer.of(user)
    if layer is None:
        return None
    if list(user.operands).index(value) != 0 or list(user.operands).count(value) != 1:
        return None
    if isinstance(user, top.Conv2dOp) and _is_depthwise(user):
        return 0 if axis == 1 else None
    if not WeighsChannels.holds(user):
        return None
    operand_axis, weight_axis = WeighsChannels.axes_of(user)
    return weight_axis if operand_axis == axis else None


def _is_depthwise(op: top.Conv2dOp) -> bool:
    """Tell whether each channel of the result is made of one channel of the input, and the other way round."""
    outputs, inputs, *_ = shape_of(op.weight)
    return inputs == 1 and outputs == op.groups.value.data > 1
