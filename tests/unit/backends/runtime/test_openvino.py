"""A script written for OpenVINO's Python API gives the same on both, with one import changed."""

import importlib
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest

from .served_network import network, sample

SCRIPT = """
import numpy as np
import openvino as ov

props, hints = ov.properties, ov.properties.hint
core = ov.Core()
model = core.read_model(path)
compiled = core.compile_model(model, "AUTO:CPU", {
    "PERFORMANCE_HINT": "THROUGHPUT",
    hints.model_priority: hints.Priority.HIGH,
})
told["inputs"] = [(port.any_name, sorted(port.names), port.get_any_name()) for port in compiled.inputs]
told["outputs"] = [(port.any_name, len(port.partial_shape)) for port in compiled.outputs]
told["same port"] = compiled.output("y") == compiled.output(0) == compiled.output()

request = compiled.create_infer_request()
tensor = request.get_input_tensor()
told["shape before"] = list(tensor.shape), list(request.get_output_tensor().data.shape)
tensor.shape = [2, 6]
tensor.data[:] = x
told["after writing"] = request.infer()["y"]
told["tensors"] = request.get_output_tensor().data.copy(), list(request.get_tensor("y").shape)
told["sizes"] = tensor.size, tensor.get_byte_size()
for inputs in (x, [x], {"x": x}, {0: x}, {compiled.input(): x}, ov.Tensor(x)):
    results = compiled(inputs)
    told.setdefault("calls", []).append((results[0], results["y"], results[compiled.output()]))
told["results"] = results.names(), len(results), list(results.to_dict()) == list(compiled.outputs)
request.set_tensor("x", ov.Tensor(2 * x))
request.start_async()
request.wait()
told["set"] = request.results["y"], request.wait_for(1), request.latency > 0
told["ports of requests"] = [port.any_name for port in (*request.model_inputs, *request.model_outputs)]

called = []
request.set_callback(called.append, "data")
request.start_async({"x": x})
request.wait()
told["callback"] = called

# Not by AUTO: there OpenVINO gives requests of a queue each other's outputs.
queue, ended = ov.AsyncInferQueue(core.compile_model(model, "CPU"), 2), {}
queue.set_callback(lambda request, number: ended.update({number: request.get_output_tensor().data.copy()}))
for number in range(5):
    queue.start_async({"x": x[:1] * number}, number)
queue.wait_all()
told["queue"] = len(queue), [ended[number] for number in range(5)], queue.is_ready()

for name in (
    "PERFORMANCE_HINT", "MODEL_PRIORITY", "NETWORK_NAME", "EXECUTION_DEVICES", "MULTI_DEVICE_PRIORITIES",
    "OPTIMAL_NUMBER_OF_INFER_REQUESTS", "SUPPORTED_PROPERTIES",
):
    told[name] = compiled.get_property(name)
told["by function"] = compiled.get_property(hints.performance_mode), hints.performance_mode()
core.set_property("AUTO", hints.num_requests(7))
told["pair"] = core.get_property("AUTO", hints.num_requests)

core.set_property("AUTO", {props.intel_auto.schedule_policy: props.intel_auto.SchedulePolicy.ROUND_ROBIN})
core.set_property("AUTO", {props.intel_auto.enable_startup_fallback: False, hints.num_requests: 3})
for name in (
    props.intel_auto.schedule_policy, props.intel_auto.enable_startup_fallback, hints.num_requests,
    props.intel_auto.enable_runtime_fallback, hints.performance_mode, props.device.full_name,
):
    told["core " + name] = core.get_property("AUTO", name)
for name in (
    props.device.full_name, props.device.capabilities, props.range_for_streams,
    props.range_for_async_infer_requests, props.supported_properties,
):
    told["cpu " + name] = core.get_property("CPU", name)

batched = core.compile_model(path, "BATCH:CPU(2)", {props.auto_batch_timeout: 50})
batched.set_property({props.auto_batch_timeout: 70})
told["timeout"] = batched.get_property("AUTO_BATCH_TIMEOUT")
for what, wrong in {
    "name": lambda: core.compile_model(model, "CPU", {"NO_SUCH": 1}),
    "value": lambda: core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "FAST"}),
    "requests": lambda: core.compile_model(model, "CPU", {"PERFORMANCE_HINT_NUM_REQUESTS": -1}),
    "batch": lambda: core.compile_model(model, "BATCH:CPU(-4)"),
    "device": lambda: core.compile_model(model, "GPUX"),
    "get": lambda: compiled.get_property("NO_SUCH"),
    "input": lambda: request.infer({"z": x}),
    "shape": lambda: request.infer(np.zeros((1, 5), np.float32)),
}.items():
    try:
        wrong()
    except Exception:
        told["wrong " + what] = True
"""

