"""Declared types and shapes that contradict the graph are refused, as ONNX's checker refuses them; symbols and unknown
sizes are not.
"""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.onnx_import.importer import import_onnx
from smalti.dialects.context import make_context

from tests.unit.compiler.onnx_import.onnx_models import imported, model_of, random_input

FLOAT, INT64, DOUBLE = TensorProto.FLOAT, TensorProto.INT64, TensorProto.DOUBLE


def two_relus(shape=(1, 3)):
    """x → Relu → a → Relu → y."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["y"], name="second"),
    ]
    return model_of(nodes, {"x": shape})


def add_constant(element, shape):
    """x + c, in which c [3] is an initializer that is declared as an input as well."""
    model = model_of(
        [helper.make_node("Add", ["x", "c"], ["y"], name="add")],
        {"x": (1, 3)},
        constants={"c": random_input(3)},
    )
    model.graph.input.append(helper.make_tensor_value_info("c", element, shape))
    return model


def with_output(model, element, shape):
    """The model with the declaration of its output replaced."""
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", element, shape))
    return model


def with_inner(model, element, shape):
    """The model with a declaration of its inner tensor."""
    model.graph.value_info.append(helper.make_tensor_value_info("a", element, shape))
    return model


def sequence_output(model):
    """The model with its output declared as a sequence."""
    model.graph.output[0].CopyFrom(helper.make_tensor_sequence_value_info("y", FLOAT, [1, 3]))
    return model


WRONG = {
    "size of an output": (
        lambda: with_output(two_relus(), FLOAT, [1, 4]),
        "output 'y'",
        "declared as FLOAT [1, 4], but is FLOAT [1, 3]",
    ),
    "rank of an output": (
        lambda: with_output(two_relus(), FLOAT, [3]),
        "output 'y'",
        "declared as FLOAT [3], but is FLOAT [1, 3]",
    ),
    "type of an output": (
        lambda: with_output(two_relus(), INT64, [1, 3]),
        "output 'y'",
        "declared as INT64 [1, 3], but is FLOAT [1, 3]",
    ),
    "an output that is no tensor": (
        lambda: sequence_output(two_relus()),
        "output 'y'",
        "declared as a sequence, but is FLOAT [1, 3]",
    ),
    "size of an inner tensor": (
        lambda: with_inner(two_relus(), FLOAT, [2, 3]),
        "tensor 'a'",
        "declared as FLOAT [2, 3], but is FLOAT [1, 3]",
    ),
    "type of an inner tensor": (
        lambda: with_inner(two_relus(), DOUBLE, [1, 3]),
        "tensor 'a'",
        "declared as DOUBLE [1, 3]",
    ),
    "size of an initializer": (
        lambda: add_constant(FLOAT, [4]),
        "initializer 'c'",
        "declared as FLOAT [4], but is FLOAT [3]",
    ),
    "type of an initializer": (
        lambda: add_constant(DOUBLE, [3]),
        "initializer 'c'",
        "declared as DOUBLE [3], but is FLOAT [3]",
    ),
    "a size next to a symbol": (
        lambda: with_output(two_relus(), FLOAT, ["N", 4]),
        "output 'y'",
        "declared as FLOAT [N, 4], but is FLOAT [1, 3]",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_contradictions(case):
    make, place, message = WRONG[case]
    with pytest.raises(DiagnosticError) as caught:
        imported(make())
    assert place in str(caught.value)
    assert message in str(caught.value)
    with pytest.raises((onnx.shape_inference.InferenceError, onnx.checker.ValidationError)):
        onnx.checker.check_model(make(), full_check=True)


def test_all_contradictions_are_named():
    with pytest.raises(DiagnosticError) as caught:
        imported(with_inner(with_output(two_relus(), FLOAT, [1, 4]), FLOAT, [3]))
    assert caught.value.notes == ["tensor 'a' is declared as FLOAT [3], but is FLOAT [1, 3]"]


def test_right_declarations():
    imported(with_inner(with_output(two_relus(), FLOAT, [1, 3]), FLOAT, [1, 3]))
    imported(with_output(two_relus(), FLOAT, ["N", "C"]))
    imported(with_output(two_relus(), FLOAT, [-1, 3]))
    imported(with_output(two_relus(), TensorProto.UNDEFINED, None))
    imported(add_constant(FLOAT, [3]))


def test_sizes_that_the_user_changes():
    """Declared sizes then follow no more, types and ranks still do."""
    imported(with_output(two_relus(), FLOAT, [1, 3]), batch=4)
    imported(with_inner(two_relus(), FLOAT, [1, 3]), input_shapes={"x": (2, 5)})
    with pytest.raises(DiagnosticError, match="declared as FLOAT"):
        imported(with_output(two_relus(), FLOAT, [3]), batch=4)


def warnings_of(model, **options):
    """The warnings of importing a model."""
    reports = []
    ctx = make_context()
    ctx.on_report = reports.append
    import_onnx(model, ctx, **options)
    return [str(report) for report in reports]


def test_symbols_that_stand_for_two_sizes():
    assert not warnings_of(with_output(two_relus(("N", 3)), FLOAT, ["N", "M"]), batch=2)
    (warning,) = warnings_of(with_output(two_relus(("N", 3)), FLOAT, ["N", "N"]), batch=2)
    assert "'N' is 2 in input 'x', but 3 in output 'y'" in warning
    model = model_of(
        [helper.make_node("Add", ["x", "z"], ["y"], name="add")], {"x": ("N", 3), "z": ("N", 3)}
    )
    (warning,) = warnings_of(model, input_shapes={"x": (1, 3), "z": (2, 3)})
    assert "'N' is 1 in input 'x', but 2 in input 'z'" in warning


def test_constant_outputs():
    model = model_of(
        [helper.make_node("Neg", ["c"], ["y"], name="neg")],
        {"x": (1,)},
        constants={"c": np.ones(3, np.float32)},
    )
    imported(with_output(model, FLOAT, [3]))
    with pytest.raises(DiagnosticError, match="but is FLOAT"):
        imported(with_output(model, FLOAT, [4]))
