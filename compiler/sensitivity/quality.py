"""How good the outputs of a quantized network are, next to those of the network in floats."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean, words_of
from ..analysis.comparison import Difference

Outputs = Mapping[str, np.ndarray]
"""Outputs by name, samples one after the other along axis 0."""

POST_PROCESS = "PostProcess"
"""What a file for --post-process defines, as one of TPU-MLIR does."""


@dataclass(frozen=True)
class Judge:
    """What outputs are judged by.

    `metric` is "module:function": the function gets the outputs of the network in floats and of the quantized one, both
    by name, and returns a number that is the greater the better. `post_process` is the path of a file with a function
    or class `PostProcess`, which gets the outputs of one sample by name and returns what counts of them, by name.

    Objects of this class can be pickled; what they name is imported when it is needed.
    """

    metric: str | None = None
    post_process: str | None = None

    def measure(self, reference: Outputs, outputs: Outputs, samples: int) -> dict[str, Any]:
        """Return the loss, 1 - the mean cosine over samples and outputs; the losses of samples; the signal-to-noise
        ratio in dB; the share of equal decisions; and the metric, if there is one.

        Raises DiagnosticError if a function of the user's fails, or returns what it should not.
        """
        pairs = list(
            zip(self._parts(reference, samples), self._parts(outputs, samples), strict=True)
        )
        losses = [1 - _mean_cosine(*each, self._place) for each in pairs]
        measured: dict[str, Any] = {
            "loss": float(np.mean(losses)),
            "losses": losses,
            "snr_db": min(_snr_db(reference[name], outputs[name]) for name in reference),
            "agreement": agreement(reference, outputs),
        }
        if self.metric is not None:
            measured["metric"] = self._metric(reference, outputs)
        return measured

    def check(self) -> None:
        """Raise DiagnosticError if the metric or the post-processing cannot be imported."""
        if self.metric is not None:
            function_named(self.metric)
        if self.post_process is not None:
            self._post_processor()

    def check_tells(self, shapes: Mapping[str, Sequence[int]], place: Place) -> None:
        """Raise DiagnosticError at `place` if all outputs of a sample, by their shapes, are single numbers: cosines and
        the places of greatest elements are then those of the floats whatever the numbers are.
        """
        if self.post_process is None and all(math.prod(shape) == 1 for shape in shapes.values()):
            raise DiagnosticError(
                f"outputs of one number each ({', '.join(shapes)}) have no cosine and no agreement that tell",
                place,
                hint="give a --metric that compares the numbers, and a goal of it: --at-least metric=X",
            )

    @property
    def _place(self) -> Place | None:
        return None if self.post_process is None else Place(file=self.post_process)

    def _parts(self, outputs: Outputs, samples: int) -> list[Outputs]:
        """Return what counts of the outputs, sample by sample."""
        parts = [
            {
                name: array.reshape(samples, -1)[sample]
                if array.ndim == 1
                else array.reshape(samples, -1, *array.shape[1:])[sample]
                for name, array in outputs.items()
            }
            for sample in range(samples)
        ]
        if self.post_process is None:
            return list(parts)
        process = self._post_processor()
        return [self._processed(process, each) for each in parts]

    @property
    def files(self) -> list[Path]:
        """The files of the user's code, which measurements depend on. Raises DiagnosticError as `check` does."""
        found = [] if self.post_process is None else [Path(self.post_process)]
        if self.metric is not None:
            with suppress(TypeError):  # what is built in has no file
                source = inspect.getsourcefile(function_named(self.metric))
                found += [] if source is None else [Path(source)]
        return found

    def _post_processor(self) -> Callable[[Outputs], Any]:
        assert self.post_process is not None
        module = _module_of_file(Path(self.post_process))
        process = getattr(module, POST_PROCESS, None)
        if not callable(process):
            raise DiagnosticError(
                f"the file defines no {POST_PROCESS}",
                self._place,
                hint=f"define `def {POST_PROCESS}(outputs)`, which gets and returns arrays by name",
            )
        return process

    def _processed(self, process: Callable[[Outputs], Any], outputs: Outputs) -> Outputs:
        try:
            processed = process(outputs)
        except Exception as error:
            raise DiagnosticError(
                f"{POST_PROCESS} ends with {words_of(error)}", self._place, hint="mend it"
            ) from error
        if not isinstance(processed, Mapping) or not processed:
            raise DiagnosticError(
                f"{POST_PROCESS} returns {type(processed).__name__}, expected arrays by name",
                self._place,
                hint="return a dictionary of arrays",
            )
        return {str(name): np.asarray(each) for name, each in processed.items()}

    def _metric(self, reference: Outputs, outputs: Outputs) -> float:
        assert self.metric is not None
        place = Place(name=f"--metric {self.metric}")
        function = function_named(self.metric)
        try:
            value = function(reference, outputs)
        except DiagnosticError:
            raise
        except Exception as error:
            frames = error.__traceback__
            while frames is not None and frames.tb_next is not None:
                frames = frames.tb_next
            where = (
                []
                if frames is None
                else [f"in {frames.tb_frame.f_code.co_filename}:{frames.tb_lineno}"]
            )
            raise DiagnosticError(
                f"the metric ends with {words_of(error)}", place, where, "mend the function"
            ) from error
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, str) or not math.isfinite(number):
            shown = value if isinstance(value, int | float) else type(value).__name__
            raise DiagnosticError(
                f"the metric returns {shown}, expected a finite number",
                place,
                hint="return a number that is the greater the better the quantized outputs are",
            )
        return number


