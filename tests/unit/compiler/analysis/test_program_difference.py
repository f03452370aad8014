"""Differences of two small programs, made by hand."""

import json

import pytest
from smalti.backends.program.program import DebugEntry
from smalti.compiler.analysis.program_difference import NodeFigures, compare_programs
from smalti.tools.commands.diff import format_difference

from tests.unit.backends.simulator.stream_builder import Builder
from tests.unit.backends.simulator.test_profile import CONVERT, LOAD, PRODUCT, chain


def test_the_same_program():
    difference = compare_programs(chain().program(), chain().program())
    assert [row.nodes for row in difference.nodes] == [("Conv_1",), ("Relu_2",)]
    assert not any(row.changed for row in difference.nodes)
    assert difference.nodes[0].before == NodeFigures(2, 6400, 0, LOAD + PRODUCT)
    assert difference.total.after == NodeFigures(4, 6400, 6400, 2 * LOAD + PRODUCT + CONVERT)
    assert "0 nodes changed, 2 did not" in format_difference(difference)


def longer() -> Builder:
    """The chain with a second store in Relu_2, and a node more."""
    build = chain()
    build.store(0, 640, node="Relu_2")
    build.load(0, 1280, wait_dma_out=2, node="Pool_3")
    return build


def test_what_changed():
    difference = compare_programs(chain().program(), longer().program(), ("a.smalti", "b.smalti"))
    rows = {row.nodes: row for row in difference.nodes}
    assert not rows["Conv_1",].changed
    relu = rows["Relu_2",]
    assert relu.before is not None and relu.after is not None
    # The second store is issued and has its latency while the first moves: ten cycles of data more.
    assert relu.after == NodeFigures(3, 0, 6400 + 640, relu.before.cycles + 10)
    assert relu.cycles == 10
    pool = rows["Pool_3",]
    assert pool.before is None
    assert pool.after == NodeFigures(1, 1280, 0, 16 + 200 + 20)
    assert [row.nodes[0] for row in difference.nodes] == ["Pool_3", "Relu_2", "Conv_1"]
    assert difference.total.cycles == pool.cycles + 10
    text = format_difference(difference)
    assert "before: a.smalti" in text and "2 nodes changed, 1 did not" in text
    assert "Conv_1" not in text and "Conv_1" in format_difference(difference, unchanged=True)
    (line,) = (line for line in text.splitlines() if line.startswith("Relu_2"))
    assert line.split()[1:] == [
        "2", "→", "3", "6.4", "kB", "→", "7.0", "kB", f"{LOAD + CONVERT}", "→",
        f"{LOAD + CONVERT + 10}", "+10",
    ]  # fmt: skip


def test_columns_have_units():
    data = compare_programs(chain().program(), longer().program()).to_json()
    assert json.loads(json.dumps(data)) == data
    pool = data["rows"][0]
    assert pool["nodes"] == ["Pool_3"] and pool["changed"] is True
    assert pool["before_critical_path_cycles"] is None
    assert pool["after_critical_path_cycles"] == 236
    assert pool["after_global_read_bytes"] == 1280
    assert data["targets"] == ["default-8c", "default-8c"]


def test_nodes_that_one_program_has_fused_are_one_row():
    fused = chain()
    entries = fused.debug[1:]
    fused.debug[1:] = [DebugEntry(entry.op, ("Conv_1", "Relu_2")) for entry in entries]
    difference = compare_programs(chain().program(), fused.program())
    (row,) = difference.nodes
    assert row.nodes == ("Conv_1", "Relu_2") and not row.changed


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_chains_of_fusions(order: tuple[int, int]):
    """a+b in one and b+c in the other: a, b and c are one row, d stays by itself."""

    def program(groups: list[tuple[str, ...]]):
        build = Builder()
        for i, nodes in enumerate(groups):
            build.load(0, 640 * (i + 1), dst=6400 * i, node="x")
            build.debug[-1] = DebugEntry("x", nodes)
        return build.program()

    one = program([("a", "b"), ("c",), ("d",)])
    two = program([("a",), ("b", "c"), ("d",)])
    sides = [one, two]
    difference = compare_programs(*(sides[i] for i in order))
    assert {row.nodes[0]: set(row.nodes) for row in difference.nodes} == {
        "a": {"a", "b", "c"},
        "d": {"d"},
    }
    joined = next(row for row in difference.nodes if row.nodes[0] == "a")
    assert joined.before is not None and joined.before.bytes_read == 640 + 1280
