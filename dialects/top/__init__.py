"""The top dialect: what a network does, one op for each thing, on float tensors; the same on every target.

Tensors have ONNX's layout. Calibration writes the range of a value into its type, `!quant.calibrated<f32<low:high>>`;
apart from that the element types of operands and result agree (`top.cast` and the ops of `quantization` change them).
Every op knows the shape of its result (`expected_shape`), which constructor and verifier share, its multiply-
accumulates (`macs`) and the bytes of its operands and result (`size_bytes`).
"""

from __future__ import annotations

from typing import Any

from xdsl.ir import Dialect

from ..ir.direct_access import with_direct_access
from .arithmetic import AddOp, DivOp, MaxOp, MinOp, ModuloOp, MulOp, PowerOp, PreluOp, SubOp
from .arithmetic import BinaryOp as BinaryOp
from .arithmetic import FloatBinaryOp as FloatBinaryOp
from .call import CallOp
from .constant import WeightOp
from .convolution import Conv2dOp
from .movement import ConcatOp, GatherOp, PadOp, ReshapeOp, SliceOp, TransposeOp
from .normalization import BatchNormOp, LocalResponseNormOp, NormalizeOp, SoftmaxOp
from .pointwise import CastOp, ClipOp, CompareOp, LogicalOp, ReluOp, SelectOp, UnaryOp
from .pooling import AvgPoolOp, MaxPoolOp
from .pooling import PoolOp as PoolOp
from .product import MatmulOp
from .quantization import DequantizeOp, QuantizeOp, StorageCastOp
from .recurrence import GruOp, LstmOp, RnnOp
from .recurrence import RecurrentOp as RecurrentOp
from .reduction import ReduceOp
from .resampling import ResizeOp
from .top_op import TopOp as TopOp

_OPS: list[Any] = [
    WeightOp,
    Conv2dOp,
    MatmulOp,
    BatchNormOp,
    AddOp,
    SubOp,
    MulOp,
    DivOp,
    MinOp,
    MaxOp,
    PowerOp,
    ModuloOp,
    PreluOp,
    ReluOp,
    ClipOp,
    UnaryOp,
    CompareOp,
    LogicalOp,
    SelectOp,
    MaxPoolOp,
    AvgPoolOp,
    ReduceOp,
    ResizeOp,
    ReshapeOp,
    TransposeOp,
    CastOp,
    SoftmaxOp,
    ConcatOp,
    SliceOp,
    PadOp,
    GatherOp,
    NormalizeOp,
    LocalResponseNormOp,
    LstmOp,
    GruOp,
    RnnOp,
    QuantizeOp,
    DequantizeOp,
    StorageCastOp,
    CallOp,
]

Top = Dialect("top", with_direct_access(_OPS), [])
