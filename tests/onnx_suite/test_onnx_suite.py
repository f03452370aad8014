"""ONNX's backend test suite: each case passes or is listed with its reason, and none that passes is listed."""

import functools
import re
from zlib import crc32

import numpy as np
import onnx
import pytest
from smalti.compiler import ImportedModel, onnx_backend

from tests.commit_seed import share_of_commit
from tests.onnx_suite.cases import RUN, Case, case_named, cases, loaded, scope
from tests.onnx_suite.coverage import PAGE, page
from tests.onnx_suite.outcomes import DEVICE, HEAVY, TOP, differences, fingerprint, read_list, run

WRITE = "python -m tests.onnx_suite --write"
PARTS = 10
"""Tests that the cases on the device are divided among, so that processes share them."""
EXPANSION = re.compile(r"(_ver\d+)?_expanded(_ver\d+)?$")
"""How the names of cases end whose function is written out in ops that have cases of their own."""
NETWORKS = sorted(
    name for (kind, name), (group, _) in scope().items() if kind == "real" and group in RUN
)


def chosen(*kinds: str) -> list[Case]:
    """The cases to run that are of some kinds, or of all that are not heavy."""
    wanted = kinds or {case.kind for case in cases()} - HEAVY
    return [case for case in cases() if case.group in RUN and case.kind in wanted]


def check(ran: list[Case], level: str) -> None:
    """Run cases and compare with the list."""
    failing = {(case.kind, case.name): reason for case in ran if (reason := run(case, level))}
    wrong = differences(ran, level, failing)
    assert not wrong, "\n".join([*wrong, f"after reading them: {WRITE}"])


def past_top(ran: list[Case]) -> list[Case]:
    """The cases that do not fail at top already."""
    listed = read_list()
    return [
        case
        for case in ran
        if (known := listed.get((case.kind, case.name))) is None or known.level != TOP
    ]


def test_cases_at_top():
    """One test for all cases: loading them takes most of the time."""
    check(chosen(), TOP)


@pytest.mark.slow
def test_networks_at_top():
    check(chosen("real"), TOP)


@functools.cache
def on_the_device() -> tuple[Case, ...]:
    """The cases that are run on the device: all, but of those whose function is written out a third, another with each
    commit, and the listed ones.
    """
    ran, listed = past_top(chosen()), read_list()
    expansions = [
        case for case in ran if EXPANSION.search(case.name) and (case.kind, case.name) not in listed
    ]
    left_out = {case.name for case in expansions}
    left_out -= {case.name for case in share_of_commit(expansions, 3, lambda case: case.name)}
    return tuple(case for case in ran if case.name not in left_out)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_cases_on_the_device(part: int):
    """A function and its expansion are of one part: they may be the same program."""
    check(
        [
            case
            for case in on_the_device()
            if crc32(EXPANSION.sub("", case.name).encode()) % PARTS == part
        ],
        DEVICE,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", share_of_commit(NETWORKS, 3))
def test_networks_on_the_device(name: str):
    """Another third with each commit: tests/networks compiles the same networks, with weights of more use."""
    check(past_top([case_named(name)]), DEVICE)


def test_every_case_is_classified():
    """Those of the installed onnx, if it is the newest that the classes were made for, and whatever is listed."""
    assert {group for group, _ in scope().values()} == {*RUN, "out-of-scope"}
    assert all(bool(reason) == (group == "out-of-scope") for group, reason in scope().values())
    known = scope().keys()
    assert read_list().keys() <= known
    assert all(scope()[key][0] in RUN for key in read_list())
    if onnx.__version__.startswith("1.23."):
        unknown = {(kind, case.name) for kind, case in loaded()} - known
        assert not unknown, unknown


def test_nothing_fails_by_an_internal_error():
    assert not [key for key, each in read_list().items() if "internal error" in each.reason]


def test_frozen_operands_are_constants():
    model, [(inputs, outputs)] = next(
        case for case in cases() if case.name == "test_resize_upsample_sizes_cubic"
    ).load()
    assert [value.name for value in model.graph.input] == ["X"]
    assert [tensor.name for tensor in model.graph.initializer] == ["sizes"]
    assert len(inputs) == len(outputs) == 1 and isinstance(inputs[0], np.ndarray)


def test_models_are_told_apart_by_all_but_names():
    def digest(name: str) -> str:
        imported = onnx_backend.prepare(case_named(name).load()[0]).model
        assert isinstance(imported, ImportedModel)
        return fingerprint(imported)

    assert digest("test_attention_4d") == digest("test_attention_4d_expanded")
    other = {
        digest(f"test_{name}") for name in ("relu", "abs", "elu", "elu_default", "clip", "add")
    }
    assert len(other) == 6


@functools.cache
def listed_reasons() -> set[str]:
    return {each.reason for each in read_list().values()}


def test_reasons_are_words():
    assert all(" " in reason or reason.isidentifier() for reason in listed_reasons())


def test_the_page_of_coverage_is_as_written():
    """Of the installed onnx, if it is the one that the page was written with."""
    if onnx.__version__.startswith("1.23."):
        assert PAGE.read_text() == page(), f"python -m {page.__module__} --write"
