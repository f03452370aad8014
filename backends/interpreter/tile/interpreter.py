"""The tile interpreter: executes a tile.program in program order, which is what the program means.

It runs tile IR at every stage: layers that are not tiled yet (their tpu ops run on logical tensors, and the window of
the result is written), copies and computations on tiles, before and after addresses are assigned. Without addresses
each buffer has bytes of its own; with addresses the buffers of a memory share one array of bytes, so that a wrong
address shows. A read of bytes that nobody wrote, or that another buffer has overwritten, is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ....dialects import tile
from ....dialects.ir.attribute import values_of
from ....dialects.ir.location import place_of
from ....dialects.ir.target_attribute import target_name_of, target_of
from ....dialects.ir.weights import WeightStore
from ....dialects.quant.element_type import shape_of
from ....dialects.tile.analysis.weight_data import weight_data
from ....dialects.tile.checks import is_dense, pitch_of
from ....passes.tile.given_addresses import check_inside_memories
from ...diagnostics.diagnostic import DiagnosticError, contained
from ...instructions.instruction_set import BY_MNEMONIC, Instruction
from ...instructions.operand_access import operand_accesses, with_operands_apart
from ...numerics.functions.function import FunctionError
from ...numerics.strided_view import strided_view
from ..samples import MAX_LIVE_BYTES, joined, stored_samples
from ..tpu import run_body
from .buffers import ProgramBuffers
from .kept_tensors import KeptTensors
from .memory import Buffer, Memory

Observer = Callable[[str, np.ndarray], None]


def run_tile(
    module: ModuleOp,
    weights: WeightStore,
    inputs: Mapping[str, np.ndarray],
    *,
    observe: Observer | None = None,
    raw_io: bool = False,
) -> dict[str, np.ndarray]:
    """Run the tile program of `module` and return its outputs by name.

    Args:
        module: a module with one tile.program, at any stage before the conversion to isa.
        weights: the store that the program's weight buffers refer to.
        inputs: arrays by input name, of the declared shape, or with S times its axis 0: S samples.
        observe: called as observe(name, value) for every buffer in global memory that the program
            writes, and for every tensor that cores keep, after its last write, with the logical tensor
            in its storage type, sample axis first.
        raw_io: take and return what the ports hold, in their layouts and storage types, not the model's values.

    Raises:
        DiagnosticError: if an input is missing, unknown or of a wrong shape, if an address lies outside the target's
            memory, or if the program reads bytes that nobody wrote or reaches outside a buffer.
    """
    buffers = ProgramBuffers.of(tile.program_of(module))
    if target_name_of(module) is not None:
        check_inside_memories((spec.use for spec in buffers.specs.values()), target_of(module))
    specs = {name: buffers.specs[buffer] for name, buffer in buffers.inputs.items()}
    formats = {name: spec.tensor.format for name, spec in specs.items()}
    arrays, samples = stored_samples(formats, inputs, raw_io)
    chunk = max(1, min(samples, MAX_LIVE_BYTES // max(1, buffers.bytes_per_sample)))
    outputs: dict[str, list[np.ndarray]] = {name: [] for name in buffers.outputs}
    seen: dict[str, list[np.ndarray]] = {}
    for start in range(0, samples, chunk):
        stop = min(start + chunk, samples)
        run = _Run(buffers, weights, stop - start, {k: v[start:stop] for k, v in arrays.items()})
        for name, value in run.execute(observe is not None):
            if name in outputs:
                outputs[name].append(value)
            if observe is not None:
                seen.setdefault(name, []).append(value)
    if observe is not None:
        for name, parts in seen.items():
            value = np.concatenate(parts)
            shape = value.shape[1:]
            observe(
                name,
                value if len(value) == samples else np.broadcast_to(value[:1], (samples, *shape)),
            )
    given = {
        name: buffers.specs[buffer].tensor.format.given(np.concatenate(outputs[name]), raw_io)
        for name, buffer in buffers.outputs.items()
    }
    return {
        name: joined(value if len(value) == samples else value[:1], samples)
        for name, value in given.items()
    }


class _ProgramError(Exception):
    """A mistake in one op of the program; it becomes a diagnostic that names the op."""


class _Run:
    """One execution of a program for a chunk of samples."""

    def __init__(
        self,
        program: ProgramBuffers,
        weights: WeightStore,
        samples: int,
        inputs: Mapping[str, np.ndarray],
    ) -> None:
        self.program = program
        self.weights = weights
        self.samples = samples
        self.inputs = inputs
        self.buffers: dict[SSAValue, Buffer] = {}
        self._kept = KeptTensors(program.specs)
        self.memories = {
            place: Memory(size, samples) for place, size in program.memory_sizes.items()
        }

    def execute(self, observing: bool) -> Iterator[tuple[str, np.ndarray]]:
        """Run every step; yield each output (if `observing`, each tensor that the program writes) once it is
        complete.
        """
        for name, value in self.program.inputs.items():
            buffer = self._buffer(value)
            buffer.write(self.program.specs[value].tensor.to_physical(self.inputs[name]))
            buffer.writable = False
        for index, op in enumerate(self.program.steps):
            try:
                self._step(op)
            except _ProgramError as error:
                raise _diagnostic(op, index, str(error)) from None
            yield from self._finished(op, index, observing)
        for name, value in self.program.outputs.items():
            if self._missing(value):
                raise DiagnosticError(f"the program does not write the whole of output '{name}'")
            yield name, self._logical(value)

    def _finished(
        self, op: tile.StepOp, index: int, observing: bool
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the buffers that step `index` was the last to write, and free those that it was the last to use."""
        for operand in dict.fromkeys(map(tile.buffer_of, op.operands)):
            spec = self.program.specs[operand]
            whole = spec.use.last_write == index and spec.use.is_global
            if observing and whole and spec.segment != "output":
                yield spec.label, self._logical(operand)
            own = spec.use.op
            if observing and isinstance(own, tile.AllocOp) and own.tensor is not None:
                complete = spec.use.last_write == index and self._kept.add(
                    own, self._buffer(operand).values()
                )
                if complete:
                    yield complete
            if spec.use.last == index and spec.segment not in ("input", "output"):
                del self.buffers[operand]

    def _logical(self, value: SSAValue) -> np.ndarray:
        return self.program.specs[value].tensor.to_logical(self._buffer(value).values()).copy()

    def _missing(self, value: SSAValue) -> bool:
        """Return whether any logical element of a global buffer was not written, or was overwritten through another
        buffer.
        """
        spec, buffer = self.program.specs[value], self._buffer(value)
        written = (buffer.writers() == buffer.number).all(axis=1)
        return not spec.tensor.to_logical(written.reshape(1, *spec.shape)).all()

    def _buffer(self, value: SSAValue) -> Buffer:
        """Return the bytes of a buffer, which are allocated at its first use, or of a view of one."""
        if isinstance(value.owner, tile.ViewOp):
            owner, offset = tile.viewed(value)
            pitch = None if is_dense(value) else pitch_of(value)
            return self._buffer(owner.output).view(offset, shape_of(value), pitch)
        buffer = self.buffers.get(value)
        if buffer is not None:
            return buffer
        spec = self.program.specs[value]
        op = spec.use.op
        writable, number, address = True, 1, 0
        if isinstance(op, tile.GlobalOp) and spec.segment == "weights":
            memory = Memory.holding(weight_data(op, self.weights), self.samples)
            writable = False
        elif spec.address is not None:
            memory, number, address = self.memories[spec.use.memory], spec.number, spec.address
        else:
            memory = Memory(spec.size_bytes, self.samples, private=True)
        buffer = Buffer(number, spec.label, memory, address, spec.shape, spec.dtype, writable)
        self.buffers[value] = buffer
        return buffer

    def _target(self, value: SSAValue) -> Buffer:
        buffer = self._buffer(value)
        if not buffer.writable:
            raise _ProgramError(f"'{buffer.label}' cannot be written: it is an input or weights")
        return buffer

    def _step(self, op: tile.StepOp) -> None:
        if isinstance(op, tile.CopyOp):
            _copy(op, self._buffer(op.source), self._target(op.target))
        elif isinstance(op, tile.LayerOp):
            self._layer(op)
        elif isinstance(op, tile.HostCallOp):
            self._call(op)
        elif isinstance(op, tile.CoreOp):
            self._compute(op)

    def _layer(self, op: tile.LayerOp) -> None:
        """Run the body on whole logical tensors and write the window of the result."""
        arguments: list[np.ndarray] = []
        for value in op.inputs:
            if op.slice is None and self._missing(value):
                label = self.program.specs[value].label
                raise _ProgramError(f"reads elements of '{label}' that nobody wrote")
            spec = self.program.specs[value]
            arguments.append(spec.tensor.to_logical(self._buffer(value).values()))
        value = run_body(op.body.block, arguments, self.weights)
        spec, target = self.program.specs[op.output], self._target(op.output)
        target.prepare_write(value.shape[0] == 1)
        bounds = op.window.get_values()
        window = [slice(low, high) for low, high in zip(bounds[::2], bounds[1::2], strict=True)]
        box = (slice(None), *window)
        spec.tensor.to_logical(target.values())[box] = value[box]
        order = values_of(spec.tensor.order)
        physical = [window[axis] for axis in order]
        low, high = spec.tensor.padding
        if physical and physical[-1].stop == low:
            # The layer that writes the end of a row also writes the row's padding.
            target.values()[(slice(None), *physical[:-1], slice(low, high))] = 0
            physical[-1] = slice(physical[-1].start, high)
        target.writers().reshape(*spec.shape, -1)[tuple(physical)] = target.number

    def _call(self, op: tile.HostCallOp) -> None:
        """Have the host's function computed on whole buffers."""
        arguments: list[np.ndarray] = []
        for value in op.inputs:
            buffer = self._buffer(value)
            if (unwritten := buffer.unwritten()) is not None:
                raise _ProgramError(
                    f"reads byte {unwritten} of '{buffer.label}', which nobody wrote"
                )
            arguments.append(buffer.values())
        try:
            with contained(f"in {op.name}"):
                result = op.call().compute(arguments)
        except FunctionError as error:
            raise _ProgramError(f"cannot be computed: {error}") from None
        self._target(op.out).write(result)

    def _compute(self, op: tile.CoreOp) -> None:
        """Run a computation on tiles with the device function that its instruction names."""
        mnemonic, fields, operands = op.checked_instruction()
        instruction = BY_MNEMONIC[mnemonic]
        buffers = {name: self._buffer(value) for name, value in operands.items()}
        complete = with_operands_apart(instruction, fields, list(buffers))
        _check_accesses(instruction, complete, buffers)
        target = self._target(op.buffer_written)
        arrays = {name: buffers[name].rows() for name, *_ in instruction.reads(complete)}
        assert instruction.numerics is not None
        try:
            with contained(f"in {op.name}"):
                result = np.asarray(instruction.numerics(**arrays, **fields))
        except FunctionError as error:
            raise _ProgramError(f"cannot be computed: {error}") from None
        if isinstance(op, tile.GatherOp):  # which gives the bytes of elements
            result = np.ascontiguousarray(result).view(target.dtype)
        target.write(result.reshape(-1, *target.shape))


