"""Models that packages ship and that exporters write: what is computed is what ONNX Runtime computes, in f32."""

import numpy as np
import pytest

from tests.networks import real
from tests.networks.exported.architecture import EXPORTERS
from tests.networks.exported.catalog import CATALOG
from tests.networks.model_file import ModelFile, output_error, output_snr, row, run_onnxruntime

MOST_ERROR = 1e-4
"""Of the range of each output."""


def check(each: ModelFile) -> None:
    """At top and on the simulator the outputs are near those of ONNX Runtime, which are not all the same number."""
    assert any(np.ptp(value) for value in run_onnxruntime(each).values() if value.dtype != bool)
    at_top, on_the_device = row(each, ("f32",))[3:5]
    assert float(at_top) <= MOST_ERROR and float(on_the_device) <= MOST_ERROR, (
        at_top,
        on_the_device,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", real.MODELS)
def test_models_that_packages_ship(name, shared_file):
    shared_file(f"models/real/{name}.onnx")
    check(real.model_file(name))


@pytest.mark.slow
@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", CATALOG)
def test_models_that_exporters_write(name, exporter, tmp_path):
    for package in ("torch", "torchvision", "transformers", "timm", "onnxscript"):
        pytest.importorskip(package, reason=f"{package} is of the extra `models`")
    from tests.networks.exported.__main__ import model_file

    check(model_file(name, exporter, tmp_path))


def test_errors_are_relative_to_the_range():
    want = {"y": np.array([0.0, 4.0], np.float32), "place": np.array([3])}
    assert output_error(want, want) == 0 and output_snr(want, want) == np.inf
    assert output_error(want, {**want, "y": np.array([1.0, 4.0], np.float32)}) == 0.25
    assert output_error(want, {**want, "place": np.array([2])}) == 1
    assert output_snr(want, {**want, "y": np.array([0.4, 4.0], np.float32)}) == pytest.approx(20)


def test_operands_of_real_models_are_reproducible():
    for name in real.MODELS:
        one, other = real.model_file(name), real.model_file(name)
        assert all(np.array_equal(one.inputs[key], other.inputs[key]) for key in one.inputs)
        assert any(not np.array_equal(one.inputs[key], one.samples[0][key]) for key in one.inputs)
