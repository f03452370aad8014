"""Two ops of one's own for Smalti, from ONNX to the simulator: a plugin; see README.md beside this folder."""

from smalti.compiler import Plugin

from .conversion import convert_leaky_clamp, convert_row_scale
from .dialect import GATES, LeakyClampOp, RowScaleOp, TpuLeakyClampOp, TpuRowScaleOp
from .importing import import_leaky_clamp, import_row_scale
from .instruction import LeakyClamp
from .tilers import LeakyClampTiler, RowScaleTiler

PLUGIN = Plugin(
    dialects={"gates": lambda: GATES},
    instructions=[LeakyClamp],
    importers={"com.me.LeakyClamp": import_leaky_clamp, "com.me.RowScale": import_row_scale},
    conversions={LeakyClampOp: convert_leaky_clamp, RowScaleOp: convert_row_scale},
    tilers={TpuLeakyClampOp: LeakyClampTiler, TpuRowScaleOp: RowScaleTiler},
)
