"""How near a compiled network is to ONNX Runtime: its outputs on the simulator, and every intermediate tensor.

Intermediates are those of the tpu interpreter, which is equal to the simulator to the bit for integers; each
measurement says how far apart the outputs of both were. Tensors are matched by name. One that Smalti has fused or
folded away cannot be compared: `Accuracy.absent` counts those.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from onnx import ModelProto, NodeProto
from smalti.backends.cpu.session import run_onnx
from smalti.backends.numerics.rounding_up import round_up
from smalti.backends.program.program import Program
from smalti.compiler.analysis.comparison import Difference
from smalti.compiler.compilation.collector import collector_paused
from smalti.compiler.compilation.compilation import Compilation, start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.model import CompiledModel
from smalti.passes.instrument import PassInstrument
from smalti.passes.top_to_tpu.precision.schemes import Quantize

from .catalog import Data, Network
from .onnxruntime_int8 import quantized_tensors

CALIBRATION_SAMPLES, CALIBRATION_SEED = 4, 1
SAMPLES, SEED = 2, 2
"""How many samples are compared; they are not among those of the calibration."""
PRODUCTS = ("Conv", "Gemm", "MatMul")


@dataclass(frozen=True)
class Case:
    """A network with its model, its data, and what ONNX Runtime computes for them, each made once."""

    network: Network
    seed: int = 0

    @cached_property
    def model(self) -> ModelProto:
        return self.network.make(self.seed)

    @cached_property
    def calibration(self) -> Data:
        return self.network.data(CALIBRATION_SAMPLES, CALIBRATION_SEED)

    @cached_property
    def inputs(self) -> Data:
        return self.network.data(SAMPLES, SEED)

    @cached_property
    def reference(self) -> dict[str, np.ndarray]:
        """All tensors that the model's nodes compute, in floats."""
        return _floats(run_onnx(self.model, self.inputs, intermediates=True))

    @cached_property
    def yardstick(self) -> dict[str, Difference]:
        """How far the tensors of ONNX Runtime's statically quantized model are from the float model's."""
        found = quantized_tensors(self.model, self.calibration, self.inputs)
        return self.differences(found)

    def compile(
        self,
        quantize: Quantize,
        target: str,
        batch: int = 1,
        *,
        io_quantized: bool = False,
        instruments: Sequence[PassInstrument] = (),
    ) -> tuple[Compilation, CompiledModel, float]:
        """The network for a batch, all the way down, and the seconds of processor time that took. With `io_quantized`
        its ports hold what the device computes with. `instruments` watch the passes.

        The samples of the calibration are as many as fill whole batches.
        """
        model, calibration = self.model, None
        if quantize == "int8":
            samples = round_up(CALIBRATION_SAMPLES, batch)
            calibration = self.network.data(samples, CALIBRATION_SEED)
        options = CompileOptions(target, None, quantize, calibration, io_quantized=io_quantized)
        symbols = self.network.symbols
        with collector_paused():
            start = time.process_time()
            compilation = start_from_model(model, options, batch=batch, symbols=symbols)
            compilation.instruments = instruments
            program = compilation.assemble()
            seconds = time.process_time() - start
        return compilation, CompiledModel(program, compilation.levels), seconds

    def differences(self, tensors: Mapping[str, np.ndarray]) -> dict[str, Difference]:
        """Each tensor that the float model has too against it, by name; judged as `_judged` says."""
        found: dict[str, Difference] = {}
        for name, value in tensors.items():
            expected = self.reference.get(name)
            if expected is None or value.size != expected.size or name in self._one_hot:
                continue
            judged = self._judged(name, value.reshape(expected.shape))
            found[name] = Difference.between(name, judged, self._judged(name, expected))
        return found

    def _judged(self, name: str, value: np.ndarray) -> np.ndarray:
        """Logits without their mean over the classes, which no Softmax sees; what reaches nothing but Relus without
        its negative part, which a quantized tensor need not have.
        """
        if name in self._logits and self.network.class_axis is not None:
            return value - value.mean(axis=self.network.class_axis, keepdims=True)
        return np.maximum(value, 0) if name in self._rectified else value

    @cached_property
    def _rectified(self) -> set[str]:
        """Tensors that only Relus read, or a Concat whose result only Relus read."""
        users: dict[str, list[NodeProto]] = {}
        for node in self.model.graph.node:
            for name in node.input:
                users.setdefault(name, []).append(node)
        rectified = {value.name: False for value in self.model.graph.output}
        for node in reversed(self.model.graph.node):
            for name in node.output:
                read = [
                    user.op_type == "Relu"
                    or (user.op_type == "Concat" and rectified[user.output[0]])
                    for user in users.get(name, [])
                ]
                rectified.setdefault(name, bool(read) and all(read))
        return {name for name, holds in rectified.items() if holds}

    @cached_property
    def _last_softmax(self) -> dict[str, NodeProto]:
        """The Softmax nodes that make outputs of the graph, by output."""
        outputs = {value.name for value in self.model.graph.output}
        nodes = [node for node in self.model.graph.node if node.op_type == "Softmax"]
        return {node.output[0]: node for node in nodes if node.output[0] in outputs}

    @property
    def _one_hot(self) -> set[str]:
        """What a Softmax at the end makes: of random logits it is one-hot, and hides every error."""
        return set(self._last_softmax)

    @cached_property
    def _logits(self) -> set[str]:
        """What such a Softmax reads; where there is none, the outputs of a classifier."""
        read = {node.input[0] for node in self._last_softmax.values()}
        if read or self.network.class_axis is None:
            return read
        return {value.name for value in self.model.graph.output}


