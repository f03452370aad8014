"""Equalization and SmoothQuant: channels become alike, and the network computes what it did."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.top import run_top
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import SmaltiContext
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.accuracy.equalize import Equalize
from smalti.passes.accuracy.smooth_quant import SmoothQuant
from smalti.passes.top.fold_batch_norm import FoldBatchNorm
from xdsl.dialects.builtin import ModuleOp

SAMPLES = np.random.default_rng(5).normal(0, 2, (16, 3, 6, 6)).astype(np.float32)
HEAD = 'attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {'


def written(text: str, types: dict[str, str]) -> str:
    """The text of a network with what stands for types and for the attributes of its function."""
    for sign, type in {**types, "$H": HEAD}.items():
        text = text.replace(sign, type)
    return text


CONVOLUTIONS = written(
    """
func.func @main(%x: $X) -> $Y $H
  %w = top.weight "w" seed = 1 : tensor<8x3x1x1xf32>
  %b = top.weight "b" seed = 2 : $V
  %g = top.weight "g" value = dense<[0.1, 1.0, 9.0, 0.01, 3.0, 0.5, 0.0, 2.0]> : $V
  %z = top.weight "z" value = dense<[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]> : $V
  %o = top.weight "o" value = dense<[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]> : $V
  %c = top.conv2d "c" %x, %w, %b : ($X, tensor<8x3x1x1xf32>, $V) -> $T
  %n = top.batch_norm "n" %c, %g, %z, %z, %o epsilon = 0.0 : ($T, $V, $V, $V, $V) -> $T
  %r = ACTIVATION : ($T) -> $T
  %d = top.weight "d" seed = 3 : tensor<8x1x3x3xf32>
  %e = top.conv2d "e" %r, %d pads = [1, 1, 1, 1] groups = 8 : ($T, tensor<8x1x3x3xf32>) -> $T
  %s = top.relu "s" %e : ($T) -> $T
  %v = top.weight "v" seed = 4 : tensor<4x8x1x1xf32>
  %y = top.conv2d "y" %s, %v : ($T, tensor<4x8x1x1xf32>) -> $Y
  func.return %y : $Y
}
""",
    {
        "$X": "tensor<1x3x6x6xf32>",
        "$Y": "tensor<1x4x6x6xf32>",
        "$T": "tensor<1x8x6x6xf32>",
        "$V": "tensor<8xf32>",
    },
)
RELU, RELU6 = 'top.relu "r" %n', 'top.clip "r" %n low = 0.0 high = 6.0'
ATTENTION = written(
    """
