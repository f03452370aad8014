"""Computes the values of a program by executing its instructions on bytes.

Loads and stores move bytes between memories. Every other instruction passes the bytes of its operands to the function
of `backends/numerics/device/` that its class names, with its fields as keyword arguments. Several samples run at once,
as the leading axis of every array (see `memory.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError, contained
from ...diagnostics.plugin_fault import plugin_frame
from ...instructions.instruction_set import (
    HEADER,
    SEGMENTS,
    Access,
    HostCall,
    Instruction,
    Load,
    Store,
    Sync,
)
from ...numerics.functions.function import FunctionError
from ...numerics.storage import bytes_of, dtype_of
from ...program.program import Program
from ..streams.streams import Streams, decode_program
from .memory import Memory
from .samples import joined, samples_of
from .schedule import execution_order

CHUNK_BYTES = 256 << 20
"""How many bytes the private memories of samples that run together may take; one sample may take more.
"""

Progress = Callable[[int, int], None]
"""Called with (samples done, number of samples)."""

_HEADER_NAMES = frozenset(field.name for field in HEADER)


class Stretch(NamedTuple):
    """Bytes [low, high) of a memory: of segment `place` in space "global", of core `place` in "local" and "acc"."""

    space: str
    place: int
    low: int
    high: int


class _State:
    """The memories of one chunk of samples."""

    def __init__(self, program: Program, samples: int) -> None:
        self.samples = samples
        self.segments = [
            Memory(
                program.segment_sizes.get(name, 0),
                samples,
                program.weight_bytes if name == "weights" else None,
            )
            for name in SEGMENTS
        ]
        self.local = [Memory(size, samples) for size in program.local_bytes]
        self.acc = [Memory(size, samples) for size in program.acc_bytes]

    def memory(self, space: str, core: int, segment: int) -> Memory:
        """Return the memory that an access touches."""
        if space == "global":
            return self.segments[segment]
        return (self.local if space == "local" else self.acc)[core]


_Step = Callable[[_State], None]


class FunctionalSimulator:
    """A program prepared to run any number of times."""

    def __init__(self, program: Program, streams: Streams | None = None) -> None:
        """Prepare a program; `streams` is the decoded program, if it is decoded already.

        Raises DiagnosticError if the program cannot run to its end.
        """
        self.program = program
        streams = streams or decode_program(program)
        self._names: list[str] = []
        self._steps: list[_Step] = []
        self._numbers: list[int] = []
        self.host_seconds: float | None = None
        """The seconds that calls of the host have taken so far; None if the program has no such calls."""
        for number in execution_order(streams):
            step = _make_step(streams, number)
            if streams.kinds[number] is HostCall and step is not None:
                step = self._measured(step)
            if step is not None:
                self._steps.append(step)
                self._numbers.append(number)
                self._names.append(streams.name(number))

    def _measured(self, step: _Step) -> _Step:
        """Wrap the step of a call of the host so that its time is added to `host_seconds`."""
        self.host_seconds = 0.0

        def measured(state: _State) -> None:
            start = perf_counter()
            step(state)
            self.host_seconds = (self.host_seconds or 0.0) + perf_counter() - start

        return measured

    def bytes_before(
        self, inputs: Mapping[str, np.ndarray], wanted: Sequence[tuple[int, Stretch]]
    ) -> list[np.ndarray]:
        """Return bytes of memory as they are just before some instructions run.

        Each of `wanted` is an instruction's number and the bytes; the result has u8 [samples, bytes] for each.

        Raises DiagnosticError as `run` does.
        """
        arrays, samples = samples_of(self.program.inputs, inputs)
        state = self._loaded(arrays, 0, samples)
        asked: dict[int, list[int]] = {}
        for index, (number, _) in enumerate(wanted):
            asked.setdefault(number, []).append(index)
        found: dict[int, np.ndarray] = {}
        with np.errstate(all="ignore"):
            for step, number in zip(self._steps, self._numbers, strict=True):
                if len(found) == len(wanted):
                    break
                for index in asked.get(number, ()):
                    space, place, low, high = wanted[index][1]
                    data = state.memory(space, place, place).read(low, high)
                    found[index] = np.array(np.broadcast_to(data, (samples, high - low)))
                step(state)
        return [found[index] for index in range(len(wanted))]

    def _loaded(self, arrays: Mapping[str, np.ndarray], begin: int, count: int) -> _State:
        """Return memories that hold the inputs of `count` samples."""
        state = _State(self.program, count)
        segment = state.segments[SEGMENTS.index("input")]
        for port in self.program.inputs:
            segment.write(port.offset, arrays[port.name][begin : begin + count])
        return state

    def run(
        self,
        inputs: Mapping[str, np.ndarray],
        progress: Progress | None = None,
        raw_io: bool = False,
    ) -> dict[str, np.ndarray]:
        """Run the program on inputs by name and return outputs by name; inputs of S times their axis 0 hold S samples.

        They are the model's values, with `raw_io` what the ports hold.

        Raises DiagnosticError if an input is missing or unknown, or does not fit.
        """
        arrays, samples = samples_of(self.program.inputs, inputs, raw_io)
        outputs = self.run_bytes(arrays, samples, progress)
        return joined(self.program.outputs, outputs, samples, raw_io)

    def run_bytes(
        self, inputs: Mapping[str, np.ndarray], samples: int, progress: Progress | None = None
    ) -> dict[str, np.ndarray]:
        """Run the program on inputs u8 [samples, bytes] by name, and return outputs u8 [samples, bytes] by name."""
        chunk = self._chunk(samples)
        parts: dict[str, list[np.ndarray]] = {port.name: [] for port in self.program.outputs}
        for begin in range(0, samples, chunk):
            count = min(chunk, samples - begin)
            for name, value in self._run_chunk(inputs, begin, count).items():
                parts[name].append(value)
            if progress is not None:
                progress(begin + count, samples)
        return {name: np.concatenate(arrays) for name, arrays in parts.items()}

    def _chunk(self, samples: int) -> int:
        sizes = self.program.segment_sizes
        private = sum(sizes.get(name, 0) for name in SEGMENTS if name != "weights")
        private += sum(self.program.local_bytes) + sum(self.program.acc_bytes)
        return max(1, min(samples, CHUNK_BYTES // max(private, 1)))

    def _run_chunk(
        self, arrays: Mapping[str, np.ndarray], begin: int, count: int
    ) -> dict[str, np.ndarray]:
        """Run `count` samples from `begin` on, and return outputs u8 [count, bytes] by name."""
        state = self._loaded(arrays, begin, count)
        with np.errstate(all="ignore"):
            for step, name in zip(self._steps, self._names, strict=True):
                try:
                    with contained(f"in {name}"):
                        step(state)
                except FunctionError as error:
                    raise DiagnosticError(
                        f"{name} cannot be computed: {error}",
                        hint="give inputs for which the function is defined",
                    ) from None
                except (ValueError, OverflowError) as error:
                    if plugin_frame(error.__traceback__) is not None:
                        raise
                    raise DiagnosticError(
                        f"{name} cannot be executed: {error}", hint="compile the program again"
                    ) from error
        segment = state.segments[SEGMENTS.index("output")]
        return {
            port.name: np.array(
                np.broadcast_to(
                    segment.read(port.offset, port.offset + port.size), (count, port.size)
                )
            )
            for port in self.program.outputs
        }


# Instructions as functions of the memories


def _make_step(streams: Streams, number: int) -> _Step | None:
    kind, fields, core = streams.kinds[number], streams.fields[number], streams.core[number]
    if kind is Sync:
        return None
    if kind in (Load, Store):
        return _transfer(streams, number)
    if kind is HostCall:
        call = streams.program.calls[fields["call"] - 1]
        fields = {**fields, "call": call.loaded(streams.program.weight_bytes)}
    return _compute(kind, fields, core)


_Operand = tuple[str, str, int, int, int, np.dtype]
"""Keyword, memory space, segment, first byte, byte past the last, type."""


def _compute(kind: type[Instruction], fields: Mapping[str, Any], core: int) -> _Step:
    """Return the step of an instruction that the function of its class computes."""
    function = kind.numerics
    assert function is not None
    operands, out = _operands(kind, fields)
    addresses = {field.name for field in kind.fields if field.kind == "address"}
    options = {
        name: value
        for name, value in fields.items()
        if name not in addresses and name not in _HEADER_NAMES
    }

    def step(state: _State) -> None:
        arrays = {
            name: state.memory(space, core, segment).read(start, end).view(dtype)
            for name, space, segment, start, end, dtype in operands
        }
        result = np.asarray(function(**arrays, **options))
        lead = max((len(array) for array in arrays.values()), default=1)
        flat = np.ascontiguousarray(result).reshape(lead, -1).view(np.uint8)
        _write(state.memory(out.space, core, out.segment), out, flat)

    return step


def _write(memory: Memory, access: Access, data: np.ndarray) -> None:
    """Write u8 [1 or samples, bytes] to the runs of an access."""
    if not access.counts:
        memory.write(access.address, data)
        return
    shape = (*access.counts, access.run_bytes)
    low, high = access.extent()
    view = memory.strided(low, high, access.address, shape, (*access.strides, 1), len(data) > 1)
    view[...] = data.reshape(len(data), *shape)


def _operands(kind: type[Instruction], f: Mapping[str, Any]) -> tuple[list[_Operand], Access]:
    """Return the operands that a computing instruction reads, and the bytes that it writes.

    An operand in global memory has a field that names its segment.
    """
    reads: list[_Operand] = []
    for name, elements, storage, space in kind.reads(f):
        segment = SEGMENTS.index(f[f"{name}_segment"]) if space == "global" else 0
        end = f[name] + bytes_of(elements, storage)
        reads.append((name, space, segment, f[name], end, dtype_of(storage)))
    return reads, next(access for access in kind.accesses(f) if access.write).joined()


def _transfer(streams: Streams, number: int) -> _Step:
    """Return the step of a load or store, which copies equal runs, each followed by `pad` bytes of `fill`."""
    f = streams.fields[number]
    source, target = streams.accesses(number)
    run, pad, fill = f["run"], f["pad"], f["fill"]
    kept = [d for d in range(4) if f[f"count{d}"] > 1]
    counts = [f[f"count{d}"] for d in kept]
    steps = {side: [f[f"{side}_stride{d}"] for d in kept] for side in ("src", "dst")}
    # Runs that follow each other without a gap in source and target are one run.
    if not pad:
        for d in sorted(range(len(kept)), key=lambda d: steps["src"][d]):
            if steps["src"][d] == steps["dst"][d] == run:
                run *= counts[d]
                counts[d] = 0
        steps = {
            side: [s for s, n in zip(values, counts, strict=True) if n]
            for side, values in steps.items()
        }
        counts = [n for n in counts if n]
    places = [
        (access.space, access.core or 0, access.segment, *access.extent(), access.address)
        for access in (source, target)
    ]
    shape = tuple(counts)
    src_strides, dst_strides = (*steps["src"], 1), (*steps["dst"], 1)

    def step(state: _State) -> None:
        space, core, segment, low, high, address = places[0]
        origin = state.memory(space, core, segment)
        if not shape:
            data = origin.read(address, address + run)
        else:
            data = origin.strided(low, high, address, (*shape, run), src_strides, False)
        space, core, segment, low, high, address = places[1]
        memory = state.memory(space, core, segment)
        if memory is origin:
            data = data.copy()
        if not shape and not pad:
            memory.write(address, data)
            return
        view = memory.strided(low, high, address, (*shape, run + pad), dst_strides, len(data) > 1)
        view[..., :run] = data
        if pad:
            view[..., run:] = fill

    return step
