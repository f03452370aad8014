"""A program uses as many DMA queues of its target as take the fewest cycles."""

from smalti.backends.program import container
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import load_target, reference_to
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.dma_queues import choose_queues

from tests.networks.more_hardware.layers import LAYERS


def test_further_queues_stay_unused_where_they_cost_cycles():
    target = load_target("default-8c")
    dma = target.dma.model_copy(update={"queues": 4})
    options = CompileOptions(reference_to(target.model_copy(update={"dma": dma})), None, "f32")
    model = LAYERS["product_of_activations"].model("product")
    program = start_from_model(model, options).assemble()
    chosen = program.dma_queues
    cycles: dict[int | None, int] = {}
    for count in (1, 2, 4, None):
        program.dma_queues = count
        timing = simulate(program, mode="timing").timing
        assert timing is not None
        cycles[count] = timing.cycles
    assert cycles[4] == cycles[None]
    assert cycles[chosen] == min(cycles.values()) < cycles[4]
    assert choose_queues(program) == cycles[chosen] and program.dma_queues == chosen
    assert container.read(container.write(program)).dma_queues == chosen
