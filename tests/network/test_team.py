"""How many threads work on a batch, and that those who are woken find work."""

import threading

import numpy as np
import pytest

from cnncli.network.architecture import Architecture
from cnncli.network.compiled.engine import CompiledEngine
from cnncli.network.compiled.library import NO_LIBRARY, load_library
from cnncli.network.compiled.team import LATE, SEEN, SOON, WORTH_SHARING, Choice
from tests.network.batches import batch


def take_steps(choice: Choice, seconds: dict[int, float], steps: int, products: float = WORTH_SHARING) -> list[int]:
    """The numbers of threads of so many steps, of which each takes what its number of threads does."""
    counts = []
    for _ in range(steps):
        counts.append(choice.choose(products))
        choice.note(counts[-1], products, seconds[counts[-1]])
    return counts


def test_the_faster_number_of_threads_is_taken() -> None:
    for seconds, best in (({1: 2.0, 2: 1.0}, 2), ({1: 1.0, 2: 1.2}, 1)):
        counts = take_steps(Choice(2), seconds, 4000)
        assert counts[2 * SEEN : 2 * SEEN + SOON] == SOON * [best]
        assert counts.count(3 - best) < 4000 / LATE * SEEN + 10 * SEEN


def test_a_machine_that_gets_busy_gets_one_thread_and_all_when_it_is_idle_again() -> None:
    choice = Choice(2)
    take_steps(choice, {1: 2.0, 2: 1.0}, 1000)
    busy = take_steps(choice, {1: 2.0, 2: 3.0}, 100)
    assert busy[: 2 + SEEN + SOON] == 2 * [2] + (SEEN + SOON) * [1]  # two of three are slower than one was
    idle = take_steps(choice, {1: 2.0, 2: 1.0}, 2 * LATE)
    assert idle[-SEEN:] == SEEN * [2]


def test_steps_that_are_slow_at_first_are_soon_forgotten() -> None:
    choice = Choice(2)
    take_steps(choice, {1: 2.0, 2: 9.0}, 2 * SEEN)  # the first ones, say beside another program
    assert take_steps(choice, {1: 2.0, 2: 1.0}, SOON + 2 * SEEN)[-1] == 2


def test_little_work_and_a_single_thread_have_no_choice() -> None:
    assert set(take_steps(Choice(2), {1: 2.0, 2: 1.0}, 50, WORTH_SHARING / 2)) == {1}
    assert set(take_steps(Choice(1), {1: 2.0}, 50)) == {1}


@pytest.mark.skipif(load_library() is None, reason=NO_LIBRARY)
def test_threads_are_woken_when_there_is_work_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else they look for it while the parameters are packed, find none and sleep again for the whole step."""
    a = Architecture(28, 28)
    engine, parts = CompiledEngine(a, 2), []
    monkeypatch.setattr(engine._team, "rouse", lambda: parts.append(engine._job.ticket & 0xFFFFFFFF))
    parameters, X, y = batch(a, 64, "noise", 0)
    lanes = len(engine.cut(64)) - 1
    assert len(engine.loss_and_gradients(parameters, X, y).logits) == 64
    assert parts == [lanes << 16]  # of so many, none is taken
    assert np.isfinite(engine.logits(parameters, X)).all()
    assert parts == 2 * [lanes << 16]


@pytest.mark.skipif(load_library() is None, reason=NO_LIBRARY)
def test_an_interrupt_leaves_no_part_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that still worked on one would write into arrays that are gone."""
    a = Architecture(28, 28)
    engine = CompiledEngine(a, 2)
    parameters, X, y = batch(a, 64, "noise", 0)
    expected = engine.loss_and_gradients(parameters, X, y)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine._team, "rouse", interrupt)
        with pytest.raises(KeyboardInterrupt):
            engine.loss_and_gradients(parameters, X, y)
    parts, taken = engine._job.ticket >> 16 & 0xFFFF, engine._job.ticket & 0xFFFF
    assert parts == taken == engine._job.done
    again = engine.loss_and_gradients(parameters, X, y)
    assert again.loss == expected.loss
    assert all(np.array_equal(again.gradients[name], expected.gradients[name]) for name in parameters)


@pytest.mark.skipif(load_library() is None, reason=NO_LIBRARY)
def test_where_the_system_gives_no_thread_the_others_do_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    a = Architecture(28, 28)
    parameters, X, y = batch(a, 64, "noise", 0)
    expected = CompiledEngine(a, 1).loss_and_gradients(parameters, X, y)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    alone = CompiledEngine(a, 4).loss_and_gradients(parameters, X, y)
    assert alone.loss == expected.loss
    assert all(np.array_equal(alone.gradients[name], expected.gradients[name]) for name in parameters)


def test_batches_that_are_refused_leave_a_choice() -> None:
    choice = Choice(2)
    assert [choice.choose(WORTH_SHARING) for _ in range(100)][:SEEN] == SEEN * [2]
    take_steps(choice, {1: 1.0, 2: 2.0}, 4 * LATE)
    assert choice.choose(WORTH_SHARING) == 1
