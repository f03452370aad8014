"""Names of properties that are called as OpenVINO's are."""

from __future__ import annotations

from typing import overload


class PropertyName(str):
    """A property's name: called, it is the name again, or with a value the pair of both."""

    __slots__ = ()

    @overload
    def __call__(self) -> str: ...

    @overload
    def __call__(self, value: object, /) -> tuple[str, object]: ...

    def __call__(self, *value: object) -> str | tuple[str, object]:
        """Return the name, or the pair of the name and a value. Raises TypeError if there are more values."""
        if len(value) > 1:
            raise TypeError(f"property {self} has one value, {len(value)} are given")
        return (str(self), value[0]) if value else str(self)
