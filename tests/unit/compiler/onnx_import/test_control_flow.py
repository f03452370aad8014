"""If, Loop and Scan: known branches are taken, loops of known length are unrolled; against ONNX Runtime."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model

from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    ops_of,
    random_input,
    run_imported,
)

node = helper.make_node


def value(name, shape=None, element=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, element, shape)


def graph(nodes, inputs, outputs, name="body"):
    return helper.make_graph(nodes, name, inputs, outputs)


def check(model, inputs) -> None:
    """Compare top and a program with ONNX Runtime."""
    expected = run_onnx(model, inputs)
    compiled = compile_model(model, target="edge-1c", quantize="f32")
    for found in (run_imported(model, inputs), compiled.run(inputs)):
        for name, each in expected.items():
            assert found[name].shape == each.shape
            np.testing.assert_allclose(found[name], each, atol=1e-5)


YES = graph([node("Exp", ["x"], ["yes"])], [], [value("yes")], "then")
NO = graph([node("Neg", ["x"], ["no"])], [], [value("no")], "else")
CHOICE = node("If", ["c"], ["y"], then_branch=YES, else_branch=NO, name="choice")


@pytest.mark.parametrize("condition", [True, False])
def test_a_known_branch_is_taken(condition):
    """Branches read the tensors outside."""
    model = model_of([CHOICE], {"x": (2, 3)}, constants={"c": np.array(condition)})
    check(model, {"x": random_input(2, 3)})
    module, _ = imported(model)
    assert len(ops_of(module)) == 1


def test_a_branch_chosen_at_run_time():
    model = model_of([CHOICE], {"x": (2, 3), "c": ()}, bools=["c"])
    for condition in (True, False):
        check(model, {"x": random_input(2, 3), "c": np.array(condition)})


def test_branches_of_different_shapes():
    """A branch may read what stands outside, or make its own constants."""
    other = graph([node("Constant", [], ["no"], value_floats=[1.0])], [], [value("no")], "else")
    choice = node("If", ["c"], ["y"], then_branch=YES, else_branch=other, name="choice")
    with pytest.raises(DiagnosticError) as caught:
        imported(model_of([choice], {"x": (2, 3), "c": ()}, bools=["c"]))
    (note,) = caught.value.notes
    assert "decides between the shapes [2, 3] and [1]" in str(note)


def test_what_a_branch_needs_and_is_not_supported():
    branch = graph([node("NonZero", ["x"], ["yes"])], [], [value("yes")], "then")
    choice = node("If", ["c"], ["y"], then_branch=branch, else_branch=NO, name="choice")
    model = model_of([choice], {"x": (2, 3)}, constants={"c": np.array(True)})
    with pytest.raises(DiagnosticError) as caught:
        imported(model)
    (note,) = caught.value.notes
    assert str(note) == "If (opset 17), 'choice': its body needs NonZero"


def loop(limit: int, stop: int | None = None):
    """A loop that sums and collects; it stops when the step's number has reached `stop`."""
    ends = (
        [node("Identity", ["go"], ["more"])]
        if stop is None
        else [
            node("Constant", [], ["stop"], value_int=stop),
            node("Less", ["step", "stop"], ["more"]),
        ]
    )
    body = graph(
        [
            *ends,
            node("Cast", ["step"], ["number"], to=1),
            node("Add", ["state", "number"], ["next"]),
            node("Mul", ["next", "x"], ["row"]),
        ],
        [value("step", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("state")],
        [value("more", [], TensorProto.BOOL), value("next"), value("row")],
    )
    return model_of(
        [node("Loop", ["m", "g", "x"], ["last", "rows"], body=body, name="loop")],
        {"x": (2, 3)},
        ["last", "rows"],
        {"m": np.array(limit), "g": np.array(True)},
    )


@pytest.mark.parametrize("stop", [None, 2])
def test_a_loop_of_known_length(stop):
    check(loop(4, stop), {"x": random_input(2, 3)})


def test_a_loop_that_is_too_long():
    with pytest.raises(DiagnosticError) as caught:
        imported(loop(10**9))
    assert "more than the limit of 20,000 (unrolled-nodes)" in str(caught.value)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("backward", [0, 1])
def test_a_scan(axis, backward):
    body = graph(
        [node("Add", ["state", "row"], ["next"]), node("Relu", ["next"], ["out"])],
        [value("state"), value("row")],
        [value("next"), value("out")],
    )
    scan = node(
        "Scan", ["s", "x"], ["last", "outs"], name="scan", body=body, num_scan_inputs=1,
        scan_input_axes=[axis], scan_input_directions=[backward],
        scan_output_axes=[1 - axis], scan_output_directions=[1 - backward],
    )  # fmt: skip
    model = model_of([scan], {"s": (4,), "x": (3, 4) if axis == 0 else (4, 3)}, ["last", "outs"])
    shapes = {
        each.name: [d.dim_value for d in each.type.tensor_type.shape.dim]
        for each in model.graph.input
    }
    check(model, {name: random_input(*shape) for name, shape in shapes.items()})


def test_nodes_are_sorted_by_what_their_subgraphs_read():
    """The node that makes what a branch reads may stand after it."""
    branch = graph([node("Exp", ["a"], ["yes"])], [], [value("yes")], "then")
    choice = node("If", ["c"], ["y"], then_branch=branch, else_branch=NO, name="choice")
    nodes = [choice, node("Relu", ["x"], ["a"])]
    model = model_of(nodes, {"x": (2, 3)}, constants={"c": np.array(True)})
    x = random_input(2, 3)
    found = run_imported(model, {"x": x})["y"]
    np.testing.assert_allclose(found, np.exp(np.maximum(x, 0)), atol=1e-6)


def test_initializers_of_a_body():
    branch = graph([node("Add", ["x", "w"], ["yes"])], [], [value("yes")], "then")
    branch.initializer.append(numpy_helper.from_array(random_input(3), "w"))
    choice = node("If", ["c"], ["y"], then_branch=branch, else_branch=NO, name="choice")
    model = model_of([choice], {"x": (2, 3)}, constants={"c": np.array(True)})
    check(model, {"x": random_input(2, 3)})


@pytest.mark.parametrize("lengths", [None, [3, 1]])
@pytest.mark.parametrize("backward", [0, 1])
def test_a_scan_of_opset_8(lengths, backward):
    """Axis 0 are samples with lengths of their own; outputs after the end of a sample are 0."""
    body = graph(
        [node("Add", ["state", "row"], ["next"]), node("Neg", ["next"], ["out"])],
        [value("state", [4]), value("row", [4])],
        [value("next", [4]), value("out", [4])],
    )
    first = "" if lengths is None else "lengths"
    scan = node(
        "Scan", [first, "s", "x"], ["last", "outs"], name="scan", body=body, num_scan_inputs=1,
        directions=[backward],
    )  # fmt: skip
    constants = {} if lengths is None else {"lengths": np.array(lengths)}
    model = model_of([scan], {"s": (2, 4), "x": (2, 3, 4)}, ["last", "outs"], constants, opset=8)
    s, x = random_input(2, 4), random_input(2, 3, 4)
    last, outs = s.copy(), np.zeros_like(x)
    for sample, length in enumerate(lengths or [3, 3]):
        rows = x[sample, :length]
        for step, row in enumerate(rows[::-1] if backward else rows):
            last[sample] += row
            outs[sample, step] = -last[sample]
    found = run_imported(model, {"s": s, "x": x})
    np.testing.assert_allclose(found["last"], last, atol=1e-6)
    np.testing.assert_allclose(found["outs"], outs, atol=1e-6)


@pytest.mark.share(4)
def test_loops_in_loops_count_together():
    inner = graph(
        [node("Relu", ["u"], ["v"]), node("Identity", ["b"], ["c"])],
        [value("j", [], TensorProto.INT64), value("b", [], TensorProto.BOOL), value("u")],
        [value("c", [], TensorProto.BOOL), value("v")],
    )
    outer = graph(
        [node("Loop", ["n", "", "s"], ["t"], body=inner), node("Identity", ["a"], ["d"])],
        [value("i", [], TensorProto.INT64), value("a", [], TensorProto.BOOL), value("s")],
        [value("d", [], TensorProto.BOOL), value("t")],
    )
    loops = node("Loop", ["n", "", "x"], ["y"], body=outer, name="loops")
    model = model_of([loops], {"x": (2,)}, constants={"n": np.array(200)})
    with pytest.raises(DiagnosticError, match=r"with what was unrolled before, .*unrolled-nodes"):
        imported(model)


def test_only_the_condition_ends_a_loop_of_the_greatest_trip_count():
    check(loop(2**63 - 1, 2), {"x": random_input(2, 3)})


@pytest.mark.parametrize("limit", (2**40, 2**63 - 1))
def test_a_loop_that_its_condition_never_ends_is_refused_at_once(limit):
    """After the first step, by the trip count: not after as many steps as the limit lets be unrolled."""
    with pytest.raises(DiagnosticError, match=rf"{4 * limit:,} .*unrolled-nodes"):
        imported(loop(limit, None))


def test_a_trip_count_that_is_an_input_made_constant():
    model = loop(4, None)
    model.graph.input.append(value("m", [], TensorProto.INT64))
    kept = [each for each in model.graph.initializer if each.name != "m"]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    with pytest.raises(DiagnosticError, match="needs 1 operator"):
        imported(model)
    x = random_input(2, 3)
    expected = run_onnx(model, {"x": x, "m": np.array(3)})
    found = run_imported(model, {"x": x}, constants={"m": 3})
    for name, want in expected.items():
        np.testing.assert_allclose(found[name], want, atol=1e-6)


@pytest.mark.parametrize(
    ("start", "limit", "delta"),
    [
        (np.int64(1), np.int64(10), np.int64(3)),
        (np.int32(10), np.int32(-3), np.int32(-4)),
        (np.array([0]), np.array([4]), np.int64(1)),
        (np.float32(0.5), np.float32(2.5), np.float32(0.25)),
        (np.int64(3), np.int64(1), np.int64(1)),
    ],
)
def test_ranges(start, limit, delta):
    ranges = node("Range", ["a", "b", "d"], ["r"])
    nodes = [ranges, node("Cast", ["r"], ["f"], to=1), node("Add", ["f", "x"], ["y"])]
    model = model_of(nodes, {"x": ()}, constants={"a": start, "b": limit, "d": delta})
    found = run_imported(model, {"x": np.array(1, np.float32)})["y"]
    expected = np.arange(float(start.item()), float(limit.item()), float(delta.item())) + 1
    np.testing.assert_allclose(found, expected)


def test_ranges_that_are_too_long_or_none():
    def ranged(**bounds):
        constants = {name: np.array(each, np.int64) for name, each in bounds.items()}
        nodes = [node("Range", ["a", "b", "d"], ["r"]), node("Cast", ["r"], ["y"], to=1)]
        imported(model_of(nodes, {}, constants=constants))

    with pytest.raises(DiagnosticError, match="folded-bytes"):
        ranged(a=0, b=10**12, d=1)
    with pytest.raises(DiagnosticError, match="no number of steps of 0"):
        ranged(a=0, b=3, d=0)
    with pytest.raises(DiagnosticError, match="must be one number each"):
        ranged(a=0, b=[3, 4], d=1)
