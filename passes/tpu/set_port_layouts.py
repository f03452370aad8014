"""`tpu-set-port-layouts`: states in which order the bytes of inputs and outputs of four axes lie.

Before:

    func.func @main(%image: tensor<1x3x8x8xf32>) -> … attributes {smalti.inputs = ["image"], smalti.outputs = ["y"]}

After `tpu-set-port-layouts{layout=nhwc}`:

    func.func @main(%image: tensor<1x3x8x8xf32>) -> … attributes {smalti.inputs = ["image"], smalti.outputs = ["y"],
        smalti.input_layouts = ["nhwc"], …}

Tensors keep the model's shape, [N, C, H, W]: the layout is that of the bytes which the program reads and writes. An
image of a camera, [H, W, C], is such an input as it is. Ports of other ranks lie as the model has them, and so do
bools, and outputs that the host computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, did_you_mean
from ...backends.numerics.ports.port_format import IMAGE_RANK, LAYOUTS, MODEL_LAYOUT
from ...dialects.ir.context import report
from ...dialects.ir.location import place_of
from ...dialects.network.ports import SIDES, NetworkPort, network_ports, set_network_ports
from ...dialects.network.traits import Dense
from ...dialects.quant.element_type import element_of, is_bool
from ..smalti_pass import Level, SmaltiPass


@dataclass(frozen=True)
class SetPortLayouts(SmaltiPass):
    """Let the bytes of inputs and outputs lie in a layout, in place of the one that the function states."""

    name = "tpu-set-port-layouts"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = {"ports": "inputs and outputs that lie in the layout"}

    layout: str
    """"model", the model's own order of axes, or "nhwc", channels last."""

    def run(self, ctx: Context, module: ModuleOp) -> None:
        if self.layout not in LAYOUTS:
            raise DiagnosticError(
                f"there is no layout '{self.layout}'",
                hint=did_you_mean(self.layout, LAYOUTS) or f"the layouts are {', '.join(LAYOUTS)}",
            )
        for function in module.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                self._lay_out(function, ctx)

    def _lay_out(self, function: FuncOp, ctx: Context) -> None:
        block, chosen, stay = function.body.block, 0, 0
        returned = block.last_op
        assert returned is not None
        for side, values in zip(SIDES, (block.args, returned.operands), strict=True):
            ports = list(network_ports(function, side))
            for index, (port, value) in enumerate(zip(ports, values, strict=True)):
                why = _why_not(port, value)
                takes = _is_image(port) and why is None
                ports[index] = replace(port, layout=self.layout if takes else MODEL_LAYOUT)
                chosen += takes
                if _is_image(port) and why is not None and self.layout != MODEL_LAYOUT:
                    stay += 1
                    message = f"{side} '{port.name}' stays in the model's layout: {why}"
                    report(ctx, Diagnostic("remark", message, place_of(function)))
            set_network_ports(function, side, ports)
        self.count("ports", chosen)
        if not chosen and not stay and self.layout != MODEL_LAYOUT:
            message = f"no input or output has four axes that could lie in {self.layout}"
            report(ctx, Diagnostic("remark", message, place_of(function)))


def _is_image(port: NetworkPort) -> bool:
    return isinstance(port.type, TensorType) and len(port.type.get_shape()) == IMAGE_RANK


def _why_not(port: NetworkPort, value: SSAValue) -> str | None:
    """Return why the bytes of a port cannot lie in another layout than the model's; None if they can."""
    if is_bool(element_of(value)):
        return "no unit changes the layout of bools"
    if port.side == "output" and Dense.holds(value.owner):
        return "what computes it writes its rows one after the other"
    return None
