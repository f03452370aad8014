"""`python -m tests.onnx_suite.coverage [--write]`: which operators of ONNX run where, and how many of their cases pass.

A case counts for the operator of its node if the model has one node, and for the one that its name begins with if the
model is the function that defines the operator, written out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator

import onnx
from smalti.compiler.onnx_import.importer import supported_operators

from tests.onnx_suite.cases import FOLDER, RUN, Case, cases, scope
from tests.onnx_suite.outcomes import TOP, Failure, read_list

PAGE = FOLDER / "coverage.md"
HEADER = """\
# Coverage of ONNX

Written by `python -m tests.onnx_suite.coverage --write` from the list of cases that do not pass, which tests keep true
(compiled, a third of the expansions of functions and of the networks is run with each commit). Every version of an
operator is imported, from opset 6 on: a model's own opset says what an operator means. *Runs* is where: an engine of
the device, the *host* between transfers, *folded* at import, *written out* as the function that defines the operator,
or *resolved* where its condition or length is known at import. Cases are those of the suite that are in scope
([scope.csv](scope.csv) says why others are not), at `top` in the interpreter and compiled for default-8c in f32.

Of all {total:,} cases in scope, with those of several operators and the networks, {top:,} pass at `top`
({top_share:.1%}) and {device:,} compiled ({device_share:.1%}). [not_passing.txt](not_passing.txt) says why the
others do not, and [test_proofs.py](test_proofs.py) computes it: those of Resize and DFT contradict the standard's text;
those of Attention depend on roundings inside of a Softmax of f16 of which the text says nothing.

"""
RESOLVED = {"If", "Loop", "Scan"}
"""Ops with bodies, of which nothing is left at `top`."""


def rows() -> Iterator[tuple[str, ...]]:
    """The cells of a line for each operator of ONNX's own domain."""
    engines = {name: engine for name, _, engine in supported_operators()}
    schemas: dict[str, list[onnx.defs.OpSchema]] = defaultdict(list)
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            schemas[schema.name].append(schema)
    listed, counted = read_list(), cases_by_operator()
    for name, versions in sorted(schemas.items()):
        newest = max(versions, key=lambda schema: schema.since_version)
        in_scope = [case for case in counted[name] if case.group in RUN]
        yield (
            name,
            ", ".join(str(each) for each in sorted({v.since_version for v in versions})),
            engines.get(name) or _without_an_importer(newest, counted[name]),
            _passing(in_scope, listed, {TOP}),
            _passing(in_scope, listed, None),
        )


def totals() -> dict[str, float]:
    """Return how many cases are in scope, and how many of them pass at each level."""
    keys = {key for key, (group, _) in scope().items() if group in RUN}
    listed = read_list()
    failing = [listed[key].level for key in keys if key in listed]
    top, device = len(keys) - failing.count(TOP), len(keys) - len(failing)
    return {
        "total": len(keys),
        "top": top,
        "top_share": top / len(keys),
        "device": device,
        "device_share": device / len(keys),
    }


def _without_an_importer(schema: onnx.defs.OpSchema, known: list[Case]) -> str:
    if schema.name in RESOLVED:
        return "resolved"
    reasons = {case.reason for case in known}
    if known and all(case.group not in RUN for case in known):
        return f"no: {min(reasons)}"
    if schema.has_function or schema.has_context_dependent_function:
        return "written out"
    return "folded"


def _passing(
    in_scope: list[Case], listed: dict[tuple[str, str], Failure], levels: set[str] | None
) -> str:
    """Return how many of some cases are not listed, at given levels or at any."""
    if not in_scope:
        return ""
    failing = sum(
        (known := listed.get((case.kind, case.name))) is not None
        and (levels is None or known.level in levels)
        for case in in_scope
    )
    return f"{len(in_scope) - failing} of {len(in_scope)}"


def cases_by_operator() -> dict[str, list[Case]]:
    """Return the cases of single operators, by the operator's name."""
    snake = {
        name.lower(): name
        for name in {schema.name for schema in onnx.defs.get_all_schemas_with_history()}
    }
    found: dict[str, list[Case]] = defaultdict(list)
    for case in cases():
        if case.kind != "node" or case.source.model is None:
            continue
        nodes = case.source.model.graph.node
        if len(nodes) == 1:
            found[nodes[0].op_type].append(case)
            continue
        words = case.name.removeprefix("test_").split("_")
        prefixes = ("".join(words[:count]) for count in range(len(words), 0, -1))
        name = next((snake[prefix] for prefix in prefixes if prefix in snake), None)
        if name is not None:
            found[name].append(case)
    return found


def page() -> str:
    """Return the whole page."""
    lines = [
        "| operator | began or changed in opset | runs | cases at top | on default-8c |",
        "| :--- | :--- | :--- | ---: | ---: |",
        *(f"| {' | '.join(cells)} |" for cells in rows()),
    ]
    return HEADER.format(**totals()) + "\n".join(lines) + "\n"


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(prog="python -m tests.onnx_suite.coverage")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    if parser.parse_args().write:
        PAGE.write_text(page())
    else:
        print(page(), end="")


if __name__ == "__main__":
    main()
