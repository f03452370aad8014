"""Sensitivity and searches in Python: the same objects as the commands have."""

import csv
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.external_data_helper import convert_model_to_external_data
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import (
    Trial,
    analyze_sensitivity,
    calibrate_model,
    search_front,
    search_model,
)
from smalti.compiler.sensitivity.sensitivity import SensitivityOptions

from .bad_input.diagnostics import Smalti


def trial_of(model: Path, data: Path, **more: object) -> Trial:
    arrays = dict(np.load(data))
    return Trial(model, arrays, calibrate_model(model, arrays), **more)  # pyright: ignore[reportArgumentType]


def test_sensitivity_is_that_of_the_command(
    smalti: Smalti, small_onnx: Path, small_data: Path, tmp_path: Path
):
    trial = trial_of(small_onnx, small_data)
    found = analyze_sensitivity(trial, SensitivityOptions(max_float_layers=1), methods=["table"])
    table, rows = tmp_path / "m.calibration", tmp_path / "l.csv"
    table.write_text(str(trial.calibration))
    words = ["sensitivity", small_onnx, "--calibration", table, "--data", small_data]
    ran = smalti(*words, "--method", "table", "--max-float-layers", 1, "-o", rows)
    assert ran.code == 0, ran.err
    expected = [(row["layer"], float(row["loss"])) for row in csv.DictReader(rows.open())]
    assert [(each.group.name, each.loss) for each in found.layers] == expected


@pytest.mark.share(3)
def test_searches(small_onnx: Path, small_data: Path):
    pytest.importorskip("scipy")
    trial = trial_of(small_onnx, small_data)
    found = search_model(trial, "cos=0.9", schemes=["int8", "f16"])
    assert found.reached and found.chosen.measured["loss"] <= 0.1
    front = search_front(trial, shares=[0.5])
    assert [each.share for each in front.points] == [0, 0.5, 1]


def test_mistakes(small_onnx: Path, small_data: Path):
    trial = trial_of(small_onnx, small_data)
    with pytest.raises(DiagnosticError, match="there is no scheme 'int9'"):
        search_front(trial, wide="int9")
    with pytest.raises(DiagnosticError, match="there is no metric"):
        search_model(trial, "metric=1")
    with pytest.raises(DiagnosticError, match="jobs cannot be 'all'"):
        trial_of(small_onnx, small_data, jobs="all")


def test_a_record_is_of_the_weights_that_stand_in_files_of_their_own(
    small_onnx: Path, small_data: Path, tmp_path: Path
):
    model, record = tmp_path / "m.onnx", tmp_path / "r.jsonl"

    def written(factor: float) -> Trial:
        network = onnx.load(small_onnx)
        for each in network.graph.initializer:
            array = onnx.numpy_helper.to_array(each)
            each.CopyFrom(onnx.numpy_helper.from_array(array * array.dtype.type(factor), each.name))
        convert_model_to_external_data(network, location="m.data", size_threshold=0)
        (tmp_path / "m.data").unlink(missing_ok=True)
        onnx.save(network, model)
        return trial_of(model, small_data, record=record)

    search_front(written(1), shares=[0.5])
    content = model.read_bytes()
    other = written(1.5)
    assert model.read_bytes() == content
    with pytest.raises(DiagnosticError, match="the record is of another search: weights is"):
        search_front(other, shares=[0.5])
