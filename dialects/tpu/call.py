"""The functions that no engine computes and that are left to the host."""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition, traits_def

from ..network.call import CallBase
from ..network.traits import Dense
from .tpu_op import TpuOp


@irdl_op_definition
class HostCallOp(CallBase, TpuOp):
    """A named function that the host computes; functions and fields are those of top.call.

    %h = tpu.host_call "h" %a function = "cumsum" attributes = {axis = 1} :
        (tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "tpu.host_call"
    traits = traits_def(Dense())

    def verify_elements(self) -> None:
        self.verify_call()
