"""`predict` as a plain function: a list without an end in bounded memory, and folders that hold nothing."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnncli.model import Prediction, load_model
from cnncli.prediction import Unreadable, predict
from tests.conftest import write_image


def test_a_list_without_an_end_is_answered_as_it_comes(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnncli.model.MOST_AT_ONCE", 4)
    path = write_image(tmp_path / "image.png")
    given: list[Path] = []

    def endless() -> Iterator[Path]:
        while True:
            given.append(path)
            yield path

    answers = predict(endless(), load_model(model_file), threads=1)
    for done, answer in enumerate(itertools.islice(answers, 20), 1):
        assert isinstance(answer, Prediction)
        assert len(given) - done < 4


def test_what_cannot_be_read_keeps_its_place(model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    images = [write_image(tmp_path / "full" / f"{i}.png", seed=i) for i in range(2)]
    paths = [images[1], tmp_path / "empty", tmp_path / "nothing.png", tmp_path / "full"]
    answers = list(predict(paths, load_model(model_file)))
    assert [answer.path for answer in answers] == [images[1], *paths[1:3], *images]
    reasons = [answer.reason for answer in answers if isinstance(answer, Unreadable)]
    assert reasons == ["the folder holds no images", "no such file"]
