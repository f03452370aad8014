"""A network in floats, and variants of it with some layers quantized: their tpu IR, their outputs, their quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.interpreter.samples import (
    count_samples,
    declared_inputs,
    formats_of,
    main_function,
)
from ...backends.interpreter.variants import VariantRunner
from ...backends.simulator.simulate import simulate
from ...dialects import top
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.location import named
from ...dialects.tpu import TpuOp
from ...passes.pipeline import run_pipeline
from ...passes.registry import parse_pipeline
from ...passes.top.annotate_calibration import annotate
from ...passes.top.calibration_table import Row
from ...passes.top_to_tpu.convert_top_to_tpu import ConvertBySchemes
from ...passes.top_to_tpu.precision.schemes import SCHEMES, Scheme
from ..analysis.comparison import Difference
from ..compilation.compilation import Compilation, start_from_ir, start_from_model
from ..compilation.compile_options import CompileOptions
from ..compilation.pipelines import level_of, passes_of
from .layer_groups import LayerGroup, layer_groups
from .quality import Judge, Outputs

FLOAT = "f32"
"""The scheme of the network that others are compared with."""


@dataclass(frozen=True)
class Choice:
    """Which groups of layers have which scheme, by their names, what the `others` have, and by which of the
    calibration tables they are quantized.
    """

    schemes: Mapping[str, str]
    others: str
    table: str

    def to_json(self) -> dict[str, Any]:
        """Return it as the point of a search."""
        return {"schemes": dict(self.schemes), "others": self.others, "table": self.table}

    def scheme_of(self, group: str) -> str:
        """Return the scheme of a group."""
        return self.schemes.get(group, self.others)


@dataclass(frozen=True)
class NetworkSource:
    """What a quantized network is made of; it can be pickled.

    `model` is the path of an ONNX model or of top IR; `sizes` are the arguments that `start_from_model` takes about
    inputs; `data` arrays by input name; `tables` the rows of calibration tables, by the names of tables, and
    `four_bits` the rows for tensors that are read in 4 bits, whichever table is taken.
    """

    model: str
    target: str
    data: Mapping[str, np.ndarray]
    tables: Mapping[str, Mapping[str, Row]]
    sizes: Mapping[str, Any] = field(default_factory=dict)
    judge: Judge = field(default_factory=Judge)
    four_bits: Mapping[str, Row] = field(default_factory=dict)


def start(model: str, sizes: Mapping[str, Any], options: CompileOptions) -> Compilation:
    """Return the start of a compilation of an ONNX model, or of top IR.

    Raises DiagnosticError if it cannot be imported, or if it is IR of another level.
    """
    if Path(model).suffix != ".mlir":
        return start_from_model(model, options, **sizes)
    compilation = start_from_ir(model, options)
    if (level := level_of(compilation.module)) != "top":
        raise DiagnosticError(
            f"this is IR of level {level}; layers are quantized on the way from level top",
            Place(file=model),
            hint="smalti import or smalti compile --emit top writes it",
        )
    return compilation


def network_at_top(model: str, sizes: Mapping[str, Any]) -> tuple[ModuleOp, SmaltiContext]:
    """Return a network after the passes of level top, as it is converted, and its context."""
    compilation = start(model, sizes, CompileOptions(quantize=FLOAT))
    compilation.keep_levels = False
    compilation.lower_to("top")
    return compilation.module, compilation.ctx


class QuantizedNetwork:
    """The network of a source, with what its variants have in common."""

    def __init__(self, source: NetworkSource) -> None:
        self.source = source
        self.module, self.ctx = network_at_top(source.model, source.sizes)
        self.ctx.on_report = _drop  # each variant would tell the same
        for (
            op
        ) in self._ops():  # a layer's cycles are found by its name, as IR may have no locations
            op.location = named(op.result_name.data)
        self.groups = {group.name: group for group in layer_groups(self.module)}
        self._annotated: dict[str, ModuleOp] = {}
        self._kept: set[tuple[str, str]] = set()
        self._passes = list(
            parse_pipeline(",".join(passes_of("tpu", target=source.target, quantize="int8")))
        )
        declared = declared_inputs(self.module)
        name = next(iter(declared))
        self.samples = count_samples(name, source.data[name].shape, declared[name])

    def check_cosines_tell(self, option: str) -> None:
        """Raise DiagnosticError if the outputs are such that cosines, which an option asks for, are always 1."""
        formats = formats_of(main_function(self.module), "output")
        shapes = {name: each.array_type(raw=False)[0] for name, each in formats.items()}
        self.source.judge.check_tells(shapes, Place(name=option))

    def convert(self, choice: Choice) -> ModuleOp:
        """Return the tpu IR of a choice. Raises DiagnosticError if the conversion does."""
        schemes: dict[str, Scheme] = {
            layer: SCHEMES[scheme]
            for name, scheme in choice.schemes.items()
            for layer in self.groups[name].layers
        }
        module = self._with_ranges(choice.table).clone()
        convert: ModulePass = ConvertBySchemes(self.source.target, choice.others, schemes)
        run_pipeline(self.ctx, module, [convert, *self._passes], verify=False)
        return module

    def measure(self, choice: Choice) -> dict[str, Any]:
        """Return the quality of the outputs of a choice as `Judge.measure` does, and whether it computes anything in
        another way than the network in floats.
        """
        self._keep_others(choice)
        module = self.convert(choice)
        changes = self._runner.identity(module) != self._runner.identity(self._float_module)
        with threadpool_limits(1, "blas"):
            outputs = self._runner.run(module) if changes else self.float_outputs
        measured = self.source.judge.measure(self.float_outputs, outputs, self.samples)
        return {**measured, "changes": changes}

    def _keep_others(self, choice: Choice) -> None:
        """Have the values kept of the network all of whose layers are as the `others` of a choice are, which variants
        of it have in common.
        """
        kept = choice.others, choice.table
        if choice.others == FLOAT or kept in self._kept:
            return
        self._kept.add(kept)
        self._runner.keep(self.convert(Choice({}, *kept)))

    def measure_with_cycles(self, choice: Choice) -> dict[str, Any]:
        """Return what `measure` does, the simulated cycles of the program, and the part of them that each group of
        layers has of the critical path, by its name; only an "error" if the target cannot compute the choice.
        """
        try:
            module = self.convert(choice)
            compilation = Compilation(module, self.ctx, CompileOptions(), keep_levels=False)
            timing = simulate(compilation.compile(), None, mode="timing").timing
        except DiagnosticError as error:
            return {"error": error.message}
        assert timing is not None
        layer_cycles: dict[str, float] = {}
        for cost in timing.node_costs().values():
            owner = next(
                (self._group_of_layer[n] for n in cost.nodes if n in self._group_of_layer), None
            )
            if owner is not None:
                layer_cycles[owner] = layer_cycles.get(owner, 0.0) + cost.cycles
        return {**self.measure(choice), "cycles": timing.cycles, "layer_cycles": layer_cycles}

    def result_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each group's result, by the name of the group."""
        return {
            op.result_name.data: op.output.type.get_shape()
            for op in self._ops()
            if op.result_name.data in self.groups
        }

    def weight_keys(self) -> list[str]:
        """Return the keys of the network's weights in the store, in order."""
        ops = [op for op in self._ops() if isinstance(op, top.WeightOp)]
        return [op.key.data for op in ops if op.key is not None]

    def macs(self) -> dict[str, int]:
        """Return the multiply-accumulates of each group for one sample, by its name."""
        counts = dict.fromkeys(self.groups, 0)
        for op in self._ops():
            owner = self._group_of_layer.get(op.result_name.data)
            if owner is not None:
                counts[owner] += op.macs
        return counts

    @cached_property
    def _group_of_layer(self) -> dict[str, str]:
        """The name of the group of each layer."""
        return {layer: name for name, group in self.groups.items() for layer in group.layers}

    def _ops(self) -> list[top.TopOp]:
        block = main_function(self.module).body.block
        return [op for op in block.ops if isinstance(op, top.TopOp)]

    def measure_layer(self, choice: Choice, group: LayerGroup) -> dict[str, Any]:
        """Return the loss, 1 - cosine, of the result of a group alone, and the signal-to-noise ratio of it in dB."""
        module = self.convert(choice)
        with threadpool_limits(1, "blas"):
            expected = self._runner.value(self._float_module, group.name)
            got = self._runner.value(module, group.name)
        if expected is None or got is None:
            return {"loss": 0.0, "snr_db": float("inf"), "changes": False}
        difference = Difference.between(group.name, got, expected)
        return {
            "loss": 1 - difference.cosine,
            "snr_db": difference.snr_db,
            "changes": not difference.equal,
        }

    @cached_property
    def float_outputs(self) -> Outputs:
        """The outputs of the network in floats."""
        with threadpool_limits(1, "blas"):
            return self._runner.run(self._float_module)

    @property
    def evaluated(self) -> int:
        """How many ops were computed so far."""
        return self._runner.evaluated

    @cached_property
    def _float_module(self) -> ModuleOp:
        return self.convert(Choice({}, FLOAT, next(iter(self.source.tables))))

    @cached_property
    def _runner(self) -> VariantRunner:
        return VariantRunner(TpuOp, self.ctx.weights, self._float_module, self.source.data)

    def _with_ranges(self, table: str) -> ModuleOp:
        """Return the network with the ranges of a table in its types."""
        if table not in self._annotated:
            module = self.module.clone()
            annotate(module, self.source.tables[table], self.source.four_bits)
            self._annotated[table] = module
        return self._annotated[table]


