"""A random graph under construction: ONNX Runtime runs each node as it is added, so that the graph is well-typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state

OPSETS = (13, 15, 17, 18, 19, 20, 21, 22, 23)
LARGEST_TENSOR = 4096
"""Elements of the largest tensor of a graph."""
LARGEST_VALUE = 1e4
LARGEST_INTEGER = 2**20
DOMAINS = ("", "com.microsoft")


class NodeRefused(Exception):
    """ONNX Runtime does not run a node, or its result is no good for a comparison."""


@dataclass(frozen=True)
class Precision:
    """How far two runs of a graph may be from each other."""

    name: str
    dtype: type[np.generic]
    step: float
    """The relative change of inexact operands under which a node's result must be stable."""
    tolerance: float
    """The largest difference, relative to the largest magnitude in the tensor (at least 1)."""


SINGLE = Precision("f32", np.float32, 2e-6, 2e-4)
HALF = Precision("f16", np.float16, 1e-3, 4e-2)


@dataclass
class Draw:
    """Draws operands and adds nodes.

    `arrays` holds each tensor of the graph by name, as ONNX Runtime computes it; `inexact` names those that come
    after a computation with floats, `read` those that nodes read. `steps` has how far results of quantized ops may be
    from those of ONNX Runtime, which rounds otherwise where two integers are as near; no other node reads them.
    """

    rng: np.random.Generator
    opset: int
    precision: Precision
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    nodes: list[NodeProto] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    inexact: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    steps: dict[str, float] = field(default_factory=dict)

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.rng.random() < probability)

    def choice(self, items: Sequence[Any]) -> Any:
        """Return one of some items."""
        return items[int(self.rng.integers(len(items)))]

    def integer(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def number(self, low: float, high: float) -> float:
        """Return a float between two bounds, which f32 holds exactly."""
        return float(np.float32(self.rng.uniform(low, high)))

    def shape(self, ranks: tuple[int, int] = (0, 5), largest: int = 6) -> tuple[int, ...]:
        """Return a shape of a rank between two bounds, whose tensor is not too large."""
        shape = [self.integer(1, largest) for _ in range(self.integer(*ranks))]
        while np.prod(shape, dtype=int) > LARGEST_TENSOR // 4:
            shape[int(np.argmax(shape))] -= 1
        return tuple(shape)

    def values(self, shape: Sequence[int], dtype: Any) -> np.ndarray:
        """Return random numbers of a type."""
        kind = np.dtype(dtype).kind
        if kind == "b":
            return self.rng.random(shape) < 0.5
        if kind in "iu":
            low = 0 if kind == "u" else -9
            return self.rng.integers(low, 10, shape).astype(dtype)
        return np.asarray(self.rng.normal(0, 1.5, shape)).astype(dtype)

    def new(self, array: np.ndarray, constant: bool | None = None) -> str:
        """Add an input or an initializer, either if that is left open, and return its name."""
        constant = self.chance(0.4) if constant is None else constant
        name = f"{'c' if constant else 'x'}{len(self.arrays)}"
        self.arrays[name] = np.asarray(array)
        (self.constants if constant else self.inputs).append(name)
        return name

    def constant(self, values: Any, dtype: Any = np.int64) -> str:
        """Add an initializer, and return its name."""
        return self.new(np.asarray(values, dtype), constant=True)

    def operand(
        self,
        dtype: Any = None,
        ranks: tuple[int, int] = (0, 5),
        fits: Callable[[np.ndarray], bool] = lambda array: True,
        shape: Sequence[int] | None = None,
    ) -> str:
        """Return a tensor of the graph that fits, or a new one of a random shape or of the one that is given.

        `dtype` None stands for the graph's floats.
        """
        dtype = np.dtype(self.precision.dtype if dtype is None else dtype)
        found = [
            name
            for name, array in self.arrays.items()
            if array.dtype == dtype
            and name not in self.steps
            and ranks[0] <= array.ndim <= ranks[1]
            and (shape is None or array.shape == tuple(shape))
            and fits(array)
        ]
        if found and self.chance(0.75):
            return found[-1 - min(int(self.rng.geometric(0.4)) - 1, len(found) - 1)]
        return self.new(self.values(self.shape(ranks) if shape is None else shape, dtype))

    def beside(self, name: str, dtype: Any = None) -> str:
        """Return an operand that broadcasts with another, of the same type if none is given."""
        array = self.arrays[name]
        dtype = array.dtype if dtype is None else dtype
        shape = tuple(1 if self.chance(0.25) else size for size in array.shape)
        if self.chance(0.3):
            shape = shape[self.integer(0, len(shape)) :]
        return self.operand(dtype, (0, 6), shape=shape)

    def axis(self, name: str, negative: bool = True) -> int:
        """Return an axis of a tensor of rank 1 at least, counted from either end."""
        rank = self.arrays[name].ndim
        return self.integer(-rank if negative else 0, rank - 1)

    def axes(self, name: str, least: int = 0) -> list[int]:
        """Return some different axes of a tensor."""
        rank = self.arrays[name].ndim
        count = self.integer(min(least, rank), rank)
        chosen = self.rng.permutation(rank)[:count]
        return [int(axis) - (rank if self.chance(0.3) else 0) for axis in chosen]

    def node(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: int | Sequence[bool] = 1,
        captured: Sequence[str] = (),
        domain: str = "",
        **attributes: Any,
    ) -> list[str]:
        """Add a node, and return the names of its results; attributes that are None are left out, and so are results
        where `outputs` is False.

        `captured` are the tensors that the bodies of the node read from the graph around them.

        Raises NodeRefused if ONNX Runtime does not run it, or its results are not finite, too large, or change with
        rounding errors of the operands.
        """
        kept = [True] * outputs if isinstance(outputs, int) else outputs
        places = [
            f"t{len(self.arrays)}_{index}" if is_kept else "" for index, is_kept in enumerate(kept)
        ]
        names = [name for name in places if name]
        given = {key: value for key, value in attributes.items() if value is not None}
        node = helper.make_node(
            kind, list(inputs), places, name=f"n{len(self.nodes)}", domain=domain, **given
        )
        operands = [name for name in dict.fromkeys((*inputs, *captured)) if name]
        results = self._run(node, {name: self.arrays[name] for name in operands})
        for result in results:
            _check(result)
        inexact = [name for name in operands if name in self.inexact]
        if inexact:
            self._check_stable(node, operands, inexact, results)
        for name, result in zip(names, results, strict=True):
            self.arrays[name] = result
            if inexact or result.dtype.kind == "f":
                self.inexact.add(name)
        self.nodes.append(node)
        self.read.update(operands)
        return names

    def _run(self, node: NodeProto, operands: dict[str, np.ndarray]) -> list[np.ndarray]:
        graph = helper.make_graph(
            [node],
            node.op_type,
            [declared(name, array) for name, array in operands.items()],
            [helper.make_empty_tensor_value_info(name) for name in node.output if name],
        )
        return run_model(self.finish(graph), operands)

    def finish(self, graph: Any) -> ModelProto:
        """Return a graph as a model of the opset."""
        opsets = [
            helper.make_opsetid(domain, self.opset if not domain else 1) for domain in DOMAINS
        ]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def _check_stable(
        self,
        node: NodeProto,
        operands: Sequence[str],
        inexact: Sequence[str],
        results: Sequence[np.ndarray],
    ) -> None:
        for _ in range(2):
            moved = {name: self.arrays[name] for name in operands}
            for name in inexact:
                if moved[name].dtype.kind == "f":
                    moved[name] = self._moved(moved[name])
            for before, after in zip(results, self._run(node, moved), strict=True):
                if difference(before, after) > self.precision.tolerance / 4:
                    raise NodeRefused("its result changes with rounding errors")

    def _moved(self, array: np.ndarray) -> np.ndarray:
        scale = self.precision.step * max(1.0, float(np.abs(array).max(initial=0)))
        return (array + self.rng.uniform(-scale, scale, array.shape)).astype(array.dtype)

    def model(self) -> ModelProto:
        """Return the graph: what no node reads is a result, and some of what others read."""
        made = [name for node in self.nodes for name in node.output if name]
        results = [name for name in made if name not in self.read or self.chance(0.1)]
        weights = [
            numpy_helper.from_array(self.arrays[name], name)
            for name in self.constants
            if name in self.read
        ]
        graph = helper.make_graph(
            self.nodes,
            "random",
            [declared(name, self.arrays[name]) for name in self.fed()],
            [declared(name, self.arrays[name]) for name in results],
            weights,
        )
        return self.finish(graph)

    def fed(self) -> dict[str, np.ndarray]:
        """Return the arrays of the graph's inputs that nodes read."""
        return {name: self.arrays[name] for name in self.inputs if name in self.read}


def declared(name: str, array: np.ndarray) -> ValueInfoProto:
    """Return the declaration of a tensor like an array."""
    return helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
    )


