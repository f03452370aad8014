"""Which family cuts which op of the tpu dialect."""

from __future__ import annotations

from ....dialects import tpu
from ..cost import Machine
from .binary import BinaryFamily
from .convert import ConvertFamily
from .convolution import ConvolutionFamily
from .family import Family
from .host import HostFamily
from .layer import Layer
from .matmul import MatmulFamily
from .movement import MovementFamily
from .normalization import LocalResponseNormFamily, NormalizeFamily, SoftmaxFamily
from .pooling import PoolFamily
from .reduction import ReduceFamily
from .relayout import RelayoutFamily
from .resampling import ResampleFamily
from .unary import LookupFamily, UnaryFamily

FAMILIES: dict[type[tpu.TpuOp], type[Family]] = {
    tpu.Conv2dOp: ConvolutionFamily,
    tpu.MatmulOp: MatmulFamily,
    tpu.AddOp: BinaryFamily,
    tpu.SubOp: BinaryFamily,
    tpu.MulOp: BinaryFamily,
    tpu.DivOp: BinaryFamily,
    tpu.MinOp: BinaryFamily,
    tpu.MaxOp: BinaryFamily,
    tpu.PowerOp: BinaryFamily,
    tpu.ModuloOp: BinaryFamily,
    tpu.PreluOp: BinaryFamily,
    tpu.CompareOp: BinaryFamily,
    tpu.LogicalOp: BinaryFamily,
    tpu.SelectOp: BinaryFamily,
    tpu.UnaryOp: UnaryFamily,
    tpu.LookupOp: LookupFamily,
    tpu.CastOp: ConvertFamily,
    tpu.RequantizeOp: ConvertFamily,
    tpu.ClampOp: ConvertFamily,
    tpu.MaxPoolOp: PoolFamily,
    tpu.AvgPoolOp: PoolFamily,
    tpu.ReduceOp: ReduceFamily,
    tpu.ResampleOp: ResampleFamily,
    tpu.ReshapeOp: RelayoutFamily,
    tpu.TransposeOp: RelayoutFamily,
    tpu.ConcatOp: MovementFamily,
    tpu.SliceOp: MovementFamily,
    tpu.PadOp: MovementFamily,
    tpu.SoftmaxOp: SoftmaxFamily,
    tpu.NormalizeOp: NormalizeFamily,
    tpu.HostCallOp: HostFamily,
    tpu.LocalResponseNormOp: LocalResponseNormFamily,
}


def family_of(layer: Layer, machine: Machine) -> Family:
    """The family of a layer's op; DiagnosticError for an op that no family cuts."""
    kind = FAMILIES.get(type(layer.op))
    if kind is None:
        raise layer.error("no core can compute this op", "it has no lowering to tile")
    return kind(layer, machine)
