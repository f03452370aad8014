"""Passes as flags of their own: `--cse --convert-top-to-tpu='quantize=f32'`, in the order given."""

from __future__ import annotations

from collections.abc import Sequence

from ...passes.registry import PASSES


def take_pass_flags(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into the words that name no pass, and the passes as pipeline text.

    Only flags before a word `--` count. A pass takes its options after an equals sign only, so that the word after it
    can be the input.
    """
    others: list[str] = []
    passes: list[str] = []
    for index, word in enumerate(words):
        if word == "--":
            return [*others, *words[index:]], passes
        name, equals, options = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in PASSES:
            passes.append(f"{name}{{{options}}}" if equals and options.strip() else name)
        else:
            others.append(word)
    return others, passes
