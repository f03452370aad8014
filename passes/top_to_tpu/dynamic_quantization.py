"""Converts dynamic quantization, whose scale is that of the values at run time, to arithmetic of the vector unit in f32
whose values are integers.

    %q = top.call "q" %x function = "dynamic_quantize_linear" : tensor<...xf32> -> tensor<...xui8>

The range of x, widened to hold 0, gives the scale s = (high − low) / 255 and the zero point z = round(−low / s). The
integers less their zero point, which is what products read, are min(round(x / s), 255 − z): no x is so small that it
would need the other bound, and behind a relu, where z is 0, none needs this one. Every step rounds as ONNX Runtime's
does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isqrt, prod

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...dialects import top, tpu
from ...dialects.network.traits import IsNonNegative, Rearranges
from ...dialects.quant import uniform
from ...dialects.quant.element_type import shape_of, type_of_storage
from .tpu_builder import TpuBuilder

DYNAMIC = "dynamic_quantize_linear"
_STEPS = 255
"""The steps between the least and the greatest integer."""
_HALF = 128
"""What lies between u8, and i8 in which the device stores it."""
_LEAST_RANGE = float(128 * np.finfo(np.float32).smallest_subnormal)
"""The least range whose 255th part is a number to divide by; it is taken for a range of 0."""
_MOST_REDUCED = 8192
"""How many elements a core reduces at once, so that those of f32 fit a small memory."""


@dataclass
class DynamicForms:
    """What dynamic quantization makes of `x`, in f32; each form is made when it is first asked for.

    Numbers have as many axes of size 1 as x has: what has no axes would lie in global memory.
    """

    builder: TpuBuilder
    x: SSAValue
    name: str
    is_non_negative: bool
    """Whether no element of x is negative, so that the zero point is 0."""
    has_exact_scale: bool
    """Whether the scale of an x of zeros is read as such, and must be 1."""

    @classmethod
    def of(cls, builder: TpuBuilder, op: top.CallOp) -> DynamicForms | None:
        """Return the forms of what a call of `DYNAMIC` quantizes, which all calls share; None if the device cannot
        reduce it.
        """
        value = op.inputs[0]
        found = builder.dynamic_forms.get(value)
        if isinstance(found, cls):
            return found
        if _stages(shape_of(value)) is None:
            return None
        name = builder.fresh(f"{builder.name_of(value)}_dynamic")
        x = builder.as_f32(value)
        if not shape_of(x):
            x = builder.add(tpu.ReshapeOp(builder.fresh(f"{name}_x"), x, shape=(1,))).output
        has_exact_scale = any(_reads_scale(use.operation, len(shape_of(x))) for use in value.uses)
        found = cls(builder, x, name, _is_non_negative(value), has_exact_scale)
        builder.dynamic_forms[value] = found
        return found

    @cached_property
    def _low(self) -> SSAValue:
        return self._extreme("min")

    @cached_property
    def _range(self) -> SSAValue:
        """The range of x, never 0."""
        high = self._extreme("max")
        if self.is_non_negative:
            return high
        name = self._named("range")
        return self.builder.add(tpu.SubOp(name, high, self._low, clamp_low=_LEAST_RANGE)).output

    @cached_property
    def _scale(self) -> SSAValue:
        """The scale; for an x of zeros 1, as in ONNX, if that makes a difference."""
        made = tpu.DivOp(self._named("scale"), self._range, self._steps)
        scale = self.builder.add(made).output
        if not self.has_exact_scale:
            return scale
        least, one = self._number("least_range", _LEAST_RANGE), self._number("one", 1.0)
        is_zero = tpu.CompareOp(self._named("is_0"), self._range, least, kind="equal")
        condition = self.builder.add(is_zero).output
        chosen = tpu.SelectOp(self._named("given_scale"), condition, one, scale)
        return self.builder.add(chosen).output

    @cached_property
    def _steps(self) -> SSAValue:
        return self._number("steps", _STEPS)

    @cached_property
    def _negative_zero_point(self) -> SSAValue:
        if self.is_non_negative:
            return self._number("negative_zero_point", 0.0)
        quotient = tpu.DivOp(self._named("least"), self._low, self._scale)
        return self._rounded("negative_zero_point", self.builder.add(quotient).output)

    @cached_property
    def centered(self) -> SSAValue:
        """The integers of x less their zero point, of the shape of x (of one axis if x has none)."""
        quotient = tpu.DivOp(self._named("quotient"), self.x, self._scale)
        steps = self._rounded("centered", self.builder.add(quotient).output)
        if self.is_non_negative:
            return steps
        most = tpu.AddOp(self._named("most"), self._negative_zero_point, self._steps)
        bound = self.builder.add(most).output
        return self.builder.add(tpu.MinOp(self._named("bounded"), steps, bound)).output

    def scale(self, name: str, value: SSAValue) -> SSAValue:
        """Return the scale that `value` is at `top`, of no axes; or with the axes of x, if it is only multiplied with
        tensors of as many axes.
        """
        if _is_only_multiplied(value, len(shape_of(self.x))):
            return self._scale
        return self.builder.add(tpu.ReshapeOp(name, self._scale, shape=())).output

    def integers(self, name: str, shape: tuple[int, ...]) -> SSAValue:
        """Return the integers of x, in u8, of a shape."""
        made = tpu.SubOp(self._named("integers"), self.centered, self._negative_zero_point)
        return self._stored(name, self.builder.add(made).output, shape)

    def zero_point(self, name: str) -> SSAValue:
        """Return the zero point [], in u8."""
        made = tpu.UnaryOp(self._named("zero_point"), self._negative_zero_point, kind="neg")
        return self._stored(name, self.builder.add(made).output, ())

    def _extreme(self, kind: str) -> SSAValue:
        """Return the least or greatest element of x, or 0, in stages that several cores can share."""
        form, shape = self.x, shape_of(self.x)
        stages = _stages(shape)
        assert stages is not None
        for index, (seen, axes) in enumerate(stages):
            form = self._reshaped(f"{kind}_rows", form, seen)
            low, high = None, None
            if index == len(stages) - 1:
                least = _LEAST_RANGE if self.is_non_negative else 0.0
                low, high = (least, None) if kind == "max" else (None, 0.0)
            made = tpu.ReduceOp(
                self._named(kind),
                form,
                kind=kind,
                axes=axes,
                keepdims=True,
                clamp_low=low,
                clamp_high=high,
            )
            form = self.builder.add(made).output
        return self._reshaped(kind, form, (1,) * len(shape))

    def _reshaped(self, word: str, value: SSAValue, shape: tuple[int, ...]) -> SSAValue:
        if shape_of(value) == shape:
            return value
        return self.builder.add(tpu.ReshapeOp(self._named(word), value, shape=shape)).output

    def _rounded(self, word: str, value: SSAValue) -> SSAValue:
        return self.builder.add(tpu.UnaryOp(self._named(word), value, kind="round")).output

    def _number(self, word: str, number: float) -> SSAValue:
        array = np.full((1,) * len(shape_of(self.x)), number, np.float32)
        return self.builder.constant(f"{self.name}.{word}", array)

    def _named(self, word: str) -> str:
        return self.builder.fresh(f"{self.name}_{word}")

    def _stored(self, name: str, value: SSAValue, shape: tuple[int, ...]) -> SSAValue:
        """Return integers from 0 to 255 in u8, of a shape."""
        value = self._reshaped("shaped", value, shape)
        kept = tpu.CastOp(self._named("i8"), value, element=uniform("i8", 1.0, -_HALF))
        form = self.builder.add(kept).output
        unsigned = tpu.RequantizeOp(self._named("u8"), form, element=uniform("u8", 1.0, 0))
        form = self.builder.add(unsigned).output
        stored = tpu.StorageCastOp(name, form, element=type_of_storage("u8"))
        return self.builder.add(stored).output


def convert_dynamic_quantization(builder: TpuBuilder, op: top.CallOp, *, read: bool) -> bool:
    """Convert a call of `DYNAMIC`; return whether it is one that the device computes. The integers and the zero point
    are made only if they are `read` as such.
    """
    forms = DynamicForms.of(builder, op) if op.function.data == DYNAMIC else None
    if forms is None:
        return False
    result, name = op.result.value.data, op.result_name.data
    if result == 1:
        builder.set_given(op.output, forms.scale(name, op.output))
    elif read:
        is_point = result == 2
        made = forms.zero_point(name) if is_point else forms.integers(name, shape_of(op.output))
        builder.set_given(op.output, made)
    return True


def _reads_scale(op: Operation, rank: int) -> bool:
    """Tell whether `op` gives the scale of dynamic quantization for more than products with tensors of `rank` axes."""
    return (
        isinstance(op, top.CallOp)
        and op.function.data == DYNAMIC
        and op.result.value.data == 1
        and any(op.output.uses)
        and not _is_only_multiplied(op.output, rank)
    )


def _is_only_multiplied(value: SSAValue, rank: int) -> bool:
    """Tell whether a value is read, and only to be multiplied into tensors of at least `rank` axes, where axes of size
    1 before its own make no difference.
    """
    users = [use.operation for use in value.uses]
    return bool(users) and all(
        isinstance(user, top.MulOp)
        and (len(shape_of(user.output)) >= rank or _is_only_multiplied(user.output, rank))
        for user in users
    )


def _is_non_negative(value: SSAValue) -> bool:
    """Tell whether no element of a value is negative, whatever the network's inputs are."""
    owner = value.owner
    while isinstance(owner, Operation) and Rearranges.holds(owner):
        owner = owner.operands[0].owner
    return IsNonNegative.holds(owner)


def _stages(shape: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]] | None:
    """Return in which stages to reduce all axes of a tensor: the shape in which each sees the values, and its axes. A
    long axis is divided in two.

    None if a stage would reduce more elements than `_MOST_REDUCED` at once.
    """
    divided: list[int] = []
    for size in shape:
        rows = _rows(size) if size > _MOST_REDUCED else 1
        divided += [size] if rows == 1 else [rows, size // rows]
    shape = tuple(divided)
    if max(shape, default=1) > _MOST_REDUCED:
        return None
    stages: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    while not stages or prod(shape) > 1:
        axes = tuple(range(len(shape)))
        if prod(shape) > _MOST_REDUCED:
            axes = (max(axes, key=lambda axis: shape[axis]),)
        stages.append((shape or (1,), axes or (0,)))
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return stages


def _rows(size: int) -> int:
    """Return the greatest divisor of a number up to its root."""
    return next(each for each in range(isqrt(size), 0, -1) if size % each == 0)
