"""Columns and channels of outputs that are worse than the others."""

import numpy as np
import pytest
from smalti.compiler.analysis.comparison import Difference
from smalti.compiler.analysis.comparison_table import format_comparison, format_outputs
from smalti.compiler.analysis.output_parts import OutputDifference

RNG = np.random.default_rng(0)


def head(axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Make four boxes of 0 to 640 and six scores of 0 to 1 along an axis, and what INT8 with one scale makes of it."""
    sizes = np.repeat([640.0, 1.0], [4, 6])
    reference = np.moveaxis(RNG.uniform(0, 1, (2, 30, 10)) * sizes, 2, axis)
    return np.round(reference / 2.5) * 2.5, reference


@pytest.mark.parametrize(("axis", "kind"), [(1, "channel"), (2, "column")])
def test_a_head_of_boxes_and_scores(axis: int, kind: str):
    got, reference = head(axis)
    found = OutputDifference.between("y", got, reference)
    assert [str(part) for part in found.parts] == [f"{kind}s 0..3", f"{kind}s 4..9"]
    boxes, scores = (part.difference for part in found.parts)
    assert boxes.snr_db > 40 and abs(scores.snr_db) < 1e-6 and found.whole.snr_db > 40
    chosen = np.take(reference, range(4), axis)
    assert boxes == Difference.between("y", np.take(got, range(4), axis), chosen)
    assert found.parts[1].to_json()["first"] == 4 and found.parts[1].to_json()["axis"] == axis


def test_a_single_bad_channel():
    reference = RNG.normal(size=(2, 5, 8, 8))
    got = reference + RNG.normal(size=reference.shape) * 0.01
    assert not OutputDifference.between("y", got, reference).parts
    got[:, 3] = 0
    parts = OutputDifference.between("y", got, reference).parts
    assert [str(part) for part in parts] == ["channels 0..2", "channel 3", "channel 4"]


@pytest.mark.filterwarnings("error")
def test_parts_that_are_equal_or_infinite():
    """A part that is equal divides nothing; one with a wrong infinity does."""
    reference = RNG.normal(size=(20, 6))
    got = reference.copy()
    assert not OutputDifference.between("y", got, reference).parts
    got[:, :3] += 0.01
    assert not OutputDifference.between("y", got, reference).parts
    got[4, 2] = np.inf
    found = OutputDifference.between("y", got, reference)
    assert [str(part) for part in found.parts] == ["columns 0..1", "columns 2..5"]
    assert [part.difference.unmatched for part in found.parts] == [0, 1]
    empty = np.zeros((2, 0, 3))
    assert OutputDifference.between("y", empty, empty).whole.equal


def test_parts_of_few_elements_are_not_judged():
    reference = RNG.normal(size=(8, 1000))
    got = reference + RNG.normal(size=reference.shape) * 0.05
    assert not OutputDifference.between("y", got, reference).parts
    flat = OutputDifference.between("y", got[:, 0], reference[:, 0])
    assert not flat.parts


def test_text():
    got, reference = head(2)
    found = OutputDifference.between("y", got, reference)
    lines = format_outputs([found]).splitlines()
    assert [line[:14].strip() for line in lines[1:]] == ["y", "columns 0..3", "columns 4..9"]
    wrong = np.array([np.nan, 1.0])
    tensors = [Difference.between("t", wrong, np.ones(2)), Difference.between("u", wrong, wrong)]
    lines = format_comparison([found], tensors, "worst first", 1).splitlines()
    assert [line.split("  ")[0].strip() or line.strip() for line in lines[:2]] == [
        "tensor",
        "outputs",
    ]
    assert lines[5:7] == ["other tensors, worst first", lines[6]] and lines[6].startswith("  t ")
    assert lines[7:] == [
        "    1 element is infinite or NaN on one side only",
        "  … 1 more (--limit 0 shows all)",
    ]


def test_of_many_ranges_the_worst_are_shown():
    reference = RNG.normal(size=(20, 40))
    got = reference + 0.001
    got[:, ::4] = 0
    lines = format_outputs([OutputDifference.between("y", got, reference)]).splitlines()
    assert len(lines) == 9 and lines[-1].strip() == "… 14 better ranges"
