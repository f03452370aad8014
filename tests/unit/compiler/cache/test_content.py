"""What a program depends on changes its key, and nothing else does."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.external_data_helper import set_external_data
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.cache import program_key as keys
from smalti.compiler.cache.content import (
    UnknownContentError,
    described,
    hash_of_array,
    hash_of_package,
    smalti_itself,
)
from smalti.compiler.cache.program_key import program_key
from smalti.compiler.compilation.accuracy import Accuracy
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.optimization import Optimization
from smalti.compiler.compilation.pass_change import PassChange
from smalti.compiler.compilation.pipelines import Insertion
from smalti.compiler.onnx_import.model.external_data import external_data_files

OPTIONS = CompileOptions(quantize="f16")


def model(weight: float = 1.0) -> onnx.ModelProto:
    """A product of a row of two with a matrix, whose first element is `weight`."""
    matrix = np.eye(2, dtype=np.float32) * weight
    row = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 2])
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph(
        [node], "product", [row], [result], [numpy_helper.from_array(matrix, "w")]
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])


def key(options: CompileOptions = OPTIONS, weight: float = 1.0, **sizes: object) -> str:
    return program_key(model(weight), options, sizes)


@pytest.mark.parametrize(
    "options",
    [
        CompileOptions(quantize="f32"),
        CompileOptions(scheme="bf16"),
        CompileOptions("edge-1c", quantize="f16"),
        CompileOptions(quantize="f16", cores=2),
        CompileOptions(quantize="f16", optimization=Optimization(0)),
        CompileOptions(quantize="f16", io_layout="nhwc"),
        CompileOptions(quantize="f16", accuracy=Accuracy(equalize=True)),
        CompileOptions(quantize="f16", changes=(PassChange.parse("tile-plan{parts=2}"),)),
        CompileOptions(quantize="f16", calibration={"x": np.ones((1, 2), np.float32)}),
        CompileOptions(quantize="f16", calibration="random:1"),
    ],
    ids=repr,
)
def test_options_count(options: CompileOptions):
    assert key(options) == key(options) != key()


def test_sizes_and_weights_count():
    assert len({key(), key(weight=2.0), key(batch=1), key(batch=2), key(symbols={"n": 1})}) == 5


def test_files_count_by_their_contents(tmp_path: Path):
    paths = [tmp_path / name for name in ("a.qtable", "b.qtable", "c.qtable")]
    for path, text in zip(paths, ("y f32\n", "y f32\n", "y bf16\n"), strict=True):
        path.write_text(text)
    same, also, other = (key(replace(OPTIONS, qtable=path)) for path in paths)
    assert same == also != other
    assert key(replace(OPTIONS, qtable=str(paths[0]))) == same


def test_files_that_passes_read_count(tmp_path: Path):
    schedule = tmp_path / "mine.schedule"
    insertions = (Insertion.parse(f"before=tile-plan:tile-set-schedules{{file={schedule}}}"),)
    found = set()
    for text in ('"y" <cores = [0]>', '"y" <cores = [1]>'):
        schedule.write_text(text)
        found.add(key(replace(OPTIONS, insertions=insertions)))
    assert len(found) == 2


def test_external_data_count_and_where_they_lie_does_not(tmp_path: Path):
    found = []
    for folder, weight in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "model.onnx"
        onnx.save(
            model(weight), path, save_as_external_data=True, location="w.bin", size_threshold=0
        )
        found.append(program_key(path, OPTIONS, {}))
    assert found[0] == found[1] != found[2]
    (tmp_path / "a" / "w.bin").unlink()
    with pytest.raises(DiagnosticError, match=r"data file 'w\.bin'"):
        program_key(tmp_path / "a" / "model.onnx", OPTIONS, {})


def test_external_data_of_inner_graphs_and_attributes_are_found(tmp_path: Path):
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "t")
    for name in ("attribute", "inner"):
        (tmp_path / name).write_bytes(bytes(16))

    def outside(location: str) -> onnx.TensorProto:
        found = onnx.TensorProto()
        found.CopyFrom(tensor)
        set_external_data(found, location)
        found.ClearField("raw_data")
        return found

    constant = onnx.helper.make_node("Constant", [], ["t"], value=outside("attribute"))
    inner = onnx.helper.make_graph([], "inner", [], [], [outside("inner")])
    branch = onnx.helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    graph = onnx.helper.make_graph([constant, branch], "g", [], [])
    found = external_data_files(onnx.helper.make_model(graph), tmp_path)
    assert [path.name for path in found] == ["attribute", "inner"]


def test_plugins_count_and_those_without_files_are_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "plugin.py"
    file.write_text("PLUGIN = 1\n")
    before = key()
    monkeypatch.setattr(keys, "plugin_files", lambda: {"mine": [str(file)]})
    first = key()
    file.write_text("PLUGIN = 12\n")
    assert len({before, first, key()}) == 3
    monkeypatch.setattr(keys, "plugin_files", lambda: {"mine": []})
    with pytest.raises(UnknownContentError, match="the plugin mine"):
        key()


def test_a_package_that_is_edited_is_another(tmp_path: Path):
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "inner" / "a.py").write_text("x = 1\n")
    first = hash_of_package(package)
    shutil.copytree(package, tmp_path / "copy")
    assert hash_of_package(tmp_path / "copy") == first
    (package / "inner" / "a.py").write_text("x = 12\n")
    assert hash_of_package(package) != first
    assert set(smalti_itself()) >= {"smalti", "passes", "compiler", "xdsl"}


def test_arrays_count_with_dtype_and_shape():
    zeros = np.zeros(4, np.float32)
    hashes = [
        hash_of_array(each) for each in (zeros, zeros.reshape(2, 2), zeros.view(np.int32), -zeros)
    ]
    assert len({*hashes}) == 4
    assert hash_of_array(np.arange(6).reshape(2, 3).T) == hash_of_array(
        np.ascontiguousarray(np.arange(6).reshape(2, 3).T)
    )
    assert described({"a": [np.float32(1), (2, None)]}) == described(
        {"a": (np.float32(1), [2, None])}
    )
    with pytest.raises(UnknownContentError, match="a object"):
        described(object())
