"""convert-top-to-tpu: casts, mixed precision, ranges; and that both levels compute the same."""

import numpy as np
import pytest

from .small_networks import CONV, IMAGE, X, Y, ops, snr


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


@pytest.mark.parametrize(
    ("body", "expected_ops"),
    [
        (
            f'%t = top.transpose "t" %image permutation = [0, 2, 1, 3] : ({X}) -> {{V}}',
            ["transpose"],
        ),
        (f'%t = top.add "t" %image, %k : ({X}, tensor<4x1x1xf32>) -> {X}', ["add"]),
        (f'%t = top.unary "t" %image kind = "sigmoid" : ({X}) -> {X}', ["unary"]),
    ],
)
@pytest.mark.parametrize("kind", ["argmax", "argmin", "top_k"])
def test_positions_are_found_in_floats(convert, body, expected_ops, kind):
    """8 bits would make elements equal that are not; values that only such an op reads are not rounded to them."""
    v = "tensor<2x6x4x6xf32>" if "transpose" in body else X
    shape = [2, 6, 4, 6] if "transpose" in body else [2, 4, 6, 6]
    result, given, shape[1] = (0, "", 1) if kind.startswith("arg") else (1, ", count = 3", 3)
    type = "x".join(map(str, shape)) + "xi64"
    text = f"""
    {body.replace("{V}", v)}
    %y = top.call "y" %t function = "{kind}" attributes = {{axis = 1{given}}} result = {result} :
      ({v}) -> tensor<{type}>
    """
    result, found, expected = convert(text, "%y", type)
    assert ops(result) == [*expected_ops, "host_call"]
    assert np.array_equal(found, expected)


def test_positions_of_what_8_bits_made(convert):
    """A product has 8 bits anyway: the element found is the largest but for their rounding."""
    text = f"""{CONV}
    %y = top.call "y" %c function = "argmax" attributes = {{axis = 1}} : ({Y}) -> tensor<2x1x4x4xi64>
    """
    result, found, _ = convert(text, "%y", "2x1x4x4xi64")
    assert ops(result) == ["cast", "conv2d", "cast", "host_call"]
    _, rounded, exact = convert(CONV, "%c", "2x6x4x4xf32")
    lost = exact.max(axis=1, keepdims=True) - np.take_along_axis(exact, found, 1)
    assert lost.max() <= 2 * np.abs(rounded - exact).max()


def test_a_choice_between_inputs_is_not_quantized(convert):
    body = f"""
    %c = top.compare "c" %image, %k kind = "less" : ({X}, tensor<4x1x1xf32>) -> tensor<2x4x6x6xi1>
    %y = top.select "y" %c, %image, %k : (tensor<2x4x6x6xi1>, {X}, tensor<4x1x1xf32>) -> {X}
    """
    result, found, expected = convert(body, "%y", "2x4x6x6xf32")
    assert ops(result) == ["compare", "select"]
    assert np.array_equal(found, expected)
