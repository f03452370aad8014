"""Encodes and decodes instructions: one 128-byte word each, and a NumPy array of words for a core's stream.

The layout follows from the table in `backends/instructions/instruction_set.py`: the header fields, then the
instruction's own fields, packed without gaps, little-endian, then zeros. Storage and enum fields are stored as codes;
in the mappings that are passed here they are names (strings), as in the functions of the instruction classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError
from ..instructions.columns import Columns, grouped
from ..instructions.field_range import code_names, field_code, field_error
from ..instructions.instruction_set import (
    BY_MNEMONIC,
    BY_OPCODE,
    ENGINES,
    HEADER,
    INSTRUCTION_BYTES,
    Field,
    Instruction,
)

_HEADER_BYTES = sum(np.dtype(field.dtype).itemsize for field in HEADER)

WORD: np.dtype[np.void] = np.dtype(
    [(field.name, field.dtype) for field in HEADER]
    + [("body", "u1", (INSTRUCTION_BYTES - _HEADER_BYTES,))]
)
"""A word of any instruction: the header fields and the remaining bytes as `body`. Streams have this
dtype.
"""


@cache
def word_dtype(instruction: type[Instruction]) -> np.dtype[np.void]:
    """Return the 128-byte structured dtype of one instruction: header, own fields, and `padding` bytes that are
    zero.
    """
    fields = [(field.name, field.dtype) for field in (*HEADER, *instruction.fields)]
    used = np.dtype(fields).itemsize
    if used > INSTRUCTION_BYTES:
        raise ValueError(
            f"{instruction.mnemonic}: its fields take {used} of {INSTRUCTION_BYTES} bytes"
        )
    return np.dtype([*fields, ("padding", "u1", (INSTRUCTION_BYTES - used,))])


@cache
def _all_fields(instruction: type[Instruction]) -> Mapping[str, Field]:
    return {field.name: field for field in (*HEADER, *instruction.fields)}


def encode(mnemonic: str, fields: Mapping[str, Any]) -> np.ndarray:
    """Return one instruction as an array of shape [1] and dtype `WORD`.

    `fields` maps field names (the header's included, except `opcode` and `reserved`) to numbers, storage and enum
    fields to their names. A field may be left out if the table gives a default; `engine` must be given only if the
    instruction has none of its own (sync). A real in a field that stores f32 is rounded. Raises DiagnosticError naming
    instruction, field and value if a field is unknown, missing or does not fit.
    """
    instruction = BY_MNEMONIC.get(mnemonic)
    if instruction is None:
        raise DiagnosticError(
            f"there is no instruction '{mnemonic}'", hint=f"known: {', '.join(BY_MNEMONIC)}"
        )
    known = _all_fields(instruction)
    for name in fields:
        if name not in known or name in ("opcode", "reserved"):
            raise DiagnosticError(f"instruction '{mnemonic}' has no field '{name}'")
    word = np.zeros(1, word_dtype(instruction))
    word["opcode"] = instruction.opcode
    for name, field in known.items():
        if name in ("opcode", "reserved"):
            continue
        value = fields.get(name, field.default)
        if name == "engine":
            value = _engine(instruction, fields.get("engine"))
        if value is None:
            raise DiagnosticError(f"instruction '{mnemonic}' needs a value for its field '{name}'")
        code = field_code(field, value)
        problem = field_error(field, code)
        if problem:
            raise DiagnosticError(f"instruction '{mnemonic}': {problem}")
        word[name] = code
    return word.view(WORD)


def _engine(instruction: type[Instruction], engine: str | None) -> str:
    if instruction.engine is None:
        if engine not in ENGINES:
            raise DiagnosticError(
                f"instruction '{instruction.mnemonic}' needs an engine ({', '.join(ENGINES)}), "
                f"got {engine!r}"
            )
        return engine
    if engine not in (None, instruction.engine):
        raise DiagnosticError(
            f"instruction '{instruction.mnemonic}' runs on engine {instruction.engine}, "
            f"got {engine!r}"
        )
    return instruction.engine


def encode_stream(instructions: Iterable[tuple[str, Mapping[str, Any]]]) -> np.ndarray:
    """Return a stream [n] of dtype `WORD` from pairs of mnemonic and fields, as for `encode`."""
    words = [encode(mnemonic, fields) for mnemonic, fields in instructions]
    return np.concatenate(words) if words else np.zeros(0, WORD)


def encode_columns(
    instruction: type[Instruction], integers: np.ndarray, reals: np.ndarray
) -> np.ndarray:
    """Return words [n] of one instruction class, with the class's own fields, the opcode and the engine set.

    The fields are given as `integers`, int64 [n, number of fields that are not real], and `reals`, f64 [n, number of
    real fields], both in table order, with codes for names. The verifier of the isa dialect has checked that they fit.
    """
    words = np.zeros(len(integers), word_dtype(instruction))
    words["opcode"] = instruction.opcode
    if instruction.engine is not None:
        words["engine"] = ENGINES.index(instruction.engine)
    integer_column = real_column = 0
    for field in instruction.fields:
        if field.kind == "real":
            words[field.name] = reals[:, real_column]
            real_column += 1
        else:
            words[field.name] = integers[:, integer_column]
            integer_column += 1
    return words.view(WORD)


def select(stream: np.ndarray, instruction: type[Instruction]) -> tuple[np.ndarray, np.ndarray]:
    """Select the words of one instruction class: return their indices in the stream (int64 [n]) and a copy of them [n].

    The copy has the dtype `word_dtype(instruction)`, so a field of all of them is `words["name"]`
    (codes, not names).
    """
    indices = np.flatnonzero(stream["opcode"] == instruction.opcode)
    return indices, stream[indices].view(word_dtype(instruction))


def decode(word: np.ndarray | np.void) -> tuple[type[Instruction], dict[str, Any]]:
    """Return class and fields (the header's included) of one word, with names for codes and plain numbers for the rest.

    Raises DiagnosticError if the opcode or a code is unknown.
    """
    return decode_stream(np.asarray(word, dtype=WORD).reshape(1))[0]


def decode_stream(stream: np.ndarray) -> list[tuple[type[Instruction], dict[str, Any]]]:
    """Decode every word of a stream, in order, as `decode` does; takes about 3 µs a word.

    Raises DiagnosticError with the index of the first word, in order of opcodes, whose opcode or
    code is unknown.
    """
    result: list[Any] = [None] * len(stream)
    for opcode in np.unique(stream["opcode"]).tolist():
        instruction = BY_OPCODE.get(opcode)
        if instruction is None:
            index = int(np.flatnonzero(stream["opcode"] == opcode)[0])
            raise DiagnosticError(
                f"instruction {index} has the opcode {opcode}, which no instruction has",
                hint="another version of Smalti made it, or it is damaged: compile it again",
            )
        indices, words = select(stream, instruction)
        names = list(_all_fields(instruction))
        columns = [
            _column(instruction, field, words[field.name], indices)
            for field in _all_fields(instruction).values()
        ]
        for index, row in zip(indices.tolist(), zip(*columns, strict=True), strict=True):
            result[index] = (instruction, dict(zip(names, row, strict=True)))
    return result


def _column(
    instruction: type[Instruction], field: Field, values: np.ndarray, indices: np.ndarray
) -> Sequence[Any]:
    """Return one field of several words as plain Python values; codes become names."""
    if field.kind not in ("storage", "enum"):
        return values.tolist()
    names = code_names(field)
    bad = np.flatnonzero(values >= len(names))
    if len(bad):
        raise DiagnosticError(
            f"instruction {indices[bad[0]]} ({instruction.mnemonic}): "
            f"field '{field.name}' has the code {values[bad[0]]}, which means nothing "
            f"(known: 0 to {len(names) - 1})"
        )
    return [names[code] for code in values.tolist()]


def known_codes(indices: np.ndarray, words: np.ndarray) -> bool:
    """Return whether all storage and enum fields of the words that `select` returned hold codes that have names."""
    if not len(indices):
        return True
    fields = BY_OPCODE[int(words["opcode"][0])].fields
    return all(
        words[field.name].max() < len(code_names(field))
        for field in fields
        if field.kind in ("storage", "enum")
    )


def columns_of(stream: np.ndarray) -> Iterator[Columns]:
    """Yield the words [n] of a stream in groups, their fields as columns; `numbers` are indices in the stream.

    All opcodes and codes must be known ones.
    """
    for opcode in np.unique(stream["opcode"]).tolist():
        instruction = BY_OPCODE[opcode]
        indices, words = select(stream, instruction)
        yield from grouped(instruction, words, indices)
