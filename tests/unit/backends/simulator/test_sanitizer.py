"""What the sanitizer finds, and what it lets pass."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.instruction_set import ENGINES
from smalti.backends.program.program import Port
from smalti.backends.simulator.clocks import start_clocks
from smalti.backends.simulator.functional.schedule import execution_order
from smalti.backends.simulator.sanitizer import sanitize_program
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.streams.streams import Streams, decode_program

from tests.unit.backends.simulator.stream_builder import Builder


def check(build: Builder) -> None:
    """Sanitize the program; all of its input segment is an input, unless it has inputs of its own."""
    if not build.inputs:
        build.inputs = [Port("in", (build.segments["input"],), "u8", 0)]
    sanitize_program(decode_program(build.program()))


def findings(build: Builder) -> list[str]:
    with pytest.raises(DiagnosticError) as caught:
        check(build)
    return caught.value.notes


def test_a_race_names_both_instructions_their_nodes_and_the_bytes():
    build = Builder()
    build.load(0, 256, node="Conv_1")
    build.copy_rows(0, 0, 4096, node="Relu_2", wait_dma_in=1)
    build.load(0, 64, dst=128, node="Conv_3")
    assert findings(build) == [
        "core 0 instruction 2 (load of 'Conv_3') writes bytes 128 to 191 "
        "of local memory of core 0, which core 0 instruction 1 (convert of 'Relu_2') "
        "reads, and nothing orders the two"
    ]
    build.words[0][2][1]["wait_vector"] = 1
    check(build)


def test_the_check_is_exact_to_the_byte():
    build = Builder()
    build.load(0, 256)
    build.copy_rows(0, 0, 4096, wait_dma_in=1)
    build.load(0, 64, dst=256)
    check(build)
    build.load(0, 1, dst=255)
    assert "bytes 255 to 255" in findings(build)[0]


def test_interleaved_rows_do_not_touch():
    build = Builder()
    build.load(0, 8, count0=16, src_stride0=16, dst_stride0=16)
    build.load(0, 8, dst=8, count0=16, src_stride0=16, dst_stride0=16)
    build.store(0, 8, count0=16, src_stride0=16, dst_stride0=16, wait_dma_in=1)
    check(build)
    build.store(0, 9, dst=4096, count0=16, src_stride0=16, dst_stride0=16, wait_dma_in=1)
    assert "bytes 8 to 8 of local memory" in findings(build)[0]


def test_unwritten_bytes_are_told():
    build = Builder()
    build.load(0, 200)
    build.copy_rows(0, 0, 4096, node="Relu_2", wait_dma_in=1)
    assert findings(build) == [
        "core 0 instruction 1 (convert of 'Relu_2') reads bytes 200 to 255 "
        "of local memory of core 0, which nobody wrote"
    ]


def test_outputs_are_written_whole():
    build = Builder()
    build.outputs = [Port("y", (64,), "u8", 32)]
    build.load(0, 64)
    build.store(0, 60, dst=32, wait_dma_in=1)
    assert findings(build) == ["output 'y': nobody writes bytes 92 to 95 of segment output"]


@pytest.mark.parametrize(
    "fields, said",
    [
        (
            {"dst": 2097152 - 32},
            "writes bytes 2097120 to 2097183 of local memory of core 0, which has 2097152",
        ),
        ({"src": 1 << 40}, "of segment input, which has 1048576"),
        ({"count0": 2, "src_stride0": -64}, "reads bytes -64 to 63"),
        (
            {"count0": 2**32 - 1, "count1": 2**32 - 1},
            "bytes of local memory of core 0, which has 2097152",
        ),
    ],
)
def test_accesses_outside_a_memory_are_always_found(fields: dict, said: str):
    build = Builder()
    build.load(0, 64, **fields)
    for mode in ("functional", "timing"):
        with pytest.raises(DiagnosticError) as caught:
            simulate(build.program(), {}, mode=mode)
        assert said in str(caught.value)


def test_an_instruction_that_would_read_for_ever_is_refused():
    build = Builder()
    build.add(
        0,
        "reduce",
        kind="mean",
        type="f32",
        x=0,
        out=64,
        outer=1,
        length=2**32 - 1,
        outer_stride=0,
        length_stride=0,
        out_pitch=1,
    )
    with pytest.raises(DiagnosticError, match=r"reads 17179869180 bytes of local memory of core 0"):
        simulate(build.program(), {})


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"wait_counter": 8, "wait_value": 1}, "uses counter 8; the program has 8"),
        ({"signal_cores": 4}, "signals core 2; the program has 2 cores"),
        ({"src_space": "local", "peer_core": 3}, "names core 2; the program has 2 cores"),
    ],
)
def test_what_the_program_does_not_have(fields: dict, said: str):
    build = Builder(cores=2)
    build.load(0, 64, **fields)
    with pytest.raises(DiagnosticError) as caught:
        check(build)
    assert said in str(caught.value)


def test_multicast_members_load_the_same():
    build = Builder(cores=2)
    build.load(0, 64, group=1)
    build.load(1, 128, group=1)
    with pytest.raises(DiagnosticError, match="differ in field 'run'"):
        check(build)
    build.words[1] = []
    build.load(0, 64, group=1)
    with pytest.raises(DiagnosticError, match="two loads on one core"):
        check(build)


def sent(peer: int, core: int = 0, **fields: int | str) -> tuple[int, str, dict]:
    """A store of multicast group 1 by a core to the memory of core `peer` - 1; 0: its own."""
    spaces = {"src_space": "local", "dst_space": "local", "peer_core": peer}
    return core, "store", spaces | {"src": 0, "dst": 256, "run": 64, "group": 1} | fields


STORES = [
    ([sent(0), sent(2), sent(3)], None),
    ([sent(0), (0, "sync", {"engine": "vector"}), sent(2)], None),
    ([sent(0), sent(2, src=64)], "the stores of multicast group 1 differ in field 'src'"),
    ([sent(0), sent(2, dst_stride1=8)], "the stores of multicast group 1 differ in field 'dst_stride1'"),
    ([sent(0), sent(2, fill=1)], "the stores of multicast group 1 differ in field 'fill'"),
    ([sent(2), sent(3), sent(2)], "multicast group 1 has two stores to the local memory of core 1"),
    ([sent(0), sent(1)], "multicast group 1 has two stores to the local memory of core 0"),
    ([sent(2), sent(0, core=2)], "multicast group 1 has stores on cores 0, 2: one core sends to all"),
    ([sent(0), (0, "sync", {"engine": "dma_out"}), sent(2)],
     "the stores of multicast group 1 do not stand side by side in core 0 dma_out"),
    ([sent(0), sent(2, group=2), sent(3)],
     "the stores of multicast group 1 do not stand side by side in core 0 dma_out"),
    ([sent(2), sent(0, dst_space="global", dst_segment="scratch")],
     "core 0 instruction 2 (store) is in multicast group 1, but writes global memory"),
    ([sent(2), (1, "load", {"src_space": "global", "dst_space": "local", "src": 0, "dst": 0, "run": 64, "group": 1})],
     "multicast group 1 has loads and stores"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), STORES)
def test_stores_of_a_multicast_send_the_same_side_by_side(words, message):
    build = Builder(cores=3)
    build.load(0, 128)
    for core, mnemonic, fields in words:
        build.add(core, mnemonic, wait_dma_in=int(core == 0), **fields)
    if message is None:
        check(build)
        return
    with pytest.raises(DiagnosticError) as caught:
        check(build)
    assert message in str(caught.value)


def test_a_multicast_must_not_write_what_it_reads():
    """A store alone reads before it writes. Which store of a multicast writes first is not said."""
    build = Builder(cores=2)
    build.load(0, 128)
    build.send(0, 64, 0, dst=32, wait_dma_in=1)
    check(build)
    build.words[0][1][1]["group"] = 1
    build.send(0, 64, 2, group=1)
    assert findings(build) == [
        "core 0 instruction 2 (store) reads bytes 32 to 63 of local memory of core 0, "
        "which core 0 instruction 1 (store) writes, and nothing orders the two"
    ]


def test_stores_of_a_multicast_are_complete_at_once():
    """What waits for one of them comes after all of them, and after what any of them waited for."""
    build = Builder(cores=3)
    build.load(0, 64)
    build.send(0, 64, 2, group=1, wait_dma_in=1, signal_counter=0, signal_cores=0b100)
    build.send(0, 64, 3, group=1)
    build.store(2, 64, wait_counter=0, wait_value=1)
    check(build)


def test_order_between_cores_by_a_counter():
    build = Builder(cores=2)
    build.load(0, 64)
    build.store(0, 64, segment="scratch", wait_dma_in=1, signal_counter=0, signal_cores=0b10)
    build.load(1, 64, segment="scratch", wait_counter=0, wait_value=1)
    check(build)
    del build.words[1][0][1]["wait_value"]
    # Not ordered; in the order of execution core 0's comes first, so the bytes are written.
    assert findings(build) == [
        "core 1 instruction 0 (load) reads bytes 0 to 63 of segment scratch, "
        "which core 0 instruction 1 (store) writes, and nothing orders the two"
    ]


def test_a_counter_orders_only_what_it_must_have_counted():
    """Two of three signals are awaited: whose they are is not known."""
    build = Builder(cores=4)
    for core in range(3):
        build.load(core, 64)
        build.store(
            core,
            64,
            dst=64 * core,
            segment="scratch",
            wait_dma_in=1,
            signal_counter=0,
            signal_cores=0b1000,
        )
    build.load(3, 192, segment="scratch", wait_counter=0, wait_value=2)
    assert len(findings(build)) == 3
    build.words[3][0][1]["wait_value"] = 3
    check(build)


@pytest.mark.parametrize("cores", [2, 3, 5])
def test_a_barrier_counts_on_in_each_phase(cores: int):
    """Cores exchange data twice, on one counter: a second phase's signal cannot stand for one of
    the first.
    """
    build = Builder(cores=cores)
    for core in range(cores):
        build.load(core, 64)
    for phase in range(2):
        for core in range(cores):
            build.store(
                core,
                64,
                dst=1024 * phase + 64 * core,
                segment="scratch",
                wait_dma_in=phase + 1,
                signal_counter=0,
                signal_cores=(1 << cores) - 1,
            )
            build.load(
                core,
                64 * cores,
                src=1024 * phase,
                segment="scratch",
                dst=64 + 1024 * phase,
                wait_counter=0,
                wait_value=cores * (phase + 1),
            )
    check(build)


def test_what_comes_before_either_of_two_signals_is_ordered():
    """Whichever of the two signals is counted, the first store has come before it."""
    build = Builder(cores=4)
    build.load(0, 64)
    build.store(0, 64, segment="scratch", wait_dma_in=1, signal_counter=1, signal_cores=0b110)
    for core in (1, 2):
        build.add(
            core, "sync", engine="vector", wait_counter=1, wait_value=1, signal_counter=0,
            signal_cores=0b1000,
        )  # fmt: skip
    build.load(3, 64, segment="scratch", wait_counter=0, wait_value=1)
    check(build)


def test_a_multicast_is_complete_for_all_of_its_members_at_once():
    """Core 1 waits for its own load, so that core 0's is complete, too."""
    build = Builder(cores=2)
    for core in range(2):
        build.load(core, 64, group=1)
    peer = {"src_space": "local", "dst_space": "local", "peer_core": 1}
    build.add(1, "store", **peer, src=0, dst=0, run=64, wait_dma_in=1)
    check(build)


