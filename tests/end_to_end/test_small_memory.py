"""Networks on targets with little local memory: they compile, or not even the smallest tile of some layer fits."""

from __future__ import annotations

import math

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.targets.target import Target, load_target
from smalti.compiler import CompiledModel, compile_model

from .random_networks import networks
from .test_given_schedules import chain
from .test_random_networks import inputs_of

SETTINGS = {
    "max_examples": 6,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),
}


def machine(cores: int, local_bytes: int) -> Target:
    """Return the default target with so many cores, each with so little local memory."""
    target = load_target("default-8c")
    memory = target.local_memory.model_copy(update={"size_bytes": local_bytes})
    name = f"small-{cores}c-{local_bytes}"
    return target.model_copy(update={"name": name, "cores": cores, "local_memory": memory})


@pytest.mark.share(4)
@given(networks(), st.sampled_from((1, 2, 4)), st.floats(10, 15))
@settings(**SETTINGS)
def test_what_is_planned_fits(model: onnx.ModelProto, cores: int, scale: float):
    """At each level of optimization, and all compute the same."""
    local_bytes = 64 * math.ceil(2**scale / 64)
    inputs, expected = inputs_of(model, 1), None
    for level in (0, 1, 2):
        try:
            compiled = compile_model(
                model,
                target=machine(cores, local_bytes),
                calibration=inputs,
                optimization=level,
            )
        except DiagnosticError as error:
            assert "not even the smallest tile fits" in error.message, str(error)
            continue
        outputs = compiled.run(inputs)
        expected = expected or outputs
        for name, value in outputs.items():
            np.testing.assert_array_equal(value, expected[name])


def branches() -> onnx.ModelProto:
    """Return a network in which many layers stand between the first tensor and the last one that reads it, with
    other channels on each core.
    """
    rng, size = np.random.default_rng(0), 16
    shapes = {
        "w0": (64, 16, 1, 1),
        "w1": (16, 64, 1, 1),
        "w2": (16, 16, 3, 3),
        "w3": (64, 64, 1, 1),
    }
    weights = [
        onnx.numpy_helper.from_array(rng.normal(0, 0.1, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        oh.make_node("Conv", ["x", "w0"], ["a"]),
        oh.make_node("Conv", ["a", "w1"], ["b"]),
        oh.make_node("Conv", ["b", "w2"], ["c"], pads=[1, 1, 1, 1]),
        oh.make_node("Conv", ["c", "w2"], ["d"], pads=[1, 1, 1, 1]),
        oh.make_node("Conv", ["d", "w0"], ["e"]),
        oh.make_node("Conv", ["a", "w3"], ["f"]),
        oh.make_node("Add", ["e", "f"], ["y"]),
    ]
    x, y = (
        oh.make_tensor_value_info(name, 1, [1, channels, size, size])
        for name, channels in (("x", 16), ("y", 64))
    )
    graph = oh.make_graph(nodes, "main", [x], [y], weights)
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)])


@pytest.mark.parametrize("local_bytes", (8192, 16384))
def test_what_cores_gather_has_room_from_when_it_is_sent(local_bytes: int):
    """Each core computes channels of `a`, and gathers all of them long before it reads them."""
    schedule = '"a" <split = [1, 4, 1, 1]>\n"f" <split = [1, 4, 1, 1]>\n'
    for level in (1, 2):
        compile_model(
            branches(),
            target=machine(4, local_bytes),
            calibration="random:0",
            optimization=level,
            schedule=schedule,
        )


def given_schedule(text: str, **options) -> CompiledModel:
    """Return a chain of four convolutions, compiled with a schedule."""
    return compile_model(chain(4, size=28), schedule=text, calibration="random:0", **options)


@pytest.mark.parametrize("level", (0, 2))
def test_a_tensor_without_room_is_told_where_its_place_is_written(level: int):
    with pytest.raises(DiagnosticError) as error:
        given_schedule(
            '// no room\n"y1" <split = [1, 1, 1, 1], output = local>\n',
            target=machine(2, 16384),
            optimization=level,
        )
    text = str(error.value)
    assert (
        "<schedule>:2:29: error: this does not fit layer 'y1': tpu.conv2d: 'y1' has no room" in text
    )
    assert "it needs 12544 bytes of core 0 while 'y1' runs" in text
    assert "say 'output = global'" in text and "comes from Conv_1" in text


def test_with_less_of_it_on_each_core_it_has_room():
    compiled = given_schedule('"y1" <output = local>\n', target=machine(2, 20480))
    assert compiled.schedule is not None and compiled.schedule["y1"].output == "local"


@pytest.mark.parametrize(
    ("text", "field", "told"),
    [
        ("split = [1, 1, 1, 1], weights = multicast", "weights", "it runs on core 0 alone"),
        ("split = [1, 1, 1, 1], activations = multicast", "activations", "it runs on core 0 alone"),
        ("slice_weights = kept", "slice_weights", "it is in no group, and so in no slices"),
        ("depth = 64", "depth", "it sums over 3 input channels, which are fewer"),
    ],
)
def test_fields_without_effect_are_told_where_they_are_written(
    text: str, field: str, told: str, capsys: pytest.CaptureFixture
):
    given_schedule(f'\n"y0" <{text}>\n')
    column = 7 + text.index(field)
    message = f"<schedule>:2:{column}: warning: '{field}' has no effect on layer 'y0': {told}\n"
    assert capsys.readouterr().err.startswith(message)


def test_a_glob_is_told_only_if_no_layer_has_an_effect(capsys: pytest.CaptureFixture):
    given_schedule('"y?" <weights = multicast, activations = multicast>\n')
    assert not capsys.readouterr().err
