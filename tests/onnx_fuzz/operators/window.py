"""Ops over windows: convolutions and pools over one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.onnx_fuzz.draw import Draw

LARGEST = (12, 9, 5)
"""The largest size of an axis of images of one, two and three axes."""


@dataclass(frozen=True)
class Window:
    """The shape of an image behind its channels, and the attributes of windows over it."""

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    attributes: dict[str, Any]


def window(draw: Draw, has_dilations: bool = True) -> Window:
    """Return windows that fit an image, with paddings smaller than the windows."""
    rank = draw.choice((1, 2, 2, 2, 3))
    kernel = tuple(draw.integer(1, 3) for _ in range(rank))
    dilations = [draw.choice((1, 1, 2)) if has_dilations else 1 for _ in range(rank)]
    spans = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    sizes = tuple(draw.integer(span, max(span, LARGEST[rank - 1])) for span in spans)
    attributes: dict[str, Any] = {}
    if draw.chance(0.6):
        attributes["strides"] = [draw.integer(1, 3) for _ in range(rank)]
    if has_dilations and draw.chance(0.5):
        attributes["dilations"] = dilations
    if draw.chance(0.3):
        attributes["auto_pad"] = draw.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))
        attributes.pop("dilations", None)
        if "strides" in attributes:
            # Steps longer than windows need paddings below zero, of which ONNX Runtime makes crops.
            pairs = zip(attributes["strides"], kernel, strict=True)
            attributes["strides"] = [min(pair) for pair in pairs]
    elif draw.chance(0.6):
        attributes["pads"] = [draw.integer(0, size - 1) for size in kernel * 2]
    return Window(sizes, kernel, attributes)


def convolution(draw: Draw) -> None:
    """Groups, a bias or none, weights that are constant or computed."""
    chosen = window(draw)
    groups, per_group, outputs = draw.choice((1, 1, 2, 3)), draw.integer(1, 4), draw.integer(1, 3)
    image = draw.operand(None, shape=(draw.integer(1, 2), groups * per_group, *chosen.sizes))
    inputs = [image, draw.operand(None, shape=(groups * outputs, per_group, *chosen.kernel))]
    if draw.chance(0.6):
        inputs.append(draw.operand(None, shape=(groups * outputs,)))
    draw.node(
        "Conv",
        inputs,
        group=groups if groups > 1 else None,
        kernel_shape=draw.choice((None, chosen.kernel)),
        **chosen.attributes,
    )


def transposed_convolution(draw: Draw) -> None:
    """Groups, paddings of the result, an explicit shape of it sometimes."""
    chosen = window(draw)
    rank = len(chosen.kernel)
    groups, per_group, outputs = draw.choice((1, 1, 2)), draw.integer(1, 3), draw.integer(1, 3)
    sizes = [min(size, 5) for size in chosen.sizes]
    image = draw.operand(None, shape=(draw.integer(1, 2), groups * per_group, *sizes))
    inputs = [image, draw.operand(None, shape=(groups * per_group, outputs, *chosen.kernel))]
    if draw.chance(0.6):
        inputs.append(draw.operand(None, shape=(groups * outputs,)))
    strides = chosen.attributes.get("strides", [1] * rank)
    extra = [draw.integer(0, stride - 1) for stride in strides]
    draw.node(
        "ConvTranspose",
        inputs,
        group=groups if groups > 1 else None,
        output_padding=extra if draw.chance(0.3) else None,
        **chosen.attributes,
    )


def image(draw: Draw, sizes: tuple[int, ...]) -> str:
    """Return an image of some samples and channels."""
    return draw.operand(None, shape=(draw.integer(1, 2), draw.integer(1, 5), *sizes))


def max_pool(draw: Draw) -> None:
    """With its places as a second result sometimes."""
    chosen = window(draw)
    draw.node(
        "MaxPool",
        [image(draw, chosen.sizes)],
        outputs=draw.choice((1, 1, 2)),
        kernel_shape=chosen.kernel,
        ceil_mode=draw.choice((None, 0, 1)) if "auto_pad" not in chosen.attributes else None,
        **chosen.attributes,
    )


def average_pool(draw: Draw) -> None:
    """Paddings that count or do not."""
    chosen = window(draw, has_dilations=draw.opset >= 19)
    draw.node(
        "AveragePool",
        [image(draw, chosen.sizes)],
        kernel_shape=chosen.kernel,
        count_include_pad=draw.choice((None, 0, 1)),
        **chosen.attributes,
    )


def lp_pool(draw: Draw) -> None:
    """Sums of magnitudes or squares."""
    chosen = window(draw, has_dilations=draw.opset >= 18)
    draw.node(
        "LpPool",
        [image(draw, chosen.sizes)],
        kernel_shape=chosen.kernel,
        p=draw.choice((None, 1, 2)),
        **chosen.attributes,
    )


def global_pool(kind: str, draw: Draw) -> None:
    """Over the whole image."""
    draw.node(kind, [image(draw, window(draw).sizes)])


def unpool(draw: Draw) -> None:
    """What a pool has found, back where it was."""
    operand = draw.operand(None, shape=(1, 2, 2 * draw.integer(1, 3), 2 * draw.integer(1, 3)))
    pooled, places = draw.node("MaxPool", [operand], outputs=2, kernel_shape=[2, 2], strides=[2, 2])
    draw.node("MaxUnpool", [pooled, places], kernel_shape=[2, 2], strides=[2, 2])


def columns_to_image(draw: Draw) -> None:
    """Blocks added where they overlap."""
    if draw.opset < 18:
        return
    sizes = [draw.integer(2, 5), draw.integer(2, 5)]
    block = [draw.integer(1, size) for size in sizes]
    places = (sizes[0] - block[0] + 1) * (sizes[1] - block[1] + 1)
    channels = draw.integer(1, 2)
    columns = draw.operand(None, shape=(1, channels * block[0] * block[1], places))
    draw.node("Col2Im", [columns, draw.constant(sizes), draw.constant(block)])


DRAWS: dict[str, Callable[[Draw], None]] = {
    "AveragePool": average_pool,
    "Col2Im": columns_to_image,
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
    "GlobalAveragePool": partial(global_pool, "GlobalAveragePool"),
    "GlobalMaxPool": partial(global_pool, "GlobalMaxPool"),
    "LpPool": lp_pool,
    "MaxPool": max_pool,
    "MaxUnpool": unpool,
}
