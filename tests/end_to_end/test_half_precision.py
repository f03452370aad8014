"""f16 and bf16, the whole path: every intermediate of two levels, accuracy, every target (see tests/networks too)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import load_target, shipped_targets
from smalti.compiler import compile_model
from smalti.compiler.analysis.compare_levels import compare_with_onnxruntime
from smalti.compiler.analysis.comparison import Difference
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.demo.digits import MODEL, accuracy, load_images

from tests.commit_seed import share_of_commit

from .conftest import small_model
from .test_networks import cifar10
from .test_targets import depthwise_model, perceptron, samples

DECIBELS = {"f16": 40.0, "bf16": 25.0}
"""The least signal-to-noise ratio of an intermediate tensor."""

both = pytest.mark.parametrize("quantize", list(DECIBELS))


def check_intermediates(model: str | Path, quantize: str, inputs: dict[str, np.ndarray]) -> None:
    """Every tensor that the tpu and the tile level name is near ONNX Runtime's."""
    for level in ("tpu", "tile"):
        compilation = start_from_model(model, CompileOptions("edge-1c", None, quantize))
        report = compare_with_onnxruntime(model, compilation, level, inputs=inputs)
        worst = report.worst
        assert len(report.differences) > 5
        assert worst.snr_db >= DECIBELS[quantize], f"{level}: {worst}"


@pytest.mark.share(3)
@both
def test_digits(quantize: str):
    _, images, labels = load_images()
    check_intermediates(MODEL, quantize, {"image": images[:8]})
    expected = run_onnx(MODEL, {"image": images})["logits"]
    got = compile_model(MODEL, quantize=quantize).run({"image": images})["logits"]
    assert got.dtype == np.float32
    assert Difference.between("logits", got, expected).snr_db >= DECIBELS[quantize]
    assert accuracy(got, labels) >= accuracy(expected, labels) - 0.003


@pytest.mark.slow
@pytest.mark.parametrize("quantize", share_of_commit(DECIBELS, 2))
def test_cifar10_accuracy(shared_file, cifar10_model: Path, quantize: str):
    """Within 0.3 points of float on 2,000 images; the same prediction on at least 99% of them. In one of the two types,
    which may be the other with the next commit.
    """
    _, images, labels = cifar10(shared_file("models/cifar10.npz"))
    expected = run_onnx(cifar10_model, {"input": images})["logits"]
    got = compile_model(cifar10_model, quantize=quantize).run({"input": images})["logits"]
    agreement = float(np.mean(got.argmax(1) == expected.argmax(1)))
    print(
        f"float {accuracy(expected, labels):.4f} {quantize} {accuracy(got, labels):.4f} agreement {agreement:.4f}"
    )
    assert accuracy(got, labels) >= accuracy(expected, labels) - 0.003
    assert agreement >= 0.99


@both
@pytest.mark.parametrize("build", [small_model, depthwise_model, perceptron])
def test_every_target(build: Callable[[], onnx.ModelProto], quantize: str):
    """Values, with the sanitizer, and time."""
    network = build()
    inputs = samples(network, 2)
    expected = run_onnx(network, inputs)["y"]
    for target in shipped_targets():
        compiled = compile_model(network, target=target, quantize=quantize)
        result = simulate(compiled.program, inputs, mode="both", sanitize=True)
        assert result.outputs is not None and result.timing is not None
        snr_db = Difference.between("y", result.outputs["y"], expected).snr_db
        assert snr_db >= DECIBELS[quantize], target
        # The vector unit may take all of the perceptron's products, which have few rows.
        assert result.timing.utilization > 0 or build is perceptron, target
        assert result.timing.utilization <= 1, target


def statistics_model() -> onnx.ModelProto:
    """x over its length, which squares beyond f16 give, and decibels of powers that f16 makes 0 of."""

    def number(name: str, value: float) -> onnx.TensorProto:
        return onnx.numpy_helper.from_array(np.float32(value), name)

    nodes = [
        onnx.helper.make_node("Mul", ["x", "x"], ["s"]),
        onnx.helper.make_node("ReduceSum", ["s", "axes"], ["v"]),
        onnx.helper.make_node("Add", ["v", "tiny"], ["e"]),
        onnx.helper.make_node("Sqrt", ["e"], ["r"]),
        onnx.helper.make_node("Div", ["x", "r"], ["y"]),
        onnx.helper.make_node("Mul", ["q", "q"], ["p"]),
        onnx.helper.make_node("Max", ["p", "tiny"], ["floor"]),
        onnx.helper.make_node("Log", ["floor"], ["log"]),
        onnx.helper.make_node("Mul", ["log", "ten"], ["z"]),
    ]
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (2, 3, 8))
        for name in "xqyz"
    ]
    axes = onnx.numpy_helper.from_array(np.array([-1]), "axes")
    constants = [axes, number("tiny", 1e-10), number("ten", 4.343)]
    graph = onnx.helper.make_graph(nodes, "statistics", values[:2], values[2:], constants)
    opsets = [onnx.helper.make_opsetid("", 17)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)