THE_SAME = {
    "shape before", "sizes", "callback", "results", "inputs", "outputs", "same port", "timeout",
    "PERFORMANCE_HINT", "MODEL_PRIORITY", "EXECUTION_DEVICES", "MULTI_DEVICE_PRIORITIES", "by function", "pair",
}  # fmt: skip
"""What is compared by value; also all that starts with "core " or "wrong ", and outputs, nearly."""
OF_EACH = {"core FULL_DEVICE_NAME"}
"""What each calls itself."""


def run(script: str, path: Path) -> dict[str, Any]:
    told: dict[str, Any] = {}
    exec(
        script,
        {
            "told": told,
            "path": path,
            "is_batched": True,
            "x": np.concatenate([sample(1), sample(2)]),
        },
    )
    return told


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    pytest.importorskip(
        "openvino", reason="openvino is not installed: pip install smalti[openvino]"
    )
    path = tmp_path_factory.mktemp("openvino") / "net.onnx"
    onnx.save(network(), path)
    return run(SCRIPT, path), run(
        SCRIPT.replace("import openvino as ov", "import smalti.runtime as ov"), path
    )


def plain(value: Any) -> Any:
    """Return a value with enumerations of either library by class and name, and arrays kept."""
    if isinstance(value, Enum) or hasattr(type(value), "__members__"):
        return type(value).__name__, value.name
    if isinstance(value, list | tuple):
        return type(value)(plain(each) for each in value)
    return value


def kinds(value: Any) -> Any:
    """Return the types of a value, by name, and of what is in it."""
    if isinstance(value, list):
        return "list", {repr(kinds(each)) for each in value}
    if isinstance(value, tuple):
        return "tuple", [kinds(each) for each in value]
    return type(value).__name__


def test_both_give_the_same(both: tuple[dict[str, Any], dict[str, Any]]):
    theirs, ours = both
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert kinds(ours[name]) == kinds(value), name
        if name in THE_SAME or (name.startswith(("core ", "wrong ")) and name not in OF_EACH):
            assert plain(ours[name]) == plain(value), name
    for name in ("after writing", "tensors", "calls", "set", "queue"):
        mine, other = (
            np.concatenate([np.ravel(each) for each in arrays(told[name])]) for told in both
        )
        assert mine.size and mine.shape == other.shape, name
        np.testing.assert_allclose(
            mine, other, atol=0.05, err_msg=name
        )  # theirs may compute in bf16


def arrays(value: Any) -> list[np.ndarray]:
    """Return all arrays in a value."""
    if isinstance(value, np.ndarray):
        return [value]
    return (
        [each for part in value for each in arrays(part)] if isinstance(value, list | tuple) else []
    )


def test_properties_that_both_have_may_be_written_or_not_in_both(
    both: tuple[dict[str, Any], dict[str, Any]],
):
    theirs, ours = (told["cpu SUPPORTED_PROPERTIES"] for told in both)
    shared = theirs.keys() & ours.keys()
    assert {"PERFORMANCE_HINT", "RANGE_FOR_STREAMS", "FULL_DEVICE_NAME"} <= shared
    assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}


@pytest.mark.parametrize(
    "name", ["properties", "properties.hint", "properties.device", "properties.intel_auto"]
)
def test_names_are_those_of_openvino(name: str):
    pytest.importorskip(
        "openvino", reason="openvino is not installed: pip install smalti[openvino]"
    )
    ours, theirs = (
        importlib.import_module(f"{each}.{name}") for each in ("smalti.runtime", "openvino")
    )
    mine = {
        key: value
        for key, value in vars(ours).items()
        if isinstance(value, str) and callable(value)
    }
    own = vars(ours).get("OURS", ())
    assert {key: value() for key, value in mine.items() if key not in own} == {
        key: getattr(theirs, key)() for key in mine if key not in own
    }
    enums = {
        key: value
        for key, value in vars(ours).items()
        if isinstance(value, type) and issubclass(value, Enum)
    }
    for key, value in enums.items():
        members = getattr(theirs, key).__members__
        assert {each: member.value for each, member in value.__members__.items()} == {
            each: int(members[each].value) for each in value.__members__
        }
    assert isinstance(ours, ModuleType) and (mine or enums)
