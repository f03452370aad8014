"""Takes a model, or IR of any level, down to a program, and keeps the IR of every level on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.diagnostics.progress import Progress, silent
from ...backends.targets.target import load_target
from ...dialects.context import make_context
from ...dialects.ir.context import SmaltiContext, report
from ...dialects.ir.verifier import Verifier
from ...dialects.level import LEVELS, NETWORK_LEVELS, Level
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import element_of
from ...passes.accuracy.equalize import EqualizeInMemory
from ...passes.accuracy.round_weights import RoundWeightsInMemory
from ...passes.accuracy.smooth_quant import SmoothQuantInMemory
from ...passes.instrument import PassInstrument
from ...passes.pipeline import run_pipeline
from ...passes.registry import parse_pipeline, print_pipeline
from ...passes.tile.network_schedule import NetworkSchedule
from ...passes.tile.plan import Plan
from ...passes.tile.set_schedules import SetGivenSchedules, SetSchedules
from ...passes.top.annotate_calibration import AnnotateMeasured, has_ranges
from ...passes.top.calibration_grammar import read_table
from ...passes.top.calibration_table import CalibrationTable
from ...passes.top_to_tpu.builder.activation_ranges import MissingRangesError
from ...passes.top_to_tpu.precision.given_quantization import gives_quantization
from ..calibration.clipping.method import DEFAULT_METHOD, method_named
from ..calibration.ranges import measured_table, remeasured_table
from ..calibration.sample_source import ArraySamples
from ..calibration.samples import (
    calibration_samples,
    few_samples,
    is_table,
    place_of_data,
    unused_calibration,
)
from ..calibration.zero_ranges import doubt_of_zeros, quantized_by_zeros, zero_ranges
from .accuracy import no_integers, no_samples
from .compile_options import DEFAULT_TARGET, CalibrationSource, CompileOptions
from .network_record import NetworkRecord
from .optimization import HIGHEST_LEVEL
from .pass_progress import PassProgress
from .pipelines import (
    Settings,
    level_of,
    pass_text,
    passes_into,
    passes_of,
)
from .plan_trials import best_plan
from .schedule_record import ScheduleRecord
from .settled_options import check_options
from .tensor_sizes import check_tensor_sizes

if TYPE_CHECKING:
    from onnx import ModelProto

    from ...backends.program.lower_bound import LowerBound
    from ...backends.program.program import Program
    from ..onnx_import.model.limits import ImportLimits

CALIBRATION_TABLE = "model.calibration"
"""The file from which the text of a pipeline reads ranges, unless its compilation names another."""
SAMPLES = "samples.npz"
"""The file from which the text of a pipeline reads samples that were given otherwise than as a file."""
SCHEDULE = "network.schedule"
"""The file from which the text of a pipeline reads a schedule that was given otherwise than as a file."""


@dataclass
class Compilation:
    """A module on its way down the levels, with a record of what was done to it.

    `levels` keeps the IR at the end of each level that was passed, unless `keep_levels` is off: a copy of tile IR takes
    time and memory. `pipeline` is the text of all passes run so far, which `instruments` watch; `verify_each`: whether
    IR is verified after each pass. `on_level` is called at the end of each level with the module as it is then.
    `calibrated` is the table that calibration made. `calibration_table` is the path from which `pipeline` reads it: to
    run that text again, write the table to this file first. `sanitize`: whether the sanitizer checks the program, as it
    should where a person may have edited the IR that it comes from.
    """

    module: ModuleOp
    ctx: SmaltiContext
    options: CompileOptions
    progress: Progress = silent
    on_level: Callable[[Level, ModuleOp], None] | None = None
    instruments: Sequence[PassInstrument] = ()
    verify_each: bool = True
    calibration_table: str = CALIBRATION_TABLE
    calibrated: CalibrationTable | None = None
    keep_levels: bool = True
    sanitize: bool = False
    levels: dict[Level, ModuleOp] = field(default_factory=dict)
    pipeline: list[str] = field(default_factory=list)
    _passed: set[Level] = field(default_factory=set)
    _record: NetworkRecord = field(default_factory=NetworkRecord)
    _schedule: ScheduleRecord = field(default_factory=ScheduleRecord)
    _verifier: Verifier = field(default_factory=Verifier)
    _few_samples: Diagnostic | None = None
    _is_uncalibrated: bool = False
    _zeros: set[str] = field(default_factory=set)
    _changed: set[str] = field(default_factory=set)

    def lower_to(self, end: Level) -> None:
        """Run the pipeline down to the end of level `end`, calibrating on the way where int8 needs it.

        Raises:
            DiagnosticError: if a pass fails, if int8 has no calibration data, or if `end` is above the module's level.
        """
        level = level_of(self.module)
        if LEVELS.index(level) > LEVELS.index(end):
            raise DiagnosticError(
                f"cannot go from {level} IR up to {end}",
                hint=f"smalti lowers only: ask for {level} or a level below it",
            )
        if level not in self._passed:
            texts = self._inserted(passes_of(level, **self._settings()), level)
            self._run(self._well_planned(texts, level))
            if level == "top":
                if end != "top":
                    check_tensor_sizes(self.module, load_target(self._settings()["target"]))
                self._balance_channels()
                self._annotate_ranges(needed=self.options.reads_ranges and end != "top")
                self._fit_to_samples()
            self._reached(level)
        for below in LEVELS[LEVELS.index(level) + 1 : LEVELS.index(end) + 1]:
            texts = self._inserted(passes_into(below, **self._settings()), below)
            try:
                self._run(self._well_planned(texts, below))
            except MissingRangesError as error:
                raise self._without_ranges(error) from None
            self._reached(below)

    def passes_down_to(self, end: Level) -> list[ModulePass]:
        """Return the passes that `lower_to` would run, but that which annotates what calibration finds."""
        level = level_of(self.module)
        texts: list[str] = []
        if level not in self._passed:
            texts += self._inserted(passes_of(level, **self._settings()), level)
        for below in LEVELS[LEVELS.index(level) + 1 : LEVELS.index(end) + 1]:
            texts += self._inserted(passes_into(below, **self._settings()), below)
        return list(parse_pipeline(",".join(texts)))

    def _inserted(self, texts: list[str], level: Level) -> list[str]:
        """Return the passes of a level with the user's changes, and the user's own among them."""
        for change in self.options.pass_changes:
            texts = change.applied(texts)
        for insertion in self.options.insertions:
            texts = insertion.into(texts, level) or texts
        return texts

    def _well_planned(self, texts: list[str], level: Level) -> list[str]:
        """Return the passes of a level; of the tile level with the options of `tile-plan` that trials find best.

        None are made below the highest level of optimization, and if passes of the user's own come among those that
        carry plans out: these may do anything.
        """
        if level != "tile" or self.options.optimization.level != HIGHEST_LEVEL:
            return texts
        passes = [*texts, *self._inserted(passes_into("isa", **self._settings()), "isa")]
        names = {text.partition("{")[0] for text in passes}
        places = {each.anchor or each.where for each in self.options.insertions}
        if places & {"tile", "isa", *names}:
            return texts
        found = best_plan(self.module, self.ctx, self._parsed(passes))
        if found is None:
            return texts
        return [found if text.partition("{")[0] == Plan.name else text for text in texts]

    def _settings(self) -> Settings:
        return {
            "target": self.options.target or DEFAULT_TARGET,
            "quantize": self.options.quantize or "int8",
            "cores": self.options.cores,
            "schedule": None if self.options.schedule is None else self._schedule_file(),
            "io_layout": self.options.io_layout,
            "io_quantized": self.options.io_quantized,
            "scheme": self.options.scheme,
            "qtable": None if self.options.qtable is None else str(self.options.qtable),
        }

    def _schedule_file(self) -> str:
        given = self.options.schedule
        return SCHEDULE if given is None or given.file is None else given.file

    def _run(self, texts: Sequence[str], passes: Sequence[ModulePass] | None = None) -> None:
        """Run passes given as pipeline text; give `passes`, the same passes as objects, if they hold what text
        cannot.
        """
        if passes is None:
            passes = self._parsed(texts)
        self.pipeline += [print_pipeline([each]) for each in passes]
        progress = PassProgress(self.progress)
        instruments = [progress, self._record, self._schedule, *self.instruments]
        run_pipeline(
            self.ctx,
            self.module,
            passes,
            verify=self.verify_each,
            instruments=instruments,
            verifier=self._verifier,
        )

    def _parsed(self, texts: Sequence[str]) -> list[ModulePass]:
        """Return passes that are given as pipeline text."""
        return [self._holding_schedule(each) for each in parse_pipeline(",".join(texts))]

    def _holding_schedule(self, each: ModulePass) -> ModulePass:
        """Return a pass, but the one that would read the given schedule from its file with the schedule itself."""
        given = self.options.schedule
        if isinstance(each, SetSchedules) and given is not None:
            return (
                SetGivenSchedules(each.file, given) if each.file == self._schedule_file() else each
            )
        return each

    def _reached(self, level: Level) -> None:
        self._passed.add(level)
        if level == "tpu" and self.options.calibration is not None:
            self._tell_doubts(self.options.calibration)
        if self.keep_levels:
            self.levels[level] = self.module if level == LEVELS[-1] else self.module.clone()
        if self.on_level is not None:
            self.on_level(level, self.module)

    def _annotate_ranges(self, *, needed: bool) -> None:
        """Calibrate, and write the ranges into the IR with the pass that does so.

        IR that carries ranges already keeps them unless calibration data are given. For floats, whose conversion reads
        no range, data are left unread, and a warning says so.
        """
        source = self.options.calibration
        if source is not None and not self.options.reads_ranges:
            report(self.ctx, unused_calibration(source, self.options.network_scheme.name))
        elif source is not None:
            self._annotate(source)
        elif needed and not has_ranges(self.module):
            self._is_uncalibrated = True
            if not gives_quantization(self.module):
                raise self._uncalibrated("")

    def _without_ranges(self, error: MissingRangesError) -> DiagnosticError:
        """Return what to tell about values without ranges: to calibrate, if that was not done."""
        if not self._is_uncalibrated:
            return error
        return self._uncalibrated(f": the model gives no range for {error.listed}")

    def _uncalibrated(self, what: str) -> DiagnosticError:
        """Return the diagnostic for a network that integers need ranges of; `what` goes on about that."""
        scheme = self.options.scheme
        chosen = (
            f"quantize={self._settings()['quantize']}" if scheme is None else f"scheme={scheme}"
        )
        return DiagnosticError(
            f"{chosen} needs calibration data{what}",
            hint="give an .npz with arrays named as the model's inputs (--calibration data.npz), or say "
            "--calibration random:0 to calibrate on random data, or --quantize f32, f16 or bf16, "
            "which keep what the model quantizes itself",
        )

    def _annotate(self, source: CalibrationSource) -> None:
        """Write the ranges of a table, or those that the scheme's method finds on data, into the IR; note what to tell
        of them once the network is converted, if they quantize anything at all.
        """
        measured: Collection[str] = ()
        if is_table(source):
            path, table = str(source), read_table(source)
            if self._changed:
                samples = self._accuracy_samples()
                path = self.calibration_table
                table = self.calibrated = remeasured_table(
                    table,
                    self._changed,
                    self.module,
                    self.ctx.weights,
                    samples,
                    progress=self.progress,
                )
        else:
            samples = calibration_samples(source, self.module, self.ctx.on_report)
            self._few_samples = few_samples(source, samples)
            measured = samples.declared.keys()
            method = method_named(self.options.network_scheme.calibration or DEFAULT_METHOD)
            table = self.calibrated = measured_table(
                self.module, self.ctx.weights, samples, method, progress=self.progress
            )
            path = self.calibration_table
        annotation = AnnotateMeasured(path, table)
        # Of inputs that are all zero the data's reader has told already.
        self._zeros = zero_ranges(self.module, table.ranges).difference(measured)
        self._run([pass_text(annotation.name, table=annotation.table)], [annotation])

    def _accuracy_samples(self) -> ArraySamples:
        """Return the samples that passes for accuracy look at. Raises DiagnosticError if there are none."""
        accuracy = self.options.accuracy
        source = self.options.calibration if accuracy.samples is None else accuracy.samples
        if source is None or is_table(source):
            raise no_samples(source)
        return calibration_samples(source, self.module, self.ctx.on_report)

    def _balance_channels(self) -> None:
        """Move factors of channels between layers, if that is asked for."""
        accuracy = self.options.accuracy
        if not accuracy.changes_channels:
            return
        if not self.options.quantizes:
            raise no_integers(self.options.network_scheme)
        arrays = self._accuracy_samples().whole()
        name = self._samples_name()
        balancing: list[EqualizeInMemory | SmoothQuantInMemory] = []
        if accuracy.equalize:
            balancing.append(EqualizeInMemory(name, arrays))
        if accuracy.smooth_quant is not None:
            balancing.append(SmoothQuantInMemory(name, arrays, alpha=accuracy.alpha))
        self._run([], balancing)
        self._changed.update(*(each.changed for each in balancing))

    def _samples_name(self) -> str:
        """Return what the text of the pipeline calls the samples that passes for accuracy look at."""
        samples = self.options.accuracy.samples
        source = self.options.calibration if samples is None else samples
        return str(source) if isinstance(source, str | Path) else SAMPLES

    def _fit_to_samples(self) -> None:
        """Round weights and correct biases on samples, if that is asked for."""
        accuracy = self.options.accuracy
        if not accuracy.rounds_weights:
            return
        if not self.options.quantizes:
            raise no_integers(self.options.network_scheme)
        name, arrays = self._samples_name(), self._accuracy_samples().whole()
        settings = self._settings()
        fitting = RoundWeightsInMemory(
            name,
            arrays,
            rounding=accuracy.rounding,
            correct_biases=accuracy.bias_correction,
            quantize=settings["quantize"],
            scheme=settings.get("scheme"),
            qtable=settings.get("qtable"),
        )
        self._run([], [fitting])

    def _tell_doubts(self, source: CalibrationSource) -> None:
        """Warn of ranges that are doubtful, if they quantize something."""
        if self._few_samples is not None and _is_quantized(self.module):
            report(self.ctx, self._few_samples)
        if zeros := quantized_by_zeros(self.module, self._zeros):
            report(self.ctx, doubt_of_zeros(zeros, place_of_data(source)))

    def compile(self) -> Program:
        """Lower all the way and encode the program, which notes how its layers are carried out, and in how many cycles
        its network can run at best.

        Raises DiagnosticError for what the sanitizer finds.
        """
        program = self.assemble()
        program.lower_bound = self.lower_bound()
        with suppress(DiagnosticError):
            program.schedule = str(self.schedule)
        return program

    @property
    def schedule(self) -> NetworkSchedule:
        """How the layers are carried out, once they are planned: the complete schedule.

        Raises DiagnosticError if it is not known, because the compilation began below or did not plan them.
        """
        return self._schedule.schedule

    def lower_bound(self) -> LowerBound | None:
        """Return in how many cycles any schedule runs the network at least; None if its compilation began below the tpu
        level, or if other passes than Smalti's make its layers.
        """
        from .lower_bound import lower_bound_of

        if self._record.network is None:
            return None
        try:
            return lower_bound_of(self._record.network, self.ctx, self.options.cores)
        except DiagnosticError:
            return None

    def assemble(self) -> Program:
        """Lower all the way and encode the program. Raises DiagnosticError for what the sanitizer finds."""
        from ...backends.program.assemble import assemble
        from ...backends.simulator.sanitizer import sanitize_program
        from ...backends.simulator.streams.streams import decode_program
        from .dma_queues import choose_queues

        self.lower_to("isa")
        steps = 2 if self.sanitize else 1
        self.progress("encode", 0, steps)
        program = assemble(self.module, self.ctx)
        if program.target.dma.queues > 1 and self.options.optimization.level == HIGHEST_LEVEL:
            choose_queues(program)
        self.progress("encode", 1, steps)
        if self.sanitize:
            sanitize_program(decode_program(program))
            self.progress("encode", 2, steps)
        return program


def _is_quantized(module: ModuleOp) -> bool:
    """Tell whether 8 bits hold some tensor of tpu IR."""
    values = [result for op in module.walk() for result in op.results]
    return any(isinstance(element_of(each), UniformQuantizedType) for each in values)


def start_from_model(
    model: str | Path | ModelProto,
    options: CompileOptions,
    *,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    symbols: Mapping[str, int] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    limits: ImportLimits | None = None,
    progress: Progress = silent,
) -> Compilation:
    """Import an ONNX model as the start of a compilation. Raises DiagnosticError as the importer does."""
    from ..onnx_import.importer import import_onnx

    ctx = make_context()
    module = import_onnx(
        model,
        ctx,
        input_shapes=input_shapes,
        batch=batch,
        symbols=symbols,
        constants=constants,
        limits=limits,
        progress=progress,
    )
    return Compilation(module, ctx, options, progress)


def start_from_ir(
    path: str | Path, options: CompileOptions, *, progress: Progress = silent
) -> Compilation:
    """Read an IR file of any level as the start of a compilation.

    Raises:
        DiagnosticError: if the text is wrong, or if an option contradicts what the IR has settled already.
    """
    from ...dialects.ir.text.module_text import read_module

    ctx = make_context()
    module = read_module(path, ctx)
    check_options(module, options, ctx, Place(file=str(path)))
    sanitize = level_of(module) not in NETWORK_LEVELS
    return Compilation(module, ctx, options, progress, sanitize=sanitize)
