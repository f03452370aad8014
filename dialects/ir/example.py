"""Finds the examples in docstrings of ops and instructions, and wraps them so that they can be parsed.

An example is the last part of a docstring: lines of IR that begin with `%name = `, the op's own name, an instruction's
name and colon, or something that stands alone (a function, a program).
"""

from __future__ import annotations

import inspect
import re

from ...backends.targets.target import load_target

_STANDS_ALONE = ("func.func", "tile.program", "isa.program", "builtin.module")
_BEGIN = re.compile(
    r"^(%\w+ = |(top|tpu|tile|isa|quant|func|builtin)\.\w+[ @]|[dsmv]\d+: )", re.MULTILINE
)
_OPERAND = re.compile(r"%\w+")
TARGET = "default-8c"
"""The target of examples that need one."""


def documentation(cls: type) -> tuple[str, str | None]:
    """Return the words and the example (None if there is none) of a class's own docstring."""
    text = inspect.cleandoc(cls.__doc__ or "")
    match = _BEGIN.search(text)
    if match is None:
        return text, None
    return text[: match.start()].rstrip(), text[match.start() :].rstrip()


def runnable(example: str) -> str:
    """Return the example as a whole module, in which all that the example uses is declared."""
    if example.startswith(_STANDS_ALONE):
        current = load_target(TARGET).content_hash
        return re.sub("sha256:[0-9a-f]+", current, example)
    if example.startswith("isa.stream"):
        return _program_of(example)
    joined = " ".join(example.split())
    if re.match(r"[dsmv]\d+: ", joined):
        return _in_program(joined)
    if "tile." in joined.partition(" : ")[0]:
        return _in_tile_program(example, joined)
    return _in_function(joined)


def _in_function(example: str) -> str:
    """Return a function around an op with a result; the op's operands are the function's arguments."""
    result, _, rest = example.partition(" = ")
    body, types = _split_types(rest)
    if types.startswith("("):
        inputs, _, output = types.rpartition(" -> ")
        listed = _split_list(inputs[1:-1])
    elif " to " in types:
        source, _, output = types.partition(" to ")
        listed = [source]
    else:
        listed, output = [], types
    names = list(dict.fromkeys(_OPERAND.findall(re.sub(r'"[^"]*"', "", body))))
    used = _OPERAND.findall(re.sub(r'"[^"]*"', "", body))
    type_of = dict(zip(used, listed, strict=True))
    arguments = ", ".join(f"{name}: {type_of[name]}" for name in names)
    return (
        f"func.func @example({arguments}) -> {output} {{\n"
        f"  {example}\n  func.return {result} : {output}\n}}\n"
    )


def _split_types(text: str) -> tuple[str, str]:
    """Split an op's text at the colon before its types, and return both parts."""
    depth, quoted = 0, False
    for index, character in enumerate(text):
        quoted ^= character == '"'
        if quoted:
            continue
        depth += (character in "<[({") - (character in ">])}" and text[index - 1] != "-")
        if depth == 0 and text.startswith(" : ", index) and _is_last_colon(text, index):
            return text[:index], text[index + 3 :]
    raise ValueError(f"no types in the example: {text}")


def _is_last_colon(text: str, index: int) -> bool:
    """Tell whether the colon at `index` is the one before the op's types: the colon in `dense<> : type` is not."""
    return not re.match(r" : [^()]*? : ", text[index:])


def _split_list(text: str) -> list[str]:
    """Return the parts of a list, split at the commas that stand outside brackets."""
    parts, depth, begin = [], 0, 0
    for index, character in enumerate(text):
        depth += (character in "<[({") - (character in ">])}")
        if character == "," and depth == 0:
            parts.append(text[begin:index].strip())
            begin = index + 1
    rest = text[begin:].strip()
    return [*parts, rest] if rest else parts


def _in_tile_program(example: str, joined: str) -> str:
    """Return a tile program with the op in it, preceded by declarations of the buffers that it names."""
    core = re.search(r"core (\d+)", joined)
    number = core[1] if core else "0"
    lines: list[str] = []
    for name, type in _buffers(joined):
        if '"global"' in type:
            shape = re.findall(r"(\d+)x", type)
            listed = ", ".join(shape)
            order = ", ".join(str(axis) for axis in range(len(shape)))
            lines.append(
                f'{name} = tile.global "{name[1:]}" segment = "scratch" shape = [{listed}] '
                f"order = [{order}] : {type}"
            )
        else:
            lines.append(f"{name} = tile.alloc core {number} : {type}")
    body = "\n".join(f"  {line}" for line in [*lines, *example.splitlines()])
    return f"tile.program @example {{\n{body}\n}}\n"


def _buffers(example: str) -> list[tuple[str, str]]:
    """Return the operands of a tile op with their types, each once."""
    if example.startswith("%"):
        return []
    if example.startswith("tile.layer"):
        pairs = re.findall(r"= (%\w+) : (memref<[^>]*>)|-> (%\w+) : (memref<[^>]*>)", example)
        found = [(a or c, b or d) for a, b, c, d in pairs]
        return list(dict(found).items())
    body, types = _split_types(example)
    names = _OPERAND.findall(re.sub(r'"[^"]*"', "", body))
    listed = _split_list(types.replace(" -> ", ", "))
    return list(dict(zip(names, listed, strict=True)).items())


def _in_program(line: str) -> str:
    """Return a program whose only stream holds the instruction."""
    target = load_target(TARGET)
    local, acc = target.local_memory.size_bytes, target.matrix.accumulator_bytes
    return _program_of(f"isa.stream core(0) local({local}) acc({acc}) {{\n    {line}\n  }}")


def _program_of(stream: str) -> str:
    """Return a program with one stream, and with room in every segment but that of the weights."""
    segments = "weights = 0, input = 1048576, output = 1048576, scratch = 1048576"
    return (
        f'isa.program @example target("{TARGET}", "{load_target(TARGET).content_hash}") counters(4)\n'
        f"    segments({segments})\n    inputs()\n    outputs() {{\n  {stream}\n}}\n"
    )
