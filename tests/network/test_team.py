"""Helper processes: they change nothing but the time, and the engine does without them when they are gone."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import numpy as np
import pytest

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.engine import Gradients
from cnncli.network.fused.board import MOST_LANES, plan, shares
from cnncli.network.fused.engine import Fused
from cnncli.network.fused.team import Team
from cnncli.network.initialisation import he_normal
from tests.conftest import PATIENCE

ARCHITECTURE = Architecture(30, 27, 3, (6, 5), classes=5)
IMAGES = 150


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("cnncli.network.fused.engine.SECONDS_ALONE", 0)
    yield
    for process in multiprocessing.active_children():
        process.kill()
        process.join()


def batch(m: int = IMAGES) -> tuple[Parameters, Array, Labels]:
    random = np.random.default_rng(5)
    X = random.normal(size=(m, *build_chain(ARCHITECTURE).image.shape))
    X[:, :, :, 14:] = 0.7  # ties
    return he_normal(ARCHITECTURE, 5), X, random.integers(0, 5, m)


def helped(threads: int) -> Fused:
    engine = Fused(ARCHITECTURE, threads)
    deadline = time.monotonic() + PATIENCE
    while not engine.helped:
        engine.loss_and_gradients(*batch())
        assert time.monotonic() < deadline
    return engine


def assert_same(found: Gradients, expected: Gradients) -> None:
    assert found.loss == expected.loss
    np.testing.assert_array_equal(found.logits, expected.logits)
    assert list(found.gradients) == list(expected.gradients)
    for name, gradient in expected.gradients.items():
        np.testing.assert_array_equal(found.gradients[name], gradient)


@pytest.mark.parametrize("threads", [2, 4])
def test_with_helpers_the_bits_are_the_same(threads: int) -> None:
    engine, alone = helped(threads), Fused(ARCHITECTURE, 1)
    assert len(multiprocessing.active_children()) == threads - 1
    for m in (IMAGES, 33, 1, 90, 5 * IMAGES):  # the last is more than there is room for
        assert_same(engine.loss_and_gradients(*batch(m)), alone.loss_and_gradients(*batch(m)))
        parameters, X, _ = batch(m)
        np.testing.assert_array_equal(engine.logits(parameters, X), alone.logits(parameters, X))


def test_a_small_batch_has_no_helpers() -> None:
    engine = Fused(ARCHITECTURE, 2)
    assert len(plan(ARCHITECTURE, 9).lanes) == 1
    engine.loss_and_gradients(*batch(9))
    assert not multiprocessing.active_children()


def test_helpers_wait_until_there_has_been_work_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.network.fused.engine.SECONDS_ALONE", 60)
    engine = Fused(ARCHITECTURE, 2)
    engine.loss_and_gradients(*batch())
    assert not multiprocessing.active_children()


def test_when_a_helper_dies_the_engine_does_its_part() -> None:
    engine, expected = helped(3), Fused(ARCHITECTURE, 1).loss_and_gradients(*batch())
    victim = multiprocessing.active_children()[0]
    victim.kill()
    victim.join()
    assert_same(engine.loss_and_gradients(*batch()), expected)
    assert not engine.helped
    assert engine.threads == 1
    assert_same(engine.loss_and_gradients(*batch()), expected)


def test_where_processes_cannot_be_started_the_engine_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", refused)
    engine = Fused(ARCHITECTURE, 2)
    for _ in range(2):
        assert_same(engine.loss_and_gradients(*batch()), Fused(ARCHITECTURE, 1).loss_and_gradients(*batch()))
    assert engine.threads == 1


def test_an_interrupt_leaves_an_engine_that_can_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, expected = helped(2), Fused(ARCHITECTURE, 1).loss_and_gradients(*batch())

    def interrupted(_: Connection) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cnncli.network.fused.team._receive", interrupted)
        parameters, X, y = batch()
        with pytest.raises(KeyboardInterrupt):
            engine.loss_and_gradients({name: 2 * value for name, value in parameters.items()}, X, y)
    assert not engine.helped
    assert not multiprocessing.active_children()
    assert_same(engine.loss_and_gradients(*batch()), expected)


def test_an_error_leaves_an_engine_that_can_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, expected = helped(2), Fused(ARCHITECTURE, 1).loss_and_gradients(*batch())
    parameters, X, y = batch()
    with pytest.raises(ValueError, match="broadcast"):
        engine.loss_and_gradients(parameters, X[:, :2], y)

    def failing(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("cnncli.network.fused.board.Worker.work", failing)
        with pytest.raises(MemoryError):
            engine.loss_and_gradients(parameters, -X, y)
    assert not engine.helped
    assert_same(engine.loss_and_gradients(*batch()), expected)


def test_a_helper_that_dies_before_it_is_ready_is_not_waited_for() -> None:
    engine, expected = Fused(ARCHITECTURE, 2), Fused(ARCHITECTURE, 1).loss_and_gradients(*batch())
    engine.loss_and_gradients(*batch())
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    assert_same(engine.loss_and_gradients(*batch()), expected)
    assert not engine.helped
    assert engine.threads == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_helper_starts_waits_until_it_has(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    start = SpawnProcess.start

    def signalled(process: SpawnProcess) -> None:
        signal.raise_signal(number)
        start(process)
        started.append(process)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, stop)
    try:
        monkeypatch.setattr(SpawnProcess, "start", signalled)
        with pytest.raises(KeyboardInterrupt):
            Team(ARCHITECTURE, 4, 1)
        assert len(started) == 1
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)


def test_results_stay_when_the_next_batch_comes() -> None:
    for engine in (helped(2), Fused(ARCHITECTURE, 1)):
        parameters, X, y = batch()
        first, logits = engine.loss_and_gradients(parameters, X, y), engine.logits(parameters, X)
        engine.loss_and_gradients(parameters, -X, y)
        assert_same(first, Fused(ARCHITECTURE, 1).loss_and_gradients(parameters, X, y))
        np.testing.assert_array_equal(logits, first.logits)


def test_a_helper_ends_when_its_engine_does(capfd: pytest.CaptureFixture[str]) -> None:
    engine = helped(2)
    (process,) = multiprocessing.active_children()
    del engine
    process.join(PATIENCE)
    assert process.exitcode == 0
    assert capfd.readouterr().err == ""


def test_a_helper_leaves_interrupts_to_the_process_that_was_started(capfd: pytest.CaptureFixture[str]) -> None:
    team = Team(ARCHITECTURE, 4, 1)
    (process,) = multiprocessing.active_children()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)  # while it starts
    deadline = time.monotonic() + PATIENCE
    while not team.ready:
        assert time.monotonic() < deadline
        time.sleep(0.001)  # leaves the processor to the helper
    os.kill(process.pid, signal.SIGINT)
    team.board.write(*batch(4)[::2])
    team.board.images[...] = batch(4)[1]
    team.ask(4, [range(1)], gradients=True)
    assert team.undone() == []
    assert capfd.readouterr().err == ""


def test_overflow_is_silent_in_every_process_where_the_caller_silenced_it(capfd: pytest.CaptureFixture[str]) -> None:
    engine = helped(2)
    parameters, X, y = batch()
    huge = {name: np.float32(1e30) * value.astype(np.float32) for name, value in parameters.items()}
    with np.errstate(over="ignore", invalid="ignore"):
        assert not np.isfinite(engine.loss_and_gradients(huge, X, y).loss)
    assert capfd.readouterr().err == ""


def test_shares_are_all_things_in_order_and_nearly_equal() -> None:
    for things in range(1, 40):
        for most in (1, 2, 3, MOST_LANES):
            parts = shares(things, most)
            assert [i for part in parts for i in part] == list(range(things))
            assert len(parts) == min(things, most)
            assert max(map(len, parts)) - min(map(len, parts)) <= 1
