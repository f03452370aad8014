"""Cases of ONNX's suite that pass at top: exported again they give the expected values, with ONNX's tools and here."""

import warnings
import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from onnx.backend.test.runner import Runner
from smalti.compiler import import_model
from smalti.compiler.compilation.pipelines import passes_of
from smalti.passes.registry import parse_pipeline

from tests.commit_seed import share_of_commit
from tests.exported_model import run_exported
from tests.onnx_suite.cases import RUN, Case, case_named, cases
from tests.onnx_suite.outcomes import HEAVY, TOP, read_list

PARTS = 10
"""Every tenth case is always run, by its name; a third of the others is slow."""

BY_REFERENCE = {
    "test_convinteger_with_padding": "ONNX Runtime takes a zero point of the weights as signed only",
    "test_maxunpool_export_with_output_shape": "ONNX Runtime counts places in the smaller image",
    "test_reduce_max_empty_set_bool": "ONNX Runtime has no largest of no bools",
}
"""Cases that ONNX Runtime refuses or computes otherwise than the suite says; ONNX's reference runs what is exported."""


def passing(*kinds: str) -> list[Case]:
    """The cases that pass at top and are of some kinds, or of all that are not whole networks."""
    listed = read_list()
    wanted = kinds or {case.kind for case in cases()} - HEAVY
    return [
        case
        for case in cases()
        if case.group in RUN
        and case.kind in wanted
        and not ((known := listed.get((case.kind, case.name))) and known.level == TOP)
    ]


def is_fast(case: Case) -> bool:
    """Tell whether a case is among those that are always run."""
    return zlib.crc32(case.name.encode()) % PARTS == 0


def difference(case: Case) -> str:
    """What is wrong with the exported case; empty if nothing."""
    model, sets = case.load()
    try:
        imported = import_model(model)
        exported = imported.to_onnx()
        again = import_model(exported)
        names = [value.name for value in exported.graph.input]
        for inputs, expected in sets:
            feeds = dict(zip(names, map(np.asarray, inputs), strict=True))
            elsewhere = run_exported(exported, feeds, case.name in BY_REFERENCE)
            for found in (elsewhere, again.run(feeds)):
                assert [*found] == [value.name for value in model.graph.output]
                values = tuple(found.values())
                for want, have in zip(expected, values, strict=True):
                    assert (want.shape, want.dtype) == (have.shape, have.dtype)
                rtol, atol = max(case.source.rtol, 1e-3), max(case.source.atol, 1e-5)
                Runner.assert_similar_outputs(expected, values, rtol, atol * largest(expected))
    except Exception as error:  # whatever goes wrong, the other cases are run, too
        return f"{case.name}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return ""


def largest(expected: Sequence[np.ndarray]) -> float:
    """The largest magnitude of some floats, 1 at least: ONNX Runtime's spectra have rounding errors of that order."""
    floats = [each for each in expected if each.dtype.kind == "f" and each.size]
    return max([1.0, *(float(np.abs(np.nan_to_num(each)).max()) for each in floats)])


def check(ran: list[Case]) -> None:
    """Export cases and run them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = [found for case in ran if (found := difference(case))]
    assert not wrong, "\n".join(wrong)


def test_a_tenth_of_the_cases():
    chosen = [case for case in passing() if is_fast(case)]
    assert len(chosen) > 100
    check(chosen)


@pytest.mark.slow
def test_a_third_of_the_other_cases():
    """Another third with each commit."""
    others = [case for case in passing() if not is_fast(case)]
    check(share_of_commit(others, 3, lambda case: case.name))


@pytest.mark.slow
def test_networks():
    """A third of them, another one with each commit: tests/networks exports the same ones with weights of more use."""
    check(share_of_commit(passing("real"), 3, lambda case: case.name))


@pytest.mark.slow
def test_squeezenet_after_each_pass():
    """Its 1,000 logits are equal and near 1e10, so that its softmax shows the last bit of a sum: 0.001 for each of them
    where all are summed in one order, which ONNX Runtime's optimizations of convolutions do not keep.
    """
    model, ((inputs, (expected,)),) = case_named("test_squeezenet").load()
    imported = import_model(model)
    for each in [None, *passes_of("top")]:
        for run in parse_pipeline(each or ""):
            run.apply(imported.ctx, imported.module)
        exported = imported.to_onnx()
        feeds = {exported.graph.input[0].name: inputs[0]}
        (found,) = run_exported(exported, feeds).values()
        np.testing.assert_allclose(found, expected, rtol=1e-3, err_msg=str(each))
