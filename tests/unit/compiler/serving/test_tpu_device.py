"""The simulated card in service, through `smalti.runtime`."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
import smalti.runtime as ov
from onnx import helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program.side_by_side import side_by_side
from smalti.backends.simulator.simulate import time_program
from smalti.backends.simulator.streams.streams import decode_program
from smalti.compiler import compile_model
from smalti.compiler.serving import tpu_device

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
    # The host copies 24 and 12 bytes at 20 GB/s (1.2 and 0.6 ns), and the device runs at 1 GHz.
    assert core.clock.now() == 1 + program.profile().cycles + 1
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


def test_instances_share_the_card(core: ov.Core):
    """Each instance is as fast as one of as many programs beside each other."""
    settings = {"QUANTIZE": "f32", "CORES": 2, "VALUES": "NONE"}
    program = compile_model(network(), quantize="f32", batch=1, cores=2).program
    for instances in (1, 4):
        compiled = core.compile_model(network(), "TPU", {**settings, "INSTANCES": instances})
        began = core.clock.now()
        requests = [compiled.create_infer_request() for _ in range(instances)]
        for request in requests:
            request.start_async({"x": sample(1)})
        for request in requests:
            request.wait()
        took = core.clock.now() - began
        beside = time_program(decode_program(side_by_side([program] * instances)))
        assert took == 1 + beside.cycles + 1
    too_many = "9 instances need 9 cores, default-8c has 8"
    with pytest.raises(DiagnosticError, match=too_many):
        core.compile_model(network(), "TPU", {**settings, "INSTANCES": 9})


def test_the_host_hides_behind_the_device(core: ov.Core):
    """The host takes 240 ns before and 120 ns after the device, whose steady runs are longer than both together."""
    # Copies are eight times as fast as conversions: 0.1 bytes in a nanosecond.
    settings = {"QUANTIZE": "f32", "VALUES": "NONE", "HOST_GIGABYTES_PER_SECOND": 0.0125}
    program = compile_model(network(), quantize="f32", batch=1)
    device = round(program.profile(repeat=4).steady_cycles)
    assert device > 240 + 120
    for set_size, period in ((1, 240 + device + 120), (2, device)):
        compiled = core.compile_model(network(), "TPU", {**settings, "SET_SIZE": set_size})
        ends: list[int] = []
        requests = [compiled.create_infer_request() for _ in range(8)]
        for request in requests:
            request.set_callback(lambda ends: ends.append(core.clock.now()), ends)
            request.start_async({"x": sample(1)})
        for request in requests:
            request.wait()
        assert ends[-1] - ends[-2] == period


@pytest.mark.share(3)
def test_values_of_the_cpu_and_a_target(core: ov.Core):
    compiled = core.compile_model(network(), "TPU(values=NONE)")
    with pytest.raises(DiagnosticError, match="nobody computed values"):
        compiled({"x": sample(1)})
    compiled = core.compile_model(network(), "TPU(target=edge-1c,values=CPU)")
    expected = run_onnx(network(), {"x": sample(1)})["y"]
    np.testing.assert_array_equal(compiled({"x": sample(1)})["y"], expected)
    with pytest.raises(DiagnosticError, match="target"):
        core.compile_model(network(), "TPU(target=nothing)")
    with pytest.raises(DiagnosticError, match=r"2 instances need 2 cores, edge-1c has 1"):
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
    assert core.query_model(broken, "TPU") == {"relu": "TPU.0"}
    assert core.query_model(broken, "AUTO") == {"product": "CPU", "relu": "TPU.0"}
    broken.graph.node[0].name = broken.graph.node[1].name = ""
    assert core.query_model(broken, "TPU") == {"Relu_1": "TPU.0"}
    broken.graph.node[1].attribute.append(helper.make_attribute("no_such", 1))
    assert core.query_model(broken, "AUTO") == {"NoSuchOp_0": "CPU", "Relu_1": "CPU"}
    broken.graph.output[0].name = "absent"
    assert core.query_model(broken, "TPU") == {}
    assert set(core.query_model(network(), "TPU")) == {"product", "relu"}


def test_a_fixed_axis_0_is_served_singly(core: ov.Core):
    fixed = network()
    for value in (*fixed.graph.input, *fixed.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 8
    with pytest.warns(UserWarning, match=r"'net' is served singly: axis 0 of 'x', of shape \[8, 6"):
        compiled = core.compile_model(fixed, "BATCH:TPU(4)")
    x = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
    np.testing.assert_allclose(compiled({"x": x})["y"], run_onnx(fixed, {"x": x})["y"], atol=0.02)
    assert set(core.query_model(fixed, "TPU")) == {"product", "relu"}


def test_an_input_without_samples_is_served_singly(core: ov.Core):
    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["": 17]> '
        "net (float[b, 6] x, float[6] s) => (float[b, 6] y) { y = Add(x, s) }"
    )
    compiled = core.compile_model(model, "TPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    inputs = {"x": sample(1), "s": np.arange(6, dtype=np.float32)}
    np.testing.assert_allclose(compiled(inputs)["y"], inputs["x"] + inputs["s"], atol=0.02)


@pytest.mark.share(3)
def test_the_best_batch_needs_no_times_and_compiles_once(core: ov.Core, monkeypatch):
    asked, compile_apart = [], tpu_device.compile_apart

    def counted(model, options):
        asked.append(options["batch"])
        return compile_apart(model, options)

    monkeypatch.setattr(tpu_device, "compile_apart", counted)
    monkeypatch.setattr(tpu_device, "LARGEST_BATCH", 2)
    core.compile_model(network(), "TPU", {"PERFORMANCE_HINT": "THROUGHPUT", "TIME_SCALE": 0})
    assert asked == [1, 2]


def test_a_script_that_exits_ends_the_compilation():
    script = (
        "import sys, threading, time\n"
        "from smalti.compiler.serving.compile_job import _run_to_its_end\n"
        "sleep = [sys.executable, '-c', 'import time; print(1); time.sleep(60)']\n"
        "threading.Thread(target=_run_to_its_end, args=(sleep, ''), daemon=True).start()\n"
        "time.sleep(1)\n"
    )
    # The output of a process that is left behind would keep the pipe of errors open.
    subprocess.run([sys.executable, "-c", script], timeout=30, check=True, capture_output=True)


@pytest.mark.share(3)
def test_a_model_that_mixes_samples_is_served_singly(core: ov.Core):
    mixing = network()
    mixing.graph.node.append(helper.make_node("ReduceMean", ["y"], ["m"], axes=[0], keepdims=1))
    mixing.graph.node.append(helper.make_node("Sub", ["y", "m"], ["z"]))
    mixing.graph.output[0].name = "z"
    with pytest.warns(UserWarning, match="mixes the samples of a batch"):
        compiled = core.compile_model(mixing, "BATCH:TPU(2)")
    assert compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") == 1
    np.testing.assert_array_equal(compiled(sample(1))["z"], np.zeros((1, 3)))
