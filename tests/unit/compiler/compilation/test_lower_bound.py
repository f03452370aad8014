"""The lower bound of networks of one or two layers, worked out by hand."""

import json

import numpy as np
import pytest
from smalti.backends.targets.target import Target, load_target, reference_to
from smalti.compiler.compilation.lower_bound import lower_bound_of
from smalti.dialects.context import make_context
from smalti.dialects.ir.target_attribute import set_target
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.tiling.windows import positions_read

I8, W8 = "!quant.uniform<i8:f32, 0.05:-1>", "!quant.uniform<i8<-127:127>:f32, 0.01>"
DEFAULT = load_target("default-8c")


def tensor(*sizes: int, element: str = I8) -> str:
    """The type of a tensor."""
    return f"tensor<{'x'.join(map(str, sizes))}x{element}>"


def weight(name: str, *sizes: int) -> str:
    return f'%{name} = tpu.weight "{name}" seed = 1 : {tensor(*sizes, element=W8)}'


def conv(
    name: str, x: str, w: str, shapes: tuple[tuple[int, ...], ...], pad: int = 0, more: str = ""
) -> str:
    """A convolution; `shapes` are those of the input, the weights and the output."""
    source, kernel, result = shapes
    return (
        f'%{name} = tpu.conv2d "{name}" %{x}, %{w} pads = [{pad}, {pad}, {pad}, {pad}]{more} '
        f'accumulator = "i32" : ({tensor(*source)}, {tensor(*kernel, element=W8)}) -> {tensor(*result)}'
    )


def parts(
    lines: list[str],
    source: tuple[int, ...],
    result: tuple[int, ...],
    target: Target = DEFAULT,
    cores: int | None = None,
    element: str = I8,
) -> dict[str, int]:
    """The parts of the bound of a function of %x, whose elements are of a type, which returns %y."""
    body = "\n".join(lines)
    text = (
        f"func.func @main(%x: {tensor(*source, element=element)}) -> {tensor(*result)} {{\n{body}\n"
        f"func.return %y : {tensor(*result)}\n}}"
    )
    ctx = make_context()
    module = parse_module(text, ctx)
    set_target(module, reference_to(target), target)
    return dict(lower_bound_of(module, ctx, cores).parts)


def changed(part: str, **fields: object) -> Target:
    """The default target with other values of the fields of a part."""
    described = json.loads(DEFAULT.to_json())
    described[part].update(fields)
    return Target.from_json(json.dumps(described))


SMALL, WIDE, LAST = (1, 64, 16, 16), (1, 128, 16, 16), (1, 256, 16, 16)
TWO = [
    weight("v", 128, 64, 3, 3),
    conv("c", "x", "v", (SMALL, (128, 64, 3, 3), WIDE), pad=1),
    weight("w", 256, 128, 1, 1),
    conv("y", "c", "w", (WIDE, (256, 128, 1, 1), LAST)),
]
FOLDS = 9 * 2 + 2 * 4
"""Of 64x64: 3x3x64 by 128, and 128 by 256."""
WEIGHTS = (64 * 128 * 9 + 3 * 4 * 128, 128 * 256 + 3 * 4 * 256)
"""The bytes of each layer's weights, and of bias, multiplier and shift for each channel."""