@dataclass(frozen=True)
class Accuracy:
    """A compiled network against ONNX Runtime.

    `outputs`: of the program on the simulator; `tensors`: of the tpu interpreter. `levels_differ`: the largest
    difference between both on the outputs. `absent`: how many of the model's tensors the tpu level has no more.
    `yardstick`: the tensors of ONNX Runtime's INT8, for int8. `compile_seconds`: of processor time, from the model in
    memory to the program.
    """

    program: Program
    compile_seconds: float

    outputs: dict[str, Difference]
    tensors: dict[str, Difference]
    levels_differ: float
    absent: int
    yardstick: dict[str, Difference] = field(default_factory=dict)

    @property
    def worst(self) -> Difference:
        """The tensor with the least signal-to-noise ratio."""
        return min(self.tensors.values(), key=lambda each: each.snr_db)

    @property
    def output_error(self) -> float:
        """The largest error of an output as a part of its range."""
        return max(d.largest_error / d.reference_range for d in self.outputs.values())

    def losses(self) -> dict[str, float]:
        """By how many dB each tensor is worse than in ONNX Runtime's INT8 (negative: better), for what both have."""
        return {
            name: self.yardstick[name].snr_db - difference.snr_db
            for name, difference in self.tensors.items()
            if name in self.yardstick and np.isfinite(difference.snr_db)
        }


def measure(case: Case, quantize: Quantize, target: str = "default-8c") -> Accuracy:
    """Compiles a network and compares it with ONNX Runtime."""
    compilation, compiled, seconds = case.compile(quantize, target)
    seen: dict[str, np.ndarray] = {}

    def observe(name: str, value: np.ndarray) -> None:
        if name in case.reference:
            seen[name] = np.array(value)

    outputs = run_ir(compilation.levels["tpu"], compilation.ctx, case.inputs, observe=observe)
    got = compiled.run(case.inputs)
    apart = max(float(np.abs(got[name] - value).max()) for name, value in outputs.items())
    tensors = case.differences({**seen, **outputs})
    return Accuracy(
        compiled.program,
        seconds,
        {name: Difference.between(name, got[name], case.reference[name]) for name in got},
        tensors,
        apart,
        len(case.reference) - len(tensors),
        case.yardstick if quantize == "int8" else {},
    )


def count_products(model: ModelProto) -> int:
    """How many convolutions and matrix products a model has."""
    return sum(node.op_type in PRODUCTS for node in model.graph.node)


def _floats(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value for name, value in tensors.items() if value.dtype == np.float32}
