"""Makes random inputs, which fill the range of each input where one is known."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from xdsl.dialects.builtin import IntegerType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from ...backends.numerics.functions.families.conversion import to_small_float
from ...backends.numerics.storage import (
    EXPONENTS,
    SMALL_INTEGER_NAMES,
    integer_range,
    name_of,
)
from ...dialects.network.call import CallBase
from ...dialects.network.ports import network_ports
from ...dialects.network.quantization import StorageCastBase
from ...dialects.network.traits import Converts, Moves
from ...dialects.quant import CalibratedType
from ...dialects.quant.element_type import element_of, element_storage
from ...dialects.quant.uniform_type import UniformQuantizedType
from ...passes.top.calibration_table import Range

_INTEGER_SPREAD = 40.0
"""Standard deviation of random integers without a range: most of the eight bits are used."""

_RANGE_IN_SPREADS = 7.0
"""A range is so many standard deviations wide, as calibration on a few thousand normal numbers finds it.

Numbers spread evenly over the range would be larger, on average, than such samples. They would take the sums of a
network out of the ranges that it was calibrated for, and the right INT8 form of it would saturate and look wrong.
"""

_CORNER_SHARE = 64
"""One element in so many is the least value of the range, and one the greatest."""


_SMALL_NUMBERS = (0, 9)
"""The range of random integers of more than 8 bits of which no more is known: they may be tokens, lengths or
positions.
"""

_DATA_BITS = 8
"""Integers of so many bits, or fewer, are data, such as pixels, that take all numbers of their type."""
_MOST_STORED_BITS = 16
"""Integers of so many bits, or fewer, take all numbers of their type if they store real numbers; wider ones are
sums.
"""


def input_ranges(function: FuncOp) -> dict[str, Range]:
    """Return the range of each input of top or tpu IR that has one, by name, in the units of its array.

    An integer is an index of what it chooses from, if something uses it so. Otherwise it is any number of its type, if
    that has 8 bits, or 16 that store a real number, and a small number that is not negative, if it has more. A
    calibrated type has the range that calibration saw, a quantized type all of its storage, and a float input that is
    quantized at once, by a cast or by the host, what the quantized types can hold.
    """
    ranges: dict[str, Range] = {}
    ports = network_ports(function, "input")
    for port, argument in zip(ports, function.body.block.args, strict=True):
        name, element = port.name, element_of(argument)
        if isinstance(element, CalibratedType):
            ranges[name] = (element.low, element.high)
        elif port.is_converted and (held := _held_by(argument.type)) is not None:
            ranges[name] = held
        elif isinstance(element, IntegerType) and element.width.data > 1:
            ranges[name] = _within(_indices(argument) or _numbers(argument, element), element)
        elif isinstance(element, UniformQuantizedType):
            ranges[name] = (element.storage_min, element.storage_max)
        elif (held := _range_of_readers(argument)) is not None:
            ranges[name] = held
    return ranges


def _numbers(value: SSAValue, element: IntegerType) -> Range:
    """Return the range of integers that choose nothing."""
    bits = element.width.data
    if bits <= _DATA_BITS or (bits <= _MOST_STORED_BITS and _stores_numbers(value)):
        return integer_range(element_storage(element))
    return _SMALL_NUMBERS


def _stores_numbers(value: SSAValue) -> bool:
    """Tell whether integers, directly or after they were moved, are dequantized: they store real numbers."""
    for use in value.uses:
        op = use.operation
        call = op.call() if isinstance(op, CallBase) else None
        if isinstance(op, StorageCastBase) or (
            call is not None and call.function == "dequantize_linear" and use.index == 0
        ):
            return True
        if Moves.holds(op) and any(map(_stores_numbers, op.results)):
            return True
    return False


def _within(bounds: Range, element: Attribute) -> Range:
    """Return the numbers within bounds that an integer type has."""
    low, high = integer_range(element_storage(element))
    return max(bounds[0], low), min(bounds[1], high)


def _indices(value: SSAValue) -> Range | None:
    """Return the least and the greatest index that a value may hold for all that choose elements by it, directly or
    after it was moved or cast; None if nothing does.
    """
    counts: list[int] = []
    values, seen = [value], {value}
    for each in values:
        for use in each.uses:
            op = use.operation
            call = op.call() if isinstance(op, CallBase) else None
            if call is not None and use.index in call.indices:
                counts.append(call.indices[use.index])
            elif (call is not None and call.function == "cast") or Moves.holds(op):
                followed = [result for result in op.results if result not in seen]
                values += followed
                seen.update(followed)
    return (0, max(min(counts) - 1, 0)) if counts else None


def _range_of_readers(value: SSAValue) -> Range | None:
    """Return the real numbers that all readers together can hold; None if one reads floats as they are."""
    found = [
        _held_by(use.operation.results[0].type) if Converts.holds(use.operation) else None
        for use in value.uses
    ]
    known = [each for each in found if each is not None]
    if not known or len(known) < len(found):
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def _held_by(type: Attribute) -> Range | None:
    element = getattr(type, "element_type", None)
    if not isinstance(element, UniformQuantizedType) or len(element.scales) != 1:
        return None
    scale, zero_point = float(element.scales[0]), int(element.zero_points[0])
    return (element.storage_min - zero_point) * scale, (element.storage_max - zero_point) * scale


def random_input(
    name: str, shape: Sequence[int], dtype: np.dtype, seed: int, bounds: Range | None = None
) -> np.ndarray:
    """Return random numbers, always the same for the same name, shape and seed.

    With `bounds`, the least and the greatest value, they are normal between them, and both bounds are among them
    if there are two elements or more. Without, they are standard normal, integers spread over eight bits.
    """
    generator = np.random.default_rng([seed, crc32(name.encode())])
    storage = name_of(dtype)
    is_integer = dtype.kind in "iu" or storage in SMALL_INTEGER_NAMES
    if bounds is None or dtype.kind == "b":
        array = generator.standard_normal(shape)
        if storage in SMALL_INTEGER_NAMES:
            array = np.round(array * _INTEGER_SPREAD).clip(*integer_range(storage))
        elif dtype.kind in "iub":
            low = 0 if dtype.kind in "ub" else -128
            array = np.round(array * _INTEGER_SPREAD).clip(low, 127)
        elif storage == EXPONENTS:
            array = 2.0 ** np.round(array)
        return array.astype(dtype)
    low, high = bounds
    middle, spread = (low + high) / 2, (high - low) / _RANGE_IN_SPREADS
    array = np.asarray(generator.normal(middle, spread, shape)).clip(low, high)
    if is_integer:
        array = np.round(array)
    places = generator.permutation(array.size)
    corners = min(max(1, array.size // _CORNER_SHARE), array.size // 2)
    array.flat[places[:corners]] = low
    array.flat[places[corners : 2 * corners]] = high
    if storage == EXPONENTS:
        return to_small_float(np.abs(array), storage)
    return array.astype(dtype)
