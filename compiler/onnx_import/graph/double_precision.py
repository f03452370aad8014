"""Which functions compute in f64 what ops of `top` compute in f32 or less: the host calls them, no engine has f64."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ....dialects import top
from .value import Value, dtype_of_value

_BY_NAME: Mapping[type, str] = {
    top.AddOp: "add",
    top.SubOp: "sub",
    top.MulOp: "mul",
    top.DivOp: "div",
    top.MinOp: "min",
    top.MaxOp: "max",
    top.PowerOp: "pow",
    top.PreluOp: "prelu",
}
"""The functions of ops that have no other fields than their operands."""


def _named_by_kind(kind: str, **parameters: Any) -> tuple[str, dict[str, Any]]:
    return kind, parameters


_BY_FIELDS: Mapping[type, Callable[..., tuple[str, dict[str, Any]]]] = {
    top.UnaryOp: _named_by_kind,
    top.CompareOp: _named_by_kind,
    top.ReduceOp: lambda **fields: ("reduce", fields),
}
"""The functions and attributes of other ops, from the fields that they are made with."""


def function_of_f64(
    op_class: type, operands: Sequence[Value], fields: Mapping[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    """Return the function, with its attributes, that computes what `op_class` does of operands of f64; None if there is
    none, or they are of others types, too.
    """
    if any(dtype_of_value(value) != np.float64 for value in operands):
        return None
    if op_class is top.MatmulOp and len(operands) == 2:
        return "matmul", {}
    if op_class in _BY_NAME:
        return _BY_NAME[op_class], {}
    return _BY_FIELDS[op_class](**fields) if op_class in _BY_FIELDS else None
