"""Shows what `tile-plan` decides about layers, among which candidates, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ...backends.diagnostics.files import write_text
from ...dialects import tile
from ...dialects.ir.location import names_of, place_of
from ...passes.instrument import PassInstrument
from ...passes.tile.cut_to_local_memory import CutToLocalMemory
from ...passes.tile.network_schedule import layers_of, names_meant
from ...passes.tile.plan import Plan
from ...passes.tile.planning.decisions import LayerDecisions, PlanTrace
from ...passes.tile.planning.plan_recorder import PlanRecorder
from .plan_explanation import explanation, explanation_of_plans

_FLAG = "--explain-plan"


class PlanTracing(PassInstrument):
    """Takes down the decisions of `tile-plan` in `trace`.

    They are written to `file` as JSON, and those about the layers that `nodes` names are explained on `stream`. Names
    are those of layers or of ONNX nodes, or globs of them.
    """

    def __init__(
        self, nodes: Sequence[str] = (), file: Path | None = None, stream: TextIO | None = None
    ) -> None:
        self.nodes = tuple(nodes)
        self.file = file
        self.stream = stream
        self.trace: PlanTrace | None = None
        self._recorder: PlanRecorder | None = None
        self._traced: ModuleOp | None = None

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        if any(isinstance(each, Plan) for each in passes):
            _check_not_planned(module)

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        if not isinstance(each, Plan):
            return
        check_names(self.nodes, module)
        if self.file is not None and self._traced not in (None, module):
            raise DiagnosticError(
                "there are several programs, and a trace has the decisions about one",
                Place(file=str(self.file)),
                hint="leave --split-input-file or --plan-trace out",
            )
        self._traced = module
        self._recorder = PlanRecorder(keeps_on_chip=each.on_chip)
        each.record(self._recorder)

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        if isinstance(each, Plan) and self._recorder is not None:
            self.trace, self._recorder = self._recorder.trace, None
            if self.trace is not None and self.file is not None:
                write_text(self.file, self.trace.json())
            if self.trace is not None and self.stream is not None and self.nodes:
                self.stream.write(explain(self.trace, self.nodes))


def _check_not_planned(module: ModuleOp) -> None:
    """Raise DiagnosticError if a program has no layers any more, so that nothing is left to plan."""
    for program in module.ops:
        if isinstance(program, tile.ProgramOp) and not layers_of(program):
            raise DiagnosticError(
                "planning is done already: the program has no layers, only what they became, so that there are no "
                "decisions to show",
                place_of(program),
                hint="start from the model, from its IR of level top or tpu, or from tile IR before "
                f"{CutToLocalMemory.name}",
            )


def check_planned(passes: Sequence[ModulePass]) -> None:
    """Raise DiagnosticError if none of the passes plans layers, so that there would be nothing to show."""
    if not any(isinstance(each, Plan) for each in passes):
        raise DiagnosticError(
            f"pass '{Plan.name}' does not run, so that there are no decisions to show",
            hint=f"leave {_FLAG} and --plan-trace out, or compile down to level tile from the model or its IR",
        )


def check_names(nodes: Sequence[str], module: ModuleOp) -> None:
    """Raise DiagnosticError if a name means no layer of a tile program."""
    layers = layers_of(tile.program_of(module))
    names = {op.tpu_name or "": tuple(names_of(op.location)) for op in layers}
    for node in nodes:
        _meant(node, names)


def explain(trace: PlanTrace, nodes: Sequence[str]) -> str:
    """Return the explanations of the layers that the names mean, in the order of layers.

    Raises DiagnosticError if a name means none.
    """
    names = {layer.name: layer.nodes for layer in trace}
    chosen = {name for node in nodes for name in _meant(node, names)}
    layers = "\n".join(_text(layer) for layer in trace if layer.name in chosen)
    return "".join(f"{line}\n" for line in explanation_of_plans(trace.plans)) + layers


def _text(layer: LayerDecisions) -> str:
    return "".join(f"{line}\n" for line in explanation(layer))


def _meant(node: str, names: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the names of the layers that a name means: those that have it or match it, or stem from nodes that do."""
    if node in names:
        return [node]
    stems = {stem for stems in names.values() for stem in stems}
    meant = {*names_meant(node, names), *names_meant(node, stems)}
    found = [name for name, stems in names.items() if not meant.isdisjoint((name, *stems))]
    if found:
        return found
    raise DiagnosticError(
        f"no layer, and no ONNX node of one, has the name '{node}' or matches it",
        Place(name=_FLAG),
        hint=did_you_mean(node, [*names, *sorted(stems)])
        or "smalti compile --emit schedule writes the names of all layers",
    )
