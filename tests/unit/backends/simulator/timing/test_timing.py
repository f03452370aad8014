"""Cycles of small programs, against what can be worked out by hand."""

import json
import math

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program.program import Program
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.systolic import gemm_cycles
from smalti.backends.targets.target import Target, load_target

from tests.unit.backends.simulator.stream_builder import Builder

TARGET = load_target("default-8c")
ISSUE, LATENCY, PORT, BANDWIDTH = 16, 200, 64, 128
"""Of default-8c: issue and latency in cycles, bytes per cycle of one port and of global memory."""


def timing(program: Program, **options):
    result = simulate(program, None, mode="timing", **options).timing
    assert result is not None
    return result


def changed(**parts) -> Target:
    table = json.loads(TARGET.to_json())
    for part, values in parts.items():
        table[part] |= values
    return Target.from_json(json.dumps(table))


def test_one_load():
    build = Builder()
    build.load(0, 6400)
    result = timing(build.program())
    assert result.cycles == ISSUE + LATENCY + 6400 // PORT
    assert (result.bytes_read, result.bytes_written) == (6400, 0)
    use = result.engines[0]
    assert (use.busy, use.stalled, use.finished) == (100, {"latency": ISSUE + LATENCY}, 0)


def test_two_cores_share_the_bandwidth_of_four():
    build = Builder(cores=4)
    for core in range(4):
        build.load(core, 6400)
    assert timing(build.program()).cycles == ISSUE + LATENCY + 4 * 6400 // BANDWIDTH


def test_shares_are_divided_anew_when_a_transfer_ends():
    build = Builder(cores=4)
    for core in range(4):
        build.load(core, 3200 if core < 2 else 6400)
    # Until 100 cycles all four get 32 bytes a cycle; then two get 64.
    result = timing(build.program())
    assert result.instructions.end.tolist() == [316, 316, 366, 366]


def test_latencies_overlap_up_to_the_outstanding_limit():
    build = Builder()
    for i in range(8):
        build.load(0, 640, src=640 * i, dst=640 * i)
    # Issued every 16 cycles, 10 cycles of data each: only the issue shows.
    assert timing(build.program()).cycles == 8 * ISSUE + LATENCY + 10
    build.target = changed(dma={"outstanding": 2})
    # Two at a time: every second one waits for the one two before it to finish.
    assert timing(build.program()).cycles == 4 * (ISSUE + LATENCY + 10) + ISSUE
    build.target = changed(dma={"outstanding": 1})
    assert timing(build.program()).cycles == 8 * (ISSUE + LATENCY + 10)


def test_a_train_of_loads_runs_at_full_bandwidth():
    build = Builder()
    for i in range(8):
        build.load(0, 6400, src=6400 * i, dst=6400 * i)
    assert timing(build.program()).cycles == ISSUE + LATENCY + 8 * 100


def test_queues_move_data_side_by_side():
    build = Builder(target=changed(dma={"queues": 2}))
    for i in range(2):
        build.load(0, 6400, dst=6400 * i)
    result = timing(build.program())
    assert result.instructions.move.tolist() == [ISSUE + LATENCY, 2 * ISSUE + LATENCY]
    # Both write the same memory, whose port they share.
    assert result.cycles == ISSUE + LATENCY + 2 * 100


def test_reads_and_writes_of_a_memory_share_its_port():
    build = Builder()
    build.load(0, 6400)
    build.store(0, 6400, src=8192)
    assert timing(build.program()).cycles == ISSUE + LATENCY + 2 * 100
    build = Builder()
    build.load(0, 6400)
    build.add(0, "fill", dst=8192, count=640, type="i8", value=3.0)
    build.store(0, 6400, src=16384, wait_dma_in=1)
    fill_begins = ISSUE + LATENCY + 100
    assert timing(build.program()).instructions.end.tolist()[:2] == [fill_begins, fill_begins + 10]