@dataclass
class ChoiceEvaluator:
    """Measures choices, as points of a search, on the network of a source.

    With `quick`, choices of one group are judged by the result of that group alone.
    """

    source: NetworkSource
    quick: bool = False
    _network: QuantizedNetwork | None = None

    def evaluate(self, point: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what `QuantizedNetwork.measure` returns, `measure_with_cycles` if the point asks for "cycles", or
        `measure_layer`.
        """
        choice = Choice(point["schemes"], point["others"], point["table"])
        if self.quick and len(choice.schemes) == 1:
            return self.network.measure_layer(
                choice, self.network.groups[next(iter(choice.schemes))]
            )
        if point.get("cycles"):
            return self.network.measure_with_cycles(choice)
        return self.network.measure(choice)

    @property
    def network(self) -> QuantizedNetwork:
        """The network, which is imported when it is first needed."""
        if self._network is None:
            self._network = QuantizedNetwork(self.source)
        return self._network

    def with_table(self, name: str, rows: Mapping[str, Row]) -> ChoiceEvaluator:
        """Return an evaluator of the same network that has one more table."""
        source = replace(self.source, tables={**self.source.tables, name: rows})
        self.network.source = source
        return ChoiceEvaluator(source, _network=self.network)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: not the network, which each process imports for itself."""
        return {"source": self.source, "quick": self.quick, "_network": None}


def _drop(diagnostic: Diagnostic) -> None:
    """Tell nobody."""
