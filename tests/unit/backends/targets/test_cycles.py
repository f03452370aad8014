"""The cycle formulas, against SCALE-Sim's figures and against counting."""

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.targets import cycles
from smalti.backends.targets.systolic import gemm_cycles
from smalti.backends.targets.target import load_target

DATAFLOWS = {"ws": "weight_stationary", "os": "output_stationary", "is": "input_stationary"}

# Layer, M, K, N, array, and the cycles that SCALE-Sim 3.0 reports for the three dataflows (compute
# only).
SCALESIM = [
    ("rn50_conv1", 12544, 147, 64, 32, {"ws": 126379, "os": 163855, "is": 309679}),
    ("rn50_conv1", 12544, 147, 64, 128, {"ws": 25851, "os": 39297, "is": 87415}),
    ("rn50_l1_3x3_64", 3136, 576, 64, 32, {"ws": 116279, "os": 125047, "is": 278711}),
    ("rn50_l1_3x3_64", 3136, 576, 64, 128, {"ws": 17589, "os": 20749, "is": 55749}),
    ("rn50_l2_1x1a_256_128", 3136, 256, 128, 32, {"ws": 103359, "os": 124655, "is": 174047}),
    ("rn50_l2_1x1a_256_128", 3136, 256, 128, 128, {"ws": 7035, "os": 12749, "is": 25499}),
]


@pytest.mark.parametrize("layer, m, k, n, size, reported", SCALESIM)
def test_gemm_cycles_is_scalesims_closed_form(layer, m, k, n, size, reported):
    for short, expected in reported.items():
        assert gemm_cycles(m, k, n, size, size, DATAFLOWS[short]) - 1 == expected, (
            layer,
            short,
        )


def test_gemm_cycles_matches_every_row_of_the_reference(shared_file):
    with shared_file("reference/scalesim.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) > 50
    for row in rows:
        size = int(row["array"])
        sizes = (int(row[name]) for name in "MKN")
        got = gemm_cycles(*sizes, size, size, DATAFLOWS[row["dataflow"]])
        assert got - 1 == float(row["cycles"]), row


@settings(max_examples=50)
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(sorted(DATAFLOWS.values())),
    st.integers(1, 5),
)
def test_overlap_never_costs_and_never_beats_the_peak(m, k, n, rows, columns, dataflow, repeat):
    plain = gemm_cycles(m, k, n, rows, columns, dataflow, repeat=repeat)
    overlapped = gemm_cycles(m, k, n, rows, columns, dataflow, True, repeat)
    assert plain == repeat * gemm_cycles(m, k, n, rows, columns, dataflow)
    assert overlapped <= plain
    assert overlapped * rows * columns >= m * k * n * repeat


def test_overlap_hides_the_loads_but_the_first():
    # 4 folds of a 32x32 array, 100 rows streamed: 4 * 100, one load (32), one drain (32 + 32 - 2).
    assert gemm_cycles(100, 64, 64, 32, 32, "weight_stationary", True) == 400 + 32 + 62
    # With 10 rows to stream the loads of 32 rows are what takes time, but for the last fold.
    assert gemm_cycles(10, 64, 64, 32, 32, "weight_stationary", True) == 3 * 32 + 10 + 32 + 62


def test_empty_products_take_no_time():
    assert gemm_cycles(0, 3, 4, 8, 8, "weight_stationary") == 0
    with pytest.raises(ValueError, match="sideways"):
        gemm_cycles(1, 1, 1, 8, 8, "sideways")  # type: ignore[arg-type]


def test_matrix_cycles_of_a_slower_type():
    target = load_target("default-8c")
    fast = cycles.matrix_cycles(target, "i8", m=1000, k=64, n=64)
    assert fast == 1000 + 64 + 126
    assert cycles.matrix_cycles(target, "f32", m=1000, k=64, n=64) == 4000 + 64 + 126
    with pytest.raises(DiagnosticError, match="no rate for type 'f64'"):
        cycles.matrix_cycles(target, "f64", m=1, k=1, n=1)


