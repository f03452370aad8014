"""What is computed about Winograd's F(2x2, 3x3) holds of its arithmetic, and of the formulas of the target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from smalti.backends.targets.target import load_target

from . import winograd

B = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
G2 = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]])
A = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
"""The matrices of the transform: Bᵀ, 2 G and Aᵀ."""


def test_the_transform_is_exact_in_16_bits_and_not_in_8():
    random = np.random.default_rng(1)
    image, kernel = random.integers(-128, 128, (4, 4)), random.integers(-128, 128, (3, 3))
    found = A @ ((G2 @ kernel @ G2.T) * (B @ image @ B.T)) @ A.T
    expected = [[(image[y : y + 3, x : x + 3] * kernel).sum() for x in range(2)] for y in range(2)]
    np.testing.assert_array_equal(found, 4 * np.array(expected))
    # The largest values: each element as far from 0 as it goes, with the sign of its factor.
    inputs = (np.abs(B).sum(axis=1)[:, None] * np.abs(B).sum(axis=1) * 128).max()
    weights = (np.abs(G2).sum(axis=1)[:, None] * np.abs(G2).sum(axis=1) * 128).max()
    assert inputs <= 2**9 < 2 * inputs, "10 bits with the sign"
    assert weights <= 2**11 < 2 * weights, "12 bits with the sign"


def test_it_multiplies_less_and_adds_more():
    target, layer = load_target(winograd.TARGET), winograd.Layer(256, 256, 56, 56)
    plain, short, wide = (
        winograd.direct(layer, target),
        winograd.winograd(layer, target, "i8"),
        winograd.winograd(layer, target, "i16"),
    )
    assert plain.matrix / short.matrix == pytest.approx(2.25, rel=0.02)
    assert wide.matrix > plain.matrix and short.vector == wide.vector > 5 * plain.vector
    assert short.weight_bytes == plain.weight_bytes * 16 // 9 == wide.weight_bytes // 2


def test_the_table_has_a_row_for_layers_that_are_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    page = tmp_path / "page.md"
    page.write_text(f"{winograd.FIGURES.begin}\n{winograd.FIGURES.end}\n")
    monkeypatch.setattr(winograd, "README", page)
    assert winograd.main(["squeezenet", "--write"]) == 0
    rows = [line for line in page.read_text().splitlines() if line.startswith("| squeezenet")]
    assert rows[-1].startswith("| squeezenet | all 8 |") and len(rows) > 2
