"""When a run is compiled, and which machine code it uses."""

from pathlib import Path

import pytest
from smalti.backends.simulator.streams.streams import Streams, decode_program
from smalti.backends.simulator.timing import timed_run, timeline
from smalti.backends.simulator.timing.costs import cost_program
from smalti.backends.simulator.timing.machine_tables import FirstState, first_state

from tests.unit.backends.simulator.stream_builder import Builder
from tests.unit.backends.simulator.timing.test_machine import assert_equal

pytest.importorskip("numba", reason="numba is an optional dependency: pip install smalti[fast]")

from smalti.backends.simulator.timing import compiled_run
from smalti.backends.simulator.timing.compiled_run import CompiledRun, is_compiled


def one_load(size: int = 64, **fields: int) -> tuple[Streams, FirstState]:
    build = Builder(input=1 << 26)
    build.load(0, size, **fields)
    streams = decode_program(build.program())
    return streams, first_state(streams, cost_program(streams), 1, 0)


def test_what_does_not_fit_64_bits_runs_in_python(monkeypatch: pytest.MonkeyPatch):
    """64 MiB of bus traffic in one transfer: more work than the compiled machine counts."""
    streams, state = one_load(1, count0=1 << 20, src_stride0=64, dst_stride0=1)
    with pytest.raises(OverflowError):
        CompiledRun(state)
    monkeypatch.setattr(timed_run, "compilation_pays", lambda occurrences: True)
    assert timed_run.run_timing(streams, cost_program(streams), 1, 0).end.max() > 0


@pytest.mark.share(4)
def test_short_programs_run_in_python_and_long_ones_compiled(monkeypatch: pytest.MonkeyPatch):
    assert not timed_run.compilation_pays(timed_run.START_OCCURRENCES - 1)
    assert timed_run.compilation_pays(timed_run.COMPILE_OCCURRENCES)
    streams, state = one_load()
    timed_run.finish(CompiledRun(state), streams, 1)
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
    streams, state = one_load()
    monkeypatch.setattr(compiled_run, "_cache_folder", lambda: tmp_path)
    old = [
        tmp_path / name
        for name in ("machine.advance-1.py311.1.nbc", "transfers.join-1.py311.nbi",
                     "compiled_machine.0.compiled")
    ]  # fmt: skip
    for path in (*old, tmp_path / "other.advance-1.py311.nbi"):
        path.touch()
    assert not compiled_run.is_compiled()
    timed_run.finish(CompiledRun(state), streams, 1)
    assert compiled_run.is_compiled() and not any(path.exists() for path in old)
    assert (tmp_path / "other.advance-1.py311.nbi").exists()
    changed = tmp_path / "timeline.py"
    changed.write_text("COUNTER = 5\n")
    monkeypatch.setattr(timeline, "__file__", str(changed))
    assert not compiled_run.is_compiled()


def test_numba_keeps_the_code_of_all_rules():
    """A translated function has the file of its source, so that numba finds a place for its machine code."""
    streams, state = one_load()
    timed_run.finish(CompiledRun(state), streams, 1)
    folder = compiled_run._cache_folder()
    for name in ("machine.take", "transfers.join", "sharing.fair_rates", "compiled_machine.push"):
        assert list(folder.glob(f"{name}-*.nbc")), name