func.func @main(%x: $T) -> $T $H
  %g = top.weight "g" value = dense<[0.1, 1.0, 30.0, 0.5, 3.0, 0.0]> : $V
  %b = top.weight "b" seed = 1 : $V
  %n = top.normalize "n" %x, %g bias %b kind = "mean_variance" axes = [2] epsilon = 1.0e-5 : ($T, $V, $V) -> $T
  %w = top.weight "w" seed = 2 : tensor<6x6xf32>
  %p = top.matmul "p" %n, %w : ($T, tensor<6x6xf32>) -> $T
  %y = top.add "y" %p, %n : ($T, $T) -> $T
  func.return %y : $T
}
""",
    {"$T": "tensor<1x4x6xf32>", "$V": "tensor<6xf32>"},
)


def parsed(text: str) -> tuple[ModuleOp, SmaltiContext]:
    """The module of a text, with batch normalizations folded."""
    ctx = make_context()
    module = parse_module(text, ctx)
    FoldBatchNorm().apply(ctx, module)
    return module, ctx


def values(module: ModuleOp, ctx: SmaltiContext, samples: np.ndarray) -> dict[str, np.ndarray]:
    """Every tensor of a network on samples of its input x, by name."""
    found: dict[str, np.ndarray] = {}

    def observe(name: str, value: np.ndarray) -> None:
        found[name] = value.copy()

    run_top(module, ctx.weights, {"x": samples}, observe=observe)
    return found


def saved(samples: np.ndarray, folder: Path) -> str:
    """The path of an .npz file of the samples."""
    path = folder / "samples.npz"
    np.savez(path, x=samples)
    return str(path)


def spread(tensor: np.ndarray) -> float:
    """How many times as large the largest channel (axis 2) is as the median one."""
    magnitudes = np.abs(tensor).max((0, 1, 3, 4))
    return float(magnitudes.max() / np.median(magnitudes))


PASSES = {
    "equalize": lambda path: Equalize(samples=path),
    "smooth 0.5": lambda path: SmoothQuant(samples=path, alpha=0.5),
    "smooth 1": lambda path: SmoothQuant(samples=path, alpha=1.0),
    "smooth auto": lambda path: SmoothQuant(samples=path),
}


@pytest.mark.parametrize("activation", [RELU, RELU6])
@pytest.mark.parametrize("make", PASSES.values(), ids=PASSES)
def test_convolutions_compute_what_they_did(
    make: Callable[[str], Equalize | SmoothQuant], activation: str, tmp_path: Path
):
    """A chain with a depthwise convolution in its middle, with a dead channel, whose channels differ widely."""
    module, ctx = parsed(CONVOLUTIONS.replace("ACTIVATION", activation))
    before = values(module, ctx, SAMPLES)
    each = make(saved(SAMPLES, tmp_path))
    each.apply(ctx, module)
    module.verify()
    after = values(module, ctx, SAMPLES)
    assert np.abs(after["y"] - before["y"]).max() <= 1e-5 * np.ptp(before["y"])
    assert each.changed >= {name for name in before if not np.allclose(before[name], after[name])}
    assert each.changed
    if activation == RELU:
        assert spread(after["n"]) < spread(before["n"])


def test_clipped_channels_need_samples():
    """Without them only the pair behind the clip is balanced."""
    module, ctx = parsed(CONVOLUTIONS.replace("ACTIVATION", RELU6))
    before = values(module, ctx, SAMPLES)
    equalize = Equalize()
    equalize.apply(ctx, module)
    after = values(module, ctx, SAMPLES)
    assert equalize.statistics == {"bounded": 1, "balanced": 1}
    np.testing.assert_array_equal(after["r"], before["r"])
    assert np.abs(after["y"] - before["y"]).max() <= 1e-5 * np.ptp(before["y"])


@pytest.mark.parametrize("alpha", [None, 0.5, 0.9])
def test_a_residual_keeps_its_normalization(alpha: float | None, tmp_path: Path):
    """The product reads one of its own, whose channels are nearer to each other."""
    module, ctx = parsed(ATTENTION)
    samples = np.random.default_rng(3).normal(size=(8, 4, 6)).astype(np.float32)
    before = values(module, ctx, samples)
    smooth = SmoothQuant(samples=saved(samples, tmp_path), alpha=alpha)
    smooth.apply(ctx, module)
    after = values(module, ctx, samples)
    np.testing.assert_array_equal(after["n"], before["n"])
    assert np.abs(after["n_smooth"]).max() < np.abs(before["n"]).max()
    assert np.abs(after["y"] - before["y"]).max() <= 1e-5 * np.ptp(before["y"])
    assert smooth.changed == {"n_smooth"}


def test_ranges_that_would_become_wrong_are_refused():
    """With what to do."""
    text = CONVOLUTIONS.replace("ACTIVATION", RELU)
    text = text.replace(
        ") -> tensor<1x8x6x6xf32>\n  %s",
        ") -> tensor<1x8x6x6x!quant.calibrated<f32<-1.0:1.0>>>\n  %s",
    ).replace(
        "%e : (tensor<1x8x6x6xf32>)", "%e : (tensor<1x8x6x6x!quant.calibrated<f32<-1.0:1.0>>>)"
    )
    module, ctx = parsed(text)
    with pytest.raises(DiagnosticError, match="'e' has a calibrated range") as error:
        Equalize().apply(ctx, module)
    assert "before top-annotate-calibration" in (error.value.hint or "")
