"""Rounding and bias correction of a compilation: what they bring on a real network, and what users may get wrong."""

from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.top import run_top
from smalti.compiler import Accuracy, calibrate_model
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.demo.digits import INPUT, MODEL, OUTPUT, load_images
from smalti.dialects import top
from smalti.dialects.network.constant import value_of
from smalti.passes.top.calibration_table import Ranges, write_table

CALIBRATION, TEST, _ = load_images()
TEST = TEST[:200]


def distance(accuracy: Accuracy, scheme: str = "int8") -> float:
    """The mean squared distance of the digits network's logits, on level tpu, from the float ones."""
    data = {INPUT: CALIBRATION}
    options = CompileOptions(scheme=scheme, calibration=data, accuracy=accuracy)
    compilation = start_from_model(MODEL, options)
    expected = run_top(compilation.module, compilation.ctx.weights, {INPUT: TEST})[OUTPUT]
    compilation.lower_to("tpu")
    got = run_ir(compilation.module, compilation.ctx, {INPUT: TEST})[OUTPUT]
    return float(((got - expected) ** 2).mean())


@pytest.mark.share(3)
def test_each_method_brings_the_logits_nearer():
    """With weights of four bits: corrected biases help, learned rounding helps more, and both together most."""
    plain = distance(Accuracy(), "w4a8")
    corrected = distance(Accuracy(bias_correction=True), "w4a8")
    rounded = distance(Accuracy(rounding="adaround"), "w4a8")
    both = distance(Accuracy(rounding="adaround", bias_correction=True), "w4a8")
    assert corrected < plain
    assert rounded < plain / 2
    assert both < plain / 2


@pytest.mark.share(3)
def test_eight_bits_do_not_lose():
    """In INT8, where there is little to win, the logits are not farther away."""
    assert distance(Accuracy("adaround", True)) < 1.1 * distance(Accuracy())


def test_unsigned_bytes_are_rounded_as_signed_ones():
    """Activations of u8 stand for the numbers of i8: learned weights are the same integers."""
    found: list[list[np.ndarray]] = []
    for scheme in ("asymmetric-minmax", "u8-asymmetric"):
        data = {INPUT: CALIBRATION[:16]}
        options = CompileOptions(scheme=scheme, calibration=data, accuracy=Accuracy("adaround"))
        compilation = start_from_model(MODEL, options)
        compilation.lower_to("top")
        store = compilation.ctx.weights
        ops = [op for op in compilation.module.walk() if isinstance(op, top.DequantizeOp)]
        found.append([value_of(op.operands[0].owner, store) for op in ops])
    signed, unsigned = found
    assert signed and len(signed) == len(unsigned)
    for each, other in zip(signed, unsigned, strict=True):
        np.testing.assert_array_equal(each, other)


def test_ends_of_a_hybrid_network_are_not_rounded():
    """Layers have the schemes by which they are converted: the first and the last have 16 bits."""
    options = CompileOptions(
        scheme="hybrid", calibration={INPUT: CALIBRATION}, accuracy=Accuracy("adaround")
    )
    compilation = start_from_model(MODEL, options)
    compilation.lower_to("top")
    products = [
        op for op in compilation.module.walk() if isinstance(op, top.Conv2dOp | top.MatmulOp)
    ]
    weights = [op.operands[1].owner for op in products]
    is_rounded = [isinstance(each, top.DequantizeOp) for each in weights]
    assert is_rounded == [False, *[True] * (len(products) - 2), False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantize": "f16"}, "has no integers to round weights to"),
        ({"calibration": {INPUT: CALIBRATION}, "samples": {"other": CALIBRATION}}, "'image'"),
        ({"calibration": {INPUT: CALIBRATION}, "samples": {INPUT: TEST[:, :, :7]}}, "shape"),
    ],
)
def test_what_is_wrong_is_said(options: dict[str, object], message: str):
    """Nothing to round, samples of another input or shape."""
    samples = options.pop("samples", None)
    with pytest.raises(DiagnosticError, match=message):
        accuracy = Accuracy("adaround", samples=samples)  # pyright: ignore[reportArgumentType]
        chosen = CompileOptions(accuracy=accuracy, **options)  # pyright: ignore[reportArgumentType]
        start_from_model(MODEL, chosen).lower_to("tpu")


def test_a_table_has_no_samples(tmp_path: Path):
    """Ranges may come from a table; samples must be given beside it."""
    path = tmp_path / "digits.calibration"
    write_table(calibrate_model(MODEL, {INPUT: CALIBRATION[:8]}), path)
    options = CompileOptions(calibration=path, accuracy=Accuracy(bias_correction=True))
    with pytest.raises(DiagnosticError, match="there are none") as error:
        start_from_model(MODEL, options).lower_to("tpu")
    assert "--samples" in (error.value.hint or "")


def test_unknown_roundings_are_refused():
    """With the nearest name."""
    with pytest.raises(DiagnosticError, match="no rounding 'adarond'") as error:
        Accuracy("adarond")
    assert error.value.hint == "did you mean adaround?"
    with pytest.raises(DiagnosticError):
        Accuracy(samples=np.zeros(3))  # pyright: ignore[reportArgumentType]


def test_channels_are_balanced_without_loss():
    """The digits network in INT8 is about as near to the float one as plainly."""
    few = {INPUT: CALIBRATION[:16]}
    assert distance(Accuracy(samples=few, smooth_quant="auto")) < 1.25 * distance(Accuracy())


def test_a_table_of_the_original_network_stays_usable(tmp_path: Path):
    """The ranges of tensors whose channels change are measured anew on the samples, about the same as from the data."""
    path, data = tmp_path / "digits.calibration", {INPUT: CALIBRATION[:16]}
    write_table(calibrate_model(MODEL, data, method="min-max"), path)
    ranges: list[Ranges] = []
    for source in (data, path):
        accuracy = Accuracy(samples=data, equalize=True, smooth_quant=0.5)
        options = CompileOptions(scheme="asymmetric-minmax", calibration=source, accuracy=accuracy)
        compilation = start_from_model(MODEL, options)
        compilation.lower_to("tpu")
        assert compilation.calibrated is not None
        ranges.append(compilation.calibrated.ranges)
    for name, measured in ranges[0].items():
        np.testing.assert_allclose(ranges[1].get(name, measured), measured, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("alpha", [-0.1, 1.5, "much"])
def test_alphas_out_of_bounds_are_refused(alpha: float | str):
    """With what may be given."""
    with pytest.raises(DiagnosticError, match="there is no alpha") as error:
        Accuracy(smooth_quant=alpha)
    assert "0 to 1" in (error.value.hint or "")
