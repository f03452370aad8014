"""The options of a compilation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, did_you_mean
from ...backends.numerics.ports.port_format import LAYOUTS
from ...passes.tile.network_schedule import NetworkSchedule
from ...passes.top_to_tpu.precision.layer_schemes import read_qtable
from ...passes.top_to_tpu.precision.schemes import Quantize, Scheme, chosen_scheme
from .accuracy import Accuracy
from .optimization import Optimization
from .pass_change import PassChange
from .pipelines import Insertion

DEFAULT_TARGET = "default-8c"
CalibrationSource = str | Path | Mapping[str, np.ndarray]


@dataclass(frozen=True)
class CompileOptions:
    """The options of a compilation.

    `target`: what `load_target` takes, None for "default-8c". `cores`: how many of its cores to use,
    None for all. `quantize`: "int8" (None too), "f32", "f16" or "bf16"; `scheme`, the name of any scheme, wins
    over it. `calibration`: arrays by input name, an .npz file of them, a calibration table, or "random:SEED"; needed
    for schemes of integers from the top level.
    `insertions`: the user's own passes among the default ones. `changes`: options of default passes that are set, and
    passes that are left out. `schedule`: what is decided of the network's layers; passes decide the rest.
    `optimization`: how hard they try; `changes` win over what it means. `io_layout`: "model" or "nhwc", in which inputs
    and outputs of four axes lie; None for what the IR states, which a model does not. `io_quantized`: whether inputs
    and outputs hold what the device computes with, and the host casts them. `qtable`: the path of a table that gives
    layers another scheme.

    `accuracy`: what is done so that a quantized network loses less.

    Raises DiagnosticError if a pass is to stand beside one that is left out, or if options contradict each other.
    """

    target: str | None = None
    cores: int | None = None
    quantize: Quantize | None = None
    calibration: CalibrationSource | None = None
    insertions: tuple[Insertion, ...] = ()
    changes: tuple[PassChange, ...] = ()
    schedule: NetworkSchedule | None = None
    optimization: Optimization = field(default_factory=Optimization)
    io_layout: str | None = None
    io_quantized: bool = False
    qtable: str | Path | None = None
    scheme: str | None = None
    accuracy: Accuracy = field(default_factory=Accuracy)

    @property
    def network_scheme(self) -> Scheme:
        """The scheme of all layers but those that the qtable names. Raises DiagnosticError if there is none such."""
        return chosen_scheme(self.scheme, self.quantize)

    @property
    def quantizes(self) -> bool:
        """Whether some layers are of integers. Raises DiagnosticError if there is a qtable that cannot be read."""
        if self.network_scheme.quantizes:
            return True
        return self.qtable is not None and any(
            scheme.quantizes for scheme in read_qtable(self.qtable).all_schemes
        )

    @property
    def reads_ranges(self) -> bool:
        """Whether some layers need calibrated ranges. Raises DiagnosticError as `quantizes` does."""
        if self.quantizes or self.network_scheme.reads_ranges:
            return True
        return self.qtable is not None and any(
            scheme.reads_ranges for scheme in read_qtable(self.qtable).all_schemes
        )

    @property
    def pass_changes(self) -> tuple[PassChange, ...]:
        """What becomes of default passes, in order: what `optimization` means, then `changes`."""
        return (*self.optimization.changes(), *self.changes)

    def __post_init__(self) -> None:
        if self.schedule is not None:
            self.optimization.check_with(self.schedule)
        if self.io_layout is not None and self.io_layout not in LAYOUTS:
            raise DiagnosticError(
                f"there is no layout '{self.io_layout}' of inputs and outputs",
                hint=did_you_mean(self.io_layout, LAYOUTS)
                or f"the layouts are {', '.join(LAYOUTS)}",
            )
        if self.io_quantized and self.network_scheme.activations == "f32":
            raise DiagnosticError(
                "quantized inputs and outputs need a network in another type than the model's, "
                "quantize=f32 keeps that",
                hint="leave --io-quantized out, or say --quantize int8, f16 or bf16",
            )
        left_out = {change.name for change in self.changes if change.options is None}
        for insertion in self.insertions:
            if insertion.anchor in left_out:
                raise DiagnosticError(
                    f"pass '{insertion.anchor}' is left out, and {insertion.passes} is to stand beside it",
                    hint="name another place for it",
                )
        for effect in self.optimization.effects():
            if effect.name in left_out:
                raise DiagnosticError(
                    f"pass '{effect.name}' is left out, and {effect.flag} applies to it",
                    hint=f"leave {effect.flag} out, or --disable-pass {effect.name}",
                )
