"""Legality: which engine of a target computes which op in which type, and why.

The answers come from no table that somebody wrote: each op's example is compiled down to instructions, and the
engine is that of the resulting instructions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from ...backends.diagnostics.diagnostic import DiagnosticError, did_you_mean
from ...backends.instructions.instruction_set import HostCall
from ...backends.interpreter.samples import declared_inputs
from ...backends.targets.target import load_target
from ...dialects import top, tpu
from ...dialects.context import make_context
from ...dialects.isa import InstructionOp
from ...dialects.network.traits import Converts
from ...dialects.quant.element_type import element_storage, is_float, is_quantized
from ...dialects.tpu.tpu_op import TpuOp
from ...passes.top.annotate_calibration import annotate
from ...passes.top.calibration_table import table_of
from ...passes.top_to_tpu.precision.schemes import QUANTIZE, Quantize
from ..compilation.compilation import Compilation
from ..compilation.compile_options import DEFAULT_TARGET, CompileOptions
from ..compilation.optimization import Optimization
from .legality_cases import AFTER, BEFORE, Case, cases

TYPES: tuple[Quantize, ...] = (*(each for each in QUANTIZE if each != "int8"), "int8")
"""The values of `quantize` that a table covers, in the order of its columns."""
_STORAGE = {"int8": "i8"}
_RANGE = (-1.0, 1.0)
"""The range that every activation is calibrated to."""
_ENGINES = ("host", "matrix", "vector")


@dataclass(frozen=True)
class Verdict:
    """What becomes of an op under one value of `quantize`.

    `engine`: "matrix", "vector"; "host" if the host computes it; "transfers" if it only moves data; "removed" if
    nothing is left of it; "no" if it cannot be compiled. `ops`: the tpu ops that it becomes, with their element types.
    `reason`: why the op is not simply computed in the type asked for, "" if it is; for "no" the diagnostic's message.
    """

    engine: str
    ops: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """An op with the verdicts for each of `TYPES`.

    `case`: the kinds or the constant operands for which the verdicts hold, "" for all.
    """

    op: str
    case: str
    verdicts: tuple[Verdict, ...]

    def cells(self) -> Iterator[dict[str, str]]:
        """Yield one dictionary per type, all with the same keys, as tables in files need it."""
        for type, each in zip(TYPES, self.verdicts, strict=True):
            yield {
                "op": self.op,
                "case": self.case,
                "type": type,
                "engine": each.engine,
                "tpu_ops": ", ".join(each.ops),
                "reason": each.reason,
            }


def legality_table(target: str, ops: Sequence[str] = ()) -> list[Row]:
    """Return the rows of some ops of `top`, or of all, on a target (what `load_target` takes).

    Raises:
        DiagnosticError: if there is no such target, or no such op.
    """
    load_target(target)
    chosen = [*cases()]
    known = sorted({case.op.name for case in chosen})
    for name in ops:
        if name not in known:
            raise DiagnosticError(
                f"no op of the table is called '{name}'",
                hint=did_you_mean(name, known) or "a name is as top.conv2d",
            )
    rows: list[Row] = []
    found: dict[tuple[str, str], list[tuple[str, tuple[Verdict, ...]]]] = {}
    for case in chosen:
        if ops and case.op.name not in ops:
            continue
        for label, verdicts in _forms(case, target):
            found.setdefault((case.op.name, label), []).append((case.kind, verdicts))
    for (op, label), kinds in found.items():
        rows += [
            Row(op, ", ".join(part for part in (kind, label) if part), verdicts)
            for kind, verdicts in _merged_kinds(kinds)
        ]
    return rows


def _forms(case: Case, target: str) -> list[tuple[str, tuple[Verdict, ...]]]:
    """Return the verdicts for a case, with words that say which operands are constant.

    The case is compiled with one computed operand, then with two, and so on; forms with the same verdicts are one.
    """
    forms: list[tuple[tuple[str, ...], tuple[Verdict, ...]]] = []
    for computed in range(1, case.inputs + 1):
        _, constant = case.module(make_context(), computed)
        if forms and forms[-1][0] == constant:
            continue
        verdicts = tuple(verdict(case, each, target, computed) for each in TYPES)
        if forms and forms[-1][1] == verdicts:
            forms[-1] = (constant, verdicts)
        else:
            forms.append((constant, verdicts))
    if len(forms) == 1:
        return [("", forms[0][1])]
    return [(_condition(names), each) for names, each in forms]


def _condition(constant: Sequence[str]) -> str:
    """Say in words which operands of an op are constant."""
    if not constant:
        return "all computed"
    return f"constant {', '.join(constant)}" if len(constant) <= 2 else "all but input constant"


def _merged_kinds(
    kinds: Sequence[tuple[str, tuple[Verdict, ...]]],
) -> Iterable[tuple[str, tuple[Verdict, ...]]]:
    """Yield kinds with the same verdicts as one entry; if there are several entries, the largest is "other kinds"."""
    groups: dict[tuple[Verdict, ...], list[str]] = {}
    for kind, verdicts in kinds:
        groups.setdefault(verdicts, []).append(kind)
    largest = max(groups.values(), key=len)
    for verdicts, names in groups.items():
        if len(groups) == 1:
            yield names[0] if len(kinds) == 1 else "", verdicts
        elif names is largest and len(names) > 2:
            yield "other kinds", verdicts
        else:
            yield ", ".join(names), verdicts


def verdict(case: Case, quantize: Quantize, target: str, computed: int) -> Verdict:
    """Return what becomes of a case under one value of `quantize`, with its first `computed` inputs not constant."""
    return verdict_of(start_from_case(case, quantize, target, computed))


def start_from_case(case: Case, quantize: Quantize, target: str, computed: int) -> Compilation:
    """Return the start of the compilation of a case with its first `computed` inputs not constant."""
    ctx = make_context()
    ctx.on_report = lambda diagnostic: None  # the verdict says what the remarks would
    module, _ = case.module(ctx, computed)
    # Engines and types do not depend on the schedule, which level 0 takes least time for.
    options = CompileOptions(target, None, quantize, optimization=Optimization(0))
    return Compilation(module, ctx, options, verify_each=False, keep_levels=False)


def verdict_of(compilation: Compilation) -> Verdict:
    """Compile a case down to instructions, and return what becomes of it."""
    quantize = compilation.options.quantize or "int8"
    try:
        lowered = _lower(compilation, calibrated=quantize == "int8")
    except DiagnosticError as error:
        return Verdict("no", (), error.message)
    made = lowered.made
    engines = _engines(compilation.module, {each.name for each in made})
    engine = next(
        (each for each in _ENGINES if each in engines), "transfers" if made else "removed"
    )
    rates = load_target(compilation.options.target or DEFAULT_TARGET).matrix.macs_per_cycle
    missing = engine == "matrix" and _STORAGE.get(quantize, quantize) not in rates
    listed = dict.fromkeys(f"{each.op} {each.element}" for each in made)
    return Verdict(engine, tuple(listed), _reason(lowered, quantize, missing))


@dataclass(frozen=True)
class _Made:
    """A tpu op that computes: the name of its result, its kind, the result's element type, and the
    types of all its tensors that are no constants: of real numbers (`storages`), and of others."""

    name: str
    op: str
    element: str
    storages: frozenset[str]
    others: frozenset[str]


@dataclass(frozen=True)
class _Lowered:
    """The tpu ops that a case's op became; `joined`: whether the op that stood before it was fused into them."""

    made: list[_Made]
    joined: bool


