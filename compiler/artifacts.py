"""The files that a compilation leaves: IR of each level, calibration table, program; written as they come, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from ..backends.program.assemble import assemble
from ..dialects.diagnostic import DiagnosticError
from ..dialects.text import write_module
from .compilation import Compilation
from .pipelines import LEVELS, Level


class Artifacts:
    """Names and writes the files of one compilation; `program` is the path of the program file, `stages` what to write."""

    def __init__(self, program: Path, stages: Sequence[str]) -> None:
        self.program = program
        self.stages = tuple(stages)
        self.stem = program.name.removesuffix(".smalti")
        self.files: dict[str, Path] = {}

    def path_of(self, level: str) -> Path:
        """m.smalti → m.top.mlir and so on."""
        return self.program.with_name(f"{self.stem}.{level}.mlir")

    def write(self, compilation: Compilation) -> dict[str, Path]:
        """Lowers as far as the stages ask, writes them, and returns their files by stage.

        Files that were written are taken away again if a later step fails.
        """
        last = _last_level(self.stages)
        if not self.program.parent.is_dir():
            raise DiagnosticError(f"no such folder: {self.program.parent}", hint="make it, or name another with -o")
        compilation.calibration_table = self.program.with_name(f"{self.stem}.calibration.json")
        compilation.on_level = lambda level, module: self._write_level(level, module, compilation)
        try:
            compilation.lower_to(last)
            if compilation.calibration_table.exists() and "top-annotate" in ",".join(compilation.pipeline):
                self.files["calibration"] = compilation.calibration_table
            if "program" in self.stages:
                assemble(compilation.module, compilation.ctx).save(self.program)
                self.files["program"] = self.program
        except BaseException:
            for path in self.files.values():
                path.unlink(missing_ok=True)
            raise
        return self.files

    def _write_level(self, level: Level, module: ModuleOp, compilation: Compilation) -> None:
        if level in self.stages:
            path = self.path_of(level)
            write_module(module, path, compilation.ctx)
            self.files[level] = path


def _last_level(stages: Sequence[str]) -> Level:
    """The lowest level that has to be reached to write the stages."""
    if "program" in stages:
        return "isa"
    return max((level for level in LEVELS if level in stages), key=LEVELS.index)
