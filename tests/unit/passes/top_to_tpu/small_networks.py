"""Parts of the networks that the tests of convert-top-to-tpu convert, and what they look at afterward."""

import numpy as np

IMAGE = {"image": "2x4x6x6xf32"}
X = "tensor<2x4x6x6xf32>"
WEIGHTS = """
%w = top.weight "w" seed = 1 : tensor<6x4x3x3xf32>
%b = top.weight "b" seed = 2 : tensor<6xf32>
%v = top.weight "v" seed = 3 : tensor<6x5xf32>
%d = top.weight "d" seed = 4 : tensor<4x1x3x3xf32>
%k = top.weight "k" seed = 5 : tensor<4x1x1xf32>
"""
Y = "tensor<2x6x4x4xf32>"
CONV = f'%c = top.conv2d "c" %image, %w, %b : ({X}, tensor<6x4x3x3xf32>, tensor<6xf32>) -> {Y} loc("Conv_0")\n'


def ops(result):
    return [
        name.removeprefix("tpu.")
        for name in result.names()
        if name not in ("tpu.weight", "func.return")
    ]


def snr(found, expected):
    """Return the signal-to-noise ratio in decibels."""
    return 10 * np.log10((expected**2).sum() / max(((found - expected) ** 2).sum(), 1e-30) + 1e-30)
