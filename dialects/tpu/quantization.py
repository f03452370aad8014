"""The op of `tpu` between a quantized tensor and the integers that store it."""

from __future__ import annotations

from dataclasses import InitVar

from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, traits_def

from ..ir.field import argument
from ..network.quantization import StorageCastBase
from ..network.traits import KeepsLayout
from .tpu_op import TpuOp


@irdl_op_definition
class StorageCastOp(StorageCastBase, TpuOp):
    """A quantized tensor taken for the integers that store it, or the reverse; no bits change.

    %i = tpu.storage_cast "i" %q : (tensor<4x!quant.uniform<u8:f32, 2.500000e-01:128>>) -> tensor<4xui8>
    """

    name = "tpu.storage_cast"
    traits = traits_def(KeepsLayout())
    element: InitVar[Attribute] = argument()

    def verify_elements(self) -> None:
        self.verify_storage()
