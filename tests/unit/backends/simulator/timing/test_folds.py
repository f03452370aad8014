"""How the matrix unit overlaps the folds of one instruction with those of the next, worked out by hand."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.timing.timing_result import Timing
from smalti.backends.targets.systolic import gemm_folds
from smalti.backends.targets.target import Target, load_target

from tests.unit.backends.simulator.stream_builder import Builder
from tests.unit.backends.simulator.timing.test_timing import changed

DRAIN = 64 + 64 - 2
"""Of the array of default-8c, in cycles."""
DATAFLOWS = ("weight_stationary", "output_stationary", "input_stationary")


def timing(build: Builder, repeat: int = 1) -> Timing:
    result = simulate(build.program(), None, mode="timing", repeat=repeat).timing
    assert result is not None
    return result


def two_products(m: int, **target: Any) -> Timing:
    build = Builder(target=changed(**target) if target else None)
    build.matmul(0, m=m, node="MatMul_1")
    build.matmul(0, m=m, node="MatMul_2")
    return timing(build)


def test_the_second_load_and_the_first_drain_are_hidden():
    result = two_products(100)
    assert result.instructions.end.tolist() == [64 + 100 + DRAIN, 64 + 200 + DRAIN]
    assert result.cycles == 390
    matrix = result.engines[2]
    assert (matrix.busy, matrix.stalled, matrix.finished) == (264, {"drain": DRAIN}, 0)
    assert [cycles for _, cycles in result.critical_path] == [290, 100]
    assert result.node_costs()["MatMul_1"].busy["matrix"] == 164
    assert result.node_costs()["MatMul_2"].busy["matrix"] == 100


def test_short_products_wait_for_the_next_load():
    assert two_products(10).cycles == 64 + 64 + 10 + DRAIN == 264


def test_without_overlap_each_product_is_alone():
    result = two_products(100, matrix={"overlap": False})
    assert result.cycles == 2 * (64 + 100 + DRAIN) == 580
    assert result.engines[2].stalled == {}


def test_waits_that_are_met_late_show_the_load():
    """The second product's data are there at cycle 150, between its turn (64) and the end of the first (290)."""
    build = Builder(target=changed(vector={"startup_cycles": 149}))
    build.matmul(0, m=100)
    build.copy_rows(0, 0, 65536, rows=1)
    build.matmul(0, m=100, wait_vector=1)
    result = timing(build)
    assert result.instructions.start.tolist() == [0, 0, 150]
    assert result.cycles == 150 + 64 + 100 + DRAIN == 440
    # The unit streams until 164; then only the load of the second product occupies it.
    assert result.engines[2].busy == 164 + (150 + 64 - 164) + 100
    assert result.critical_path[-1] == (2, 440 - 150)


def test_a_reader_is_free_when_the_first_product_is_complete():
    build = Builder()
    build.matmul(0, m=100)
    build.matmul(0, m=100)
    build.copy_rows(0, 0, 65536, wait_matrix=1)
    result = timing(build)
    assert result.instructions.start.tolist() == [0, 64, 290]


def with_a_sync(vector_cycles: int = 0, **target: Any) -> Timing:
    """Two products with a sync between them, which waits for a vector instruction if that takes cycles."""
    if vector_cycles:
        target["vector"] = {"startup_cycles": vector_cycles - 1}
    build = Builder(target=changed(**target) if target else None)
    build.matmul(0, m=100, node="MatMul_1")
    if vector_cycles:
        build.copy_rows(0, 0, 65536, rows=1)
    build.add(0, "sync", engine="matrix", wait_vector=int(vector_cycles > 0))
    build.matmul(0, m=100, node="MatMul_2")
    return timing(build)


def test_a_sync_lets_the_array_go_on():
    """It leaves the queue with the last fold of the product before it, at 64, and the next product one cycle later."""
    result = with_a_sync()
    assert result.instructions.start.tolist() == [0, 64, 65]
    assert result.instructions.end.tolist() == [290, 290, 390]
    matrix = result.engines[2]
    assert (matrix.busy, matrix.stalled, matrix.finished) == (264, {"drain": DRAIN}, 0)
    assert result.critical_path == [(0, 290), (2, 100)]


def test_a_sync_holds_the_next_product_back():
    """What it waits for is there at cycle 150; it takes a cycle, and the load of the second product is seen."""
    result = with_a_sync(vector_cycles=150)
    assert result.instructions.start.tolist() == [0, 0, 150, 151]
    assert result.cycles == 151 + 64 + 100 + DRAIN == 441
    assert result.engines[2].busy == 164 + (151 + 64 - 164) + 100
    # The sync completes after the first product, so that a part of the second one's time is taken for its own.
    assert result.critical_path == [(1, 150), (2, 290 - 150), (3, 441 - 290)]


def test_without_overlap_a_sync_waits_for_the_drain():
    result = with_a_sync(matrix={"overlap": False})
    assert result.instructions.start[1] == 290
    assert result.cycles == 290 + 1 + 290


def test_a_repetition_starts_when_all_is_complete():
    build = Builder()
    build.matmul(0, m=100)
    build.matmul(0, m=100)
    assert timing(build, repeat=2).cycles == 2 * 390


@st.composite
def cuts(draw: Any) -> tuple[Target, list[int], int]:
    """A target, the folds of the parts of a product, and the length that each streams."""
    table = json.loads(load_target("default-8c").to_json())
    table["matrix"] |= {
        "rows": draw(st.sampled_from([4, 16, 32])),
        "columns": draw(st.sampled_from([4, 16, 32])),
        "dataflow": draw(st.sampled_from(DATAFLOWS)),
    }
    parts = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    return Target.from_json(json.dumps(table)), parts, draw(st.integers(1, 64))


@settings(max_examples=100)
@given(cuts())
def test_a_product_cut_between_folds_takes_as_long_as_the_whole(
    case: tuple[Target, list[int], int],
):
    target, parts, stream = case
    unit = target.matrix

    def run(pieces: list[int]) -> int:
        build = Builder(target=target)
        for folds in pieces:
            columns = unit.columns * folds
            sizes = {
                "weight_stationary": {"m": stream, "k": unit.rows, "n": columns},
                "input_stationary": {"m": columns, "k": unit.rows, "n": stream},
                "output_stationary": {"m": unit.rows, "k": stream, "n": columns},
            }[unit.dataflow]
            assert (
                gemm_folds(*sizes.values(), unit.rows, unit.columns, unit.dataflow).count == folds
            )
            build.matmul(0, **sizes)
        return timing(build).cycles

    assert run(parts) == run([sum(parts)])


def test_columns_of_numbers_and_numbers_agree():
    whole = gemm_folds(100, 640, 130, 64, 32, "weight_stationary", 3)
    assert (whole.load, whole.stream, whole.count, whole.drain) == (64, 100, 150, 94)
    assert whole.cycles(64, overlap=True) == 64 + 149 * 100 + 100 + 94
    assert whole.cycles(64, overlap=False) == 150 * (64 + 100 + 94)
    with pytest.raises(ValueError, match="sideways"):
        gemm_folds(1, 1, 1, 8, 8, "sideways")  # type: ignore[arg-type]