def _check_accesses(
    instruction: type[Instruction], fields: Mapping[str, Any], buffers: Mapping[str, Buffer]
) -> None:
    """Check that the instruction stays inside its operands' buffers, and reads only bytes that were written."""
    for name, access in operand_accesses(instruction, fields, list(buffers)):
        buffer = buffers[name]
        for first, last in access.intervals().tolist():
            if last > buffer.size_bytes:
                raise _ProgramError(
                    f"reaches byte {last} of '{buffer.label}', which has {buffer.size_bytes}"
                )
            unwritten = None if access.write else buffer.unwritten(first, last)
            if unwritten is not None:
                raise _ProgramError(
                    f"reads byte {unwritten} of '{buffer.label}', which nobody wrote"
                )


def _diagnostic(op: tile.StepOp, index: int, message: str) -> DiagnosticError:
    """Return the diagnostic for a mistake in step `index`, with the ONNX nodes that the step comes from."""
    where = "" if op.core_number is None else f" on core {op.core_number}"
    return DiagnosticError(f"step {index} ({op.name}{where}) {message}", place_of(op))


def _copy(op: tile.CopyOp, source: Buffer, target: Buffer) -> None:
    """Copy a box of elements for every sample, with padding after each run."""
    sizes = op.sizes.get_values()
    pad = 0 if op.pad is None else op.pad.value.data
    come = _Box.inside(source, op.source_offset.value.data, op.source_strides.get_values(), sizes)
    if (come.view(source.writers()) != source.number).any():
        raise _ProgramError(f"reads elements of '{source.label}' that nobody wrote")
    offset, strides = op.target_offset.value.data, op.target_strides.get_values()
    go = _Box.inside(target, offset, strides, sizes)
    target.prepare_write(source.shared)
    origin = source.flat()
    for sample, plane in enumerate(target.flat()):
        go.view(plane[:, None])[...] = come.view(origin[sample % len(origin)][:, None])
    go.view(target.writers())[...] = target.number
    if pad:
        filled = _Box.inside(target, offset + sizes[-1], strides, (*sizes[:-1], pad))
        for plane in target.flat():
            filled.view(plane[:, None])[...] = (
                0 if op.pad_value is None else op.pad_value.value.data
            )
        filled.view(target.writers())[...] = target.number


