"""The trace of small programs, read back by a strict reader, against what can be worked out by hand."""

import json

import pytest
from smalti.backends.simulator.occupancy import memory_use
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.timing.timing_result import Timing
from smalti.backends.simulator.trace import trace
from smalti.backends.targets.target import Target, load_target

from tests.unit.backends.simulator.chrome_trace import Slice, TraceFile, Track, read
from tests.unit.backends.simulator.stream_builder import Builder
from tests.unit.backends.simulator.test_profile import (
    CONVERT,
    DRAIN,
    ISSUE,
    LATENCY,
    LOAD,
    PRODUCT,
    chain,
)

SHARED = "shared memory and network"


def timing(build: Builder, repeat: int = 1) -> Timing:
    result = simulate(build.program(), None, mode="timing", repeat=repeat).timing
    assert result is not None
    return result


def traced(build: Builder, repeat: int = 1) -> TraceFile:
    return read(json.dumps(trace(timing(build, repeat))))


def changed(**parts) -> Target:
    table = json.loads(load_target("default-8c").to_json())
    for part, values in parts.items():
        table[part] = table[part] | values if isinstance(values, dict) else values
    return Target.from_json(json.dumps(table))


def times(track: Track, category: str = "instruction") -> list[tuple[str, int, int]]:
    return [(s.name, s.start, s.end) for s in track.slices if s.category == category]


def ends(flow: tuple[Slice, Slice]) -> tuple[str, str]:
    return flow[0].name, flow[1].name


def test_a_chain():
    """At 1 GHz a cycle is a nanosecond."""
    result = traced(chain())
    names = ("dma_in", "dma_out", "matrix", "vector")
    assert list(result.tracks) == [("core 0", name) for name in names]
    dma_in, dma_out, matrix, vector = result.tracks.values()
    assert times(dma_in) == [("load", ISSUE + LATENCY, LOAD)]
    assert times(dma_in, "stall") == [("wait: latency", 0, ISSUE + LATENCY)]
    assert times(matrix) == [("matmul", LOAD, LOAD + PRODUCT - DRAIN)]
    drain = ("drain", LOAD + PRODUCT - DRAIN, LOAD + PRODUCT)
    assert times(matrix, "stall") == [("wait: dma_in", 0, LOAD), drain]
    done = LOAD + PRODUCT + CONVERT
    assert times(vector) == [("convert", LOAD + PRODUCT, done)]
    assert times(dma_out) == [("store", done + ISSUE + LATENCY, done + LOAD)]
    assert [name for name, *_ in times(dma_out, "stall")] == ["wait: vector", "wait: latency"]
    arrows = [("load", "matmul"), ("matmul", "convert"), ("convert", "store")]
    assert [ends(flow) for flow in result.flows] == arrows
    (args,) = (each.args for each in matrix.slices if each.category == "instruction")
    assert (args["nodes"], args["op"], args["macs"]) == ("Conv_1", "Conv_1_out", 64**3)
    assert (args["start_cycle"], args["end_cycle"]) == (LOAD, LOAD + PRODUCT)
    assert dma_in.slices[-1].args["bytes"] == 6400


def test_bandwidth():
    """A load of 6400 bytes in 100 cycles at 1 GHz is 64 GB/s."""
    counter = traced(chain()).counters[SHARED, "global memory bandwidth (GB/s)"]
    last = 2 * LOAD + PRODUCT + CONVERT
    rates = [(time, values["GB/s"]) for time, values in counter]
    assert rates == [(LOAD - 100, 64), (LOAD, 0), (last - 100, 64), (last, 0)]


def test_shared_bandwidth_is_full_and_no_more():
    """Four loads of different lengths: 128 GB/s while at least two move, then what one port takes."""
    build = Builder(cores=4)
    for core, size in enumerate((3200, 3200, 6400, 12800)):
        build.load(core, size)
    counter = traced(build).counters[SHARED, "global memory bandwidth (GB/s)"]
    # 32 GB/s each for 100 ns, then 64 for each of two for 50 ns, then 100 ns of one at 64.
    begin = ISSUE + LATENCY
    expected = [(begin, 128), (begin + 100, 128), (begin + 150, 64), (begin + 250, 0)]
    assert [(time, values["GB/s"]) for time, values in counter] == expected


