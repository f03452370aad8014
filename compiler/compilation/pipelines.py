"""The pipelines: which passes take IR from one level to the next, as the text that `smalti-opt` reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict, Unpack

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ...dialects.ir.location import place_of
from ...dialects.ir.target_attribute import target_name_of
from ...dialects.level import LEVELS, Level
from ...passes.registry import get_pass, parse_pipeline
from ...passes.tile.set_schedules import SetSchedules
from ...passes.tpu.quantize_ports import QuantizePorts
from ...passes.tpu.set_port_layouts import SetPortLayouts

_QUOTABLE = re.compile(r'[^"\\\n\r]*')


class Settings(TypedDict):
    """The options of a pipeline's passes.

    `target`: what `load_target` takes. `quantize`: one of `QUANTIZE`. `cores`: how many of the target's cores to use;
    None, or left out, for all. `schedule`: the file of a schedule, which the layers are to have; None, or left out, for
    none. `io_layout`: one of `LAYOUTS` for inputs and outputs; None, or left out, for what the IR states.
    `io_quantized`: whether the host casts inputs and outputs. `scheme`: the name of a scheme; None, or left out, for
    what `quantize` says. `qtable`: the file of a qtable; None, or left out, for none.
    """

    target: str
    quantize: str
    cores: NotRequired[int | None]
    schedule: NotRequired[str | None]
    io_layout: NotRequired[str | None]
    io_quantized: NotRequired[bool]
    scheme: NotRequired[str | None]
    qtable: NotRequired[str | None]


def level_of(module: ModuleOp) -> Level:
    """Return the lowest level that the module's ops belong to; casts and functions belong to no level.

    A function without ops (a network whose outputs are its inputs) is tpu IR if the module names a target, else top IR.

    Raises:
        DiagnosticError: if the module holds no op of Smalti.
    """
    found = {_dialect_of(op) for op in module.ops}
    for op in module.ops:
        if isinstance(op, func.FuncOp):
            found.update(_dialect_of(inner) for block in op.body.blocks for inner in block.ops)
    levels: list[Level] = [level for level in LEVELS if level in found]
    if not levels and "func" in found:
        return "top" if target_name_of(module) is None else "tpu"
    if not levels:
        raise DiagnosticError(
            "the module holds no op of top, tpu, tile or isa",
            place_of(module),
            hint="give a file that smalti wrote, or a func.func of top ops",
        )
    return levels[-1]


def _dialect_of(op: Operation) -> str:
    """Return the name of an op's dialect; for an op of a plugin that of the level whose base it has."""
    name = op.name.partition(".")[0]
    if name in (*LEVELS, "builtin", "func"):
        return name
    from ...dialects.top.top_op import TopOp
    from ...dialects.tpu import TpuOp

    return "top" if isinstance(op, TopOp) else "tpu" if isinstance(op, TpuOp) else name


def _option(name: str, value: str | int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and not _QUOTABLE.fullmatch(value):
        raise DiagnosticError(
            f"the {name} {value!r} has a character that the text of a pipeline cannot hold",
            hint="rename the file or folder: no quotation marks, backslashes or line breaks",
        )
    return f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}"


def _options(**values: str | int | None) -> str:
    texts = [_option(name.replace("_", "-"), value) for name, value in values.items()]
    present = " ".join(text for text in texts if text)
    return f"{{{present}}}" if present else ""


def pass_text(name: str, **options: str | int | None) -> str:
    """Return a pass and its options as pipeline text; an option that is None is left out.

    Raises DiagnosticError if text cannot hold a value.
    """
    return name + _options(**options)


