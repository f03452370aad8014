"""A call of a named function: with which tensors, with which attributes, and for which of its results.

The operands of a call that are computed stand one after the other in one range of memory, the frame, each at the next
multiple of 64 bytes. Constants stay where they lie among the program's weights, which the host has, and the call says
where. So a call is described by a few words (`to_json`), and what it moves by two ranges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    """A call; make one with `of`, which checks it. `attributes` are those that differ from their defaults, by name.

    `places` says of each operand at which byte of the program's weights it lies, or None if it stands in the frame; it
    is empty if all stand there.
    """

    function: str
    operands: tuple[TensorKind, ...]
    attributes: tuple[tuple[str, AttributeValue], ...] = ()
    result: int = 0
    places: tuple[int | None, ...] = ()

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

    def placed(self, places: Sequence[int | None]) -> Call:
        """Return the call with operands at these places among the program's weights, None for those in the frame."""
        constant = any(place is not None for place in places)
        return replace(self, places=tuple(places) if constant else ())

    @property
    def in_weights(self) -> Mapping[int, int]:
        """The places of the operands that lie among the program's weights, by the operand's number."""
        return {number: place for number, place in enumerate(self.places) if place is not None}

    @property
    def framed(self) -> tuple[TensorKind, ...]:
        """The operands that stand in the frame."""
        return tuple(
            kind for number, kind in enumerate(self.operands) if number not in self.in_weights
        )

    @property
    def indices(self) -> Mapping[int, int]:
        """How many elements the numbers of each operand of indices choose from, by the operand's number."""
        return self.known.indices(self.operands, self._values)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """The place of each operand of the frame in it, in bytes."""
        places: list[int] = []
        end = 0
        for operand in self.framed:
            places.append(round_up(end, FRAME_ALIGNMENT_BYTES))
            end = places[-1] + operand.size_bytes
        return tuple(places)

    @property
    def frame_bytes(self) -> int:
        """The bytes from the first operand of the frame to the end of the last one."""
        return self.offsets[-1] + self.framed[-1].size_bytes if self.framed else 0

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
            _operand(frame, offset, kind)
            for offset, kind in zip(self.offsets, self.framed, strict=True)
        ]

    def loaded(self, weights: np.ndarray) -> LoadedCall:
        """Return the call with its constants among the program's weights u8 [bytes]."""
        return LoadedCall(
            self,
            {
                number: _operand(weights[None], place, self.operands[number])
                for number, place in self.in_weights.items()
            },
        )

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
            **({"places": list(self.places)} if self.places else {}),
        }

    @staticmethod
    def from_parts(
        function: str,
        operands: Sequence[tuple[str, Sequence[int]]],
        attributes: Mapping[str, object],
        result: int,
        places: Sequence[int | None] = (),
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
        if places and len(places) != len(kinds):
            raise FunctionError(f"{function}: {len(places)} places for {len(kinds)} operands")
        return Call.of(function, kinds, attributes, result).placed(places)

    def __str__(self) -> str:
        given = [f"{name}={value}" for name, value in self.attributes]
        return f"{self.function}({', '.join([*map(str, self.operands), *given])})"


@dataclass(frozen=True)
class LoadedCall:
    """A call with the constants [1, shape...] that it reads among the program's weights, by the operand's number."""

    call: Call
    constants: Mapping[int, np.ndarray]

    def compute(self, frame: np.ndarray) -> np.ndarray:
        """Compute the result [S, shape...] for frames u8 [S, frame bytes].

        Raises FunctionError if the function is not defined for these numbers.
        """
        given = iter(self.call.in_frame(frame))
        return self.call.compute(
            [
                self.constants[number] if number in self.constants else next(given)
                for number in range(len(self.call.operands))
            ]
        )


def _operand(memory: np.ndarray, offset: int, kind: TensorKind) -> np.ndarray:
    """Return the tensors [S, shape...] that stand from byte `offset` on in memories u8 [S, bytes]."""
    part = np.ascontiguousarray(memory[:, offset : offset + kind.size_bytes])
    return part.view(dtype_of(kind.storage)).reshape(len(memory), *kind.shape)
