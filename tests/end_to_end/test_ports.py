"""Ports in the device's types and layouts: runs give the same to the bit, and raw values are the same, too."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnx.helper as oh
import pytest
from hypothesis import given, settings
from onnx import TensorProto, numpy_helper
from smalti.backends.diagnostics.diagnostic import Diagnostic, DiagnosticError
from smalti.backends.program import container
from smalti.backends.program.program import Port
from smalti.backends.simulator.simulate import simulate
from smalti.compiler import compile_model
from smalti.compiler.analysis.compare_levels import compare_with_onnxruntime
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.debugging.inputs import InputSource
from smalti.passes.top_to_tpu.precision.schemes import Quantize
from smalti.tools import opt

from .conftest import small_model
from .random_networks import networks
from .test_commands import Smalti, ok
from .test_random_networks import MACHINES, SETTINGS, inputs_of, same

PORTS = [
    {"io_quantized": True},
    {"io_layout": "nhwc"},
    {"io_quantized": True, "io_layout": "nhwc"},
]
"""The options about ports, each alone and both."""
NAMES = ["quantized", "nhwc", "both"]


def image_model() -> onnx.ModelProto:
    """A convolution that is an output and read by another one, and their sum with the input's own convolution."""
    rng = np.random.default_rng(5)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array((rng.normal(size=shape) / 5).astype(np.float32), name)

    nodes = [
        oh.make_node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]),
        oh.make_node("Relu", ["a"], ["y"]),
        oh.make_node("Conv", ["y", "w2"], ["b"], pads=[1, 1, 1, 1]),
        oh.make_node("Add", ["b", "y"], ["c"]),
        oh.make_node("MaxPool", ["c"], ["z"], kernel_shape=[2, 2], strides=[2, 2]),
        oh.make_node("GlobalAveragePool", ["c"], ["m"]),
    ]
    graph = oh.make_graph(
        nodes,
        "image",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 10, 14])],
        [oh.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "z", "m")],
        [weight("w1", 20, 3, 3, 3), weight("w2", 20, 20, 3, 3)],
    )
    made = oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(made)


def by_hand(port: Port, value: np.ndarray, samples: int) -> np.ndarray:
    """A port's raw values for the model's, as a user of NumPy would make them."""
    value = np.asarray(value).reshape(samples, *port.shape)
    if port.quantization is not None:
        scaled = np.rint(value / np.float32(port.quantization.scale))
        value = np.clip(scaled + port.quantization.zero_point, -128, 127).astype(np.int8)
    elif port.storage == "f16":
        value = value.astype(np.float16)
    elif port.storage == "bf16":
        value = value.astype(ml_dtypes.bfloat16)
    if port.order is not None:
        value = value.transpose(0, 1, 3, 4, 2)
    return value.reshape(-1, *value.shape[2:])


FLOAT_STEPS = {"f32": 1e-4, "f16": 2**-9, "bf16": 2**-6}
"""How far results in floats may be from each other: of half floats two steps."""


@pytest.mark.share(3)
@pytest.mark.parametrize("ports", PORTS, ids=NAMES)
@pytest.mark.parametrize(
    ("quantize", "cores", "batch"),
    [("int8", None, 1), ("int8", 2, 3), ("f16", 3, 1), ("bf16", 8, 2), ("f32", 1, 2)],
)
def test_results_are_the_same(quantize: Quantize, cores: int | None, batch: int, ports):
    if quantize == "f32" and ports.get("io_quantized"):
        pytest.skip("f32 has nothing to quantize")
    model = image_model()
    data = {"x": np.random.default_rng(1).normal(size=(6, 3, 10, 14)).astype(np.float32)}
    calibration = data if quantize == "int8" else None
    plain = compile_model(
        model, quantize=quantize, calibration=calibration, cores=cores, batch=batch
    )
    other = compile_model(
        model, quantize=quantize, calibration=calibration, cores=cores, batch=batch, **ports
    )
    expected, got = plain.run(data), other.run(data)
    if quantize in FLOAT_STEPS:
        # Their products may have tiles of other sizes, which the host's BLAS sums in another order.
        step = FLOAT_STEPS[quantize]
        for name, value in expected.items():
            np.testing.assert_allclose(got[name], value, rtol=step, atol=1e-5, err_msg=name)
        expected = got
    same(got, expected, "the program with its ports")
    if quantize == "int8":
        same(other.run(data, jobs=2), expected, "in two processes")
    samples = 6 // batch
    (x,) = other.program.inputs
    raw = other.run({"x": by_hand(x, data["x"], samples)}, raw_io=True)
    for port in other.program.outputs:
        held = by_hand(port, expected[port.name], samples)
        np.testing.assert_array_equal(raw[port.name], held, err_msg=port.name)
        assert raw[port.name].dtype == held.dtype
    size = {"int8": 1, "f16": 2, "bf16": 2}.get(quantize, 4) if ports.get("io_quantized") else 4
    assert {port.size for port in other.program.inputs} == {size * batch * 3 * 10 * 14}
    assert {port.order for port in other.program.inputs} == {
        (0, 2, 3, 1) if "io_layout" in ports else None
    }


