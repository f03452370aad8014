"""Runs IR before and after each pass on the same inputs, and tells what a pass did to the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError, Note, note_lines, words_of
from ...dialects.ir.context import SmaltiContext
from ...passes.smalti_pass import SmaltiPass
from ..analysis.comparison import Difference
from ..compilation.execution import run_ir
from ..compilation.pipelines import level_of
from .inputs import InputSource, ranges_of
from .output_rounding import Moved, OutputRounding, moved, output_roundings
from .tolerance import declared_tolerance

_ROUNDED = 1 + 1e-6
"""What is one step apart may be a little more as f32 numbers."""


@dataclass(frozen=True)
class NumericsFault:
    """What is wrong after a pass.

    Args:
        pass_name: the pass.
        kind: "numbers" if outputs differ, "run" if the IR ran before the pass and no longer does,
            "pass" if the pass itself, or the verifier after it, stops.
        message: which output differs and by how much, or the message of the error.
        inputs: the inputs that show it.
        error: what was raised, unless numbers differ.
    """

    pass_name: str
    kind: Literal["numbers", "run", "pass"]
    message: str
    inputs: Mapping[str, np.ndarray]
    error: Exception | None = None

    def __str__(self) -> str:
        if self.kind == "numbers":
            return self.message
        if self.kind == "run":
            return f"what pass '{self.pass_name}' makes no longer runs: {self.message}"
        return f"pass '{self.pass_name}' stops: {self.message}"

    def details(self) -> list[str | Note]:
        """Return the place and the notes of the error, such as which instructions race for which bytes."""
        if not isinstance(self.error, DiagnosticError):
            return []
        place = self.error.place
        at = [] if place is None else [Note("it stands here", place)]
        return [*at, *self.error.notes]

    def evidence(self) -> str:
        """Return the sentence about what is wrong, with a line for each detail."""
        return "\n".join([str(self), *note_lines(self.details())])


def message_of(error: Exception) -> str:
    """Return the first line of an error; an exception that is no diagnostic is a crash, and its type names it."""
    if isinstance(error, DiagnosticError):
        return error.message
    return words_of(error)


class NumericsTrial:
    """One pipeline under trial: the inputs, and what the IR after the last pass computed on them.

    Args:
        module: the IR before the first pass; it runs at once.
        ctx: the context with its weights.
        source: the inputs. They are drawn again when a pass gives the range of a random input (from a
            calibration table), so that they fill it.
        tolerance: largest error of each pass, as a share of an output's range; None: what each declares, and one step
            for integers that are computed after floats, as far as the pipeline passes level tpu, which tells them.

    Raises what the run of `module` raises.
    """

    def __init__(
        self,
        module: ModuleOp,
        ctx: SmaltiContext,
        source: InputSource,
        tolerance: float | None = None,
    ) -> None:
        self._ctx = ctx
        self._source = source
        self._tolerance = tolerance
        self.allowed = 0.0
        self._integers_allowed = 0.0
        self.moved: list[Moved] = []
        """What passes moved of the outputs that are integers after floats."""
        self._roundings: Mapping[str, OutputRounding] = {}
        self._start(module)

    def _start(self, module: ModuleOp) -> None:
        self._ranged = ranges_of(module).keys() - self._source.known.keys()
        self.inputs = self._source.arrays(module)
        self._expected = run_ir(module, self._ctx, self.inputs)

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        """Note what the pass may move; to be called before it runs."""
        given = self._tolerance
        self.allowed = declared_tolerance(each, module) if given is None else given
        self._integers_allowed = each.integer_tolerance if isinstance(each, SmaltiPass) else 0.0
        if given is None and level_of(module) == "tpu":
            self._roundings = output_roundings(module)

    def after(self, each: ModulePass, module: ModuleOp) -> NumericsFault | None:
        """Run the IR that the pass made, and return what is wrong with it, or None."""
        try:
            found = run_ir(module, self._ctx, self.inputs)
        except MemoryError:
            raise
        except Exception as error:
            return self.stopped(each, error, "run")
        difference = first_difference(
            found, self._expected, self.allowed, self._integers_allowed, self._roundings
        )
        if difference is not None:
            return NumericsFault(each.name, "numbers", difference, self.inputs)
        self.moved += moved(each.name, found, self._expected, self._roundings)
        self._expected = found
        if ranges_of(module).keys() - self._source.known.keys() - self._ranged:
            self._start(module)
        return None

    def stopped(
        self, each: ModulePass, error: Exception, kind: Literal["run", "pass"] = "pass"
    ) -> NumericsFault:
        """Return the fault that an error is."""
        return NumericsFault(each.name, kind, message_of(error), self.inputs, error)


def first_difference(
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    tolerance: float,
    integer_tolerance: float = 0.0,
    roundings: Mapping[str, OutputRounding] = MappingProxyType({}),
) -> str | None:
    """Return a sentence about the first output that differs by more than `tolerance` of its range, or None. Outputs of
    which `roundings` tell that they are integers may differ by `integer_tolerance` or, after floats, by a step.
    """
    for name, reference in expected.items():
        value = found.get(name)
        if value is None or value.shape != reference.shape:
            got = "is not there" if value is None else f"has shape {list(value.shape)}"
            return f"output '{name}' {got}, expected {list(reference.shape)}"
        difference = Difference.between(name, value, reference)
        wrong = not np.array_equal(np.isnan(value), np.isnan(reference))
        limit = tolerance * difference.reference_range
        if name in roundings:
            limit = roundings[name].allowed(
                tolerance, integer_tolerance, reference, difference.reference_range
            )
        if wrong or difference.largest_error > limit * _ROUNDED:
            where = _worst_place(value, reference)
            return (
                f"output '{name}' differs by {difference.largest_error:.6g} at {where} "
                f"(range {difference.reference_range:.6g}, {difference.snr_db:.1f} dB)"
            )
    return None


def _worst_place(value: np.ndarray, reference: np.ndarray) -> list[int]:
    error = np.abs(value.astype(np.float64) - reference.astype(np.float64))
    error = np.where(np.isnan(error), np.inf, error)
    return [int(index) for index in np.unravel_index(int(error.argmax()), error.shape)]
