"""The side of `dask_cluster.py` that runs on the workers of a cluster."""

from __future__ import annotations

import pickle

from distributed import WorkerPlugin

from ...backends.diagnostics.diagnostic import DiagnosticError
from .evaluator import Evaluator, Measurement, portable_error
from .space import Point

_PICKLED: dict[str, bytes] = {}
_EVALUATORS: dict[str, Evaluator] = {}


class EvaluatorPlugin(WorkerPlugin):
    """Gives each worker the bytes of an evaluator: those that there are, and those that come or start again."""

    def __init__(self, name: str, pickled: bytes) -> None:
        self.name = name
        self.pickled = pickled

    def setup(self, worker: object) -> None:
        """Note the evaluator; those of earlier searches, which hold models, are dropped."""
        _PICKLED.clear()
        _EVALUATORS.clear()
        _PICKLED[self.name] = self.pickled


def measure(name: str, point: Point) -> Measurement | DiagnosticError:
    """Measure a point; an error is returned, so that Dask does not take it for one of its own."""
    try:
        if name not in _EVALUATORS:
            _EVALUATORS[name] = pickle.loads(_PICKLED[name])
        return _EVALUATORS[name].evaluate(point)
    except Exception as error:
        return portable_error(error)