def agreement(reference: Outputs, outputs: Outputs) -> float:
    """Return in which share of decisions both agree: at which place of the last axis each output is the greatest.

    Outputs with one element there decide nothing; the share is 1 if there are no others.
    """
    same = [
        np.argmax(reference[name], -1).ravel() == np.argmax(outputs[name], -1).ravel()
        for name in reference
        if reference[name].ndim and reference[name].shape[-1] > 1
    ]
    return float(np.mean(np.concatenate(same))) if same else 1.0


def function_named(name: str) -> Callable[..., Any]:
    """Return the function "module:function" or "file.py:function". Raises DiagnosticError if there is none."""
    place = Place(name=f"--metric {name}")
    source, colon, attribute = name.rpartition(":")
    if not colon or not source or not attribute:
        raise DiagnosticError(
            f"'{name}' names no function", place, hint="write module:function, or file.py:function"
        )
    if source.endswith(".py"):
        module = _module_of_file(Path(source))
    else:
        try:
            module = importlib.import_module(source)
        except Exception as error:
            raise DiagnosticError(
                f"module '{source}' cannot be imported: {words_of(error)}",
                place,
                hint="name a module that Python finds (PYTHONPATH), or a file.py",
            ) from None
    function = getattr(module, attribute, None)
    if not callable(function):
        known = [each for each in dir(module) if callable(getattr(module, each))]
        raise DiagnosticError(
            f"'{source}' has no function '{attribute}'", place, hint=did_you_mean(attribute, known)
        )
    return function


_MODULES: dict[Path, ModuleType] = {}


def _module_of_file(path: Path) -> ModuleType:
    """Import a file, once. Raises DiagnosticError if it cannot be imported."""
    path = path.resolve()
    if path not in _MODULES:
        place = Place(file=str(path))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise DiagnosticError("there is no such file of Python", place, hint="check the path")
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise DiagnosticError(
                f"the file cannot be imported: {words_of(error)}", place, hint="mend it"
            ) from error
        _MODULES[path] = module
    return _MODULES[path]


def _mean_cosine(reference: Outputs, outputs: Outputs, place: Place | None) -> float:
    """Return the mean cosine of what counts of one sample; 0 for an output that is not finite where it should be."""
    cosines: Sequence[float] = []
    for name, expected in reference.items():
        got = outputs.get(name)
        if got is None or got.shape != expected.shape:
            shown = "nothing" if got is None else f"shape {list(got.shape)}"
            raise DiagnosticError(
                f"{POST_PROCESS} gives '{name}' of shape {list(expected.shape)} for floats and {shown} when quantized",
                place,
                hint="return arrays of the same shapes for all outputs, or use --metric",
            )
        difference = Difference.between(name, got, expected)
        cosines.append(0.0 if difference.unmatched else difference.cosine)
    return float(np.mean(cosines))


def _snr_db(reference: np.ndarray, outputs: np.ndarray) -> float:
    return Difference.between("", outputs, reference).snr_db