def test_seven_cores_push_into_the_port_of_one():
    build = Builder(cores=8)
    spaces = {"src_space": "local", "dst_space": "local"}
    for core in range(1, 8):
        build.add(core, "store", **spaces, peer_core=1, src=0, dst=core << 16, run=1 << 16)
    begin = ISSUE + TARGET.interconnect.latency_cycles
    # Sevenths of a rate are rounded down.
    assert timing(build.program()).cycles == pytest.approx(begin + 7 * (1 << 16) // PORT, abs=1)


def test_a_copy_within_a_memory_takes_its_port_twice():
    build = Builder()
    build.add(0, "load", src_space="local", dst_space="local", src=0, dst=8192, run=6400)
    assert timing(build.program()).cycles == ISSUE + 2 * 100


def test_short_runs_cost_whole_bursts_and_their_addresses():
    build = Builder()
    build.load(0, 16, count0=100, src_stride0=1000, dst_stride0=16)
    result = timing(build.program())
    assert result.cycles == ISSUE + 99 + LATENCY + 100 * 64 // PORT
    assert result.bytes_read == 1600 and result.memory_bytes["global_bus"] == 6400
    build = Builder()
    build.load(
        0, 1, count0=64, src_stride0=100, dst_stride0=1, count1=100, src_stride1=1, dst_stride1=64
    )
    assert timing(build.program()).memory_bytes["global_bus"] == 6400


def test_a_product_waits_for_its_load():
    build = Builder()
    build.load(0, 6400, node="Conv_1")
    build.matmul(0, wait_dma_in=1, node="Conv_1")
    build.copy_rows(0, 0, 0x20000, wait_matrix=1, node="Relu_2")
    build.store(0, 6400, wait_vector=1, node="Relu_2")
    result = timing(build.program())
    product = gemm_cycles(64, 64, 64, 64, 64, "weight_stationary", True)
    load, convert, store = ISSUE + LATENCY + 100, 8 + 1, ISSUE + LATENCY + 100
    assert result.cycles == load + product + convert + store
    assert [cycles for _, cycles in result.critical_path] == [load, product, convert, store]
    matrix = result.engines[2]
    drain = 64 + 64 - 2
    assert (matrix.busy, matrix.stalled) == (product - drain, {"dma_in": load, "drain": drain})
    assert matrix.finished == convert + store
    assert result.macs == 64**3
    assert result.utilization == pytest.approx(64 / result.cycles)
    nodes = result.node_costs()
    assert result.by_node() == [("Conv_1", load + product), ("Relu_2", convert + store)]
    assert list(result.op_costs()) == ["Conv_1_out", "Relu_2_out"]
    assert sum(cost.cycles for cost in nodes.values()) == result.cycles
    assert (
        nodes["Conv_1"].busy["matrix"] == product - drain and nodes["Relu_2"].bytes_written == 6400
    )
    assert json.loads(json.dumps(result.to_json()))["cycles"] == result.cycles


def test_double_buffering_hides_the_loads():
    build = Builder()
    for i in range(10):
        fields = {"wait_matrix": i - 1} if i > 1 else {}
        build.load(0, 6400, dst=6400 * (i % 2), **fields)
        build.matmul(0, m=2000, n=16, wait_dma_in=i + 1)
    result = timing(build.program())
    array_load, drain = 64, 64 + 64 - 2
    assert result.cycles == ISSUE + LATENCY + 100 + array_load + 10 * 2000 + drain


def test_counters_between_cores():
    build = Builder(cores=2)
    build.load(0, 6400, signal_counter=3, signal_cores=0b10)
    build.load(1, 64, dst=64, signal_counter=3, signal_cores=0b10)
    build.matmul(1, wait_counter=3, wait_value=2)
    result = timing(build.program())
    load, hop = ISSUE + LATENCY + 100, TARGET.interconnect.latency_cycles
    assert result.instructions.start[2] == load + hop
    assert result.engines[6].stalled == {"counter": load + hop, "drain": 64 + 64 - 2}
    assert [number for number, _ in result.critical_path] == [0, 2]


def test_a_core_reads_another_cores_memory():
    build = Builder(cores=2)
    build.add(1, "load", src_space="local", dst_space="local", peer_core=1, src=0, dst=0, run=6400)
    result = timing(build.program())
    assert result.cycles == ISSUE + TARGET.interconnect.latency_cycles + 100
    assert result.memory_bytes["interconnect"] == 6400 and result.bytes_read == 0


def test_multicast_starts_when_all_have_come():
    build = Builder(cores=3)
    build.load(0, 6400, group=1)
    build.load(1, 640, src=640, dst=8192)
    build.load(1, 6400, group=1)
    build.load(2, 6400, group=1)
    result = timing(build.program())
    assert result.bytes_read == 6400 + 640
    start = ISSUE * 2 + LATENCY
    assert result.cycles == start + 100
    assert result.engines[0].stalled == {"latency": ISSUE + LATENCY, "multicast": ISSUE}
    single = Builder(
        cores=3, target=changed(interconnect={"multicast": False, "gigabytes_per_second": 96})
    )
    single.words = build.words
    # Without multicast three copies go over the interconnect, 32 bytes a cycle each.
    assert timing(single.program()).cycles == start + 200


SENT, HOP = 12544, TARGET.interconnect.latency_cycles


def sending(receivers: list[int], target: Target = TARGET, **fields: int) -> Builder:
    """Core 0 of eight sends the same bytes to cores, in one multicast if `fields` say so."""
    build = Builder(cores=8, target=target)
    for core in receivers:
        build.send(0, SENT, core + 1 if core else 0, dst=1 << 16, **fields)
    return build


def test_a_core_sends_to_all_at_once():
    """Its own port, of 64 bytes a cycle, is taken twice: to read and to write. Each other one is taken once."""
    everyone = list(range(8))
    result = timing(sending(everyone, group=1).program())
    # Every store is issued in 16 cycles; the transfer starts when the last one's latency is over.
    start, flow = 8 * ISSUE + HOP, 2 * SENT // PORT
    assert flow == 392
    assert result.instructions.start[:8].tolist() == [ISSUE * i for i in range(8)]
    assert set(result.instructions.move.tolist()) == {start}
    assert set(result.instructions.end.tolist()) == {start + flow} and result.cycles == start + flow
    use = result.engines[1]
    assert use.busy == flow and use.stalled == {"latency": ISSUE + HOP, "multicast": 7 * ISSUE}
    # Read once, written eight times, over the interconnect once.
    assert result.memory_bytes["local"] == 9 * SENT
    assert result.memory_bytes["interconnect"] == SENT
    assert result.energy_parts["interconnect"] == SENT * 6
    assert max(loads[1] for _, loads in result.history.loads) == pytest.approx(32)
    # Without itself its own port is no longer the slowest.
    others = timing(sending(everyone[1:], group=1).program())
    assert others.cycles == 7 * ISSUE + HOP + SENT // PORT
    # Eight stores move one after the other: the first behind the latency, its own at half the rate.
    alone = timing(sending([*everyone[1:], 0]).program())
    assert alone.cycles == ISSUE + HOP + 7 * SENT // PORT + flow
    assert alone.memory_bytes["local"] == 16 * SENT
    assert alone.memory_bytes["interconnect"] == 7 * SENT


def test_without_multicast_the_interconnect_is_taken_once_for_each_other_core():
    target = changed(interconnect={"multicast": False, "gigabytes_per_second": 112})
    result = timing(sending(list(range(8)), target, group=1).program())
    # Seven copies share 112 bytes a cycle: 16 bytes a cycle each.
    assert result.cycles == 8 * ISSUE + HOP + SENT // 16
    assert result.memory_bytes["interconnect"] == 7 * SENT


def test_further_stores_of_a_multicast_are_issued_without_their_addresses():
    build = Builder(cores=3)
    for core in range(3):
        rows = {"count0": 100, "src_stride0": 128, "dst_stride0": 64}
        build.send(0, 64, core + 1 if core else 0, dst=1 << 16, group=1, **rows)
    starts = timing(build.program()).instructions.start
    assert starts.tolist() == [0, ISSUE + 99, 2 * ISSUE + 99]


@pytest.mark.parametrize("dma", [{"outstanding": 1}, {"outstanding": 2}, {"queues": 2}])
def test_a_multicast_of_stores_is_one_transfer_of_its_engine(dma: dict):
    """However many members it has, they are under way together; the transfer behind waits for its place."""
    build = sending(list(range(1, 8)), changed(dma=dma), group=1)
    build.send(0, 640, 0, dst=1 << 17)
    result = timing(build.program())
    start = 7 * ISSUE + HOP
    end = start + SENT // PORT
    behind = result.instructions.start[7], result.instructions.move[7]
    if dma == {"outstanding": 1}:
        assert behind == (end, end + ISSUE)
    elif dma == {"outstanding": 2}:
        assert behind == (7 * ISSUE, end)
    else:
        # Nothing to wait for but the multicast before it; both take the port from then on.
        assert behind == (7 * ISSUE, start)
        end += 20
    assert result.instructions.end[:7] == pytest.approx([end] * 7, abs=0.001)


def test_a_multicast_of_stores_waits_for_all_that_its_members_wait_for():
    build = Builder(cores=3)
    build.send(0, 6400, 2, dst=1 << 16, group=1)
    build.matmul(0, node="MatMul_1")
    build.send(0, 6400, 3, dst=1 << 16, group=1, wait_matrix=1, signal_counter=0, signal_cores=0b10)
    build.matmul(1, wait_counter=0, wait_value=1)
    result = timing(build.program())
    product = gemm_cycles(64, 64, 64, 64, 64, "weight_stationary", True)
    sent = product + ISSUE + HOP + 100
    assert result.instructions.end[:3].tolist() == [sent, product, sent]
    assert [number for number, _ in result.critical_path] == [1, 2, 3]
    assert sum(cycles for _, cycles in result.critical_path) == result.cycles
    assert result.node_costs()["MatMul_1"].cycles == product
    again = timing(build.program(), repeat=3)
    assert again.cycles == 3 * result.cycles and again.memory_bytes == result.memory_bytes


def test_a_store_that_waits_for_another_of_its_multicast_is_a_deadlock():
    build = Builder(cores=3)
    build.send(0, 64, 2, dst=4096, group=1)
    build.copy_rows(0, 8192, 16384, wait_dma_out=1)
    build.send(0, 64, 3, dst=4096, group=1, wait_vector=1)
    for mode in ("timing", "functional"):
        with pytest.raises(DiagnosticError, match="deadlock") as caught:
            simulate(build.program(), {}, mode=mode)
        assert caught.value.notes == [
            "core 0 instruction 0 (store) waits for core 0 instruction 2 (store) of multicast group 1, "
            "which waits for core 0 instruction 1 (convert)",
            "core 0 instruction 1 (convert) waits for core 0 instruction 0 (store)",
        ]


def test_sync_and_fill_stand_in_the_order_of_dma():
    build = Builder()
    build.load(0, 6400)
    build.add(0, "fill", dst=0, count=640, type="i8", value=3.0)
    build.add(0, "sync", engine="dma_in", signal_counter=1, signal_cores=1)
    build.matmul(0, wait_counter=1, wait_value=1)
    result = timing(build.program())
    assert result.instructions.start[3] == ISSUE + LATENCY + 100 + 10 + 1


def test_repeat_overlaps_cores_but_not_a_core_with_itself():
    build = Builder(cores=2)
    build.load(0, 6400)
    build.load(1, 64000)
    once = timing(build.program())
    thrice = timing(build.program(), repeat=3)
    assert once.cycles == ISSUE + LATENCY + 1000
    assert thrice.cycles == 3 * once.cycles and thrice.steady_cycles == once.cycles
    assert thrice.bytes_read == once.bytes_read
    # Core 0 starts again when it is done, not when core 1 is.
    assert thrice.engines[0].finished == 3 * once.cycles - 3 * (ISSUE + LATENCY + 6400 // PORT)
    with pytest.raises(DiagnosticError, match="repeat must be 1 to"):
        timing(build.program(), repeat=0)
    with pytest.raises(DiagnosticError, match="repeat must be 1 to"):
        timing(build.program(), repeat=10**9)


def test_counters_count_anew_in_each_repetition():
    build = Builder(cores=2)
    build.load(0, 64, signal_counter=0, signal_cores=0b10)
    build.load(1, 6400, signal_counter=0, signal_cores=0b10)
    build.matmul(1, wait_counter=0, wait_value=2)
    once = timing(build.program())
    assert timing(build.program(), repeat=2).cycles == 2 * once.cycles


def test_deadlock_is_told():
    build = Builder(cores=2)
    build.matmul(0, wait_vector=1, node="MatMul_7")
    build.copy_rows(0, 0, 4096, wait_matrix=1)
    build.matmul(1, wait_counter=2, wait_value=1)
    with pytest.raises(DiagnosticError, match="deadlock") as caught:
        timing(build.program())
    text = str(caught.value)
    assert (
        "core 0 instruction 0 (matmul of 'MatMul_7') waits for core 0 instruction 1 (convert)"
        in text
    )
    assert "counter 2 of core 1 to reach 1, now 0 (0 signals in all)" in text


def test_crossed_multicasts_are_a_deadlock():
    build = Builder(cores=2)
    for core, order in ((0, (1, 2)), (1, (2, 1))):
        for group in order:
            build.load(core, 64, src=64 * group, dst=64 * group, group=group)
    with pytest.raises(DiagnosticError, match="deadlock") as caught:
        timing(build.program())
    assert "multicast group 1" in str(caught.value)


def test_the_result_is_deterministic_and_adds_up():
    build = Builder(cores=8)
    for i in range(50):
        for core in range(8):
            build.load(core, 640 + 64 * ((7 * core + i) % 11), dst=4096 * (i % 2))
            build.matmul(core, m=16 + (i * core) % 300, wait_dma_in=i + 1)
            build.store(core, 128, dst=128 * core, wait_matrix=i + 1)
    first, second = timing(build.program()), timing(build.program())
    assert first.to_json() == second.to_json()
    for use in first.engines:
        whole = use.busy + sum(use.stalled.values()) + use.finished
        assert math.ceil(whole) == first.cycles
    assert sum(cycles for _, cycles in first.critical_path) == pytest.approx(first.ticks / 4096)
    assert first.energy_picojoules == pytest.approx(sum(first.energy_parts.values()))
    assert first.energy_parts["macs"] == pytest.approx(first.macs * 0.075)


def test_an_empty_program_takes_no_time():
    result = timing(Builder(cores=2).program())
    assert (result.cycles, result.utilization, result.critical_path) == (0, 0, [])
