"""Every op of `top`, in each of its kinds and every function, computes in exported models what it does here."""

import re

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.samples import input_tensors, main_function
from smalti.backends.interpreter.top import run_top
from smalti.backends.numerics.functions.registry import FUNCTIONS
from smalti.backends.numerics.storage import dtype_of
from smalti.compiler.analysis.legality_cases import cases
from smalti.compiler.onnx_export.exporter import export_onnx
from smalti.compiler.onnx_export.function_table import FUNCTION_EXPORTERS
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module

from tests.exported_model import run_exported

WITHOUT_COUNTERPART: set[str] = set()
"""Functions that ONNX does not have."""
WITHOUT_REFERENCE = {(kind, "bf16") for kind in ("det", "max_roi_pool", "lstm", "gru", "rnn")}
"""What no other tool computes: ONNX's reference gives determinants in f64, has no MaxRoiPool, and ignores the lengths
of sequences.
"""
ONLY_OF_F32 = {"dynamic_quantize_linear", "dynamic_quantize_lstm"}
"""Functions that take no other floats."""
TOLERANCE = {"f32": 1e-5, "f16": 4e-3, "bf16": 3e-2}


def in_storage(text: str, storage: str) -> str:
    """The text of a network with other floats."""
    return re.sub(r"\bf32\b|(?<=x)f32\b", storage, text)


def is_right(text: str) -> bool:
    """Tell whether a network is right: some functions give f32 whatever they take."""
    try:
        parse_module(text, make_context(), "the example")
    except DiagnosticError:
        return False
    return True


CASES = [
    pytest.param(text, storage, id=f"{case.op.name}-{case.kind}-{storage}")
    for case in cases()
    for storage in TOLERANCE
    if case.kind not in WITHOUT_COUNTERPART
    and (storage == "f32" or case.kind not in ONLY_OF_F32)
    and ((text := in_storage(case.text, storage)) != case.text or storage == "f32")
    and (case.kind, storage) not in WITHOUT_REFERENCE
    and is_right(text)
]


def arrays(shapes: dict[str, tuple[tuple[int, ...], str]]) -> dict[str, np.ndarray]:
    """Numbers for which the examples are defined: integers are indices from 1 on, and no divisor is 0."""
    generator = np.random.default_rng(7)
    made = {}
    for name, (shape, storage) in shapes.items():
        dtype = dtype_of(storage)
        if dtype.kind == "b":
            made[name] = generator.integers(0, 2, shape).astype(np.bool_)
        elif dtype.kind in "iu":
            made[name] = np.asarray(((np.indices(shape)[0] if shape else 0) + 1) % 3, dtype)
        else:
            made[name] = generator.normal(0.4, 0.5, shape).astype(np.float32).astype(dtype)
    return made


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("text", "storage"), CASES)
def test_results_are_the_same(text: str, storage: str):
    ctx = make_context()
    module = parse_module(text, ctx, "the example")
    inputs = arrays(input_tensors(main_function(module)))
    expected = run_top(module, ctx.weights, inputs)
    found = run_exported(export_onnx(module, ctx.weights).proto(), inputs)
    assert found.keys() == expected.keys()
    for name, want in expected.items():
        assert found[name].dtype == want.dtype and found[name].shape == want.shape
        np.testing.assert_allclose(
            found[name].astype(np.float64),
            want.astype(np.float64),
            rtol=TOLERANCE[storage],
            atol=TOLERANCE[storage],
        )


def test_functions_without_a_counterpart_are_few():
    assert FUNCTIONS.keys() - FUNCTION_EXPORTERS.keys() == WITHOUT_COUNTERPART
