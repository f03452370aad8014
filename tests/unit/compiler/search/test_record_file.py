"""Records count if they are complete and of the same search."""

from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.search.record_file import RecordFile

MADE_OF = {"model": "a.onnx", "target": "default-8c"}
POINT = {"x": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with RecordFile(tmp_path / "search.jsonl", MADE_OF) as record:
        record.append(POINT, {"loss": 0.1})
    return tmp_path / "search.jsonl"


def test_what_was_measured_is_read_again(path: Path):
    with RecordFile(path, MADE_OF) as record:
        assert record.measured == {'{"x":1}': {"loss": 0.1}}


def test_records_of_one_search_are_joined(path: Path):
    path.write_bytes(path.read_bytes() * 2)
    with RecordFile(path, MADE_OF) as record:
        assert record.measured == {'{"x":1}': {"loss": 0.1}}


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_a_line_that_is_cut_off_is_dropped(path: Path, cut: int):
    path.write_bytes(path.read_bytes()[:-cut])
    with RecordFile(path, MADE_OF) as record:
        assert record.measured == {}
        record.append(POINT, {"loss": 0.2})
    with RecordFile(path, MADE_OF) as record:
        assert record.measured == {'{"x":1}': {"loss": 0.2}}


def test_another_search_is_refused_with_the_reason(path: Path):
    with pytest.raises(DiagnosticError) as told:
        RecordFile(path, {**MADE_OF, "target": "edge-1c"})
    assert "target is default-8c, not edge-1c" in str(told.value)


def test_a_search_with_more_options_is_refused(path: Path):
    with pytest.raises(DiagnosticError, match="seed is not given, not 1"):
        RecordFile(path, {**MADE_OF, "seed": 1})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("what", "this is no line of a record"),
        ("[1]", "this is no line of a record"),
        ('{"point": {}}', "a line of a record has a point and what was measured"),
        ('{"point": {"x": 1}, "measured": {"loss": 2}}', "this contradicts line 2"),
        ('{"smalti_search": 2}', "this is no record of a search of version 1"),
    ],
)
def test_wrong_lines_are_told(path: Path, line: str, reason: str):
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DiagnosticError) as told:
        RecordFile(path, MADE_OF)
    assert f"{path}:3: error: {reason}" in str(told.value)


def test_a_file_of_something_else_is_refused(tmp_path: Path):
    (tmp_path / "other").write_text('{"a": 1}\n')
    with pytest.raises(DiagnosticError, match="no record of a search"):
        RecordFile(tmp_path / "other", MADE_OF)


def test_two_searches_do_not_write_one_record(path: Path):
    with RecordFile(path, MADE_OF), pytest.raises(DiagnosticError, match="another search writes"):
        RecordFile(path, MADE_OF)


def test_a_folder_is_no_record(tmp_path: Path):
    with pytest.raises(DiagnosticError, match="cannot write the record"):
        RecordFile(tmp_path, MADE_OF)
