"""The machine on random programs: against a slow one of another kind, and compiled against plain Python."""

import dataclasses
import json
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program.program import Program
from smalti.backends.simulator.streams.streams import Streams, decode_program
from smalti.backends.simulator.timing import machine_tables, timed_run
from smalti.backends.simulator.timing.costs import TICKS_PER_CYCLE, Costs, cost_program
from smalti.backends.simulator.timing.machine_tables import first_state
from smalti.backends.simulator.timing.plain_run import PlainRun
from smalti.backends.simulator.timing.timeline import BUSY, FINISHED, Timeline
from smalti.backends.simulator.timing.timing_result import Timing
from smalti.backends.simulator.timing.translation import TranslationError, translate
from smalti.backends.targets.target import Target

from tests.unit.backends.simulator.stream_builder import Builder
from tests.unit.backends.simulator.timing.random_programs import programs
from tests.unit.backends.simulator.timing.slow_machine import SlowMachine

needs_numba = pytest.mark.skipif(
    find_spec("numba") is None, reason="numba is an optional dependency: pip install smalti[fast]"
)
quick = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def hop_of(streams: Streams) -> int:
    return streams.program.target.interconnect.latency_cycles * TICKS_PER_CYCLE


def run(
    streams: Streams, costs: Costs, repeat: int, *, compiled: bool
) -> tuple[Timeline | None, str]:
    """A timeline, or the text of the diagnostic."""
    state = first_state(streams, costs, repeat, hop_of(streams))
    if compiled:
        from smalti.backends.simulator.timing.compiled_run import CompiledRun

        machine: timed_run.Run = CompiledRun(state)
    else:
        machine = PlainRun(state)
    try:
        return timed_run.finish(machine, streams, repeat), ""
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


# Against the slow machine


@pytest.mark.share(3)
@quick
@given(programs(), st.integers(1, 3))
def test_the_slow_machine_takes_the_same_ticks(program: Program, repeat: int):
    streams = decode_program(program)
    costs = cost_program(streams)
    slow = SlowMachine(streams, costs, repeat, hop_of(streams))
    timeline, _ = run(streams, costs, repeat, compiled=False)
    assert (timeline is None) == slow.is_deadlock
    if timeline is None:
        return
    for o in slow.occurrences:
        place = o.repetition * len(streams) + o.number
        times = (timeline.start[place], timeline.move[place], timeline.end[place])
        assert times == (o.start, o.move, o.end), streams.name(o.number)
    whole = int(timeline.end.max(initial=0))
    for engine, spent in enumerate(slow.spent):
        assert timeline.spent[engine, :FINISHED].tolist() == spent[:FINISHED]
        assert timeline.spent[engine].sum() == whole
    for time, load in slow.loads:
        row = int(np.searchsorted(timeline.load_times, time, "right")) - 1
        assert load == (timeline.loads[row].tolist() if row >= 0 else [0] * len(load))


@pytest.mark.share(3)
@quick
@given(programs(), st.integers(1, 3))
def test_stalls_add_up_and_causes_start_before(program: Program, repeat: int):
    streams = decode_program(program)
    costs = cost_program(streams)
    timeline, _ = run(streams, costs, repeat, compiled=False)
    if timeline is None:
        return
    stalled = np.zeros_like(timeline.spent)
    for engine, state, occurrence, since, until in timeline.stalls.tolist():
        assert until > since and streams.engine[occurrence % len(streams)] == engine
        stalled[engine, state] += until - since
    assert (stalled[:, :BUSY] == timeline.spent[:, :BUSY]).all()
    caused = np.flatnonzero(timeline.cause >= 0)
    assert (timeline.start[timeline.cause[caused]] <= timeline.move[caused]).all()
    path = Timing(streams, costs, timeline).critical_path
    assert sum(cycles for _, cycles in path) * TICKS_PER_CYCLE == timeline.end.max(initial=0)


# Compiled


@needs_numba
@quick
@given(programs(), st.integers(1, 3))
def test_compiled_every_tick_is_equal(program: Program, repeat: int):
    streams = decode_program(program)
    costs = cost_program(streams)
    expected, problem = run(streams, costs, repeat, compiled=False)
    got, same_problem = run(streams, costs, repeat, compiled=True)
    assert problem == same_problem
    assert_equal(expected, got)


def long_signals() -> Streams:
    """Many signals to other cores, which take so long that nearly all are under way at once."""
    build = Builder(cores=8, counters=2)
    for i in range(400):
        for core in range(8):
            build.add(core, "sync", engine="matrix", signal_counter=0, signal_cores=0xFF)
            build.load(core, 64 * (1 + (core + i) % 3), wait_counter=0, wait_value=i + 1)
    table = json.loads(build.target.to_json())
    table["interconnect"]["latency_cycles"] = 5000
    build.target = Target.from_json(json.dumps(table))
    return decode_program(build.program())


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_numba)])
def test_logs_and_the_room_for_signals_grow(monkeypatch: pytest.MonkeyPatch, compiled: bool):
    """More stalls, loads and signals under way than there is room for at first."""
    streams = long_signals()
    costs = cost_program(streams)
    expected, _ = run(streams, costs, 2, compiled=False)
    monkeypatch.setattr(machine_tables, "_LOG_ROWS", 4)
    monkeypatch.setattr(machine_tables, "_SIGNALS", 4)
    got, _ = run(streams, costs, 2, compiled=compiled)
    assert expected is not None and len(expected.stalls) > 100
    assert_equal(expected, got)


@needs_numba
def test_work_counts_begin_anew_before_they_overflow():
    """A class of transfers that never rests is served more than 2^60 units of work in all."""
    build = Builder(cores=2, input=1 << 24)
    for _ in range(12):
        for core in range(2):
            build.load(core, 1 << 21)
    streams = decode_program(build.program())
    costs = cost_program(streams)
    expected, _ = run(streams, costs, 3, compiled=False)
    assert_equal(expected, run(streams, costs, 3, compiled=True)[0])


def test_a_run_that_is_too_long_is_told():
    build = Builder()
    for _ in range(9):
        build.matmul(0)
    streams = decode_program(build.program())
    costs = cost_program(streams)
    costs.ticks[:] = 1 << 59
    with pytest.raises(DiagnosticError, match="more than 281474976710656 cycles"):
        timed_run.run_timing(streams, costs, 1, 0)


def test_more_combinations_of_transfers_than_are_remembered(monkeypatch: pytest.MonkeyPatch):
    build = Builder(cores=8)
    for i in range(30):
        for core in range(8):
            build.load(core, 64 * (1 + (3 * core + i) % 5), dst=4096 * (i % 2))
            build.store(core, 64 * (1 + (core + 2 * i) % 7), dst=4096 * core)
    streams = decode_program(build.program())
    costs = cost_program(streams)
    expected, _ = run(streams, costs, 1, compiled=False)
    monkeypatch.setattr(machine_tables, "_RATE_ROWS", 1)
    assert_equal(expected, run(streams, costs, 1, compiled=False)[0])


def test_what_cannot_be_translated_is_told(tmp_path: Path):
    for line in ("m.end.append(0)", "m.end = []", "x = m", "m.now[0] = 1", "x = m.end[1:]"):
        file = tmp_path / "rules.py"
        file.write_text(f"def rule(m):\n    {line}\n")
        module = ModuleType("rules")
        module.__file__ = str(file)
        with pytest.raises(TranslationError, match=r"rules\.py:2: 'm"):
            translate([module], {}, lambda function: function)
