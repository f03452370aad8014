"""The constants of `top`."""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition

from ..network.constant import WeightBase
from .top_op import TopOp


@irdl_op_definition
class WeightOp(WeightBase, TopOp):
    """A constant tensor: by key in the weight store, from a seed (reproducible random values), or a
    small `dense<>`.

    %w = top.weight "w" key = "conv1.weight" : tensor<8x1x3x3xf32>
    """

    name = "top.weight"

    def verify_(self) -> None:
        self.verify_source()
