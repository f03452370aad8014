"""The public objects and functions: import a model, compile it, run and time the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from numbers import Integral
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from xdsl.dialects.builtin import ModuleOp

from ..backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ..backends.diagnostics.files import write_text
from ..backends.diagnostics.progress import Progress, silent
from ..backends.numerics.ports.port_format import LAYOUTS, MODEL_LAYOUT
from ..backends.targets.target import Target, reference_to
from ..dialects.context import make_context
from ..dialects.ir.context import SmaltiContext, print_diagnostic
from ..dialects.ir.text.module_text import print_module, read_module, write_module
from ..dialects.level import LEVELS, Level
from ..passes.tile.network_schedule import NetworkSchedule
from ..passes.tile.schedule_text import ScheduleSource, parse_schedule, schedule_from
from ..passes.top.calibration_grammar import parse_table
from ..passes.top.calibration_table import CalibrationTable, write_table
from ..passes.top_to_tpu.precision.schemes import QUANTIZE, SCHEMES, Quantize
from .cache.entry_of import CacheOptions, entry_of
from .cache.program_cache import CachedProgram
from .compilation.accuracy import Accuracy
from .compilation.arguments import (
    Argument,
    by_name,
    check_arguments,
    one_or_several,
    switch,
    whole_number,
)
from .compilation.collector import collector_paused
from .compilation.compilation import CALIBRATION_TABLE, SCHEDULE, Compilation, start_from_model
from .compilation.compile_options import CalibrationSource, CompileOptions
from .compilation.optimization import HIGHEST_LEVEL, Optimization
from .compilation.pass_change import PassChange, PassOptions
from .compilation.pipelines import Insertion, level_of
from .plugins.plugin import Plugin, load_plugin

if TYPE_CHECKING:
    from onnx import ModelProto

    from ..backends.program.lower_bound import LowerBound
    from ..backends.program.program import Program
    from ..backends.simulator.timing.timing_result import Timing
    from ..passes.tile.planning.decisions import PlanTrace
    from .driver.plan_tracing import PlanTracing
    from .onnx_export.exporter import ExportedModel
    from .onnx_import.model.limits import ImportLimits


class ImportedModel:
    """An imported model as `top` IR, which computes in floats and is the same for every target."""

    def __init__(self, module: ModuleOp, ctx: SmaltiContext) -> None:
        self.module = module
        self.ctx = ctx

    def __repr__(self) -> str:
        ops, weights, elements = self.counts()
        return f"<ImportedModel: {ops:,} ops, {weights:,} weights of {elements:,} elements>"

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model on the `top` interpreter.

        Args:
            inputs: by input name, arrays of the declared shapes, or with axis 0 S times as long: S samples.

        Returns:
            The outputs by name, samples one after the other along axis 0.
        """
        from ..backends.interpreter.top import run_top

        return run_top(self.module, self.ctx.weights, dict(inputs))

    def counts(self) -> tuple[int, int, int]:
        """Return how many ops the network has (without weights), how many weights, and how many elements these have."""
        from ..dialects import top

        ops = [op for op in self.module.walk() if isinstance(op, top.TopOp)]
        weights = [op for op in ops if isinstance(op, top.WeightOp)]
        elements = sum(prod(op.output.type.get_shape()) for op in weights)
        return len(ops) - len(weights), len(weights), elements

    def ir(self) -> str:
        """Return the `top` IR as text."""
        return print_module(self.module)

    def save(self, path: str | Path) -> None:
        """Write the IR to a file, and the weights into a safetensors file next to it."""
        write_module(self.module, Path(path), self.ctx)

    def to_onnx(self) -> ModelProto:
        """Return the model as one of ONNX, which `export_model` writes to a file.

        Raises:
            DiagnosticError: if an op has no counterpart in ONNX, or the weights are 2 GiB or more.
        """
        from .onnx_export.exporter import export_onnx

        return export_onnx(self.module, self.ctx.weights).proto()


