"""The host's functions against plain loops, and what an instruction may ask of them."""

import numpy as np
import pytest
from smalti.backends.instructions.instruction_set import HostCall
from smalti.backends.numerics.device.along_axis import host_call
from smalti.backends.numerics.host import HOST_FUNCTIONS, call_function

RNG = np.random.default_rng(3)
X = RNG.integers(-4, 5, (2, 3, 7, 4)).astype(np.float32)
"""Samples, outer, length, inner; with many equal elements."""


def call(function: str, out_length: int, **flags: int) -> np.ndarray:
    """The function of X, flat as the simulator gives it."""
    positions = HOST_FUNCTIONS[function].gives == "i64"
    return host_call(
        X.reshape(2, -1), function=function, type="f32", out_type="i64" if positions else "f32",
        x_segment="input", out_segment="output", outer=3, length=7, inner=4, out_length=out_length, **flags,
    )  # fmt: skip


def columns():
    """Every place of X but that along the axis, and the list of numbers there."""
    for sample, outer, inner in np.ndindex(2, 3, 4):
        yield (sample, outer, slice(None), inner), X[sample, outer, :, inner].tolist()


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize(("function", "extreme"), [("argmax", max), ("argmin", min)])
def test_position_of_an_extreme(function: str, extreme, last: int):
    got = call(function, 1, last=last)
    assert got.dtype == np.int64 and got.shape == (2, 3, 1, 4)
    for place, numbers in columns():
        found = [i for i, number in enumerate(numbers) if number == extreme(numbers)]
        assert got[place].tolist() == [found[-last]]


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("exclusive", [0, 1])
def test_running_sums(exclusive: int, reverse: int):
    got = call("cumsum", 7, exclusive=exclusive, reverse=reverse)
    assert got.dtype == np.float32
    for place, numbers in columns():
        for i, value in enumerate(got[place].tolist()):
            part = numbers[i + exclusive :] if reverse else numbers[: i + 1 - exclusive]
            assert value == sum(part)


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_largest_and_smallest(count: int, largest: int):
    values = call("top_k_values", count, largest=largest)
    places = call("top_k_indices", count, largest=largest)
    for place, numbers in columns():
        order = sorted(range(7), key=lambda i: (-numbers[i] if largest else numbers[i], i))
        assert places[place].tolist() == order[:count]
        assert values[place].tolist() == [numbers[i] for i in order[:count]]


def test_cumsum_rounds_once():
    """In f16 the sums of 0.1 would stand still at 256; they are summed in f64."""
    x = np.full((1, 4096), 0.1, np.float16)
    flags = {"exclusive": 0, "reverse": 0}
    got = call_function("cumsum", x.reshape(1, 4096, 1), 4096, flags)
    exact = np.float64(np.float16(0.1)) * np.arange(1, 4097)
    np.testing.assert_array_equal(got.reshape(-1), exact.astype(np.float16))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"type": "i8", "out_type": "i8"}, "type as its function takes it"),
        ({"out_segment": "weights"}, "out_segment one of output, scratch"),
        ({"out_type": "i64"}, "out_type as its function gives it for type"),
        ({"out_length": 9}, "out_length as its function gives it for length"),
        ({"last": 1}, "no flag but those of its function"),
    ],
)
def test_rules_of_the_instruction(changed: dict[str, object], words: str):
    fields = {field.name: field.default for field in HostCall.fields} | {
        "function": "cumsum", "type": "f32", "out_type": "f32", "x_segment": "input", "out_segment": "output",
        "x": 0, "out": 0, "outer": 2, "length": 8, "inner": 1, "out_length": 8,
    }  # fmt: skip
    assert all(holds(fields) for _, holds in HostCall.rules)
    broken = [text for text, holds in HostCall.rules if not holds(fields | changed)]
    assert len(broken) == 1 and broken[0].startswith(words)
