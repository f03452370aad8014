"""Normalizations of sums and of embeddings, as ONNX Runtime's optimizer and quantizer write them."""

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import import_model

from .one_node import RNG, check, floats, model_of

WORDS = RNG.integers(0, 9, (2, 3)).astype(np.int32)
SEGMENTS = RNG.integers(0, 2, (2, 3)).astype(np.int32)
MASK = np.array([[1, 1, 0], [1, 1, 1]], np.int32)


@pytest.mark.parametrize("skip", [(2, 3, 16), (3, 16)])
@pytest.mark.parametrize("op", ["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"])
def test_residual_sum_is_a_result_too(op, skip):
    if len(skip) == 2 and op == "SkipSimplifiedLayerNormalization":
        skip = (2, 3, 16)
    affine = {"g": floats(16), "b": floats(16), "c": floats(16)}
    order = "x s g b c" if op == "SkipLayerNormalization" else "x s g c"
    inputs = {"x": floats(2, 3, 16), "s": floats(*skip)}
    given = {name: each for name, each in affine.items() if name in order}
    check(op, inputs, given, order, "y - - y3", device=True, epsilon=1e-5)


def test_without_beta_and_bias():
    inputs = {"x": floats(2, 3, 16), "s": floats(2, 3, 16)}
    check("SkipLayerNormalization", inputs, {"g": floats(16)}, "x s g")


def test_results_without_a_name_are_not_used():
    """Not even where an operand without a name is left out."""
    inputs = {"x": floats(2, 3, 16), "s": floats(2, 3, 16)}
    constants = {"g": floats(16), "c": floats(16)}
    check("SkipLayerNormalization", inputs, constants, "x s g - c", "y - - y3")


def test_root_of_the_mean_square_in_the_domain_of_onnx():
    inputs = {"x": floats(2, 3, 16)}
    check(
        "SimplifiedLayerNormalization",
        inputs,
        {"g": floats(16)},
        "x g",
        domain="",
        device=True,
        axis=-1,
    )


def test_results_of_statistics_are_refused():
    inputs = {"x": floats(2, 3, 16), "s": floats(2, 3, 16)}
    model = model_of("SkipLayerNormalization", inputs, {"g": floats(16)}, "x s g", "y y1")
    with pytest.raises(DiagnosticError, match="means and deviations"):
        import_model(model)


TABLES = {"w": floats(9, 8), "p": floats(5, 8), "g": floats(8), "b": floats(8)}


def test_embedding_with_segments_and_a_mask():
    inputs = {"i": WORDS, "j": SEGMENTS, "m": MASK}
    check(
        "EmbedLayerNormalization",
        inputs,
        {**TABLES, "s": floats(2, 8)},
        "i j w p s g b m",
        "y y1",
        device=True,
        integers="y1",
    )


def test_embedding_of_given_positions_and_its_sum():
    inputs = {"i": WORDS, "q": RNG.integers(0, 5, (2, 3)).astype(np.int32)}
    order = "i - w p - g b - q"
    check("EmbedLayerNormalization", inputs, TABLES, order, "y y1 y2", integers="y1")


def test_quantized_embedding():
    bytes_of = {
        name: RNG.integers(0, 255, shape).astype(np.uint8)
        for name, shape in {"w": (9, 8), "p": (5, 8), "s": (2, 8), "g": 8, "b": 8}.items()
    }
    scales = {f"{name}s": np.float32(0.01) for name in bytes_of}
    points = {f"{name}z": np.uint8(128) for name in bytes_of}
    order = f"i j w p s g b - {' '.join(scales)} {' '.join(points)}"
    check(
        "QEmbedLayerNormalization",
        {"i": WORDS, "j": SEGMENTS},
        {**bytes_of, **scales, **points},
        order,
        "y y1",
        integers="y1",
    )