def passes_of(level: Level, **settings: Unpack[Settings]) -> list[str]:
    """Return the passes that work within a level, in order, each as pipeline text.

    Run again on their own result they change nothing, so the pipeline can be run on IR that was edited by hand after
    any of them.
    """
    cores, schedule = settings.get("cores"), settings.get("schedule")
    layout = settings.get("io_layout")
    within: dict[Level, list[str]] = {
        "top": [
            "top-unroll-recurrence",
            "top-fold-shapes",
            "top-fold-movement",
            "top-fold-batch-norm",
            "top-recognize-normalization",
            "top-recognize-activations",
            "canonicalize",
            "cse",
        ],
        "tpu": [
            "tpu-hoist-quantization",
            "tpu-fuse-lookup",
            "tpu-fuse-activation",
            "tpu-fuse-residual",
            "tpu-fuse-activation",
            "tpu-fuse-requantize",
            "tpu-narrow-floats",
            "tpu-legalize-types",
            "canonicalize",
            "cse",
            *([QuantizePorts.name] if settings.get("io_quantized") else []),
            *([] if layout is None else [pass_text(SetPortLayouts.name, layout=layout)]),
        ],
        "tile": [
            *([] if schedule is None else [pass_text(SetSchedules.name, file=schedule)]),
            f"tile-plan{_options(cores=cores)}",
            "tile-slice-groups",
            f"tile-split-over-cores{_options(cores=cores)}",
            "tile-cut-to-local-memory",
            "tile-order-engines",
            "tile-assign-addresses",
        ],
        "isa": [],
    }  # fmt: skip
    return within[level]


def passes_into(level: Level, **settings: Unpack[Settings]) -> list[str]:
    """Return the passes from the level above into `level` and through it, each as pipeline text."""
    numbers = {name: settings.get(name) for name in ("target", "quantize", "scheme", "qtable")}
    enter: dict[Level, str] = {
        "tpu": f"convert-top-to-tpu{_options(**numbers)}",
        "tile": "convert-tpu-to-tile",
        "isa": "convert-tile-to-isa",
    }
    return [enter[level], *passes_of(level, **settings)]


def default_passes(first: Level = "top") -> dict[str, str]:
    """Return the passes of the default pipeline from a level on, by name, as pipeline text."""
    texts = passes_of(first, target="default-8c", quantize="int8")
    for level in LEVELS[LEVELS.index(first) + 1 :]:
        texts += passes_into(level, target="default-8c", quantize="int8")
    return {text.partition("{")[0]: text for text in texts}


def default_pass(name: str, place: Place) -> str:
    """Return a pass of the default pipeline as text. Raises DiagnosticError if there is none of this name."""
    known = default_passes()
    if name in known:
        return known[name]
    get_pass(name)
    raise DiagnosticError(
        f"pass '{name}' is not in the default pipeline",
        place,
        hint=did_you_mean(name, known) or "smalti compile --print-pipeline shows what is",
    )


@dataclass(frozen=True)
class Insertion:
    """A user's own passes, as pipeline text, for a place in the default pipeline.

    `where`: the name of a level (the passes go to its end), "before=PASS" or "after=PASS".
    """

    where: str
    passes: str

    @staticmethod
    def parse(text: str) -> Insertion:
        """Parse `LEVEL:PASSES`, `before=PASS:PASSES` or `after=PASS:PASSES`.

        Raises:
            DiagnosticError: if the text has another form, a level or pass is unknown, or the passes do not parse.
        """
        where, colon, passes = text.partition(":")
        side, equals, anchor = where.partition("=")
        place = Place(name=f"--insert-pass {text}")
        if not colon or (equals and side not in ("before", "after")):
            raise DiagnosticError(
                "this says no place and passes",
                place,
                hint="write LEVEL:PASS{...}, before=PASS:PASS{...} or after=PASS:PASS{...}",
            )
        if equals:
            default_pass(anchor, place)
        if not equals and where not in LEVELS:
            raise DiagnosticError(
                f"there is no level '{where}'",
                place,
                hint=did_you_mean(where, LEVELS) or f"the levels are {', '.join(LEVELS)}",
            )
        parse_pipeline(passes)
        return Insertion(where, passes)

    @property
    def anchor(self) -> str:
        """The pass of the default pipeline beside which the user's stand; "" if they stand at the end of a level."""
        return self.where.partition("=")[2]

    def into(self, texts: Sequence[str], level: Level) -> list[str] | None:
        """Return `texts`, the passes of `level`, with the user's among them; None if the user's belong elsewhere."""
        if self.where == level:
            return [*texts, self.passes]
        side, _, anchor = self.where.partition("=")
        for index, text in enumerate(texts):
            if text.partition("{")[0] == anchor:
                at = index if side == "before" else index + 1
                return [*texts[:at], self.passes, *texts[at:]]
        return None
