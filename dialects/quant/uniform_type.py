"""`!quant.uniform`: integers that stand for reals, with one scale and zero point or one per slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    IntAttr,
    IntegerType,
    Signedness,
    TensorType,
    f32,
    f64,
    i64,
)
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import Ints, Reals, ints, reals
from ..ir.text.number import parse_real_literal, real_text

MAX_STORAGE_BITS = 32


_LITERAL_DEPTH = 16
_KEPT_TYPES = 4096


@irdl_attr_definition
class UniformQuantizedType(ParametrizedAttribute, TypeAttribute):
    """`!quant.uniform<i8:f32, 0.023:-3>`: integer storage, with one scale and zero point or one per
    slice.

    - per tensor: one scale; `axes` and `block_sizes` are empty;
    - per axis, `!quant.uniform<i8:f32:1, {0.5,0.25:3}>`: a scale for each index of axis `axes[0]`;
    - sub-channel, `!quant.uniform<i8:f32:{0:2, 1:4}, {{0.5, 0.25}, {1.0, 2.0}}>`: a scale for each
      block; `grid` is the shape of the array of scales, which are kept in row-major order.
    """

    name = "quant.uniform"
    storage: IntegerType
    expressed: Attribute
    storage_low: IntAttr
    storage_high: IntAttr
    scale_values: Reals
    zero_point_values: Ints
    axes: Ints
    block_sizes: Ints
    grid: Ints

    @property
    def storage_name(self) -> str:
        """The storage type's name: "i8", "u8", "i4" …"""
        unsigned = self.storage.signedness.data == Signedness.UNSIGNED
        return f"{'u' if unsigned else 'i'}{self.storage.width.data}"

    @property
    def storage_min(self) -> int:
        """Least storage value."""
        return self.storage_low.data

    @property
    def storage_max(self) -> int:
        """Greatest storage value."""
        return self.storage_high.data

    @property
    def scales(self) -> tuple[float, ...]:
        """Every scale, in order."""
        return self.scale_values.get_values()

    @property
    def zero_points(self) -> tuple[int, ...]:
        """Every zero point, in order."""
        return self.zero_point_values.get_values()

    @property
    def scale(self) -> float:
        """The one scale of a type that is per tensor. Raises ValueError if the type is not."""
        return self._single(self.scales)

    @property
    def zero_point(self) -> int:
        """The one zero point of a type that is per tensor. Raises ValueError if the type is not."""
        return int(self._single(self.zero_points))

    def _single(self, values: tuple[float, ...]) -> float:
        if not self.is_per_tensor:
            raise ValueError(f"{self} has more than one scale")
        return values[0]

    @property
    def axis(self) -> int:
        """The quantized axis of a per-axis type. Raises ValueError if the type is not per axis."""
        if not self.is_per_axis:
            raise ValueError(f"{self} is not quantized along an axis")
        return self.axes.get_values()[0]

    @property
    def is_per_tensor(self) -> bool:
        """Whether there is one scale."""
        return len(self.axes) == 0

    @property
    def is_per_axis(self) -> bool:
        """Whether there is one scale for each index of one axis."""
        return len(self.axes) == 1 and len(self.block_sizes) == 0

    @property
    def is_sub_channel(self) -> bool:
        """Whether there is one scale for each block."""
        return len(self.block_sizes) > 0

    def verify(self) -> None:
        low, high = _storage_range(self.storage)
        if not 1 <= self.storage.width.data <= MAX_STORAGE_BITS:
            raise VerifyException(
                f"storage type {self.storage_name} has more than {MAX_STORAGE_BITS} bits"
            )
        if not isinstance(self.expressed, AnyFloat):
            raise VerifyException(f"expressed type must be a float, got {self.expressed}")
        if not low <= self.storage_min < self.storage_max <= high:
            raise VerifyException(
                f"storage range {self.storage_min}:{self.storage_max} is not within that of "
                f"{self.storage_name}, {low}:{high}"
            )
        self._verify_counts()
        for scale in self.scales:
            if not (math.isfinite(scale) and scale > 0):
                raise VerifyException(f"scale {scale} is not a positive number")
        for zero_point in self.zero_points:
            if not self.storage_min <= zero_point <= self.storage_max:
                raise VerifyException(
                    f"zero point {zero_point} is outside the storage range "
                    f"{self.storage_min}:{self.storage_max}"
                )

    def _verify_counts(self) -> None:
        count = len(self.scale_values)
        if count == 0 or count != len(self.zero_point_values):
            raise VerifyException(f"{count} scales but {len(self.zero_point_values)} zero points")
        if self.is_per_tensor and count != 1:
            raise VerifyException(f"{count} scales without an axis")
        if any(axis < 0 for axis in self.axes.get_values()):
            raise VerifyException("a quantized axis is negative")
        if self.is_sub_channel:
            if len(self.block_sizes) != len(self.axes) or any(
                b < 1 for b in self.block_sizes.get_values()
            ):
                raise VerifyException(
                    "every quantized axis of a sub-channel type has a block size of at least 1"
                )
            if math.prod(self.grid.get_values()) != count:
                raise VerifyException(
                    f"{count} scales do not fill a grid of {list(self.grid.get_values())}"
                )

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            storage, low, high = _parse_storage(parser)
            parser.parse_punctuation(":", " before the expressed type")
            expressed = parser.parse_type()
            axes, block_sizes = _parse_axes(parser)
            parser.parse_punctuation(",", " before the scales")
            scales: list[float] = []
            zero_points: list[int] = []
            grid = _parse_scales(parser, scales, zero_points, 0)
        if block_sizes and not grid:
            parser.raise_error("a sub-channel type needs scales in braces")
        if not block_sizes and bool(axes) != bool(grid):
            parser.raise_error("scales in braces and an axis belong together")
        if not block_sizes:
            grid = []
        return (
            storage,
            expressed,
            IntAttr(low),
            IntAttr(high),
            reals(scales),
            ints(zero_points),
            ints(axes),
            ints(block_sizes),
            ints(grid),
        )

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.storage_name)
            if (self.storage_min, self.storage_max) != _storage_range(self.storage):
                printer.print_string(f"<{self.storage_min}:{self.storage_max}>")
            printer.print_string(":")
            printer.print_attribute(self.expressed)
            if self.is_per_axis:
                printer.print_string(f":{self.axis}")
            elif self.is_sub_channel:
                pairs = zip(self.axes.get_values(), self.block_sizes.get_values(), strict=True)
                printer.print_string(
                    ":{" + ", ".join(f"{axis}:{size}" for axis, size in pairs) + "}"
                )
            printer.print_string(f", {self._scales_text()}")

    def _scales_text(self) -> str:
        texts = [
            f"{real_text(scale)}:{zero_point}" if zero_point else real_text(scale)
            for scale, zero_point in zip(self.scales, self.zero_points, strict=True)
        ]
        if self.is_per_tensor:
            return texts[0]
        if self.is_per_axis:
            return "{" + ",".join(texts) + "}"
        for size in reversed(self.grid.get_values()):
            texts = ["{" + ", ".join(texts[i : i + size]) + "}" for i in range(0, len(texts), size)]
        return texts[0]