@pytest.mark.parametrize("quantize", ["f32", "f16"])
def test_bools_and_what_the_host_computes_keep_the_models_layout(quantize: Quantize):
    """A mask chooses between two images, and the host finds the channel of the greatest value."""
    shape = [1, 5, 4, 6]
    nodes = [
        oh.make_node("Where", ["mask", "x", "y"], ["chosen"]),
        oh.make_node("ArgMax", ["chosen"], ["channel"], axis=1, keepdims=1),
        oh.make_node("Cast", ["channel"], ["out"], to=TensorProto.FLOAT),
        oh.make_node("Greater", ["x", "y"], ["greater"]),
    ]
    kinds = {"mask": TensorProto.BOOL, "x": TensorProto.FLOAT, "y": TensorProto.FLOAT}
    results = {"chosen": TensorProto.FLOAT, "out": TensorProto.FLOAT, "greater": TensorProto.BOOL}
    graph = oh.make_graph(
        nodes,
        "masked",
        [oh.make_tensor_value_info(name, kind, shape) for name, kind in kinds.items()],
        [oh.make_tensor_value_info(name, kind, None) for name, kind in results.items()],
    )
    model = onnx.shape_inference.infer_shapes(
        oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
    )
    rng = np.random.default_rng(3)
    inputs = {name: rng.normal(size=shape).astype(np.float32) for name in ("x", "y")}
    inputs["mask"] = rng.random(shape) > 0.5
    own, laid_out = (
        compile_model(model, quantize=quantize, io_layout=layout).run(inputs)
        for layout in ("model", "nhwc")
    )
    same(laid_out, own, "nhwc")


@pytest.mark.parametrize("ports", PORTS, ids=NAMES)
def test_every_level_takes_the_models_values_and_raw_ones(ports):
    data = {"x": np.random.default_rng(1).normal(size=(2, 3, 10, 14)).astype(np.float32)}
    compilation = start_from_model(image_model(), CompileOptions(calibration=data, **ports))
    compilation.compile()
    levels = compilation.levels
    expected = run_ir(levels["tpu"], compilation.ctx, data)
    (port,) = compilation.assemble().inputs
    raw = {"x": by_hand(port, data["x"], 2)}
    held = run_ir(levels["tpu"], compilation.ctx, raw, raw_io=True)
    for level in ("tile", "isa"):
        same(run_ir(levels[level], compilation.ctx, data), expected, level)
        same(run_ir(levels[level], compilation.ctx, raw, raw_io=True), held, f"raw {level}")


def test_comparisons_are_of_the_models_values():
    data = {"x": np.random.default_rng(1).normal(size=(2, 3, 10, 14)).astype(np.float32)}
    reports = [
        compare_with_onnxruntime(
            image_model(),
            start_from_model(image_model(), CompileOptions(calibration=data, **ports)),
            level,
        )
        for ports in ({}, PORTS[2])
        for level in ("tpu", "tile")
    ]
    outputs = [[each.whole for each in report.outputs] for report in reports]
    assert len(outputs[0]) == 3 and all(each == outputs[0] for each in outputs)


@pytest.mark.parametrize("ports", PORTS, ids=NAMES)
def test_random_inputs_stay_the_same_across_the_passes(ports):
    """So that what a pass does to the numbers shows, also where it changes the ports."""
    data = {"x": np.random.default_rng(1).normal(size=(2, 3, 10, 14)).astype(np.float32)}
    options = CompileOptions(calibration=data)
    plain, other = (
        start_from_model(image_model(), each)
        for each in (options, CompileOptions(calibration=data, **ports))
    )
    plain.lower_to("tpu"), other.lower_to("tpu")
    found = [InputSource.of("random:3").arrays(each.module) for each in (plain, other)]
    same(found[1], found[0], "random inputs")


