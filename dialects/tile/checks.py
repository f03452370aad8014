"""Checks of buffers and fields, from which the verifiers of several tile ops are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from xdsl.dialects.builtin import (
    IntAttr,
    IntegerAttr,
    MemRefType,
    NoneAttr,
    StridedLayoutAttr,
    StringAttr,
)
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.instructions.instruction_set import SPACES
from ...backends.numerics.quantization import MAX_SHIFT
from ...backends.numerics.storage import SMALL_FLOAT_NAMES, integer_range, is_float
from ..ir.attribute import Ints, Reals, check_bounds, values_of
from ..ir.identity_cache import by_identity
from ..quant.element_type import element_storage, shape_of, type_shape


def fail_unless(condition: bool, message: str) -> None:
    """Raise VerifyException with `message` unless `condition` holds.

    Use this only for checks that run seldom: it makes the message even if the condition holds. The verifiers of ops of
    which there are thousands make a message only when they need it, because the text of a type takes longer than all
    checks of an op.
    """
    if not condition:
        raise VerifyException(message)


# Buffers


def space_of(value: SSAValue) -> str:
    """Return the memory space of a buffer. Raises VerifyException if the value is not a buffer of this dialect."""
    return _buffer_space(value.type)


@by_identity
def _buffer_space(type: Any) -> str:
    if not isinstance(type, MemRefType):
        raise VerifyException(f"a buffer was expected, got {type}")
    space = type.memory_space
    if not isinstance(space, StringAttr) or space.data not in SPACES:
        known = ", ".join(f'"{name}"' for name in SPACES)
        raise VerifyException(f"a buffer is in memory space {known}, got {type}")
    if not isinstance(type.layout, NoneAttr):
        _check_layout(type)
    # Inputs and outputs of a network may have no elements.
    if min(type_shape(type), default=1) < (0 if space.data == "global" else 1):
        raise VerifyException(f"sizes of a buffer are positive, got {type}")
    try:
        element_storage(type)
    except ValueError as error:
        raise VerifyException(str(error)) from None
    return space.data


def _check_layout(type: MemRefType) -> None:
    """Raise VerifyException unless the layout of a buffer is that of a view with rows at a pitch."""
    layout, shape = type.layout, type.get_shape()
    if not isinstance(layout, StridedLayoutAttr):
        raise VerifyException(f"a buffer has no layout map, got {type}")
    strides = layout.get_strides()
    pitch = strides[-2] if len(strides) > 1 else None
    if layout.offset != IntAttr(0) or len(strides) != len(shape) or pitch is None:
        raise VerifyException(
            f"a view has rows at a pitch, and 'offset' says where it begins, got {type}"
        )
    if pitch <= shape[-1] or list(strides) != row_strides(shape, pitch):
        raise VerifyException(
            f"the rows of a view begin every so many elements, more than they have, expected "
            f"strided<{row_strides(shape, max(pitch, shape[-1] + 1))}>, got {type}"
        )


def row_strides(shape: Sequence[int], pitch: int) -> list[int]:
    """Return the strides of a buffer whose rows (last axis) begin every `pitch` elements."""
    inner = [prod(shape[axis:-1]) for axis in range(1, len(shape))]
    return [*(rows * pitch for rows in inner), 1]


def check_space(op: Any, name: str, *spaces: str) -> None:
    """Raise VerifyException unless the operand `name` of `op` is in one of the memory spaces."""
    found = space_of(getattr(op, name))
    if found not in spaces:
        expected = " or ".join(f'"{space}"' for space in spaces)
        raise VerifyException(f'{name} must be in memory space {expected}, is in "{found}"')


def storage_of(value: SSAValue) -> str:
    """Return the storage type of a buffer's elements."""
    return element_storage(value.type)


def check_storage(name: str, value: SSAValue, *storages: str) -> None:
    """Raise VerifyException unless a buffer holds one of the storage types."""
    found = storage_of(value)
    if found not in storages:
        raise VerifyException(f"{name} must be stored as {' or '.join(storages)}, is {found}")


def check_rank(name: str, value: SSAValue, rank: int) -> tuple[int, ...]:
    """Return the shape of a buffer. Raises VerifyException unless it has `rank` axes."""
    shape = shape_of(value)
    if len(shape) != rank:
        raise VerifyException(f"{name} must have {rank} axes, has shape {list(shape)}")
    return shape


def check_at_least_one_axis(name: str, value: SSAValue) -> None:
    """Raise VerifyException if a buffer has no axes, and therefore no rows."""
    if not shape_of(value):
        raise VerifyException(f"{name} must have rows, has no axis")


def rows_of(value: SSAValue) -> int:
    """Return the number of rows: of runs along the last axis."""
    return prod(shape_of(value)[:-1])