@dataclass(frozen=True)
class _Box:
    """A strided box of elements that lies inside a buffer."""

    offset: int
    strides: tuple[int, ...]
    sizes: tuple[int, ...]

    @staticmethod
    def inside(
        buffer: Buffer, offset: int, strides: tuple[int, ...], sizes: tuple[int, ...]
    ) -> _Box:
        """Return a box whose last axis has stride 1. Raises _ProgramError if it does not lie in the buffer."""
        steps = (*strides[: len(sizes) - 1], 1)
        reach = [stride * (size - 1) for stride, size in zip(steps, sizes, strict=True)]
        low = offset + sum(r for r in reach if r < 0)
        high = offset + sum(r for r in reach if r > 0)
        if min(sizes) < 1 or low < 0 or high >= buffer.elements:
            raise _ProgramError(
                f"reaches elements {low} to {high} of '{buffer.label}', which has {buffer.elements}"
            )
        return _Box(offset, steps, sizes)

    def view(self, flat: np.ndarray) -> np.ndarray:
        """Return the box as a view [*sizes, k] of [elements, k]."""
        step, inner = flat.strides
        return strided_view(
            flat[self.offset :],
            shape=(*self.sizes, flat.shape[1]),
            strides=(*(stride * step for stride in self.strides), inner),
        )
