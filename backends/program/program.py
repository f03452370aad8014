"""A compiled program: what the simulator runs and what a `.smalti` file holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..instructions.instruction_set import SEGMENTS
from ..numerics.functions.call import Call
from ..numerics.ports.port_format import PortFormat
from ..numerics.quantization import Quantization
from ..numerics.storage import bytes_of
from ..targets.target import Target
from .lower_bound import LowerBound


@dataclass(frozen=True)
class Port:
    """An input or output of the network: a dense tensor in the segment "input" or "output".

    `offset` is the byte of the segment at which it starts; `storage` a storage type's name; `shape`
    the ONNX shape. `order` lists its axes as they lie in memory, outermost first; None if they lie in their own order.
    `model` is the storage type of the model's tensor; None if it is `storage`. `quantization` says what numbers of the
    model the port's integers stand for; None if they stand for themselves.
    """

    name: str
    shape: tuple[int, ...]
    storage: str
    offset: int
    order: tuple[int, ...] | None = None
    model: str | None = None
    quantization: Quantization | None = None

    @staticmethod
    def of(name: str, offset: int, form: PortFormat) -> Port:
        """Return the port of this format."""
        plain = PortFormat.plain(form.shape, form.storage)
        order = None if form.order == plain.order else form.order
        model = None if form.model == form.storage else form.model
        return Port(name, form.shape, form.storage, offset, order, model, form.quantization)

    def __str__(self) -> str:
        return f"{self.name}: {self.format}"

    @property
    def format(self) -> PortFormat:
        """How the port holds the model's tensor."""
        order = tuple(range(len(self.shape))) if self.order is None else self.order
        model = self.storage if self.model is None else self.model
        return PortFormat(self.shape, self.storage, order, model, self.quantization)

    @property
    def size(self) -> int:
        """Bytes that the tensor takes."""
        return bytes_of(math.prod(self.shape), self.storage)


@dataclass(frozen=True)
class DebugEntry:
    """What instructions compute: the result name of a `tpu` op ("" if unknown) and the ONNX nodes that it comes
    from.
    """

    op: str = ""
    nodes: tuple[str, ...] = ()


DebugMap = list[DebugEntry]
"""The entries by number, which the field `debug` of an instruction holds. Entry 0 is always empty, `DebugEntry()`.
"""


@dataclass(eq=False, repr=False)
class Program:
    """The encoded program of all cores with everything needed to run and explain it.

    `streams[c]` is the stream of virtual core c: an array [n] of dtype `encoding.WORD`. `weights` are the bytes of the
    segment "weights" (any bytes-like object). `segment_sizes` gives the bytes of each segment of global memory;
    `counters` how many counters each core uses; `local_bytes` and `acc_bytes` how much of each memory each core uses.
    `target_reference` is what `load_target` accepts to find the target again (a name or a path). `statistics` are
    counts that the passes of the compiler reported. `calls` are what the host computes, by the number (from 1) that
    instructions name. `lower_bound` are the cycles that the network needs at least; None
    if the program was not made of a network. `schedule` is the text of how its layers are carried out, as
    `smalti compile --schedule` reads it; "" if the program was made of layers that were divided and tiled already.
    `dma_queues` is how many queues of each DMA engine it uses; None for all that the target has. `parts` are the
    numbers of cores of the programs that it was joined of (`side_by_side.py`); empty if it is one.
    """

    target: Target
    streams: list[np.ndarray]
    weights: bytes | bytearray | memoryview | np.ndarray = b""
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    segment_sizes: dict[str, int] = field(default_factory=dict)
    counters: int = 0
    local_bytes: list[int] = field(default_factory=list)
    acc_bytes: list[int] = field(default_factory=list)
    debug: DebugMap = field(default_factory=lambda: [DebugEntry()])
    calls: list[Call] = field(default_factory=list)
    name: str = "program"
    statistics: dict[str, int] = field(default_factory=dict)
    target_reference: str = ""
    lower_bound: LowerBound | None = None
    schedule: str = ""
    dma_queues: int | None = None
    parts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Fill in absent fields: segment sizes, memory use (all of the memory) and the target's name."""
        self.segment_sizes = _all_segments(self.segment_sizes, self.weight_bytes.size)
        if not self.local_bytes:
            self.local_bytes = [self.target.local_memory.size_bytes] * len(self.streams)
        if not self.acc_bytes:
            self.acc_bytes = [self.target.matrix.accumulator_bytes] * len(self.streams)
        self.target_reference = self.target_reference or self.target.name

    def __repr__(self) -> str:
        cores = f"{len(self.streams)} core{'s' * (len(self.streams) != 1)}"
        return f"<Program {self.name!r}: {self.instruction_count:,} instructions on {cores} of {self.target.name}>"

    @property
    def weight_bytes(self) -> np.ndarray:
        """`weights` as a u8 array [n], without a copy."""
        if isinstance(self.weights, np.ndarray):
            return self.weights.reshape(-1).view(np.uint8)
        if len(self.weights) == 0:
            return np.zeros(0, np.uint8)
        return np.frombuffer(self.weights, np.uint8)

    @property
    def queues(self) -> int:
        """How many transfers of a DMA engine move data at the same time."""
        most = self.target.dma.queues
        return most if self.dma_queues is None else min(most, self.dma_queues)

    @property
    def instruction_count(self) -> int:
        """Instructions of all cores together."""
        return sum(len(stream) for stream in self.streams)

    def origin(self, debug: int) -> DebugEntry:
        """Return the entry of the debug map with this number, or entry 0 if there is none."""
        return self.debug[debug] if debug < len(self.debug) else self.debug[0]


def _all_segments(sizes: Mapping[str, int], weights: int) -> dict[str, int]:
    """Return the sizes of all segments in the order of their codes; unknown names, which the check reports, come
    last.
    """
    known = {name: sizes.get(name, weights if name == "weights" else 0) for name in SEGMENTS}
    return known | {name: size for name, size in sizes.items() if name not in SEGMENTS}
