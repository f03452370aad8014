"""Tiles what the host computes: one call for whole tensors, made by the core that waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ....dialects import tile, tpu
from ....dialects.tile import Schedule
from ...tiling.cost import Work
from ...tiling.windows import Window
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Buffer
from ..tiler_bases.tiler import Tiler, Tilers, check_no_product


class HostTiler(Tiler):
    """Tiles tpu.host_call, which is never divided; inputs and output are dense in global memory."""

    def units(self) -> tuple[int, ...]:
        return (0,) * len(self.layer.shape)

    @property
    def framed(self) -> Sequence[int]:
        """The inputs that are moved to the host: those that are no weights, or the first if all are."""
        inputs = self.layer.inputs
        return [index for index, each in enumerate(inputs) if not each.is_weights] or [0][
            : len(inputs)
        ]

    def elements_read(self, index: int) -> int:
        return super().elements_read(index) if index in self.framed else 0

    def work(self, window: Window) -> Work:
        """Return what the bus of global memory carries; the core itself only waits."""
        loads = sum(self._bus_bytes(self.layer.inputs[index]) for index in self.framed)
        return Work(0, 0, loads, self._bus_bytes(self.layer.output))

    def _bus_bytes(self, buffer: Buffer) -> int:
        return self.costs.bus_bytes(buffer.bytes_of(prod(buffer.layout.shape)), 1)

    def plan(self, window: Window, decided: Schedule, constants: Constants) -> Schedule:
        check_no_product(self.layer, decided)
        if decided.tile is not None:
            raise self.layer.schedule_error(
                "tile", "the schedule has a tile, but a call of the host has none", "leave it out"
            )
        return Schedule()

    def _check_frame(self) -> None:
        """Raise DiagnosticError unless the operands that are no weights can stand side by side for the host."""
        segments = [self.layer.inputs[index].segment for index in self.framed]
        if len(set(segments)) > 1:
            raise self.layer.error(
                f"its operands are in segments {', '.join(segments)}: those of a call of the host stand side by side",
                "copy them to scratch by layers of tpu.reshape, as convert-tpu-to-tile does",
            )

    def emit(
        self, window: Window, schedule: Schedule, emitter: Emitter, constants: Constants
    ) -> None:
        op, layer = self.layer.op, self.layer
        assert isinstance(op, tpu.HostCallOp)
        self._check_frame()
        for buffer in (*layer.inputs, layer.output):
            order = tuple(range(len(buffer.layout.shape)))
            if buffer.layout.order != order or buffer.layout.padding:
                raise layer.error(
                    f"buffer '{buffer.name}' must be dense and row-major for the host"
                )
        if window != layer.whole:
            raise layer.error("a call of the host cannot be divided", "leave its window whole")
        emitter.compute(
            tile.HostCallOp,
            [*(each.value for each in layer.inputs), layer.output.value],
            {
                "function": op.function.data,
                "attributes": op.given,
                "result": op.result.value.data,
            },
        )


TILERS: Tilers = {tpu.HostCallOp: HostTiler}
"""The tiler of each op that the host computes."""