def test_vector_and_transfer_costs():
    target = load_target("default-8c")
    assert cycles.vector_cycles(target, "i8", 257, 3) == 8 + 3 * 2
    assert cycles.vector_cycles(target, "bool", 256, 1) == 8 + 1
    assert cycles.transfer_issue_cycles(target, 1) == 16
    assert cycles.transfer_issue_cycles(target, 5) == 20
    assert cycles.further_store_issue_cycles(target) == 16
    assert cycles.local_write_cycles(target, 65) == 2
    assert cycles.transfer_bytes_on_bus(target, 65, 1) == 128
    assert cycles.transfer_bytes_on_bus(target, 3, 10) == 640


def groups_of(target, sizes, strides):
    """Lane groups counted element by element: a new one for each element that does not follow the one before it."""
    steps = [0]
    for size, stride in zip(sizes, strides, strict=True):
        steps = [at + i * stride for at in steps for i in range(size)]
    first = next((s for n, s in zip(sizes[::-1], strides[::-1], strict=True) if n > 1), 1)
    groups, length = 0, 0
    for before, at in zip([None, *steps], steps, strict=False):
        follows = before is not None and at == before + first and first in (0, 1)
        length = length + 1 if follows else 1
        groups += length == 1 or (first == 1 and (length - 1) % target.vector.lane_group == 0)
    return groups


def nested_strides(sizes, kinds):
    """Strides of an operand of these sizes: dense, or by kind repeated or spread."""
    strides, step = [], 1
    for size, kind in zip(reversed(sizes), reversed(kinds), strict=True):
        strides.append(0 if kind == "repeat" else step)
        step *= 1 if kind == "repeat" else size * (7 if kind == "spread" else 1)
    return strides[::-1]


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(1, 20), st.sampled_from(["dense", "repeat", "spread"])), min_size=1, max_size=3)
)  # fmt: skip
def test_lane_groups_are_those_counted_element_by_element(axes):
    target = load_target("default-8c")
    sizes, kinds = zip(*axes, strict=True)
    strides = nested_strides(sizes, kinds)
    counted = groups_of(target, sizes, strides)
    found = cycles.lane_groups_read(target, sizes, strides)
    # The end of a repeated row may happen to lie beside the start of the next one.
    assert found == counted if "repeat" not in kinds[:-1] else found >= counted


def test_a_product_of_few_rows_on_the_vector_unit():
    target = load_target("default-8c")
    startup, lanes = target.vector.startup_cycles, target.vector.lanes["i8"]
    assert (target.vector.lane_group, lanes) == (16, 256)
    # A row of 10 columns takes a lane group, so that 16 rows are multiplied in a cycle; 20 columns take two.
    for columns, cycles_of_product in ((10, 4), (20, 8)):
        one = cycles.vector_product_cycles(target, "i8", m=1, k=64, n=columns)
        assert one == startup + cycles_of_product
    two = cycles.vector_product_cycles(target, "i8", m=2, k=64, n=10, repeat=3)
    assert two == startup + 2 * 3 * 4
    # MobileNetV2's logits on one of eight cores: 640 cycles, in place of 40 folds of 64 rows.
    logits = {"m": 1, "k": 1280, "n": 125}
    assert cycles.vector_product_cycles(target, "i8", **logits) == startup + 640
    assert cycles.matrix_cycles(target, "i8", **logits) > 40 * 64


def test_a_strided_operand_is_read_element_by_element():
    target = load_target("default-8c")
    # 3 x 6,272 bytes, transposed by strides: each takes a lane group, of which 256 / 16 are read in a cycle.
    groups = cycles.lane_groups_read(target, (6272, 3), (1, 6272))
    assert groups == 3 * 6272
    assert cycles.vector_cycles(target, "i8", 3 * 6272, 1, groups) == 8 + 3 * 6272 // 16
    # Whole rows, repeated rows and repeated elements are read as fast as they are computed on.
    for strides in ((64, 1), (0, 1), (1, 0), (0, 0)):
        groups = cycles.lane_groups_read(target, (100, 64), strides)
        assert cycles.vector_cycles(target, "i8", 6400, 1, groups) == 8 + 25


def test_a_permutation_passes_whole_blocks():
    target = load_target("default-8c")
    # 392 blocks of 16 x 16, 16 of them side by side, 16 cycles each.
    assert cycles.permute_cycles(target, "i8", tiles=1, rows=3, columns=6272) == 8 + 392
    assert cycles.permute_cycles(target, "f32", tiles=2, rows=17, columns=16) == 8 + 2 * 2 * 4
