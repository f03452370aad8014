"""Tables as text and as files."""

import csv
import json
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.tools.console.tables import format_table, node_label, write_table
from smalti.tools.console.timing_report import short_bytes


def test_node_labels():
    assert node_label([]) == "(no node)"
    assert node_label(["Conv_1"]) == "Conv_1"
    assert node_label(["Conv_1", "BatchNormalization_2", "Relu_3"]) == "Conv_1 + 2"
    label = node_label(["/features/features.3/conv/conv.2/Conv", "/features/Add"], 20)
    assert label == "….3/conv.2/Conv + 1" or len(label) == 20
    assert label.startswith("…") and label.endswith("conv.2/Conv + 1")


def test_tables_fit_a_hundred_columns():
    nodes = tuple(f"/model/layers.{i}/a/very/long/path/of/a/module/Conv" for i in range(3))
    titles = ["node", "op", "cycles", "stalled on"]
    rows: list[list[str | tuple[str, ...]]] = [
        [nodes, "o" * 60, "1,234", "dma_in 123,456, latency 5"],
        [("short",), "p", "1", ""],
    ]
    lines = format_table(titles, rows, left=2)
    assert max(len(line) for line in lines) == 100
    assert len(lines) == 3 and "Conv + 2" in lines[1]
    column = lines[0].index("cycles") + len("cycles")
    assert lines[1][column - 5 : column] == "1,234"
    narrow = format_table(titles, rows[1:], left=2)
    assert narrow == ["node   op  cycles  stalled on", "short  p        1"]


def test_files(tmp_path: Path):
    content = {"total": 3, "rows": [{"nodes": ["a", "b,c"], "busy_cycles": 1.5, "use": None}]}
    write_table(tmp_path / "t.json", content)
    assert json.loads((tmp_path / "t.json").read_text()) == content
    write_table(tmp_path / "t.csv", content)
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"nodes": "a + b,c", "busy_cycles": "1.5", "use": ""}]
    with pytest.raises(DiagnosticError, match=r"\.xlsx"):
        write_table(tmp_path / "t.xlsx", content)


@pytest.mark.parametrize(
    "size, text",
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_949, "99.9 kB"), (99_951, "100 kB"),
        (999_949, "1000 kB"), (999_950, "1.0 MB"), (1_234_567_890, "1.2 GB"),
    ],
)  # fmt: skip
def test_short_bytes(size: int, text: str):
    assert short_bytes(size) == text
    assert len(short_bytes(size)) <= 7
