"""`smalti import` holds weights of any size in memory piece by piece, wherever the model keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper

from tests.benchmarks.fresh_process import run_fresh

WIDTH = 2048
LAYER_BYTES = 4 * WIDTH * WIDTH
MIB = 1 << 20

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not say how much memory it took"
)


def graph(layers: int) -> GraphProto:
    """A chain of products, in turn by matrices and by transposed ones, without their weights."""
    nodes = [
        helper.make_node("Gemm", [f"x{i}", f"w{i}"], [f"x{i + 1}"], transB=1)
        if i % 2
        else helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"])
        for i in range(layers)
    ]
    first, last = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, WIDTH])
        for name in ("x0", f"x{layers}")
    )
    return helper.make_graph(nodes, "chain", [first], [last])


def model(layers: int) -> ModelProto:
    """The model around the graph."""
    return helper.make_model(
        graph(layers), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )


def weight(number: int) -> TensorProto:
    """A matrix without its data."""
    return TensorProto(name=f"w{number}", data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH])


def write_external(path: Path, layers: int) -> None:
    """Write a model whose weights, zeros, are holes in a file beside it."""
    proto = model(layers)
    for number in range(layers):
        tensor = weight(number)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (
            ("location", "weights.bin"), ("offset", number * LAYER_BYTES), ("length", LAYER_BYTES),
        ):  # fmt: skip
            tensor.external_data.add(key=key, value=str(value))
        proto.graph.initializer.append(tensor)
    path.write_bytes(proto.SerializeToString())
    with (path.parent / "weights.bin").open("wb") as file:
        file.truncate(layers * LAYER_BYTES)


def write_inline(path: Path, layers: int) -> None:
    """Write a model with its weights, zeros, as holes in its own file: protobuf would hold all of them in memory."""
    heads = []
    for number in range(layers):
        fields = weight(number).SerializeToString()
        raw = fields + field(9, LAYER_BYTES)
        heads.append(field(5, len(raw) + LAYER_BYTES) + raw)
    inner = graph(layers).SerializeToString()
    proto = model(layers)
    proto.ClearField("graph")
    size = len(inner) + sum(map(len, heads)) + layers * LAYER_BYTES
    with path.open("wb") as file:
        file.write(proto.SerializeToString() + field(7, size) + inner)
        for head in heads:
            file.write(head)
            file.seek(LAYER_BYTES, 1)
        file.truncate()


def field(number: int, size: int) -> bytes:
    """The tag and the length of a field of bytes in protobuf."""
    parts = bytearray([number << 3 | 2])
    while size > 127:
        parts.append(size & 127 | 128)
        size >>= 7
    return bytes([*parts, size])


def peak_mb(folder: Path, layers: int, kind: str) -> float:
    """The peak memory of importing a model with so many layers, in 10^6 bytes."""
    folder.mkdir()
    (write_external if kind == "external" else write_inline)(folder / "m.onnx", layers)
    ran = run_fresh("smalti.tools.main", "import", "m.onnx", "-o", "m.top.mlir", folder=folder)
    assert (folder / "m.top.safetensors").stat().st_size > layers * LAYER_BYTES
    assert ran.peak_mb is not None
    for path in folder.iterdir():
        path.unlink()
    return ran.peak_mb


@pytest.mark.share(3)
@pytest.mark.parametrize("kind", ["external", "inline"])
def test_weights_are_never_held_whole(kind: str, tmp_path: Path):
    """160 MiB of weights take 70 MB more than one of its matrices takes: some pieces, and files mapped around them."""
    few, many = (peak_mb(tmp_path / str(layers), layers, kind) for layers in (1, 10))
    assert many - few < 70


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "limit_mb"), [("external", 500), ("inline", 2300)])
def test_a_gibibyte(kind: str, limit_mb: int, tmp_path: Path):
    assert peak_mb(tmp_path / "large", 64, kind) < limit_mb
