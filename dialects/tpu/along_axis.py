"""The functions that the device cannot compute and leaves to the host."""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition, traits_def

from ..network.along_axis import AlongAxisBase
from ..network.traits import Dense
from .tpu_op import TpuOp


@irdl_op_definition
class HostCallOp(AlongAxisBase, TpuOp):
    """A function that the host computes; its kinds and fields are those of top.along_axis.

    %h = tpu.host_call "h" %a kind = "cumsum" axis = 1 length = 10 keepdims :
        (tensor<1x10xf32>) -> tensor<1x10xf32>
    """

    name = "tpu.host_call"
    traits = traits_def(Dense())

    def verify_elements(self) -> None:
        self.verify_function()
