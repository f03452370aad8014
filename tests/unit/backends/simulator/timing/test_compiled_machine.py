"""The compiled machine gives, tick for tick, what the machine in plain Python gives, on random programs."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.instruction_set import ENGINES
from smalti.backends.program.program import Program
from smalti.backends.simulator.streams import Streams, decode_program
from smalti.backends.simulator.timing import timed_run, timeline
from smalti.backends.simulator.timing.costs import TICKS_PER_CYCLE, Costs, cost_program
from smalti.backends.simulator.timing.machine import run_machine
from smalti.backends.simulator.timing.timeline import Timeline
from smalti.backends.targets.target import Target, load_target

from tests.unit.backends.simulator.stream_builder import Builder

pytest.importorskip("numba", reason="numba is an optional dependency: pip install smalti[fast]")

from smalti.backends.simulator.timing import compiled_run
from smalti.backends.simulator.timing.compiled_run import is_compiled, run_compiled


def target_of(draw: Any) -> Target:
    """The default target with other engines and bandwidths, some of which divide nothing evenly."""
    table = json.loads(load_target("default-8c").to_json())
    table["dma"] |= {
        "queues": draw(st.integers(1, 3)),
        "outstanding": draw(st.integers(1, 5)),
        "issue_cycles": draw(st.integers(0, 20)),
    }
    table["global_memory"]["latency_cycles"] = draw(st.sampled_from([0, 1, 50]))
    table["global_memory"]["gigabytes_per_second"] = draw(st.sampled_from([128, 37, 3]))
    table["interconnect"] |= {
        "multicast": draw(st.booleans()),
        "latency_cycles": draw(st.sampled_from([0, 3, 40])),
        "gigabytes_per_second": draw(st.sampled_from([64, 11])),
    }
    return Target.from_json(json.dumps(table))


@st.composite
def programs(draw: Any) -> Program:
    """Programs of loads, stores, peers, fills, products, syncs and multicasts, most of which end.

    A wait for an engine names what stands before it in the stream; one for a counter asks for at
    most one signal more than there has been, so that some programs are deadlocks.
    """
    cores = draw(st.integers(1, 4))
    build = Builder(cores, target_of(draw), counters=2)
    done = [dict.fromkeys(ENGINES, 0) for _ in range(cores)]
    signalled = [[0, 0] for _ in range(cores)]
    groups = 0
    for _ in range(draw(st.integers(1, 25))):
        core = draw(st.integers(0, cores - 1))
        kind = draw(
            st.sampled_from(["load", "store", "matmul", "convert", "fill", "sync", "peer", "cast"])
        )
        order: dict[str, Any] = {}
        for engine in draw(st.sets(st.sampled_from(ENGINES), max_size=2)):
            order[f"wait_{engine}"] = done[core][engine]
        if draw(st.integers(0, 3)) == 0:
            counter = draw(st.integers(0, 1))
            value = draw(st.integers(0, signalled[core][counter] + draw(st.integers(0, 12)) // 12))
            order |= {"wait_counter": counter, "wait_value": value}
        if draw(st.integers(0, 2)) == 0:
            counter, mask = draw(st.integers(0, 1)), draw(st.integers(1, 2**cores - 1))
            order |= {"signal_counter": counter, "signal_cores": mask}
            for other in range(cores):
                signalled[other][counter] += mask >> other & 1
        size = draw(st.sampled_from([1, 64, 640, 5000]))
        if kind == "cast":
            groups += 1
            members = draw(st.sets(st.integers(0, cores - 1), min_size=1))
            for member in draw(st.permutations(sorted(members))):
                build.load(member, size, group=groups, **(order if member == core else {}))
                done[member]["dma_in"] += 1
            continue
        _add(build, draw, core, kind, size, order, done)
    return build.program()


def _add(build: Builder, draw: Any, core: int, kind: str, size: int, order: dict[str, Any],
         done: list[dict[str, int]]) -> None:  # fmt: skip
    engine = {"load": "dma_in", "fill": "dma_in", "store": "dma_out", "peer": "dma_out",
              "matmul": "matrix", "convert": "vector"}.get(kind, "")  # fmt: skip
    if kind == "load":
        build.load(core, size, **order)
    elif kind == "store":
        build.store(core, size, **order)
    elif kind == "peer":
        other = draw(st.integers(0, len(build.words) - 1))
        spaces = {"src_space": "local", "dst_space": "local", "peer_core": other + 1}
        build.add(core, "store", **spaces, src=0, dst=8192, run=size, **order)
    elif kind == "matmul":
        build.matmul(core, m=draw(st.integers(1, 300)), **order)
    elif kind == "convert":
        build.copy_rows(core, 0, 65536, rows=draw(st.integers(1, 20)), **order)
    elif kind == "fill":
        build.add(core, "fill", dst=0, count=size, type="i8", value=1.0, **order)
    else:
        engine = draw(st.sampled_from(ENGINES))
        build.add(core, "sync", engine=engine, **order)
    done[core][engine] += 1


def run(simulator: Any, streams: Streams, costs: Costs, repeat: int) -> tuple[Timeline | None, str]:
    """A timeline, or the text of the diagnostic."""
    hop = streams.program.target.interconnect.latency_cycles * TICKS_PER_CYCLE
    try:
        return simulator(streams, costs, repeat, hop), ""
    except DiagnosticError as error:
        return None, str(error)


def assert_equal(expected: Timeline | None, got: Timeline | None) -> None:
    assert (expected is None) == (got is None)
    if expected is None or got is None:
        return
    for field in dataclasses.fields(Timeline):
        np.testing.assert_array_equal(
            getattr(expected, field.name), getattr(got, field.name), field.name
        )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs(), st.integers(1, 3))
def test_every_tick_is_equal(program: Program, repeat: int):
    streams = decode_program(program)
    costs = cost_program(streams)
    expected, problem = run(run_machine, streams, costs, repeat)
    got, same_problem = run(run_compiled, streams, costs, repeat)
    assert problem == same_problem
    assert_equal(expected, got)


def test_logs_and_the_ring_of_signals_grow(monkeypatch: pytest.MonkeyPatch):
    """More stalls, loads and signals under way than there is room for at first."""
    monkeypatch.setattr("smalti.backends.simulator.timing.machine_tables._LOG_ROWS", 4)
    build = Builder(cores=8, counters=2)
    for i in range(400):
        for core in range(8):
            build.add(core, "sync", engine="matrix", signal_counter=0, signal_cores=0xFF)
            build.load(core, 64 * (1 + (core + i) % 3), wait_counter=0, wait_value=i + 1)
    table = json.loads(build.target.to_json())
    table["interconnect"]["latency_cycles"] = 5000
    build.target = Target.from_json(json.dumps(table))
    streams = decode_program(build.program())
    costs = cost_program(streams)
    expected, _ = run(run_machine, streams, costs, 2)
    got, _ = run(run_compiled, streams, costs, 2)
    assert expected is not None and len(expected.stalls) > 100
    assert_equal(expected, got)


def test_work_counts_begin_anew_before_they_overflow():
    """A class of transfers that never rests is served more than 2^60 units of work in all."""
    build = Builder(cores=2, input=1 << 24)
    for _ in range(12):
        for core in range(2):
            build.load(core, 1 << 21)
    streams = decode_program(build.program())
    costs = cost_program(streams)
    expected, _ = run(run_machine, streams, costs, 3)
    assert_equal(expected, run(run_compiled, streams, costs, 3)[0])


def test_what_does_not_fit_64_bits_runs_in_python():
    """32 MiB of bus traffic in one transfer: more work than the compiled machine counts."""
    build = Builder(input=1 << 26)
    build.load(0, 1, count0=1 << 20, src_stride0=64, dst_stride0=1)
    streams = decode_program(build.program())
    costs = cost_program(streams)
    assert run_compiled(streams, costs, 1, 0) is None
    assert timed_run.run_timing(streams, costs, 1, 0).end.max() > 0


def test_short_programs_run_in_python_and_long_ones_compiled(monkeypatch: pytest.MonkeyPatch):
    assert not timed_run.compilation_pays(timed_run.START_OCCURRENCES - 1)
    assert timed_run.compilation_pays(timed_run.COMPILE_OCCURRENCES)
    build = Builder()
    build.load(0, 64)
    streams = decode_program(build.program())
    run_compiled(streams, cost_program(streams), 1, 0)
    assert is_compiled() and timed_run.compilation_pays(timed_run.START_OCCURRENCES)
    monkeypatch.setattr(timed_run, "find_spec", lambda name: None)
    assert not timed_run.compilation_pays(timed_run.COMPILE_OCCURRENCES)


def test_both_ways_of_a_run_are_one_result(monkeypatch: pytest.MonkeyPatch):
    build = Builder(cores=2)
    for core in range(2):
        for i in range(20):
            build.load(core, 640, dst=640 * (i % 2))
            build.matmul(core, wait_dma_in=i + 1)
    streams = decode_program(build.program())
    costs = cost_program(streams)
    plain = timed_run.run_timing(streams, costs, 5, 0)
    monkeypatch.setattr(timed_run, "START_OCCURRENCES", 1)
    monkeypatch.setattr(timed_run, "COMPILE_OCCURRENCES", 1)
    assert_equal(plain, timed_run.run_timing(streams, costs, 5, 0))


def test_machine_code_of_other_sources_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """numba would go on with machine code that has other constants in it: it is thrown away."""
    build = Builder()
    build.load(0, 64)
    streams = decode_program(build.program())
    costs = cost_program(streams)
    monkeypatch.setattr(compiled_run, "_cache_folder", lambda: tmp_path)
    old = [tmp_path / f"compiled_machine.{end}" for end in ("advance-1.py311.1.nbc", "0.compiled")]
    for path in (*old, tmp_path / "other.advance-1.py311.nbi"):
        path.touch()
    assert not compiled_run.is_compiled()
    assert run_compiled(streams, costs, 1, 0) is not None
    assert compiled_run.is_compiled() and not any(path.exists() for path in old)
    assert (tmp_path / "other.advance-1.py311.nbi").exists()
    changed = tmp_path / "timeline.py"
    changed.write_text("COUNTER = 5\n")
    monkeypatch.setattr(timeline, "__file__", str(changed))
    assert not compiled_run.is_compiled()
