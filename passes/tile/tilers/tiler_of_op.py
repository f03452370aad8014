"""Which family cuts which op of the tpu dialect."""

from __future__ import annotations

from ....dialects import tpu
from ...tiling.cost import Machine
from .along_axis import HostTiler
from .binary import BinaryTiler
from .convert import ConvertTiler
from .convolution import ConvolutionTiler
from .layer import Layer
from .matmul import MatmulTiler
from .movement import MovementTiler
from .normalization import LocalResponseNormTiler, NormalizeTiler, SoftmaxTiler
from .pooling import PoolTiler
from .reduction import ReduceTiler
from .relayout import RelayoutTiler
from .resampling import ResampleTiler
from .tiler import Tiler
from .unary import LookupTiler, UnaryTiler

TILERS: dict[type[tpu.TpuOp], type[Tiler]] = {
    tpu.Conv2dOp: ConvolutionTiler,
    tpu.MatmulOp: MatmulTiler,
    tpu.AddOp: BinaryTiler,
    tpu.SubOp: BinaryTiler,
    tpu.MulOp: BinaryTiler,
    tpu.DivOp: BinaryTiler,
    tpu.MinOp: BinaryTiler,
    tpu.MaxOp: BinaryTiler,
    tpu.PowerOp: BinaryTiler,
    tpu.ModuloOp: BinaryTiler,
    tpu.PreluOp: BinaryTiler,
    tpu.CompareOp: BinaryTiler,
    tpu.LogicalOp: BinaryTiler,
    tpu.SelectOp: BinaryTiler,
    tpu.UnaryOp: UnaryTiler,
    tpu.LookupOp: LookupTiler,
    tpu.CastOp: ConvertTiler,
    tpu.RequantizeOp: ConvertTiler,
    tpu.ClampOp: ConvertTiler,
    tpu.MaxPoolOp: PoolTiler,
    tpu.AvgPoolOp: PoolTiler,
    tpu.ReduceOp: ReduceTiler,
    tpu.ResampleOp: ResampleTiler,
    tpu.ReshapeOp: RelayoutTiler,
    tpu.TransposeOp: RelayoutTiler,
    tpu.ConcatOp: MovementTiler,
    tpu.SliceOp: MovementTiler,
    tpu.PadOp: MovementTiler,
    tpu.SoftmaxOp: SoftmaxTiler,
    tpu.NormalizeOp: NormalizeTiler,
    tpu.HostCallOp: HostTiler,
    tpu.LocalResponseNormOp: LocalResponseNormTiler,
}


def family_of(layer: Layer, machine: Machine) -> Tiler:
    """The family of a layer's op; DiagnosticError for an op that no family cuts."""
    kind = TILERS.get(type(layer.op))
    if kind is None:
        raise layer.error("no core can compute this op", "it has no lowering to tile")
    return kind(layer, machine)
