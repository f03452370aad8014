"""The texts that a new target starts from: a shipped target's file under a name of one's own, and a network for it."""

from __future__ import annotations

import re

from .plugin_package import Contents

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_PLUGIN = """\
from pathlib import Path

from smalti.compiler import Plugin

PLUGIN = Plugin(
    targets={{"{name}": Path(__file__).with_name("{name}.toml")}},
)
"""

_GOLDEN = """\
// A network is compiled for the target, and runs on its simulator; written by hand: the figures are the target's.
// RUN: smalti compile %s --load-plugin=PACKAGE --target {name} --quantize f32 -o %t.smalti
// RUN: smalti disassemble %t.smalti --load-plugin=PACKAGE | filecheck %s
// RUN: smalti run %t.smalti --load-plugin=PACKAGE --mode timing | filecheck %s --check-prefix=RUN-IT

func.func @main(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x8x8xf32> \
attributes {{smalti.inputs = ["x"], smalti.outputs = ["y"]}} {{
  %w = top.weight "w" seed = 7 : tensor<4x3x3x3xf32>
  %y = top.conv2d "y" %x, %w pads = [1, 1, 1, 1] : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}}

// CHECK: isa.program @main target("{name}"
// CHECK: inputs("x" f32[1, 3, 8, 8]
// CHECK: outputs("y" f32[1, 4, 8, 8]

// RUN-IT: cycles
"""


def target_contents(name: str, like: str) -> Contents:
    """Return what a plugin package with a new target has in it: the figures of the shipped target `like`.

    Raises DiagnosticError if the name is not that of a target, or taken, or if no target `like` is shipped.
    """
    from importlib.resources import files

    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...backends.targets.target import known_targets, shipped_targets

    if not _NAME.fullmatch(name):
        raise DiagnosticError(
            f"'{name}' is no name for a target", hint="small letters, digits and hyphens: my-chip"
        )
    if name in known_targets():
        raise DiagnosticError(f"there is a target '{name}' already", hint="choose another name")
    if like not in shipped_targets():
        raise DiagnosticError(
            f"no target '{like}' is shipped", hint=f"one of {', '.join(shipped_targets())}"
        )
    text = files("smalti.backends.targets").joinpath(f"{like}.toml").read_text(encoding="utf-8")
    return Contents(
        summary=f"A plugin for Smalti with the target {name}.",
        plugin=_PLUGIN.format(name=name),
        files={f"{name}.toml": _renamed(text, name, like)},
        golden={name.replace("-", "_"): _GOLDEN.format(name=name)},
    )


def _renamed(text: str, name: str, like: str) -> str:
    """Return a target's file with another name and description."""
    for field, value in (("name", name), ("description", f"TODO: what it is; now like {like}")):
        text = re.sub(rf"^{field} = .*$", f'{field} = "{value}"', text, count=1, flags=re.MULTILINE)
    return text
