"""A request: one inference at a time, again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError, did_you_mean
from ..clocks.clock import MILLISECOND, Clock, Event, Outcome
from ..devices.served_model import ServedModel
from ..requests.inference import Inference, State
from .results import Port, Results, Tensor, given_inputs


class Inferring(Protocol):
    """What a request needs of its compiled model."""

    source: ServedModel
    clock: Clock

    @property
    def inputs(self) -> list[Port]: ...

    @property
    def outputs(self) -> list[Port]: ...

    def start(
        self,
        inputs: Mapping[str, np.ndarray],
        on_end: Callable[[Inference], None],
        deadline: float | None = None,
    ) -> Inference:
        """Give an inference to the devices. `deadline`: in milliseconds from now; None for what is set."""
        ...

    def through(self, inference: Inference) -> None:
        """Note, in an action, that an inference and its callback are through."""
        ...

    def cancel(self, inference: Inference) -> None:
        """End an inference."""
        ...


class Canceled(Exception):
    """The inference that is waited for was canceled."""


class InferRequest:
    """An inference of a compiled model, with the inputs that were set last; made by `create_infer_request`.

    It belongs to one thread at a time; callbacks may start it again.
    """

    def __init__(self, model: Inferring) -> None:
        self._model = model
        self._inputs: dict[str, Tensor] = {}
        self._seen: set[str] = set()
        """Inputs whose tensors callers have, who may write into them at any time."""
        self._outputs = [_OutputTensor(self, place) for place in range(len(model.outputs))]
        self._callback: Callable[[Any], object] | None = None
        self.userdata: Any = None
        self._inference: Inference | None = None
        self._through: Event | None = None
        self._callback_error: BaseException | None = None
        self._on_idle: Callable[[InferRequest], None] | None = None

    @property
    def model_inputs(self) -> list[Port]:
        """The model's inputs."""
        return self._model.inputs

    @property
    def model_outputs(self) -> list[Port]:
        """The model's outputs."""
        return self._model.outputs

    def set_callback(self, callback: Callable[[Any], object] | None, userdata: Any = None) -> None:
        """Call a function with `userdata` at the end of each inference, whether it has succeeded or not; None: none."""
        self._callback, self.userdata = callback, userdata

    def set_tensor(self, name: str | Port, tensor: Tensor | np.ndarray) -> None:
        """Set an input. Raises DiagnosticError if it does not fit."""
        self._set({name: tensor})

    def set_tensors(self, inputs: Mapping[str | Port, Tensor | np.ndarray]) -> None:
        """Set inputs. Raises DiagnosticError if one does not fit."""
        self._set(inputs)

    def set_input_tensor(self, *given: Any) -> None:
        """Set the only input, or with a place before the tensor that one. Raises DiagnosticError if it does not fit."""
        self._set({0 if len(given) == 1 else given[0]: given[-1]})

    def set_input_tensors(self, *given: Any) -> None:
        """Set the only input, by a list of one tensor. Raises DiagnosticError if it is longer, or does not fit."""
        tensors = list(given[-1])
        if len(tensors) != 1:
            raise DiagnosticError(
                f"{len(tensors)} tensors are given for one input",
                hint="join the samples of a batch along axis 0",
            )
        self.set_input_tensor(*given[:-1], tensors[0])

    def get_tensor(self, name: str | Port) -> Tensor:
        """Return the tensor of an input or output. Raises DiagnosticError if there is none such.

        What is written into that of an input is what is inferred next. Before the first inference both hold zeros, and
        nothing along axes that the model leaves open: set their `shape`.
        """
        key = name.any_name if isinstance(name, Port) else name
        inputs = {port.any_name: port for port in self.model_inputs}
        outputs = {port.any_name: at for at, port in enumerate(self.model_outputs)}
        if key in inputs:
            self._seen.add(key)
            return self._inputs.setdefault(key, Tensor(inputs[key].empty(), shared_memory=True))
        if key not in outputs:
            raise DiagnosticError(
                f"there is no tensor '{key}'", hint=did_you_mean(str(key), [*inputs, *outputs])
            )
        return self._outputs[outputs[key]]

    def get_input_tensor(self, index: int = 0) -> Tensor:
        """Return the tensor of an input, as `get_tensor`. Raises DiagnosticError if there is none such."""
        return self.get_tensor(_at(self.model_inputs, index, "input"))

    def get_output_tensor(self, index: int = 0) -> Tensor:
        """Return the tensor of an output, as `get_tensor`. Raises DiagnosticError if there is none such."""
        return self.get_tensor(_at(self.model_outputs, index, "output"))

    @property
    def input_tensors(self) -> list[Tensor]:
        """The tensors of all inputs."""
        return [self.get_tensor(port) for port in self.model_inputs]

    @property
    def output_tensors(self) -> list[Tensor]:
        """The tensors of all outputs."""
        return list(self._outputs)

    @property
    def has_started(self) -> bool:
        """Whether an inference was ever asked for."""
        return self._inference is not None

    @property
    def results(self) -> Results:
        """The outputs of the last inference. Raises DiagnosticError if there is none that has succeeded."""
        inference = self._inference
        if inference is None or inference.state is not State.DONE:
            raise DiagnosticError("there are no outputs", hint="infer first, or wait for the end")
        if inference.outputs is None:
            raise DiagnosticError("nobody computed values", hint="set VALUES to SIMULATOR or CPU")
        return Results(self.model_outputs, inference.outputs)

    @property
    def latency(self) -> float:
        """The milliseconds from the start of the last inference's wait to its end."""
        inference = self._inference
        if inference is None or inference.ended is None:
            return 0.0
        return (inference.ended - inference.arrived) / MILLISECOND

    @property
    def late(self) -> float:
        """How many milliseconds later than by the device's simulated time the last inference's values were ready."""
        return 0.0 if self._inference is None else self._inference.late / MILLISECOND

    def infer(
        self, inputs: Any = None, share_inputs: bool = False, *, deadline: float | None = None
    ) -> Results:
        """Infer and return the outputs. Raises what `start_async` and `wait` do."""
        self.start_async(inputs, share_inputs=share_inputs, deadline=deadline)
        self.wait()
        return self.results

    def start_async(
        self,
        inputs: Any = None,
        userdata: Any = None,
        share_inputs: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Ask for an inference of inputs, or of those that were set before, and return. Arrays are copied, unless they
        are shared: then they must not change until the end. `deadline`: in so many milliseconds, in place of the
        property DEADLINE; what becomes of an inference that cannot meet it, DEADLINE_ACTION says.

        Raises:
            DiagnosticError: if inputs are missing or do not fit, or if an inference of this request is under way.
            QueueFull: if no more inferences may wait.
        """
        if self._inference is not None and not self._inference.state.is_end:
            raise DiagnosticError("the request is busy", hint="wait for it, or use another request")
        self._set(inputs, share=share_inputs)
        arrays = self._checked(share=share_inputs)
        if userdata is not None:
            self.userdata = userdata
        through, before = self._model.clock.event(), self._through
        self._callback_error, self._through = None, through
        try:
            self._inference = self._model.start(
                arrays, lambda inference: self._ended(inference, through), deadline
            )
        except BaseException:
            self._through = before
            raise

    def wait(self) -> None:
        """Wait for the end.

        Raises what the device raised, what the callback raised, or Canceled.
        """
        self._wait(None)

    def wait_for(self, timeout: int) -> bool:
        """Wait for the end, but not longer than so many milliseconds; tell whether it came.

        Raises as `wait` does, and DiagnosticError if the time is negative.
        """
        if timeout < 0:
            raise DiagnosticError(f"nobody can wait for {timeout} ms", hint="0: do not wait")
        return self._wait(timeout * MILLISECOND)

    def cancel(self) -> None:
        """End the inference that is under way, if there is one, whatever the device makes of it."""
        if self._inference is not None:
            self._model.cancel(self._inference)

    def tell_when_idle(self, told: Callable[[InferRequest], None]) -> None:
        """Call a function, in an action, whenever an inference and its callback are through."""
        self._on_idle = told

    @property
    def error(self) -> BaseException | None:
        """What went wrong with the last inference or its callback."""
        if self._callback_error is not None or self._inference is None:
            return self._callback_error
        if self._inference.state is State.CANCELED:
            return Canceled("the inference was canceled")
        return self._inference.error

    def _wait(self, nanoseconds: int | None) -> bool:
        if self._through is None:
            return True
        if not self._through.wait(nanoseconds):
            if nanoseconds is None:
                raise RuntimeError("the clock was closed before the inference ended")
            return False
        if self.error is not None:
            raise self.error
        return True

    async def wait_async(self) -> None:
        """Wait for the end while the tasks of asyncio's loop go on. Raises as `wait` does."""
        if self._through is not None:
            await self._through.wait_async()
        self.wait()

    def _set(self, inputs: Any, *, share: bool = False) -> None:
        """Check inputs and keep copies of them, or the arrays themselves."""
        ports = {port.name: port for port in self._model.source.inputs}
        try:
            given = given_inputs(inputs, self.model_inputs)
        except KeyError as error:
            name = error.args[0]
            raise DiagnosticError(
                f"there is no input '{name}'",
                hint=did_you_mean(str(name), list(ports)) or f"there are {', '.join(ports)}",
            ) from None
        except ValueError as error:
            raise DiagnosticError(str(error)) from None
        for name, each in given.items():
            if isinstance(each, Tensor):
                ports[name].check(each.data)
                self._inputs[name] = each
                self._seen.add(name)
            else:
                self._inputs[name] = Tensor(ports[name].check(each), shared_memory=share)
                self._seen.discard(name)

    def _checked(self, *, share: bool) -> dict[str, np.ndarray]:
        """Return the inputs of an inference: copies of what callers may write into, unless that is shared."""
        arrays: dict[str, np.ndarray] = {}
        for port in self._model.source.inputs:
            if port.name not in self._inputs:
                raise DiagnosticError(f"input '{port.name}' is missing")
            array = port.check(self._inputs[port.name].data)
            if not array.size:
                raise DiagnosticError(
                    f"input '{port.name}' is empty: its shape is {list(array.shape)}",
                    hint="set the tensor's shape, and write into its data",
                )
            is_copied = port.name in self._seen and not share
            arrays[port.name] = np.array(array) if is_copied else array
        return arrays

    def _ended(self, inference: Inference, through: Event) -> None:
        """Call the callback beside everything else, then let the waiters go. This is an action."""
        self._inference = inference  # it may end before `start` has returned
        callback, userdata = self._callback, self.userdata

        def called(outcome: Outcome[object]) -> None:
            if self._through is through:  # the callback has not started another inference
                self._callback_error = outcome.error
            self._model.through(inference)
            through.set()
            if self._on_idle is not None and self._through is through:
                self._on_idle(self)

        if callback is None:
            called(Outcome())
        else:
            self._model.clock.beside(lambda: callback(userdata), called)


class _OutputTensor(Tensor):
    """An output of a request: what its last inference gave, and zeros before the first one."""

    def __init__(self, request: InferRequest, place: int) -> None:
        super().__init__(request.model_outputs[place].empty(), shared_memory=True)
        self._request, self._place = request, place

    @property
    def data(self) -> np.ndarray:
        """The array. Raises DiagnosticError if the last inference has not succeeded."""
        if not self._request.has_started:
            return self._array
        return self._request.results[self._place]


def _at(ports: Sequence[Port], index: int, what: str) -> Port:
    if not 0 <= index < len(ports):
        raise DiagnosticError(f"there is no {what} {index}", hint=f"there are {len(ports)}")
    return ports[index]
