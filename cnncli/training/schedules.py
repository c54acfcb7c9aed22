"""Schedules: the learning rate of each step, as a share of the one that was chosen; pure functions of the step."""

from collections.abc import Callable
from math import cos, pi

from cnncli.training.settings import ScheduleName

FIRST = 1 / 25  # of a one-cycle schedule, its first rate
LAST = FIRST / 10_000  # and its last

Schedule = Callable[[int, int, float], float]


def learning_rate_share(schedule: ScheduleName, step: int, steps: int, warm_up: float) -> float:
    """The share of the learning rate that step 0 … steps-1 takes; `warm_up` is the share of the steps with a rise."""
    return SCHEDULES[schedule](step, steps, warm_up * steps)


def _stay(step: int, _steps: int, rising: float) -> float:
    """Rise in a straight line, then stay at 1."""
    return min((step + 1) / (rising + 1), 1.0)


def _fall_as_cosine(step: int, steps: int, rising: float) -> float:
    """Rise in a straight line, then fall to 0 along half a wave (Loshchilov and Hutter 2017, arXiv:1608.03983)."""
    return _stay(step, steps, rising) * _wave(1.0, 0.0, (step - rising) / (steps - rising))


def _one_cycle(step: int, steps: int, rising: float) -> float:
    """Rise and fall along half waves (Smith and Topin 2018, arXiv:1708.07120), at the rates that PyTorch takes."""
    peak, end = rising - 1, steps - 1
    if step <= peak:
        return _wave(FIRST, 1.0, step / peak)
    return _wave(1.0, LAST, (step - peak) / (end - peak)) if end > peak else 1.0


def _wave(start: float, end: float, progress: float) -> float:
    """From start to end along half a cosine wave, at start before it begins."""
    return end + (start - end) * (1 + cos(pi * min(max(progress, 0.0), 1.0))) / 2


SCHEDULES: dict[ScheduleName, Schedule] = {"constant": _stay, "cosine": _fall_as_cosine, "one-cycle": _one_cycle}
