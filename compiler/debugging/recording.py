"""Records every value that IR computes on given inputs, as it is stored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Attribute

from ...backends.interpreter.samples import joined
from ...backends.numerics.quantization import quantize
from ...backends.numerics.storage import dtype_of
from ...dialects.ir.context import SmaltiContext
from ...dialects.quant.number_format import NumberFormat
from ..compilation.execution import run_ir
from ..compilation.pipelines import level_of


def record(
    module: ModuleOp, ctx: SmaltiContext, inputs: Mapping[str, np.ndarray], *, real: bool = False
) -> dict[str, np.ndarray]:
    """Return inputs, intermediate values and outputs by name, in the order in which they are made.

    Samples follow each other along axis 0. Values are in storage, which for a quantized tensor means integers; with
    `real` they are the numbers that those stand for (top and tpu only). IR of level isa has no intermediate values.

    Raises DiagnosticError if the inputs do not fit the IR.
    """
    types = _types(module) if level_of(module) == "tpu" and not real else {}
    seen = {name: np.asarray(array) for name, array in inputs.items()}

    def observe(name: str, value: np.ndarray) -> None:
        stored = _stored(value, types[name]) if name in types else value
        seen.setdefault(name, joined(stored, len(stored)))

    for name, value in run_ir(module, ctx, inputs, observe=observe).items():
        seen.setdefault(name, value)
    return seen


def _types(module: ModuleOp) -> dict[str, Attribute]:
    """Return the type of every named result."""
    return {
        name.data: op.results[0].type
        for op in module.walk()
        if isinstance(name := op.properties.get("name"), StringAttr) and op.results
    }


def _stored(value: np.ndarray, type: Attribute) -> np.ndarray:
    """Return real numbers as they are stored; exact for numbers that were read from storage."""
    form = NumberFormat.of(type)
    if form.is_quantized:
        return quantize(value, form.scale, form.zero_point, form.storage)
    return value.astype(dtype_of(form.storage))