class CompiledModel:
    """A program for a target, with the IR of each level (if it was compiled here and not loaded from a file)."""

    def __init__(
        self,
        program: Program,
        levels: Mapping[Level, ModuleOp],
        pipeline: str = "",
        calibrated: CalibrationTable | None = None,
        plan_trace: PlanTrace | None = None,
    ) -> None:
        """Make a compiled model of a program.

        `pipeline` is the text of the passes that made it, for smalti-opt. `calibrated` is the table that
        calibration made; the text reads it from a file that `save_calibration` writes. `plan_trace` are the decisions
        about its schedule, None if they were not asked for.
        """
        self.program = program
        self.pipeline = pipeline
        self.calibrated = calibrated
        self.plan_trace = plan_trace
        self._levels = dict(levels)

    def __repr__(self) -> str:
        program = self.program
        ports = [", ".join(map(str, side)) for side in (program.inputs, program.outputs)]
        return f"<CompiledModel {program!r}, {ports[0]} -> {ports[1]}>"

    @property
    def bound(self) -> LowerBound | None:
        """In how many cycles any schedule runs the network on the target at least, and what bounds it; None if the
        program was not compiled from a network.
        """
        return self.program.lower_bound

    @property
    def schedule(self) -> NetworkSchedule | None:
        """How the layers are carried out, by their names, as `compile_model` takes it: the complete schedule, which
        `str` gives as text. None if the program was compiled from IR whose layers were tiled already.
        """
        return parse_schedule(self.program.schedule) if self.program.schedule else None

    def run(
        self, inputs: Mapping[str, np.ndarray], *, jobs: int = 1, raw_io: bool = False
    ) -> dict[str, np.ndarray]:
        """Run the program's bytes on the functional simulator.

        Args:
            inputs: by input name, arrays of the model's shapes, or with axis 0 S times as long: S samples.
            jobs: the number of processes that share the samples.
            raw_io: take and return what the program's ports hold, in their layouts and types (as `program.inputs` and
                `program.outputs` say), not the model's values.

        Returns:
            The outputs by name.
        """
        from ..backends.simulator.simulate import simulate

        outputs = simulate(
            self.program, dict(inputs), mode="functional", jobs=jobs, raw_io=raw_io
        ).outputs
        assert outputs is not None
        return outputs

    def profile(self, *, repeat: int = 1) -> Timing:
        """Simulate the time, without values, of one inference from cold (or `repeat` in a row); `.cycles` has the
        cycles.
        """
        from ..backends.simulator.simulate import simulate

        timing = simulate(self.program, None, mode="timing", repeat=repeat).timing
        assert timing is not None
        return timing

    def explain_plan(self, *nodes: str) -> str:
        """Return for layers, by their names, those of their ONNX nodes or globs of them, how they are carried out, and
        why: the candidates, their estimated cycles, and what decided.

        Raises:
            DiagnosticError: if a name means no layer, or if the model was compiled without `trace_plan`.
        """
        from .driver.plan_tracing import explain

        if self.plan_trace is None:
            raise DiagnosticError(
                "the decisions about the schedule were not taken down",
                hint="compile with compile_model(trace_plan=True)",
            )
        return explain(self.plan_trace, nodes)

    def ir(self, level: str) -> str:
        """Return the IR of a level, "top", "tpu", "tile" or "isa", as text.

        Raises:
            DiagnosticError: if there is no such level, or if the program was loaded from a file and the level is above
                isa.
        """
        for known, module in self._levels.items():
            if known == level:
                return print_module(module)
        if level == "isa":
            from ..backends.program.assemble import disassemble

            return disassemble(self.program)
        if level in LEVELS:
            raise DiagnosticError(
                f"a program file holds no {level} IR",
                hint=f"compile the model with --emit {level}",
            )
        raise DiagnosticError(
            f"no level '{level}'",
            hint=did_you_mean(level, LEVELS) or f"the levels are {', '.join(LEVELS)}",
        )

    def save(self, path: str | Path) -> None:
        """Write the program file, whole or not at all."""
        from ..backends.program import container

        container.save(self.program, path)

    def save_calibration(self, folder: str | Path) -> Path:
        """Write the ranges that calibration measured to the file from which `pipeline` reads them when it runs in
        `folder`; return its path.

        Raises:
            DiagnosticError: if nothing was measured, or the file cannot be written.
        """
        if self.calibrated is None:
            raise DiagnosticError(
                "no ranges were measured for this model",
                hint="compile it with quantize='int8' and calibration data",
            )
        path = Path(folder) / CALIBRATION_TABLE
        write_table(self.calibrated, path)
        return path

    def save_schedule(self, folder: str | Path) -> Path:
        """Write the schedule to the file from which `pipeline` reads it when it runs in `folder`, if the schedule that
        was given is no file; return its path.

        Raises:
            DiagnosticError: if there is no schedule, or the file cannot be written.
        """
        if not self.program.schedule:
            raise DiagnosticError(
                "the program holds no schedule",
                hint="compile it from the model, or from IR of level top or tpu",
            )
        path = Path(folder) / SCHEDULE
        write_text(path, self.program.schedule)
        return path