def columns_of(value: SSAValue) -> int:
    """Return the number of elements of a row: the size of the last axis."""
    return shape_of(value)[-1]


def pitch_of(value: SSAValue) -> int:
    """Return the number of elements from the start of a row to that of the next: the size of the last axis, but for
    views that say more.
    """
    return _type_pitch(value.type)


@by_identity
def _type_pitch(type: Any) -> int:
    layout = type.layout
    if isinstance(layout, StridedLayoutAttr):
        return layout.strides.data[-2].data  # pyright: ignore[reportAttributeAccessIssue]
    return (1, *type_shape(type))[-1]


def is_dense(value: SSAValue) -> bool:
    """Tell whether the elements of a buffer or view follow each other without a gap."""
    return isinstance(value.type, MemRefType) and isinstance(value.type.layout, NoneAttr)


# Fields


def list_of(name: str, values: Ints | Reals, length: int) -> tuple[Any, ...]:
    """Return the numbers of a list. Raises VerifyException unless there are `length` of them."""
    numbers = values_of(values)
    if len(numbers) != length:
        raise VerifyException(f"{name} must have {length} numbers, got {list(numbers)}")
    return numbers


def list_of_at_least(name: str, values: Ints, length: int, least: int) -> tuple[int, ...]:
    """Return the numbers of a list. Raises VerifyException unless there are `length` of them, none below `least`."""
    numbers = list_of(name, values, length)
    if min(numbers, default=least) < least:
        raise VerifyException(f"{name} must be at least {least}, got {list(numbers)}")
    return numbers


def check_storage_value(name: str, value: float, storage: str) -> None:
    """Raise VerifyException unless an integer fits its storage type; any number fits a float."""
    if is_float(storage) or storage == "bool" or storage in SMALL_FLOAT_NAMES:
        return
    low, high = integer_range(storage)
    if not low <= value <= high:
        raise VerifyException(f"{name} {value} is outside the range of {storage}, {low} to {high}")


def check_zero_points(values: Ints, *storages: str) -> None:
    """Raise VerifyException unless there is one zero point for each storage type, within that type's range."""
    for value, storage in zip(list_of("zero_points", values, len(storages)), storages, strict=True):
        if is_float(storage) or storage in SMALL_FLOAT_NAMES:
            fail_unless(value == 0, f"zero point of {storage} must be 0, got {value}")
        else:
            check_storage_value("zero point", value, storage)


def check_clamp(clamp: Reals) -> None:
    """Raise VerifyException unless the clamp has two bounds, the lower one first."""
    low, high = list_of("clamp", clamp, 2)
    check_bounds("clamp bounds", low, high)


def check_multipliers(multipliers: Iterable[int], shift: int) -> None:
    """Raise VerifyException unless multipliers and their shift are in the range that requantization takes."""
    for each in multipliers:
        fail_unless(0 <= each < 2**31, f"multiplier must be in 0 to 2^31 - 1, got {each}")
    fail_unless(0 <= shift <= MAX_SHIFT, f"shift must be in 0 to {MAX_SHIFT}, got {shift}")


def check_pitch(what: str, count: int, name: str, value: SSAValue) -> None:
    """Raise VerifyException unless `count` elements fit the rows of a buffer."""
    check_at_least_one_axis(name, value)
    columns = columns_of(value)
    if not 1 <= count <= columns:
        whole = "the pitch" if is_dense(value) else "the row length"
        raise VerifyException(f"{what} must be in 1 to {columns}, {whole} of {name}, got {count}")


def check_same_rows(name: str, value: SSAValue, other_name: str, other: SSAValue) -> None:
    """Raise VerifyException unless two buffers have the same number of rows."""
    check_at_least_one_axis(name, value)
    fail_unless(
        rows_of(value) == rows_of(other),
        f"{name} has {rows_of(value)} rows, {other_name} has {rows_of(other)}",
    )


def check_local_pair(op: Any) -> None:
    """Raise VerifyException unless x and out are in local memory."""
    check_space(op, "x", "local")
    check_space(op, "out", "local")


def check_rows(op: Any) -> None:
    """Raise VerifyException unless x and out are in local memory and have the same number of rows, and each row can
    hold `columns` elements.
    """
    check_local_pair(op)
    check_same_rows("out", op.out, "x", op.x)
    columns = op.columns.value.data
    check_pitch("columns", columns, "x", op.x)
    check_pitch("columns", columns, "out", op.out)


def check_core(core: IntegerAttr | None) -> None:
    """Raise VerifyException if a core's number is negative."""
    if core is not None and core.value.data < 0:
        raise VerifyException(f"core must not be negative, got {core.value.data}")
