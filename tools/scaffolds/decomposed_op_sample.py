"""The texts that an op of level top alone starts from: its dialect, and a pass that writes it with ops of top."""

from __future__ import annotations

from .op_name import words_of_op
from .pass_sample import NOTE
from .plugin_package import Contents

_DIALECT = '''\
"""The dialect `{dialect}`: its op at level top."""

from __future__ import annotations

import numpy as np
from smalti.dialects.ir.field import operand
from smalti.dialects.network.shape import Shape
from smalti.dialects.network.tensor_op import Arrays
from smalti.dialects.quant.element_type import shape_of
from smalti.dialects.top.top_op import TopOp
from xdsl.ir import Dialect, SSAValue
from xdsl.irdl import irdl_op_definition


@irdl_op_definition
class {cls}(TopOp):
    """TODO: what the op computes; now max(input, 0).

    %y = {op} "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
    """

    name = "{op}"
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        """The output has the shape of the input."""
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        """Compute the output; interpreters and the constant folder call this."""
        return np.maximum(operands[0], 0)


{constant} = Dialect("{dialect}", [{cls}], [])
'''

_LOWERING = '''\
"""`{name}`: writes the op with ops of top, which Smalti can compile.

Before:

    %y = {op} "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>

After:

    %y = top.relu "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from smalti.dialects import top
from smalti.passes.pattern_driver import pattern_counts
from smalti.passes.smalti_pass import Level, SmaltiPass
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from .dialect import {cls}


class {pattern}(RewritePattern):
    """TODO: {op} ⇒ the ops that it is made of; now a relu."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: {cls}, rewriter: PatternRewriter, /) -> None:
        rewriter.replace(op, top.ReluOp(op.result_name.data, op.input))


@dataclass(frozen=True)
class {pass_cls}(SmaltiPass):
    """Write {op} with ops of top."""

    name = "{name}"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = pattern_counts({pattern})

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [{pattern}()])
'''

_PLUGIN = """\
from smalti.compiler import Plugin

from .dialect import {constant}
from .lowering import {pass_cls}

PLUGIN = Plugin(
    dialects={{"{dialect}": lambda: {constant}}},
    passes={{"{name}": {pass_cls}}},
)
"""

_GOLDEN = """\
{note}
// RUN: smalti-opt %s --load-plugin=PACKAGE | filecheck %s
// RUN: smalti-opt %s --load-plugin=PACKAGE --mlir-print-op-generic | smalti-opt --load-plugin=PACKAGE | filecheck %s
// RUN: smalti-opt %s --load-plugin=PACKAGE -p "{name}" --verify-numerics=random:0 | filecheck %s --check-prefix=PASS
// RUN: smalti compile %s --load-plugin=PACKAGE --insert-pass before=top-fold-shapes:{name} --quantize f32 -o %t.smalti

{ir}
{checks}

{after}
"""

_IR = """\
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> \
attributes {{smalti.inputs = ["x"], smalti.outputs = ["y"]}} {{
  %y = {op} "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %y : tensor<1x4xf32>
}}
"""


def decomposed_op_contents(op: str) -> Contents:
    """Return what a plugin package with a new op of level top, and a pass that replaces it, has in it; `op` is its name
    with its dialect, such as mine.hard_gate.

    Raises DiagnosticError if the name is not that of an op, or Smalti has a dialect of that name.
    """
    words = words_of_op(op)
    words |= {
        "name": f"top-decompose-{words['stem'].replace('_', '-')}",
        "cls": f"{words['cls']}Op",
        "pass_cls": f"Decompose{words['cls']}",
        "pattern": f"Decompose{words['cls']}Pattern",
    }
    return Contents(
        summary=f"A plugin for Smalti with the op {op}.",
        plugin=_PLUGIN.format_map(words),
        files={
            "dialect.py": _DIALECT.format_map(words),
            "lowering.py": _LOWERING.format_map(words),
        },
        golden={words["stem"]: _golden(words)},
    )


def _golden(words: dict[str, str]) -> str:
    """Return the golden test: the op in both forms, what the pass makes of it, and a compilation."""
    ir = _IR.format_map(words)
    return _GOLDEN.format(
        note=NOTE,
        name=words["name"],
        ir=ir,
        checks=_checks("CHECK", ir),
        after=_checks("PASS", ir.replace(words["op"], "top.relu")),
    )


def _checks(prefix: str, ir: str) -> str:
    """Return comments by which filecheck expects IR inside of its module."""
    inner = [f"  {line}" for line in ir.splitlines()]
    width = len(prefix) + len("-NEXT:")
    return "\n".join(
        [
            f"// {prefix + ':':<{width}} builtin.module {{",
            *(f"// {prefix}-NEXT: {line}" for line in [*inner, "}"]),
        ]
    )
