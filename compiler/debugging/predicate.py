"""Faults that the debugging tools look for: each a predicate on an experiment."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from ..analysis.comparison import Difference
from ..compilation.lowering import lower_to_isa, timing_of
from ..execution import run_ir
from .experiment import Experiment
from .inputs import inputs_for

DEFAULT_TOLERANCE = 1e-4
"""Of the reference's range: what f32 networks may differ by when only the order of sums changes."""


class Predicate(ABC):
    """Says whether an experiment shows the fault."""

    @abstractmethod
    def holds(self, experiment: Experiment) -> str | None:
        """Return a sentence about what shows the fault, or None if it does not show."""


def failure_of(experiment: Experiment) -> str | None:
    """Return the first line of the message that stops the experiment, or None if nothing does.

    An exception that is no diagnostic is a crash; its type names it.
    """
    try:
        experiment.finish()
    except DiagnosticError as error:
        return error.message
    except (KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        return f"{type(error).__name__}: {first}"
    return None


@dataclass(frozen=True)
class Fails(Predicate):
    """The passes, the verifier or the reader stop with a message in which `pattern` is found."""

    pattern: str

    @staticmethod
    def matching(pattern: str) -> Fails:
        """Return the predicate that a message matches a regular expression.

        Raises DiagnosticError if `pattern` is not one.
        """
        try:
            re.compile(pattern)
        except re.error as error:
            raise DiagnosticError(
                f"'{pattern}' is no regular expression: {error}",
                hint="put a backslash before ( [ { . * + ? that are meant as they are",
            ) from None
        return Fails(pattern)

    @staticmethod
    def like(message: str) -> Fails:
        """Return the predicate that it fails with `message`, whatever names in quotes and numbers that has."""
        pieces = re.split(r"('[^']*'|\"[^\"]*\"|\[[^\]]*\]|\d+)", message)
        kept = [re.escape(p) if i % 2 == 0 else ".*?" for i, p in enumerate(pieces)]
        return Fails("".join(kept) + "$")

    def holds(self, experiment: Experiment) -> str | None:
        message = failure_of(experiment)
        found = message is not None and re.search(self.pattern, message)
        return message if found else None


@dataclass(frozen=True)
class ChangesNumbers(Predicate):
    """The passes change what the network computes by more than `tolerance`.

    Args:
        inputs: arrays by name, of inputs or of any value that becomes an input when a part is cut
            out; what is missing, or of another shape, is random (standard normal, seeded by name).
        tolerance: largest error allowed, as a share of the reference's range; 0: equal to the bit.
    """

    inputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    tolerance: float = DEFAULT_TOLERANCE
    seed: int = 0

    def holds(self, experiment: Experiment) -> str | None:
        try:
            before, ctx = experiment.start()
            inputs = inputs_for(before, self.inputs, self.seed)
            expected = run_ir(before, ctx, inputs)
            found = run_ir(*experiment.finish(), inputs)
        except (KeyboardInterrupt, MemoryError):
            raise
        except Exception:
            # What does not run has another fault than the one that is looked for.
            return None
        return first_difference(found, expected, self.tolerance)


def first_difference(
    found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], tolerance: float
) -> str | None:
    """Return a sentence about the first output that differs by more than `tolerance` of its range, or None."""
    for name, reference in expected.items():
        value = found.get(name)
        if value is None or value.shape != reference.shape:
            got = "is not there" if value is None else f"has shape {list(value.shape)}"
            return f"output '{name}' {got}, expected {list(reference.shape)}"
        difference = Difference.between(name, value, reference)
        wrong = not np.array_equal(np.isnan(value), np.isnan(reference))
        limit = tolerance * difference.reference_range
        if wrong or difference.largest_error > limit:
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


@dataclass(frozen=True)
class CommandFails(Predicate):
    """A command exits with another code than 0, as for `git bisect run`.

    Args:
        command: a command line; the word `{}` is the file of the IR after the passes (of the
            model, where there are none), or the file comes last. IR that the passes refuse shows
            another fault.
        timeout_seconds: a command that takes longer is stopped, and counts as one that fails.
    """

    command: str
    timeout_seconds: float = 60.0

    def __post_init__(self) -> None:
        self._words()

    def holds(self, experiment: Experiment) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            try:
                path = str(experiment.write_result(Path(folder)))
            except (KeyboardInterrupt, MemoryError):
                raise
            except Exception:
                return None
            words = [path if word == "{}" else word for word in self._words()]
            return self._run(words if path in words else [*words, path])

    def _words(self) -> list[str]:
        """Return the words of the command.

        Raises DiagnosticError if it has none, or if a quote is left open.
        """
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise DiagnosticError(
                f"'{self.command}' is no command line: {str(error).lower()}",
                hint="close every quotation mark",
            ) from None
        if not words or words == ["{}"]:
            raise DiagnosticError(
                f"'{self.command}' names no program", hint='write --command "./check.sh {}"'
            )
        return words

    def _run(self, words: list[str]) -> str | None:
        try:
            code = subprocess.run(
                words, capture_output=True, timeout=self.timeout_seconds, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return f"the command took more than {self.timeout_seconds:g} s"
        except OSError as error:
            raise DiagnosticError(
                f"the command '{words[0]}' cannot be run: {error.strerror}",
                hint="give a program that is on the PATH, or its path",
            ) from None
        return f"the command exits with {code}" if code else None


@dataclass(frozen=True)
class CyclesAbove(Predicate):
    """The default passes lower the program the rest of the way, and it takes more than `limit` cycles from cold.

    Without a limit: more cycles than without the passes under trial.
    """

    limit: int | None

    def holds(self, experiment: Experiment) -> str | None:
        try:
            limit = _cycles(experiment.with_passes(())) if self.limit is None else self.limit
            cycles = _cycles(experiment)
        except DiagnosticError:
            return None
        before = f", {limit} without the passes" if self.limit is None else ""
        return f"{cycles} cycles{before}" if cycles > limit else None


def _cycles(experiment: Experiment) -> int:
    module, ctx = experiment.finish()
    lower_to_isa(module, ctx)
    return timing_of(module, ctx).cycles
