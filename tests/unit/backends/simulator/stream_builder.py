"""Builds small programs by hand, through the encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from smalti.backends.program.encoding import encode_stream
from smalti.backends.program.program import DebugEntry, Port, Program
from smalti.backends.targets.target import Target, load_target


class Builder:
    """Collects instructions by core; `program()` encodes them."""

    def __init__(
        self, cores: int = 1, target: Target | None = None, counters: int = 8, **segments: int
    ) -> None:
        self.words: list[list[tuple[str, dict[str, Any]]]] = [[] for _ in range(cores)]
        self.target = target or load_target("default-8c")
        self.counters = counters
        self.segments = {
            "input": 1 << 20,
            "output": 1 << 20,
            "scratch": 1 << 20,
            "weights": 1 << 20,
        } | segments
        self.inputs: list[Port] = []
        self.outputs: list[Port] = []
        self.debug = [DebugEntry()]

    def add(self, core: int, mnemonic: str, **fields: Any) -> None:
        """One instruction; `node` names the ONNX node that it stems from."""
        node = fields.pop("node", None)
        if node is not None:
            self.debug.append(DebugEntry(f"{node}_out", (node,)))
            fields["debug"] = len(self.debug) - 1
        self.words[core].append((mnemonic, fields))

    def load(
        self,
        core: int,
        size: int,
        src: int = 0,
        dst: int = 0,
        segment: str = "input",
        **fields: Any,
    ) -> None:
        """A contiguous load from global memory."""
        defaults = {
            "src_space": "global",
            "dst_space": "local",
            "src_segment": segment,
            "src": src,
            "dst": dst,
            "run": size,
        }
        self.add(core, "load", **(defaults | fields))

    def store(
        self,
        core: int,
        size: int,
        src: int = 0,
        dst: int = 0,
        segment: str = "output",
        **fields: Any,
    ) -> None:
        """A contiguous store to global memory."""
        defaults = {
            "src_space": "local",
            "dst_space": "global",
            "dst_segment": segment,
            "src": src,
            "dst": dst,
            "run": size,
        }
        self.add(core, "store", **(defaults | fields))

    def send(
        self, core: int, size: int, peer: int, src: int = 0, dst: int = 0, **fields: Any
    ) -> None:
        """A contiguous store to local memory: of core `peer` - 1, or the core's own if it is 0."""
        spaces = {"src_space": "local", "dst_space": "local", "peer_core": peer}
        self.add(core, "store", **spaces, src=src, dst=dst, run=size, **fields)

    def matmul(self, core: int, m: int = 64, k: int = 64, n: int = 64, **fields: Any) -> None:
        """x at 0, w at 0x10000, acc at 0, int8."""
        defaults = {
            "x": 0,
            "w": 0x10000,
            "acc": 0,
            "type": "i8",
            "acc_type": "i32",
            "m": m,
            "k": k,
            "n": n,
            "x_pitch": k,
            "out_pitch": n,
            "block": n,
            "shared_w": 1,
        }
        self.add(core, "matmul", **(defaults | fields))

    def copy_rows(
        self, core: int, x: int, out: int, rows: int = 1, columns: int = 64, **fields: Any
    ) -> None:
        """An f32 to f32 convert on the vector engine: 4 * rows * columns bytes from x to out."""
        defaults = {
            "x": x,
            "out": out,
            "in_type": "f32",
            "out_type": "f32",
            "rows": rows,
            "columns": columns,
            "in_pitch": columns,
            "out_pitch": columns,
        }
        self.add(core, "convert", **(defaults | fields))

    def program(self, weights: bytes | np.ndarray | None = None) -> Program:
        """The encoded program; absent weights are zeros."""
        return Program(
            target=self.target,
            streams=[encode_stream(words) for words in self.words],
            weights=np.zeros(self.segments["weights"], np.uint8) if weights is None else weights,
            inputs=self.inputs,
            outputs=self.outputs,
            segment_sizes=self.segments,
            counters=self.counters,
            debug=self.debug,
        )
