"""A plugin with an importer for an op of one's own domain, whose op at level top has no conversion."""

from __future__ import annotations

import numpy as np
from smalti.compiler import Plugin
from smalti.compiler.onnx_import.graph.builder import GraphBuilder
from smalti.compiler.onnx_import.graph.node import Node
from smalti.compiler.onnx_import.graph.value import Value
from smalti.dialects.ir.attribute import Real, real
from smalti.dialects.ir.field import operand, prop
from smalti.dialects.network.shape import Shape
from smalti.dialects.network.tensor_op import Arrays
from smalti.dialects.quant.element_type import shape_of
from smalti.dialects.top.top_op import TopOp
from xdsl.ir import Dialect, SSAValue
from xdsl.irdl import irdl_op_definition


@irdl_op_definition
class SwishOp(TopOp):
    """x · sigmoid(beta · x)."""

    name = "me.swish"
    input: SSAValue = operand()
    beta: Real = prop(converter=real)

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        return self.rounded(x / (1 + np.exp(-self.beta.value.data * x)))


def import_swish(node: Node, builder: GraphBuilder) -> list[Value]:
    """com.me.MySwish(x; beta = 1)."""
    beta = node.real("beta", 1.0)
    return [builder.emit(SwishOp, node.output, node.input(0), beta=beta)]


PLUGIN = Plugin(
    dialects={"me": lambda: Dialect("me", [SwishOp], [])},
    importers={"com.me.MySwish": import_swish},
)
