"""Imports MatMul and Gemm as matrix products with an optional bias."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import f64

from ....backends.numerics.storage import name_of
from ....dialects import top
from ....dialects.quant.element_type import type_of_storage
from ..graph.builder import GraphBuilder
from ..graph.call import MATRIX_OR_HOST, call, is_for_engines
from ..graph.node import Node
from ..graph.operator import Operator
from ..graph.value import Constant, Value, dtype_of_value, shape_of
from .arithmetic import align_legacy_operand
from .pointwise import in_element


def _matmul(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import MatMul; a 1-D operand becomes a row (left) or a column (right), and the result loses that axis again."""
    lhs, rhs = node.input(0), node.input(1)
    left, right = shape_of(lhs), shape_of(rhs)
    if not left or not right:
        raise node.error("its operands must have at least one axis")
    if len(left) > 1 and len(right) > 1:
        return [_product(node, builder, node.output, lhs, rhs)]
    if len(left) == 1:
        lhs = builder.reshape(lhs, (1, *left), builder.derived(node.output, "row"))
    if len(right) == 1:
        rhs = builder.reshape(rhs, (*right, 1), builder.derived(node.output, "column"))
    product = _product(node, builder, builder.derived(node.output, "matrix"), lhs, rhs)
    shape = list(shape_of(product))
    if len(right) == 1:
        del shape[-1]
    if len(left) == 1:
        del shape[-1 if len(right) == 1 else -2]
    return [builder.reshape(product, shape, node.output)]


def _product(node: Node, builder: GraphBuilder, name: str, lhs: Value, rhs: Value) -> Value:
    """Emit the product of matrices: for engines or, of integers and f64, as a call."""
    if is_for_engines(lhs, rhs):
        return builder.emit(top.MatmulOp, name, lhs, rhs)
    return call(node, builder, "matmul", lhs, rhs, name=name)


def _gemm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Gemm, alpha · A' · B' + beta · C; alpha and beta are multiplied into operands that are constant."""
    a, b, c = _matrix(node, builder, 0, "transA"), _matrix(node, builder, 1, "transB"), None
    rows, columns = shape_of(a)[0], shape_of(b)[1]
    alpha, beta = node.real("alpha", 1.0), node.real("beta", 1.0)
    if node.optional(2) is not None and beta != 0.0:
        c = _addend(node, builder, (rows, columns))
        if is_for_engines(a, b):
            c = _scaled(node, builder, c, beta, "c_scaled")
    if not is_for_engines(a, b):
        return [_gemm_by_calls(node, builder, a, b, c, node.output)]
    if isinstance(b, Constant) or not isinstance(a, Constant):
        b = _scaled(node, builder, b, alpha, "b_scaled")
    else:
        a = _scaled(node, builder, a, alpha, "a_scaled")
    bias = _as_bias(node, builder, c, columns)
    if c is None or bias is not None:
        return [builder.emit(top.MatmulOp, node.output, a, b, bias)]
    product = builder.emit(top.MatmulOp, builder.derived(node.output, "product"), a, b)
    return [builder.emit(top.AddOp, node.output, product, c)]


def _gemm_by_calls(
    node: Node, builder: GraphBuilder, a: Value, b: Value, c: Value | None, name: str
) -> Value:
    """Emit Gemm of integers or f64 under the name `name`; of integers in f64, rounded toward zero at the end, where
    alpha or beta is none of their type.
    """
    dtype = dtype_of_value(a)
    alpha, beta = node.real("alpha", 1.0), node.real("beta", 1.0)
    factors = [alpha] if c is None else [alpha, beta]
    if dtype.kind in "iu" and not all(_is_of_type(factor, dtype) for factor in factors):
        a, b, *rest = (
            in_element(node, builder, each, f64, builder.derived(name, "operand_wide"))
            for each in (a, b, c)
            if each is not None
        )
        wide = builder.derived(name, "wide")
        made = _gemm_by_calls(node, builder, a, b, rest[0] if rest else None, wide)
        return in_element(node, builder, made, type_of_storage(name_of(dtype)), name)

    def scaled(value: Value, factor: float, scaled_name: str) -> Value:
        if factor == 1.0:
            return value
        number = Constant(np.array(factor, dtype), builder.derived(scaled_name, "factor"))
        return call(node, builder, "mul", value, number, name=scaled_name)

    last = c is None
    own = name if last and alpha == 1.0 else builder.derived(name, "product")
    product = call(node, builder, "matmul", a, b, name=own)
    product = scaled(product, alpha, name if last else builder.derived(name, "product_scaled"))
    if c is None:
        return product
    addend = scaled(c, beta, builder.derived(name, "c_scaled"))
    return call(node, builder, "add", product, addend, name=name)


def _is_of_type(factor: float, dtype: np.dtype) -> bool:
    """Tell whether a number is one of a type of integers."""
    info = np.iinfo(dtype)
    return factor.is_integer() and info.min <= factor <= info.max


def _matrix(node: Node, builder: GraphBuilder, index: int, transposed: str) -> Value:
    value = node.input(index)
    shape = shape_of(value)
    if len(shape) != 2:
        raise node.error(f"input {index} must be a matrix, its shape is {list(shape)}")
    if not node.integer(transposed, 0):
        return value
    suffix = "a_transposed" if index == 0 else "b_transposed"
    return builder.transpose(value, (1, 0), builder.derived(node.output, suffix))


def _addend(node: Node, builder: GraphBuilder, shape: tuple[int, int]) -> Value:
    """Return input C, checked to broadcast to the product's shape without widening it."""
    c = node.input(2)
    if node.opset < 7:
        c = align_legacy_operand(node, builder, c, shape)
    own = shape_of(c)
    try:
        fits = np.broadcast_shapes(own, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise node.error(f"input C of shape {list(own)} does not broadcast to {list(shape)}")
    return c


def _scaled(node: Node, builder: GraphBuilder, value: Value, factor: float, suffix: str) -> Value:
    if factor == 1.0:
        return value
    name = builder.derived(node.output, suffix)
    if isinstance(value, Constant):
        array = value.array * np.asarray(factor, value.array.dtype)
        return Constant(array, name)
    return builder.emit(top.MulOp, name, value, builder.scalar(factor, name, "factor"))


def _as_bias(node: Node, builder: GraphBuilder, c: Value | None, columns: int) -> Value | None:
    """Return C as a bias with one value per column; None unless it is a constant of shape [N] or [1, N] or of one
    element. The matrix unit takes no other biases.
    """
    if not isinstance(c, Constant):
        return None
    shape = shape_of(c)
    if shape == (columns,):
        return c
    name = builder.derived(node.output, "bias")
    if shape == (1, columns):
        return builder.reshape(c, (columns,), name)
    return Constant(np.repeat(c.array.reshape(1), columns), name) if c.array.size == 1 else None


OPERATORS = {
    "MatMul": Operator(_matmul, MATRIX_OR_HOST),
    "Gemm": Operator(_gemm, MATRIX_OR_HOST),
}
"""The ops of this family."""
