"""The picture of the architecture shows every layer, and arrows downwards only."""

from pathlib import Path
from xml.etree import ElementTree

from smalti.tools.reference.architecture import LAYERS, direct, folders, layer_imports, layer_of
from smalti.tools.reference.architecture_picture import architecture_picture


def test_imports_are_read_from_the_source(tmp_path: Path):
    for folder, text in {"tools": "from ..passes.tile import cut", "passes/tile": ""}.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text('"""A folder."""\n')
        (tmp_path / folder / "cut.py").write_text(text)
    found = folders(tmp_path)
    assert [(each.path, each.summary) for each in found] == [
        ("tools", "A folder."),
        ("passes/tile", "A folder."),
    ]
    assert found[0].imports == ("passes/tile",)
    assert layer_imports(found)["tools"] == {"passes"}


def test_imports_that_follow_from_others_are_left_out():
    edges = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}
    assert direct(edges) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_the_innermost_layer_counts():
    assert layer_of("passes/tiling") == "passes/tiling"
    assert layer_of("passes/tile/tilers") == "passes"
    assert layer_of("tests") is None


def test_the_picture_shows_every_folder_and_no_import_upwards():
    picture = architecture_picture()
    root = ElementTree.fromstring(picture)
    shown = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    for folder in folders():
        names = {folder.path.removeprefix(f"{layer}/") for layer in LAYERS}
        assert shown & (names | {folder.path.rpartition("/")[2]}), folder.path
    strokes = {path.get("stroke") for path in root.iter("{http://www.w3.org/2000/svg}path")}
    assert "#d1242f" not in strokes, "an arrow runs upwards"
