"""Costs of ops: the same whole at every level, its parts adding up."""

import pytest
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.demo.digits import MODEL
from smalti.compiler.driver.cost import cost_comments, costs_of
from smalti.dialects.level import Level


@pytest.mark.share(3)
@pytest.mark.parametrize("level", ["top", "tpu", "tile", "isa"])
def test_parts_add_up_at_every_level(level: Level):
    compilation = start_from_model(MODEL, CompileOptions("default-8c", None, "int8", "random:0"))
    compilation.lower_to("isa")
    _, whole = costs_of(compilation.levels["isa"], compilation.ctx)
    module = compilation.levels[level]
    costs, timing = costs_of(module, compilation.ctx)
    assert timing.cycles == whole.cycles
    if level != "isa":
        assert sum(cost.cycles for cost in costs.values()) == pytest.approx(timing.cycles, abs=1)
    moved = sum(cost.bytes for cost in costs.values())
    assert moved == timing.bytes_read + timing.bytes_written
    dynamic = timing.energy_picojoules - timing.energy_parts["static"]
    assert sum(cost.picojoules for cost in costs.values()) == pytest.approx(dynamic)
    comments = cost_comments(module, compilation.ctx)
    assert set(comments) == set(costs)
    shares = "%" in next(iter(comments.values()))
    assert shares == (level != "isa")