@st.composite
def programs(draw, multicasts: bool = True):
    """Random waits that only look back, so that every program ends."""
    build = Builder(cores=3, counters=2)
    counts = [dict.fromkeys(ENGINES, 0) for _ in range(3)]
    signals = [[0, 0] for _ in range(3)]
    group = 0
    for _ in range(draw(st.integers(2, 12))):
        core = draw(st.integers(0, 2))
        members = [core]
        kind = draw(
            st.sampled_from(["sync", "sync", "loads", "stores"] if multicasts else ["sync"])
        )
        others = set() if kind == "sync" else draw(st.sets(st.integers(0, 2)))
        if others:
            members = sorted({core} | others) if kind == "loads" else [core] * len(others)
            group += 1
        placed: list[dict] = []
        for member in members:
            fields = {
                f"wait_{engine}": draw(st.integers(0, count))
                for engine, count in counts[member].items()
            }
            counter = draw(st.integers(0, 1))
            value = draw(st.integers(0, signals[member][counter]))
            fields |= {"wait_counter": counter, "wait_value": value} if value else {}
            if draw(st.booleans()):
                mask = draw(st.integers(1, 7))
                fields |= {"signal_counter": draw(st.integers(0, 1)), "signal_cores": mask}
            placed.append(fields)
            if others and kind == "stores":
                fields |= {"wait_dma_out": 0}
                receiver = sorted(others)[len(placed) - 1]
                build.send(member, 64, receiver + 1, dst=64 * group, group=group, **fields)
                continue
            if others:
                fields |= {"wait_dma_in": 0}
                build.load(member, 64, dst=64 * group, group=group, **fields)
                counts[member]["dma_in"] += 1
                continue
            engine = draw(st.sampled_from(ENGINES))
            build.add(member, "sync", engine=engine, **(fields | {f"wait_{engine}": 0}))
            counts[member][engine] += 1
        if others and kind == "stores":
            counts[core]["dma_out"] += len(members)
        for fields in placed:
            for other in range(3):
                if fields.get("signal_cores", 0) >> other & 1:
                    signals[other][fields["signal_counter"]] += 1
    return build


