"""Experiments as files: IR and the inputs that it runs on belong together."""

from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError

from .faulty_passes import ir_experiment


def test_ir_stays_as_it_was_if_its_inputs_cannot_be_written(tmp_path: Path):
    experiment, path = ir_experiment(), tmp_path / "part.mlir"
    values = experiment.save_with_inputs(path, {"x": np.zeros(2, np.float32)})
    assert values == tmp_path / "part.npz"
    path.write_text("old")
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises(DiagnosticError, match="has 1,000,000 characters") as caught:
        experiment.save_with_inputs(path, {"x" * 1_000_000: np.zeros(2, np.float32)})
    assert caught.value.place is not None and caught.value.place.file == str(values)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
