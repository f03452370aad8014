"""The instruction gather: its values, its cycles, and what the sanitizer sees of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program.program import Port, Program
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.timing.timing_result import Timing
from smalti.backends.targets.target import load_target

from .stream_builder import Builder

ROWS, PITCH = 6, 16
TARGET = load_target("default-8c")


def gather(index: str, count: int = 4, rows: int = ROWS, at: int = 2048) -> Builder:
    """A program that gathers bytes 4 to 12 of rows of 16 bytes and stores them. Their numbers lie in `index` memory, if
    that is the local one `at` an address.
    """
    build = Builder(input=4096, output=4096)
    build.inputs = [Port("table", (ROWS, PITCH), "u8", 0), Port("ids", (count,), "i32", 1024)]
    build.outputs = [Port("y", (count, 8), "u8", 0)]
    where: dict[str, Any] = {"index_space": index, "index": 1024, "index_segment": "input"}
    waits: dict[str, Any] = {"wait_dma_in": 1}
    if index == "local":
        build.load(0, 4 * count, src=1024, dst=2048)
        where, waits = {"index_space": index, "index": at}, {"wait_dma_in": 2}
    build.add(
        0, "gather", table_segment="input", table=0, table_rows=rows, row_offset=4, row_bytes=8,
        pitch=PITCH, index_type="i32", rows=count, out=0, **where,
    )  # fmt: skip
    build.store(0, 8 * count, **waits)
    return build


def timing_of(program: Program) -> Timing:
    """The timing of one run."""
    timing = simulate(program, None, mode="timing").timing
    assert timing is not None
    return timing


@pytest.mark.parametrize("index", ["global", "local"])
def test_values(index: str):
    """Each of two samples has a table and indices of its own; negative ones count from the end."""
    rng = np.random.default_rng(0)
    table = rng.integers(0, 256, (2 * ROWS, PITCH)).astype(np.uint8)
    ids = np.array([0, 5, -1, -6, 3, 3, -2, 1], np.int32)
    given = {"table": table, "ids": ids}
    found = simulate(gather(index).program(), given, sanitize=True).outputs
    assert found is not None
    first, second = table[:ROWS, 4:12][ids[:4]], table[ROWS:, 4:12][ids[4:]]
    np.testing.assert_array_equal(found["y"], np.concatenate([first, second]))


def test_no_index_reads_outside_the_table():
    table = np.zeros((ROWS, PITCH), np.uint8)
    for index in (ROWS, -ROWS - 1):
        given = {"table": table, "ids": np.array([0, 0, index, 0], np.int32)}
        with pytest.raises(
            DiagnosticError, match=rf"gather.*index {index} is out of range: the table has 6 rows"
        ):
            simulate(gather("global").program(), given)
    with pytest.raises(DiagnosticError, match="segment"):
        simulate(gather("global", rows=4096).program(), None, mode="timing")


def test_the_sanitizer_sees_table_indices_and_rows():
    """A store that does not wait, and indices that nobody loaded, are reported."""
    build = gather("global")
    build.words[0][-1][1].pop("wait_dma_in")
    with pytest.raises(DiagnosticError) as error:
        simulate(
            build.program(),
            {"table": np.zeros((ROWS, PITCH), np.uint8), "ids": np.zeros(4, np.int32)},
            sanitize=True,
        )
    assert any("store" in note and "gather" in note for note in error.value.notes)
    build = gather("local", at=3072)
    with pytest.raises(DiagnosticError) as error:
        simulate(
            build.program(),
            {"table": np.zeros((ROWS, PITCH), np.uint8), "ids": np.zeros(4, np.int32)},
            sanitize=True,
        )
    assert any("(gather" in note and "nobody wrote" in note for note in error.value.notes)


def test_cycles():
    """Each row takes an address and bursts of its own; indices in global memory come first, after its latency."""
    memory, dma = TARGET.global_memory, TARGET.dma

    def alone(count: int) -> float:
        build = gather("global", count)
        build.words[0].pop()
        return timing_of(build.program()).cycles

    few, many = alone(4), alone(132)
    rate = min(TARGET.global_bytes_per_cycle, TARGET.local_memory.bytes_per_cycle)
    assert many - few == pytest.approx(128 + (128 * memory.burst_bytes + 128 * 4) / rate, abs=1)
    first = 5 * memory.burst_bytes / rate
    assert few == pytest.approx(dma.issue_cycles + 3 + 2 * memory.latency_cycles + first, abs=1)


def test_bytes():
    """Rows and indices count as read; the bus carries whole bursts."""
    timing = timing_of(gather("global").program())
    assert timing.bytes_read == 4 * 8 + 4 * 4
    assert timing.memory_bytes["global_bus"] == TARGET.global_memory.burst_bytes * 6
