"""convert-top-to-tpu: types, casts, mixed precision, ranges; and that both levels compute the same."""

# ruff: noqa: E501 (lines of IR stay whole)

import json

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.top import run_top
from smalti.backends.interpreter.tpu import run_tpu
from smalti.backends.numerics.storage import dtype_of
from smalti.dialects.quant.element_type import element_storage

IMAGE = {"image": "2x4x6x6xf32"}
X = "tensor<2x4x6x6xf32>"
WEIGHTS = """
%w = top.weight "w" seed = 1 : tensor<6x4x3x3xf32>
%b = top.weight "b" seed = 2 : tensor<6xf32>
%v = top.weight "v" seed = 3 : tensor<6x5xf32>
%d = top.weight "d" seed = 4 : tensor<4x1x3x3xf32>
%k = top.weight "k" seed = 5 : tensor<4x1x1xf32>
"""
Y = "tensor<2x6x4x4xf32>"
CONV = f'%c = top.conv2d "c" %image, %w, %b : ({X}, tensor<6x4x3x3xf32>, tensor<6xf32>) -> {Y} loc("Conv_0")\n'


@pytest.fixture
def convert(piped, network, tmp_path):
    """A function from a body to the tpu module, with the errors of its output against the top interpreter's.

    Ranges are those that the interpreter sees on the same input, except those of `without`.
    """

    def run(body, result, type, quantize="int8", without=(), fuse="", inputs=IMAGE):
        text = network(inputs, WEIGHTS + body, result, type)
        shape = [int(size) for size in inputs["image"].split("x")[:-1]]
        x = np.random.default_rng(7).uniform(-1, 1, shape).astype(np.float32)
        module = piped(text)
        ranges = {}

        def observe(name, value):
            if name not in without:
                ranges[name] = [float(value.min()), float(value.max())]

        expected = run_top(module.module, module.ctx.weights, {"image": x}, observe=observe)["out"]
        table = tmp_path / "ranges.json"
        table.write_text(json.dumps({"format": 1, "ranges": ranges}))
        annotate = (
            f"top-annotate-calibration{{table={table}}}," if ranges and quantize == "int8" else ""
        )
        after = piped(
            text, f"{annotate}convert-top-to-tpu{{target=edge-1c quantize={quantize}}}{fuse}"
        )
        found = run_tpu(after.module, after.ctx.weights, {"image": x})["out"]
        return after, found, expected

    return run


def ops(result):
    return [
        name.removeprefix("tpu.")
        for name in result.names()
        if name not in ("tpu.weight", "func.return")
    ]


def snr(found, expected):
    """Signal to noise in decibels."""
    return 10 * np.log10((expected**2).sum() / max(((found - expected) ** 2).sum(), 1e-30) + 1e-30)


def test_conv_between_casts(convert):
    result, found, expected = convert(CONV, "%c", "2x6x4x4xf32")
    assert ops(result) == ["cast", "conv2d", "cast"]
    conv = result.named("c")
    weight = conv.weight.type.element_type
    assert (weight.storage_name, weight.axis, weight.storage_min) == ("i8", 0, -127)
    assert conv.accumulator.data == "i32"
    assert result.ctx.weights.info("w.i8") == ("i8", (6, 4, 3, 3))
    assert result.ctx.weights.info("b.i32") == ("i32", (6,))
    assert snr(found, expected) > 35
    assert 'smalti.target = "edge-1c"' in result.text and "sha256:" in result.text
    assert result.located.count('loc("Conv_0")') == 5