def compile_model(
    model: str | Path | ModelProto,
    *,
    target: str | Path | Target = "default-8c",
    cores: int | None = None,
    quantize: Quantize = "int8",
    calibration: CalibrationSource | None = None,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    symbols: Mapping[str, int] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    limits: ImportLimits | None = None,
    passes: PassOptions | None = None,
    insert_pass: str | Sequence[str] = (),
    plugins: str | Path | Plugin | Sequence[str | Path | Plugin] = (),
    schedule: ScheduleSource | None = None,
    trace_plan: bool = False,
    optimization: int | Optimization = HIGHEST_LEVEL,
    io_layout: str = MODEL_LAYOUT,
    io_quantized: bool = False,
    qtable: str | Path | None = None,
    scheme: str | None = None,
    accuracy: Accuracy | None = None,
    cache: str | Path | None = None,
) -> CompiledModel:
    """Compile an ONNX model to a program.

    Args:
        model: path of an .onnx file, or a ModelProto.
        target: a target, a shipped target's name, or the path of a target's TOML file.
        cores: how many of its cores to use; None for all.
        quantize: "int8", "f32", "f16" or "bf16": how numbers are stored.
        calibration: arrays by input name, an .npz of them, a calibration table, or "random:SEED"; "int8"
            needs it, and no other uses it.
        batch: the size of axis 0 of every input, in place of the model's.
        input_shapes: shapes by input name, in place of the model's.
        symbols: sizes of the dimensions that the model declares by name.
        constants: values by input name; these inputs become constants of the network, such as `{"sr": 16000}`, so that
            what depends on them is settled: branches of If, trip counts of Loop, shapes.
        limits: how much work and memory the import may take on the word of the model.
        passes: by the name of a pass of the pipeline, options by name, or False to leave the pass out:
            `{"tile-order-engines": {"prefetch": 2}, "cse": False}`.
        insert_pass: passes of your own and where they run, as `smalti compile --insert-pass` takes them: "top:my-pass",
            "after=convert-top-to-tpu:my-pass{option=1}".
        plugins: a plugin to load before, or several, each a `Plugin`, a .py file or the name of a module.
        schedule: how layers are carried out; passes decide the rest. The path of a schedule's file, or its text, the
            `schedule` of another compiled model, or schedules by the names of layers or globs of them:
            `{"conv1": {"cores": [0, 1]}, "conv*": "tile = [1, 64, 14, 56], output = local"}`.
        trace_plan: whether to take down what is decided about the schedule, among which candidates, and why, for
            `plan_trace` and `explain_plan` of the result.
        optimization: a level, 0 to 2, or an `Optimization`, which has single effects, too.
        io_layout: "model", or "nhwc" for the bytes of inputs and outputs with four axes. `run` takes and gives the
            model's layout in either case, unless `raw_io`.
        io_quantized: whether the program's inputs and outputs hold the integers or half floats that the device computes
            with. `run` takes and gives the model's floats in either case, unless `raw_io`.
        qtable: the path of a table that gives some layers another scheme: NAME SCHEME in each line.
        scheme: the name of a scheme of quantization, which wins over `quantize`.
        accuracy: what is done to weights and biases so that a quantized network loses less; None for nothing.
        cache: a folder in which programs are kept; a model that was compiled with the same options before is taken from
            there, and has no IR but that of level isa. With `trace_plan` it is compiled all the same.

    Raises:
        DiagnosticError: if something is wrong with the model, the data, the target or the options.
    """
    check_arguments(
        "compile_model",
        {
            "target": Argument(
                [target], (str, Path, Target), "a target, or the name or path of one"
            ),
            "cores": whole_number(cores, "how many cores to use"),
            "quantize": Argument([quantize], (str,), f"one of {', '.join(QUANTIZE)}"),
            "calibration": Argument(
                [calibration],
                (str, Path, Mapping, NoneType),
                "arrays by input name, the path of an .npz file or of a table, 'random:SEED', or None",
            ),
            **shape_arguments(batch, input_shapes, symbols, constants, limits),
            "passes": by_name(passes, "options by name, or False"),
            "insert_pass": one_or_several(insert_pass, (str,), "a pass and where it runs, as text"),
            "plugins": one_or_several(
                plugins, (str, Path, Plugin), "a Plugin, the path of one, or the name of its module"
            ),
            "trace_plan": switch(trace_plan),
            "optimization": Argument(
                [optimization],
                (Integral, Optimization),
                f"a level, 0 to {HIGHEST_LEVEL}, or an Optimization",
            ),
            "io_layout": Argument([io_layout], (str,), f"one of {', '.join(LAYOUTS)}"),
            "io_quantized": switch(io_quantized),
            "qtable": Argument([qtable], (str, Path, NoneType), "the path of a qtable, or None"),
            "scheme": Argument([scheme], (str, NoneType), f"one of {', '.join(SCHEMES)}, or None"),
            "accuracy": Argument([accuracy], (Accuracy, NoneType), "Accuracy, or None"),
            "cache": Argument([cache], (str, Path, NoneType), "the path of a folder, or None"),
        },
    )
    for plugin in [plugins] if isinstance(plugins, str | Path | Plugin) else plugins:
        load_plugin(plugin)
    insertions = [insert_pass] if isinstance(insert_pass, str) else insert_pass
    options = CompileOptions(
        reference_to(target),
        cores,
        quantize,
        calibration,
        tuple(Insertion.parse(text) for text in insertions),
        PassChange.all_of(passes or {}),
        None if schedule is None else schedule_from(schedule),
        optimization if isinstance(optimization, Optimization) else Optimization(optimization),
        io_layout=None if io_layout == MODEL_LAYOUT else io_layout,
        io_quantized=io_quantized,
        qtable=qtable,
        scheme=scheme,
        accuracy=accuracy or Accuracy(),
    )
    sizes: dict[str, Any] = {
        "batch": batch,
        "input_shapes": input_shapes,
        "symbols": symbols,
        "constants": constants,
        "limits": limits,
    }
    kept = None if cache is None else CacheOptions(Path(cache))
    with entry_of(model, options, sizes, kept, print_diagnostic) as entry:
        if entry.found is not None and not trace_plan:
            return _from_cache(entry.found)
        with collector_paused():
            compilation = start_from_model(model, options, **sizes)
            tracing = _trace_of(compilation) if trace_plan else None
            program = compilation.compile()
        table = compilation.calibrated
        entry.put(CachedProgram(program, None if table is None else str(table)))
    pipeline = ",".join(compilation.pipeline)
    trace = None if tracing is None else tracing.trace
    return CompiledModel(program, compilation.levels, pipeline, compilation.calibrated, trace)