@both
def test_what_narrow_floats_do_not_hold(quantize: str):
    generator = np.random.default_rng(5)
    x = generator.normal(0, 1000, (2, 3, 8)).astype(np.float32)
    q = (10.0 ** generator.uniform(-4, 1, (2, 3, 8))).astype(np.float32)
    expected = run_onnx(statistics_model(), {"x": x, "q": q})
    compiled = compile_model(statistics_model(), quantize=quantize)
    result = simulate(compiled.program, {"x": x, "q": q}, sanitize=True)
    assert result.outputs is not None
    for name, found in result.outputs.items():
        assert Difference.between(name, found, expected[name]).snr_db >= DECIBELS[quantize], name


def node(kind: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return onnx.helper.make_node(kind, inputs.split(), [output], **attributes)


ROOTS = {
    "lp_pool": [node("LpPool", "x", "y", kernel_shape=[3, 3], p=2)],
    "length": [
        node("Mul", "x x", "a"),
        node("Mul", "z z", "b"),
        node("Add", "a b", "c"),
        node("Sqrt", "c", "y"),
    ],
    "averages": [
        node("Mul", "x x", "a"),
        node("AveragePool", "a", "b", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Sqrt", "b", "c"),
        node("Div", "x c", "y"),
    ],
    "signed_squares": [
        node("Abs", "x", "a"),
        node("Mul", "x a", "b"),
        node("ReduceMean", "b", "c", axes=[1]),
        node("Abs", "c", "d"),
        node("Sqrt", "d", "y"),
    ],
    "convolution": [
        node("Mul", "x x", "a"),
        node("Conv", "a kernel", "b", group=4, pads=[1, 1, 1, 1]),
        node("Sqrt", "b", "c"),
        node("Div", "x c", "y"),
    ],
    "bands_of_a_spectrum": [
        node("Mul", "x x", "a"),
        node("Mul", "z z", "b"),
        node("Add", "a b", "c"),
        node("MatMul", "c bands", "d"),
        node("Log", "d", "y"),
    ],
    "product_with_itself": [
        node("Einsum", "x x", "a", equation="bchw,bchw->bhw"),
        node("Sqrt", "a", "y"),
    ],
}
"""Roots, logarithms and inverses of squares that f16 does not hold, which no mean of squares reads."""


@both
@pytest.mark.parametrize("nodes", ROOTS.values(), ids=ROOTS)
def test_squares_before_a_root(nodes: list[onnx.NodeProto], quantize: str):
    read = {name for each in nodes for name in each.input}
    inputs = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, 4, 8, 8))
        for name in sorted(read & {"x", "z"})
    ]
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    generator = np.random.default_rng(7)
    weights = {"kernel": generator.random((4, 1, 3, 3)), "bands": generator.random((8, 6))}
    constants = [
        onnx.numpy_helper.from_array(array.astype(np.float32), name)
        for name, array in weights.items()
        if name in read
    ]
    graph = onnx.helper.make_graph(nodes, "roots", inputs, [y], constants)
    opsets = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    data = {each.name: generator.normal(0, 450, (1, 4, 8, 8)).astype(np.float32) for each in inputs}
    expected = run_onnx(model, data)
    result = simulate(compile_model(model, quantize=quantize).program, data, sanitize=True)
    assert result.outputs is not None
    difference = Difference.between("y", result.outputs["y"], expected["y"])
    assert difference.snr_db >= DECIBELS[quantize]


QUANTIZED = ("q", "moved", "cut")


