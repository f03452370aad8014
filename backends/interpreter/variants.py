"""Runs variants of a network, which differ from it in a few layers, and computes only what these change.

A value is known by how it is computed: by its op, the op's properties and the values that the op reads, all the way
from the inputs. So what a variant and the network compute alike is found without knowing what was changed, and the
results are those of a run of the whole variant, to the bit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import WeightBase
from ...dialects.network.tensor_op import TensorOp
from ...dialects.quant.number_format import real_value
from .function import FunctionRunner, samples_per_chunk
from .samples import formats_of, joined, main_function, stored_samples

CACHE_BYTES = 1 << 30
"""How much the values of the network that are kept may take: those used last."""


class VariantRunner:
    """Runs a network and variants of it on the same inputs.

    Args:
        level: the base class of the ops.
        weights: the store that holds the weights of all variants.
        network: what the variants are like; values that it computes are kept.
        inputs: arrays by input name, samples one after the other along axis 0.
        cache_bytes: how much the kept values may take.
    """

    def __init__(
        self,
        level: type[TensorOp],
        weights: WeightStore,
        network: ModuleOp,
        inputs: Mapping[str, np.ndarray],
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        function = main_function(network)
        stacked, self.samples = stored_samples(formats_of(function, "input"), inputs)
        self._arguments = list(stacked.values())
        self._chunk = samples_per_chunk(function)
        self._runner = FunctionRunner(level, weights)
        self._identities: dict[Hashable, int] = {}
        self._cache = _Cache(cache_bytes)
        self._kept = set(self._identities_of(function.body.block).values())
        self.evaluated = 0
        """How many ops were computed so far, weights apart."""

    def keep(self, module: ModuleOp) -> None:
        """Keep the values of another network, too, of which variants are run."""
        self._kept.update(self._identities_of(main_function(module).body.block).values())

    def run(self, module: ModuleOp) -> dict[str, np.ndarray]:
        """Return the results of a variant by name, samples one after the other along axis 0.

        Raises DiagnosticError if it cannot be computed.
        """
        function = main_function(module)
        formats = formats_of(function, "output")
        end = function.body.block.last_op
        assert end is not None
        parts = self._values(function.body.block, list(end.operands))
        names = list(formats)
        columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for count, results in parts:
            for name, result in zip(names, results, strict=True):
                columns[name].append(joined(formats[name].given(result, False), count))
        return {
            name: np.concatenate([np.atleast_1d(each) for each in column])
            for name, column in columns.items()
        }

    def value(self, module: ModuleOp, name: str) -> np.ndarray | None:
        """Return the numbers, f32 [S, shape...], of the result `name` of a variant; None if it has no such result."""
        block = main_function(module).body.block
        found: list[SSAValue] = [
            op.output
            for op in block.ops
            if isinstance(op, TensorOp) and op.result_name.data == name and op.operands
        ]
        if not found:
            return None
        parts = self._values(block, found[:1])
        shown = [
            np.broadcast_to(real := real_value(value, found[0].type), (count, *real.shape[1:]))
            for count, (value,) in parts
        ]
        return np.concatenate(shown)

    def identity(self, module: ModuleOp) -> tuple[int, ...]:
        """Return what the results of a variant are known by: variants with the same ones compute the same."""
        block = main_function(module).body.block
        identities = self._identities_of(block)
        end = block.last_op
        assert end is not None
        return tuple(identities[value] for value in end.operands)

    def _identities_of(self, block: Block) -> dict[SSAValue, int]:
        known: dict[SSAValue, int] = {}
        for argument in block.args:
            known[argument] = self._identity((argument.index, argument.type))
        for op in block.ops:
            for result in op.results:
                known[result] = self._identity(
                    (_content_of(op), *(known[each] for each in op.operands))
                )
        return known

    def _identity(self, content: Hashable) -> int:
        return self._identities.setdefault(content, len(self._identities))

    def _values(self, block: Block, wanted: list[SSAValue]) -> list[tuple[int, list[np.ndarray]]]:
        """Return for each chunk how many samples it has and the values, [S or 1, shape...], in storage types."""
        identities = self._identities_of(block)
        parts: list[tuple[int, list[np.ndarray]]] = []
        for start in range(0, self.samples, self._chunk):
            count = min(self._chunk, self.samples - start)
            values: dict[SSAValue, np.ndarray] = {
                argument: array[start : start + count]
                for argument, array in zip(block.args, self._arguments, strict=True)
            }
            needed = self._needed(wanted, identities, values, start)
            self._compute(block, needed, wanted, identities, values, start)
            parts.append((count, [values[each] for each in wanted]))
        return parts

    def _needed(
        self,
        wanted: list[SSAValue],
        identities: Mapping[SSAValue, int],
        values: dict[SSAValue, np.ndarray],
        start: int,
    ) -> set[Operation]:
        """Return the ops that must be computed for `wanted`; what is kept already is put into `values`."""
        needed: set[Operation] = set()
        open_values = list(wanted)
        while open_values:
            value = open_values.pop()
            if value in values or value.owner in needed:
                continue
            kept = self._cache.get((start, identities[value]))
            if kept is not None:
                values[value] = kept
                continue
            assert isinstance(value.owner, Operation)
            needed.add(value.owner)
            open_values += value.owner.operands
        return needed

    def _compute(
        self,
        block: Block,
        needed: set[Operation],
        wanted: list[SSAValue],
        identities: Mapping[SSAValue, int],
        values: dict[SSAValue, np.ndarray],
        start: int,
    ) -> None:
        readers: dict[SSAValue, int] = {}
        for op in needed:
            for operand in op.operands:
                readers[operand] = readers.get(operand, 0) + 1
        for op in block.ops:
            if op not in needed:
                continue
            assert isinstance(op, TensorOp)
            result = self._runner.evaluate(op, [values[operand] for operand in op.operands])
            values[op.output] = result
            if not isinstance(op, WeightBase):
                self.evaluated += 1
                if identities[op.output] in self._kept:
                    self._cache.keep((start, identities[op.output]), result)
            for operand in op.operands:
                readers[operand] -= 1
                if not readers[operand] and operand not in wanted:
                    values.pop(operand, None)


def _content_of(op: Operation) -> Hashable:
    """Return what an op computes of its operands: all of it but its name and place."""
    properties = frozenset((name, each) for name, each in op.properties.items() if name != "name")
    regions = tuple(str(each) for each in op.regions)
    return op.name, properties, tuple(each.type for each in op.results), regions


@dataclass
class _Cache:
    """Arrays that are dropped, the one used longest ago first, when they take too much."""

    limit_bytes: int
    _arrays: OrderedDict[tuple[int, int], np.ndarray] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def get(self, key: tuple[int, int]) -> np.ndarray | None:
        found = self._arrays.get(key)
        if found is not None:
            self._arrays.move_to_end(key)
        return found

    def keep(self, key: tuple[int, int], array: np.ndarray) -> None:
        if key in self._arrays or array.nbytes > self.limit_bytes:
            return
        self._arrays[key] = array
        self._bytes += array.nbytes
        while self._bytes > self.limit_bytes:
            _, dropped = self._arrays.popitem(last=False)
            self._bytes -= dropped.nbytes
