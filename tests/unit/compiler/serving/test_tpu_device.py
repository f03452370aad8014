"""The simulated card in service, through `smalti.runtime`."""

import numpy as np
import pytest
import smalti.runtime as ov
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model

from tests.unit.backends.runtime.served_network import network, sample


@pytest.fixture
def core():
    made = ov.Core([ov.TpuDevice(), ov.CpuDevice(1_000_000)], ov.VirtualClock(computes=True))
    yield made
    made.clock.close()


def test_it_computes_what_the_program_does_in_simulated_time(core: ov.Core):
    compiled = core.compile_model(network(), "TPU", {"QUANTIZE": "f32"})
    program = compile_model(network(), quantize="f32", batch=1)
    request = compiled.create_infer_request()
    results = request.infer({"x": sample(1)})
    np.testing.assert_array_equal(results["y"], program.run({"x": sample(1)})["y"])
    assert core.clock.now() == round(program.profile().cycles / program.program.target.clock_ghz)
    assert compiled.get_property("EXECUTION_DEVICES") == ["TPU.0"]


def test_a_script_for_another_runtime_runs_on_it():
    core = ov.Core()
    assert core.available_devices == ["TPU.0", "CPU"]
    compiled = core.compile_model(network(), "AUTO", {"PERFORMANCE_HINT": "LATENCY"})
    request, called = compiled.create_infer_request(), []
    request.set_callback(called.append, "data")
    request.start_async({"x": sample(1)})
    request.wait()
    expected = run_onnx(network(), {"x": sample(1)})["y"]
    np.testing.assert_allclose(request.get_output_tensor().data, expected, atol=0.01)
    assert called == ["data"]
    compiled.close()
    core.clock.close()


def test_values_of_the_cpu_and_a_target(core: ov.Core):
    compiled = core.compile_model(network(), "TPU(values=NONE)")
    with pytest.raises(DiagnosticError, match="nobody computed values"):
        compiled({"x": sample(1)})
    compiled = core.compile_model(network(), "TPU(target=edge-1c,values=CPU)")
    expected = run_onnx(network(), {"x": sample(1)})["y"]
    np.testing.assert_array_equal(compiled({"x": sample(1)})["y"], expected)
    with pytest.raises(DiagnosticError, match="target"):
        core.compile_model(network(), "TPU(target=nothing)")
    with pytest.raises(
        DiagnosticError, match=r"2 instances do not fit TPU\.0, which has room for 1"
    ):
        core.compile_model(network(), "TPU(target=edge-1c)", {"INSTANCES": 2})


def test_samples_of_other_shapes_do_not_come_into_a_batch(core: ov.Core):
    compiled = core.compile_model(network(), "TPU")
    with pytest.raises(DiagnosticError, match=r"has shape \[2, 6\], the program takes \[1, 6\]"):
        compiled(np.zeros((2, 6), np.float32))


def test_a_model_that_it_cannot_compile(core: ov.Core):
    broken = network()
    broken.graph.node[0].op_type = "NoSuchOp"
    with pytest.raises(DiagnosticError, match="NoSuchOp"):
        core.compile_model(broken, "TPU")
    assert core.query_model(broken, "TPU") == {}
    assert set(core.query_model(network(), "TPU")) == {"product", "relu"}
