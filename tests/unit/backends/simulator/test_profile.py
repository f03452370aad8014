"""The profile of small programs, against what can be worked out by hand."""

import json

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.profile import KEYS, Profile, parse_keys, profile
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.timing.timing_result import Timing
from smalti.backends.targets.systolic import gemm_cycles

from tests.unit.backends.simulator.stream_builder import Builder

ISSUE, LATENCY, PORT, BANDWIDTH = 16, 200, 64, 128
"""Of default-8c: issue and latency in cycles, bytes per cycle of one port and of global memory."""
LOAD = ISSUE + LATENCY + 100
PRODUCT = gemm_cycles(64, 64, 64, 64, 64, "weight_stationary", True)
DRAIN = 64 + 64 - 2
CONVERT = 8 + 1


def timing(build: Builder, repeat: int = 1) -> Timing:
    result = simulate(build.program(), None, mode="timing", repeat=repeat).timing
    assert result is not None
    return result


def chain() -> Builder:
    """Load → product → convert → store, each waiting for the one before."""
    build = Builder()
    build.load(0, 6400, node="Conv_1")
    build.matmul(0, wait_dma_in=1, node="Conv_1")
    build.copy_rows(0, 0, 0x20000, wait_matrix=1, node="Relu_2")
    build.store(0, 6400, wait_vector=1, node="Relu_2")
    return build


def rows(result: Profile) -> dict[tuple, dict]:
    """The table's rows by their keys."""
    names = {"node": "nodes"}
    table = {}
    for row in result.table():
        keys = [row[names.get(key, key)] for key in result.by]
        table[tuple(k[0] if isinstance(k, list) else k for k in keys)] = row
    return table


def stalls(row: dict) -> dict[str, float]:
    """A row's stalls that are not zero, by cause."""
    prefix, suffix = "stalled_on_", "_cycles"
    return {
        name[len(prefix) : -len(suffix)]: cycles
        for name, cycles in row.items()
        if name.startswith(prefix) and cycles
    }


def test_a_chain_by_everything():
    result = profile(timing(chain()))
    assert result.cycles == 2 * LOAD + PRODUCT + CONVERT
    table = rows(result)
    load = table["Conv_1", "Conv_1_out", 0, "dma_in"]
    assert load["instructions_count"] == 1
    assert (load["critical_path_cycles"], load["busy_cycles"]) == (LOAD, 100)
    assert load["share_percent"] == pytest.approx(100 * LOAD / result.cycles)
    assert load["utilization_percent"] == 100
    assert (load["global_read_bytes"], load["global_written_bytes"]) == (6400, 0)
    assert load["local_memory_bytes"] == 6400
    assert stalls(load) == {"latency": ISSUE + LATENCY}
    product = table["Conv_1", "Conv_1_out", 0, "matrix"]
    assert product["critical_path_cycles"] == PRODUCT
    assert product["busy_cycles"] == PRODUCT - DRAIN
    assert product["utilization_percent"] == pytest.approx(100 * 64 / (PRODUCT - DRAIN))
    assert product["macs_count"] == 64**3
    assert product["accumulator_bytes"] == 4 * 64 * 64
    assert stalls(product) == {"dma_in": LOAD, "drain": DRAIN}
    convert = table["Relu_2", "Relu_2_out", 0, "vector"]
    assert convert["utilization_percent"] == pytest.approx(100 * 1 / 9)
    assert stalls(convert) == {"matrix": LOAD + PRODUCT}
    store = table["Relu_2", "Relu_2_out", 0, "dma_out"]
    assert store["global_written_bytes"] == 6400
    assert stalls(store) == {"vector": LOAD + PRODUCT + CONVERT, "latency": ISSUE + LATENCY}


