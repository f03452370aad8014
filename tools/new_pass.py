"""`python -m smalti.tools.new_pass NAME --level tile`: a new pass, its registration, its golden test."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .command_line import EXIT_FINE, guarded

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class _Sample:
    """What the scaffold of a level starts from: an op to match, its import, and IR that has it."""

    op: str
    imports: str
    ir: str


_SAMPLES = {
    "top": _Sample(
        "top.ReluOp",
        "from ...dialects import top",
        """\
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %y = top.relu "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %y : tensor<1x4xf32>
}
""",
    ),
    "tpu": _Sample(
        "tpu.ClampOp",
        "from ...dialects import tpu",
        """\
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %y = tpu.clamp "y" %x clamp_low = 0.0 : (tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %y : tensor<1x4xf32>
}
""",
    ),
    "tile": _Sample(
        "tile.FillOp",
        "from ...dialects import tile",
        """\
tile.program @main {
  %x = tile.alloc core 0 : memref<16xi8, "local">
  tile.fill core 0 -> %x value = 0.0 : memref<16xi8, "local">
}
""",
    ),
    "isa": _Sample(
        "isa.ProgramOp",
        "from ...dialects import isa",
        """\
isa.program @main target("default-8c", "{hash}") counters(0)
    segments(weights = 0, input = 0, output = 0, scratch = 0)
    inputs()
    outputs() {
  isa.stream core(0) local(64) acc(0) {
    d0: fill dst=0x0, count=16, type=i8
  }
}
""",
    ),
}

_PASS = '''\
"""`{name}`: TODO: what the pass does, in a line.

Before:

{ir}
After: the same; the pattern below matches and changes nothing yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

{imports}
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass


class {pattern}(RewritePattern):
    """TODO: what is matched ⇒ what it becomes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: {op}, rewriter: PatternRewriter, /) -> None:
        # Guard clauses first; then rewriter.replace(op, new_op). Locations are carried along.
        return


@dataclass(frozen=True)
class {cls}(SmaltiPass):
    """TODO: what the pass does, as an order."""

    name = "{name}"
    level: ClassVar[Level] = "{level}"
    counts: ClassVar[Mapping[str, str]] = pattern_counts({pattern})

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [{pattern}()])
'''

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


def scaffold(name: str, level: str, root: Path = ROOT) -> list[Path]:
    """Writes the three places of pass `name` below `root`; the files written.

    Raises:
        DiagnosticError: a name that is none or is taken, or a folder that is no checkout of Smalti.
    """
    from ..backends.diagnostics.diagnostic import DiagnosticError
    from ..backends.diagnostics.files import write_text

    if not _NAME.fullmatch(name) or not name.startswith(f"{level}-"):
        raise DiagnosticError(
            f"'{name}' is no name for a pass of level {level}",
            hint=f"small letters and hyphens, the level first: {level}-do-something",
        )
    stem = name.removeprefix(f"{level}-").replace("-", "_")
    source = root / "passes" / level / f"{stem}.py"
    test = root / "tests" / "lit" / "passes" / level / f"{stem}.mlir"
    registry = root / "passes" / "registry.py"
    if not registry.is_file():
        raise DiagnosticError(
            f"{root} is no checkout of Smalti", hint="give its folder with --root"
        )
    for path in (source, test):
        if path.exists():
            raise DiagnosticError(f"{path} is there already", hint="choose another name")
    cls = "".join(word.capitalize() for word in stem.split("_"))
    registered = _register(registry.read_text(), name, level, stem, cls)
    new_folder = not source.parent.is_dir()
    source.parent.mkdir(parents=True, exist_ok=True)
    test.parent.mkdir(parents=True, exist_ok=True)
    if new_folder:
        _add_package(root / "pyproject.toml", level)
        write_text(source.parent / "__init__.py", f'"""Passes on {level} IR."""\n')
        write_text(source.parent / "py.typed", "")
    write_text(source, _source(name, level, cls))
    write_text(test, _golden(name, level))
    write_text(registry, registered)
    return [source, test, registry]


def _sample_ir(level: str) -> str:
    from ..backends.targets.target import load_target

    return _SAMPLES[level].ir.replace("{hash}", load_target("default-8c").content_hash)


def _source(name: str, level: str, cls: str) -> str:
    sample = _SAMPLES[level]
    indented = "".join(f"    {line}\n" for line in _sample_ir(level).splitlines())
    return _PASS.format(
        name=name, level=level, ir=indented, imports=sample.imports, op=sample.op, cls=cls,
        pattern=f"{cls}Pattern",
    )  # fmt: skip


def _golden(name: str, level: str) -> str:
    """The golden test: what the pass prints for the sample, line by line."""
    from ..dialects.context import make_context
    from ..dialects.ir.text.module_text import parse_module, print_module

    ir = _sample_ir(level)
    printed = print_module(parse_module(ir, make_context()), debug_info=False)
    head, *rest = printed.rstrip().splitlines()
    checks = [f"// CHECK:      {head}", *(f"// CHECK-NEXT: {line}" for line in rest)]
    run = f'// RUN: smalti-opt %s -p "{name}" | filecheck %s'
    return "\n".join([run, "", ir.rstrip(), "", *checks]) + "\n"


def _register(text: str, name: str, level: str, stem: str, cls: str) -> str:
    """The registry with a line for the pass, after the others of its level."""
    from ..backends.diagnostics.diagnostic import DiagnosticError

    line = f'    "{name}": ".{level}.{stem}:{cls}",\n'
    if f'"{name}"' in text:
        raise DiagnosticError(f"there is a pass '{name}' already", hint="choose another name")
    begin = text.index("\nPASSES: ")
    end = text.index("\n}\n", begin) + 1
    last = text.rfind(f': ".{level}.', begin, end)
    at = end if last < 0 else text.index("\n", last) + 1
    return text[:at] + line + text[at:]


def _add_package(project: Path, level: str) -> None:
    """Lists the first pass's folder of a level among the packages."""
    from ..backends.diagnostics.files import write_text

    text = project.read_text()
    after = '    "smalti.passes.tile.tilers",\n'
    write_text(project, text.replace(after, f'{after}    "smalti.passes.{level}",\n'))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m smalti.tools.new_pass", description=__doc__)
    parser.add_argument("name", help="such as tile-merge-fills: the level, then what it does")
    parser.add_argument("--level", required=True, choices=list(_SAMPLES), help="the IR it works on")
    parser.add_argument(
        "--root", type=Path, default=ROOT, metavar="FOLDER", help="checkout to write to (this one)"
    )
    args = parser.parse_args(argv)

    def run() -> int:
        for path in scaffold(args.name, args.level, args.root):
            print(f"written: {path}")
        print("then: write the pattern, refresh the golden test, python -m smalti.tools.reference")
        return EXIT_FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
