"""A plugin's matrix instruction: its own multiply-accumulates, counted as those of Smalti's instructions are."""

from collections.abc import Iterator

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.access import Operand, accumulators, local
from smalti.backends.instructions.fields import address, integer, storage
from smalti.backends.instructions.instruction_set import (
    BY_MNEMONIC,
    BY_OPCODE,
    Instruction,
    register_instruction,
)
from smalti.backends.numerics.storage import bytes_of
from smalti.backends.simulator.profile import profile
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.timing import timed_run
from smalti.backends.simulator.timing.timing_result import Timing
from smalti.backends.targets.target import load_target

from tests.unit.backends.simulator.stream_builder import Builder
from tests.unit.backends.simulator.timing.test_machine import needs_numba

TARGET = load_target("default-8c")
ROWS, DEPTH = 48, 1000
CYCLES = 2 * ROWS
MACS = ROWS * DEPTH


def row_products(x: np.ndarray, y: np.ndarray, *, type: str, rows: int, depth: int) -> np.ndarray:
    """Multiply the rows of two matrices: [..., rows * depth] twice to [..., rows]."""
    pairs = x.astype(np.int32) * y.astype(np.int32)
    return pairs.reshape(*pairs.shape[:-1], rows, depth).sum(-1, dtype=np.int32)


class RowProducts(Instruction):
    """acc[r] = Σ_k x[r,k] · y[r,k], two cycles a row whatever the matrix unit's shape."""

    mnemonic, opcode, engine = "row_products", 401, "matrix"
    numerics = staticmethod(row_products)
    fields = (
        address("x"),
        address("y"),
        address("acc"),
        storage("type"),
        integer("rows", "<u4", "rows"),
        integer("depth", "<u4", "elements"),
    )

    @staticmethod
    def cycles(f, target):
        return 2 * f["rows"]

    @staticmethod
    def multiply_accumulates(f):
        return f["rows"] * f["depth"]

    @staticmethod
    def accesses(f):
        size = bytes_of(f["rows"] * f["depth"], f["type"])
        out = accumulators(f["acc"], bytes_of(f["rows"], "i32"), write=True)
        return local(f["x"], size), local(f["y"], size), out

    @staticmethod
    def reads(f):
        count = f["rows"] * f["depth"]
        return Operand("x", count, f["type"]), Operand("y", count, f["type"])


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """Have the instruction as a loaded plugin's is, for one test."""
    register_instruction(RowProducts)
    yield
    del BY_MNEMONIC[RowProducts.mnemonic], BY_OPCODE[RowProducts.opcode]


def timed(storage_type: str = "i8", count: int = 1, repeat: int = 1) -> Timing:
    """Run `count` such instructions of 48 rows on one core."""
    build = Builder()
    for _ in range(count):
        build.add(
            0, "row_products", node="Rows_1",
            x=0, y=0x20000, acc=0, type=storage_type, rows=ROWS, depth=DEPTH,
        )  # fmt: skip
    timing = simulate(build.program(), None, mode="timing", repeat=repeat).timing
    assert timing is not None
    return timing


def test_work_energy_and_utilization_are_the_instruction_s():
    timing = timed()
    assert (timing.cycles, timing.macs) == (CYCLES, MACS)
    assert timing.energy_parts["macs"] == pytest.approx(MACS * TARGET.energy.per_mac("i8"))
    mac_time = MACS / (TARGET.matrix.cells * TARGET.matrix.macs_per_cycle["i8"])
    assert timing.costs.mac_time.tolist() == pytest.approx([mac_time])
    assert timing.utilization == pytest.approx(mac_time / CYCLES)
    assert timing.memory_bytes["local"] == 2 * MACS
    assert timing.memory_bytes["accumulator"] == 4 * ROWS


def test_the_profile_counts_it():
    (row,) = profile(timed()).table()
    assert row["macs_count"] == MACS
    assert row["busy_cycles"] == row["critical_path_cycles"] == CYCLES
    assert row["utilization_percent"] == pytest.approx(100 * timed().utilization)


@needs_numba
def test_both_machines_count_the_same(monkeypatch: pytest.MonkeyPatch):
    plain = timed(count=50, repeat=2)
    monkeypatch.setattr(timed_run, "compilation_pays", lambda occurrences: True)
    compiled = timed(count=50, repeat=2)
    assert plain.cycles == compiled.cycles == 2 * 50 * CYCLES
    assert plain.macs == compiled.macs == 50 * MACS
    assert plain.energy_parts == compiled.energy_parts
    assert plain.utilization == compiled.utilization > 0
    assert profile(plain).table() == profile(compiled).table()


def test_a_type_without_a_rate_is_a_diagnostic():
    """The instruction's own cycles do not ask for the rate: its multiply-accumulates do."""
    assert "i32" not in TARGET.matrix.macs_per_cycle
    with pytest.raises(DiagnosticError, match=r"row_products.* cannot run on target") as caught:
        timed("i32")
    assert "has no rate for type 'i32'" in str(caught.value)
