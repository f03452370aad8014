"""Networks that take numbers of tokens: embedding, mask, attention; on the whole path, against ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.shared_files import SHARED

from .test_random_networks import close, levels, same

TOKENS, WIDTH, KINDS = 12, 32, 50
TEXT = f"""<ir_version: 8, opset_import: ["" : 17]>
tokens (int64[1,{TOKENS}] ids, bool[1,{TOKENS}] marked) => (float[1,{TOKENS},8] y, int64[1,{TOKENS}] best) <
    int64 pad = {{0}}, float low = {{-10000}}, float none = {{0}}, int64[1] one = {{1}}, int64 twice = {{2}}
> {{
    x = Gather (table, ids)
    is_pad = Equal (ids, pad)
    ignored = Or (is_pad, marked)
    mask = Where (ignored, low, none)
    rows = Unsqueeze (mask, one)
    q = MatMul (x, wq)
    k = MatMul (x, wk)
    v = MatMul (x, wv)
    kt = Transpose <perm = [0, 2, 1]> (k)
    scores = MatMul (q, kt)
    masked = Add (scores, rows)
    weights = Softmax <axis = -1> (masked)
    mixed = MatMul (weights, v)
    added = Add (mixed, x)
    kept = Not (ignored)
    factor = Cast <to = 1> (kept)
    columns = Unsqueeze (factor, last)
    cleared = Mul (added, columns)
    doubled = Mul (ids, twice)
    next_ids = Mod (doubled, count)
    positions = Gather (places, next_ids)
    placed = Add (cleared, positions)
    y = MatMul (placed, wo)
    best = ArgMax <axis = -1, keepdims = 0> (y)
}}"""


def network() -> onnx.ModelProto:
    """One block of attention over embedded tokens."""
    model = onnx.parser.parse_model(TEXT)
    rng = np.random.default_rng(2)
    for name, shape in {
        "table": (KINDS, WIDTH), "places": (7, WIDTH), "wq": (WIDTH, WIDTH), "wk": (WIDTH, WIDTH),
        "wv": (WIDTH, WIDTH), "wo": (WIDTH, 8),
    }.items():  # fmt: skip
        array = rng.normal(0, shape[0] ** -0.5, shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    for name, array in {"last": np.array([2]), "count": np.array(7)}.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    return model


def sentences(count: int) -> dict[str, np.ndarray]:
    """Numbers of tokens, 0 for padding at the end, and marks."""
    rng = np.random.default_rng(5)
    ids = rng.integers(1, KINDS, (count, TOKENS))
    for row, length in enumerate(rng.integers(4, TOKENS + 1, count)):
        ids[row, length:] = 0
    return {"ids": ids, "marked": rng.random((count, TOKENS)) < 0.1}


@pytest.mark.parametrize("target", ["edge-1c", "default-8c"])
def test_f32(target: str):
    model, given = network(), sentences(3)
    expected = run_onnx(model, given)
    for result, what in zip(
        levels(model, CompileOptions(target, None, "f32"), given),
        ("tpu", "tile", "program"),
        strict=True,
    ):
        close({"y": result["y"]}, {"y": expected["y"]}, 1e-5, what)
        same({"best": result["best"]}, {"best": expected["best"]}, what)


def test_int8():
    """Integers and bools are not quantized; all levels agree to the bit."""
    model, given = network(), sentences(16)
    expected = run_onnx(model, given)
    tpu, tile, program = levels(model, CompileOptions("edge-1c", None, "int8", given), given)
    same(tile, tpu, "tile")
    same(program, tpu, "program")
    close({"y": program["y"]}, {"y": expected["y"]}, 0.05, "INT8")


def test_f16():
    model, given = network(), sentences(2)
    expected = run_onnx(model, given)
    _, _, program = levels(model, CompileOptions("edge-1c", None, "f16"), given)
    close({"y": program["y"]}, {"y": expected["y"]}, 0.01, "f16")


def test_commands(smalti, tmp_path: Path):
    """Random inputs are numbers of tokens that there are; what the host computes is told, and compared."""
    onnx.save(network(), tmp_path / "m.onnx")
    words = (
        "compile",
        tmp_path / "m.onnx",
        "--calibration",
        "random:1",
        "-o",
        tmp_path / "m.smalti",
    )
    ran = smalti(*words)
    assert ran.code == 0, ran.err
    assert "the host computes 'is_pad': no engine does equal of i64" in ran.err
    assert "gather" not in ran.err, "an embedding is a transfer"
    given = sentences(1)
    np.savez(tmp_path / "in.npz", **given)
    np.savez(tmp_path / "expected.npz", **run_onnx(network(), given))
    ran = smalti(
        "run", tmp_path / "m.smalti", "--inputs", tmp_path / "in.npz", "--mode", "both", "--compare",
        tmp_path / "expected.npz", "--outputs", tmp_path / "out.npz",
    )  # fmt: skip
    assert "Traceback" not in ran.err and "host calls" in ran.out, ran.err
    ran = smalti("compare", tmp_path / "m.onnx", "--quantize", "f32", "--inputs", "random:3")
    assert ran.code == 0, ran.out + ran.err
    found = np.load(tmp_path / "out.npz")
    assert found["best"].dtype == np.int64 and found["best"].shape == (1, TOKENS)
    np.savez(
        tmp_path / "bad.npz", ids=np.full((1, TOKENS), KINDS), marked=np.zeros((1, TOKENS), bool)
    )
    ran = smalti("run", tmp_path / "m.smalti", "--inputs", tmp_path / "bad.npz")
    assert ran.code == 1 and f"index {KINDS} is out of range: the table has {KINDS} rows" in ran.err


MAGIKA = SHARED / "models" / "real" / "magika.onnx"


@pytest.mark.skipif(not MAGIKA.exists(), reason="the model is not there")
def test_magika():
    """A network that tells types of files from their bytes, which are int32."""
    from smalti.backends.simulator.simulate import simulate
    from smalti.compiler.compilation.compilation import start_from_model

    model = onnx.load(MAGIKA)
    given = {"bytes": np.random.default_rng(0).integers(0, 257, (1, 2048)).astype(np.int32)}
    expected = run_onnx(model, given)
    compilation = start_from_model(model, CompileOptions("default-8c", None, "f32"), batch=1)
    result = simulate(compilation.assemble(), given)
    assert result.outputs is not None
    close(result.outputs, expected, 1e-4, "f32")