def test_grouping_adds_up():
    """By fewer keys the same sums in fewer rows, dearest first."""
    run = timing(chain())
    whole = profile(run)
    by_node = profile(run, ["node"])
    assert [row.nodes for row in by_node.rows] == [("Conv_1",), ("Relu_2",)]
    assert by_node.rows[0].critical_path_cycles == LOAD + PRODUCT
    assert by_node.rows[0].busy_cycles == 100 + PRODUCT - DRAIN
    assert by_node.rows[0].op is None and by_node.rows[0].core is None
    by_engine = profile(run, ["engine", "core"])
    assert by_engine.by == ("core", "engine")
    assert [row.engine for row in by_engine.rows][-1] == "vector"
    for part in (by_node, by_engine):
        for name in ("critical_path_cycles", "busy_cycles", "macs", "local_bytes", "instructions"):
            total = sum(getattr(row, name) for row in whole.rows)
            assert sum(getattr(row, name) for row in part.rows) == pytest.approx(total), name
        stalled = sum(sum(row.stalled_cycles.values()) for row in part.rows)
        assert stalled == sum(sum(use.stalled.values()) for use in run.engines)


def test_stalls_by_engine_are_the_engines():
    """Counters, multicasts and several cores: each engine's stalls are those that the timing books for it."""
    build = Builder(cores=3)
    build.load(0, 6400, group=1, signal_counter=3, signal_cores=0b10)
    build.load(1, 640, src=640, dst=8192)
    build.load(1, 6400, group=1)
    build.load(2, 6400, group=1)
    build.matmul(1, wait_counter=3, wait_value=1, wait_dma_in=2)
    run = timing(build)
    table = {(row.core, row.engine): row for row in profile(run, ["core", "engine"]).rows}
    for use in run.engines:
        if use.instructions:
            row = table[use.core, use.engine]
            booked = {cause: cycles for cause, cycles in row.stalled_cycles.items() if cycles}
            assert booked == use.stalled
            assert row.busy_cycles == use.busy
    assert table[0, "dma_in"].stalled_cycles["multicast"] == ISSUE
    hop = build.target.interconnect.latency_cycles
    assert table[1, "matrix"].stalled_cycles["counter"] == hop


def test_a_multicast_of_stores_counts_once():
    """Three stores, one transfer, at the rate that it can have alone: half that of its port."""
    build = Builder(cores=3)
    for core in range(3):
        build.send(0, 6400, core + 1 if core else 0, dst=8192, group=1)
    run = timing(build)
    (row,) = profile(run, ["engine"]).rows
    assert (row.instructions, row.busy_cycles, row.utilization) == (3, 200, 1.0)
    assert (row.local_bytes, row.interconnect_bytes) == (4 * 6400, 6400)
    assert row.critical_path_cycles == run.cycles
    assert row.busy_cycles == run.engines[1].busy == run.node_costs()[""].busy["dma_out"]


def test_shared_bandwidth_lowers_the_utilization():
    """Four loads of 64 bytes a cycle each share 128: half of what one could have alone."""
    build = Builder(cores=4)
    for core in range(4):
        build.load(core, 6400)
    (row,) = profile(timing(build), ["engine"]).rows
    assert row.busy_cycles == 4 * 200 and row.utilization == 0.5


def test_repetitions_are_averaged():
    once, twice = profile(timing(chain())), profile(timing(chain(), repeat=2))
    assert twice.cycles == once.cycles
    for a, b in zip(once.rows, twice.rows, strict=True):
        assert (a.busy_cycles, a.instructions, a.macs) == (b.busy_cycles, b.instructions, b.macs)


def test_fused_nodes_and_ops_without_nodes():
    build = chain()
    build.debug[1:] = [
        type(entry)(entry.op, ("Conv_1", "Relu_2") if entry.nodes == ("Conv_1",) else ())
        for entry in build.debug[1:]
    ]
    by_node = profile(timing(build), ["node"])
    assert [row.nodes for row in by_node.rows] == [("Conv_1", "Relu_2"), ("Relu_2_out",)]


def test_json_and_keys():
    data = profile(timing(chain())).to_json()
    assert json.loads(json.dumps(data)) == data
    assert data["target"] == "default-8c" and len(data["rows"]) == 4
    assert parse_keys("engine, node") == ("node", "engine")
    assert parse_keys("node,op,core,engine") == KEYS
    with pytest.raises(DiagnosticError, match="'layer'"):
        parse_keys("layer")
