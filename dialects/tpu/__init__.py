"""The tpu dialect: what the target computes; every tensor type carries its storage type, scale and zero point.

Shapes and layouts are those of `top`. Elements are floats or `!quant.uniform` types. A constructor takes the result's
element type as `element` if it does not follow from the operands.
"""

from __future__ import annotations

from typing import Any

from xdsl.ir import Dialect

from ..ir.direct_access import with_direct_access
from ..quant.calibrated_type import ThresholdType
from ..quant.scaled_type import ScaledFloatType
from .arithmetic import AddOp, DivOp, MaxOp, MinOp, ModuloOp, MulOp, PowerOp, PreluOp, SubOp
from .arithmetic import BinaryOp as BinaryOp
from .arithmetic import ExtremeOp as ExtremeOp
from .call import HostCallOp
from .constant import WeightOp
from .convolution import Conv2dOp
from .movement import ConcatOp, GatherOp, PadOp, ReshapeOp, SliceOp, TransposeOp
from .movement import MovingOp as MovingOp
from .normalization import LocalResponseNormOp, NormalizeOp, SoftmaxOp
from .pointwise import (
    CastOp,
    ClampOp,
    CompareOp,
    LogicalOp,
    LookupOp,
    RequantizeOp,
    SelectOp,
    UnaryOp,
)
from .pooling import AvgPoolOp, MaxPoolOp
from .pooling import PoolOp as PoolOp
from .product import MatmulOp
from .product import ProductOp as ProductOp
from .quantization import StorageCastOp
from .reduction import ReduceOp
from .resampling import ResampleOp
from .tpu_op import ClampedOp as ClampedOp
from .tpu_op import TpuOp as TpuOp

_OPS: list[Any] = [
    WeightOp,
    Conv2dOp,
    MatmulOp,
    AddOp,
    SubOp,
    MulOp,
    DivOp,
    MinOp,
    MaxOp,
    PowerOp,
    ModuloOp,
    PreluOp,
    UnaryOp,
    LookupOp,
    CompareOp,
    LogicalOp,
    SelectOp,
    CastOp,
    RequantizeOp,
    ClampOp,
    MaxPoolOp,
    AvgPoolOp,
    ReduceOp,
    ResampleOp,
    ReshapeOp,
    TransposeOp,
    ConcatOp,
    SliceOp,
    PadOp,
    GatherOp,
    SoftmaxOp,
    NormalizeOp,
    LocalResponseNormOp,
    StorageCastOp,
    HostCallOp,
]

Tpu = Dialect("tpu", with_direct_access(_OPS), [ThresholdType, ScaledFloatType])
