"""What the verifiers of the element-wise tile ops check."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from ...backends.instructions.pointwise import BINARY_KINDS, INTEGER_BINARY_KINDS, TABLE_ENTRIES
from ...backends.numerics.comparison import COMPARISONS, LOGIC
from ...backends.numerics.quantization import MAX_SHIFT
from ...backends.numerics.storage import is_float
from ...backends.numerics.unary import NOT, UNARY_KINDS
from ..ir.attribute import check_one_of
from ..network.shape import ShapeError, broadcast_shape
from ..quant.element_type import shape_of
from .checks import (
    MAX_BINARY_AXES,
    check_clamp,
    check_local_pair,
    check_multiplier,
    check_pitch,
    check_same_rows,
    check_space,
    check_storage,
    check_storage_value,
    check_zero_points,
    fail_unless,
    list_of,
    storage_of,
)

if TYPE_CHECKING:
    from .. import tile


def _verify_convert(op: tile.ConvertOp) -> None:
    check_local_pair(op)
    check_same_rows("out", op.out, "x", op.x)
    columns = op.columns.value.data
    check_pitch("columns", columns, "x", op.x)
    check_pitch("columns", columns, "out", op.out)
    scale = op.scale.value.data
    fail_unless(0 < scale < inf, f"scale must be a positive number, got {scale}")
    check_multiplier(op)
    check_zero_points(op.zero_points, storage_of(op.x), storage_of(op.out))
    check_clamp(op.clamp)


def _verify_binary(op: tile.BinaryOp) -> None:
    for name in ("a", "b", "out"):
        check_space(op, name, "local")
    kind, storage = op.kind.data, storage_of(op.a)
    check_one_of("kind", kind, BINARY_KINDS)
    check_storage("b", op.b, storage)
    check_storage("out", op.out, "bool" if kind in COMPARISONS else storage)
    if kind in LOGIC:
        check_storage("a", op.a, "bool")
    elif kind not in COMPARISONS:
        fail_unless(
            is_float(storage) or kind in INTEGER_BINARY_KINDS,
            f"{kind} is for floats, out is {storage}",
        )
    _check_broadcast(op, "a", "b")
    check_zero_points(op.zero_points, storage, storage, storage_of(op.out))
    for multiplier in list_of("multipliers", op.multipliers, 2):
        fail_unless(
            0 <= multiplier < 2**31, f"multiplier must be in 0 to 2^31 - 1, got {multiplier}"
        )
    shift = op.shift.value.data
    fail_unless(0 <= shift <= MAX_SHIFT, f"shift must be in 0 to {MAX_SHIFT}, got {shift}")
    check_clamp(op.clamp)


def _check_broadcast(op: Any, *names: str) -> None:
    """The operands broadcast to out, which has no more axes than an instruction counts."""
    shape = shape_of(op.out)
    fail_unless(
        len(shape) <= MAX_BINARY_AXES,
        f"out has {len(shape)} axes, at most {MAX_BINARY_AXES} are allowed",
    )
    shapes = [shape_of(getattr(op, name)) for name in names]
    try:
        fits = broadcast_shape(*shapes, shape) == shape
    except ShapeError:
        fits = False
    listed = " and ".join(f"{name} {list(own)}" for name, own in zip(names, shapes, strict=True))
    fail_unless(fits, f"{listed} do not broadcast to out {list(shape)}")


def _verify_select(op: tile.SelectOp) -> None:
    for name in ("condition", "a", "b", "out"):
        check_space(op, name, "local")
    check_storage("condition", op.condition, "bool")
    check_storage("a", op.a, storage_of(op.out))
    check_storage("b", op.b, storage_of(op.out))
    _check_broadcast(op, "condition", "a", "b")


def _check_rows(op: tile.UnaryOp | tile.LookupOp) -> None:
    check_local_pair(op)
    check_same_rows("out", op.out, "x", op.x)
    columns = op.columns.value.data
    check_pitch("columns", columns, "x", op.x)
    check_pitch("columns", columns, "out", op.out)


def _verify_unary(op: tile.UnaryOp) -> None:
    _check_rows(op)
    kind, storage = op.kind.data, storage_of(op.x)
    check_one_of("kind", kind, (*UNARY_KINDS, NOT))
    if kind == NOT:
        check_storage("x", op.x, "bool")
        check_storage("out", op.out, "bool")
        return
    fail_unless(is_float(storage), f"{kind} is for floats, x is {storage}")
    check_storage("out", op.out, "bool" if UNARY_KINDS[kind].is_predicate else storage)
    check_clamp(op.clamp)


def _verify_lookup(op: tile.LookupOp) -> None:
    _check_rows(op)
    check_storage("x", op.x, "i8", "u8")
    check_space(op, "table", "local")
    check_storage("table", op.table, storage_of(op.out))
    fail_unless(
        shape_of(op.table) == (TABLE_ENTRIES,),
        f"table must have shape [{TABLE_ENTRIES}], has {list(shape_of(op.table))}",
    )
    check_storage_value("zero point", op.zero_point.value.data, storage_of(op.out))


POINTWISE_VERIFIERS: dict[str, Callable[[Any], None]] = {
    "tile.convert": _verify_convert,
    "tile.binary": _verify_binary,
    "tile.select": _verify_select,
    "tile.unary": _verify_unary,
    "tile.lookup": _verify_lookup,
}
"""The verifier of each element-wise op."""
