"""What a small model may ask for: each limit is named, and can be raised."""

import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.onnx_import.model.limits import ImportLimits
from smalti.tools.main import main

from ..onnx_models import model_of, run_imported


def chain(functions: int, calls: int) -> onnx.ModelProto:
    """x → y through functions that each call the next one so many times."""
    model = model_of([helper.make_node("F0", ["x"], ["y"], domain="local")], {"x": (2,)})
    model.opset_import.append(helper.make_opsetid("local", 1))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    for number in range(functions):
        last = number == functions - 1
        op, domain = ("Relu", "") if last else (f"F{number + 1}", "local")
        nodes = [
            helper.make_node(
                op,
                ["a" if i == 0 else f"t{i}"],
                [f"t{i + 1}" if i < calls - 1 else "b"],
                domain=domain,
            )
            for i in range(calls)
        ]
        model.functions.append(
            helper.make_function("local", f"F{number}", ["a"], ["b"], nodes, opsets)
        )
    return model


def test_doubling_functions_are_counted_before_they_are_inlined():
    started = time.perf_counter()
    with pytest.raises(DiagnosticError, match=r"1,099,511,627,776 nodes .* limit of 1,000,000"):
        run_imported(chain(40, 2), {"x": np.ones(2, np.float32)})
    assert time.perf_counter() - started < 5


def test_the_depth_is_limited_and_the_limit_can_be_raised(tmp_path, capsys):
    with pytest.raises(DiagnosticError, match="functions call functions 200 deep") as caught:
        run_imported(chain(200, 1), {"x": np.ones(2, np.float32)})
    assert (
        caught.value.hint is not None and "--import-limit inlining-depth=200" in caught.value.hint
    )
    limits = ImportLimits().raised({"inlining-depth": 200})
    got = run_imported(chain(200, 1), {"x": np.array([-1, 1], np.float32)}, limits=limits)
    np.testing.assert_array_equal(got["y"], [0, 1])

    deep = chain(200, 1)
    functions = list(deep.functions)[::-1]  # in this order onnx inlines no more than 100 at once
    del deep.functions[:]
    deep.functions.extend(functions)
    got = run_imported(deep, {"x": np.array([-1, 1], np.float32)}, limits=limits)
    np.testing.assert_array_equal(got["y"], [0, 1])

    onnx.save(chain(3, 1), tmp_path / "m.onnx")
    words = ["import", str(tmp_path / "m.onnx"), "-o", str(tmp_path / "m.top.mlir")]
    assert main([*words, "--import-limit", "inlining-depth=2"]) == 1
    assert "limit of 2 (inlining-depth)" in capsys.readouterr().err
    assert main([*words, "--import-limit", "inlining-depth=3"]) == 0


def test_functions_that_call_themselves_are_refused():
    model = chain(2, 1)
    model.functions[1].node[0].op_type = "F0"
    model.functions[1].node[0].domain = "local"
    with pytest.raises(DiagnosticError, match="functions of the model call themselves: 'F0', 'F1'"):
        run_imported(model, {"x": np.ones(2, np.float32)})


def test_bytes_of_functions_count_as_often_as_they_are_called():
    model = chain(12, 2)
    value = onnx.numpy_helper.from_array(np.ones(250_000, np.float32), "c")
    last = model.functions[-1]
    last.node.insert(0, helper.make_node("Constant", [], ["c"], value=value))
    with pytest.raises(DiagnosticError, match=r"inlined.*limit of 1,073,741,824 \(inlined-bytes\)"):
        run_imported(model, {"x": np.ones(2, np.float32)})


def test_constants_computed_at_import_are_limited_together():
    """Each is small enough; the limit is of all."""
    nodes = [
        helper.make_node("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], axis=0) for i in range(10)
    ]
    nodes.append(helper.make_node("ReduceSum", ["c10"], ["s"], keepdims=0))
    nodes.append(helper.make_node("Add", ["x", "s"], ["y"]))
    model = model_of(nodes, {"x": (2,)}, constants={"c0": np.ones(256, np.float32)})
    inputs = {"x": np.ones(2, np.float32)}
    np.testing.assert_array_equal(run_imported(model, inputs)["y"], [262145, 262145])
    limits = ImportLimits(folded_total_bytes=2_000_000)
    with pytest.raises(
        DiagnosticError, match=r"2,095,104 bytes .*limit of 2,000,000 \(folded-total-bytes\)"
    ):
        run_imported(model, inputs, limits=limits)


def test_a_mask_is_a_constant_that_counts():
    model = model_of([helper.make_node("Dropout", ["x"], ["y", "m"])], {"x": (1000,)})
    model.graph.output.append(helper.make_tensor_value_info("m", TensorProto.BOOL, [1000]))
    with pytest.raises(DiagnosticError, match="limit of 999"):
        run_imported(model, {"x": np.ones(1000, np.float32)}, limits=ImportLimits(folded_bytes=999))


def test_a_limit_that_is_none(capsys):
    with pytest.raises(DiagnosticError, match="no import limit 'inlined-node'"):
        ImportLimits().raised({"inlined-node": 1})
    with pytest.raises(SystemExit):
        main(["import", "m.onnx", "-o", "m.mlir", "--import-limit", "nodes=1"])
    assert "inlined-nodes" in capsys.readouterr().err
