"""`tpu-quantize-ports`: gives inputs and outputs the elements that the device computes with; the host casts them.

Before:

    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> attributes {smalti.inputs = ["x"], …} {
      %x_i8 = tpu.cast "x_i8" %x : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<i8:f32, 0.5>>
      %y_i8 = tpu.clamp "y_i8" %x_i8 clamp_low = 0.0 : …
      %y = tpu.cast "y" %y_i8 : (tensor<1x4x!quant.uniform<i8:f32, 0.5>>) -> tensor<1x4xf32>
      func.return %y
    }

After:

    func.func @main(%x: tensor<1x4x!quant.uniform<i8:f32, 0.5>>) -> tensor<1x4x!quant.uniform<i8:f32, 0.5>>
        attributes {smalti.inputs = ["x"], …, smalti.model_input_types = [f32], smalti.model_output_types = [f32]} {
      %y_i8 = tpu.clamp "y_i8" %x clamp_low = 0.0 : …
      func.return %y_i8
    }

An input is cast by the host if nothing reads it but casts to one type, an output if a cast makes it of a tensor with
other elements. The function notes the model's own types: who runs the program still gives and gets the model's values,
which the host converts by the numerics of `tpu.cast`, so results are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.rewriter import Rewriter

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError
from ...dialects import tpu
from ...dialects.ir.context import report
from ...dialects.ir.location import place_of
from ...dialects.network.ports import NetworkPort, network_ports, set_network_ports
from ...dialects.quant.element_type import is_float
from ..smalti_pass import Level, SmaltiPass


@dataclass(frozen=True)
class QuantizePorts(SmaltiPass):
    """Leave the casts of inputs and outputs to the host, so that the program's ports hold what the device computes
    with.
    """

    name = "tpu-quantize-ports"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = {
        "inputs": "inputs that hold what their casts made of them",
        "outputs": "outputs that hold what was cast to the model's type",
    }

    def run(self, ctx: Context, module: ModuleOp) -> None:
        for function in module.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                self._convert(function, ctx)

    def _convert(self, function: FuncOp, ctx: Context) -> None:
        block = function.body.block
        returned = block.last_op
        if not isinstance(returned, ReturnOp):
            raise DiagnosticError("a network ends in func.return", place_of(function))
        inputs, outputs = (network_ports(function, side) for side in ("input", "output"))
        remarks: list[Diagnostic] = []
        for index, (argument, port) in enumerate(zip(tuple(block.args), inputs, strict=True)):
            inputs[index] = self._input(argument, port, remarks)
        for index, (value, port) in enumerate(zip(returned.operands, outputs, strict=True)):
            outputs[index] = self._output(returned, index, value, port, remarks)
        function.properties["function_type"] = FunctionType.from_lists(
            [port.type for port in inputs], [port.type for port in outputs]
        )
        set_network_ports(function, "input", inputs)
        set_network_ports(function, "output", outputs)
        for remark in remarks:
            report(ctx, remark)

    def _input(
        self, argument: BlockArgument, port: NetworkPort, remarks: list[Diagnostic]
    ) -> NetworkPort:
        """Retype an input if all that read it are casts to one type; otherwise say what keeps it as it is."""
        if port.is_converted or not is_float(port.type):
            return port
        found = {use.operation for use in argument.uses}
        users = [op for op in argument.block.ops if op in found]
        casts = [user for user in users if isinstance(user, tpu.CastOp)]
        types = list(dict.fromkeys(each.output.type for each in casts))
        if len(casts) < len(users):
            other = next(user for user in users if not isinstance(user, tpu.CastOp))
            remarks.append(_stays(port, f"{_describe(other)} it as it is", other))
        elif len(types) > 1:
            elements = ", ".join(str(each.element_type) for each in types)
            remarks.append(_stays(port, f"it is cast to {len(types)} types: {elements}", casts[0]))
        elif casts:
            new = Rewriter.replace_value_with_new_type(argument, types[0])
            for each in casts:
                each.output.replace_all_uses_with(new)
                each.detach()
                each.erase()
            self.count("inputs")
            return replace(port, type=types[0], model=port.element)
        return port

    def _output(
        self,
        returned: ReturnOp,
        index: int,
        value: SSAValue,
        port: NetworkPort,
        remarks: list[Diagnostic],
    ) -> NetworkPort:
        """Return what a cast makes an output of, in its place; otherwise say what makes it of the model's type."""
        port = replace(port, type=value.type)
        if port.is_converted or not is_float(port.type):
            return port
        owner = value.owner
        if not isinstance(owner, tpu.CastOp):
            if isinstance(owner, tpu.TpuOp) and not isinstance(owner, tpu.WeightOp):
                why = f"{owner.name} '{owner.result_name.data}' computes it in that type"
                remarks.append(_stays(port, why, owner))
            return port
        returned.operands[index] = owner.input
        if owner.output.first_use is None:
            owner.detach()
            owner.erase()
        self.count("outputs")
        return replace(port, type=returned.operands[index].type, model=port.element)


def _describe(reader: Operation) -> str:
    """Return who reads or returns a value, as the beginning of a sentence."""
    if isinstance(reader, tpu.TpuOp):
        return f"{reader.name} '{reader.result_name.data}' reads"
    return "the network returns"


def _stays(port: NetworkPort, why: str, op: Operation) -> Diagnostic:
    message = f"{port.side} '{port.name}' stays {port.element}: {why}"
    return Diagnostic("remark", message, place_of(op))
