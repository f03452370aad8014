"""What the ops of top and tpu have in common: one named result, a shape that follows from the
operands, costs; and, for the ops that both dialects have, fields, builders and shapes.

`TensorOp` is the base of all of them. The other bases hold what, say, `top.conv2d` and
`tpu.conv2d` share; what element types they take is each dialect's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, ClassVar, Self, TypedDict

from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    LocationAttr,
    StringAttr,
    TensorType,
    UnitAttr,
    f32,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.rewriter import Rewriter
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.numerics.reduction import KINDS as REDUCTION_KINDS
from ..ir.attribute import (
    INTEGER,
    INTS,
    check_one_of,
    flag,
    integer,
    ints,
    optional_integer,
    optional_text,
)
from ..ir.location import names_of
from ..ir.text.assembly import Defaults, TextOp
from ..quant.element_type import (
    element_of,
    element_storage,
    expressed,
    shape_of,
    type_bytes,
    type_of_storage,
)
from . import shape as shapes
from .shape import Shape, ShapeError

_PLACEHOLDER = TensorType(f32, [])


class TensorOp(TextOp):
    """Base of the ops of `top` and `tpu`: one tensor result, named by the property `name`; no side
    effects.
    """

    result_name = prop_def(StringAttr, prop_name="name")
    output = result_def(TensorType)
    traits = traits_def(Pure())

    @classmethod
    def build_named(
        cls,
        name: str,
        operands: Sequence[SSAValue | None],
        properties: Mapping[str, Attribute | None],
        location: LocationAttr | None,
        type: TensorType | None = None,
        *,
        element: Attribute | None = None,
    ) -> Self:
        """An op named `name`; without `type` the result's shape follows, its element is `element`
        or the op's own choice.

        DiagnosticError where the shapes do not fit together.
        """
        op = cls.build(
            operands=operands,
            result_types=[type or _PLACEHOLDER],
            properties={"name": StringAttr(name), **properties},
        )
        if location is not None:
            op.location = location
        try:
            shape = op.expected_shape()
        except ShapeError as error:
            place = ", ".join(names_of(op.location)) or name
            raise DiagnosticError(f"{cls.name} '{name}': {error}", Place(name=place)) from None
        if type is None:
            result = TensorType(element or op.result_element(), list(shape))
            Rewriter.replace_value_with_new_type(op.output, result)
        return op

    def expected_shape(self) -> Shape:
        """The shape that the result must have; ShapeError where the operands do not fit
        together.
        """
        raise NotImplementedError(type(self).__name__)

    def result_element(self) -> Attribute:
        """Element type of a result that is made without one."""
        raise NotImplementedError(type(self).__name__)

    def named_operands(self) -> list[tuple[str, Any]]:
        """The operands that are there, with their field's name; those of a list with a number."""
        found: list[tuple[str, Any]] = []
        for name, _ in self.get_irdl_definition().operands:
            value = getattr(self, name)
            if isinstance(value, SSAValue):
                found.append((name, value))
            elif value is not None:
                found += [(f"{name}[{index}]", each) for index, each in enumerate(value)]
        return found

    def verify_shape(self) -> None:
        """VerifyException where the result has another shape than its operands make it."""
        for name, value in [*self.named_operands(), ("result", self.output)]:
            if any(size < 0 for size in value.type.get_shape()):
                raise VerifyException(f"{name} has a size that is not known: {value.type}")
        try:
            expected = self.expected_shape()
        except ShapeError as error:
            raise VerifyException(str(error)) from None
        if self.output.type.get_shape() != expected:
            raise VerifyException(
                f"result has shape {list(self.output.type.get_shape())}, expected {list(expected)}"
            )

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the op; 0 for those that are no products of tensors."""
        return 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the operands and the result."""
        return sum(type_bytes(value.type) for value in [*self.operands, self.output])


Pair = tuple[int, int]
Pads = tuple[int, int, int, int]


class Sliding(TypedDict):
    """How a window slides over an image, named as the numerics functions name it: pairs (vertical,
    horizontal) and pads (top, left, bottom, right), in pixels."""

    strides: Pair
    dilations: Pair
    pads: Pads


class PoolWindow(Sliding):
    """A pool's window; the size of the output settles whether the last one may reach past the
    padding."""

    kernel: Pair
    output: Pair


def _pair(values: Sequence[int]) -> Pair:
    first, second = values
    return first, second