def uniform(
    storage: str,
    scale: float,
    zero_point: int = 0,
    *,
    storage_min: int | None = None,
    storage_max: int | None = None,
) -> UniformQuantizedType:
    """Return the quantized type with one scale and zero point; `storage` is a name such as "i8"."""
    return _quantized(storage, (scale,), (zero_point,), (), storage_min, storage_max)


def uniform_per_axis(
    storage: str,
    axis: int,
    scales: Sequence[float],
    zero_points: Sequence[int] | None = None,
    *,
    storage_min: int | None = None,
    storage_max: int | None = None,
) -> UniformQuantizedType:
    """Return the quantized type with a scale for each index of `axis`; zero points are 0 if not given."""
    points = (0,) * len(scales) if zero_points is None else tuple(zero_points)
    return _quantized(storage, tuple(scales), points, (axis,), storage_min, storage_max)


def uniform_with(
    storage: str,
    scales: Sequence[float],
    zero_points: Sequence[int],
    axes: Sequence[int] = (),
    block_sizes: Sequence[int] = (),
    grid: Sequence[int] = (),
    expressed: Attribute = f32,
) -> UniformQuantizedType:
    """Return the quantized type of any kind: per tensor without `axes`, per axis with one and without `block_sizes`,
    else sub-channel with the scales of a `grid` in row-major order.
    """
    type = _storage_of(storage)
    low, high = _storage_range(type)
    return UniformQuantizedType(
        type,
        expressed,
        IntAttr(low),
        IntAttr(high),
        reals([float(scale) for scale in scales]),
        ints(zero_points),
        ints(axes),
        ints(block_sizes),
        ints(grid),
    )


@lru_cache(maxsize=_KEPT_TYPES)
def _quantized(
    storage: str,
    scales: tuple[float, ...],
    zero_points: tuple[int, ...],
    axes: tuple[int, ...],
    storage_min: int | None,
    storage_max: int | None,
) -> UniformQuantizedType:
    """Return a type, the same object each time: to make one takes long, and a search converts a network often."""
    type = _storage_of(storage)
    low, high = _storage_range(type)
    return UniformQuantizedType(
        type,
        f32,
        IntAttr(low if storage_min is None else storage_min),
        IntAttr(high if storage_max is None else storage_max),
        DenseArrayBase.from_list(f64, [float(scale) for scale in scales]),
        DenseArrayBase.from_list(i64, [int(point) for point in zero_points]),
        ints(axes),
        ints([]),
        ints([]),
    )


