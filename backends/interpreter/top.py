"""The interpreter of the top dialect: what each op computes, in floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.interpreter import Interpreter, InterpreterFunctions, impl, register_impls
from xdsl.ir import Attribute

from ...dialects import top
from ...dialects.ir.weights import WeightStore, value_of
from ...dialects.top.evaluation import EVALUATIONS, evaluate
from .function import NetworkRunner, Observer, run_main

Values = tuple[Any, ...]


def run_top(
    module: ModuleOp,
    weights: WeightStore,
    inputs: Mapping[str, np.ndarray],
    *,
    observe: Observer | None = None,
) -> dict[str, np.ndarray]:
    """Runs the function of a top module and returns its results by name.

    Args:
        module: a module with one function of top ops.
        weights: the store that holds its weights.
        inputs: arrays by input name, of the declared shape, or with an axis 0 that is S times as
            long: S samples.
        observe: called as observe(name, value) once for every input and every op's result (weights
            excepted), with f32 [S, shape...]. All samples are then run at once: give many samples
            in several calls.

    Returns:
        Arrays of the declared shapes, the results of S samples one after the other along axis 0.

    Raises:
        DiagnosticError: inputs that are missing, unknown or of wrong shapes; an op that is not of
            `top`.
    """
    return run_main(NetworkRunner(module, TopFunctions(weights), _real), module, inputs, observe)


def _real(value: np.ndarray, type: Attribute) -> np.ndarray:
    return value.astype(np.float32, copy=False)


class TopFunctions(InterpreterFunctions):
    """The top ops on arrays [S, shape...] (S = 1 where a value is the same for all samples)."""

    def __init__(self, weights: WeightStore):
        self.weights = weights

    @impl(top.WeightOp)
    def run_weight(self, interpreter: Interpreter, op: top.WeightOp, args: Values) -> Values:
        return (value_of(op, self.weights)[None],)


def _run_evaluated(
    functions: TopFunctions, interpreter: Interpreter, op: top.TopOp, args: Values
) -> Values:
    return (evaluate(op, args),)


def add_evaluations(evaluations: Mapping[type[Any], Callable[..., np.ndarray]]) -> None:
    """Makes ops known by what they compute: `function(op, operands)` on arrays [S, shape...].

    xDSL looks for one implementation per class of ops.
    """
    EVALUATIONS.update(evaluations)
    for kind in evaluations:
        setattr(TopFunctions, f"run_{kind.__name__}", impl(kind)(_run_evaluated))
    register_impls(TopFunctions)


add_evaluations(dict(EVALUATIONS))