def _lower(compilation: Compilation, *, calibrated: bool) -> _Lowered:
    """Compile to instructions and return the tpu ops that the case's op became.

    Every activation is calibrated to the same range, whatever the op does to it.
    """
    compilation.lower_to("top")
    module = compilation.module
    names = [op.result_name.data for op in module.walk() if isinstance(op, top.TopOp)]
    fed = any(name.startswith(BEFORE) for name in names)
    if calibrated:
        ranges = dict.fromkeys([*declared_inputs(module), *names], _RANGE)
        annotate(module, table_of(ranges).rows)
    compilation.lower_to("tpu")
    ops = [op for op in compilation.module.walk() if isinstance(op, TpuOp)]
    made = [_made(op) for op in ops if _computes(op)]
    joined = fed and not any(op.result_name.data.startswith(BEFORE) for op in ops)
    compilation.lower_to("isa")
    return _Lowered(made, joined)


def _computes(op: Operation) -> TypeGuard[TpuOp]:
    """Return whether an op is part of what the case's op became: no constant, no cast, no op before or after it."""
    return (
        isinstance(op, TpuOp)
        and not Converts.holds(op)
        and bool(op.operands)
        and not op.result_name.data.startswith((BEFORE, AFTER))
    )


def _made(op: TpuOp) -> _Made:
    storages: dict[bool, set[str]] = {True: set(), False: set()}
    for value in (*op.operands, op.output):
        if not isinstance(value.owner, tpu.WeightOp):
            is_real = is_float(value.type) or is_quantized(value.type)
            storages[is_real].add(element_storage(value.type))
    return _Made(
        op.result_name.data,
        op.name,
        element_storage(op.output.type),
        frozenset(storages[True]),
        frozenset(storages[False]),
    )


def _engines(module: ModuleOp, names: set[str]) -> set[str]:
    """Return the engines of the instructions that compute the tpu results of the given names; "host" for calls of the
    host."""
    return {
        "host" if op.instruction is HostCall else op.engine
        for op in module.walk()
        if isinstance(op, InstructionOp) and op.origin is not None and op.origin.data in names
    }


def _reason(lowered: _Lowered, quantize: Quantize, missing: bool) -> str:
    """Return why an op is not computed in the type that was asked for, or "" if it is.

    `missing`: whether the op belongs on the matrix unit, which lacks the type.
    """
    made = lowered.made
    if not made:
        return "nothing is left of it"
    if any(each.op == tpu.LookupOp.name for each in made):
        return "looked up in a table"
    storages = frozenset[str]().union(*(each.storages for each in made))
    if not storages:
        bools = all(each.others == {"bool"} for each in made)
        return "of bools" if bools else "of integers"
    others = sorted(storages - {_STORAGE.get(quantize, quantize)})
    if others:
        words = f"computed in {', '.join(others)} between casts"
        return f"no {quantize} in the matrix unit: {words}" if missing else words
    return "part of the op before it" if lowered.joined else ""
