"""Reads and writes modules as text, with their weights beside them, and reports mistakes as diagnostics.

On top of xDSL's parser and printer this reads location aliases that stand at the end of a file (as mlir-opt prints
them), keeps special floats intact in `dense<>` and `array<>` (xDSL reads MLIR's hexadecimal floats there as integers),
and reports errors with file, line and column.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.utils.exceptions import ParseError, VerifyException

from ....backends.diagnostics.destination import is_device
from ....backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ....backends.diagnostics.file_group import files_together
from ....backends.diagnostics.files import (
    read_text,
    write_atomically,
    write_bytes_atomically,
    write_text,
)
from ....backends.diagnostics.plugin_fault import plugin_frame
from ..context import SmaltiContext, print_diagnostic, weights_of
from ..location import place_of
from ..source_text import SourceText
from ..verifier import Verifier
from ..weights import keys_used
from .alias_definition import hoist_aliases
from .carried_weights import CARRIED_LIMIT_BYTES, carried_text, take_carried
from .explanation import explain_parse_error, explain_wrong_op
from .file_metadata import take_metadata
from .parser import SmaltiParser
from .printer import SmaltiPrinter
from .value_users import user_comments

__all__ = [
    "carry_weights",
    "open_weights",
    "parse_module",
    "print_module",
    "read_module",
    "read_text",
    "save_changed_weights",
    "verify",
    "weights_left_out",
    "write_atomically",
    "write_bytes_atomically",
    "write_module",
    "write_text",
]

WEIGHTS = "smalti.weights"
"""Module attribute: path of the weight file, relative to the IR file."""
WEIGHTS_HASH = "smalti.weights_hash"
"""Module attribute: the hash of the tensors in the weight file, which carries it, too."""
_SHOWN_CHARACTERS = 400


def parse_module(
    text: str,
    ctx: SmaltiContext,
    file: str | None = None,
    *,
    check: bool = True,
    first_line: int = 1,
) -> ModuleOp:
    """Read a module from text, open its weight file into `ctx`, and verify it (unless `check` is False).

    `file` is the name of the text in messages, and the weights are looked for beside it (in the current folder if None
    or "<stdin>"); `first_line` is the number of the text's first line in that file. Raises DiagnosticError if anything
    is wrong with the text, the IR in it or the weight file.
    """
    name = file or "<text>"
    text, external = take_metadata(SourceText(text, name, first_line))
    source = hoist_aliases(SourceText(text, name, first_line))
    parser = SmaltiParser(ctx, source)
    try:
        module = parser.parse_module()
    except ParseError as error:
        raise explain_parse_error(error.msg.strip(), error.span.start, parser) from None
    except Exception as error:
        if _is_of_plugin(error):
            raise
        # xDSL's parser fails in many ways on bad text (assertions, overflows, lookups): all are the
        # text's fault.
        raise explain_parse_error(_reason(error), parser.pos, parser) from None
    open_weights(module, ctx, file)
    take_carried(external, ctx.weights, name)
    if check:
        verify(module, place_of=parser.place_of)
    return module


def _is_of_plugin(error: Exception) -> bool:
    """Tell whether a plugin's own code, and not the parser that it calls, raised an error that says nothing of the
    text.
    """
    if isinstance(error, VerifyException):
        return False
    frame = plugin_frame(error.__traceback__)
    return frame is not None and not frame.calls_library


def _reason(error: Exception) -> str:
    """Return in a user's words what an exception of xDSL's parser says."""
    if isinstance(error, RecursionError):
        return "nested too deeply to be read"
    if isinstance(error, VerifyException):
        return str(error)
    return f"not valid here: {error}" if str(error) else "not valid here"


def read_module(path: str | Path, ctx: SmaltiContext) -> ModuleOp:
    """Read and verify the module in a file, with its weights. Raises DiagnosticError as `parse_module` does, and if the
    file cannot be read.
    """
    return parse_module(read_text(path), ctx, str(path))


def open_weights(module: ModuleOp, ctx: Context, file: str | None = None) -> None:
    """Open the weight file that the module names, which must lie in or below the folder of the IR file (the current
    folder if None or "<stdin>").

    Raises DiagnosticError if the path leaves the folder, or if the file is not a weight file.
    """
    named = module.attributes.get(WEIGHTS)
    if named is None:
        return
    place = place_of(module)
    place = place if place.line is not None else Place(file=file or "<text>")
    if not isinstance(named, StringAttr):
        raise DiagnosticError(f"attribute '{WEIGHTS}' is not a string", place)
    folder = Path(file).parent if file and file != "<stdin>" else Path()
    path = folder / named.data
    if "\0" in named.data:
        raise DiagnosticError(
            f"weight file {named.data!r} has a name that no file can have",
            place,
            hint="keep the weights beside the IR, and name them by a relative path",
        )
    # Unlike Path.resolve, realpath does not mind links in a circle: opening the file tells of them.
    real = Path(os.path.realpath(path))
    if Path(named.data).is_absolute() or not real.is_relative_to(os.path.realpath(folder)):
        raise DiagnosticError(
            f"weight file '{named.data}' is outside the folder of the IR file",
            place,
            hint="keep the weights beside the IR, and name them by a relative path",
        )
    weights_of(ctx).open(path)
    _check_weights_hash(module, path, ctx, place)


class PrintOptions(TypedDict, total=False):
    """How IR is printed.

    `generic`: in MLIR's generic form. `positions`: print for each op without a location where it was read. `aliases`:
    print short names for long types that come often (on unless False). `elide_above`: leave out the elements of
    constants that have more than this many; such text cannot be read back. `comments`: the comments to write after ops.
    `unique_ids`: give no two values the same name. `users`: write beside each value which ops use it. `pretty`: print
    locations for people; such text cannot be read back.
    """

    generic: bool
    positions: bool
    aliases: bool
    elide_above: int | None
    comments: Mapping[Operation, str]
    unique_ids: bool
    users: bool
    pretty: bool


def print_module(
    module: ModuleOp, *, debug_info: bool = True, **options: Unpack[PrintOptions]
) -> str:
    """Return the text of a module, with a newline at its end; `debug_info` prints locations."""
    comments, blocks = dict(options.get("comments", {})), {}
    if options.get("users", False):
        # The names of users that come later are known once the module has been printed.
        named = _printer(io.StringIO(), debug_info=False, **options)
        named.print_op(module)
        users, blocks = user_comments(module, named.names)
        comments |= {
            op: f"{comments[op]}; {text}" if op in comments else text for op, text in users.items()
        }
    stream = io.StringIO()
    printer = _printer(stream, debug_info=debug_info, **options)
    printer.comments, printer.block_comments = comments, blocks
    if options.get("aliases", True):
        printer.print_aliases(module)
    printer.print_op(module)
    return f"{stream.getvalue()}\n"


def _printer(
    stream: io.StringIO, *, debug_info: bool, **options: Unpack[PrintOptions]
) -> SmaltiPrinter:
    generic = options.get("generic", False)
    printer = SmaltiPrinter(stream=stream, print_generic_format=generic, print_debuginfo=debug_info)
    printer.print_positions = options.get("positions", False)
    printer.elide_above = options.get("elide_above")
    printer.unique_ids = options.get("unique_ids", False)
    printer.pretty_locations = options.get("pretty", False)
    return printer


def write_module(
    module: ModuleOp, path: str | Path, ctx: SmaltiContext, **options: Unpack[PrintOptions]
) -> None:
    """Write a module with locations to `path`, and the weights that it names to a .safetensors file beside it.

    The weight file is named after the IR file (m.top.mlir → m.top.safetensors) and noted in `smalti.weights`. A module
    whose weights are already in a file beside `path`, unchanged, keeps that file. Through a pipe the weights go with
    the text; a terminal or /dev/null takes the text alone. Raises DiagnosticError if writing fails: both files are as
    they were then.
    """
    path = Path(path)
    keys = keys_used(module.walk())
    carried = ""
    if is_device(path):
        if not stat.S_ISCHR(os.stat(path).st_mode):
            carried = carry_weights(module, ctx, same_folder=False)
    elif keys and not _has_weights_beside(module, path, ctx, keys):
        _write_with_weights(module, path, ctx, keys, options)
        return
    write_text(path, print_module(module, **options) + carried)


def _write_with_weights(
    module: ModuleOp, path: Path, ctx: SmaltiContext, keys: list[str], options: PrintOptions
) -> None:
    """Write a module and the weights that it names, together."""
    weights = path.with_suffix(".safetensors")
    with files_together(path) as folder:
        digest = ctx.weights.write(folder / weights.name, keys)
        _note_weights(module, weights.name, digest)
        write_text(folder / path.name, print_module(module, **options))
    ctx.weights.note_file(weights, keys, digest)


def _note_weights(module: ModuleOp, name: str, digest: str) -> None:
    """Note in the module the name of its weight file and the hash of the tensors in it."""
    module.attributes[WEIGHTS] = StringAttr(name)
    module.attributes[WEIGHTS_HASH] = StringAttr(digest)
    module.attributes = dict(sorted(module.attributes.items()))


def _check_weights_hash(module: ModuleOp, path: Path, ctx: Context, place: Place) -> None:
    """Raise DiagnosticError if a weight file is of another compilation than the IR.

    Files that carry no hash, such as those of other tools, are taken as they are.
    """
    noted, found = module.attributes.get(WEIGHTS_HASH), weights_of(ctx).hash_of(path)
    if isinstance(noted, StringAttr) and found is not None and noted.data != found:
        raise DiagnosticError(
            f"the weight file '{path.name}' does not belong to this IR: the IR was written with {noted.data}, "
            f"the file holds {found}",
            place,
            hint=f"compile again, so that both are written together, or delete '{WEIGHTS_HASH}' from the IR "
            "if these weights are meant",
        )


def _has_weights_beside(module: ModuleOp, path: Path, ctx: SmaltiContext, keys: list[str]) -> bool:
    named = module.attributes.get(WEIGHTS)
    if not isinstance(named, StringAttr):
        return False
    return ctx.weights.holds(path.parent / named.data, keys)


def save_changed_weights(module: ModuleOp, ctx: SmaltiContext, file: str | Path) -> None:
    """Write the weights of a module that goes to a stream to `file`, and note that file in the module.

    If the module names no weights that were added since its file was opened, this does nothing.
    """
    keys = keys_used(module.walk())
    if ctx.weights.added(keys):
        ctx.weights.save(file, keys)
        _note_weights(module, Path(file).name, ctx.weights.hash_of(file) or "")


def carry_weights(module: ModuleOp, ctx: SmaltiContext, *, same_folder: bool) -> str:
    """Make a module that goes to a stream readable from the current folder.

    Returns what to write after its text: the weights, or nothing if they are all in a file that the module can name.
    A file below the current folder can be named if the text will be read there (`same_folder`). Warns of weights that
    are too large to be carried.
    """
    store = ctx.weights
    keys = [key for key in keys_used(module.walk()) if key in store]
    named, file = module.attributes.get(WEIGHTS), store.file_of(keys)
    if not keys or (isinstance(named, StringAttr) and Path(named.data).resolve() == file):
        return ""
    if same_folder and file is not None and file.is_relative_to(Path.cwd().resolve()):
        module.attributes[WEIGHTS] = StringAttr(file.relative_to(Path.cwd().resolve()).as_posix())
        return ""
    size = store.size_bytes(keys)
    if size > CARRIED_LIMIT_BYTES:
        why = f"the weights have {size:,} bytes, the text of IR carries at most {CARRIED_LIMIT_BYTES:,}"
        print_diagnostic(weights_left_out(why))
        return ""
    module.attributes = {
        name: value
        for name, value in module.attributes.items()
        if name not in (WEIGHTS, WEIGHTS_HASH)
    }
    return carried_text(store, keys)


def weights_left_out(why: str) -> Diagnostic:
    """Return the warning about a text that names weights which are in no file."""
    return Diagnostic(
        "warning",
        f"{why}: the text is without them",
        hint="write them with --weights-out FILE, or the IR to a file with -o",
    )


def verify(
    module: ModuleOp,
    *,
    place_of: Callable[[Operation], Place] = place_of,
    verifier: Verifier | None = None,
) -> None:
    """Check every op, the order of ops, and that names are unique.

    `verifier` is one that may have verified the module before; it then leaves out the ops that have not changed since.
    Raises DiagnosticError about the first op that is wrong, at its place in the text that was read, if there is one,
    else with the names of its ONNX nodes.
    """
    wrong = (verifier or Verifier()).first_error(module)
    if wrong is not None:
        error = explain_wrong_op(*wrong, place_of)
        error.notes = [*error.notes, current_operation(wrong[0])]
        raise error


def current_operation(op: Operation) -> str:
    """Return a note that shows an op between its neighbors, each as one line of text, cut where it is long."""
    printer = SmaltiPrinter(stream=io.StringIO())
    shown = [("  ", op.prev_op), ("> ", op), ("  ", op.next_op)]
    lines = [f"    {mark}{_one_line(each, printer)}" for mark, each in shown if each is not None]
    return "\n".join(["see current operation:", *lines])


def _one_line(op: Operation, printer: SmaltiPrinter) -> str:
    """Return the first line of the op's text, cut if it is long; the rest of a module's text is left out."""
    shown = op.clone_without_regions() if op.regions else op
    line = op.name
    # An op that does not verify may be printable in the generic form only, or not at all.
    for generic in (False, True):
        printer.stream = io.StringIO()
        printer.print_generic_format = generic
        with contextlib.suppress(Exception):
            printer.print_op(shown)
            line = printer.stream.getvalue().partition("\n")[0]
            break
    if shown is not op:
        shown.erase()
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…"
