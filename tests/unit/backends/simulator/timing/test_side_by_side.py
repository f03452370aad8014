"""Several programs on one card: apart but for what they share."""

import pytest
from hypothesis import given, settings
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program.program import Program
from smalti.backends.program.side_by_side import side_by_side
from smalti.backends.simulator.simulate import simulate
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


def test_mistakes():
    with pytest.raises(DiagnosticError, match="9 instances need 9 cores, default-8c has 8") as told:
        side_by_side([product()] * 9)
    assert told.value.hint is not None and "at most 8" in told.value.hint
    other = Builder(target=changed(vector={"startup_cycles": 9}))
    other.matmul(0, m=1)
    with pytest.raises(DiagnosticError, match="one target"):
        side_by_side([product(), other.program()])
    with pytest.raises(DiagnosticError, match="no program"):
        side_by_side([])