_SLIDING_DEFAULTS: Defaults = {
    "strides": ints([1, 1]),
    "pads": ints([0, 0, 0, 0]),
    "dilations": ints([1, 1]),
}


def _sliding(op: Conv2dBase | PoolBase) -> Sliding:
    top, left, bottom, right = op.pads.get_values()
    return {
        "strides": _pair(op.strides.get_values()),
        "dilations": _pair(op.dilations.get_values()),
        "pads": (top, left, bottom, right),
    }


class Conv2dBase(TensorOp):
    """A 2-D convolution: input [N,C,H,W], weight [O,C/groups,KH,KW], bias [O]; pads
    [top,left,bottom,right].
    """

    strides = prop_def(INTS)
    pads = prop_def(INTS)
    dilations = prop_def(INTS)
    groups = prop_def(INTEGER)
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    DEFAULTS: ClassVar[Defaults] = {**_SLIDING_DEFAULTS, "groups": integer(1)}

    @classmethod
    def conv2d_properties(
        cls, strides: Sequence[int], pads: Sequence[int], dilations: Sequence[int], groups: int
    ) -> dict[str, Attribute | None]:
        """The properties that every convolution has."""
        return {
            "strides": ints(strides),
            "pads": ints(pads),
            "dilations": ints(dilations),
            "groups": integer(groups),
        }

    def expected_shape(self) -> Shape:
        return shapes.conv2d_shape(
            shape_of(self.input),
            shape_of(self.weight),
            None if self.bias is None else shape_of(self.bias),
            strides=self.strides.get_values(),
            pads=self.pads.get_values(),
            dilations=self.dilations.get_values(),
            groups=self.groups.value.data,
        )

    @property
    def is_depthwise(self) -> bool:
        """Whether each output channel reads one input channel of several."""
        return shape_of(self.weight)[1] == 1 and self.groups.value.data > 1

    @property
    def sliding(self) -> Sliding:
        """How the kernel slides, as `conv2d` of the numerics takes it."""
        return _sliding(self)

    @property
    def macs(self) -> int:
        return prod(self.output.type.get_shape()) * prod(shape_of(self.weight)[1:])


class MatmulBase(TensorOp):
    """A matrix product with NumPy's rules for leading axes and vectors; bias [N]."""

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    bias = opt_operand_def(TensorType)

    def expected_shape(self) -> Shape:
        bias = None if self.bias is None else shape_of(self.bias)
        return shapes.matmul_shape(shape_of(self.lhs), shape_of(self.rhs), bias)

    @property
    def macs(self) -> int:
        return shapes.matmul_macs(shape_of(self.lhs), shape_of(self.rhs))


class BinaryBase(TensorOp):
    """An element-wise op of two operands, with NumPy's broadcasting."""

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)

    def expected_shape(self) -> Shape:
        return shapes.broadcast_shape(shape_of(self.lhs), shape_of(self.rhs))


class PoolBase(TensorOp):
    """2-D pooling of input [N,C,H,W]; pads [top,left,bottom,right]."""

    kernel = prop_def(INTS)
    strides = prop_def(INTS)
    pads = prop_def(INTS)
    dilations = prop_def(INTS)
    ceil_mode = opt_prop_def(UnitAttr)
    input = operand_def(TensorType)
    DEFAULTS: ClassVar[Defaults] = _SLIDING_DEFAULTS

    @classmethod
    def pool_properties(
        cls,
        kernel: Sequence[int],
        strides: Sequence[int],
        pads: Sequence[int],
        dilations: Sequence[int],
        ceil_mode: bool,
    ) -> dict[str, Attribute | None]:
        """The properties that every pooling has."""
        return {
            "kernel": ints(kernel),
            "strides": ints(strides),
            "pads": ints(pads),
            "dilations": ints(dilations),
            "ceil_mode": flag(ceil_mode),
        }

    @property
    def window(self) -> PoolWindow:
        """The window, as `max_pool2d` and the average pools of the numerics take it."""
        return {
            **_sliding(self),
            "kernel": _pair(self.kernel.get_values()),
            "output": _pair(self.output.type.get_shape()[2:]),
        }

    def expected_shape(self) -> Shape:
        return shapes.pool_shape(
            shape_of(self.input),
            kernel=self.kernel.get_values(),
            strides=self.strides.get_values(),
            pads=self.pads.get_values(),
            dilations=self.dilations.get_values(),
            ceil_mode=self.ceil_mode is not None,
        )


