"""Cuts ops out of IR of any level, into IR that runs by itself on the inputs that they really saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import SSAValue
from xdsl.rewriter import Rewriter

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....backends.interpreter.samples import main_function
from ....backends.numerics.storage import dtype_of
from ....dialects import tile
from ....dialects.ir.attribute import ints
from ....dialects.level import NETWORK_LEVELS
from ....dialects.network.ports import (
    SIDES,
    NetworkPort,
    network_ports,
    set_network_ports,
)
from ....dialects.quant.element_type import element_storage, shape_of
from ....dialects.tile.buffer import erase_unused_views
from ...compilation.pipelines import level_of
from .. import network_reduction
from ..experiment import IrExperiment
from ..kept_ports import open_kept_tensors
from ..recording import record
from .instruction_extraction import extract_instructions
from .selection import Selection


def extract(
    experiment: IrExperiment, selection: Selection, inputs: Mapping[str, np.ndarray]
) -> tuple[IrExperiment, dict[str, np.ndarray]]:
    """Return the chosen ops as IR of their own, and its inputs: what they read when the whole runs on `inputs`.

    A value that other ops made becomes an input of the same name; a result that no chosen op reads becomes an output.
    Storage is kept: the input of a quantized value has the stored integers, and those of instructions are bytes.

    Raises DiagnosticError if no op has one of the names, or if the inputs do not fit.
    """
    level = level_of(experiment.module)
    if level in NETWORK_LEVELS:
        return _from_network(experiment, selection, inputs)
    if level == "tile":
        return _from_tiles(experiment, selection, inputs)
    return extract_instructions(experiment, selection, inputs)


def _from_network(
    experiment: IrExperiment, selection: Selection, inputs: Mapping[str, np.ndarray]
) -> tuple[IrExperiment, dict[str, np.ndarray]]:
    ops = network_reduction.network_ops(main_function(experiment.module))
    chosen = selection.of(ops, [op.result_name.data for op in ops])
    part = network_reduction.keep(experiment, chosen)
    seen = record(experiment.module, experiment.ctx, inputs)
    function = main_function(part.module)
    ports = network_ports(function, "input")
    values = {port.name: seen[port.name] for port in ports}
    for port in [port for port in ports if port.is_converted]:
        samples = values[port.name].reshape(-1, *port.format.shape)
        stored = port.format.stored(samples)
        values[port.name] = stored.reshape(values[port.name].shape)
    for side in SIDES:
        plain = [NetworkPort(side, each.name, each.type) for each in network_ports(function, side)]
        set_network_ports(function, side, plain)
    return part, values


def _from_tiles(
    experiment: IrExperiment, selection: Selection, inputs: Mapping[str, np.ndarray]
) -> tuple[IrExperiment, dict[str, np.ndarray]]:
    """Return the chosen layers, or copies and computations.

    Buffers in global memory that other steps wrote become inputs, those that the chosen steps write become outputs; of
    tensors that cores keep, those that no chosen step reads.
    Raises DiagnosticError if a chosen step reads a buffer that other steps write in part.
    """
    module = experiment.module.clone()
    program = tile.program_of(module)
    steps = program.steps
    chosen = set(selection.of(steps, [op.tpu_name or "" for op in steps]))
    written = _written(steps, sorted(chosen))
    for number, op in enumerate(steps):
        if number not in chosen:
            op.detach()
            op.erase()
    _without_addresses(module)
    seen = record(experiment.module, experiment.ctx, inputs)
    opened = open_kept_tensors(program)
    values = {
        tensor.name: tensor.values(seen[tensor.name])
        for port, tensor in opened.items()
        if port.segment.data == "input"
    }
    erase_unused_views(program.body.block)
    for op in program.buffers:
        if op.output.first_use is None:
            op.detach()
            op.erase()
        elif isinstance(op, tile.GlobalOp) and op.segment.data != "weights" and op not in opened:
            segment = "output" if op.output in written else "input"
            value = _make_port(op, segment, seen.get(op.buffer_name.data))
            if value is not None:
                values[op.buffer_name.data] = value
    return IrExperiment(experiment.passes, module, experiment.ctx), values


def _make_port(op: tile.GlobalOp, segment: str, value: np.ndarray | None) -> np.ndarray | None:
    """Make a buffer an input or output, which are dense; for an input return its value.

    Layers take any layout, and get ONNX's. Copies and computations have strides, so for them the tensor becomes the
    one that lies in memory: its axes in physical order, its lanes padded.
    """
    if value is not None and op.segment.data == "input":
        # Inputs are known as the model has them, other tensors as they are stored.
        value = op.format.stored(value.reshape(-1, *op.format.shape))
    for name in ("model", "scale", "zero_point"):
        op.properties.pop(name, None)
    op.properties["segment"] = StringAttr(segment)
    shape, order = op.shape.get_values(), op.order.get_values()
    physical, storage = shape_of(op.output), element_storage(op.output.type)
    dense = order == tuple(range(len(shape))) and physical == tuple(shape)
    in_layers = all(isinstance(use.operation, tile.LayerOp) for use in op.output.uses)
    if value is not None:
        value = value.astype(dtype_of(storage)).reshape(-1, *shape)
    if not dense and in_layers:
        op.properties["order"] = ints(range(len(shape)))
        type = tile.buffer_type(shape, storage, "global")
        Rewriter.replace_value_with_new_type(op.output, type)
    elif not dense:
        if value is not None:
            value = op.to_physical(value)
        op.properties["shape"] = ints(physical)
        op.properties["order"] = ints(range(len(physical)))
    if value is None or segment == "output":
        return None
    return value.reshape(-1, *value.shape[2:]) if value.ndim > 1 else value.reshape(())


def _written(steps: Sequence[tile.StepOp], chosen: Sequence[int]) -> set[SSAValue]:
    """Return the buffers that the chosen steps write.

    Raises DiagnosticError if one is read before, which means that other steps write a part of it.
    """
    all_written = {tile.buffer_of(steps[number].buffer_written) for number in chosen}
    done: set[SSAValue] = set()
    for number in chosen:
        target = tile.buffer_of(steps[number].buffer_written)
        for operand in map(tile.buffer_of, steps[number].operands):
            if operand is not target and operand in all_written - done:
                raise DiagnosticError(
                    f"step {number} reads what chosen ops write later, so others write it too",
                    hint="choose whole layers",
                )
        done.add(target)
    return all_written


def _without_addresses(module: ModuleOp) -> None:
    """Take the addresses away, because the inputs and outputs lie in other segments now."""
    for op in module.walk():
        if isinstance(op, tile.BufferOp):
            op.properties.pop("address", None)
