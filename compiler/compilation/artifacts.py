"""The files that a compilation leaves: IR of each level, calibration table, program; all or none."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.program import container
from ...backends.program.assemble import assemble
from ...dialects.ir.text.module_text import write_module
from ...passes.top.calibration_table import write_table
from .compilation import Compilation
from .pipelines import LEVELS, Level


class Artifacts:
    """Names and writes the files of one compilation.

    `program` is the path of the program file (m.smalti), `stages` what to write of the levels and
    "program". IR is named after the program: m.top.mlir, its weights m.top.safetensors. Everything is
    written to a temporary folder beside the program and moved when all is well, so a compilation that
    fails leaves the files of an earlier one as they were.
    """

    def __init__(self, program: Path, stages: Sequence[str]) -> None:
        self.program = program
        self.stages = tuple(stages)
        self.stem = program.name.removesuffix(".smalti")
        self._names: dict[str, str] = {}

    def paths(self) -> list[Path]:
        """Every file that `write` may write, the program first."""
        levels = [level for level in LEVELS if level in self.stages]
        names = [
            f"{self.stem}.{level}.{kind}" for level in levels for kind in ("mlir", "safetensors")
        ]
        names.append(f"{self.stem}.calibration.json")
        program = [self.program] if "program" in self.stages else []
        return program + [self.program.with_name(name) for name in names]

    def write(self, compilation: Compilation) -> dict[str, Path]:
        """Lowers as far as the stages ask, and returns the files written, by stage.

        Raises:
            DiagnosticError: no such folder, or whatever stops the compilation.
        """
        folder = self.program.parent
        if not folder.is_dir():
            raise DiagnosticError(
                f"no such folder: {folder}", hint="make it, or name another with -o"
            )
        if self.program.is_dir():
            raise DiagnosticError(f"{self.program} is a folder", hint="name a file with -o")
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{self.stem}.") as temporary:
            self._write_into(Path(temporary), compilation)
            for path in sorted(Path(temporary).iterdir()):
                path.replace(folder / path.name)
        return {stage: folder / name for stage, name in self._names.items()}

    def _write_into(self, folder: Path, compilation: Compilation) -> None:
        def write_level(level: Level, module: ModuleOp) -> None:
            if level in self.stages:
                self._names[level] = f"{self.stem}.{level}.mlir"
                write_module(module, folder / self._names[level], compilation.ctx)

        table = f"{self.stem}.calibration.json"
        compilation.calibration_table = str(self.program.parent / table)
        compilation.on_level = write_level
        compilation.keep_levels = False
        compilation.lower_to(_last_level(self.stages))
        if compilation.ranges is not None:
            self._names["calibration"] = table
            write_table(compilation.ranges, folder / table)
        if "program" in self.stages:
            self._names["program"] = self.program.name
            program = assemble(compilation.module, compilation.ctx)
            container.save(program, folder / self.program.name)


def _last_level(stages: Sequence[str]) -> Level:
    """The lowest level that has to be reached to write the stages."""
    if "program" in stages:
        return "isa"
    wanted: list[Level] = [level for level in LEVELS if level in stages]
    return wanted[-1]
