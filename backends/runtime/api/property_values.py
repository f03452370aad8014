"""What properties can be: OpenVINO's enumerations, and ours."""

from __future__ import annotations

from enum import Enum


class PerformanceMode(Enum):
    """What is to be good: the time of each inference, the number of them, or that of all devices together."""

    LATENCY = 1
    THROUGHPUT = 2
    CUMULATIVE_THROUGHPUT = 3


class Priority(Enum):
    """Which models' inferences start first on a device that several share."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


class SchedulePolicy(Enum):
    """Which device gets the next inference under CUMULATIVE_THROUGHPUT."""

    ROUND_ROBIN = 0
    DEVICE_PRIORITY = 1


class Values(Enum):
    """Who computes the values of inferences on a simulated card."""

    SIMULATOR = 0
    CPU = 1
    NONE = 2


class BatchingPolicy(Enum):
    """When batches are due: as OpenVINO has it, or as soon as the device is free."""

    FIXED = 0
    ADAPTIVE = 1