def _from_cache(found: CachedProgram) -> CompiledModel:
    """Return a model that was compiled before."""
    table = None if found.calibration is None else parse_table(found.calibration, "the cache")
    return CompiledModel(found.program, {}, calibrated=table)


def shape_arguments(
    batch: object, input_shapes: object, symbols: object, constants: object, limits: object
) -> dict[str, Argument]:
    """Return the arguments that say which sizes a model is imported with, to be checked."""
    from .onnx_import.model.limits import ImportLimits

    shapes = by_name(input_shapes, "shapes, each a list of sizes")
    if isinstance(input_shapes, Mapping):
        shapes = Argument([*input_shapes.values()], (Sequence, np.ndarray), shapes.expected)
    return {
        "batch": whole_number(batch, "the size of axis 0"),
        "input_shapes": shapes,
        "symbols": by_name(symbols, "sizes"),
        "constants": by_name(constants, "numbers, lists or arrays"),
        "limits": Argument([limits], (ImportLimits, NoneType), "ImportLimits, or None"),
    }


def _trace_of(compilation: Compilation) -> PlanTracing:
    """Have a compilation take down the decisions about its schedule. Raises DiagnosticError if it makes none."""
    from .driver.plan_tracing import PlanTracing, check_planned

    check_planned(compilation.passes_down_to("isa"))
    tracing = PlanTracing()
    compilation.instruments = [tracing]
    return tracing


