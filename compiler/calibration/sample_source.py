"""Samples that are fed to a network a few at a time: from arrays in memory, or from images that are read when they are
due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError
from ...backends.interpreter.samples import count_samples, declared_inputs
from ..inputs.images import ImageInput


class Samples(Protocol):
    """Samples in order; the length is how many there may be, `taken` how many `parts` has yielded."""

    taken: int

    def __len__(self) -> int: ...

    def parts(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield them `size` at a time, the last ones perhaps fewer: arrays [S · declared axis 0, ...] by input name."""
        ...


class ArraySamples:
    """Arrays by input name, samples one after the other along axis 0; those of one sample serve all others.

    Raises DiagnosticError if an array does not fit its input.
    """

    def __init__(self, module: ModuleOp, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays
        declared = declared_inputs(module)
        self.sizes = {name: shape[0] if shape else 0 for name, shape in declared.items()}
        counts = {
            count_samples(name, arrays[name].shape, shape)
            for name, shape in declared.items()
            if name in arrays
        }
        self.count = min(counts, default=1)
        self.taken = 0

    def __len__(self) -> int:
        return self.count

    def parts(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield them `size` at a time, as views."""
        for start in range(0, self.count, size):
            self.taken = min(start + size, self.count)
            yield {
                name: array[start * self.sizes[name] : (start + size) * self.sizes[name]]
                if self.sizes.get(name)
                else array
                for name, array in self.arrays.items()
            }


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
                yield {self.input.name: np.concatenate(images)}
                images = []
        self._check(readable)
        whole = len(images) // self.batch * self.batch
        if whole:
            self.taken += whole // self.batch
            yield {self.input.name: np.concatenate(images[:whole])}

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
