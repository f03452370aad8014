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


@settings(max_examples=50, deadline=None)
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
    assert cycles.local_write_cycles(target, 65) == 2
    assert cycles.transfer_bytes_on_bus(target, 65, 1) == 128
    assert cycles.transfer_bytes_on_bus(target, 3, 10) == 640
