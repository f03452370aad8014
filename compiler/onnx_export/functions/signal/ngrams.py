"""Exports counts of n-grams."""

from __future__ import annotations

from .....dialects import top
from ...function_call import attributes_of, element_of_result
from ...graph_writer import GraphWriter


def _tf_idf(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    return graph.node(
        "TfIdfVectorizer",
        *op.inputs,
        element=element_of_result(op),
        mode=given["mode"].upper(),
        min_gram_length=given["min_length"],
        max_gram_length=given["max_length"],
        max_skip_count=given["max_skip"],
        pool_int64s=given["pool"],
        ngram_counts=given["starts"],
        ngram_indexes=given["columns"],
        weights=given["weights"] or None,
    )


EXPORTERS = {"tf_idf": _tf_idf}
"""The exporters of this family, by the function's name."""
