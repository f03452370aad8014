"""Cuts softmax."""

from __future__ import annotations

from ....backends.targets.cycles import SOFTMAX_OPERATIONS
from ....dialects import tile, tpu
from ..cost import Machine
from ..windows import Window, sizes_of
from .box import BoxFamily
from .constants import Constants
from .emitter import Emitter
from .layer import Layer


class SoftmaxFamily(BoxFamily):
    """tpu.softmax: tiles have its axis last (the copies bring it there), and whole."""

    def __init__(self, layer: Layer, machine: Machine) -> None:
        super().__init__(layer, machine)
        op = layer.op
        assert isinstance(op, tpu.SoftmaxOp)
        if not layer.result.is_float:
            raise layer.error("the device computes softmax in float", "cast its input to f32")
        self.log = op.log is not None
        axis = op.axis.value.data
        self.order = (*(a for a in layer.output.layout.order if a != axis), axis)
        self.fixed = frozenset((axis,))

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        return self.machine.vector_cycles(self.layer.output.storage, elements, SOFTMAX_OPERATIONS)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        pitch = self.pitch_of(sizes)
        x = self.load_kept(emitter, 0, window, self.order, pitch)
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        fields = {"columns": sizes[self.order[-1]], "log": self.log}
        emitter.compute(tile.SoftmaxOp, [x, out], fields)
        self.store(emitter, out, window, pitch)
