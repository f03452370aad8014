"""Traits of the ops of `top` and `tpu`: passes ask an op for its traits, not for its class.

An op of a plugin has traits in the same way as ours:

    class SquareOp(TopOp):
        name = "square.square"
        traits = traits_def(RoundsResult(), CanStayFloat())

Where only some ops of a class have a trait, `where` tells which, from their properties:

    traits = traits_def(RoundsResult(where=lambda op: op.kind.data == "mean"))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from xdsl.ir import Operation, SSAValue
from xdsl.traits import OpTrait

from ..quant.element_type import shape_of


def _always(op: Any) -> bool:
    return True


def _never(op: Any) -> bool:
    return False


@dataclass(frozen=True)
class TensorTrait(OpTrait):
    """Base of the traits. A trait is a statement that holds for an op, or only for those ops of a class that `where`
    accepts.
    """

    where: Callable[[Any], bool] = _always

    @classmethod
    def of(cls, op: object) -> Self | None:
        """Return the trait as the class of `op` declares it; None if `op` does not have it. `op` may be the owner of
        any value: a block, which owns arguments, has no traits.
        """
        trait = op.get_trait(cls) if isinstance(op, Operation) else None
        return trait if trait is not None and trait.where(op) else None

    @classmethod
    def holds(cls, op: object) -> bool:
        """Tell whether `op` has the trait."""
        return cls.of(op) is not None


# What an op does


class Moves(TensorTrait):
    """The op moves elements as they are, or repeats or drops them, and computes nothing."""


def _unpermuted(op: Any) -> Sequence[int]:
    return range(len(shape_of(op.operands[0])))


@dataclass(frozen=True)
class Rearranges(TensorTrait):
    """The elements of the result, in row-major order, are those of the first operand once its axes are put in the order
    that `permutation` gives; without one its axes stay as they are.
    """

    permutation: Callable[[Any], Sequence[int]] = _unpermuted


class Converts(TensorTrait):
    """The op only converts the numbers of its operand to another number format."""


class KeepsOrder(TensorTrait):
    """The op makes each element of the result the greatest or the least of some of its operand's, its only one, so that
    an increasing function of all elements may be applied before it instead of after it.
    """


class TakesAnyElements(TensorTrait):
    """Operands and result may have elements of any storage type, such as integers, which engines only move."""


class IsNonNegative(TensorTrait):
    """No element of the result is negative, whatever the operands are."""


class IsBounded(TensorTrait):
    """The elements of the result lie within bounds that follow from the op, as probabilities do: none of them is an
    outlier, however rare it is.
    """


@dataclass(frozen=True)
class SumsProducts(TensorTrait):
    """Each channel of the result is a sum of products with weights of its own, to which a bias of its own is added: so
    what scales or shifts a channel can be made part of its weights and bias.

    `weight` and `bias` name the operands; an op may lack the bias. The channels lie along `weight_axis` of the weights
    and along `axis` of the result; negative axes count from the last.
    """

    weight: str = "weight"
    bias: str = "bias"
    weight_axis: int = 0
    axis: int = 1


class ComparesElements(TensorTrait):
    """The op computes in floats, and what it computes depends on differences or ratios between elements, however small
    all of them are.
    """


class RoundsOnce(TensorTrait):
    """The op computes in f32 or more, whatever float type its first operand and its result have, and rounds the result
    once; its other operands are constants.
    """


class ScalesOrShifts(TensorTrait):
    """The op scales or shifts an operand, as a network does that normalizes its pixels itself."""


# Layouts that an op of tpu asks for


@dataclass(frozen=True)
class KeepsLayout(TensorTrait):
    """The result and the operands of the same rank are best laid out alike; if the trait names an `operand`, the result
    and only that operand.
    """

    operand: str | None = None

    @classmethod
    def operands_like_result(cls, op: Operation) -> list[SSAValue]:
        """Return the operands of `op` that are best laid out like its result; none if the op does not have the
        trait.
        """
        trait = cls.of(op)
        if trait is None:
            return []
        if trait.operand is not None:
            return [getattr(op, trait.operand)]
        rank = len(shape_of(op.results[0]))
        return [value for value in op.operands if len(shape_of(value)) == rank]


class ChannelLast(TensorTrait):
    """The op computes on tiles in which the channels of one pixel lie side by side."""


class RowMajor(TensorTrait):
    """The op computes on tiles that are rows of the last axis."""


class Dense(TensorTrait):
    """The op takes and gives whole tensors without padding, in ONNX's order of axes, as the host does."""