def test_the_f32_pipeline_changes_no_type_and_no_weight(convert):
    body = CONV + f'%y = top.relu "y" %c : ({Y}) -> {Y}'
    result, found, expected = convert(body, "%y", "2x6x4x4xf32", quantize="f32")
    assert ops(result) == ["conv2d", "clamp"]
    assert "quant" not in result.text and 'accumulator = "f32"' in result.text
    assert result.text.count("seed") == 2 and not result.ctx.weights.changed
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("quantize", "decibels"), [("f16", 60), ("bf16", 42)])
def test_half_precision_stores_all_but_the_bias(convert, quantize: str, decibels: float):
    body = CONV + f'%y = top.add "y" %c, %k6 : ({Y}, tensor<6x1x1xf32>) -> {Y}'
    body = '%k6 = top.weight "k6" seed = 6 : tensor<6x1x1xf32>\n' + body
    result, found, expected = convert(body, "%y", "2x6x4x4xf32", quantize=quantize)
    assert ops(result) == ["cast", "conv2d", "add", "cast"]
    conv = result.named("c")
    assert [element_storage(value.type) for value in conv.operands] == [quantize, quantize, "f32"]
    assert element_storage(conv.output.type) == quantize and conv.accumulator.data == "f32"
    assert result.ctx.weights.info(f"w.{quantize}") == (quantize, (6, 4, 3, 3))
    assert found.dtype == np.float32
    assert decibels < snr(found, expected) < 80


@pytest.mark.parametrize("given", ["f16", "bf16", "f32"])
@pytest.mark.parametrize("quantize", ["f16", "bf16", "f32"])
def test_inputs_and_results_keep_the_type_of_the_network(piped, network, given: str, quantize: str):
    """A network of floats of one type, computed in another."""
    type = f"2x4x6x6x{given}"
    body = f"""
    %w = top.weight "w" seed = 1 : tensor<5x4x3x3x{given}>
    %b = top.weight "b" seed = 2 : tensor<5x{given}>
    %c = top.conv2d "c" %image, %w, %b : (tensor<{type}>, tensor<5x4x3x3x{given}>, tensor<5x{given}>) -> tensor<2x5x4x4x{given}>
    %y = top.relu "y" %c : (tensor<2x5x4x4x{given}>) -> tensor<2x5x4x4x{given}>
    """
    text = network({"image": type}, body, "%y", f"2x5x4x4x{given}")
    before, after = piped(text), piped(text, f"convert-top-to-tpu{{quantize={quantize}}}")
    casts = [] if given == quantize else ["cast"]
    assert ops(after) == [*casts, "conv2d", "clamp", *casts]
    x = np.random.default_rng(7).uniform(-1, 1, (2, 4, 6, 6)).astype(dtype_of(given))
    expected = run_top(before.module, before.ctx.weights, {"image": x})["out"]
    found = run_tpu(after.module, after.ctx.weights, {"image": x})["out"]
    assert found.dtype == expected.dtype == dtype_of(given)
    if given == quantize:
        np.testing.assert_array_equal(found, expected)
    lossy = 40 if "bf16" in (given, quantize) else 60
    assert snr(found.astype(np.float32), expected.astype(np.float32)) > lossy


def test_an_f16_network_computes_in_int8(piped, network):
    """Its ranges are of its own type, and so is what it returns."""
    type = "1x4x!quant.calibrated<f16<-1.0:1.0>>"
    body = f"""
    %w = top.weight "w" seed = 1 : tensor<4x5xf16>
    %y = top.matmul "y" %image, %w : (tensor<{type}>, tensor<4x5xf16>) -> tensor<1x5x!quant.calibrated<f16<-1.0:1.0>>>
    """
    text = network({"image": type}, body, "%y", "1x5x!quant.calibrated<f16<-1.0:1.0>>")
    before, after = piped(text), piped(text, "convert-top-to-tpu{quantize=int8}")
    assert ops(after) == ["cast", "matmul", "cast"]
    x = np.array([[1, -1, 0.5, 0.25]], np.float16)
    expected = run_top(before.module, before.ctx.weights, {"image": x})["out"]
    found = run_tpu(after.module, after.ctx.weights, {"image": x})["out"]
    assert found.dtype == np.float16
    assert np.abs(found - expected).max() < 0.02


def test_weights_beyond_f16_saturate_and_are_counted(piped, network):
    body = f"""
    %m = top.weight "m" value = dense<[[[-1.0e9]], [[1.0]], [[0.0]], [[1.0e-9]]]> : tensor<4x1x1xf32> : tensor<4x1x1xf32>
    %y = top.add "y" %image, %m : ({X}, tensor<4x1x1xf32>) -> {X}
    """
    text = network(IMAGE, body, "%y", "2x4x6x6xf32")
    result = piped(text, "convert-top-to-tpu{quantize=f16}")
    stored = result.ctx.weights.get("m.f16").reshape(-1)
    np.testing.assert_array_equal(stored, np.array([-65504, 1, 0, 2.0**-24], np.float16))
    assert result.passes[0].statistics == {"ops": 2, "saturated_weights": 1}


