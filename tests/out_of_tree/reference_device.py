"""A device of one's own: ONNX's reference implementation, as if a run took 2 us, and 1 us more for each sample."""

import onnx
from onnx.reference import ReferenceEvaluator
from smalti.compiler import Plugin
from smalti.runtime import Device, LoadedModel, StageTimes, join_samples, split_samples


class ReferenceModel(LoadedModel):
    def __init__(self, evaluator, batches):
        self.evaluator, self._batches = evaluator, batches

    @property
    def batches(self):
        return self._batches

    def times(self, batch, *, first):
        return StageTimes(host_in=0, device=2_000 + 1_000 * batch, host_out=0)

    def prepare(self, samples, batch):
        return join_samples(samples, batch)

    def execute(self, prepared, batch):
        return dict(
            zip(self.evaluator.output_names, self.evaluator.run(None, prepared), strict=True)
        )

    def collect(self, results, batch, count):
        return split_samples(results, batch, count)


class ReferenceDevice(Device):
    name, full_name, largest_batch = "REFERENCE.0", "ONNX's reference implementation", 8

    def load(self, model, batches, settings):
        proto = model.source if isinstance(model.source, onnx.ModelProto) else str(model.source)
        return ReferenceModel(ReferenceEvaluator(proto), [1] if model.whole_ports else batches)


PLUGIN = Plugin(devices={"REFERENCE.0": ReferenceDevice})
