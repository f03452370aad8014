"""What the debugging tools try out: a network or a program, and passes to run on it.

Each trial works on copies: neither the module nor its weights ever change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.file_group import files_together
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.text.module_text import read_module, write_bytes_atomically, write_module
from ...passes.pipeline import run_pipeline
from ...passes.registry import parse_pipeline
from ...passes.rewrite_counter import RewriteCounter, counting
from ..inputs.arrays import write_npz

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class Experiment(ABC):
    """A start, and the passes to run on it, each as the text that `smalti-opt` reads."""

    passes: tuple[str, ...]
    counter: RewriteCounter | None = field(default=None, kw_only=True)
    """Counts, and limits, the rewrites of the last pass."""

    @abstractmethod
    def start(self) -> tuple[ModuleOp, SmaltiContext]:
        """Return a copy of the IR that the passes start from, with its weights; raises what its reader raises."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write the start to a file, whole or not at all."""

    def save_with_inputs(self, path: Path, inputs: Mapping[str, np.ndarray]) -> Path:
        """Write the start to a file and arrays by input name to an .npz beside it, both or neither; return its path.

        Raises DiagnosticError if they cannot be written.
        """
        values = path.with_suffix(".npz")
        with files_together(path) as folder:
            self.save(folder / path.name)
            write_npz(folder / values.name, inputs)
        return values

    def finish(self) -> tuple[ModuleOp, SmaltiContext]:
        """Return the IR after all passes, verified after each; raises what a pass raises."""
        module, ctx = self.start()
        self.run_passes(module, ctx, 0, len(self.passes))
        return module, ctx

    def run_passes(self, module: ModuleOp, ctx: SmaltiContext, begin: int, end: int) -> None:
        """Run the passes from number `begin` up to `end`, in place, after those before them; raises as they do."""
        passes = parse_pipeline(",".join(self.passes[begin:end]))
        if self.counter is None or end < len(self.passes):
            run_pipeline(ctx, module, passes)
            return
        run_pipeline(ctx, module, passes[:-1])
        self.counter.done.clear()
        with counting(self.counter):
            run_pipeline(ctx, module, passes[-1:])

    def write_result(self, folder: Path) -> Path:
        """Write the IR after all passes to a file in `folder`, and return its path."""
        path = folder / "candidate.mlir"
        module, ctx = self.finish()
        write_module(module, path, ctx)
        return path

    def with_counter(self, counter: RewriteCounter) -> Self:
        """Return the same experiment, in which the last pass counts its rewrites."""
        return replace(self, counter=counter)

    def with_passes(self, passes: Sequence[str]) -> Self:
        """Return the same start with other passes."""
        return replace(self, passes=tuple(passes))


@dataclass(frozen=True)
class IrExperiment(Experiment):
    """Starts from IR of any level."""

    module: ModuleOp
    ctx: SmaltiContext

    @staticmethod
    def read(path: str | Path, ctx: SmaltiContext, passes: Sequence[str]) -> IrExperiment:
        """Return the experiment on an IR file.

        Raises DiagnosticError if the file cannot be read.
        """
        return IrExperiment(tuple(passes), read_module(path, ctx), ctx)

    def start(self) -> tuple[ModuleOp, SmaltiContext]:
        return self.module.clone(), self.ctx.fork()

    def save(self, path: Path) -> None:
        write_module(self.module.clone(), path, self.ctx.fork())


@dataclass(frozen=True)
class OnnxExperiment(Experiment):
    """Starts from an ONNX model, which is imported each time: the importer is under trial too."""

    model: ModelProto

    def start(self) -> tuple[ModuleOp, SmaltiContext]:
        from ...dialects.context import make_context
        from ..onnx_import.importer import import_onnx

        ctx = make_context()
        return import_onnx(self.model, ctx), ctx

    def save(self, path: Path) -> None:
        write_bytes_atomically(path, self.model.SerializeToString())

    def write_result(self, folder: Path) -> Path:
        if self.passes:
            return super().write_result(folder)
        path = folder / "candidate.onnx"
        self.save(path)
        return path
