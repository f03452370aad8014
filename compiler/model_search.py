"""The sensitivity of a model's layers, and searches of their schemes, as functions of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ..backends.diagnostics.progress import Progress, silent
from ..passes.top.calibration_table import CalibrationTable
from ..passes.top_to_tpu.precision.schemes import SCHEMES, scheme_named
from .calibration.image_data import Data, metadata_of
from .compilation.arguments import Argument, check_arguments, switch, whole_number
from .inputs.images import Preprocessing
from .mixed_precision.goal import Goal
from .mixed_precision.mac_front import SHARES, MacFront, front_by_macs
from .mixed_precision.scheme_search import SchemeSearch, search_schemes
from .model import shape_arguments
from .onnx_import.model.limits import ImportLimits
from .search.executors import executor_at
from .sensitivity.quality import Judge
from .sensitivity.quantized_network import NetworkSource, network_at_top
from .sensitivity.sensitivity import Sensitivity, SensitivityOptions, analyze
from .sensitivity.sensitivity_data import first_samples, load_samples, threshold_tables
from .sensitivity.threshold_tables import GIVEN

DEFAULT_METHODS = (GIVEN, "kl", "mse")
"""Whose thresholds an analysis of sensitivity compares: those of the given table, and of two methods."""


@dataclass(frozen=True)
class Trial:
    """What quantized variants of a model are made of, judged by and measured with.

    Args:
        model: the path of an ONNX model, or of IR of level top: other processes read it, too.
        data: calibration data as `calibrate_model` takes them, never what a model is tested on.
        calibration: the calibration table, or its path.
        target: a target's name, or the path of its file.
        samples: outputs are compared on so many samples; None for all.
        metric: "module:function" or "file.py:function"; the function gets the outputs in floats and the quantized ones,
            by name, and returns a number, the greater the better.
        post_process: the path of a Python file with a `PostProcess`, which gets the outputs of a sample by name.
        preprocessing, skip_bad, batch, input_shapes, symbols, constants, limits: as `calibrate_model` takes them.
        jobs: how many processes measure.
        scheduler: the address of a Dask scheduler whose workers measure, in place of processes.
        timeout_seconds: a measurement that takes longer is made again; None for any time.
        record: the path of a file that keeps measurements, from which a search that was killed goes on.
        progress: told how much is done.

    Raises DiagnosticError if an argument has a wrong type.
    """

    model: str | Path
    data: Data
    calibration: CalibrationTable | str | Path
    target: str | Path = "default-8c"
    samples: int | None = 30
    metric: str | None = None
    post_process: str | Path | None = None
    preprocessing: Preprocessing | None = None
    skip_bad: bool = False
    batch: int | None = None
    input_shapes: Mapping[str, Sequence[int]] | None = None
    symbols: Mapping[str, int] | None = None
    constants: Mapping[str, ArrayLike] | None = None
    limits: ImportLimits | None = None
    jobs: int = 1
    scheduler: str | None = None
    timeout_seconds: float | None = None
    record: str | Path | None = None
    progress: Progress = silent

    def __post_init__(self) -> None:
        path, maybe_path = (str, Path), (str, Path, type(None))
        check_arguments(
            "Trial",
            {
                "model": Argument([self.model], path, "the path of a model"),
                "data": Argument([self.data], (str, Path, Mapping), "arrays by name, or a path"),
                "calibration": Argument(
                    [self.calibration], (CalibrationTable, *path), "a calibration table, or a path"
                ),
                "target": Argument([self.target], path, "a target's name, or a path"),
                "samples": whole_number(self.samples, "how many samples"),
                "metric": Argument([self.metric], (str, type(None)), "'module:function', or None"),
                "post_process": Argument([self.post_process], maybe_path, "a path, or None"),
                "preprocessing": Argument(
                    [self.preprocessing], (Preprocessing, type(None)), "Preprocessing, or None"
                ),
                "skip_bad": switch(self.skip_bad),
                "jobs": Argument([self.jobs], (int,), "how many processes"),
                "scheduler": Argument([self.scheduler], (str, type(None)), "an address, or None"),
                "record": Argument([self.record], maybe_path, "a path, or None"),
                **shape_arguments(
                    self.batch, self.input_shapes, self.symbols, self.constants, self.limits
                ),
            },
        )

    def source(
        self, methods: Sequence[str] = (), threshold_samples: int | None = None
    ) -> tuple[NetworkSource, dict[str, CalibrationTable]]:
        """Return what variants are made of, with the tables: the given one, and those of methods on the first samples.

        Raises DiagnosticError if the model cannot be imported, if the data or the table do not fit it, if there is no
        such method, or if the user's functions cannot be imported.
        """
        post_process = None if self.post_process is None else str(self.post_process)
        judge = Judge(self.metric, post_process)
        judge.check()
        sizes = {
            "batch": self.batch,
            "input_shapes": self.input_shapes or {},
            "symbols": self.symbols or {},
            "constants": self.constants or {},
            "limits": self.limits,
        }
        module, ctx = network_at_top(str(self.model), sizes)
        preprocessing = self.preprocessing
        if preprocessing is None:
            preprocessing = Preprocessing().of_metadata(metadata_of(self.model, self.data))
        data: dict[str, np.ndarray] = load_samples(
            self.data, module, ctx, preprocessing, skip_bad=self.skip_bad
        )
        tables = threshold_tables(
            self.calibration,
            methods,
            module,
            ctx,
            first_samples(module, data, threshold_samples),
            self.progress,
        )
        source = NetworkSource(
            str(self.model),
            str(self.target),
            first_samples(module, data, self.samples),
            {name: table.rows for name, table in tables.items()},
            sizes,
            judge,
            tables[GIVEN].four_bits,
        )
        return source, tables


def analyze_sensitivity(
    trial: Trial,
    options: SensitivityOptions | None = None,
    *,
    methods: Sequence[str] = DEFAULT_METHODS,
    threshold_samples: int | None = None,
) -> Sensitivity:
    """Return what quantizing each layer of a model alone does to its outputs, and which few to keep in floats, as
    `smalti sensitivity` finds it.

    `methods` are those whose thresholds are compared, "table" among them for the given ones, and `threshold_samples`
    how many samples they look at, None for all. Raises DiagnosticError as `Trial.source` and `Search.run` do.
    """
    chosen = options or SensitivityOptions()
    for name in chosen.schemes:
        scheme_named(name)
    source, tables = trial.source(methods, threshold_samples)
    with executor_at(trial.jobs, trial.scheduler, trial.timeout_seconds) as executor:
        return analyze(
            source,
            tables,
            chosen,
            executor=executor,
            record=trial.record,
            progress=trial.progress,
        )


def search_model(
    trial: Trial, at_least: str | Goal, *, schemes: Sequence[str] = tuple(SCHEMES)
) -> SchemeSearch:
    """Return the scheme of each layer of a model with the least simulated cycles that reaches a goal on the data, such
    as "cos=0.999", as `smalti search --at-least` finds it.

    Raises DiagnosticError if this is no goal or there is no such scheme, or as `Trial.source` and `search_schemes` do.
    """
    goal = Goal.parse(at_least) if isinstance(at_least, str) else at_least
    for name in schemes:
        scheme_named(name)
    goal.check(trial.metric)
    source, _ = trial.source()
    with executor_at(trial.jobs, trial.scheduler, trial.timeout_seconds) as executor:
        return search_schemes(
            source, goal, schemes, executor=executor, record=trial.record, progress=trial.progress
        )


def search_front(
    trial: Trial, *, wide: str = "int8", narrow: str = "w4a4", shares: Sequence[float] = SHARES
) -> MacFront:
    """Return for each share of a model's multiply-accumulates which layers lose least by the scheme `narrow`, the
    others being `wide`, as `smalti search --front-by macs` finds it.

    Raises DiagnosticError if there is no such scheme, or as `Trial.source` and `front_by_macs` do.
    """
    for name in (wide, narrow):
        scheme_named(name)
    source, _ = trial.source()
    with executor_at(trial.jobs, trial.scheduler, trial.timeout_seconds) as executor:
        return front_by_macs(
            source,
            wide,
            narrow,
            shares,
            executor=executor,
            record=trial.record,
            progress=trial.progress,
        )
