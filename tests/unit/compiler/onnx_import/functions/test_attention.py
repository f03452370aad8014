"""Attention, QAttention and MultiHeadAttention of ONNX Runtime."""

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import import_model

from .one_node import RNG, check, floats, model_of

X = floats(2, 3, 32)
WEIGHTS = {"w": floats(32, 96) / 3, "b": floats(96)}
PAST = floats(2, 2, 4, 5, 8)
MASKS = {
    "of keys": [[1, 1, 0], [1, 1, 1]],
    "of lengths": [2, 3],
    "of ends and starts": [2, 3, 1, 0],
    "of queries and keys": RNG.integers(0, 2, (2, 3, 3)),
}


def ints(values) -> np.ndarray:
    return np.asarray(values, np.int32)


@pytest.mark.parametrize("unidirectional", [0, 1])
@pytest.mark.parametrize("mask", [None, *MASKS])
def test_masks(mask, unidirectional):
    inputs = {"x": X} if mask is None else {"x": X, "m": ints(MASKS[mask])}
    order = "x w b" if mask is None else "x w b m"
    check("Attention", inputs, WEIGHTS, order, num_heads=4, unidirectional=unidirectional)


def test_on_the_device():
    mask = {"m": ints(MASKS["of keys"])}
    check("Attention", {"x": X}, {**WEIGHTS, **mask}, "x w b m", device=True, num_heads=4)


def test_keys_and_values_before():
    mask = ints([[0, 0, 1, 1, 1, 1, 1, 0], [1] * 8])
    inputs = {"x": X, "p": PAST, "m": mask}
    check("Attention", inputs, WEIGHTS, "x w b m p", "y y1", num_heads=4, unidirectional=1)


def test_bias_of_scores_and_narrow_values():
    inputs = {"x": X, "e": floats(2, 4, 3, 3)}
    constants = {"w": floats(32, 80) / 3, "b": floats(80)}
    more = {"qkv_hidden_sizes": [32, 32, 16], "scale": 0.2}
    check("Attention", inputs, constants, "x w b - - e", num_heads=4, **more)


@pytest.mark.parametrize("columns", [(), (96,)])
@pytest.mark.parametrize("has_past", [False, True])
def test_of_integers(columns, has_past):
    constants = {
        "w": RNG.integers(-60, 60, (32, 96)).astype(np.int8),
        "b": floats(96),
        "xs": np.float32(0.01),
        "ws": RNG.uniform(0.005, 0.02, columns).astype(np.float32),
        "xz": np.uint8(128),
        "wz": np.zeros(columns, np.int8),
    }
    inputs = {"x": RNG.integers(0, 255, (2, 3, 32)).astype(np.uint8)}
    if not has_past:
        check("QAttention", inputs, constants, "x w b xs ws - xz wz", device=True, num_heads=4)
        return
    inputs |= {"m": ints([[1] * 8, [1] * 7 + [0]]), "p": PAST}
    order = "x w b xs ws m xz wz p"
    check("QAttention", inputs, constants, order, "y y1", num_heads=4, unidirectional=1)


@pytest.mark.parametrize("unidirectional", [0, 1])
def test_several_heads_of_keys_before(unidirectional):
    inputs = {"q": X, "k": floats(2, 3, 32), "v": floats(2, 3, 32), "pk": PAST[0], "pv": PAST[1]}
    order = "q k v - - - pk pv"
    more = {"num_heads": 4, "unidirectional": unidirectional}
    check("MultiHeadAttention", inputs, {}, order, "y y1 y2", **more)


def test_several_heads_of_other_keys():
    """Their biases, a mask, an addend of the scores."""
    inputs = {"q": X, "k": floats(2, 5, 32), "v": floats(2, 5, 32)}
    inputs |= {"m": RNG.integers(0, 2, (2, 5)).astype(np.int32), "e": floats(1, 4, 3, 5)}
    constants = {"b": floats(96)}
    check("MultiHeadAttention", inputs, constants, "q k v b m e", device=True, num_heads=4)


@pytest.mark.parametrize("lengths", [(5, 4), (2, 5)])
def test_a_mask_of_lengths_and_of_where_words_would_begin_without_padding(lengths):
    starts = [0, 3, 6, 0, lengths[0], sum(lengths)]
    inputs = {"q": X, "k": floats(2, 5, 32), "v": floats(2, 5, 32), "m": ints([*lengths, *starts])}
    check("MultiHeadAttention", inputs, {}, "q k v - m", num_heads=4)


def test_keys_that_are_heads_already():
    inputs = {"q": X, "k": floats(2, 4, 5, 8), "v": floats(2, 4, 5, 8)}
    check("MultiHeadAttention", inputs, {"b": floats(96)}, "q k v b", num_heads=4)


@pytest.mark.parametrize("packs_queries", [True, False])
def test_packed_operands_are_the_same_as_those_apart(packs_queries):
    """ONNX Runtime computes them on other processors only."""
    q, k, v = (floats(2, 3, 4, 8) for _ in range(3))
    apart = {name: each.reshape(2, 3, 32) for name, each in (("q", q), ("k", k), ("v", v))}
    whole = import_model(model_of("MultiHeadAttention", apart, {}, "q k v", num_heads=4))
    packed = {"q": np.stack([q, k, v], 3)}
    if not packs_queries:
        packed = {"q": apart["q"], "k": np.stack([k, v], 3)}
    order = " ".join(packed)
    other = import_model(model_of("MultiHeadAttention", packed, {}, order, num_heads=4))
    np.testing.assert_allclose(other.run(packed)["y"], whole.run(apart)["y"], atol=1e-6)


def test_a_mask_of_another_shape_is_refused():
    inputs = {"x": X, "m": np.ones((2, 1, 9, 9), np.int32)}
    with pytest.raises(DiagnosticError, match=r"its mask has shape \[2, 1, 9, 9\]"):
        import_model(model_of("Attention", inputs, WEIGHTS, "x w b m", num_heads=4))


def test_a_shared_buffer_is_refused():
    inputs = {"x": X, "p": PAST}
    more = {"num_heads": 4, "past_present_share_buffer": 1}
    with pytest.raises(DiagnosticError, match="past_present_share_buffer"):
        import_model(model_of("Attention", inputs, WEIGHTS, "x w b - p", "y y1", **more))
