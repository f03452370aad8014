"""What is wrong with an ONNX model: damage, external data, unknown ops, hostile sizes, odd names."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import TensorProto

from ..conftest import small_model
from .diagnostics import Smalti, assert_diagnostic


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage that is no protobuf \xff\xff\xff\xff" * 20, None],
    ids=["empty", "garbage", "truncated"],
)
def test_damaged_onnx(smalti: Smalti, tmp_path: Path, out: Path, content: bytes | None):
    data = small_model().SerializeToString()
    path = tmp_path / "bad.onnx"
    path.write_bytes(data[: len(data) // 2] if content is None else content)
    ran = smalti("compile", path, "--calibration", "random:0", "-o", out / "m.smalti")
    assert_diagnostic(ran, "bad.onnx", folder=out)


def test_no_such_model(smalti: Smalti, tmp_path: Path, out: Path):
    ran = smalti("import", tmp_path / "absent.onnx", "-o", out / "m.top.mlir")
    assert_diagnostic(ran, "absent.onnx", folder=out)


@pytest.mark.parametrize("location", ["absent.bin", "../outside.bin", "/etc/hostname"])
def test_external_data(smalti: Smalti, tmp_path: Path, out: Path, location: str):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.bin").write_bytes(bytes(8 * 3 * 3 * 3 * 4))
    model = small_model()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    ran = smalti("import", folder / "m.onnx", "-o", out / "m.top.mlir")
    assert_diagnostic(ran, Path(location).name, folder=out)


def test_unknown_ops_are_all_named(smalti: Smalti, tmp_path: Path, out: Path):
    value = oh.make_tensor_value_info
    graph = oh.make_graph(
        [
            oh.make_node("NonZero", ["x"], ["a"], name="where_are_they"),
            oh.make_node("Unique", ["x"], ["b"], name="volume"),
        ],
        "unknown",
        [value("x", TensorProto.FLOAT, [4, 4])],
        [value("a", TensorProto.INT64, None), value("b", TensorProto.FLOAT, None)],
    )
    path = tmp_path / "unknown.onnx"
    onnx.save(oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8), path)
    ran = smalti("import", path, "-o", out / "m.top.mlir")
    assert_diagnostic(ran, "NonZero", "where_are_they", "Unique", "volume", "17", folder=out)


@pytest.mark.parametrize(
    ("shape", "words"),
    [("nope=1,3,12,12", ["nope", "x"]), ("x=1,3,12", ["x"]), ("x=1,4,12,12", [])],
    ids=["unknown name", "wrong rank", "wrong channels"],
)
def test_wrong_input_shape(
    smalti: Smalti, small_onnx: Path, out: Path, shape: str, words: list[str]
):
    ran = smalti("import", small_onnx, "--input-shape", shape, "-o", out / "m.top.mlir")
    assert_diagnostic(ran, *words, folder=out)


def test_malformed_sizes_are_usage(smalti: Smalti, small_onnx: Path, out: Path):
    for text in ("x:1", "x=1,-1"):
        assert smalti("import", small_onnx, "--input-shape", text, "-o", out / "m").code == 2
    for text in ("N", "N=", "=1", "N=-1", "N=x"):
        assert smalti("import", small_onnx, "--define-symbol", text, "-o", out / "m").code == 2


def test_unknown_symbol(smalti: Smalti, small_onnx: Path, out: Path):
    ran = smalti("import", small_onnx, "--define-symbol", "N=1", "-o", out / "m.top.mlir")
    assert_diagnostic(ran, "N", "none", folder=out)


MODEL_EDITS: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "cycle": (lambda m: m.graph.node[0].input.__setitem__(0, "a"), "first"),
    "undefined": (lambda m: m.graph.node[1].input.__setitem__(0, "zzz"), "zzz"),
    "no opset": (lambda m: m.ClearField("opset_import"), "opset"),
    "future opset": (lambda m: setattr(m.opset_import[0], "version", 999), "999"),
    "two opsets": (
        lambda m: m.opset_import.add(domain="ai.onnx", version=11),
        "two versions of the operator set ai.onnx: 17 and 11",
    ),
    "part of a weight": (
        lambda m: setattr(m.graph.initializer[0].segment, "begin", 3),
        "a part of a tensor only",
    ),
    "claimed size": (lambda m: m.graph.initializer[0].dims.__setitem__(0, 2**31), "w1"),
    "negative size": (lambda m: m.graph.initializer[0].dims.__setitem__(0, -1), "w1"),
    "huge input": (
        lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[2], "dim_value", 2**30),
        "first",
    ),
    "unknown input": (
        lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[2], "dim_param", "H"),
        "--input-shape",
    ),
    "input type": (lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 8), "STRING"),
    "huge pads": (
        lambda m: m.graph.node[0].attribute[0].ints.__setitem__(slice(None), [2**40] * 4),
        "too big",
    ),
}


@pytest.mark.parametrize("case", MODEL_EDITS)
def test_hostile_models(smalti: Smalti, tmp_path: Path, out: Path, case: str):
    edit, word = MODEL_EDITS[case]
    model = small_model()
    edit(model)
    (tmp_path / "hostile.onnx").write_bytes(model.SerializeToString())
    ran = smalti(
        "compile", tmp_path / "hostile.onnx", "--calibration", "random:0", "-o", out / "m.smalti"
    )
    assert_diagnostic(ran, "hostile.onnx", word, folder=out)


def test_flipped_bytes_in_a_model(smalti: Smalti, tmp_path: Path, out: Path):
    data, rng = small_model().SerializeToString(), np.random.default_rng(2)
    path = tmp_path / "flipped.onnx"
    for index in range(40):
        damaged = bytearray(data)
        region = (0, 400) if index % 2 else (len(data) - 500, len(data))
        damaged[rng.integers(*region)] = rng.integers(256)
        path.write_bytes(damaged)
        ran = smalti("import", path, "-o", out / "m.top.mlir")
        if ran.code:
            assert_diagnostic(ran)


ODD_NAMES = [
    'a "b"',
    "back\\slash",
    "two\nlines",
    "größe→日本",
    "%x }{",
    "n" * 3000,
    "../../etc",
    "\x07",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_odd_names_go_all_the_way(
    smalti: Smalti, tmp_path: Path, out: Path, small_data: Path, name: str
):
    """Names of nodes, of inner tensors and of the output may hold anything."""
    model = small_model()
    for node in model.graph.node:
        node.name = f"{name}{node.name}"
        for names in (node.input, node.output):
            names[:] = [name + each if each in ("r1", "y") else each for each in names]
    model.graph.output[0].name = f"{name}y"
    model.graph.name = name
    onnx.save(model, tmp_path / "odd.onnx")
    words = ("--calibration", small_data, "--emit", "top,tpu,tile,isa,program")
    assert smalti("compile", tmp_path / "odd.onnx", *words, "-o", out / "m.smalti").code == 0
    results = []
    for file in ("m.smalti", "m.isa.mlir", "m.tile.mlir", "m.tpu.mlir"):
        ran = smalti("run", out / file, "--inputs", small_data, "--outputs", tmp_path / "o.npz")
        assert ran.code == 0, ran.err
        results.append(ran.out)
    assert len(set(results)) == 1


def test_an_empty_output_is_told_as_empty(smalti: Smalti, tmp_path: Path):
    graph = oh.make_graph(
        [oh.make_node("Slice", ["x", "s", "e"], ["y"])],
        "g",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [oh.make_tensor_value_info("y", TensorProto.FLOAT, [0])],
        [oh.make_tensor(name, TensorProto.INT64, [1], [2]) for name in "se"],
    )
    model = oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "empty.onnx")
    np.savez(tmp_path / "in.npz", x=np.zeros(4, np.float32))
    assert smalti("import", tmp_path / "empty.onnx", "-o", tmp_path / "m.top.mlir").code == 0
    ran = smalti("run", tmp_path / "m.top.mlir", "--inputs", tmp_path / "in.npz")
    assert ran.code == 0 and "empty" in ran.out, ran.err
