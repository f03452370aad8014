"""Matrix products of floats: equal columns have equal sums, wherever they stand."""

import numpy as np
import pytest
from smalti.backends.numerics.matmul import matmul


@pytest.mark.parametrize("columns", [2, 3, 13, 24, 120, 125, 250, 1000])
@pytest.mark.parametrize("depth", [64, 1000])
def test_equal_columns_of_one_row_have_equal_sums(depth: int, columns: int):
    generator = np.random.default_rng(depth)
    row = generator.random((1, depth), np.float32) * np.float32(1e6)
    column = generator.random((depth, 1), np.float32)
    sums = matmul(row, np.tile(column, columns), "f32")
    assert sums.shape == (1, columns)
    assert len(np.unique(sums)) == 1
    np.testing.assert_allclose(sums[0, 0], (row.astype("f8") @ column).item(), rtol=1e-5)
