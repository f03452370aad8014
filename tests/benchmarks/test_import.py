"""How the time of an import grows with the nodes of a model, which it does in proportion: 10 to 10,000 of them.

Benchmarks, not tests of time: nothing is asserted on the clock. `extra_info` has the microseconds of a node.
"""

import time
from pathlib import Path

import onnx
import pytest
from onnx import helper
from pytest_benchmark.fixture import BenchmarkFixture
from smalti.compiler import import_model

COUNTS = [10, 100, 1_000, 10_000]


def chain(nodes: int) -> onnx.ModelProto:
    """A chain of nodes of five kinds, each with a constant of its own where it takes one."""
    made, constants = [], []
    for i in range(nodes):
        kind = ("Relu", "Add", "Sigmoid", "Mul", "Tanh")[i % 5]
        inputs = [f"x{i}"]
        if kind in ("Add", "Mul"):
            constants.append(helper.make_tensor(f"c{i}", onnx.TensorProto.FLOAT, [8], [0.5] * 8))
            inputs.append(f"c{i}")
        made.append(helper.make_node(kind, inputs, [f"x{i + 1}"], name=f"node{i}"))
    first, last = (
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 8])
        for name in ("x0", f"x{nodes}")
    )
    graph = helper.make_graph(made, "chain", [first], [last], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("nodes", COUNTS)
def test_import_of_nodes(benchmark: BenchmarkFixture, nodes: int, tmp_path: Path):
    path = tmp_path / "chain.onnx"
    onnx.save(chain(nodes), path)
    seconds: list[float] = []

    def run() -> int:
        start = time.perf_counter()
        ops, _, _ = import_model(path).counts()
        seconds.append(time.perf_counter() - start)
        return ops

    rounds = 3 if nodes < max(COUNTS) else 1
    assert benchmark.pedantic(run, rounds=rounds, warmup_rounds=rounds // 2) >= nodes
    benchmark.extra_info["microseconds_per_node"] = round(1e6 * min(seconds) / nodes)
