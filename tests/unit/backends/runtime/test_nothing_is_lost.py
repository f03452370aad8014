"""Every inference ends exactly once: with devices that fail, callers that cancel, and timeouts that fire."""

import random
import threading
from collections import Counter

import pytest
from smalti.backends.runtime.batching.adaptive import Adaptive
from smalti.backends.runtime.batching.fixed_size import FixedSize
from smalti.backends.runtime.clocks.clock import MICROSECOND, MILLISECOND, SECOND, Clock, Event
from smalti.backends.runtime.clocks.real_clock import RealClock
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.device_choice.device_priority import DevicePriority
from smalti.backends.runtime.devices.loaded_model import LoadedModel
from smalti.backends.runtime.requests.deadlines import Deadlines, LateAction
from smalti.backends.runtime.requests.inference import Inference, State
from smalti.backends.runtime.serving.auto import Auto, AutoOptions, Candidate
from smalti.backends.runtime.serving.instance import Instance
from smalti.backends.runtime.serving.server import QueueFull, Server

from .timed_model import TimedModel

TIMES = {1: 10 * MICROSECOND, 4: 16 * MICROSECOND}


class Unreliable(TimedModel):
    """Fails once in a hundred runs."""

    def __init__(self, seed: int) -> None:
        super().__init__(TIMES, host=MICROSECOND)
        self.random = random.Random(seed)

    def execute(self, prepared, batch):
        if self.random.random() < 0.01:
            raise RuntimeError("the device failed")
        return prepared


def devices(clock: Clock, count: int) -> Auto:
    """Return that many devices that serve at once, of which all but the last one leave at their first failure."""

    def serve(name: str, model: LoadedModel, failed) -> Server:
        instances = [Instance(model, clock, f"{name}-{number}", 2) for number in range(2)]
        policy = FixedSize(4, 30 * MICROSECOND) if int(name[1:]) % 2 else Adaptive(4)
        deadlines = Deadlines(LateAction.REJECT, least_time=12 * MICROSECOND)
        return Server(
            clock, name, instances, policy, most_waiting=50, deadlines=deadlines, on_failure=failed
        )

    candidates = [
        Candidate(
            f"D{number}",
            lambda number=number: Unreliable(number) if number < count - 1 else TimedModel(TIMES),
            lambda model, failed, number=number: serve(f"D{number}", model, failed),
            number * 100 * MICROSECOND,
        )
        for number in range(count)
    ]
    return Auto(clock, candidates, DevicePriority(), AutoOptions(all_at_once=True, most_held=50))


class Account:
    """What became of every inference that was asked for."""

    def __init__(self) -> None:
        self.ends: Counter[int] = Counter()
        self.states: Counter[State] = Counter()
        self.refused = 0
        self.lock = threading.Lock()

    def ended(self, inference: Inference) -> None:
        assert inference.state.is_end and (inference.ended or 0) >= inference.arrived
        with self.lock:
            self.ends[id(inference)] += 1
            self.states[inference.state] += 1

    def submit(self, clock: Clock, auto: Auto, kept: list[Inference], chance: float) -> None:
        """Ask for an inference, now and then with a deadline, or canceled soon after."""
        now = clock.now()
        deadline = now + 30 * MICROSECOND if chance < 0.2 else None
        inference = Inference({}, now, self.ended, deadline=deadline)
        kept.append(inference)
        try:
            auto.submit(inference)
        except QueueFull:
            with self.lock:
                self.refused += 1
            return
        if chance > 0.9:
            clock.call_at(now + round(chance * 20) * MICROSECOND, lambda: auto.cancel(inference))

    def check(self, asked: int) -> None:
        assert sum(self.ends.values()) + self.refused == asked
        assert set(self.ends.values()) == {1}
        assert min(self.states[each] for each in (State.DONE, State.CANCELED, State.FAILED)) > 0


@pytest.mark.parametrize("count", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_in_virtual_time(count: int):
    clock, account, chances = VirtualClock(computes=True), Account(), random.Random(count)
    auto = devices(clock, 8)
    kept: list[Inference] = []
    time = 0

    def arrive() -> None:
        nonlocal time
        account.submit(clock, auto, kept, chances.random())
        if len(kept) < count:
            time += round(chances.expovariate(1) * 2 * MICROSECOND)
            clock.call_at(time, arrive)

    clock.call_soon(arrive)
    clock.run()
    account.check(count)


def test_in_real_time_from_sixteen_threads():
    clock, account = RealClock(), Account()
    auto = devices(clock, 8)
    kept: list[list[Inference]] = [[] for _ in range(16)]
    count = 625

    def call(number: int) -> None:
        chances = random.Random(number)
        for _ in range(count):
            asked = clock.event()

            def submit(asked: Event = asked) -> None:
                account.submit(clock, auto, kept[number], chances.random())
                asked.set()

            clock.call_soon(submit)
            assert asked.wait(30 * SECOND)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    through = clock.event()
    while sum(account.ends.values()) + account.refused < 16 * count:
        through.wait(MILLISECOND)
    clock.close()
    account.check(16 * count)
