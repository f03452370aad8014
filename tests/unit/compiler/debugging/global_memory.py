"""A compilation whose tensors all lie in global memory between layers."""

from smalti.compiler.compilation.pass_change import PassChange

IN_GLOBAL_MEMORY = PassChange.parse("tile-plan{on_chip=false}")