def test_memory_use():
    """From the first write of a value to its last read."""
    counters = traced(chain()).counters
    # The load writes bytes 0 to 6399. The product reads 4096 of them and its weights, the convert
    # reads 256 and writes 256, the store reads 6400.
    local = dict(counters["core 0", "local memory use (bytes)"])
    done = LOAD + PRODUCT + CONVERT
    assert local[LOAD - 100] == {"bytes": 6400}
    assert local[LOAD] == {"bytes": 6400 + 64 * 64}
    assert local[LOAD + PRODUCT] == {"bytes": 6400 + 256}
    assert local[done] == {"bytes": 6400}
    assert local[done + LOAD] == {"bytes": 0}
    acc = counters["core 0", "accumulator use (bytes)"]
    assert acc == [(LOAD, {"bytes": 4 * 64 * 64}), (LOAD + PRODUCT, {"bytes": 0})]


def test_memory_is_given_back_between_values():
    """Two values one after the other in the same bytes: free from the last read of one to the write of the next."""
    build = Builder()
    build.load(0, 640)
    build.copy_rows(0, 0, 0x20000, columns=160, wait_dma_in=1)
    build.load(0, 640, wait_vector=1)
    build.store(0, 640, wait_dma_in=2)
    run = timing(build)
    moves, stops = run.history.move, run.history.end
    when, size = memory_use(run)["local", 0]
    in_use = dict(zip(when.tolist(), size.tolist(), strict=True))
    assert in_use[moves[0]] == 640
    assert in_use[moves[1]] == 2 * 640
    assert in_use[stops[1]] == 0
    assert in_use[moves[2]] == 640
    assert in_use[stops[3]] == 0


def test_arrows_of_counters_and_multicasts():
    """A counter's arrow comes from the signal that brought it to the value awaited: here the later one."""
    build = Builder(cores=2)
    build.load(0, 6400, signal_counter=3, signal_cores=0b10)
    build.load(1, 64, dst=64, signal_counter=3, signal_cores=0b10)
    build.matmul(1, wait_counter=3, wait_value=2)
    build.load(0, 640, dst=8192, group=1)
    build.load(1, 640, dst=8192, group=1)
    result = traced(build)
    assert len(result.flows) == 1
    source, target = result.flows[0]
    assert source is result.tracks["core 0", "dma_in"].slices[1]
    assert (source.name, target.name, source.args["bytes"]) == ("load", "matmul", 6400)
    assert ("wait: counter", 0, target.start) in times(result.tracks["core 1", "matrix"], "stall")
    interconnect = result.counters[SHARED, "interconnect bandwidth (GB/s)"]
    assert max(values["GB/s"] for _, values in interconnect) == pytest.approx(64, rel=1e-4)


def test_a_multicast_of_stores_is_one_slice():
    """It names its instructions; what waits for any of them has an arrow from it."""
    build = Builder(cores=3)
    build.load(0, 640)
    for core in range(3):
        build.send(0, 640, core + 1 if core else 0, dst=4096, group=1, wait_dma_in=1)
    build.copy_rows(0, 8192, 16384, wait_dma_out=3)
    result = traced(build)
    slices = result.tracks["core 0", "dma_out"].slices
    (sent,) = [each for each in slices if each.category == "instruction"]
    assert sent.args["multicast"] == [1, 2, 3] and sent.args["bytes"] == 640
    assert sent.end - sent.start == 2 * 640 // 64
    assert [ends(flow) for flow in result.flows] == [("load", "store")] * 3 + [("store", "convert")]


@pytest.mark.parametrize("clock_ghz", [0.3, 0.7, 1.53, 7.0])
def test_other_clocks_and_repetitions(clock_ghz: float):
    """Rounding to nanoseconds makes no slices overlap; each repetition is there."""
    build = chain()
    build.target = changed(clock_ghz=clock_ghz)
    result = traced(build, repeat=3)
    matrix = result.tracks["core 0", "matrix"]
    products = [s for s in matrix.slices if s.category == "instruction"]
    assert [s.args["repetition"] for s in products] == [0, 1, 2]
    assert products[0].start == round(products[0].args["start_cycle"] / clock_ghz)
    assert len(result.flows) == 9


def test_queues_have_threads_of_their_own():
    build = Builder(target=changed(dma={"queues": 2}))
    for i in range(4):
        build.load(0, 6400, dst=6400 * i)
    result = traced(build)
    first, second = result.tracks["core 0", "dma_in"], result.tracks["core 0", "dma_in queue 2"]
    assert len(times(first)) == len(times(second)) == 2
    assert times(first)[0][1] < times(second)[0][1] < times(first)[0][2]


def test_a_program_without_instructions():
    result = traced(Builder())
    assert not result.flows and not result.counters
