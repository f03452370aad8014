"""ONNX's own node tests on the whole path, in floats: every op that can be imported, on the simulator."""

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.analysis.comparison import Difference
from smalti.compiler.compilation.compilation import (
    CompileOptions,
    Quantize,
    start_from_model,
)
from smalti.compiler.compilation.execution import run_ir

from tests.unit.compiler.onnx_import.test_node_suite import (
    NO_FLOATS,
    REFUSED,
    SCALED_SIZE,
    _has_arrays,
    cases,
    frozen,
)

DECIBELS = {"f32": 75.0, "f16": 40.0, "bf16": 25.0}
"""Some cases write their expected values with four digits."""
STEPS = {"f32": 2.0**-24, "f16": 2.0**-11, "bf16": 2.0**-8}
OUT_OF_RANGE = {
    "f16": ("softmax_large_number", "reduce_prod_default_axes_keepdims_example"),
    "bf16": ("softmax_large_number",),
}
"""Parts of names of cases with numbers that lie between two of the type, or beyond it, as inputs or as results."""
NOT_ON_A_TARGET = ("must be constant", "top.batch_norm has no counterpart", "at least 1")
"""What a target refuses: weights, biases and statistics of run time, tensors without elements."""


@pytest.mark.slow
@pytest.mark.parametrize("quantize", list(DECIBELS))
def test_node_suite_on_the_whole_path(quantize: Quantize):
    """Near the expected values; the program equal to tile to the bit, tile to tpu within steps."""
    passed, wrong = 0, []
    for name, case in cases().items():
        left_out = any(part in name for part in (*REFUSED, *NO_FLOATS, *SCALED_SIZE))
        if left_out or not _has_arrays(case):
            continue
        if any(part in name for part in OUT_OF_RANGE.get(quantize, ())):
            continue
        try:
            reason = difference(*frozen(case), quantize)
        except DiagnosticError as error:
            if not any(part in str(error) for part in NOT_ON_A_TARGET):
                wrong.append(f"{name}: {error}")
            continue
        passed += 1
        if reason:
            wrong.append(f"{name}: {reason}")
    assert not wrong, "\n".join(wrong)
    assert passed >= 250


def difference(model, inputs, expected, quantize: Quantize) -> str:
    """What is wrong with the results of a model; empty if nothing."""
    compilation = start_from_model(model, CompileOptions("edge-1c", None, quantize))
    compilation.lower_to("tpu")
    tpu = run_ir(compilation.module, compilation.ctx, inputs)
    compilation.lower_to("tile")
    tile = run_ir(compilation.module, compilation.ctx, inputs)
    program = simulate(compilation.assemble(), inputs, sanitize=True).outputs
    assert program is not None
    for name, value in expected.items():
        if not np.array_equal(program[name], tile[name], equal_nan=True):
            return f"{name}: the program is not equal to the tile interpreter"
        if value.dtype == np.bool_:
            if not np.array_equal(program[name], value):
                return f"{name}: other bools than expected"
            continue
        finite = np.isfinite(value)
        if not np.array_equal(np.isfinite(program[name]), finite):
            return f"{name}: infinite elsewhere than expected"
        if not finite.any():
            continue
        steps = STEPS[quantize] * max(float(np.abs(value[finite]).max()), 1e-3)
        apart = np.abs(tile[name][finite] - tpu[name][finite]).max()
        if apart > 8 * steps:
            return f"{name}: tile and tpu are {apart / steps:.1f} steps apart"
        snr_db = Difference.between(name, program[name][finite], value[finite]).snr_db
        if snr_db < DECIBELS[quantize]:
            return f"{name}: {snr_db:.1f} dB"
    return ""
