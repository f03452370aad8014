"""Fixtures of the end-to-end tests: the commands as functions, and one small compiled model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import TensorProto, numpy_helper
from smalti.backends.program import container
from smalti.tools import main as smalti_main


@dataclass(frozen=True)
class Ran:
    """A command's exit code, standard output and standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def smalti(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Calls `smalti` in this process."""

    def run(*words: object) -> Ran:
        capfd.readouterr()
        try:
            code = smalti_main.main([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run


def without_bound(path: Path) -> bytes:
    """The bytes of a program's file, but for the lower bound and the schedule: a program compiled from IR below tpu has
    none.
    """
    return container.write(replace(container.load(path), lower_bound=None, schedule=""))


def small_model() -> onnx.ModelProto:
    """conv → relu → conv → add → mean → gemm, seeded weights; `x` [1,3,12,12] → `y` [1,5]."""
    rng = np.random.default_rng(3)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        values = rng.normal(0, 1 / np.sqrt(np.prod(shape[1:]) or 1), shape)
        return numpy_helper.from_array(values.astype(np.float32), name)

    nodes = [
        oh.make_node("Conv", ["x", "w1", "b1"], ["c1"], name="first", pads=[1, 1, 1, 1]),
        oh.make_node("Relu", ["c1"], ["r1"], name="first_relu"),
        oh.make_node("Conv", ["r1", "w2"], ["c2"], name="second", pads=[1, 1, 1, 1]),
        oh.make_node("Add", ["c2", "r1"], ["a"], name="sum"),
        oh.make_node("GlobalAveragePool", ["a"], ["g"], name="mean"),
        oh.make_node("Flatten", ["g"], ["f"], name="flat"),
        oh.make_node("Gemm", ["f", "w3", "b3"], ["y"], name="classifier", transB=1),
    ]
    weights = [
        weight("w1", 8, 3, 3, 3), weight("b1", 8), weight("w2", 8, 8, 3, 3), weight("w3", 5, 8), weight("b3", 5),
    ]  # fmt: skip
    graph = oh.make_graph(
        nodes,
        "small",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 12, 12])],
        [oh.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
        weights,
    )
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="session")
def small_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model as a file."""
    path = tmp_path_factory.mktemp("small") / "small.onnx"
    onnx.save(small_model(), path)
    return path


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight samples for it as an .npz."""
    path = tmp_path_factory.mktemp("data") / "data.npz"
    np.savez(path, x=np.random.default_rng(4).normal(size=(8, 3, 12, 12)).astype(np.float32))
    return path


@pytest.fixture(scope="session")
def small_files(
    small_onnx: Path, small_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with small.top.mlir … small.isa.mlir and small.smalti for the default target: for several of its cores,
    as each layer by itself is fastest.
    """
    folder = tmp_path_factory.mktemp("compiled")
    code = smalti_main.main(
        ["compile", str(small_onnx), "--calibration", str(small_data), "-O1", "--emit", "top,tpu,tile,isa,program",
         "-o", str(folder / "small.smalti")]
    )  # fmt: skip
    assert code == 0
    return folder