@given(networks(), MACHINES)
@settings(max_examples=12, **SETTINGS)
def test_random_networks(model: onnx.ModelProto, machine: tuple[str, int]):
    inputs = inputs_of(model, 2)
    target, cores = machine
    plain = start_from_model(model, CompileOptions(target, cores, "int8", inputs))
    plain.lower_to("tpu")
    expected = run_ir(plain.module, plain.ctx, inputs)
    for ports in PORTS:
        other = start_from_model(model, CompileOptions(target, cores, "int8", inputs, **ports))
        other.ctx.on_report = _ignore
        program = container.read(container.write(other.assemble()))
        found = simulate(program, inputs, sanitize=True).outputs
        assert found is not None
        same(found, expected, str(ports))
        raw = {port.name: by_hand(port, inputs[port.name], 2) for port in program.inputs}
        held = simulate(program, raw, raw_io=True).outputs
        assert held is not None
        for port in program.outputs:
            given_back = port.format.given(port.format.stored(_samples(held, port), True))
            np.testing.assert_array_equal(
                given_back.reshape(found[port.name].shape), found[port.name]
            )


def _samples(held: dict[str, np.ndarray], port: Port) -> np.ndarray:
    return held[port.name].reshape(2, *port.format.port_shape)


def _ignore(diagnostic: Diagnostic) -> None:
    """Take no note of a remark."""


# The commands


def test_info_and_manifest_say_what_ports_hold(
    smalti: Smalti, small_onnx: Path, small_data: Path, tmp_path: Path
):
    file = tmp_path / "m.smalti"
    words = ("--calibration", small_data, "--io-quantized", "--io-layout", "nhwc", "-o", file)
    ok(smalti("compile", small_onnx, *words))
    x, y = (container.load(file).inputs[0], container.load(file).outputs[0])
    assert x.quantization is not None and y.quantization is not None
    text = ok(smalti("info", file))
    assert f"x: 1x12x12x3 i8 nhwc, scale {x.quantization.scale:.6g}" in text
    assert "in the model 1x3x12x12 f32" in text
    assert f"y: 1x5 i8, scale {y.quantization.scale:.6g}" in text
    found = json.loads(ok(smalti("info", file, "--json")))["inputs"]
    assert found == [
        {
            "name": "x",
            "shape": [1, 3, 12, 12],
            "storage": "i8",
            "offset": 0,
            "order": [0, 2, 3, 1],
            "model": "f32",
            "quantization": {
                "scale": x.quantization.scale,
                "zero_point": x.quantization.zero_point,
            },
        }
    ]


def test_run_takes_raw_files(smalti: Smalti, small_onnx: Path, small_data: Path, tmp_path: Path):
    plain, file = tmp_path / "p.smalti", tmp_path / "m.smalti"
    ok(smalti("compile", small_onnx, "--calibration", small_data, "-o", plain))
    ports = ("--io-quantized", "--io-layout", "nhwc")
    ok(smalti("compile", small_onnx, "--calibration", small_data, *ports, "-o", file))
    ok(smalti("run", plain, "--inputs", small_data, "--outputs", tmp_path / "y.npz"))
    out = ok(smalti("run", file, "--inputs", small_data, "--compare", tmp_path / "y.npz"))
    assert "1 output, equal" in out and "float32" in out
    (x,), (y,) = container.load(file).inputs, container.load(file).outputs
    with np.load(small_data) as data, np.load(tmp_path / "y.npz") as expected:
        np.savez(tmp_path / "raw.npz", x=by_hand(x, data["x"], 8))
        held = by_hand(y, expected["y"], 8)
    raw = ("--inputs", tmp_path / "raw.npz", "--outputs", tmp_path / "raw_y.npz", "--raw-io")
    assert "y: 8x5 int8" in ok(smalti("run", file, *raw))
    with np.load(tmp_path / "raw_y.npz") as found:
        np.testing.assert_array_equal(found["y"], held)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (
            ["--inputs", "raw.npz"],
            "input 'x' has shape [8, 12, 12, 3], expected [1, 3, 12, 12]",
            "with --raw-io (raw_io=True) it is an array [1, 12, 12, 3] of i8",
        ),
        (
            ["--inputs", "model.npz", "--raw-io"],
            "input 'x' has shape [8, 3, 12, 12], expected [1, 12, 12, 3]",
            "without --raw-io (raw_io=True) it is an array [1, 3, 12, 12] of f32",
        ),
        (
            ["--inputs", "floats.npz", "--raw-io"],
            "input 'x' does not fit: it has type float32, the port holds i8",
            "without --raw-io (raw_io=True) it is an array [1, 3, 12, 12] of f32",
        ),
        (["--raw-io", "--mode", "timing"], "computes no values for --raw-io", "--mode both"),
    ],
)
def test_wrong_arrays_are_told(
    smalti: Smalti,
    small_onnx: Path,
    small_data: Path,
    tmp_path: Path,
    words: list[str],
    message: str,
    hint: str,
):
    ok(
        smalti(
            "compile", small_onnx, "--calibration", small_data, "--io-quantized", "--io-layout",
            "nhwc", "-o", tmp_path / "m.smalti", "--emit", "program,tpu,tile",
        )
    )  # fmt: skip
    np.savez(tmp_path / "raw.npz", x=np.zeros((8, 12, 12, 3), np.int8))
    np.savez(tmp_path / "floats.npz", x=np.zeros((8, 12, 12, 3), np.float32))
    np.savez(tmp_path / "model.npz", x=np.zeros((8, 3, 12, 12), np.int8))
    placed = [tmp_path / word if word.endswith(".npz") else word for word in words]
    ran = smalti("run", tmp_path / "m.smalti", *placed)
    assert ran.code == 1 and message in ran.err and hint in ran.err, ran.err
    for level in ("tpu", "tile") if "timing" not in words else ():
        ran = smalti("run", tmp_path / f"m.{level}.mlir", *placed)
        assert ran.code == 1 and hint in ran.err and "Traceback" not in ran.err, ran.err


