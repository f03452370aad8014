"""Options that IR has settled already where a compilation starts from it: they would do nothing, and are refused."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp, StringAttr

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.targets.target import load_target
from ...dialects import tile
from ...dialects.ir.context import SmaltiContext, report
from ...dialects.ir.target_attribute import TARGET_HASH, target_name_of
from ...dialects.level import Level
from ...passes.tile.order_engines import OrderEngines, has_addresses
from ...passes.tile.plan import Plan
from .compile_options import CompileOptions
from .pipelines import default_passes, level_of


def check_options(
    module: ModuleOp, options: CompileOptions, ctx: SmaltiContext, place: Place
) -> None:
    """Raise DiagnosticError if an option contradicts what IR has settled, or would do nothing; warn of tile IR whose
    steps will be ordered anew.
    """
    _refuse_settled_options(module, options, place)
    _refuse_past_passes(level_of(module), options, place)
    _refuse_order_of_ordered(module, options, place)
    if all(change.name != OrderEngines.name for change in options.pass_changes):
        _warn_of_new_order(module, ctx, place)


def _refuse_past_passes(level: Level, options: CompileOptions, place: Place) -> None:
    """Raise DiagnosticError if an option is about a pass that runs above the level of the IR, and would do nothing."""
    to_come = default_passes(level)
    anchors = [insertion.anchor for insertion in options.insertions if insertion.anchor]
    flags = [(change.name, change.flag) for change in options.pass_changes]
    for name, flag in [*flags, *((anchor, None) for anchor in anchors)]:
        if name not in to_come:
            which = f"pass '{name}'" if flag is None else f"pass '{name}', to which {flag} applies,"
            raise DiagnosticError(
                f"{which} does not run on {level} IR",
                place,
                hint="compile from a level above it, or leave the option out",
            )


def _refuse_order_of_ordered(module: ModuleOp, options: CompileOptions, place: Place) -> None:
    """Raise DiagnosticError if an option is about the order of steps that the IR has settled, and would do nothing."""
    asked = [
        change.flag or f"--set-pass {OrderEngines.name}"
        for change in options.pass_changes
        if change.name == OrderEngines.name and change.options is not None
    ]
    if not asked:
        return
    for program in module.ops:
        if not isinstance(program, tile.ProgramOp):
            continue
        if program.is_ordered:
            why, cure = "it is marked as `ordered`", "delete the word `ordered` in the IR"
        elif has_addresses(program):
            why, cure = "its buffers have addresses", "delete the addresses in the IR"
        else:
            continue
        raise DiagnosticError(
            f"pass '{OrderEngines.name}' leaves this program as it is, because {why}",
            place,
            hint=f"{cure}, or leave {asked[-1]} out",
        )


def _warn_of_new_order(module: ModuleOp, ctx: SmaltiContext, place: Place) -> None:
    """Warn of tile IR whose steps may be in an order that a person chose, and will be ordered anew."""
    for program in module.ops:
        if (
            isinstance(program, tile.ProgramOp)
            and not program.is_ordered
            and not has_addresses(program)
            and any(isinstance(op, tile.CoreOp) for op in program.body.block.ops)
        ):
            warning = Diagnostic(
                "warning",
                f"{OrderEngines.name} moves loads of this program to earlier places",
                place,
                hint=f"write `tile.program @{program.sym_name.data} ordered` to keep the order of the text",
            )
            report(ctx, warning)


def _refuse_settled_options(module: ModuleOp, options: CompileOptions, place: Place) -> None:
    """Raise DiagnosticError if an option asks for something that the IR has settled already.

    Below top these are the target and the types of numbers, the number of cores once the network is split over them,
    and how layers are carried out once they are tiled.
    """
    level = level_of(module)
    if level == "top":
        return
    settled: dict[str, object] = {
        "--quantize": options.quantize,
        "--scheme": options.scheme,
        "--qtable": options.qtable,
        "--calibration": options.calibration,
        **options.accuracy.flags,
    }
    if level == "isa" or any(isinstance(op, tile.AllocOp) for op in module.walk()):
        settled["--cores"] = options.cores
    if level in ("tile", "isa"):
        settled["--io-layout"] = options.io_layout
        settled["--io-quantized"] = options.io_quantized or None
    if level in ("tile", "isa") and not any(isinstance(op, tile.LayerOp) for op in module.walk()):
        settled["--schedule"] = options.schedule
        planning = [each for each in options.optimization.changes() if each.name == Plan.name]
        settled |= {each.flag: each for each in planning if each.flag is not None}
    for flag, value in settled.items():
        if value is not None:
            raise DiagnosticError(
                f"{flag} is settled in {level} IR and cannot be changed",
                place,
                hint=f"leave {flag} out, or compile again from the model or its top IR",
            )
    if options.target is not None:
        target = load_target(options.target)
        noted = module.attributes.get(TARGET_HASH)
        if not isinstance(noted, StringAttr) or noted.data != target.content_hash:
            raise DiagnosticError(
                f"the {level} IR is for target '{target_name_of(module)}', not for '{options.target}'",
                place,
                hint="leave --target out, or compile again from the model or its top IR",
            )
