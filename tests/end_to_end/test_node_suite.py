"""ONNX's own node tests in half floats, and the levels of each case against each other."""

from collections import defaultdict
from functools import cache

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.analysis.comparison import Difference
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.onnx_import.operator_table import OPERATORS
from smalti.passes.top_to_tpu.precision.schemes import Quantize

from tests.commit_seed import number_of_commit, runs_all
from tests.onnx_suite.cases import RUN, Case, cases
from tests.onnx_suite.outcomes import read_list

DECIBELS = {"f32": 75.0, "f16": 40.0, "bf16": 25.0}
"""Some cases write their expected values with four digits."""
STEPS = {"f32": 2.0**-24, "f16": 2.0**-11, "bf16": 2.0**-8}
OUT_OF_RANGE = {
    "f16": ("softmax_large_number", "reduce_prod_default_axes_keepdims_example"),
    "bf16": ("softmax_large_number",),
}
"""Parts of names of cases with numbers that lie between two of the type, or beyond it, as inputs or as results."""


@cache
def in_f32() -> list[Case]:
    """The node cases that pass, of ops that are imported as they are (not by a function of others, such as Attention),
    and whose tensors are of f32 or bools.
    """
    listed = read_list()
    return [
        case
        for case in cases()
        if case.kind == "node"
        and case.group in RUN
        and "_expanded" not in case.name
        and (case.kind, case.name) not in listed
        and case.source.model is not None
        and all(node.op_type in OPERATORS for node in case.source.model.graph.node)
        and tensor_types(case.source.model) <= {TensorProto.FLOAT, TensorProto.BOOL}
    ]


@pytest.mark.slow
@pytest.mark.parametrize("quantize", list(DECIBELS))
def test_node_suite_on_the_whole_path(quantize: Quantize):
    """Near the expected values; the program equal to tile to the bit, tile to tpu within steps."""
    passed, wrong = 0, []
    for case in of_format(quantize):
        try:
            reason = difference(case, quantize)
        except DiagnosticError as error:
            reason = str(error)
        passed += 1
        if reason:
            wrong.append(f"{case.name}: {reason}")
    assert not wrong, "\n".join(wrong)
    assert passed >= 150


def of_format(quantize: Quantize) -> list[Case]:
    """The cases that are run in a format: each in one of the three, another with each commit, and in more as far as
    every set of ops is to have a case in each.
    """
    families: defaultdict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in in_f32():
        assert case.source.model is not None
        ops = {node.op_type for node in case.source.model.graph.node}
        families[tuple(sorted(ops))].append(case)
    formats = list(DECIBELS)
    number, found = formats.index(quantize), []
    for cases_of_ops in families.values():
        able = [
            case
            for case in cases_of_ops
            if not any(part in case.name for part in OUT_OF_RANGE.get(quantize, ()))
        ]
        order = sorted(cases_of_ops, key=lambda case: number_of_commit(case.name))
        chosen = [case for place, case in enumerate(order) if place % len(formats) == number]
        chosen = [case for case in chosen if case in able] or able[:1]
        found += able if runs_all() else chosen
    return found


def tensor_types(model: onnx.ModelProto) -> set[int]:
    """The element types of the inputs and outputs of a model."""
    return {value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)}


def difference(case: Case, quantize: Quantize) -> str:
    """What is wrong with the results of a model; empty if nothing."""
    model, ((arrays, results),) = case.load()
    constants = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in constants]
    inputs = dict(zip(names, arrays, strict=True))
    expected = dict(zip((value.name for value in model.graph.output), results, strict=True))
    compilation = start_from_model(model, CompileOptions("edge-1c", None, quantize))
    compilation.lower_to("tpu")
    tpu = run_ir(compilation.module, compilation.ctx, inputs)
    compilation.lower_to("tile")
    tile = run_ir(compilation.module, compilation.ctx, inputs)
    program = simulate(compilation.assemble(), inputs, sanitize=True).outputs
    assert program is not None
    for name, value in expected.items():
        if not np.array_equal(program[name], tile[name], equal_nan=True):
            return f"{name}: the program is not equal to the tile interpreter"
        if value.dtype == np.bool_:
            if not np.array_equal(program[name], value):
                return f"{name}: other bools than expected"
            continue
        finite = np.isfinite(value)
        if not np.array_equal(np.isfinite(program[name]), finite):
            return f"{name}: infinite elsewhere than expected"
        if not finite.any():
            continue
        steps = STEPS[quantize] * max(float(np.abs(value[finite]).max()), 1e-3)
        apart = np.abs(tile[name][finite] - tpu[name][finite]).max()
        if apart > 8 * steps:
            return f"{name}: tile and tpu are {apart / steps:.1f} steps apart"
        snr_db = Difference.between(name, program[name][finite], value[finite]).snr_db
        if snr_db < DECIBELS[quantize]:
            return f"{name}: {snr_db:.1f} dB"
    return ""