def load_program(path: str | Path) -> CompiledModel:
    """Read a program file. Raises DiagnosticError if it cannot be read, is damaged or is wrong."""
    from ..backends.program import container

    return CompiledModel(container.load(path), {})


def import_model(
    model: str | Path | ModelProto,
    *,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    symbols: Mapping[str, int] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    limits: ImportLimits | None = None,
    progress: Progress = silent,
) -> ImportedModel:
    """Import an ONNX model as `top` IR, and tell `progress` how many nodes are done.

    Raises DiagnosticError, naming every op that is not supported, in one go.
    """
    check_arguments(
        "import_model", shape_arguments(batch, input_shapes, symbols, constants, limits)
    )
    with collector_paused():
        compilation = start_from_model(
            model,
            CompileOptions(),
            batch=batch,
            input_shapes=input_shapes,
            symbols=symbols,
            constants=constants,
            limits=limits,
            progress=progress,
        )
    return ImportedModel(compilation.module, compilation.ctx)


def export_model(
    model: ImportedModel | str | Path, path: str | Path, *, external_data: bool = False
) -> ExportedModel:
    """Write a network at `top` as an ONNX model, of opset 17 or the first one that has all its ops.

    Names of inputs, outputs and tensors are those of the IR, names of nodes those of the ops' locations.

    Args:
        model: an imported model, or the path of an IR file of level top.
        path: the .onnx file to write.
        external_data: whether the weights go to a file of their own, PATH.data; they do so, too, where one file cannot
            hold them.

    Returns:
        The model that was written.

    Raises:
        DiagnosticError: if the IR is wrong or of another level, an op has no counterpart in ONNX, or a file cannot be
            written.
    """
    from .onnx_export.exporter import export_onnx

    check_arguments(
        "export_model",
        {
            "model": Argument(
                [model], (ImportedModel, str, Path), "an imported model, or the path of an IR file"
            ),
            "path": Argument([path], (str, Path), "the path of a file"),
            "external_data": switch(external_data),
        },
    )
    with collector_paused():
        source = model if isinstance(model, ImportedModel) else _read_top(model)
        exported = export_onnx(source.module, source.ctx.weights)
        exported.save(path, external_data=external_data)
    return exported


def _read_top(path: str | Path) -> ImportedModel:
    """Read an IR file. Raises DiagnosticError if the text is wrong, or of another level than top."""
    ctx = make_context()
    module = read_module(path, ctx)
    if (level := level_of(module)) != "top":
        raise DiagnosticError(
            f"this is IR of level {level}; only top has a counterpart in ONNX",
            Place(file=str(path)),
            hint="smalti compile --emit top writes it",
        )
    return ImportedModel(module, ctx)
