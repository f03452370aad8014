"""The table of ONNX ops that can be imported; each family of ops has a module of its own."""

from __future__ import annotations

from .graph.operator import Operator
from .ops import (
    along_axis,
    arithmetic,
    axis_normalization,
    constant,
    convolution,
    einsum,
    movement,
    normalization,
    padding,
    pointwise,
    pooling,
    product,
    reduction,
    resampling,
    reshape,
)

OPERATORS: dict[str, Operator] = {
    **along_axis.OPERATORS,
    **arithmetic.OPERATORS,
    **axis_normalization.OPERATORS,
    **constant.OPERATORS,
    **convolution.OPERATORS,
    **einsum.OPERATORS,
    **movement.OPERATORS,
    **normalization.OPERATORS,
    **padding.OPERATORS,
    **pointwise.OPERATORS,
    **pooling.OPERATORS,
    **product.OPERATORS,
    **reduction.OPERATORS,
    **resampling.OPERATORS,
    **reshape.OPERATORS,
}
"""How each op of ONNX's default operator set is imported, by name."""

HANDLES_CONSTANTS = frozenset(
    {"Constant", "Identity", "Shape", "Size", "Dropout", *reshape.OPERATORS}
)
"""Ops whose import function handles constants without arithmetic, which is cheaper than folding.
"""


def supported_operators() -> list[tuple[str, tuple[int, ...], str]]:
    """List the ops: name, the opset versions in which the op began or changed, and where it runs.

    "matrix", "vector" and "transfers" are engines of the target; "folded" and "removed" ops do not reach it. All
    versions of an op are accepted. Any other op is accepted too if all of its inputs are constants.
    """
    import onnx

    versions: dict[str, set[int]] = {name: set() for name in OPERATORS}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and schema.name in versions and not schema.deprecated:
            versions[schema.name].add(schema.since_version)
    return [
        (name, tuple(sorted(versions[name])), OPERATORS[name].engine) for name in sorted(OPERATORS)
    ]
