"""Runs IR of any level on the interpreter of that level, or isa IR on the simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...dialects.ir.context import SmaltiContext
from .pipelines import level_of

Observer = Callable[[str, np.ndarray], None]
"""Called as observe(name, value) for each named value, sample axis first.

Values are real numbers in f32; those of tile IR's buffers are in storage.
"""


def run_ir(
    module: ModuleOp,
    ctx: SmaltiContext,
    inputs: Mapping[str, np.ndarray],
    *,
    observe: Observer | None = None,
    raw_io: bool = False,
) -> dict[str, np.ndarray]:
    """Run IR of any level and return its outputs by name.

    Inputs and outputs are the model's values at every level, in its layout and types, whatever the ports hold: so the
    same inputs show what IR computes before and after a pass that changes the ports.

    The sanitizer checks isa IR: numbers that are right here tell nothing of a program that lacks a wait.

    Args:
        module: verified IR.
        ctx: the context that it was read or made with, which holds its weights.
        inputs: arrays by input name; axis 0 may hold several samples one after the other.
        observe: is called with each intermediate value of top, tpu and tile IR.
        raw_io: take and return what the ports hold, in their layouts and types; at the top level, that is the same.

    Raises:
        DiagnosticError: if inputs are missing or of wrong shapes, or for what the sanitizer finds.
    """
    level = level_of(module)
    arrays = dict(inputs)
    if level == "top":
        from ...backends.interpreter.top import run_top

        return run_top(module, ctx.weights, arrays, observe=observe)
    if level == "tpu":
        from ...backends.interpreter.tpu import run_tpu

        return run_tpu(module, ctx.weights, arrays, observe=observe, raw_io=raw_io)
    if level == "tile":
        from ...backends.interpreter.tile.interpreter import run_tile

        return run_tile(module, ctx.weights, arrays, observe=observe, raw_io=raw_io)
    from ...backends.program.assemble import assemble
    from ...backends.simulator.simulate import simulate

    outputs = simulate(
        assemble(module, ctx), arrays, mode="functional", sanitize=True, raw_io=raw_io
    ).outputs
    assert outputs is not None
    return outputs
