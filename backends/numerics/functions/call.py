"""A call of a named function: with which tensors, with which attributes, and for which of its results.

The operands of a call stand one after the other in one range of memory, the frame, each at the next multiple of 64
bytes. So a call is described by a few words (`to_json`), and what it reads and writes by two ranges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..rounding_up import round_up
from ..storage import STORAGE_TYPES, dtype_of
from .function import Arrays, AttributeValue, Function, FunctionError, TensorKind
from .registry import function_of

FRAME_ALIGNMENT_BYTES = 64
"""Of which number the place of each operand in a frame is a multiple."""


@dataclass(frozen=True)
class Call:
    """A call; make one with `of`, which checks it. `attributes` are those that differ from their defaults, by name."""

    function: str
    operands: tuple[TensorKind, ...]
    attributes: tuple[tuple[str, AttributeValue], ...] = ()
    result: int = 0

    @staticmethod
    def of(
        function: str,
        operands: Sequence[TensorKind],
        attributes: Mapping[str, object] | None = None,
        result: int = 0,
    ) -> Call:
        """Return the call of a function. Raises FunctionError if the function is unknown or does not take the operands
        or attributes, or if it has no such result.
        """
        known = function_of(function)
        values = known.complete(attributes or {})
        own = {
            name: value for name, value in values.items() if value != known.parameters[name].default
        }
        call = Call(function, tuple(operands), tuple(sorted(own.items())), result)
        results = call.results
        if not 0 <= result < len(results):
            raise FunctionError(f"{function} has {len(results)} results, there is none {result}")
        return call

    @cached_property
    def known(self) -> Function:
        """The function."""
        return function_of(self.function)

    @cached_property
    def results(self) -> list[TensorKind]:
        """The kinds of all results of the function. Raises FunctionError if it does not take the operands."""
        try:
            return self.known.infer(self.operands, self._values)
        except FunctionError as error:
            raise FunctionError(f"{self.function}: {error}") from None

    @cached_property
    def _values(self) -> dict[str, AttributeValue]:
        return self.known.complete(dict(self.attributes))

    def attribute(self, name: str) -> AttributeValue:
        """Return the value of an attribute, its default if the call gives none."""
        return self._values[name]

    @property
    def result_kind(self) -> TensorKind:
        """The shape and storage type of the result that the call is for."""
        return self.results[self.result]

    @property
    def indices(self) -> Mapping[int, int]:
        """How many elements the numbers of each operand of indices choose from, by the operand's number."""
        return self.known.indices(self.operands, self._values)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """The place of each operand in the frame, in bytes."""
        places: list[int] = []
        end = 0
        for operand in self.operands:
            places.append(round_up(end, FRAME_ALIGNMENT_BYTES))
            end = places[-1] + operand.size_bytes
        return tuple(places)

    @property
    def frame_bytes(self) -> int:
        """The bytes from the first operand of the frame to the end of the last one."""
        return self.offsets[-1] + self.operands[-1].size_bytes if self.operands else 0

    def compute(self, arrays: Arrays) -> np.ndarray:
        """Compute the result [S, shape...] of operands [S or 1, shape...]: S samples, or one that all share.

        Raises FunctionError if the function is not defined for these numbers.
        """
        samples = max((len(array) for array in arrays), default=1)
        parts = [
            self._computed([array[sample % len(array)] for array in arrays])
            for sample in range(samples)
        ]
        return np.stack(parts)

    def _computed(self, arrays: Arrays) -> np.ndarray:
        try:
            with np.errstate(all="ignore"):
                result = np.asarray(self.known.compute(arrays, self._values)[self.result])
        except FunctionError as error:
            raise FunctionError(f"{self.function}: {error}") from None
        kind = self.result_kind
        if result.shape != kind.shape or result.dtype != dtype_of(kind.storage):
            raise TypeError(
                f"function '{self.function}' computes {result.dtype} {list(result.shape)}, and says {kind}"
            )
        return result

    def in_frame(self, frame: np.ndarray) -> list[np.ndarray]:
        """Return the operands [S, shape...] that stand in frames u8 [S, frame bytes]."""
        return [
            np.ascontiguousarray(frame[:, offset : offset + operand.size_bytes])
            .view(dtype_of(operand.storage))
            .reshape(len(frame), *operand.shape)
            for offset, operand in zip(self.offsets, self.operands, strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the call as values of JSON; equal calls give equal values."""
        return {
            "function": self.function,
            "operands": [[each.storage, list(each.shape)] for each in self.operands],
            "attributes": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in self.attributes
            },
            "result": self.result,
        }

    @staticmethod
    def from_parts(
        function: str,
        operands: Sequence[tuple[str, Sequence[int]]],
        attributes: Mapping[str, object],
        result: int,
    ) -> Call:
        """Return the call that `to_json` described. Raises FunctionError if there can be no such call."""
        kinds: list[TensorKind] = []
        for storage, shape in operands:
            if storage not in STORAGE_TYPES:
                known = ", ".join(STORAGE_TYPES)
                raise FunctionError(
                    f"{function}: unknown storage type '{storage}' (known: {known})"
                )
            if min(shape, default=0) < 0:
                raise FunctionError(f"{function}: negative size in {list(shape)}")
            kinds.append(TensorKind(tuple(shape), storage))
        return Call.of(function, kinds, attributes, result)

    def __str__(self) -> str:
        given = [f"{name}={value}" for name, value in self.attributes]
        return f"{self.function}({', '.join([*map(str, self.operands), *given])})"
