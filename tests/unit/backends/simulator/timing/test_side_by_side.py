"""Several programs on one card: apart but for what they share."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program.program import Program
from smalti.backends.program.side_by_side import side_by_side
from smalti.backends.simulator.simulate import simulate, time_programs
from smalti.backends.simulator.timing import timed_run
from smalti.backends.simulator.timing.timing_result import Timing

from tests.unit.backends.simulator.stream_builder import Builder
from tests.unit.backends.simulator.timing.random_programs import programs
from tests.unit.backends.simulator.timing.test_timing import changed


def timing(*programs: Program, repeat: int = 1) -> Timing:
    result = simulate(side_by_side(programs), None, mode="timing", repeat=repeat).timing
    assert result is not None
    return result


def product(m: int = 100) -> Program:
    build = Builder()
    build.matmul(0, m=m)
    return build.program()


def load(count: int = 65536) -> Program:
    """A program that loads so many bytes, and nothing else."""
    build = Builder()
    build.load(0, count)
    return build.program()


@settings(max_examples=20, deadline=None)
@given(programs())
def test_one_program_is_itself(program: Program):
    assert side_by_side([program]) is program


def test_what_is_on_cores_of_its_own_takes_as_long_as_alone():
    short, long = product(10), product(500)
    alone = [timing(each).cycles for each in (short, long)]
    parts = timing(short, long).parts
    assert [part.first_cycles for part in parts] == alone
    assert timing(short, long).cycles == max(alone)


def test_the_bus_is_shared():
    """A core's port takes 64 bytes a cycle, the bus gives 128: two programs do not notice each other, four do."""
    alone, two, four = (timing(*[load()] * count) for count in (1, 2, 4))
    target = load().target
    assert target.global_bytes_per_cycle == 2 * target.local_memory.bytes_per_cycle == 128
    assert two.cycles == alone.cycles
    assert four.cycles == alone.cycles + 65536 // 64
    assert four.bytes_read == 4 * alone.bytes_read
    assert len({part.first_cycles for part in four.parts}) == 1


def test_repetitions_do_not_wait_for_other_programs():
    """The long one repeats when it is done, the short one when it is, though another program's cores store across."""
    crossing = Builder(cores=2)
    crossing.send(0, 4096, peer=2)
    both = timing(product(10), crossing.program(), product(500), repeat=3)
    parts = [part.steady_cycles for part in both.parts]
    alone = [
        timing(each, repeat=3).steady_cycles
        for each in (product(10), crossing.program(), product(500))
    ]
    assert parts == alone


def test_counters_groups_and_calls_are_kept_apart():
    """Compiled programs with multicasts and signals, beside each other and alone."""
    from smalti.compiler import compile_model

    from tests.unit.backends.runtime.served_network import network

    program = compile_model(network(), quantize="f16", batch=8, cores=2).program
    alone, beside = timing(program, repeat=3), timing(*[program] * 4, repeat=3)
    assert beside.bytes_read == 4 * alone.bytes_read and beside.macs == 4 * alone.macs
    for part in beside.parts:
        assert part.steady_cycles >= alone.steady_cycles
    for engine in beside.engines:
        whole = engine.busy + engine.finished + sum(engine.stalled.values())
        assert whole == pytest.approx(beside.ticks / 4096)
    assert beside.node_costs().keys() == alone.node_costs().keys()
    order = timing(program, product(500), repeat=3).parts
    again = timing(product(500), program, repeat=3).parts
    assert order == again[::-1]


def test_programs_repeat_as_often_as_each_is_told():
    """The last run of the long one ends alone if the short ones run once, and shares the bus if they go on."""
    long, short = load(4 * 65536), load(65536)
    alone = time_programs([long])[0]
    assert alone.first_cycles == alone.steady_cycles == alone.cycles == timing(long).cycles
    # Four take the whole bus of 128 bytes a cycle, 32 each: the short ones end when the long one has a fourth.
    once = time_programs([long, short, short, short])
    assert {part.cycles for part in once[1:]} == {timing(*[short] * 4).cycles}
    assert once[0].cycles == alone.cycles + 65536 // 64
    # Two that go on leave 64 bytes for each of the others but the port's 64 bytes: nobody notices.
    pair = time_programs([long, short], [1, 4])
    assert pair[0] == alone and pair[1].first_cycles == timing(short).cycles
    # Three that go on take three fourths of the bus until the end of the long one's run.
    busy = time_programs([long, short, short, short], [1, 8, 8, 8])
    assert busy[0].cycles > once[0].cycles and busy[1].cycles > busy[0].cycles
    assert busy[1] == busy[2] == busy[3]


@settings(max_examples=25, deadline=None)
@given(programs(), programs(), st.integers(1, 3), st.integers(1, 3))
def test_both_engines_agree_on_programs_beside_each_other(a: Program, b: Program, i: int, j: int):
    """Whatever the repetitions, in plain Python and compiled; and programs that deadlock do so in both."""
    pytest.importorskip("numba")
    b = replace(b, target=a.target)

    def found(compiled: bool) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timed_run, "compilation_pays", lambda occurrences: compiled)
            try:
                return time_programs([a, b], [i, j])
            except DiagnosticError as error:
                return str(error)

    assert found(False) == found(True)


def test_mistakes():
    with pytest.raises(DiagnosticError, match="2 programs and repetitions of 1"):
        time_programs([product(), product()], [1])
    with pytest.raises(DiagnosticError, match=r"repeat must be 1 to \d+ for this program, got 0"):
        time_programs([product(), product()], [3, 0])
    with pytest.raises(DiagnosticError, match="9 instances need 9 cores, default-8c has 8") as told:
        side_by_side([product()] * 9)
    assert told.value.hint is not None and "at most 8" in told.value.hint
    other = Builder(target=changed(vector={"startup_cycles": 9}))
    other.matmul(0, m=1)
    with pytest.raises(DiagnosticError, match="one target"):
        side_by_side([product(), other.program()])
    with pytest.raises(DiagnosticError, match="no program"):
        side_by_side([])
