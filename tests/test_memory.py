"""What a command says that it needs is at least what it takes, and what there is not is refused in one sentence."""

import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli import api, memory
from cnncli.errors import UsageError
from cnncli.network.architecture import Architecture
from cnncli.network.engines import choose_engine
from cnncli.network.initialisation import he_normal
from cnncli.network.textbook import Textbook
from tests.conftest import Cli, write_image

NETWORKS = [
    Architecture(60, 60, 3, filters=(16,)),
    Architecture(60, 40, 1, filters=(1, 16, 4), kernel=5, pool=1, padding=4),
    Architecture(100, 100, 1, filters=(4,), kernel=9, pool=3, classes=3),
    Architecture(40, 40, 3, filters=(8, 8), pooling="average", classes=3),
    Architecture(20, 20, 3, filters=(4,), kernel=1, pool=3, classes=500),
    Architecture(120, 120, 1, filters=(1,), kernel=30, padding=20),
    Architecture(100, 100, 1, filters=(8, 8), stride=2, padding=9, dilation=2),
    Architecture(60, 60, 1, filters=(4,), pool=9, pool_stride=1),
]
SMALL = 1 << 20  # bytes that the estimates may leave out


def peak(run: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1] - SMALL
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("m", [1, 5])
@pytest.mark.parametrize("architecture", NETWORKS, ids=str)
def test_a_network_takes_no_more_than_was_said(architecture: Architecture, m: int) -> None:
    parameters = he_normal(architecture, 0)
    single = {name: value.astype(np.float32) for name, value in parameters.items()}
    X = np.random.default_rng(0).normal(size=(m, architecture.channels, architecture.height, architecture.width))
    y = np.zeros(m, np.intp)
    textbook, engine = Textbook(architecture), choose_engine(architecture, 1)
    assert peak(lambda: textbook.record(parameters, X, y)) <= memory.estimate_trace(architecture, m)
    assert peak(lambda: engine.logits(single, X.astype(np.float32))) <= memory.estimate_prediction(architecture, m)
    taken = peak(lambda: choose_engine(architecture, 1).loss_and_gradients(single, X.astype(np.float32), y))
    assert taken <= memory.estimate_training(architecture, m)


@pytest.mark.parametrize(
    "network", [{"image_size": 30}, {"filters": (16, 4), "kernel": 5, "image_size": 30}, {"classes": 200}]
)
def test_a_check_takes_no_more_than_was_said(network: dict[str, Any]) -> None:
    check = api.prepare_gradcheck(sample=2, **network)
    architecture = check.subject.architecture
    assert peak(lambda: api.complete_gradcheck(check)) <= memory.estimate_gradcheck(architecture, 1)


@pytest.mark.parametrize("command", ["trace", "gradcheck"])
@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (("--classes", "99999999999"), "--classes"),
        (("--filters", "99999999999999999999"), "--filters"),
        (("--image-size", "10000"), "--image-size"),
        (("--padding", "99999999"), "--padding"),
        (("--kernel", "19999", "--padding", "10000"), "--kernel"),
    ],
)
def test_what_no_memory_holds_is_refused(
    cli: Cli, command: str, options: tuple[str, ...], remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 16 << 30)  # some machines have enough for some of these
    result = cli(command, *options)
    assert result.code == 2
    assert result.sentence.startswith("Error: such a network needs ")
    assert result.sentence.endswith(f" are free: make it smaller with {remedy}")


def test_training_and_prediction_ask_too(
    cli: Cli, image_folder: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = image_folder.parent / "run"
    monkeypatch.setattr("cnncli.training.preparation.decode_all", None)  # before an image is decoded
    model = memory.estimate_training(Architecture(8, 8, filters=(99,)), 1)
    monkeypatch.setattr(memory, "available", lambda: model + 1000)
    result = cli("train", image_folder, "--filters", 99, "--out", run)
    assert (result.code, run.exists()) == (2, False)
    assert result.sentence.startswith("Error: training on batches of 10 needs ")
    assert result.sentence.endswith("make it smaller with --batch-size")
    monkeypatch.setattr(memory, "available", lambda: 1000)
    result = cli("train", image_folder, "--filters", 99, "--out", run)
    assert result.sentence.endswith("1 kB are free: make it smaller with --filters")
    image = write_image(image_folder.parent / "x" / "dark" / "1.png")
    for command in ("predict", "trace"):
        result = cli(command, image, "-m", model_file)
        assert result.code == 3
        assert result.sentence.endswith(" of memory, and 1 kB are free")


def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (used + (50 << 20), resource.RLIM_INFINITY))
    assert 40 << 20 < memory.available() < 60 << 20
    with pytest.raises(UsageError, match=r"it needs [\d.,]+ GB of memory, and \d+ MB are free: make it smaller"):
        memory.require(partial(memory.estimate_trace, images=1), Architecture(9999, 9999), "it")


def test_a_control_group_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(f"{90 << 20}\n")
    (tmp_path / "memory.current").write_text(f"{40 << 20}\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.available() == 50 << 20


def test_numbers_that_are_written_out_take_more(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    architecture = Architecture(12, 12)
    monkeypatch.setattr(memory, "available", lambda: memory.estimate_text(architecture) - 1)
    assert cli("trace", "--image-size", 12, "--only", "L").code == 0
    result = cli("trace", "--image-size", 12, "--format", "json")
    assert (result.code, result.sentence.startswith("Error: this trace as json needs ")) == (2, True)
