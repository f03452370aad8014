"""What a caller of the Python API gets wrong is told as a diagnostic, with the argument and what it may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.compilation.optimization import Optimization
from smalti.compiler.model import compile_model, export_model, import_model

WRONG = [
    (
        {"optimization": "2"},
        "compile_model(optimization=): error: optimization cannot be '2', of type str",
    ),
    ({"optimization": 2.0}, "give a level, 0 to 2, or an Optimization"),
    ({"optimization": True}, "cannot be True, of type bool"),
    ({"optimization": None}, "cannot be None, of type NoneType"),
    ({"optimization": 7}, "Optimization(level=): error: there is no optimization level 7"),
    ({"schedule": 5}, "schedule=: error: a schedule cannot be 5, of type int"),
    ({"schedule": ["conv1"]}, "give the path of a file, its text, a mapping"),
    ({"schedule": ""}, "schedule=: error: a schedule cannot be an empty text"),
    ({"schedule": " "}, "give None, or leave it out"),
    ({"target": 5}, "give a target, or the name or path of one"),
    ({"cores": "all"}, "give how many cores to use, a whole number, or None"),
    ({"cores": True}, "cannot be True, of type bool"),
    ({"quantize": 8}, "give one of int8, f32, f16, bf16"),
    ({"calibration": 5}, "'random:SEED', or None"),
    ({"batch": "2"}, "compile_model(batch=): error: batch cannot be '2'"),
    ({"input_shapes": [1, 2]}, "input_shapes cannot be [1, 2], of type list"),
    ({"input_shapes": {"x": 5}}, "input_shapes cannot be 5, of type int"),
    ({"symbols": 5}, "give a mapping from names to sizes, or None"),
    ({"limits": 5}, "give ImportLimits, or None"),
    ({"passes": ["cse"]}, "give a mapping from names to options by name"),
    ({"passes": {"cse": 5}}, "passes['cse']: error: the options are 5"),
    ({"insert_pass": 5}, "give a pass and where it runs, as text, or several in a list"),
    ({"insert_pass": [b"a" * 99]}, "insert_pass cannot be b'" + "a" * 58 + "…, of type bytes"),
    ({"plugins": [5]}, "plugins cannot be 5, of type int"),
    ({"trace_plan": "yes"}, "give True or False"),
    ({"io_layout": 5}, "give one of model, nhwc"),
    ({"io_quantized": 1}, "give True or False"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG, ids=lambda each: str(each)[:40])
def test_a_wrong_argument_is_told_before_the_model_is_read(
    arguments: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(DiagnosticError) as caught:
        compile_model(tmp_path / "not_there.onnx", **arguments)
    assert told in str(caught.value)
    assert caught.value.place is not None and caught.value.hint


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    numbers = {"cores": np.int64(4), "batch": np.int32(2), "optimization": np.int8(1)}
    with pytest.raises(DiagnosticError, match="No such file"):
        compile_model(tmp_path / "not_there.onnx", **numbers)  # pyright: ignore[reportArgumentType]


def test_arguments_of_an_import(tmp_path: Path) -> None:
    wrong: Any = "1x3"
    with pytest.raises(
        DiagnosticError, match=r"import_model\(input_shapes=\): error: input_shapes"
    ):
        import_model(tmp_path / "not_there.onnx", input_shapes={"x": 3, "y": wrong})  # pyright: ignore[reportArgumentType]


def test_arguments_of_an_export(tmp_path: Path) -> None:
    wrong: Any = {"model": 3, "path": None, "external_data": "yes"}
    for name, value in wrong.items():
        given: Any = {"model": "m.top.mlir", "path": tmp_path / "m.onnx", name: value}
        with pytest.raises(DiagnosticError, match=rf"export_model\({name}=\): error: {name}"):
            export_model(**given)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"on_chip": "no"}, "Optimization(on_chip=): error: on_chip cannot be 'no', of type str"),
        ({"multicast_weights": 1}, "give True, False or None"),
        ({"split_factor": "4"}, "give a number of parts, or None"),
        ({"split_factor": 0}, "Optimization(split_factor=): error: split_factor is at least 1"),
        ({"memory_effort": 1.5}, "give a number of loads, or None"),
        ({"objective": 1}, "give latency or throughput, or None"),
        ({"level": "high"}, "give a level, 0 to 2"),
    ],
)
def test_wrong_effects(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        Optimization(**arguments)
    assert told in str(caught.value)