def quantizing_model(storage: str) -> onnx.ModelProto:
    """An input of f32 that is quantized, as it is, transposed, and cut after that, and read by an op of floats."""
    nodes = [
        onnx.helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        onnx.helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        onnx.helper.make_node("QuantizeLinear", ["t", "scale", "zero"], ["moved"]),
        onnx.helper.make_node("Transpose", ["x"], ["u"], perm=[2, 1, 0]),
        onnx.helper.make_node("Slice", ["u", "one", "seven", "one"], ["v"]),
        onnx.helper.make_node("QuantizeLinear", ["v", "scale", "zero"], ["cut"]),
        onnx.helper.make_node("Tanh", ["x"], ["y"]),
    ]
    scale = np.array(3 / np.iinfo(storage).max, np.float32)
    constants = [
        onnx.numpy_helper.from_array(scale, "scale"),
        onnx.numpy_helper.from_array(np.array(3, storage), "zero"),
        onnx.numpy_helper.from_array(np.array([1]), "one"),
        onnx.numpy_helper.from_array(np.array([7]), "seven"),
    ]
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(storage))
    x, y = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (4, 8, 32))
        for name in "xy"
    )
    integers = [onnx.helper.make_tensor_value_info(name, element, None) for name in QUANTIZED]
    graph = onnx.helper.make_graph(nodes, "quantizing", [x], [y, *integers], constants)
    opsets = [onnx.helper.make_opsetid("", 21)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)


@both
@pytest.mark.parametrize("storage", ["int8", "int16"])
def test_an_input_is_not_rounded_before_it_is_quantized(quantize: str, storage: str):
    model = quantizing_model(storage)
    x = np.random.default_rng(6).normal(0, 1, (4, 8, 32)).astype(np.float32)
    expected = run_onnx(model, {"x": x})
    got = compile_model(model, quantize=quantize).run({"x": x})
    for name in QUANTIZED:
        np.testing.assert_array_equal(got[name], expected[name])
    assert Difference.between("y", got["y"], expected["y"]).snr_db >= DECIBELS[quantize]


def edge_without(folder: Path, *types: str) -> Path:
    """A file with the edge part's description, less some types of its matrix unit."""
    machine = load_target("edge-1c").model_dump()
    for type in types:
        del machine["matrix"]["macs_per_cycle"][type]
    path = folder / f"no_{'_'.join(types)}.toml"
    path.write_text(toml(machine))
    return path


@both
@pytest.mark.parametrize("build", [small_model, depthwise_model, perceptron])
def test_a_unit_without_the_type(
    build: Callable[[], onnx.ModelProto], quantize: str, tmp_path: Path
):
    """Products are computed in f32 between casts: the numbers of a unit that has the type, to the bit."""
    network = build()
    inputs = samples(network, 2)
    results = []
    for target in (edge_without(tmp_path, quantize), "edge-1c"):
        compiled = compile_model(network, target=str(target), quantize=quantize)
        result = simulate(compiled.program, inputs, mode="both", sanitize=True)
        assert result.outputs is not None and result.timing is not None
        results.append(result)
    np.testing.assert_array_equal(results[0].outputs["y"], results[1].outputs["y"])
    assert results[0].timing.cycles > results[1].timing.cycles, "f32 is slower, and casts cost"


def test_a_unit_without_the_type_and_f32_is_a_diagnostic(smalti, small_onnx: Path, tmp_path: Path):
    """The message names the target, the type and what the unit multiplies."""
    path = edge_without(tmp_path, "bf16", "f32")
    words = ("compile", small_onnx, "--quantize", "bf16", "--target", path)
    ran = smalti(*words, "-o", tmp_path / "x.smalti")
    assert ran.code == 1
    assert "the matrix unit of target 'edge-1c' has no rate for type 'bf16'" in ran.err
    assert "it multiplies i4, i8, u8, i16, f16" in ran.err
    assert not (tmp_path / "x.smalti").exists()


def toml(machine: dict[str, object]) -> str:
    """A target's fields as TOML."""
    lines: list[str] = []
    tables: list[str] = []
    for key, value in machine.items():
        if not isinstance(value, dict):
            lines.append(f"{key} = {literal(value)}")
            continue
        tables.append(f"[{key}]")
        for name, field in value.items():
            if isinstance(field, dict):
                pairs = ", ".join(f"{each} = {literal(rate)}" for each, rate in field.items())
                tables.append(f"{name} = {{ {pairs} }}")
            else:
                tables.append(f"{name} = {literal(field)}")
    return "\n".join([*lines, *tables])


def literal(value: object) -> str:
    """A string, flag or number in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
