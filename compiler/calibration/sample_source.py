"""Samples that are fed to a network a few at a time: from arrays in memory or in files, or from images, which are read
when they are due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError
from ...backends.interpreter.samples import count_samples, input_tensors, main_function, stored
from ..inputs.array_stream import ArrayStream
from ..inputs.images import ImageInput


class Samples(Protocol):
    """Samples in order; the length is how many there may be, `taken` how many `parts` has yielded."""

    taken: int

    def __len__(self) -> int: ...

    def parts(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield them `size` at a time, the last ones perhaps fewer: arrays [S, declared shape...] by input name."""
        ...


class ArraySamples:
    """Arrays by input name, in memory or in files, from which samples are read when they are due.

    How many samples an array holds `count_samples` says; one of a single sample serves all of the others.

    Raises DiagnosticError if an array does not fit its input, or if inputs have different numbers of samples.
    """

    def __init__(self, module: ModuleOp, arrays: Mapping[str, np.ndarray | ArrayStream]) -> None:
        self.declared = input_tensors(main_function(module))
        self.arrays = {name: arrays[name] for name in self.declared if name in arrays}
        self.counts = {
            name: count_samples(name, array.shape, self.declared[name][0])
            for name, array in self.arrays.items()
        }
        several = {name: count for name, count in self.counts.items() if count > 1}
        if len(set(several.values())) > 1:
            listed = ", ".join(f"'{name}': {count}" for name, count in several.items())
            raise DiagnosticError(
                f"the inputs have different numbers of samples: {listed}",
                hint="give as many for each input, or one that serves all of the others",
            )
        self.count = max(several.values(), default=1)
        self.taken = 0

    def __len__(self) -> int:
        return self.count

    def parts(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield them `size` at a time, in the declared types; those in memory are views.

        Raises DiagnosticError if elements are of a wrong type, or if a file is damaged.
        """
        streams = {name: self.samples_of(name, size) for name in self.arrays}
        shared = {
            name: next(streams.pop(name)) for name, count in self.counts.items() if count == 1
        }
        for start in range(0, self.count, size):
            self.taken = min(start + size, self.count)
            number = self.taken - start
            once = {
                name: np.broadcast_to(array, (number, *array.shape[1:]))
                for name, array in shared.items()
            }
            part = {name: next(stream) for name, stream in streams.items()}
            yield {name: once[name] if name in once else part[name] for name in self.arrays}

    def samples_of(self, name: str, size: int) -> Iterator[np.ndarray]:
        """Yield the samples of an input, `size` at a time: arrays [S, declared shape...] in the declared type."""
        shape, storage = self.declared[name]
        array = self.arrays[name]
        of_sample = shape[0] if len(array.shape) == len(shape) and shape else 1
        for rows in _rows(array, max(1, size * of_sample)):
            number = len(rows) // of_sample if rows.ndim and of_sample else 1
            yield stored(name, rows.reshape(number, *shape), storage)

    def whole(self) -> dict[str, np.ndarray]:
        """Return all samples at once, one after the other along axis 0: arrays [S · declared axis 0, ...], those of
        scalars [S].
        """
        (part,) = self.parts(self.count)
        shapes = {name: shape for name, (shape, _) in self.declared.items()}
        return {
            name: array.reshape(len(array) * shapes[name][0], *shapes[name][1:])
            if shapes[name]
            else array
            for name, array in part.items()
        }


def _rows(array: np.ndarray | ArrayStream, count: int) -> Iterator[np.ndarray]:
    """Yield `count` rows of axis 0 of an array at a time; one without axes as it is."""
    if isinstance(array, ArrayStream):
        yield from array.rows(count)
    elif not array.ndim or not len(array):
        yield array
    else:
        yield from (array[start : start + count] for start in range(0, len(array), count))


class ImageSamples:
    """Images that a network's only input is fed; a sample has as many as the input's axis 0.

    With `skips_bad`, images that cannot be read are left out, and `warn` is called with what is wrong with each. Raises
    DiagnosticError if there are fewer images than a sample has.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        input: ImageInput,
        *,
        skips_bad: bool = False,
        warn: Callable[[Diagnostic], None] = lambda diagnostic: None,
    ) -> None:
        self.input = input
        self.batch = input.shape[0]
        self.paths = list(paths)
        self.skips_bad = skips_bad
        self.warn = warn
        self.taken = 0
        self._check(len(self.paths))

    def __len__(self) -> int:
        return len(self.paths) // self.batch

    def parts(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield them `size` at a time; images that fill no sample at the end are left out.

        Raises DiagnosticError if an image cannot be read and bad ones are not skipped, or if too few can.
        """
        images: list[np.ndarray] = []
        readable = 0
        for path in self.paths:
            image = self._read(path)
            if image is None:
                continue
            readable += 1
            images.append(image)
            if len(images) == size * self.batch:
                self.taken += size
                yield self._part(images)
                images = []
        self._check(readable)
        whole = len(images) // self.batch * self.batch
        if whole:
            self.taken += whole // self.batch
            yield self._part(images[:whole])

    def _part(self, images: list[np.ndarray]) -> dict[str, np.ndarray]:
        return {self.input.name: np.concatenate(images).reshape(-1, *self.input.shape)}

    def _check(self, count: int) -> None:
        if count < self.batch:
            raise DiagnosticError(
                f"there are {count} images that can be read, and a sample of input '{self.input.name}' has "
                f"{self.batch}",
                hint="give more images, or import the model with --batch 1",
            )

    def _read(self, path: Path) -> np.ndarray | None:
        try:
            return self.input.read(path)
        except DiagnosticError as error:
            if not self.skips_bad or error.place is None:
                raise
            self.warn(Diagnostic("warning", f"left out: {error.message}", error.place))
            return None
