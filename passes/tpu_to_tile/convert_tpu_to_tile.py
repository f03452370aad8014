"""`convert-tpu-to-tile`: makes a tile program of a network: a buffer in global memory for each tensor, a layer for each
op.

Before:

    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<i8:f32, 0.5>> {
      %y = tpu.cast "y" %x : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<i8:f32, 0.5>>
      func.return %y
    }

After:

    tile.program @main {
      %x = tile.global "x" segment = "input" shape = [1, 4] order = [0, 1] : memref<1x4xf32, "global">
      %y = tile.global "y" segment = "output" shape = [1, 4] order = [0, 1] : memref<1x4xi8, "global">
      tile.layer (%a = %x …) -> %y window = [0, 1, 0, 4] {
        %r = tpu.cast "y" %a : …
        tile.yield %r
      }
    }

Inputs and outputs are dense, in the layout that the function states (`smalti.input_layouts`), row-major unless it does.
Weights are dense and row-major; other buffers are laid out for the units that use them. Other
layers read a function's output from its output buffer. A reshape whose shapes have no axes in common goes through a
tensor of one axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import LocationAttr, ModuleOp, StringAttr, TensorType
from xdsl.ir import Block, Operation, Region, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tile, tpu
from ...dialects.ir.attribute import integer, ints, real, text
from ...dialects.ir.location import place_of
from ...dialects.ir.target_attribute import target_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.network.ports import NetworkPort, network_ports
from ...dialects.quant.element_type import element_storage, shape_of
from ..smalti_pass import Level, SmaltiPass, store_of
from ..tile.tiler_bases.emitter import global_buffer
from ..tiling.layout import Layout, row_major
from ..tiling.windows import flatten, refine, whole
from .global_memory import check_global_memory
from .port_copies import insert_port_copies
from .tensor_layouts import choose_layouts


@dataclass(frozen=True)
class ConvertTpuToTile(SmaltiPass):
    """Give every tensor a buffer in global memory and make every op a layer of a tile program."""

    name = "convert-tpu-to-tile"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = {"layers": "layers of the tile program"}

    def run(self, ctx: Context, module: ModuleOp) -> None:
        function = _main(module)
        target = target_of(module)
        insert_port_copies(function, target.vector.lane_group)
        layouts = choose_layouts(function, target.vector.lane_group)
        builder = _Builder(function, store_of(ctx), layouts)
        program = builder.build()
        check_global_memory(program.body.block.ops, target)
        module.body.block.insert_op_before(program, function)
        function.detach()
        function.erase()
        self.count("layers", builder.layers)


def _main(module: ModuleOp) -> func.FuncOp:
    """Return the module's function. Raises DiagnosticError unless there is exactly one, with one block that ends in a
    return.
    """
    functions = [op for op in module.ops if isinstance(op, func.FuncOp)]
    if len(functions) != 1:
        others = [op for op in functions if op.sym_name.data != "main"]
        raise DiagnosticError(
            f"expected one function in the module, found {len(functions)}",
            place_of([*others, module][0]),
            hint="lower a module with one func.func @main",
        )
    function = functions[0]
    blocks = function.body.blocks
    if len(blocks) != 1 or not isinstance(blocks[0].last_op, func.ReturnOp):
        raise DiagnosticError(
            f"function '{function.sym_name.data}' must be one block that ends in func.return",
            place_of(function),
        )
    return function


@dataclass
class _Builder:
    """Builds the program of one function: declarations first, then layers."""

    function: func.FuncOp
    store: WeightStore
    layouts: dict[SSAValue, Layout]
    buffers: dict[SSAValue, SSAValue] = field(default_factory=dict)
    declarations: list[Operation] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    layers: int = 0
    _names: set[str] = field(default_factory=set)
    """The names of buffers."""
    _results: set[str] = field(default_factory=set)
    """The names of the network's results."""

    def build(self) -> tile.ProgramOp:
        """Build and return the tile program."""
        block = self.function.body.block
        inputs = network_ports(self.function, "input")
        returned = block.last_op
        assert isinstance(returned, func.ReturnOp)
        results = list(returned.operands)
        outputs = network_ports(self.function, "output")
        self._names.update(port.name for port in (*inputs, *outputs))
        self._results = {op.result_name.data for op in block.ops if isinstance(op, tpu.TpuOp)}
        for argument, port in zip(block.args, inputs, strict=True):
            self.buffers[argument] = self._declare(_port_buffer(port))
        again = self._declare_outputs(results, outputs)
        for op in block.ops:
            if isinstance(op, tpu.WeightOp):
                self._weight(op)
            elif isinstance(op, tpu.TpuOp):
                self._convert(op)
            elif op is not returned:
                raise DiagnosticError(
                    f"{op.name} is no op of the tpu level",
                    place_of(op),
                    hint="convert the module to tpu first: convert-top-to-tpu",
                )
        for value, buffer, name in again:
            if 0 in shape_of(value):
                continue
            self._copy_to_output(value, buffer, name)
        return tile.ProgramOp.create(
            properties={"sym_name": self.function.sym_name},
            regions=[Region(Block([*self.declarations, *self.operations]))],
            location=self.function.location,
        )

    def _declare(self, op: tile.GlobalOp, location: LocationAttr | None = None) -> SSAValue:
        if location is not None:
            op.location = location
        self.declarations.append(op)
        op.output.name_hint = value_name(op.buffer_name.data)
        return op.output

    def _declare_outputs(
        self, results: list[SSAValue], ports: list[NetworkPort]
    ) -> list[tuple[SSAValue, SSAValue, str]]:
        """Declare the output buffers; return the results that need a copy, because no op makes them or because they
        were returned before.
        """
        again: list[tuple[SSAValue, SSAValue, str]] = []
        for value, port in zip(results, ports, strict=True):
            buffer = self._declare(_port_buffer(port))
            owner = value.owner
            if (
                value in self.buffers
                or not isinstance(owner, tpu.TpuOp)
                or isinstance(owner, tpu.WeightOp)
            ):
                again.append((value, buffer, port.name))
            else:
                self.buffers[value] = buffer
        return again

    def _unique(self, name: str) -> str:
        unique, number = name, 0
        while unique in self._names:
            number += 1
            unique = f"{name}_{number}"
        self._names.add(unique)
        return unique

    def _weight(self, op: tpu.WeightOp) -> None:
        if op.output.first_use is None or 0 in shape_of(op.output):
            return
        name = self._unique(op.result_name.data)
        key, seed = None, None
        if op.key is not None:
            key = op.key.data
            # Check here that the store holds what the op says, so that an error names the op.
            value_of(op, self.store)
        elif op.seed is not None:
            seed = op.seed.value.data
        else:
            key = self.store.add(name, value_of(op, self.store))
        layout = row_major(shape_of(op.output))
        self.buffers[op.output] = self._declare(
            global_buffer(
                name, "weights", layout, element_storage(op.output.type), key=key, seed=seed
            ),
            op.location,
        )

    def _convert(self, op: tpu.TpuOp) -> None:
        result = op.results[0]
        if any(0 in shape_of(value) for value in op.operands):
            raise DiagnosticError(
                f"{op.name} '{op.result_name.data}' reads a tensor without elements",
                place_of(op),
                hint="leave the op out of the network: no engine computes on nothing",
            )
        if result not in self.buffers:
            layout = self.layouts[result]
            storage = element_storage(result.type)
            name = self._unique(op.result_name.data)
            self.buffers[result] = self._declare(
                global_buffer(name, "scratch", layout, storage), op.location
            )
        if isinstance(op, tpu.ReshapeOp):
            self._reshape(op.input, result, op.result_name.data, op.location)
        elif isinstance(op, tpu.HostCallOp) and len(op.inputs) > 1:
            self._layer(op, self._frame(op), self.buffers[result])
        else:
            self._layer(op, [self.buffers[v] for v in op.operands], self.buffers[result])

    def _frame(self, op: tpu.HostCallOp) -> list[SSAValue]:
        """Return the buffers of the operands of a call of the host. Weights are read where they lie. The others are to
        lie side by side in one segment: tensors of one segment that nothing else reads can, and so can one alone. Else
        scratch ones that nothing else reads are in place, and others are copied there.
        """
        computed = [v for v in op.inputs if self._segment(self.buffers[v]) != "weights"]
        own = [self.buffers[value] for value in computed if self._is_only_read_by_call(value)]
        segments = {self._segment(buffer) for buffer in own}
        if len(computed) < 2 or (len(own) == len(computed) and len(segments) == 1):
            return [self.buffers[value] for value in op.inputs]
        return [
            self.buffers[value]
            if value not in computed
            or (
                self._is_only_read_by_call(value)
                and self._segment(self.buffers[value]) == "scratch"
            )
            else self._copied(value, f"{op.result_name.data}.operand{number}", op.location)
            for number, value in enumerate(op.inputs)
        ]

    def _is_only_read_by_call(self, value: SSAValue) -> bool:
        buffer = self.buffers[value].owner
        assert isinstance(buffer, tile.GlobalOp)
        order = buffer.order.get_values()
        return value.has_one_use() and tuple(order) == tuple(range(len(order)))

    @staticmethod
    def _segment(buffer: SSAValue) -> str:
        assert isinstance(buffer.owner, tile.GlobalOp)
        return buffer.owner.segment.data

    def _copied(self, value: SSAValue, name: str, location: LocationAttr) -> SSAValue:
        """Add a layer that copies a tensor to a dense buffer of its own in scratch, and return that buffer."""
        name = self._unique(name)
        layout, storage = row_major(shape_of(value)), element_storage(value.type)
        buffer = self._declare(global_buffer(name, "scratch", layout, storage), location)
        type = value.type
        assert isinstance(type, TensorType)
        copy = _reshape_op(value, type, name, location)
        self._layer(copy, [self.buffers[value]], buffer)
        copy.erase()
        return buffer

    def _copy_to_output(self, value: SSAValue, buffer: SSAValue, name: str) -> None:
        """Copy a result that no op writes to its output buffer there, by a reshape to its own shape. It has the name of
        the output, unless an op has it already.
        """
        name = self._unique(f"{name}.copy") if name in self._results else name
        op = tpu.ReshapeOp.create(
            operands=[value], result_types=[value.type], properties={"name": StringAttr(name)}
        )
        self._layer(op, [self.buffers[value]], buffer)
        op.erase()

    def _reshape(
        self, source: SSAValue, result: SSAValue, name: str, location: LocationAttr
    ) -> None:
        """Add a reshape as one layer if both shapes are nests of the same factors, else as two layers through a tensor
        of one axis.
        """
        type = result.type
        assert isinstance(type, TensorType)
        value, buffer = source, self.buffers[source]
        spare: list[Operation] = []
        if refine(shape_of(source), type.get_shape()) is None:
            elements = row_major((prod(type.get_shape()),))
            flat_type = TensorType(type.element_type, elements.shape)
            flat = self._unique(f"{name}.flat")
            flat_buffer = self._declare(
                global_buffer(flat, "scratch", elements, element_storage(type)), location
            )
            step = _reshape_op(value, flat_type, flat, location)
            spare.append(step)
            self._layer(step, [buffer], flat_buffer)
            value, buffer = step.results[0], flat_buffer
        last = _reshape_op(value, type, name, location)
        spare.append(last)
        self._layer(last, [buffer], self.buffers[result])
        for op in reversed(spare):
            op.erase()

    def _layer(self, op: tpu.TpuOp, inputs: list[SSAValue], output: SSAValue) -> None:
        """Add one layer, with a copy of `op` on block arguments."""
        body = Block(arg_types=[operand.type for operand in op.operands])
        inner = type(op).create(
            operands=body.args,
            result_types=[op.results[0].type],
            properties=op.properties,
            attributes=op.attributes,
            location=op.location,
        )
        end = tile.YieldOp.create(operands=[inner.results[0]], location=op.location)
        body.add_ops([inner, end])
        window = flatten(whole(shape_of(op.results[0])))
        self.operations.append(
            tile.LayerOp.create(
                operands=[*inputs, output],
                properties={"window": ints(window)},
                regions=[Region(body)],
                location=op.location,
            )
        )
        self.layers += 1


def _reshape_op(
    value: SSAValue, type: TensorType, name: str, location: LocationAttr
) -> tpu.ReshapeOp:
    return tpu.ReshapeOp.create(
        operands=[value],
        result_types=[type],
        properties={"name": StringAttr(name)},
        location=location,
    )


def _port_buffer(port: NetworkPort) -> tile.GlobalOp:
    """Declare the buffer of an input or output. Raises DiagnosticError if it has no fixed shape."""
    form = port.format
    last = form.port_shape[-1] if form.shape else 1
    op = global_buffer(port.name, port.side, Layout(form.shape, form.order, last), form.storage)
    if form.model != form.storage:
        op.properties["model"] = text(form.model)
    if form.quantization is not None:
        op.properties["scale"] = real(form.quantization.scale)
        op.properties["zero_point"] = integer(form.quantization.zero_point)
    return op
