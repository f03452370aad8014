"""The interpreter of the top dialect, which computes in floats."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...dialects.ir.weights import WeightStore
from ...dialects.top import TopOp
from .function import FunctionRunner, Observer


def run_top(
    module: ModuleOp,
    weights: WeightStore,
    inputs: Mapping[str, np.ndarray],
    *,
    observe: Observer | None = None,
) -> dict[str, np.ndarray]:
    """Run the function of a top module and return its results by name.

    Args:
        module: a module with one function of top ops.
        weights: the store that holds its weights.
        inputs: arrays by input name, of the declared shape, or with an axis 0 that is S times as
            long: S samples.
        observe: called as observe(name, value) once for every input and every op's result (weights
            excepted), with f32 [S, shape...]. All samples are then run at once: give many samples
            in several calls.

    Returns:
        Arrays of the declared shapes, the results of S samples one after the other along axis 0.

    Raises:
        DiagnosticError: if inputs are missing, unknown or of wrong shapes, or an op is not of `top`.
    """
    return FunctionRunner(TopOp, weights).run(module, inputs, observe)
