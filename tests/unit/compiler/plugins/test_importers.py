"""Importers of plugins: an ONNX op of one's own domain becomes top ops."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model, import_model
from smalti.compiler.onnx_import.operator_table import OPERATORS, register_importers
from smalti.compiler.plugins import plugin as plugin_module
from smalti.dialects.context import DIALECTS
from smalti.tools import main

from tests.unit.compiler.plugins import swish_plugin

FLOAT = onnx.TensorProto.FLOAT
SHAPE = [1, 4, 8, 8]
MINE = "com.me.MySwish"


def model(**changes: object) -> onnx.ModelProto:
    """relu, then com.me.MySwish with beta = 1.5."""
    nodes = [
        oh.make_node("Relu", ["x"], ["a"], "relu"),
        oh.make_node("MySwish", ["a"], ["y"], "sw", domain="com.me", beta=1.5),
    ]
    ports = [oh.make_tensor_value_info(name, FLOAT, SHAPE) for name in "xy"]
    graph = oh.make_graph(nodes, "mine", ports[:1], ports[1:])
    sets = [oh.make_opsetid("", 17), oh.make_opsetid("com.me", 3)]
    return oh.make_model(graph, opset_imports=sets, ir_version=8, **changes)


@pytest.fixture
def plugin() -> Iterator[None]:
    """The plugin of swish_plugin.py, while a test runs."""
    swish_plugin.PLUGIN.register()
    yield
    del DIALECTS["me"], OPERATORS[MINE]


def test_without_a_plugin_it_says_what_to_write():
    with pytest.raises(DiagnosticError) as caught:
        import_model(model())
    assert "com.me.MySwish (opset 3), 'sw'" in str(caught.value)
    assert 'in a plugin: Plugin(importers={"com.me.MySwish": ...})' in str(caught.value)


def test_op_is_imported_and_runs(plugin: None, tmp_path: Path):
    imported = import_model(model())
    assert '%y = me.swish "y" %a beta = 1.5' in imported.ir() and 'loc("sw")' in imported.ir()
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    a = np.maximum(x, 0)
    y = imported.run({"x": x})["y"]
    np.testing.assert_allclose(y, a / (1 + np.exp(-1.5 * a)), rtol=1e-5)
    assert imported.counts()[0] == 2
    assert 'me.swish "y"' in compile_model_level_top(tmp_path)


def compile_model_level_top(folder: Path) -> str:
    """The top IR that `smalti compile` writes for the model."""
    onnx.save(model(), folder / "mine.onnx")
    words = [str(folder / "mine.onnx"), "--emit=top", "-o", str(folder / "mine.smalti")]
    assert main.main(["compile", *words]) == 0
    return (folder / "mine.top.mlir").read_text()


def test_command_line_names_the_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plugin_module, "_LOADED", {})
    onnx.save(model(), tmp_path / "custom.onnx")
    words = [str(tmp_path / "custom.onnx"), "--load-plugin", swish_plugin.__file__]
    try:
        assert main.main(["import", *words, "-o", str(tmp_path / "custom.top.mlir")]) == 0
    finally:
        del DIALECTS["me"], OPERATORS[MINE]
    assert 'me.swish "y"' in (tmp_path / "custom.top.mlir").read_text()


def test_list_of_ops_has_it(plugin: None, capsys: pytest.CaptureFixture[str]):
    assert main.main(["ops"]) == 0
    line = next(each for each in capsys.readouterr().out.splitlines() if each.startswith(MINE))
    assert line.split() == [MINE, "plugin"]


def test_local_function_of_that_name_is_not_inlined(plugin: None):
    """The model says itself how to compute its op; the plugin knows better."""
    body = [oh.make_node("Relu", ["a"], ["y"], "inner")]
    sets = [oh.make_opsetid("", 17)]
    function = oh.make_function("com.me", "MySwish", ["a"], ["y"], body, sets)
    given = model(functions=[function])
    assert "me.swish" in import_model(given).ir()
    assert len(given.functions) == 1


def test_version_of_the_own_operator_set(plugin: None, monkeypatch: pytest.MonkeyPatch):
    seen = []

    def look(node, builder):
        seen.append(node.opset)
        return swish_plugin.import_swish(node, builder)

    monkeypatch.setitem(OPERATORS, MINE, type(OPERATORS[MINE])(look, "plugin"))
    import_model(model())
    assert seen == [3]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "its importer returns a NoneType, not the values"),
        ([1], "its importer returns a list, not the values"),
        ([], "its importer returns 0 values, the model uses 1 outputs"),
    ],
)
def test_importer_that_returns_something_else(
    returned: object, message: str, plugin: None, monkeypatch: pytest.MonkeyPatch
):
    lower = type(OPERATORS[MINE])(lambda node, builder: returned, "plugin")  # pyright: ignore
    monkeypatch.setitem(OPERATORS, MINE, lower)
    with pytest.raises(DiagnosticError, match=message) as caught:
        import_model(model())
    assert "node 'sw' (MySwish)" in str(caught.value)


def test_importer_of_an_op_that_is_imported_already():
    with pytest.raises(DiagnosticError, match="the ONNX op Relu is imported already"):
        register_importers({"Relu": swish_plugin.import_swish})


def test_op_without_a_conversion_says_so(plugin: None):
    with pytest.raises(DiagnosticError) as caught:
        compile_model(model(), quantize="f32")
    text = str(caught.value)
    assert "sw: error: me.swish has no conversion in convert-top-to-tpu" in text
    assert "Plugin(conversions={SwishOp: convert})" in text
