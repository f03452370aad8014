"""The tile dialect: what each core does with which bytes.

A `tile.program` is one block in program order, and it means what executing it in that order means. Buffers are memrefs
of storage types with physical (packed, padded) shapes in memory space "global", "local" or "acc", and so are views of
parts of them. At first each network layer is one `tile.layer` on global buffers, and those that are computed slice by
slice stand in a `tile.group`; tiling replaces them by copies and computations on local buffers, in destination-passing
style on whole tiles: the buffer that an op writes follows an arrow in its text.
"""

from typing import Any

from xdsl.ir import Dialect

from ..ir.direct_access import with_direct_access
from .buffer import AllocOp, GlobalOp, ViewOp
from .buffer import BufferOp as BufferOp
from .buffer import buffer_of as buffer_of
from .buffer import buffer_type as buffer_type
from .buffer import core_of as core_of
from .buffer import viewed as viewed
from .call import HostCallOp
from .convolution import Conv2dOp, DepthwiseConv2dOp
from .core_op import CoreOp as CoreOp
from .layer import GroupOp, LayerOp, YieldOp
from .movement import CopyOp, FillOp, GatherOp, PermuteOp
from .normalization import LocalResponseNormOp, NormalizeOp, SoftmaxOp
from .pointwise import BinaryOp, ConvertOp, LookupOp, SelectOp, UnaryOp
from .pooling import PoolOp
from .product import EpilogueOp, MatmulOp
from .program import ProgramOp
from .program import program_of as program_of
from .reduction import ReduceOp
from .resampling import ResampleOp
from .schedule import Group as Group
from .schedule import GroupAttr, ScheduleAttr
from .schedule import Halos as Halos
from .schedule import Schedule as Schedule
from .schedule import SliceOrder as SliceOrder
from .step_op import StepOp as StepOp

_OPS: list[Any] = [
    ProgramOp,
    GlobalOp,
    AllocOp,
    ViewOp,
    GroupOp,
    LayerOp,
    YieldOp,
    CopyOp,
    FillOp,
    GatherOp,
    Conv2dOp,
    DepthwiseConv2dOp,
    MatmulOp,
    EpilogueOp,
    ConvertOp,
    BinaryOp,
    SelectOp,
    UnaryOp,
    LookupOp,
    PermuteOp,
    PoolOp,
    ReduceOp,
    ResampleOp,
    SoftmaxOp,
    NormalizeOp,
    LocalResponseNormOp,
    HostCallOp,
]

Tile = Dialect("tile", with_direct_access(_OPS), [ScheduleAttr, GroupAttr])
