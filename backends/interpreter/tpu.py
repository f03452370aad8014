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
    raw_io: bool = False,
) -> dict[str, np.ndarray]:
    """Run the function of a tpu module and return its results by name.

    Arguments, results and errors are those of `run_top`; `observe` gets the f32 numbers that the stored ones stand for.
    With `raw_io` inputs and results are what the program's ports will hold, not the model's values.
    """
    return FunctionRunner(TpuOp, weights).run(module, inputs, observe, raw_io)


def run_body(block: Block, arguments: Sequence[np.ndarray], weights: WeightStore) -> np.ndarray:
    """Return the value that a block of tpu ops yields; arguments and result in storage types, with the sample axis
    first.

    The sample axis of an argument has size 1 if all samples share it; that of the result has, if it depends on no
    sample.
    """
    (result,) = FunctionRunner(TpuOp, weights).run_block(block, arguments)
    return result
