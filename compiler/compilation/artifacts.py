"""Writes the files that a compilation leaves: IR of each level, calibration table, schedule, program; all or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.destination import is_device
from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.file_group import files_together
from ...backends.diagnostics.files import write_text
from ...backends.program import container
from ...backends.program.program import Program
from ...dialects.ir.text.module_text import write_module
from ...dialects.ir.text.program_note import note_program
from ...dialects.level import LEVELS, Level
from ...passes.top.calibration_table import SUFFIX
from ..calibration.samples import is_table, told_in_tables
from .compilation import Compilation
from .compile_options import CalibrationSource


class Artifacts:
    """Names and writes the files of one compilation.

    `program` is the path of the program file (m.smalti); `stages` says which to write: names of levels, "schedule"
    and "program". Files are named after the program: m.schedule, and m.top.mlir with weights in m.top.safetensors; IR
    notes the program's hash at its end. A compilation that fails leaves earlier files as they were.
    """

    def __init__(self, program: Path, stages: Sequence[str]) -> None:
        self.program = program
        self.stages = tuple(stages)
        self.stem = program.name.removesuffix(".smalti")
        self.built: Program | None = None
        """The program, once it is written."""
        self.table: str | None = None
        """The text of the calibration table, once one is written."""
        self._names: dict[str, str] = {}

    @property
    def last_level(self) -> Level:
        """The lowest level that the stages need."""
        if "program" in self.stages:
            return "isa"
        planned = ("tile",) if "schedule" in self.stages else ()
        wanted: list[Level] = [level for level in LEVELS if level in (*self.stages, *planned)]
        return wanted[-1]

    def paths(self, calibration: CalibrationSource | None) -> list[Path]:
        """Return every file that `write` may write, the program first.

        A table that is given as `calibration` is not written again.
        """
        levels = [level for level in LEVELS if level in self.stages]
        names = [
            f"{self.stem}.{level}.{kind}" for level in levels for kind in ("mlir", "safetensors")
        ]
        if calibration is not None and not is_table(calibration):
            names.append(f"{self.stem}{SUFFIX}")
        if "schedule" in self.stages:
            names.append(f"{self.stem}.schedule")
        program = [self.program] if "program" in self.stages else []
        if is_device(self.program):
            return program
        return program + [self.program.with_name(name) for name in names]

    def write(self, compilation: Compilation) -> dict[str, Path]:
        """Lower as far as the stages require, write their files, and return the paths by stage.

        Raises:
            DiagnosticError: if there is no such folder, or if the compilation fails.
        """
        if is_device(self.program):
            return self._write_program_alone(compilation)
        self._check_folder()
        with files_together(self.program) as temporary:
            self._write_into(temporary, compilation)
        return {stage: self.program.parent / name for stage, name in self._names.items()}

    def _check_folder(self) -> None:
        """Raise DiagnosticError if there is no such folder, or if the program's path is that of one."""
        folder = self.program.parent
        if not folder.is_dir():
            raise DiagnosticError(
                f"no such folder: {folder}", hint="make it, or name another with -o"
            )
        if self.program.is_dir():
            raise DiagnosticError(f"{self.program} is a folder", hint="name a file with -o")

    def can_write_of(self, program: Program, table: str | None, measures: bool) -> bool:
        """Tell whether all files can be written of a program that was compiled before, and of the `table` that was
        measured for it then; `measures`: whether a compilation writes one.
        """
        if "schedule" in self.stages and not program.schedule:
            return False
        is_there = table is not None or not measures
        return (
            is_there and not is_device(self.program) and {*self.stages} <= {"schedule", "program"}
        )

    def write_of(self, program: Program, table: str | None) -> dict[str, Path]:
        """Write the files of a program that was compiled before, for which `can_write_of` holds, and return the paths
        by stage. Raises DiagnosticError if they cannot be written.
        """
        self._check_folder()
        with files_together(self.program) as temporary:
            if table is not None:
                self._names["calibration"] = f"{self.stem}{SUFFIX}"
                write_text(temporary / self._names["calibration"], table)
            if "schedule" in self.stages:
                self._names["schedule"] = f"{self.stem}.schedule"
                write_text(temporary / self._names["schedule"], program.schedule)
            if "program" in self.stages:
                self._names["program"] = self.program.name
                self.built = program
                container.save(program, temporary / self.program.name)
        return {stage: self.program.parent / name for stage, name in self._names.items()}

    def _write_program_alone(self, compilation: Compilation) -> dict[str, Path]:
        """Write the program to a device, pipe or open descriptor, which can have no other files beside it."""
        if self.stages != ("program",):
            raise DiagnosticError(
                "other files are named after the program, which is no file here",
                Place(file=str(self.program)),
                hint="name a file with -o, or emit the program alone",
            )
        compilation.keep_levels = False
        self.built = compilation.compile()
        container.save(self.built, self.program)
        return {"program": self.program}

    def _write_into(self, folder: Path, compilation: Compilation) -> None:
        def write_level(level: Level, module: ModuleOp) -> None:
            if level in self.stages:
                self._names[level] = f"{self.stem}.{level}.mlir"
                write_module(module, folder / self._names[level], compilation.ctx)

        table = f"{self.stem}{SUFFIX}"
        compilation.calibration_table = str(self.program.parent / table)
        compilation.on_level = write_level
        compilation.keep_levels = False
        compilation.lower_to(self.last_level)
        if compilation.calibrated is not None:
            self._names["calibration"] = table
            source = compilation.options.calibration
            comments = [] if source is None else [told_in_tables(source)]
            self.table = str(replace(compilation.calibrated, comments=comments))
            write_text(folder / table, self.table)
        if "schedule" in self.stages:
            self._names["schedule"] = f"{self.stem}.schedule"
            write_text(folder / self._names["schedule"], str(compilation.schedule))
        if "program" in self.stages:
            levels = [folder / name for level, name in self._names.items() if level in LEVELS]
            self._names["program"] = self.program.name
            self.built = compilation.compile()
            container.save(self.built, folder / self.program.name)
            note_program(levels, container.program_hash(folder / self.program.name) or "")
