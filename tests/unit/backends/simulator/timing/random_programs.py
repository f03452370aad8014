"""Random small programs on random targets, most of which end."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from smalti.backends.instructions.instruction_set import ENGINES
from smalti.backends.program.program import Program
from smalti.backends.targets.target import Target, load_target

from tests.unit.backends.simulator.stream_builder import Builder


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
    """Programs of loads, stores, peers, fills, products, syncs and multicasts of both kinds, most of which end.

    A wait for an engine names what stands before it in the stream; one for a counter asks for at
    most one signal more than there has been, so that some programs are deadlocks.
    """
    cores = draw(st.integers(1, 4))
    build = Builder(cores, target_of(draw), counters=2)
    done = [dict.fromkeys(ENGINES, 0) for _ in range(cores)]
    signaled = [[0, 0] for _ in range(cores)]
    groups = 0
    for _ in range(draw(st.integers(1, 25))):
        core = draw(st.integers(0, cores - 1))
        kind = draw(
            st.sampled_from(
                ["load", "store", "matmul", "convert", "fill", "sync", "peer", "cast", "send"]
            )
        )
        size = draw(st.sampled_from([1, 64, 640, 5000]))
        if kind == "send":
            groups += 1
            members = draw(st.sets(st.integers(0, cores - 1), min_size=1))
            receivers = draw(st.permutations(sorted(members)))
            orders = [_order(draw, cores, done[core], signaled[core]) for _ in receivers]
            for receiver, order in zip(receivers, orders, strict=True):
                peer = 0 if receiver == core else receiver + 1
                build.send(core, size, peer, dst=8192 + 64 * receiver, group=groups, **order)
                done[core]["dma_out"] += 1
                _note_signals(order, signaled)
            continue
        order = _order(draw, cores, done[core], signaled[core])
        _note_signals(order, signaled)
        if kind == "cast":
            groups += 1
            members = draw(st.sets(st.integers(0, cores - 1), min_size=1))
            for member in draw(st.permutations(sorted(members))):
                build.load(member, size, group=groups, **(order if member == core else {}))
                done[member]["dma_in"] += 1
            continue
        _add(build, draw, core, kind, size, order, done)
    return build.program()


def _order(draw: Any, cores: int, done: dict[str, int], signaled: list[int]) -> dict[str, Any]:
    """Waits and signals of an instruction on a core that has `done` and counted so many."""
    order: dict[str, Any] = {}
    for engine in draw(st.sets(st.sampled_from(ENGINES), max_size=2)):
        order[f"wait_{engine}"] = done[engine]
    if draw(st.integers(0, 3)) == 0:
        counter = draw(st.integers(0, 1))
        value = draw(st.integers(0, signaled[counter] + draw(st.integers(0, 12)) // 12))
        order |= {"wait_counter": counter, "wait_value": value}
    if draw(st.integers(0, 2)) == 0:
        mask = draw(st.integers(1, 2**cores - 1))
        order |= {"signal_counter": draw(st.integers(0, 1)), "signal_cores": mask}
    return order


def _note_signals(order: dict[str, Any], signaled: list[list[int]]) -> None:
    for other, counts in enumerate(signaled):
        counts[order.get("signal_counter", 0)] += order.get("signal_cores", 0) >> other & 1


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
