"""The text of schedules: what is written is read back, and mistakes are told with line and column."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError, Place
from smalti.dialects.tile import Schedule
from smalti.passes.tile.network_schedule import Entry, NetworkSchedule, Origin
from smalti.passes.tile.schedule_text import (
    SCHEDULE_LIMIT_BYTES,
    parse_schedule,
    read_schedule,
    schedule_from,
)

from .schedules import schedules

NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
TEXT = """\
// by hand
schedule for network "main" "sha256:5f0c2a91d3b7e846" target "default-8c"

"conv1" <cores = [0, 1], split = [1, 1, 2, 1],  // halves
         tile = [1, 64, 14, 56]>
"f\\C3\\BCr" <output = local> "für*" <tile = [[1, 2], [3, 4]], order = [rows_outer, channels_outer]>
"""


def entry(pattern: str, schedule: Schedule) -> Entry:
    return Entry(pattern, schedule, Place())


@given(st.lists(st.tuples(NAMES, schedules()), max_size=4), st.booleans())
def test_what_is_written_is_read_back(given: list[tuple[str, Schedule]], has_origin: bool):
    origin = Origin("main", "sha256:0", "default-8c") if has_origin else None
    written = NetworkSchedule(tuple(entry(*each) for each in given), origin)
    read = parse_schedule(str(written))
    assert [(each.pattern, each.schedule) for each in read.entries] == given
    assert (read.origin is None) == (origin is None)
    assert str(read) == str(written)


def test_comments_lines_and_names():
    read = parse_schedule(TEXT)
    assert read.origin == Origin(
        "main", "sha256:5f0c2a91d3b7e846", "default-8c", Place("<schedule>", 2, 1)
    )
    assert [each.place.line for each in read.entries] == [4, 6, 6]
    assert list(read) == ["conv1", "für", "für*"]
    assert read["für*"] == Schedule(tile=((1, 2), (3, 4)), order=("rows_outer", "channels_outer"))


def test_fields_know_where_they_were_written():
    """A field keeps its place as long as its value is the one that was written."""
    first, second, *_ = (each.schedule for each in parse_schedule(TEXT).entries)
    lines = {name: (place.line, place.column) for name, place in first.places.items()}
    assert lines == {"cores": (4, 10), "split": (4, 26), "tile": (5, 10)}
    assert first == Schedule((0, 1), (1, 1, 2, 1), tile=((1, 64, 14, 56),))
    assert set(first.over(second).places) == {"cores", "split", "tile", "output"}
    assert set(first.of_part(1).places) >= {"tile"}
    windows = Schedule(windows=((0, 1), (1, 2)), tile=((1, 64, 14, 56),))
    assert set(windows.over(first).places) == {"cores", "tile"}
    assert set(Schedule(tile=((1, 16, 14, 56),)).over(first).places) == {"cores", "split"}


def test_later_fields_of_a_pattern_win():
    read = parse_schedule('"a" <split = [1, 2], block = 16>\n"a" <windows = [[0, 1, 0, 2]]>\n')
    assert dict(read) == {"a": Schedule(windows=((0, 1, 0, 2),), block=16)}


def test_an_empty_text_says_nothing():
    assert dict(parse_schedule("")) == dict(parse_schedule("// nothing\n")) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("conv1 <block = 1>", ["<schedule>:1:1: error: expected the name of a layer"]),
        ('\n"a" block = 1', [":2:5: error: '<' expected", '"NAME" <field = value']),
        ('"a" <block = 1', [":1:14: error: '>' expected", "but the text ends here"]),
        ('"a" <', [":1:5: error:", "but the text ends here"]),
        ('"a', [":1:1: error: End of file reached before closing string literal"]),
        ('"a" <blocks = 1>', [":1:6: error: a schedule has no field 'blocks'", "mean block?"]),
        ('"a" <block = 1, block = 2>', [":1:17: error: 'block' is given twice"]),
        ('"a" <order = rows>', [":1:14: error: the order is channels_outer or rows_outer"]),
        ('"a" <block = 1.5>', [":1:14: error: Expected integer literal"]),
        ('"a" <cores = [0, 1], depth = [1, 2, 3]>', [":1:5: error: 'depth' has 3 values"]),
        (f'"a" <block = {"9" * 5000}>', [":1:14: error: numbers of a schedule have at most 32"]),
        ('"a" <tile = [[[1]]]>', [":1:15: error:"]),
        ('"a" <block = 1> schedule for network "m" target "t"', [":1:17: error: expected the name"]),
        ('schedule for target "t"', [":1:14: error: Expected 'network'", "the first line is: schedule for"]),
        ('schedule for network m target "t"', [":1:22: error:", "for the name of the network"]),
        ("\0", [":1:1: error:"]),
    ],
)  # fmt: skip
def test_mistakes(text: str, told: list[str]):
    with pytest.raises(DiagnosticError) as caught:
        parse_schedule(text)
    for each in told:
        assert each in str(caught.value)


PIECES = [
    '"a"', "<", ">", "[", "]", "=", ",", "tile", "schedule for network", "9", "-", "\\", "\n", "//", "é", "#",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_any_text_is_read_or_refused(text: str):
    try:
        parse_schedule(text)
    except DiagnosticError as error:
        assert str(error).startswith("<schedule>:")


def test_files_that_are_no_schedules(tmp_path: Path):
    path = tmp_path / "m.schedule"
    with pytest.raises(DiagnosticError, match="No such file"):
        read_schedule(path)
    path.write_bytes(b"\x89SMALTI\n")
    with pytest.raises(DiagnosticError, match=r"byte 0 is not UTF-8\n.*smalti info PROGRAM"):
        read_schedule(path)
    with path.open("wb") as file:
        file.truncate(SCHEDULE_LIMIT_BYTES + 1)
    with pytest.raises(DiagnosticError, match="the limit is"):
        read_schedule(path)
    with pytest.raises(DiagnosticError, match="Is a directory"):
        read_schedule(tmp_path)


def test_what_a_schedule_may_be_given_as(tmp_path: Path):
    text = '"conv*" <cores = [0, 1], output = local>\n'
    path = tmp_path / "m.schedule"
    path.write_text(text)
    expected = {"conv*": Schedule(cores=(0, 1), output="local")}
    whole = parse_schedule(text)
    for source in (
        text,
        text.strip(),
        path,
        str(path),
        whole,
        expected,
        {"conv*": {"cores": [0, 1], "output": "local"}},
        {"conv*": "cores = [0, 1], output = local"},
        {"conv*": "<cores = [0, 1], output = local>"},
    ):
        assert schedule_from(source) == expected
    assert schedule_from(path).file == str(path) and schedule_from(text).file is None
    assert schedule_from({"a": {"tile": ((1, 2), (3, 4))}})["a"].tile == ((1, 2), (3, 4))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"conv1": 3}, "the schedule of 'conv1' is 3"),
        ({"conv1": {"core": [1]}}, "no field 'core'"),
        ({"conv1": {"cores": "many"}}, "'[' expected"),
        ({"conv1": "cores"}, "Expected '='"),
    ],
)
def test_wrong_mappings(given, told: str):
    with pytest.raises(DiagnosticError) as caught:
        schedule_from(given)
    assert told in str(caught.value)