def test_ranges_are_dropped_in_the_f32_pipeline(piped, network):
    calibrated = "2x4x6x6x!quant.calibrated<f32<-1.0:1.0>>"
    body = f'%y = top.relu "y" %image : (tensor<{calibrated}>) -> tensor<{calibrated}>'
    text = network({"image": calibrated}, body, "%y", calibrated)
    result = piped(text, "convert-top-to-tpu{quantize=f32}")
    assert "quant" not in result.text


def test_a_relu_gives_its_quantization_to_the_op_before(convert):
    body = (
        CONV
        + f'%r = top.relu "r" %c : ({Y}) -> {Y}\n%y = top.clip "y" %r high = 0.5 : ({Y}) -> {Y}'
    )
    result, found, expected = convert(body, "%y", "2x6x4x4xf32", without=("c", "r"))
    assert ops(result) == ["cast", "conv2d", "clamp", "clamp", "cast"]
    types = {result.named(name).output.type for name in ("c", "r", "y")}
    assert len(types) == 1
    assert result.named("y").output.type.element_type.zero_point == -128
    assert snr(found, expected) > 35
    fused = result.then("tpu-fuse-activation")
    assert ops(fused) == ["cast", "conv2d", "cast"]
    assert fused.named("y").clamp == (0.0, 0.5)


def test_a_relu_of_a_value_with_other_users_requantizes(convert):
    body = (
        CONV
        + f"""
    %r = top.relu "r" %c : ({Y}) -> {Y}
    %y = top.add "y" %r, %c : ({Y}, {Y}) -> {Y}
    """
    )
    result, found, expected = convert(body, "%y", "2x6x4x4xf32")
    assert ops(result) == ["cast", "conv2d", "requantize", "clamp", "add", "cast"]
    assert snr(found, expected) > 30


@pytest.mark.parametrize(
    ("body", "expected_ops"),
    [
        (f'%y = top.relu "y" %image : ({X}) -> {X}', ["cast", "requantize", "clamp", "cast"]),
        (f'%y = top.add "y" %image, %k : ({X}, tensor<4x1x1xf32>) -> {X}', ["cast", "add", "cast"]),
        (f'%y = top.sub "y" %image, %k : ({X}, tensor<4x1x1xf32>) -> {X}', ["cast", "add", "cast"]),
        (f'%y = top.mul "y" %image, %k : ({X}, tensor<4x1x1xf32>) -> {X}', ["cast", "mul", "cast"]),
        (f'%y = top.sub "y" %image, %image : ({X}, {X}) -> {X}', ["sub"]),
        (f'%y = top.sub "y" %k, %image : (tensor<4x1x1xf32>, {X}) -> {X}', ["sub"]),
        (f'%y = top.softmax "y" %image axis = 1 : ({X}) -> {X}', ["softmax"]),
        (f'%y = top.softmax "y" %image axis = 1 log : ({X}) -> {X}', ["softmax"]),
        (
            '%y = top.normalize "y" %image, %k bias %k kind = "mean_variance" axes = [2, 3] '
            f"epsilon = 1.000000e-05 : ({X}, tensor<4x1x1xf32>, tensor<4x1x1xf32>) -> {X}",
            ["normalize"],
        ),
        (
            '%y = top.normalize "y" %image, %image bias %image kind = "rms" axes = [3] '
            f"epsilon = 1.000000e-05 : ({X}, {X}, {X}) -> {X}",
            ["normalize", "mul", "add"],
        ),
        (
            '%y = top.local_response_norm "y" %image size = 3 alpha = 0.5 beta = 0.75 '
            f"offset = 1.0 : ({X}) -> {X}",
            ["local_response_norm"],
        ),
        (
            f'%y = top.max_pool "y" %image kernel = [3, 3] pads = [1, 1, 1, 1] : ({X}) -> {X}',
            ["cast", "max_pool", "cast"],
        ),
        (
            f'%y = top.avg_pool "y" %image kernel = [3, 3] pads = [1, 1, 1, 1] : ({X}) -> {X}',
            ["cast", "avg_pool", "cast"],
        ),
        (
            f'%y = top.transpose "y" %image permutation = [0, 1, 3, 2] : ({X}) -> {X}',
            ["transpose"],
        ),
        (
            f'%y = top.conv2d "y" %image, %d groups = 4 pads = [1, 1, 1, 1] : ({X}, tensor<4x1x3x3xf32>) -> {X}',
            ["cast", "conv2d", "cast"],
        ),
    ],
)
def test_one_op(convert, body, expected_ops):
    result, found, expected = convert(body, "%y", "2x4x6x6xf32")
    assert ops(result) == expected_ops
    assert snr(found, expected) > 30 or np.array_equal(found, expected)
    _, found, expected = convert(body, "%y", "2x4x6x6xf32", quantize="f32")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_division_by_a_constant_is_a_multiplication(convert):
    body = f"""
    %two = top.weight "two" value = dense<2.0> : tensor<f32> : tensor<f32>
    %y = top.div "y" %image, %two : ({X}, tensor<f32>) -> {X}
    """
    result, found, expected = convert(body, "%y", "2x4x6x6xf32")
    assert ops(result) == ["cast", "mul", "cast"]
    assert snr(found, expected) > 35


