"""`smalti export`: what it writes, by the command and in Python, and what it refuses."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import ImportedModel, Plugin, export_model, import_model
from smalti.compiler.demo.digits import MODEL, load_images
from smalti.compiler.onnx_export.exporter import export_onnx
from smalti.compiler.onnx_export.function_table import FUNCTION_EXPORTERS
from smalti.dialects import top
from smalti.dialects.context import make_context
from smalti.dialects.ir.location import names_of
from smalti.dialects.ir.text.module_text import parse_module
from smalti.tools.main import main as smalti

from tests.exported_model import run_exported

Images = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def digits() -> ImportedModel:
    return import_model(MODEL)


@pytest.fixture(scope="module")
def images() -> Images:
    return {"image": load_images()[1][:4]}


def exported(text: str, **values: np.ndarray) -> onnx.ModelProto:
    """The model of a network given as text."""
    ctx = make_context()
    module = parse_module(text, ctx, "network.top.mlir")
    for key, value in values.items():
        ctx.weights.add(key, value)
    return export_onnx(module, ctx.weights).proto()


def test_command(tmp_path: Path, images: Images, capsys: pytest.CaptureFixture[str]):
    ir, model = str(tmp_path / "d.top.mlir"), str(tmp_path / "d.onnx")
    assert smalti(["import", str(MODEL), "-o", ir]) == 0
    assert smalti(["export", ir, "-o", model]) == 0
    assert f"{model}: 76 nodes of opset 18, " in capsys.readouterr().out
    onnx.checker.check_model(model, full_check=True)
    expected = run_onnx(MODEL, images)["logits"]
    np.testing.assert_allclose(run_onnx(model, images)["logits"], expected, rtol=1e-4, atol=1e-4)
    again = import_model(model)
    np.testing.assert_allclose(again.run(images)["logits"], expected, rtol=1e-4, atol=1e-4)


def test_names_are_those_of_the_ir(digits: ImportedModel):
    model = digits.to_onnx()
    ops = [op for op in digits.module.walk() if isinstance(op, top.TopOp)]
    weights = {op.result_name.data for op in ops if isinstance(op, top.WeightOp)}
    results = [op for op in ops if not isinstance(op, top.WeightOp)]
    assert weights <= {tensor.name for tensor in model.graph.initializer}
    assert [value.name for value in model.graph.input] == ["image"]
    assert [value.name for value in model.graph.output] == ["logits"]
    made = {name: node for node in model.graph.node for name in node.output}
    assert {op.result_name.data for op in results} <= made.keys()
    for op in results:
        assert made[op.result_name.data].name.startswith(names_of(op.location)[0])
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    declared = {value.name for value in model.graph.value_info}
    assert declared >= {op.result_name.data for op in results} - {"logits"}


def test_external_data(
    tmp_path: Path, digits: ImportedModel, images: Images, capsys: pytest.CaptureFixture[str]
):
    digits.save(tmp_path / "d.top.mlir")
    words = ["export", str(tmp_path / "d.top.mlir"), "-o", str(tmp_path / "d.onnx")]
    assert smalti([*words, "--external-data"]) == 0
    assert (tmp_path / "d.onnx.data").stat().st_size > (tmp_path / "d.onnx").stat().st_size
    onnx.checker.check_model(str(tmp_path / "d.onnx"), full_check=True)
    expected = run_onnx(digits.to_onnx(), images)["logits"]
    np.testing.assert_array_equal(run_onnx(tmp_path / "d.onnx", images)["logits"], expected)
    found = import_model(tmp_path / "d.onnx").run(images)["logits"]
    np.testing.assert_array_equal(found, digits.run(images)["logits"])


def test_more_than_one_file_holds_is_external(
    tmp_path: Path, digits: ImportedModel, images: Images, monkeypatch: pytest.MonkeyPatch
):
    from smalti.compiler.onnx_export import model_file

    monkeypatch.setattr(model_file, "PROTOBUF_LIMIT_BYTES", 100_000)
    export_model(digits, tmp_path / "d.onnx")
    assert (tmp_path / "d.onnx.data").is_file() and (tmp_path / "d.onnx").stat().st_size < 100_000
    expected = run_onnx(digits.to_onnx(), images)["logits"]
    np.testing.assert_array_equal(run_onnx(tmp_path / "d.onnx", images)["logits"], expected)


PORTS = """
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<2xf32>, tensor<4xf32>, tensor<2xf32>)
    attributes {smalti.inputs = ["x"], smalti.outputs = ["x", "y", "c", "z", "d"]} {
  %y = top.relu "y" %x : (tensor<4xf32>) -> tensor<4xf32>
  %c = top.weight "c" value = dense<[1.0, 2.0]> : tensor<2xf32>
  func.return %x, %y, %c, %y, %c : tensor<4xf32>, tensor<4xf32>, tensor<2xf32>, tensor<4xf32>, tensor<2xf32>
}
"""


ROW, MATRIX = "tensor<1x1024xf32>", "tensor<1024x1024xf32>"
LARGE = """
import resource, sys
from smalti.compiler import export_model
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
export_model("small.top.mlir", "small.onnx")
before = peak()
export_model("large.top.mlir", "large.onnx", external_data=sys.argv[1] == "beside")
print(peak() - before)
"""


@pytest.mark.parametrize("where", ["inside", "beside"])
def test_weights_stay_in_their_file(tmp_path: Path, where: str):
    """The memory does not grow by weights of 64 MB: those of a mapped file are written piece by piece."""
    ctx = make_context()
    text = f"func.func @main(%x: {ROW}) -> {ROW} {{\n"
    text += f'  %y0 = top.relu "y0" %x : ({ROW}) -> {ROW}\n'
    for i in range(16):
        ctx.weights.add(f"w{i}", np.full((1024, 1024), i, np.float32))
        text += f'  %w{i} = top.weight "w{i}" key = "w{i}" : {MATRIX}\n'
        text += f'  %y{i + 1} = top.matmul "y{i + 1}" %y{i}, %w{i} : ({ROW}, {MATRIX}) -> {ROW}\n'
    module = parse_module(f"{text}  func.return %y16 : {ROW}\n}}\n", ctx, "large")
    ImportedModel(module, ctx).save(tmp_path / "large.top.mlir")
    (tmp_path / "small.top.mlir").write_text(PORTS)
    words = [sys.executable, "-c", LARGE, where]
    done = subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert (tmp_path / "large.onnx").is_file()
    # Pages of the mapped file count, once each; copies of them would come on top.
    assert int(done.stdout) < 1.4 * 16 * 4 * 2**10


def test_outputs_that_are_inputs_constants_or_twice_there():
    model = exported(PORTS)
    x = np.array([-1, 0, 1, 2], np.float32)
    found = run_exported(model, {"x": x})
    assert [*found] == ["x", "y", "c", "z", "d"]
    wanted = {"x": x, "y": np.maximum(x, 0), "z": np.maximum(x, 0)}
    wanted |= dict.fromkeys("cd", np.array([1, 2], np.float32))
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)
    assert {node.op_type for node in model.graph.node} == {"Relu", "Identity"}
    assert import_model(model).run({"x": x}).keys() == wanted.keys()


def test_tensors_give_way_to_inputs_and_results():
    """A result called as the input is renamed, and so is a tensor inside an op, but no result of another op."""
    model = exported(
        """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["a"], smalti.outputs = ["z"]} {
  %a = top.unary "a" %x kind = "swish" alpha = 1.0 : (tensor<4xf32>) -> tensor<4xf32>
  %b = top.relu "a_Sigmoid" %a : (tensor<4xf32>) -> tensor<4xf32>
  func.return %b : tensor<4xf32>
}
"""
    )
    names = [name for node in model.graph.node for name in node.output]
    assert names == ["a_Sigmoid_1", "a_1", "a_Sigmoid", "z"]
    x = np.array([-1, 0, 1, 2], np.float32)
    wanted = np.maximum(x / (1 + np.exp(-x)), 0)
    np.testing.assert_allclose(run_exported(model, {"a": x})["z"], wanted, rtol=1e-6)


ONE = "func.func @main(%x: {type}) -> {result} {{\n  {op}\n  func.return %y : {result}\n}}\n"


def one(op: str, type: str, result: str) -> str:
    """A network of one op."""
    return ONE.format(op=f"{op} : ({type}) -> {result}", type=type, result=result)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        (
            one('%y = top.call "y" %x function = "cumsum" attributes = {axis = 0}', "tensor<4xi8>", "tensor<4xi8>"),
            "top.call 'y' cannot be exported: ONNX's CumSum takes no INT8, INT64",
            "network.top.mlir:2:",
        ),
        (
            one('%y = top.resize "y" %x mode = "linear" scales = [1.5, 3.0]', "tensor<4x4xf32>", "tensor<5x9xf32>"),
            "top.resize 'y' cannot be exported: ONNX's Resize does not give [5, 9]",
            "network.top.mlir:2:",
        ),
        (
            'func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["a"], '
            'smalti.outputs = ["a"]} {\n  %y = top.relu "y" %x : (tensor<4xf32>) -> tensor<4xf32>\n'
            "  func.return %y : tensor<4xf32>\n}\n",
            "output 'a' cannot be exported: an input has its name",
            "network.top.mlir:1:",
        ),
    ],
    ids=["types", "sizes", "names"],
)  # fmt: skip
def test_what_cannot_be_exported(text: str, message: str, place: str):
    with pytest.raises(DiagnosticError) as caught:
        exported(text)
    assert message in caught.value.message
    assert str(caught.value.place).startswith(place)
    assert caught.value.hint


def test_a_function_that_onnx_lacks(monkeypatch: pytest.MonkeyPatch):
    text = one('%y = top.call "y" %x function = "trilu"', "tensor<4x4xf32>", "tensor<4x4xf32>")
    monkeypatch.delitem(FUNCTION_EXPORTERS, "trilu")
    with pytest.raises(DiagnosticError, match="ONNX has no op for the function 'trilu'") as caught:
        exported(text)
    assert str(caught.value.place).startswith("network.top.mlir:2:")
    assert (
        caught.value.hint is not None and 'Plugin(exporters={"trilu": export})' in caught.value.hint
    )
    plugin = Plugin(
        exporters={"trilu": lambda op, graph: graph.node("Tri", *op.inputs, domain="me")}
    )
    plugin.register()
    node = exported(text).graph.node[0]
    assert (node.op_type, node.domain) == ("Tri", "me")


@pytest.mark.parametrize(
    "words",
    [
        lambda folder: [str(folder / "absent.top.mlir"), "-o", str(folder / "m.onnx")],
        lambda folder: [str(folder / "isa.mlir"), "-o", str(folder / "m.onnx")],
        lambda folder: [str(folder / "d.top.mlir"), "-o", str(folder / "no" / "m.onnx")],
        lambda folder: [str(folder / "d.top.mlir"), "-o", str(folder / "d.top.mlir")],
    ],
    ids=["absent", "other-level", "no-folder", "onto-itself"],
)
def test_mistakes_of_the_command_line(
    tmp_path: Path, words: Callable[[Path], list[str]], capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "d.top.mlir").write_text(PORTS)
    (tmp_path / "isa.mlir").write_text(
        "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
        '  %y = tpu.cast "y" %x : (tensor<4xf32>) -> tensor<4xf16>\n'
        '  %z = tpu.cast "z" %y : (tensor<4xf16>) -> tensor<4xf32>\n'
        "  func.return %z : tensor<4xf32>\n}\n"
    )
    assert smalti(["export", *words(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "error: " in error and "Traceback" not in error
    assert not (tmp_path / "m.onnx").exists()