def test_the_printed_pipeline_makes_the_same_program(
    smalti: Smalti, small_onnx: Path, small_data: Path, tmp_path: Path
):
    ok(smalti("import", small_onnx, "-o", tmp_path / "m.top.mlir"))
    words = ("--calibration", small_data, "--io-quantized", "--io-layout", "nhwc")
    made = ("-o", tmp_path / "m.smalti", "--emit", "isa,program")
    ok(smalti("compile", small_onnx, *words, *made))
    pipeline = ok(smalti("compile", small_onnx, *words, *made, "--print-pipeline")).strip()
    assert "tpu-quantize-ports,tpu-set-port-layouts{layout=nhwc},convert-tpu-to-tile" in pipeline
    out = tmp_path / "again.isa.mlir"
    words = ["-p", pipeline, "-o", str(out), "--mlir-print-debuginfo"]
    assert opt.main([str(tmp_path / "m.top.mlir"), *words]) == 0
    ok(smalti("assemble", out, "-o", tmp_path / "again.smalti"))
    first, second = (container.load(tmp_path / name) for name in ("m.smalti", "again.smalti"))
    assert [s.tobytes() for s in first.streams] == [s.tobytes() for s in second.streams]
    assert (first.inputs, first.outputs) == (second.inputs, second.outputs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quantize", "f32", "--io-quantized"], "quantize=f32 keeps that"),
        (["--quantize", "f32", "--io-layout", "nhcw"], "nhcw"),
    ],
)
def test_wrong_options_are_told(smalti: Smalti, small_onnx: Path, options: list[str], message: str):
    ran = smalti("compile", small_onnx, *options)
    assert ran.code != 0 and message in ran.err and "Traceback" not in ran.err


def test_ports_are_settled_below_tpu(smalti: Smalti, small_files: Path, tmp_path: Path):
    for options in (["--io-quantized"], ["--io-layout", "nhwc"]):
        file = small_files / "small.tile.mlir"
        ran = smalti("compile", file, *options, "-o", tmp_path / "m.smalti")
        assert ran.code == 1 and f"{options[0]} is settled in tile IR" in ran.err
        ok(smalti("compile", small_files / "small.tpu.mlir", *options, "-o", tmp_path / "m.smalti"))


def test_what_stays_float_is_told(tmp_path: Path, smalti: Smalti):
    graph = oh.make_graph(
        [oh.make_node("Softmax", ["x"], ["y"])],
        "g",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
        [oh.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8])],
    )
    made = oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, tmp_path / "m.onnx")
    words = ("--calibration", "random:0", "--io-quantized", "-o", tmp_path / "m.smalti")
    ran = smalti("compile", tmp_path / "m.onnx", *words)
    ok(ran)
    assert "remark: input 'x' stays f32: tpu.softmax 'y' reads it as it is" in ran.err
    assert "remark: output 'y' stays f32: tpu.softmax 'y' computes it in that type" in ran.err


def test_a_model_of_the_api_says_its_ports():
    compiled = compile_model(
        small_model(), calibration="random:0", io_quantized=True, io_layout="nhwc"
    )
    assert "x: 1x12x12x3 i8 nhwc" in repr(compiled)
    with pytest.raises(DiagnosticError, match="there is no layout 'nhcw'"):
        compile_model(small_model(), calibration="random:0", io_layout="nhcw")


@pytest.mark.parametrize("quantize", ["int8", "f16"])
def test_quantized_ports_are_not_slower(quantize: Quantize):
    """In f16 but for what the order of steps happens to cost, some cycles in a thousand."""
    most = 1.0 if quantize == "int8" else 1.005
    for model in (small_model(), image_model()):
        calibration = "random:0" if quantize == "int8" else None
        cycles = [
            compile_model(model, quantize=quantize, calibration=calibration, **ports)
            .profile()
            .cycles
            for ports in ({}, PORTS[0])
        ]
        assert cycles[1] <= most * cycles[0]