def certain_counts(streams: Streams) -> np.ndarray:
    """How many instructions of each engine are complete in every execution before each instruction starts: found by
    going through all states that any execution can come to.
    """
    result = np.full((len(streams), len(streams.queues)), len(streams))
    start = (0,) * len(streams.queues)
    seen, states = {start}, [start]
    while states:
        retired = states.pop()
        done = [n for queue, k in zip(streams.queues, retired, strict=True) for n in queue[:k]]
        counters = Counter(counter for number in done for counter in streams.signals[number])
        heads = {
            queue[k] for queue, k in zip(streams.queues, retired, strict=True) if k < len(queue)
        }
        ready = {
            number
            for head in heads
            for number in streams.starting_with(head)
            if all(retired[other] >= count for other, count in streams.waits[number])
            and (streams.counter_wait[number] or (0, 0))[1]
            <= counters[(streams.counter_wait[number] or (0, 0))[0]]
        }
        for head in heads:
            members = streams.groups.get(streams.group[head], [head])
            if not ready.issuperset(members):
                continue
            result[members] = np.minimum(result[members], retired)
            after = list(retired)
            for member in members:
                after[streams.engine[member]] += 1
            if tuple(after) not in seen:
                seen.add(tuple(after))
                states.append(tuple(after))
    return result