class ReduceBase(TensorOp):
    """The reduction `kind` over `axes` (non-negative, ascending); with keepdims they stay as axes of
    size 1.

    `kind`: mean, sum, max, min, prod, l1 (Σ|x|), l2 (√Σx²), sum_square (Σx²), log_sum (log Σx),
    log_sum_exp (log Σ exp x).
    """

    kind = prop_def(StringAttr)
    axes = prop_def(INTS)
    keepdims = opt_prop_def(UnitAttr)
    input = operand_def(TensorType)

    def expected_shape(self) -> Shape:
        return shapes.reduce_shape(
            shape_of(self.input), self.axes.get_values(), self.keepdims is not None
        )

    @property
    def negative_axes(self) -> tuple[int, ...]:
        """The axes counted from the end, as the numerics functions take them."""
        rank = len(shape_of(self.input))
        return tuple(axis - rank for axis in self.axes.get_values())

    def verify_kind(self) -> None:
        """VerifyException for a reduction that there is not."""
        check_one_of("kind", self.kind.data, REDUCTION_KINDS)


class ReshapeBase(TensorOp):
    """The same elements in row-major order under another shape, that of the result type."""

    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        shape: Sequence[int],
        *,
        location: LocationAttr | None = None,
    ) -> Self:
        """A reshape to `shape` (no −1); DiagnosticError where the number of elements differs."""
        type = TensorType(expressed(element_of(input)), list(shape))
        return cls.build_named(name, [input], {}, location, type)

    def expected_shape(self) -> Shape:
        return shapes.reshape_shape(shape_of(self.input), self.output.type.get_shape())


class TransposeBase(TensorOp):
    """Axis i of the result is axis permutation[i] of the input."""

    permutation = prop_def(INTS)
    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        permutation: Sequence[int],
        location: LocationAttr | None = None,
    ) -> Self:
        """A transpose with the result type that follows; DiagnosticError for what is no
        permutation.
        """
        return cls.build_named(name, [input], {"permutation": ints(permutation)}, location)

    def expected_shape(self) -> Shape:
        return shapes.transpose_shape(shape_of(self.input), self.permutation.get_values())


class SoftmaxBase(TensorOp):
    """exp(x − max) / Σ exp(x − max) along `axis` (non-negative); with `log` its logarithm."""

    axis = prop_def(INTEGER)
    log = opt_prop_def(UnitAttr)
    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        axis: int,
        log: bool = False,
        location: LocationAttr | None = None,
    ) -> Self:
        """A softmax; DiagnosticError where the axis is none of the input's."""
        properties = {"axis": integer(axis), "log": flag(log)}
        return cls.build_named(name, [input], properties, location)

    def expected_shape(self) -> Shape:
        shapes.check_axis(self.axis.value.data, len(shape_of(self.input)))
        return shape_of(self.input)


class WeightBase(TensorOp):
    """A constant tensor: by key in the weight store, from a seed (reproducible random values), or a
    small `dense<>`.
    """

    key = opt_prop_def(StringAttr)
    seed = opt_prop_def(INTEGER)
    value = opt_prop_def(DenseIntOrFPElementsAttr)

    @classmethod
    def make(
        cls,
        name: str,
        type: TensorType,
        *,
        key: str | None = None,
        seed: int | None = None,
        value: DenseIntOrFPElementsAttr | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A weight of tensor type `type` from exactly one of `key`, `seed`, `value`."""
        properties = {"key": optional_text(key), "seed": optional_integer(seed), "value": value}
        return cls.build_named(name, [], properties, location, type)

    def expected_shape(self) -> Shape:
        return self.output.type.get_shape()

    def verify_source(self) -> None:
        """VerifyException unless the weight has exactly one source, its elements have a storage
        type, and a `dense<>` fits the result's storage and shape.
        """
        sources = {"key": self.key, "seed": self.seed, "value": self.value}
        given = [name for name, source in sources.items() if source is not None]
        if len(given) != 1:
            listed = " and ".join(given) or "none of them"
            raise VerifyException(f"exactly one of key, seed and value is needed, got {listed}")
        type = self.output.type
        try:
            stored = type_of_storage(element_storage(type))
        except ValueError as error:
            raise VerifyException(str(error)) from None
        if self.value is None:
            return
        if self.value.get_shape() != type.get_shape():
            raise VerifyException(
                f"value has shape {list(self.value.get_shape())}, the result "
                f"{list(type.get_shape())}"
            )
        if self.value.get_element_type() != stored:
            raise VerifyException(
                f"value has elements of {self.value.get_element_type()}, expected {stored}"
            )
