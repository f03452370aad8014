"""Names ops of ONNX: those of its own domain by their name alone, others with the domain before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import NodeProto

_DEFAULT_DOMAINS = ("", "ai.onnx")


def op_name(domain: str, op_type: str) -> str:
    """Return the name of an op with its domain before it, if that is not ONNX's own: "com.me.MySwish"."""
    return op_type if domain in _DEFAULT_DOMAINS else f"{domain}.{op_type}"


def is_default_domain(node: NodeProto) -> bool:
    """Return whether a node's op is one of ONNX's own operator set."""
    return node.domain in _DEFAULT_DOMAINS