def test_mean_reshape_and_matmul(convert):
    body = (
        CONV
        + f"""
    %m = top.reduce "m" %c kind = "mean" axes = [2, 3] keepdims : ({Y}) -> tensor<2x6x1x1xf32>
    %f = top.reshape "f" %m : (tensor<2x6x1x1xf32>) -> tensor<2x6xf32>
    %y = top.matmul "y" %f, %v : (tensor<2x6xf32>, tensor<6x5xf32>) -> tensor<2x5xf32>
    """
    )
    result, found, expected = convert(body, "%y", "2x5xf32", without=("f",))
    assert ops(result) == ["cast", "conv2d", "reduce", "reshape", "matmul", "cast"]
    assert result.named("y").rhs.type.element_type.axis == 1
    assert snr(found, expected) > 30


def test_matmul_of_two_activations(convert):
    body = f'%y = top.matmul "y" %image, %image : ({X}, {X}) -> {X}'
    result, found, expected = convert(body, "%y", "2x4x6x6xf32")
    assert ops(result) == ["cast", "matmul", "cast"]
    assert result.named("y").rhs.type.element_type.is_per_tensor
    assert snr(found, expected) > 30


def test_casts_stand_around_a_softmax_and_are_shared(convert):
    body = (
        CONV
        + f"""
    %s = top.softmax "s" %c axis = 1 : ({Y}) -> {Y}
    %m = top.mul "m" %s, %c : ({Y}, {Y}) -> {Y}
    %y = top.add "y" %m, %s : ({Y}, {Y}) -> {Y}
    """
    )
    result, found, expected = convert(body, "%y", "2x6x4x4xf32")
    assert ops(result) == ["cast", "conv2d", "cast", "softmax", "cast", "mul", "add", "cast"]
    assert snr(found, expected) > 28


RESIZES = [
    (
        "nearest",
        "2x4x12x18xf32",
        [1.0, 1.0, 2.0, 3.0],
        "",
        ["cast", "resample", "resample", "cast"],
    ),
    ("nearest", "2x4x12x6xf32", [1.0, 1.0, 2.0, 1.0], "", ["cast", "resample", "cast"]),
    ("linear", "2x4x9x3xf32", [1.0, 1.0, 1.5, 0.5], "", ["resample", "resample"]),
    ("cubic", "2x4x12x6xf32", [1.0, 1.0, 2.0, 1.0], "", ["resample"]),
    (
        "linear",
        "2x4x6x8xf32",
        [1.0, 1.0, 1.0, 1.3333],
        'coordinate_transformation_mode = "tf_crop_and_resize" extrapolation_value = 5.0 '
        "roi = [0.0, 1.0, 0.0, 1.0, -0.3, 0.7, 0.2, 1.4]",
        ["resample", "resample", "add"],
    ),
]


