"""Finds the inputs that IR of any level declares, and makes arrays for them."""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.interpreter.samples import input_tensors, main_function
from ...backends.numerics.storage import dtype_of
from ...dialects import isa, tile
from ...dialects.quant.element_type import element_storage
from ..compilation.pipelines import level_of

_INTEGER_SPREAD = 40.0
"""Standard deviation of random integers: most of the eight bits are used."""


def declared_ports(module: ModuleOp) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Return shape and type of each input by name, at any level."""
    level = level_of(module)
    if level in ("top", "tpu"):
        tensors = input_tensors(main_function(module))
        return {name: (shape, dtype_of(storage)) for name, (shape, storage) in tensors.items()}
    if level == "tile":
        return {
            op.buffer_name.data: (
                tuple(op.shape.get_values()),
                dtype_of(element_storage(op.output.type)),
            )
            for op in module.walk()
            if isinstance(op, tile.GlobalOp) and op.segment.data == "input"
        }
    return {
        port.port_name.data: (tuple(port.shape.get_values()), dtype_of(port.storage.data))
        for op in module.walk()
        if isinstance(op, isa.ProgramOp)
        for port in op.inputs
    }


def inputs_for(
    module: ModuleOp, known: Mapping[str, np.ndarray], seed: int
) -> dict[str, np.ndarray]:
    """Return an array for each input: the known one of its name and shape, else random numbers of its type.

    Random numbers are standard normal, integers spread over eight bits; they are the same for the same name and seed.
    """
    inputs: dict[str, np.ndarray] = {}
    for name, (shape, dtype) in declared_ports(module).items():
        array = known.get(name)
        if array is None or array.shape != shape:
            generator = np.random.default_rng([seed, crc32(name.encode())])
            array = generator.standard_normal(shape)
            if dtype.kind in "iub":
                low = 0 if dtype.kind in "ub" else -128
                array = np.round(array * _INTEGER_SPREAD).clip(low, 127)
        inputs[name] = array.astype(dtype)
    return inputs