@settings(max_examples=200)
@given(programs())
def test_clocks_count_exactly_what_comes_before_in_every_execution(build: Builder):
    streams = decode_program(build.program())
    clocks = start_clocks(streams, execution_order(streams))
    assert clocks.tolist() == certain_counts(streams).tolist()


@settings(max_examples=50)
@given(programs(multicasts=False))
def test_simulated_time_keeps_what_the_clocks_promise(build: Builder):
    """The timing simulation starts nothing before what is certain to be complete."""
    program = build.program()
    streams = decode_program(program)
    clocks = start_clocks(streams, execution_order(streams))
    timing = simulate(program, None, mode="timing").timing
    assert timing is not None
    times = timing.instructions
    for number in range(len(streams)):
        for engine, count in enumerate(clocks[number].tolist()):
            if count and engine != streams.engine[number]:
                assert times.end[streams.queues[engine][count - 1]] <= times.start[number]


def test_the_order_follows_the_program():
    build = Builder(cores=2)
    build.load(0, 64, wait_counter=0, wait_value=1)
    build.copy_rows(0, 4096, 8192)
    build.load(1, 64, signal_counter=0, signal_cores=0b01)
    assert execution_order(decode_program(build.program())) == [1, 2, 0]


def test_a_race_is_found_without_running_values():
    build = Builder()
    build.load(0, 64)
    build.store(0, 64)
    with pytest.raises(DiagnosticError, match="depends on chance"):
        simulate(build.program(), {"nothing": np.zeros(1)}, mode="timing", sanitize=True)


def test_runs_of_one_transfer_that_overlap_are_told():
    build = Builder()
    build.load(0, 64, count0=2, src_stride0=64, dst_stride0=1)
    assert "writes bytes 1 to 63 of local memory of core 0 twice" in findings(build)[0]


def test_bytes_of_the_input_segment_outside_every_input_are_unwritten():
    build = Builder()
    build.inputs = [Port("a", (64,), "u8", 0), Port("b", (64,), "u8", 128)]
    build.load(0, 64)
    build.load(0, 64, src=128, dst=64)
    check(build)
    build.load(0, 8, src=60, dst=256)
    assert "bytes 64 to 67 of segment input, which nobody wrote" in findings(build)[0]