@pytest.mark.parametrize(("mode", "type", "scales", "rest", "expected_ops"), RESIZES)
def test_resize_is_one_resample_per_axis(convert, mode, type, scales, rest, expected_ops):
    body = f'%y = top.resize "y" %image mode = "{mode}" scales = {scales} {rest} : ({X}) -> tensor<{type}>'
    result, found, expected = convert(body, "%y", type)
    assert ops(result) == expected_ops
    assert snr(found, expected) > 35
    result, found, expected = convert(body, "%y", type, quantize="f32")
    assert ops(result) == [op for op in expected_ops if op != "cast"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_resize_that_copies_has_no_weights(convert):
    body = f'%y = top.resize "y" %image mode = "nearest" scales = [1.0, 1.0, 2.0, 2.0] : ({X}) -> tensor<2x4x12x12xf32>'
    result, _, _ = convert(body, "%y", "2x4x12x12xf32")
    assert result.named("y").weight is None
    assert "quant.uniform" in str(result.named("y").output.type)


def test_every_value_without_a_range_is_named(convert):
    body = (
        CONV
        + f"""
    %p = top.max_pool "p" %c kernel = [1, 1] : ({Y}) -> {Y}
    %y = top.add "y" %p, %c : ({Y}, {Y}) -> {Y}
    """
    )
    with pytest.raises(DiagnosticError) as caught:
        convert(body, "%y", "2x6x4x4xf32", without=("image", "c", "p", "y"))
    assert "a calibrated range for 'image', 'c', 'y'" in str(caught.value)
    with pytest.raises(DiagnosticError, match="a calibrated range for 'y'\n"):
        convert(body, "%y", "2x6x4x4xf32", without=("y",))


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("convert-top-to-tpu{target=none-such quantize=f32}", "none-such"),
        (
            "convert-top-to-tpu{quantize=int4}",
            "option 'quantize' is int4, expected one of int8, f32, f16, bf16",
        ),
        (
            "convert-top-to-tpu{quantize=f32},convert-top-to-tpu{quantize=f32}",
            "tpu.clamp is no op of level top",
        ),
    ],
)
def test_wrong_options_and_levels_are_diagnostics(piped, network, pipeline, message):
    text = network(IMAGE, f'%y = top.relu "y" %image : ({X}) -> {X}', "%y", "2x4x6x6xf32")
    with pytest.raises(DiagnosticError) as caught:
        piped(text, pipeline)
    assert message in str(caught.value)


def test_a_batch_norm_that_was_not_folded_is_a_diagnostic(piped, network):
    body = (
        WEIGHTS
        + CONV
        + f"""
    %y = top.batch_norm "y" %c, %b, %b, %b, %b epsilon = 0.1 : ({Y}, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> {Y} loc("BN_7")
    """
    )
    text = network(IMAGE, body, "%y", "2x6x4x4xf32")
    with pytest.raises(DiagnosticError, match=r"(?s)BN_7.*\n.*top-fold-batch-norm"):
        piped(text, "convert-top-to-tpu{quantize=f32}")


def test_weights_that_are_not_finite_are_a_diagnostic(piped, network, convert):
    body = f"""
    %n = top.weight "n" value = dense<0x7F800000> : tensor<1x4x1x1xf32> : tensor<1x4x1x1xf32>
    %y = top.conv2d "y" %image, %n : ({X}, tensor<1x4x1x1xf32>) -> tensor<2x1x6x6xf32>
    """
    with pytest.raises(DiagnosticError):
        convert(body, "%y", "2x1x6x6xf32")


def test_a_weight_in_two_roles_has_two_forms(convert):
    body = CONV + f'%y = top.conv2d "y" %image, %w : ({X}, tensor<6x4x3x3xf32>) -> {Y}'
    body += f'\n%z = top.add "z" %c, %y : ({Y}, {Y}) -> {Y}'
    result, found, expected = convert(body, "%z", "2x6x4x4xf32")
    names = [op.properties["name"].data for op in result.module.walk() if "name" in op.properties]
    assert len(names) == len(set(names))
    assert snr(found, expected) > 30


def test_an_output_that_is_an_input_is_not_quantized(piped, network):
    text = network(IMAGE, "", "%image", "2x4x6x6xf32")
    assert piped(text, "convert-top-to-tpu").names() == ["func.return"]