def test_two_convolutions():
    assert parts(TWO, SMALL, LAST) == {
        "matrix unit": FOLDS * 256 // 8,
        # Two passes of an epilogue at 64 lanes for each output, and 8 cycles for each instruction.
        "vector unit": (2 * 8 + 2 * 256 * (128 + 256) // 64) // 8,
        "global memory": (64 * 256 + sum(WEIGHTS) + 256 * 256) // 128,
        "on-chip memory": 18 * 256 // 8,
        # A first load, two times 64 cycles of loading, 1 of streaming and 126 of draining, an epilogue, a last store.
        "latency": 216 + 2 * (64 + 1 + 126 + 8 + 2) + 216,
    }


def test_fewer_cores():
    on_all, on_one = parts(TWO, SMALL, LAST), parts(TWO, SMALL, LAST, cores=1)
    for unit in ("matrix unit", "vector unit"):
        assert on_one[unit] == 8 * on_all[unit]
    assert on_one["global memory"] == on_all["global memory"]


def test_what_does_not_fit_crosses_after_the_work_before_it():
    room = 4096
    small = changed("local_memory", size_bytes=room)
    # The second layer's weights, apart from what fits, come when the first layer is done, which takes 18 folds.
    second = 18 * 256 + (WEIGHTS[1] - room) / 128
    assert parts(TWO, SMALL, LAST, small, cores=1)["on-chip memory"] == second


def test_without_overlap_every_fold_loads_and_drains():
    plain = changed("matrix", overlap=False)
    found = parts(TWO, SMALL, LAST, plain, cores=1)
    assert found["matrix unit"] == FOLDS * (64 + 256 + 126)


def test_few_rows_take_as_long_as_the_next_load():
    shape, result = (1, 64, 2, 2), (1, 64, 2, 2)
    lines = [weight("w", 64, 64, 1, 1), conv("y", "x", "w", (shape, (64, 64, 1, 1), result))]
    assert parts(lines, shape, result, cores=1)["matrix unit"] == 64


def test_groups_share_a_fold():
    """Of 16 groups of 16 channels, four stand along the diagonal of an array of 64x64."""
    shape = (1, 256, 16, 16)
    kernel = (256, 16, 1, 1)
    lines = [weight("w", *kernel), conv("y", "x", "w", (shape, kernel, shape), more=" groups = 16")]
    assert parts(lines, shape, shape, cores=1)["matrix unit"] == 4 * 256


def test_a_depthwise_convolution():
    shape, kernel = (1, 64, 16, 16), (64, 1, 3, 3)
    lines = [
        weight("w", *kernel),
        conv("y", "x", "w", (shape, kernel, shape), pad=1, more=" groups = 64"),
    ]
    found = parts(lines, shape, shape, cores=1)
    elements = 64 * 256
    assert found["matrix unit"] == 0
    assert found["vector unit"] == 8 + 9 * elements // 256 + 8 + 2 * elements // 64
    assert found["latency"] == 216 + 27 + 216
    # A channel's weights have done their work before the other channels are there.
    assert found["on-chip memory"] == 0


def test_weights_of_two_layers_cross_once():
    shape, kernel = (1, 64, 16, 16), (64, 64, 1, 1)
    one = [weight("w", *kernel), conv("y", "x", "w", (shape, kernel, shape))]
    two = [
        weight("w", *kernel),
        conv("c", "x", "w", (shape, kernel, shape)),
        conv("y", "c", "w", (shape, kernel, shape)),
    ]
    once, twice = parts(one, shape, shape), parts(two, shape, shape)
    assert once["global memory"] == twice["global memory"]
    assert twice["matrix unit"] == 2 * once["matrix unit"]


def test_what_no_window_reads_stays_in_global_memory():
    """A 1x1 convolution with stride 2 reads a quarter of its input, a slice what it keeps."""
    shape, kernel, result = (1, 64, 16, 16), (64, 64, 1, 1), (1, 64, 8, 8)
    strided = [
        weight("w", *kernel),
        conv("y", "x", "w", (shape, kernel, result), more=" strides = [2, 2]"),
    ]
    constants, output = 64 * 64 + 12 * 64, 64 * 64
    assert parts(strided, shape, result)["global memory"] == (64 * 64 + constants + output) // 128
    kept = (1, 16, 16, 16)
    cut = (
        '%y = tpu.slice "y" %x starts = [0, 0, 0, 0] sizes = [1, 16, 16, 16] steps = [1, 1, 1, 1] : '
        f"({tensor(*shape)}) -> {tensor(*kept)}"
    )
    assert parts([cut], shape, kept) == {
        "matrix unit": 0,
        "vector unit": 0,
        "global memory": 2 * 16 * 256 // 128,
        "on-chip memory": 0,
        # One transfer may do both.
        "latency": 216,
    }


def test_a_cast_of_another_layout_only_computes():
    """An input of rows, which a convolution then reads by channels, is neither gathered nor transposed."""
    shape, kernel = (1, 64, 16, 16), (64, 64, 1, 1)
    elements = 64 * 256
    floats = tensor(*shape, element="f32")
    lines = [
        weight("w", *kernel),
        conv("y", "q", "w", (shape, kernel, shape)),
    ]
    cast = f'%q = tpu.cast "q" %x : ({floats}) -> {tensor(*shape)}'
    with_cast = parts([cast, *lines], shape, shape, cores=1, element="f32")
    without = parts([line.replace("%q", "%x") for line in lines], shape, shape, cores=1)
    assert with_cast["vector unit"] == without["vector unit"] + 8 + elements // 64
    assert with_cast["latency"] == without["latency"] + 9


@pytest.mark.parametrize("seed", range(20))
def test_positions_that_windows_read(seed: int):
    """Each tap of each window, marked in an array."""
    rng = np.random.default_rng(seed)
    size, kernel, stride, dilation = (int(rng.integers(1, n)) for n in (12, 5, 5, 4))
    pad, outputs = int(rng.integers(0, 4)), int(rng.integers(1, 8))
    read = np.zeros(size + pad + outputs * stride + kernel * dilation, bool)
    for output in range(outputs):
        for tap in range(kernel):
            read[output * stride + tap * dilation] = True
    found = positions_read(
        outputs, size, kernel=kernel, stride=stride, dilation=dilation, pad_before=pad
    )
    assert found == read[pad : pad + size].sum()