def run_model(model: ModelProto, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Run a model in ONNX Runtime as it is written, without optimizations.

    Raises NodeRefused if ONNX Runtime does not.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return [np.asarray(each) for each in session.run(None, inputs)]
    except (RuntimeError, ValueError, *_failures()) as error:
        raise NodeRefused(str(error)) from error


def _failures() -> tuple[type[Exception], ...]:
    """The errors of ONNX Runtime, which have no common base."""
    state = onnxruntime_pybind11_state
    return (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.NotImplemented,
        state.RuntimeException,
    )


def _check(result: np.ndarray) -> None:
    if not 0 < result.size <= LARGEST_TENSOR:
        raise NodeRefused("its result has no elements or too many")
    if result.dtype.kind == "f" and not (np.abs(result) < LARGEST_VALUE).all():
        raise NodeRefused("its result is not finite or too large")
    if result.dtype.kind == "i" and (np.abs(result.astype(float)) > LARGEST_INTEGER).any():
        raise NodeRefused("integers have overflowed, or could")


def difference(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference of two tensors over the largest magnitude in the first (at least 1); infinity if
    they differ in shape, or in anything where they are no floats.
    """
    if expected.shape != found.shape or expected.dtype != found.dtype:
        return float("inf")
    if expected.dtype.kind != "f":
        return 0.0 if np.array_equal(expected, found) else float("inf")
    if not expected.size:
        return 0.0
    wide = expected.astype(np.float64)
    error = np.abs(wide - found.astype(np.float64)).max()
    return float(error / max(1.0, float(np.abs(wide).max()))) if error == error else float("inf")
