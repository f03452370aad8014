"""Changes of the default pipeline that a user asks for: other options of a pass, or a pass left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...passes.registry import merge_options, parse_pipeline, pass_with_options
from .pipelines import Settings, default_pass

PassOptions = Mapping[str, Mapping[str, object] | bool]
"""By the name of a pass, its options by name; False leaves the pass out."""


@dataclass(frozen=True)
class PassChange:
    """What becomes of each pass `name` of the default pipeline.

    `options`: the pass as pipeline text with the options that differ from the default pipeline's; None leaves the pass
    out. `flag`: the option of a command that it is short for, if it is.
    """

    name: str
    options: str | None
    flag: str | None = None

    @staticmethod
    def parse(text: str) -> PassChange:
        """Parse `PASS{option=value ...}`.

        Raises DiagnosticError if it is not a pass of the default pipeline with options that it has.
        """
        name = text.partition("{")[0].strip()
        place = Place(name=f"--set-pass {text}")
        default = default_pass(name, place)
        if "{" not in text:
            raise DiagnosticError(
                "this sets no option", place, hint=f"write {name}{{option=value}}"
            )
        merged = merge_options(default, text)
        flag = next((flag for flag in Settings.__annotations__ if f"{flag}=" in text), None)
        if flag is not None and merged != default:
            raise DiagnosticError(
                f"option '{flag}' concerns more than this pass",
                place,
                hint=f"give it to the whole pipeline: --{flag}",
            )
        parse_pipeline(merged)
        return PassChange(name, text)

    @staticmethod
    def disabling(name: str) -> PassChange:
        """Return the change that leaves a pass out. Raises DiagnosticError if the pass is not in the default pipeline,
        or if nothing can take its place.
        """
        place = Place(name=f"--disable-pass {name}")
        default_pass(name, place)
        if name.startswith("convert-"):
            raise DiagnosticError(
                f"pass '{name}' cannot be left out: nothing else leads to the next level",
                place,
                hint="end before it with --emit, and run passes of your own with smalti-opt",
            )
        return PassChange(name, None)

    @staticmethod
    def all_of(passes: PassOptions) -> tuple[PassChange, ...]:
        """Return the changes for options by the name of a pass. Raises DiagnosticError as `parse` and `disabling`
        do.
        """
        changes: list[PassChange] = []
        for name, options in passes.items():
            if options is False:
                changes.append(PassChange.disabling(name))
            elif isinstance(options, Mapping):
                default_pass(name, Place(name=f"passes['{name}']"))
                changes.append(PassChange.parse(pass_with_options(name, options)))
            elif options is not True:
                raise DiagnosticError(
                    f"the options are {options!r}",
                    Place(name=f"passes['{name}']"),
                    hint="give a mapping from names of options to values, or False to leave the pass out",
                )
        return tuple(changes)

    def applied(self, texts: Sequence[str]) -> list[str]:
        """Return passes, each as pipeline text, with this change."""
        changed: list[str] = []
        for text in texts:
            if text.partition("{")[0] != self.name:
                changed.append(text)
            elif self.options is not None:
                changed.append(merge_options(text, self.options))
        return changed
