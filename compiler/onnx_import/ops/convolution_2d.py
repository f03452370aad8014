"""Emits 2-D convolutions; one whose weights are computed at run time becomes a matrix product."""

from __future__ import annotations

from dataclasses import dataclass

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.node import Node
from ..graph.value import Constant, Value, shape_of
from .movement import concat_of, windows_along
from .window_attributes import WindowAttributes

_MOST_TAPS = 1024
"""The most elements of a kernel whose weights are computed at run time: each becomes a slice of the image."""


@dataclass(frozen=True)
class Convolution2d:
    """What is convolved: an image [N, C, H, W], weights [M, C/groups, kh, kw], and a bias [M] or none."""

    image: Value
    weight: Value
    bias: Value | None
    groups: int

    def emit(self, node: Node, builder: GraphBuilder, window: WindowAttributes, name: str) -> Value:
        """Emit the convolution with the strides, pads and dilations of a window under the name `name`."""
        bias = self.bias
        if bias is not None and shape_of(bias) != (shape_of(self.weight)[0],):
            raise node.error(
                f"its bias must have shape [{shape_of(self.weight)[0]}], it has {list(shape_of(bias))}"
            )
        later = bias is not None and not (isinstance(bias, Constant) and self._has_weights)
        own = builder.derived(name, "product") if later else name
        if self._has_weights:
            result = builder.emit(
                top.Conv2dOp,
                own,
                self.image,
                self.weight,
                None if later else bias,
                strides=window.strides,
                pads=window.pads,
                dilations=window.dilations,
                groups=self.groups,
            )
        else:
            result = self._product(node, builder, window, own)
        if bias is None or not later:
            return result
        column = builder.reshape(bias, (*shape_of(bias), 1, 1), builder.derived(name, "bias"))
        return builder.emit(top.AddOp, name, result, column)

    @property
    def _has_weights(self) -> bool:
        return isinstance(self.weight, Constant)

    def _product(
        self, node: Node, builder: GraphBuilder, window: WindowAttributes, name: str
    ) -> Value:
        """Emit the product of the weights, a matrix of a row per channel of the result, and the pixels that each
        element of the kernel meets, one matrix for each sample and group.
        """
        (n, c, _, _), (m, inputs, kh, kw) = shape_of(self.image), shape_of(self.weight)
        groups, taps = self.groups, kh * kw
        if inputs * groups != c or m % groups:
            raise node.error(f"{c} channels and {m} filters do not fit {groups} groups of {inputs}")
        if taps > _MOST_TAPS:
            raise node.error(f"a kernel of {taps} elements is too large for weights of run time")

        def new(suffix: str) -> str:
            return builder.derived(name, suffix)

        top_pad, left, bottom, right = window.pads
        rows = windows_along(
            builder,
            self.image,
            2,
            kh,
            window.strides[0],
            window.dilations[0],
            (top_pad, bottom),
            new("rows_seen"),
        )
        pixels = [
            each
            for row in rows
            for each in windows_along(
                builder,
                row,
                3,
                kw,
                window.strides[1],
                window.dilations[1],
                (left, right),
                new("pixels_seen"),
            )
        ]
        _, _, height, width = shape_of(pixels[0])
        columns = [
            builder.reshape(each, (n, groups, inputs, height * width), new("pixels"))
            for each in pixels
        ]
        right_side = concat_of(builder, columns, 2, new("columns"))
        weight = builder.reshape(self.weight, (groups, m // groups, inputs, taps), new("taps"))
        weight = builder.transpose(weight, (0, 1, 3, 2), new("taps_first"))
        rows_shape = (1, groups, m // groups, taps * inputs)
        weight = builder.reshape(weight, rows_shape, new("rows"))
        product = builder.emit(top.MatmulOp, new("matrix"), weight, right_side)
        return builder.reshape(product, (n, m, height, width), name)
