"""The interpreter of the tpu dialect, which computes integers in their storage types, bit for bit as the target
does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block

from ...dialects.ir.weights import WeightStore
from ...dialects.tpu import TpuOp
from .function import FunctionRunner, Observer


def run_tpu(
    module: ModuleOp,
    weights: WeightStore,
    inputs: Mapping[str, np.ndarray],
    *,
    observe: Observer | None = None,
) -> dict[str, np.ndarray]:
    """Run the function of a tpu module and return its results by name.

    Args:
        module: a module with one function of tpu ops.
        weights: the store that holds its weights.
        inputs: arrays by input name, of the declared shape, or with an axis 0 that is S times as
            long: S samples.
        observe: called as observe(name, value) once for every input and every op's result (weights
            excepted), with the f32 numbers [S, shape...] that the stored ones stand for. All
            samples are then run at once.

    Returns:
        Arrays of the declared shapes, the results of S samples one after the other along axis 0.

    Raises:
        DiagnosticError: if inputs are missing, unknown or of wrong shapes, or an op is not of `tpu`.
    """
    return FunctionRunner(TpuOp, weights).run(module, inputs, observe)


def run_body(block: Block, arguments: Sequence[np.ndarray], weights: WeightStore) -> np.ndarray:
    """Return the value that a block of tpu ops yields; arguments and result in storage types, with the sample axis
    first.

    The sample axis of an argument has size 1 if all samples share it; that of the result has, if it depends on no
    sample.
    """
    (result,) = FunctionRunner(TpuOp, weights).run_block(block, arguments)
    return result
