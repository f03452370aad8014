"""Weights of 2, 4 and 8 bits with a scale for each block, and means of integers, against ONNX Runtime."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model, import_model
from smalti.passes.top_to_tpu.precision.schemes import Quantize

from tests.end_to_end.test_quantized_ops import check, one_op

RNG = np.random.default_rng(3)
ROWS = 6
INDICES = {"i": RNG.integers(-3, 9, (2, 3))}


def codes(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape).astype(np.uint8)


def scales(*shape: int) -> np.ndarray:
    return RNG.uniform(0.01, 0.03, shape).astype(np.float32)


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype(np.float32)


def weights(bits: int, block: int, columns: int) -> dict[str, np.ndarray]:
    """Packed weights, and their scales."""
    blocks = -(-columns // block)
    return {"b": codes(ROWS, blocks, block * bits // 8), "s": scales(ROWS, blocks)}


@pytest.mark.parametrize("columns", [64, 80])
@pytest.mark.parametrize("block", [16, 32, 128, 256])
@pytest.mark.parametrize("bits", [4, 8])
def test_products(bits: int, block: int, columns: int):
    """Zero points are in the middle of the range unless they are given; 80 columns end within a block."""
    given, inputs = weights(bits, block, columns), {"a": floats(2, 3, columns)}
    sizes = {"N": ROWS, "K": columns, "bits": bits, "block_size": block}
    check(one_op("MatMulNBits", inputs, given, "a b s", np.float32, **sizes), inputs, 1e-4)
    width = -(-given["s"].shape[1] * bits // 8)
    given |= {"z": codes(ROWS, width), "c": floats(ROWS)}
    order = "a b s z - c"
    check(one_op("MatMulNBits", inputs, given, order, np.float32, **sizes), inputs, 1e-4)


def test_products_of_two_bits_and_of_floating_zero_points():
    inputs = {"a": floats(3, 64)}
    sizes = {"N": ROWS, "K": 64, "block_size": 32}
    given = weights(2, 32, 64)
    check(one_op("MatMulNBits", inputs, given, "a b s", np.float32, bits=2, **sizes), inputs, 1e-4)
    given = {**weights(4, 32, 64), "z": RNG.uniform(3, 9, (ROWS, 2)).astype(np.float32)}
    check(one_op("MatMulNBits", inputs, given, "a b s z", np.float32, **sizes), inputs, 1e-4)


@pytest.mark.parametrize("quantize", ["f32", "f16"])
@pytest.mark.parametrize("columns", [64, 80, 32])
def test_weights_of_four_bits_stay_packed(columns: int, quantize: Quantize):
    """Of 80 columns the last group has 16; of 32 there is one group, and each output channel has one scale."""
    inputs = {"a": floats(3, columns)}
    sizes = {"N": ROWS, "K": columns, "block_size": 32}
    model = one_op("MatMulNBits", inputs, weights(4, 32, columns), "a b s", np.float32, **sizes)
    expected = next(iter(run_onnx(model, inputs).values()))
    compiled = compile_model(model, target="edge-1c", quantize=quantize)
    (found,) = compiled.run(inputs).values()
    step = {"f32": 1e-5, "f16": 2e-3}[quantize]
    assert np.abs(found - expected).max() <= step * np.abs(expected).max()
    listing = compiled.ir("isa")
    assert "w_type=i4" in listing and ("w_group=32" in listing) == (columns > 32)
    # A target that unpacks no weights multiplies floats.
    plain = compile_model(model, target="systolic-256", quantize=quantize)
    (found,) = plain.run(inputs).values()
    assert np.abs(found - expected).max() <= step * np.abs(expected).max()
    assert "w_type" not in plain.ir("isa")


def test_columns_that_name_their_blocks():
    inputs = {"a": floats(3, 64)}
    given = {**weights(4, 32, 64), "g": RNG.permutation(np.repeat([0, 1], 32)).astype(np.int32)}
    sizes = {"N": ROWS, "K": 64, "block_size": 32}
    check(one_op("MatMulNBits", inputs, given, "a b s - g", np.float32, **sizes), inputs, 1e-4)


def test_one_block_of_bytes_for_each_row_stays_integers():
    inputs = {"a": floats(3, 32)}
    sizes = {"N": ROWS, "K": 32, "bits": 8, "block_size": 32}
    text = import_model(
        one_op("MatMulNBits", inputs, weights(8, 32, 32), "a b s", np.float32, **sizes)
    ).ir()
    assert "u8:f32:1" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block_size": 24}, "block_size is 24"),
        ({"bits": 3}, "numbers have 3 bits"),
        ({"K": 32}, "does not end in K = 32"),
        ({"N": 5}, r"u8\[5, 2, 16\] is needed"),
        ({"weight_prepacked": 1}, "packed for one kind of processor"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, int], message: str):
    inputs = {"a": floats(3, 64)}
    sizes = {"N": ROWS, "K": 64, "block_size": 32, **change}
    model = one_op("MatMulNBits", inputs, weights(4, 32, 64), "a b s", np.float32, **sizes)
    with pytest.raises(DiagnosticError, match=message):
        import_model(model)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize(("columns", "block"), [(64, 16), (33, 64), (7, 16)])
def test_products_of_quantiles(columns: int, block: int, kind: int):
    """Blocks go on from row to row."""
    count, inputs = 5 * columns, {"a": floats(2, 3, columns)}
    given = {"b": codes(-(-count // 2)), "s": scales(-(-count // block))}
    sizes = {"N": 5, "K": columns, "block_size": block, "quant_type": kind}
    check(one_op("MatMulBnb4", inputs, given, "a b s", np.float32, **sizes), inputs, 1e-4)


def test_products_of_quantiles_that_are_not_transposed():
    """ONNX Runtime's CPU does not have them: the product with the transpose of the transposed ones' is the same."""
    given, sizes = {"b": codes(48), "s": scales(6)}, {"block_size": 16, "quant_type": 1}
    rows = {"a": np.eye(12, dtype=np.float32)}
    transposed = one_op("MatMulBnb4", rows, given, "a b s", np.float32, N=8, K=12, **sizes)
    weight = run_onnx(transposed, rows)["y"].T
    inputs = {"a": floats(3, 8)}
    model = one_op("MatMulBnb4", inputs, given, "a b s", np.float32, N=8, K=12, transB=0, **sizes)
    np.testing.assert_allclose(
        import_model(model).run(inputs)["y"], inputs["a"] @ weight, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quant_type": 2}, "quant_type is 2"),
        ({"block_size": 8}, "block_size is 8"),
        ({"K": 32}, "does not end in K = 32"),
        ({"N": 7}, r"u8\[224\] with 28 is needed"),
    ],
)
def test_quantiles_that_do_not_fit_are_refused(change: dict[str, int], message: str):
    inputs, given = {"a": floats(3, 64)}, {"b": codes(192), "s": scales(24)}
    sizes = {"N": 6, "K": 64, "block_size": 16, "quant_type": 1, **change}
    model = one_op("MatMulBnb4", inputs, given, "a b s", np.float32, **sizes)
    with pytest.raises(DiagnosticError, match=message):
        import_model(model)


@pytest.mark.parametrize("has_points", [True, False])
@pytest.mark.parametrize("bits", [4, 8])
def test_rows_of_packed_tables(bits: int, has_points: bool):
    constants = {"d": codes(9, 64 * bits // 8), "s": scales(9, 2), "z": codes(9, 2 * bits // 8)}
    order = "d i s z"
    if not has_points:
        del constants["z"]
        order = "d i s"
    more = {"bits": bits, "block_size": 32, "gather_axis": 0, "quantize_axis": 1}
    model = one_op("GatherBlockQuantized", INDICES, constants, order, np.float32, **more)
    check(model, INDICES, 1e-6)


@pytest.mark.parametrize("dtype", [ml_dtypes.int4, ml_dtypes.uint4])
def test_rows_of_tables_of_four_bits(dtype):
    low, high = (-8, 8) if dtype is ml_dtypes.int4 else (0, 16)
    constants = {
        "d": RNG.integers(low, high, (9, 64)).astype(dtype), "s": scales(9, 2),
        "z": RNG.integers(low, high, (9, 2)).astype(dtype),
    }  # fmt: skip
    for order in ("d i s z", "d i s"):
        given = {name: each for name, each in constants.items() if name in order}
        model = one_op("GatherBlockQuantized", INDICES, given, order, np.float32, block_size=32)
        check(model, INDICES, 1e-6)


def test_scales_that_do_not_fit_their_table_are_refused():
    constants = {"d": codes(9, 64), "s": scales(9, 3)}
    more = {"bits": 8, "block_size": 32}
    model = one_op("GatherBlockQuantized", INDICES, constants, "d i s", np.float32, **more)
    with pytest.raises(DiagnosticError, match=r"must have shape \[9, 2\]"):
        import_model(model)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_means_of_integers(dtype):
    """ONNX Runtime has no kernel: they are means of floats, quantized again."""
    x = RNG.integers(0, 100, (2, 3, 4)).astype(dtype)
    constants = {"xs": np.float32(0.03), "z": dtype(50), "ys": np.float32(0.02), "yz": dtype(10)}
    order = "x xs z ys yz"
    model = one_op("QLinearReduceMean", {"x": x}, constants, order, dtype, axes=[1], keepdims=0)
    mean = ((x.astype(np.float64) - 50) * 0.03).mean(1)
    bounds = np.iinfo(dtype)
    expected = np.clip(np.rint(mean / 0.02) + 10, bounds.min, bounds.max)
    found = import_model(model).run({"x": x})["y"]
    assert found.dtype == dtype
    np.testing.assert_allclose(found.astype(float), expected, atol=1)
