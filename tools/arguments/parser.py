"""The parser of every program: mistakes are told in one line, with what was probably meant."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from .command_line import EXIT_USAGE


class Parser(argparse.ArgumentParser):
    """argparse's parser, but it suggests flags, commands and values that resemble an unknown one, and a mistake does
    not print the usage.

    An option whose value may be left out takes it after an equals sign only, so that the word after it can be the
    input.
    """

    # argparse's overloads are for namespaces of one's own, which no program here has.
    def parse_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Iterable[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse a command line. Exits with code 2, after a line on standard error, if it is wrong."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parser = self._of_command(getattr(parsed, "command", None))
            word = unknown[0].partition("=")[0]
            near = _near(word, parser.flags()) if word.startswith("-") else ""
            parser.error(f"unknown argument '{unknown[0]}'{near}")
        return parsed

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Iterable[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse what is known of a command line, and return the rest, too."""
        words = list(sys.argv[1:] if args is None else args)
        end = words.index("--") if "--" in words else len(words)
        whole = [self._with_value(word) for word in words[:end]] + words[end:]
        return super().parse_known_args(whole, namespace)

    def flags(self) -> list[str]:
        """Return the flags to suggest."""
        return list(self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 after one line on standard error."""
        self.exit(EXIT_USAGE, f"{self.prog}: error: {message}; {self.prog} --help shows all\n")

    def _with_value(self, word: str) -> str:
        action = self._option_string_actions.get(word)
        if action is None or action.nargs != "?":
            return word
        return f"{word}={'true' if action.const is True else action.const}"

    def _of_command(self, command: str | None) -> Parser:
        """Return the parser of a subcommand, this one if there are none."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and command in action.choices:
                return action.choices[command]
        return self

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = [str(choice) for choice in action.choices]
            near = _near(str(value), names)
            raise argparse.ArgumentError(
                action, f"'{value}' is not one of {', '.join(names)}{near}"
            )


def choice(value: str, known: Sequence[str]) -> str:
    """Return `value`, if it is known, as the types of arguments with a list of values need it.

    Raises argparse.ArgumentTypeError, with the names that resemble it, if it is not.
    """
    if value not in known:
        near = _near(value, known)
        raise argparse.ArgumentTypeError(f"'{value}' is not one of {', '.join(known)}{near}")
    return value


def _near(word: str, known: Sequence[str]) -> str:
    from ...backends.diagnostics.diagnostic import did_you_mean

    near = did_you_mean(word, known)
    return f" ({near})" if near else ""
