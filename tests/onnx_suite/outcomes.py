"""Runs cases of ONNX's suite, and keeps the list of those that do not pass."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onnx import ModelProto
from onnx.backend.test.runner import Runner
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import ImportedModel, onnx_backend
from smalti.dialects import top
from smalti.dialects.network.constant import value_of
from xdsl.dialects import func
from xdsl.ir import SSAValue

from tests.onnx_suite.cases import FOLDER, Case

TOP, DEVICE = "top", "default-8c"
LEVELS = {TOP: "CPU", DEVICE: DEVICE}
"""The levels at which cases are run, with the backend's device."""
HEAVY = {"real"}
"""Kinds of cases that are whole networks, which take seconds each; they are compiled without optimization."""
LISTED = FOLDER / "not_passing.txt"
BY_HAND = "! "
"""Begins a reason that a person has written: it stays as long as the case fails."""
HEADER = f"""\
# Cases of ONNX's backend test suite that do not pass: the first level at which each fails, its name, and why.
# `python -m tests.onnx_suite --write` writes the lines anew, and keeps reasons that begin with "{BY_HAND.strip()}".
"""


@dataclass(frozen=True)
class Failure:
    """Why a case does not pass, and at which level first."""

    level: str
    reason: str


def run(case: Case, level: str) -> str:
    """Run a case at a level, and return in words why it does not pass, or nothing."""
    model, sets = case.load()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            prepared = onnx_backend.prepare(model, LEVELS[TOP])
            if level == DEVICE:
                prepared = _compiled(prepared, model, case.kind in HEAVY)
            for inputs, expected in sets:
                found = prepared.run(inputs)
                difference = _difference(case, expected, found)
                if difference:
                    return difference
    except DiagnosticError as error:
        return reason_of(error)
    except Exception as error:  # an internal error: a mistake of Smalti
        return f"internal error: {type(error).__name__}: {_general(str(error))}"
    return ""


_PROGRAMS: dict[str, onnx_backend.PreparedModel] = {}


def _compiled(
    imported: onnx_backend.PreparedModel, model: ModelProto, is_heavy: bool
) -> onnx_backend.PreparedModel:
    """Compile a model, unless one that differs in names only is compiled already: most functions are the cases of
    their expansions.
    """
    assert isinstance(imported.model, ImportedModel)
    key = fingerprint(imported.model)
    if key not in _PROGRAMS:
        options = {"optimization": 0} if is_heavy else {}
        _PROGRAMS[key] = onnx_backend.prepare(model, LEVELS[DEVICE], **options)
    return _PROGRAMS[key]


def fingerprint(model: ImportedModel) -> str:
    """Return a digest of what a model computes, without the names of its tensors."""
    digest = hashlib.sha256()
    numbers: dict[SSAValue, int] = {}

    def tell(values: Iterable[SSAValue]) -> None:
        for value in values:
            digest.update(f"{numbers.setdefault(value, len(numbers))}: {value.type}".encode())

    for op in model.module.walk():
        if isinstance(op, func.FuncOp):
            tell(op.body.block.args)
            continue
        digest.update(op.name.encode())
        tell(op.operands)
        tell(op.results)
        if isinstance(op, top.WeightOp):
            digest.update(value_of(op, model.ctx.weights).tobytes())
            continue
        for name, value in op.properties.items():
            if name != "name":
                digest.update(f"{name} = {value}".encode())
    return digest.hexdigest()


def _difference(case: Case, expected: list, found: tuple) -> str:
    """Compare as the suite does, and say whether types, shapes or values differ."""
    for want, have in zip(expected, found, strict=True):
        if want.shape != have.shape:
            return f"the result is of shape {list(have.shape)}, not {list(want.shape)}"
        if want.dtype != have.dtype:
            return f"the result is of type {have.dtype}, not {want.dtype}"
    try:
        Runner.assert_similar_outputs(expected, found, case.source.rtol, case.source.atol)
    except AssertionError:
        return "other values than expected"
    return ""


def reason_of(error: DiagnosticError) -> str:
    """Return a diagnostic's reason without the names and numbers of the one case."""
    if error.message.startswith("the model needs"):
        return "; ".join(sorted({_general(str(note)) for note in error.notes}))
    return _general(error.message)


def _general(text: str) -> str:
    """Remove names, versions, sizes and advice from a text."""
    text = (text.splitlines() or [""])[0]
    text = re.sub(r"; (only|cast that|ask) .*", "", text)
    text = re.sub(r" \(opset \d+\)", "", text)
    text = re.sub(r"(, )?'[^' ]*'", "", text)
    text = re.sub(r"\[[-\d, ]*\]|\(\d[\d, ]*\)", "[…]", text)
    return re.sub(r"\s+", " ", text).strip()


def read_list() -> dict[tuple[str, str], Failure]:
    """Read the list of cases that do not pass, by kind and name."""
    listed = {}
    for line in LISTED.read_text().splitlines():
        if line and not line.startswith("#"):
            level, name, reason = line.split(None, 2)
            kind, _, case = name.partition(":")
            listed[kind, case] = Failure(level, reason)
    return listed


def write_list(failures: Mapping[tuple[str, str], Failure]) -> None:
    """Write the list, sorted by level and reason."""
    order = list(LEVELS)
    rows = sorted(
        (order.index(each.level), each.reason, f"{kind}:{name}")
        for (kind, name), each in failures.items()
    )
    lines = [f"{order[level]:<10} {name} {reason}" for level, reason, name in rows]
    LISTED.write_text(HEADER + "".join(f"{line}\n" for line in lines))


def differences(
    ran: Iterable[Case], level: str, failing: Mapping[tuple[str, str], str]
) -> list[str]:
    """Return what the list says wrong of some cases that were run at a level."""
    listed = read_list()
    wrong = []
    for case in ran:
        key = (case.kind, case.name)
        known = listed.get(key)
        is_listed = known is not None and known.level == level
        if key in failing and not is_listed:
            wrong.append(f"{case.name} fails at {level} and is not listed: {failing[key]}")
        if key not in failing and is_listed:
            wrong.append(f"{case.name} passes at {level}, but is listed")
    return wrong


def with_reasons_by_hand(
    failures: Mapping[tuple[str, str], Failure],
) -> dict[tuple[str, str], Failure]:
    """Return failures with the reasons that people have written for the same cases."""
    listed = read_list()
    return {
        key: listed[key]
        if key in listed
        and listed[key].level == each.level
        and listed[key].reason.startswith(BY_HAND)
        else each
        for key, each in failures.items()
    }