# Quantization of an op of top


class RoundsResult(TensorTrait):
    """The op rounds a quantized result to whatever scale is asked for; a result of an op without the trait has the
    operand's scale.
    """


def _no_parameters(op: Any) -> tuple[float, int]:
    raise NotImplementedError("the trait FixedQuantization needs the parameters")


@dataclass(frozen=True)
class FixedQuantization(TensorTrait):
    """In 8 bits the result has one scale and zero point, whatever calibration saw: its range follows from the op, as
    that of a sine does.

    `parameters` gives them: (1 / 127, 0) for a result within ±1. The trait takes the place of `RoundsResult`.
    """

    parameters: Callable[[Any], tuple[float, int]] = _no_parameters

    @classmethod
    def parameters_of(cls, op: object) -> tuple[float, int] | None:
        """Return the scale and zero point of the result of `op`; None if `op` does not have the trait."""
        trait = cls.of(op)
        return None if trait is None else trait.parameters(op)


class GivesQuantization(TensorTrait):
    """An operand that only this op reads may be quantized as the op's result is, without any loss in the elements that
    the op keeps.
    """


class KeepsFactors(TensorTrait):
    """A positive factor of the op's one operand is a factor of its result: f(k · x) = k · f(x)."""


def _no_axes(op: Any) -> tuple[int, int]:
    raise NotImplementedError("the trait WeighsChannels needs the axes")


@dataclass(frozen=True)
class WeighsChannels(TensorTrait):
    """The op multiplies each slice of its first operand by constant weights of its own, and adds a constant at most, so
    that a factor of the slice may go into the weights, and one of the result, too.

    `axes` gives the axis of the slices in the operand and in the weights.
    """

    axes: Callable[[Any], tuple[int, int]] = _no_axes

    @classmethod
    def axes_of(cls, op: Operation) -> tuple[int, int]:
        """Return the axis of the slices in the first operand, and that in the weights, of an op with the trait."""
        trait = cls.of(op)
        assert trait is not None
        return trait.axes(op)


@dataclass(frozen=True)
class CanStayFloat(TensorTrait):
    """The op can also compute in floats, or pass floats through, if all readers of its result want floats; if
    `only_before_poles`, it does so only for readers with poles, as for others its integers are as good and cheaper. If
    `chooses`, it takes each element from one of its operands as it is, and does so in floats for the network's output,
    too, as moves do.
    """

    only_before_poles: Callable[[Any], bool] = _never
    chooses: Callable[[Any], bool] = _never

    @classmethod
    def is_choice(cls, op: Operation) -> bool:
        """Tell whether `op` has the trait and takes elements as they are."""
        trait = cls.of(op)
        return trait is not None and trait.chooses(op)

    @classmethod
    def is_only_before_poles(cls, op: Operation) -> bool:
        """Tell whether `op` has the trait for the sake of readers with poles alone."""
        trait = cls.of(op)
        return trait is not None and trait.only_before_poles(op)


def _no_points(op: Any) -> Mapping[str, Sequence[float]]:
    return {}


@dataclass(frozen=True)
class HasPoles(TensorTrait):
    """The op computes in floats and has poles: at certain numbers of an operand, or beyond them, its result is infinite
    or NaN, and near them it makes a large error of a small one.

    `points` gives these numbers by the name of the operand, {"rhs": (0.0,)} for a division. Operands are kept in floats
    if they can be; what 8 bits have rounded is kept away from the poles, and the op's result in its calibrated range.
    """

    points: Callable[[Any], Mapping[str, Sequence[float]]] = _no_points

    @classmethod
    def points_of(cls, op: Operation) -> dict[SSAValue, Sequence[float]]:
        """Return the poles of `op` by operand; none for an op without the trait."""
        trait = cls.of(op)
        if trait is None:
            return {}
        return {getattr(op, name): points for name, points in trait.points(op).items() if points}
