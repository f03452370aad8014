"""Runs a block of top ops on samples, op by op, so that a pass can look at a layer before it goes on.

Passes cannot use the interpreter, which stands above them; each op computes itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from math import prod
from pathlib import Path
from types import TracebackType

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import why_no_file
from ...backends.numerics.storage import dtype_of
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.network.ports import network_ports
from ...dialects.quant.element_type import element_storage, shape_of

Arrays = Mapping[str, np.ndarray]
_CHUNK_BYTES = 32 << 20
_IN_MEMORY_BYTES = 64 << 20
"""Larger tensors of all samples lie in a temporary file, so that memory does not grow with the samples."""


def read_samples(path: str) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file by name. Raises DiagnosticError if it cannot be read."""
    place = Place(file=path)
    hint = "give an .npz file with arrays named as the network's inputs"
    if (reason := why_no_file(Path(path))) is not None:
        raise DiagnosticError(reason, place, hint=hint)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:
        # zipfile, zlib and NumPy's reader fail in a dozen ways on damaged files.
        raise DiagnosticError(f"not a readable .npz file: {error}", place, hint=hint) from None


class SampleRun(AbstractContextManager["SampleRun"]):
    """The values of a function's block on samples, [S, shape...] each (S = 1 if all samples share it), until they are
    read for the last time.

    `change`, if given, is applied to every value that is not a constant, as `change(value, numbers)`. Raises
    DiagnosticError if samples do not fit the function's inputs.
    """

    def __init__(
        self,
        function: FuncOp,
        store: WeightStore,
        samples: Arrays,
        change: Callable[[SSAValue, np.ndarray], np.ndarray] = lambda value, numbers: numbers,
    ) -> None:
        self._store = store
        self._change = change
        self._values: dict[SSAValue, np.ndarray] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="smalti-samples-")
        self._files = 0
        self._last_readers = _last_readers(function.body.block)
        arguments = function.body.block.args
        for argument, array in zip(arguments, _stacked(function, samples), strict=True):
            self._values[argument] = change(argument, array)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._values.clear()
        self._folder.cleanup()

    def value(self, value: SSAValue) -> np.ndarray:
        """Return the numbers of a value that is not read for the last time yet, or of a constant."""
        owner = value.owner
        if isinstance(owner, top.WeightOp) and value not in self._values:
            return value_of(owner, self._store)[None]
        return self._values[value]

    def chunks(self, *values: SSAValue) -> Iterator[slice]:
        """Yield slices of the samples that `values` can be computed with at once."""
        count = max(len(self.value(value)) for value in values)
        sample = max(prod(shape_of(value)) for value in values) * np.dtype(np.float32).itemsize
        size = max(1, _CHUNK_BYTES // max(1, sample))
        return (slice(start, start + size) for start in range(0, count, size))

    def compute(self, op: top.TopOp, given: Mapping[SSAValue, np.ndarray] | None = None) -> None:
        """Compute the result of an op, with the numbers of `given`, [S or 1, shape...], in place of the network's
        own.
        """
        if isinstance(op, top.WeightOp):
            return
        own = given or {}
        operands = [own[each] if each in own else self.value(each) for each in op.operands]
        count = max((len(each) for each in operands), default=1)
        result = self._allocate(op.output, count)
        sample = max(prod(shape_of(value)) for value in (op.output, *op.operands))
        size = max(1, _CHUNK_BYTES // max(1, sample * np.dtype(np.float32).itemsize))
        for start in range(0, count, size):
            part = slice(start, start + size)
            arrays = [each[part] if len(each) > 1 else each for each in operands]
            with np.errstate(all="ignore"):
                computed = op.evaluate(arrays)
            result[part] = self._change(op.output, computed)
        self._values[op.output] = result

    def release(self, op: Operation) -> None:
        """Forget the values that `op` is the last to read."""
        for value in self._last_readers.get(op, ()):
            self._values.pop(value, None)

    def _allocate(self, value: SSAValue, count: int) -> np.ndarray:
        shape, dtype = (count, *shape_of(value)), dtype_of(element_storage(value.type))
        if prod(shape) * dtype.itemsize <= _IN_MEMORY_BYTES:
            return np.empty(shape, dtype)
        self._files += 1
        path = Path(self._folder.name) / str(self._files)
        return np.memmap(path, dtype, "w+", shape=shape)


def _stacked(function: FuncOp, samples: Arrays) -> Iterator[np.ndarray]:
    """Yield the samples of each input, [S, declared shape...], in order."""
    counts: dict[str, int] = {}
    for port in network_ports(function, "input"):
        shape, storage = port.format.array_type(raw=False)
        found = samples.get(port.name)
        if found is None:
            raise DiagnosticError(
                f"the samples have no array for input '{port.name}'",
                hint=f"they have {', '.join(samples) or 'none'}",
            )
        size = prod(shape)
        if found.size == 0 or size == 0 or found.size % size or found.shape[1:] != shape[1:]:
            raise DiagnosticError(
                f"the samples of input '{port.name}' have shape {list(found.shape)}, expected "
                f"{list(shape)} or a multiple of it along axis 0"
            )
        counts[port.name] = found.size // size
        yield np.asarray(found, dtype_of(storage)).reshape(-1, *shape)
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"'{name}': {count}" for name, count in counts.items())
        raise DiagnosticError(f"the inputs have different numbers of samples: {listed}")


def _last_readers(block: Block) -> dict[Operation, list[SSAValue]]:
    """Map each op to the values that no later op reads."""
    last: dict[SSAValue, Operation] = {}
    for op in block.ops:
        last.update(dict.fromkeys((*op.results, *op.operands), op))
    readers: dict[Operation, list[SSAValue]] = {}
    for value, op in last.items():
        readers.setdefault(op, []).append(value)
    return readers
