"""Small tile programs for the tests of what comes after tiling: two layers, rows over cores and
tiles, halos, int8.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from smalti.backends.numerics.device import convolution, packing, product
from smalti.backends.targets.target import load_target
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import SmaltiContext
from smalti.dialects.ir.location import named
from smalti.dialects.ir.target_attribute import set_target
from smalti.passes.tile.planning.multicast import Multicasts
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

CHANNELS = 16
SIZE = 8
ZERO_POINTS = (3, -5, 7)
"""Of the input, of what is between the layers, and of the output."""


def weights() -> dict[str, np.ndarray]:
    """The weights and tables of both layers, packed."""
    generator = np.random.default_rng(7)
    conv = generator.integers(-127, 128, (3, 3, CHANNELS, CHANNELS)).astype(np.int8)
    depthwise = generator.integers(-127, 128, (3, 3, 1, CHANNELS)).astype(np.int8)

    def table(scale: float, kernel: np.ndarray, zero_point: int) -> np.ndarray:
        multiplier = np.full(CHANNELS, round(scale * 2**40), dtype=np.int64)
        bias = generator.integers(-500, 500, CHANNELS) - zero_point * kernel.sum(
            (0, 1, 2), dtype=np.int64
        )
        return packing.pack_epilogue_table(
            bias, multiplier, np.full(CHANNELS, 40), CHANNELS, acc_type="i32"
        )

    return {
        "w0": packing.pack_conv_weights(conv, CHANNELS),
        "t0": table(0.0007, conv, ZERO_POINTS[0]),
        "w1": packing.pack_depthwise_weights(depthwise, CHANNELS),
        "t1": table(0.0015, depthwise, ZERO_POINTS[1]),
    }


class _Builder:
    """Collects the ops of a program."""

    def __init__(self) -> None:
        self.ops: list[Operation] = []

    def add(self, op: Operation, name: str) -> SSAValue | None:
        op.location = named(name)
        self.ops.append(op)
        return op.results[0] if op.results else None

    def buffer(
        self, core: int, shape: tuple[int, ...], storage: str, space: str, name: str
    ) -> SSAValue:
        value = self.add(tile.AllocOp(core, shape, storage, space), name)
        assert value is not None
        return value

    def copy(
        self,
        core: int,
        source: SSAValue,
        target: SSAValue,
        name: str,
        *,
        count: int,
        at: int = 0,
        to: int = 0,
    ) -> None:
        """A copy of `count` contiguous elements."""
        self.add(
            tile.CopyOp(
                core,
                source,
                target,
                source_strides=[1],
                target_strides=[1],
                sizes=[count],
                source_offset=at,
                target_offset=to,
            ),
            name,
        )

    def rows(
        self,
        core: int,
        layer: int,
        source: SSAValue,
        target: SSAValue,
        w: SSAValue,
        table: SSAValue,
        first: int,
        last: int,
    ) -> None:
        """Rows [first, last) of a 3x3 layer with padding 1."""
        name = f"layer{layer}"
        low, high = max(0, first - 1), min(SIZE, last + 1)
        row = SIZE * CHANNELS
        x = self.buffer(core, (1, high - low, SIZE, CHANNELS), "i8", "local", name)
        acc = self.buffer(core, (1, last - first, SIZE, CHANNELS), "i32", "acc", name)
        out = self.buffer(core, (1, last - first, SIZE, CHANNELS), "i8", "local", name)
        self.copy(core, source, x, name, at=low * row, count=(high - low) * row)
        kind = tile.DepthwiseConv2dOp if layer else tile.Conv2dOp
        conv = kind(
            core,
            x,
            w,
            acc,
            channels=[CHANNELS, CHANNELS],
            kernel=[3, 3],
            pads=[int(first == 0), 1],
            pad_value=ZERO_POINTS[layer],
            groups=CHANNELS if layer else 1,
        )
        self.add(conv, name)
        epilogue = tile.EpilogueOp(
            core,
            acc,
            table,
            None,
            out,
            channels=CHANNELS,
            zero_points=[0, ZERO_POINTS[layer + 1]],
            clamp=[-128.0, 127.0],
        )
        self.add(epilogue, name)
        self.copy(core, out, target, name, to=first * row, count=(last - first) * row)


def two_layers(
    *, cores: int = 2, tiles: int = 2, target: str = "default-8c", multicast: bool = False
) -> tuple[ModuleOp, SmaltiContext]:
    """A 3x3 convolution and a 3x3 depthwise one on [1, 8, 8, 16], each split by rows over `cores`
    times `tiles`. The cores load the weights each by itself, or by multicasts.
    """
    ctx = make_context()
    builder = _Builder()
    packed = weights()
    shape = (1, SIZE, SIZE, CHANNELS)
    values: dict[str, SSAValue] = {}
    for name, segment in (("x", "input"), ("mid", "scratch"), ("y", "output")):
        value = builder.add(tile.GlobalOp(name, segment, shape, "i8"), name)
        assert value is not None
        values[name] = value
    for name, array in packed.items():
        storage = "i8" if name[0] == "w" else "i32"
        key = ctx.weights.add(name, array)
        value = builder.add(tile.GlobalOp(name, "weights", array.shape, storage, key=key), name)
        assert value is not None
        values[name] = value
    multicasts = Multicasts()
    for layer in range(2):
        source, written = (
            (values["x"], values["mid"]) if layer == 0 else (values["mid"], values["y"])
        )
        begins = [len(builder.ops)]
        for core in range(cores):
            w = builder.buffer(core, packed[f"w{layer}"].shape, "i8", "local", f"layer{layer}")
            table = builder.buffer(core, packed[f"t{layer}"].shape, "i32", "local", f"layer{layer}")
            for buffer, kind in ((w, "w"), (table, "t")):
                name = f"{kind}{layer}"
                builder.copy(core, values[name], buffer, f"layer{layer}", count=packed[name].size)
            step = SIZE // (cores * tiles)
            for part in range(tiles):
                first = (core * tiles + part) * step
                builder.rows(core, layer, source, written, w, table, first, first + step)
            begins.append(len(builder.ops))
        if multicast:
            parts = [builder.ops[begin:end] for begin, end in pairwise(begins)]
            schedule = tile.Schedule(weights="multicast")
            builder.ops[begins[0] :] = multicasts.joined(list(enumerate(parts)), schedule)
    module = ModuleOp([tile.ProgramOp("main", builder.ops)])
    set_target(module, target, load_target(target))
    return module, ctx


def images(samples: int = 1) -> np.ndarray:
    """Inputs i8 [samples, 8, 8, 16]."""
    generator = np.random.default_rng(11)
    return generator.integers(-128, 128, (samples, SIZE, SIZE, CHANNELS)).astype(np.int8)


def expected(x: np.ndarray) -> dict[str, np.ndarray]:
    """What the two layers compute, each in one piece: mid and y, i8 [samples, 8, 8, 16]."""
    packed = weights()
    result: dict[str, np.ndarray] = {}
    size = {f"{side}_{axis}": SIZE for side in ("in", "out") for axis in ("height", "width")}
    for layer, name in ((0, "mid"), (1, "y")):
        compute = convolution.depthwise_conv2d if layer else convolution.conv2d
        acc = compute(
            x[:, None],
            packed[f"w{layer}"],
            type="i8",
            acc_type="i32",
            **size,
            in_channels=CHANNELS,
            in_pitch=CHANNELS,
            out_channels=CHANNELS,
            out_pitch=CHANNELS,
            kernel_height=3,
            kernel_width=3,
            pad_top=1,
            pad_left=1,
            pad_value=ZERO_POINTS[layer],
            groups=CHANNELS if layer else 1,
            block=CHANNELS,
        )
        flat = product.epilogue(
            acc.reshape(len(x), -1),
            packed[f"t{layer}"],
            acc_type="i32",
            type="i8",
            rows=SIZE * SIZE,
            channels=CHANNELS,
            acc_pitch=CHANNELS,
            out_pitch=CHANNELS,
            table_pitch=CHANNELS,
            zero_point=ZERO_POINTS[layer + 1],
            clamp_low=-128.0,
            clamp_high=127.0,
        )
        x = result[name] = flat.reshape(len(x), SIZE, SIZE, CHANNELS)
    return result
