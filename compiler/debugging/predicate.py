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
from xdsl.dialects.builtin import ModuleOp

from ...dialects.context import SmaltiContext
from ...dialects.diagnostic import DiagnosticError
from ..comparison import Difference
from ..execution import run_ir
from ..pipelines import level_of, passes_into
from .experiment import Experiment
from .inputs import inputs_for

DEFAULT_TOLERANCE = 1e-4
"""Of the reference's range: what f32 networks may differ by when only the order of sums changes."""


class Predicate(ABC):
    """Says whether an experiment shows the fault."""

    @abstractmethod
    def holds(self, experiment: Experiment) -> str | None:
        """What shows the fault, in a sentence; None where it does not show."""


def failure_of(experiment: Experiment) -> str | None:
    """The first line of what stops the experiment, None where it goes through.

    What is no diagnostic is a crash, named by its type.
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
        """Fails with a message that a regular expression matches; DiagnosticError where it is
        none.
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
        """Fails in the same way as `message`: names in quotes and numbers may be others."""
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
    """The first output that differs by more than `tolerance` of its range, in a sentence."""
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

    def holds(self, experiment: Experiment) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            try:
                path = str(experiment.write_result(Path(folder)))
            except (KeyboardInterrupt, MemoryError):
                raise
            except Exception:
                return None
            words = [path if word == "{}" else word for word in shlex.split(self.command)]
            return self._run(words if path in words else [*words, path])

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
    """Lowered the rest of the way by the default passes, the program takes more than `limit` cycles
    from cold.
    """

    limit: int

    def holds(self, experiment: Experiment) -> str | None:
        try:
            cycles = cycles_of(*experiment.finish())
        except DiagnosticError:
            return None
        return f"{cycles} cycles" if cycles > self.limit else None


def cycles_of(module: ModuleOp, ctx: SmaltiContext) -> int:
    """Cycles of one run from cold, after lowering `module` (which changes) to isa by default."""
    from ...backends.program.assemble import assemble
    from ...backends.simulator.simulate import simulate
    from ...passes.pipeline import run_pipeline
    from ...passes.registry import parse_pipeline
    from ..pipelines import LEVELS

    level = level_of(module)
    for below in LEVELS[LEVELS.index(level) + 1 :]:
        texts = passes_into(below, target="default-8c", quantize="int8")
        run_pipeline(ctx, module, parse_pipeline(",".join(texts)))
    timing = simulate(assemble(module, ctx), None, mode="timing").timing
    assert timing is not None
    return timing.cycles