def _storage_of(name: str) -> IntegerType:
    if name[:1] not in ("i", "u") or not name[1:].isdigit():
        raise ValueError(f"'{name}' is no integer storage type")
    signedness = Signedness.UNSIGNED if name[0] == "u" else Signedness.SIGNLESS
    return IntegerType(int(name[1:]), signedness)


def _storage_range(storage: IntegerType) -> tuple[int, int]:
    width = storage.width.data
    if storage.signedness.data == Signedness.UNSIGNED:
        return 0, 2**width - 1
    return -(2 ** (width - 1)), 2 ** (width - 1) - 1


def verify_quantized_shape(type: Attribute) -> None:
    """Raise VerifyException if the quantized axes or blocks of a tensor do not fit its shape."""
    if not isinstance(type, TensorType) or not isinstance(type.element_type, UniformQuantizedType):
        return
    element = type.element_type
    shape = type.get_shape()
    for axis in element.axes.get_values():
        if axis >= len(shape):
            raise VerifyException(f"quantized axis {axis} is not an axis of {type}")
    if element.is_per_axis and len(element.scale_values) != shape[element.axis]:
        raise VerifyException(
            f"{len(element.scale_values)} scales for axis {element.axis} of size "
            f"{shape[element.axis]}"
        )


def _parse_storage(parser: AttrParser) -> tuple[IntegerType, int, int]:
    """Read a storage type: `i8`, `u8` (as MLIR 19 prints it) or `ui8` (newer MLIR), with `<low:high>` if its range is
    narrower.
    """
    position = parser.pos
    # `u8` is no builtin type, so the type parser does not know it.
    unsigned = {f"u{width}": width for width in range(1, MAX_STORAGE_BITS + 1)}
    keyword = parser.parse_optional_keyword_in(unsigned.keys())
    storage = (
        IntegerType(unsigned[keyword], Signedness.UNSIGNED) if keyword else parser.parse_type()
    )
    if not isinstance(storage, IntegerType):
        parser.raise_error("expected an integer storage type", position, parser.pos)
    if storage.signedness.data == Signedness.SIGNED:
        storage = IntegerType(storage.width.data)
    low, high = _storage_range(storage)
    if parser.parse_optional_punctuation("<"):
        low = parser.parse_integer(allow_boolean=False)
        parser.parse_punctuation(":", " between the least and greatest storage value")
        high = parser.parse_integer(allow_boolean=False)
        parser.parse_punctuation(">")
    return storage, low, high


def _parse_axes(parser: AttrParser) -> tuple[list[int], list[int]]:
    """Read `:axis`, `:{axis:block, ...}` or nothing; return the axes and the block sizes."""
    if not parser.parse_optional_punctuation(":"):
        return [], []
    axis = parser.parse_optional_integer(allow_boolean=False, allow_negative=False)
    if axis is not None:
        return [axis], []

    def parse_block() -> tuple[int, int]:
        axis = parser.parse_integer(allow_boolean=False, allow_negative=False)
        parser.parse_punctuation(":", " between axis and block size")
        return axis, parser.parse_integer(allow_boolean=False, allow_negative=False)

    pairs = parser.parse_comma_separated_list(parser.Delimiter.BRACES, parse_block)
    if not pairs:
        parser.raise_error("expected at least one axis with its block size")
    return [axis for axis, _ in pairs], [size for _, size in pairs]


def _parse_scales(
    parser: AttrParser, scales: list[float], zero_points: list[int], depth: int
) -> list[int]:
    """Read `scale[:zero point]`, or a nested list of these in braces; return the shape of the list."""
    if depth > _LITERAL_DEPTH:
        parser.raise_error(f"scales are nested more than {_LITERAL_DEPTH} deep")
    if not parser.parse_optional_punctuation("{"):
        scales.append(parse_real_literal(parser))
        zero_point = parser.parse_optional_punctuation(":")
        zero_points.append(parser.parse_integer(allow_boolean=False) if zero_point else 0)
        return []
    inner = _parse_scales(parser, scales, zero_points, depth + 1)
    count = 1
    while parser.parse_optional_punctuation(","):
        if _parse_scales(parser, scales, zero_points, depth + 1) != inner:
            parser.raise_error("lists of scales differ in length")
        count += 1
    parser.parse_punctuation("}")
    return [count, *inner]
