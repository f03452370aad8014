"""The constants of `tpu`."""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition

from ..network.constant import WeightBase
from .tpu_op import TpuOp


@irdl_op_definition
class WeightOp(WeightBase, TpuOp):
    """A constant tensor from the weight store, from a seed or as a `dense<>`, stored in the storage type of its element
    type.

    %fw = tpu.weight "fw" seed = 1 : tensor<2x10x!quant.uniform<i8:f32, 2.000000e-02:4>>
    """

    name = "tpu.weight"

    def verify_elements(self) -> None:
        self.verify_source()
