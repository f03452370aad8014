"""Faults that the debugging tools look for: each a predicate on an experiment."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.diagnostics.progress import Progress, silent
from ...passes.registry import parse_pipeline
from ..compilation.execution import run_ir
from ..compilation.lowering import lower_to_isa, timing_of
from .experiment import Experiment
from .inputs import InputSource
from .numerics_trial import NumericsFault, NumericsTrial, message_of


class Predicate(ABC):
    """Says whether an experiment shows the fault."""

    @abstractmethod
    def holds(self, experiment: Experiment) -> str | None:
        """Return a sentence about what shows the fault, with a line for each detail, or None if it does not show."""

    def check(self, experiment: Experiment) -> None:
        """Raise DiagnosticError if the predicate has no meaning for what the experiment starts from."""
        return

    def first_pass(
        self, experiment: Experiment, progress: Progress = silent
    ) -> tuple[int, str] | None:
        """Return the number of the first pass after which the fault shows, and the sentence; None if there is none.

        Tries every prefix of the pipeline in order, from the shortest, since a fault may come and go. `progress` is
        told of each pass.
        """
        for number, text in enumerate(experiment.passes):
            progress(f"passes: {text}", number, len(experiment.passes))
            prefix = experiment.with_passes(experiment.passes[: number + 1])
            if (evidence := self.holds(prefix)) is not None:
                return number, evidence
        return None

    def same_fault(self, experiment: Experiment) -> Predicate:
        """Return the predicate that the fault of this experiment shows, and no other one that this predicate finds."""
        return self

    def inputs(self, experiment: Experiment) -> Mapping[str, np.ndarray] | None:
        """Return the inputs on which the fault shows, by name; None if it needs none."""
        return None


def failure_of(experiment: Experiment) -> str | None:
    """Return the first line of the message that stops the experiment, or None if nothing does."""
    try:
        experiment.finish()
    except MemoryError:
        raise
    except Exception as error:
        return message_of(error)
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
        return message if message is not None and self.matches(message) else None

    def matches(self, message: str) -> bool:
        """Tell whether the pattern is found in a message."""
        return re.search(self.pattern, message) is not None


@dataclass(frozen=True)
class ChangesNumbers(Predicate):
    """A pass changes what the network computes, or stops it from being computed at all.

    Args:
        source: arrays by name, of inputs or of any value that becomes an input when a part is cut
            out; what is missing, or of another shape, is random.
        tolerance: largest error of each pass, as a share of the reference's range; 0: equal to the
            bit; None: what the pass declares.
        only: the fault to look for: numbers that differ, or an error with a message that is
            matched; None: any.
    """

    source: InputSource = field(default_factory=InputSource)
    tolerance: float | None = None
    only: Literal["numbers"] | Fails | None = None

    def holds(self, experiment: Experiment) -> str | None:
        found = self._first_fault(experiment)
        return None if found is None else found[1].evidence()

    def check(self, experiment: Experiment) -> None:
        """Raise DiagnosticError if the network does not run before any pass."""
        module, ctx = experiment.start()
        run_ir(module, ctx, self.source.arrays(module))

    def first_pass(
        self, experiment: Experiment, progress: Progress = silent
    ) -> tuple[int, str] | None:
        found = self._first_fault(experiment, progress)
        return None if found is None else (found[0], found[1].evidence())

    def same_fault(self, experiment: Experiment) -> Predicate:
        found = self._first_fault(experiment)
        if found is None:
            return self
        fault = found[1]
        only = "numbers" if fault.kind == "numbers" else Fails.like(fault.message)
        return replace(self, only=only)

    def inputs(self, experiment: Experiment) -> Mapping[str, np.ndarray] | None:
        found = self._first_fault(experiment)
        return None if found is None else found[1].inputs

    def _first_fault(
        self, experiment: Experiment, progress: Progress = silent
    ) -> tuple[int, NumericsFault] | None:
        """Return the first fault that is looked for, with the number of its pass.

        In an experiment that counts rewrites only the last pass is under trial. The result is None if the IR does not
        run before any pass, or if another fault than the one looked for stops the pipeline first.
        """
        passes = parse_pipeline(",".join(experiment.passes))
        tried = max(0, len(passes) - 1) if experiment.counter is not None else 0
        try:
            module, ctx = experiment.start()
            experiment.run_passes(module, ctx, 0, tried)
            trial = NumericsTrial(module, ctx, self.source, self.tolerance)
        except MemoryError:
            raise
        except Exception:
            return None
        for number in range(tried, len(passes)):
            each = passes[number]
            progress(f"passes: {each.name}", number, len(passes))
            trial.before(each, module)
            try:
                experiment.run_passes(module, ctx, number, number + 1)
            except MemoryError:
                raise
            except Exception as error:
                fault = trial.stopped(each, error)
            else:
                fault = trial.after(each, module)
            if fault is not None:
                return (number, fault) if self._is_looked_for(fault) else None
        return None

    def _is_looked_for(self, fault: NumericsFault) -> bool:
        if isinstance(self.only, Fails):
            return fault.kind != "numbers" and self.only.matches(fault.message)
        return self.only is None or fault.kind == self.only


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
