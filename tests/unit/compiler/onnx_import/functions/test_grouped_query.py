"""GroupQueryAttention and RotaryEmbedding of ONNX Runtime."""

import numpy as np
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model, import_model

from .one_node import RNG, check, floats, model_of

CACHES = {"c": np.cos(floats(16, 8)), "s": np.sin(floats(16, 8))}
HEADS = {"num_heads": 4, "kv_num_heads": 2}
RESULTS = "y y1 y2"
PLACES = RNG.integers(0, 16, (2, 3))


def operands(batch: int, length: int) -> dict[str, np.ndarray]:
    """New words of some sentences, after five others."""
    return {
        "q": floats(batch, length, 64),
        "k": floats(batch, length, 32),
        "v": floats(batch, length, 32),
        "pk": floats(batch, 2, 5, 16),
        "pv": floats(batch, 2, 5, 16),
    }


def lengths(*last: int) -> dict[str, np.ndarray]:
    """The constants that say where sentences end, of which the first is the longest."""
    return {"l": np.asarray(last, np.int32), "t": np.int32(last[0] + 1)}


@pytest.mark.parametrize(
    ("shape", "places", "attributes"),
    [
        ((2, 3, 32), PLACES, {}),
        ((2, 2, 3, 16), PLACES, {"interleaved": 1}),
        ((2, 3, 32), np.array([5]), {}),
        ((2, 3, 128), PLACES, {"num_heads": 4, "rotary_embedding_dim": 16}),
    ],
)
def test_rotary_embedding(shape, places, attributes):
    inputs = {"x": floats(*shape), "p": places}
    check("RotaryEmbedding", inputs, CACHES, "x p c s", **attributes)


def test_the_first_words():
    inputs = {name: each for name, each in operands(2, 3).items() if len(name) == 1}
    constants = {**lengths(2, 2), **CACHES}
    order = "q k v - - l t c s"
    check(
        "GroupQueryAttention", inputs, constants, order, RESULTS, device=True, do_rotary=1, **HEADS
    )


@pytest.mark.parametrize("places", [np.arange(10).reshape(2, 5), RNG.integers(0, 11, (2, 5))])
def test_the_first_of_given_positions_alone_counts_where_sentences_begin(places):
    inputs = {name: each for name, each in operands(2, 5).items() if len(name) == 1}
    constants = {**lengths(4, 4), **CACHES}
    order = "q k v - - l t c s i"
    inputs["i"] = places
    check("GroupQueryAttention", inputs, constants, order, RESULTS, do_rotary=1, **HEADS)


@pytest.mark.parametrize(("batch", "length"), [(2, 1), (1, 3)])
def test_all_given_positions_count_after_other_words(batch, length):
    inputs = {**operands(batch, length), "i": RNG.integers(0, 16, (batch, length))}
    constants = {**lengths(*[4 + length] * batch), **CACHES}
    order = "q k v pk pv l t c s i"
    check("GroupQueryAttention", inputs, constants, order, RESULTS, do_rotary=1, **HEADS)


def test_given_positions_of_another_shape_are_an_error():
    inputs = {name: each for name, each in operands(2, 3).items() if len(name) == 1}
    inputs["i"] = np.zeros((3, 2), np.int64)
    constants = {**lengths(2, 2), **CACHES}
    model = model_of(
        "GroupQueryAttention",
        inputs,
        constants,
        "q k v - - l t c s i",
        RESULTS,
        do_rotary=1,
        **HEADS,
    )
    with pytest.raises(DiagnosticError, match="position_ids must be 2 x 3, they are 3 x 2"):
        import_model(model)


def test_packed_queries_keys_and_values():
    constants = {**lengths(2, 2), **CACHES}
    more = {"do_rotary": 1, "rotary_interleaved": 1, **HEADS}
    inputs = {"q": floats(2, 3, 128)}
    check("GroupQueryAttention", inputs, constants, "q - - - - l t c s", RESULTS, **more)


@pytest.mark.parametrize(
    "attributes",
    [
        {"local_window_size": 3},
        {"softcap": 2.0, "scale": 0.4},
        {"smooth_softmax": 1},
        {"causal": 0},
    ],
)
def test_words_after_others(attributes):
    inputs, constants = operands(1, 3), {**lengths(7), **CACHES}
    order = "q k v pk pv l t c s"
    more = {"do_rotary": 1, **HEADS, **attributes}
    check("GroupQueryAttention", inputs, constants, order, RESULTS, **more)


def test_an_addend_of_scores_and_a_sink():
    inputs = {**operands(2, 1), "e": floats(2, 4, 1, 6)}
    constants = {**lengths(5, 5), "h": floats(4)}
    order = "q k v pk pv l t - - - e h"
    check("GroupQueryAttention", inputs, constants, order, RESULTS, **HEADS)


@pytest.mark.parametrize("window", [-1, 2])
def test_sentences_of_different_lengths_at_run_time(window):
    """Keys behind the end of a sentence are whatever was there."""
    inputs = {**operands(2, 1), "l": np.array([5, 3], np.int32)}
    constants = {"t": np.int32(6), **CACHES}
    more = {"do_rotary": 1, "local_window_size": window, **HEADS}
    order = "q k v pk pv l t c s"
    model = model_of("GroupQueryAttention", inputs, constants, order, RESULTS, **more)
    expected = run_onnx(model, inputs)
    for network in (import_model(model), compile_model(model, quantize="f32")):
        found = network.run(inputs)
        np.testing.assert_allclose(found["y"], expected["y"], atol=1e-5)
        for name in ("y1", "y2"):
            for sentence, count in enumerate((6, 4)):
                parts = (each[name][sentence, :, :count] for each in (found, expected))
                np.testing.assert_allclose(*parts, atol=1e-5)


@pytest.mark.parametrize(
    ("length", "last"), [(1, (5, 5)), (1, (5, 3)), (3, (7,)), (3, (2, 2))], ids=str
)
def test_keys_and_values_in_buffers_with_room_for_more(length: int, last: tuple[int, ...]):
    """Behind the words so far the buffers keep what they hold, as they do where ONNX Runtime gets them as outputs,
    too.
    """
    batch = len(last)
    buffers = {name: floats(batch, 2, 12, 16) for name in ("pk", "pv")}
    inputs = operands(batch, length) | buffers
    constants, order = {**lengths(*last), **CACHES}, "q k v pk pv l t c s"
    if len(set(last)) > 1:
        inputs["l"] = constants.pop("l")
    model = model_of("GroupQueryAttention", inputs, constants, order, RESULTS, do_rotary=1, **HEADS)
    expected = run_onnx(model, inputs)
    for network in (import_model(model), compile_model(model, quantize="f32")):
        found = network.run(inputs)
        np.testing.assert_allclose(found["y"], expected["y"], atol=1e-5)
        for name, buffer in (("y1", "pk"), ("y2", "pv")):
            np.testing.assert_array_equal(
                found[name][:, :, last[0] + 1 :], inputs[buffer][:, :, last[0] + 1 :]
            )
            for sentence, end in enumerate(last):
                parts = (each[name][sentence, :, : end + 1] for each in (found, expected))
                np.testing.assert_allclose(*parts, atol=1e-5)


def test_an_unknown_number_of_keys_is_refused():
    inputs = {**operands(2, 1), "t": np.int32(6)}
    constants = {"l": np.array([5, 5], np.int32)}
    with pytest.raises(DiagnosticError, match="total_sequence_length is computed at run time"):
        import_model(
            model_of("GroupQueryAttention", inputs, constants, "q k v pk pv l t", RESULTS, **HEADS)
        )
