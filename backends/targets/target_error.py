"""The error for a wrong target description, or for work that a target cannot do."""

from __future__ import annotations


class TargetError(ValueError):
    """A target that cannot be used. Says where it was read, which field is wrong, and what to do.

    `file` is the path or name of the target, `fields` the dotted names of the offending fields.
    """

    def __init__(
        self, message: str, file: str = "", fields: tuple[str, ...] = (), hint: str = ""
    ) -> None:
        self.message, self.file, self.fields, self.hint = message, file, fields, hint
        super().__init__(f"{file}: {message}" if file else message)

    def __str__(self) -> str:
        text = f"{self.file}: {self.message}" if self.file else self.message
        return f"{text}; {self.hint}" if self.hint else text
