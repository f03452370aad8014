"""ONNX's own node tests for every op that can be imported, on the top interpreter.

Inputs that say shapes, axes or bounds are frozen into constants: Smalti settles them at import.
"""

import copy
import functools
import warnings

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.onnx_import.operator_table import OPERATORS

from tests.unit.compiler.onnx_import.onnx_models import run_imported

FREEZE_ALL_BUT_FIRST = {"Clip", "Resize", "Upsample", "Dropout", "Pad"}
REFUSED = (
    "pool_3d_",
    "training",
    "with_argmax",
    "identity_opt",
    "identity_sequence",
    "batch_diagonal",
    "float32_mixed_sign_fmod_0",
    "float64_mixed_sign_fmod_0",
    "fmod_0_float32",
    "fmod_0_float64",
)
"""Parts of names of cases that Smalti refuses: 3-D pools, training mode, indices as outputs,
sequences, diagonals, the remainder of floats that is rounded down.
"""
NO_FLOATS = (
    "test_shape",
    "test_size",
    "int8",
    "int16",
    "int32",
    "int64",
    "_cast_",
    "reshape_allowzero",
    "empty_set",
    "bool_inputs",
    "edge_pad",
    "reflect_pad",
    "wrap_pad",
    "zero_size_splits",
    "float16",
    "_string",
    "_double_",
    "mod_broadcast",
    "where_long",
    "top_k_same_values",
)
"""Cases whose result is no tensor of f32 or bools, or has no elements."""
SCALED_SIZE = (
    "downsample_scales_cubic_align_corners",
    "downsample_scales_linear_align_corners",
)
"""Cases that take the scale times the input's size for the output's size; ONNX Runtime takes the whole size
of the output, as Smalti does.
"""


@functools.cache
def cases():
    """The cases for supported ops by name, their data as arrays."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = load_model_tests(kind="node")
    return {
        case.name: case
        for case in every
        if all(node.op_type in OPERATORS and not node.domain for node in case.model.graph.node)
    }


def frozen(case):
    """The model with operands that are known before running as initializers; its other inputs; the
    expected outputs. What is f64 is made f32.
    """
    inputs, outputs = case.data_sets[0]
    model = copy.deepcopy(case.model)
    graph = model.graph
    keep_first = graph.node[0].op_type in FREEZE_ALL_BUT_FIRST
    values = dict(zip((value.name for value in graph.input), inputs, strict=True))
    kept = {}
    for index, (name, value) in enumerate(values.items()):
        if not isinstance(value, np.ndarray | np.generic):
            pytest.skip("its input is no tensor that can be frozen")
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        if array.dtype in (np.float32, np.bool_) and not (keep_first and index):
            kept[name] = array
        else:
            graph.initializer.append(numpy_helper.from_array(array, name))
    inputs_left = [value for value in graph.input if value.name in kept]
    del graph.input[:]
    graph.input.extend(inputs_left)
    for value in [*graph.input, *graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.DOUBLE:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    if graph.node[0].op_type == "LayerNormalization":
        # Mean and InvStdDev are for training.
        del graph.output[1:]
        del graph.node[0].output[1:]
    expected = dict(zip((value.name for value in graph.output), outputs, strict=False))
    return model, kept, expected


def test_node_suite():
    """One test for all cases: collecting them takes a second, running each a millisecond."""
    passed, wrong = 0, []
    for name, case in cases().items():
        left_out = any(part in name for part in (*REFUSED, *NO_FLOATS, *SCALED_SIZE))
        if left_out or not _has_arrays(case):
            continue
        model, inputs, expected = frozen(case)
        try:
            got = run_imported(model, inputs)
        except DiagnosticError as error:
            wrong.append(f"{name}: {error}")
            continue
        for key, value in expected.items():
            # Some cases write their expected values with four digits.
            if got[key].shape != value.shape or not np.allclose(
                got[key], value, rtol=1e-4, atol=1e-4
            ):
                wrong.append(f"{name}: wrong values of {key}")
        passed += 1
    assert not wrong, "\n".join(wrong)
    assert passed >= 440


def test_refused_cases_are_diagnostics():
    refused = 0
    for name, case in cases().items():
        if any(part in name for part in REFUSED) and _has_arrays(case):
            model, inputs, _ = frozen(case)
            with pytest.raises(DiagnosticError):
                run_imported(model, inputs)
            refused += 1
    assert refused >= 15


def _has_arrays(case):
    inputs, outputs = case.data_sets[0]
    return all(isinstance(value, np.ndarray | np.generic) for value in [*inputs, *outputs])
