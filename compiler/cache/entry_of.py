"""The entry of a compilation in a folder of programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ..compilation.compile_options import CompileOptions
from .content import UnknownContentError
from .program_cache import DEFAULT_LIMIT_BYTES, Entry, ProgramCache, Tell, keep_nowhere
from .program_key import program_key

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class CacheOptions:
    """Where programs are kept, and how many bytes they may take together, the least recently used removed first."""

    folder: Path
    limit_bytes: int = DEFAULT_LIMIT_BYTES


@contextmanager
def entry_of(
    model: str | Path | ModelProto,
    options: CompileOptions,
    sizes: Mapping[str, object],
    cache: CacheOptions | None,
    tell: Tell,
) -> Iterator[Entry]:
    """Yield the entry of a compilation, an empty one that keeps nothing if there is no cache, or if nobody can tell the
    content of an option. `sizes` as `start_from_model` takes them; `tell` gets warnings and remarks.

    Raises DiagnosticError if the model or a file that the options name cannot be read, or if the model is IR.
    """
    if cache is None:
        yield Entry(None, keep_nowhere)
        return
    if isinstance(model, str | Path) and Path(model).suffix == ".mlir":
        raise DiagnosticError(
            "programs of IR are not kept in a cache",
            Place(file=str(model)),
            hint="leave --cache out, or compile the ONNX model",
        )
    try:
        key = program_key(model, options, sizes)
    except UnknownContentError as error:
        message = f"nothing is kept in the cache: nobody can tell the content of {error}"
        tell(Diagnostic("warning", message, Place(file=str(cache.folder))))
        yield Entry(None, keep_nowhere)
        return
    with ProgramCache(cache.folder, tell, cache.limit_bytes).entry(key) as entry:
        yield entry
