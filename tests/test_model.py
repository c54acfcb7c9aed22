"""The model file."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors import safe_open

from cnncli.data.normalisation import Normalisation
from cnncli.errors import ImageError
from cnncli.model import FORWARD_BYTES, MOST_AT_ONCE, Model, load_model
from cnncli.network.architecture import Architecture
from cnncli.network.initialisation import he_normal
from tests.conftest import Cli, write_image


@pytest.fixture
def model() -> Model:
    architecture = Architecture(10, 12, channels=3, filters=(2, 3), kernel=2, pool=2, classes=3)
    parameters = {name: value.astype(np.float32) for name, value in he_normal(architecture, 0).items()}
    return Model(architecture, ("a", "b [red]", "ç/ö"), Normalisation((0.1, 0.2, 0.3), (1.0, 0.5, 0.25)), parameters)


def test_a_model_comes_back_as_it_went(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.safetensors")
    for path in (tmp_path, tmp_path / "model.safetensors"):
        again = load_model(path)
        assert (again.architecture, again.classes, again.normalisation) == (
            model.architecture,
            model.classes,
            model.normalisation,
        )
        assert list(again.parameters) == list(model.parameters)
        for name, value in model.parameters.items():
            assert_array_equal(again.parameters[name], value)


def test_an_array_that_is_not_contiguous_is_written_right(model: Model, tmp_path: Path) -> None:
    w3 = model.parameters["w3"]
    model.parameters["w3"] = np.asfortranarray(w3)
    model.parameters["w1"] = model.parameters["w1"][:, ::-1]
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path).parameters
    assert_array_equal(again["w3"], w3)
    assert_array_equal(again["w1"], model.parameters["w1"])


def test_the_same_model_gives_the_same_bytes_and_leaves_no_other_file(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "one")
    model.save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_any_program_can_read_the_file(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        assert sorted(file.keys()) == ["b1", "b2", "b3", "w1", "w2", "w3"]
        settings = json.loads(file.metadata()["cnncli"])
    assert settings == {
        "format": 1,
        "architecture": {
            "height": 10, "width": 12, "channels": 3, "filters": [2, 3], "kernel": 2, "pool": 2, "classes": 3,
            "pooling": "max", "padding": 0, "stride": 1, "dilation": 1, "pool_stride": None,
        },
        "classes": ["a", "b [red]", "ç/ö"],
        "normalisation": {"mean": [0.1, 0.2, 0.3], "std": [1.0, 0.5, 0.25]},
    }  # fmt: skip


def test_a_failed_write_keeps_the_old_file(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.safetensors"
    model.save(path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    model.parameters["b1"] += 1
    with pytest.raises(OSError, match="No space"):
        model.save(path)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_forward_pass_takes_as_many_images_as_have_room(model: Model) -> None:
    assert model.images_at_once == MOST_AT_ONCE
    for side, channels, most in ((64, 1, 256), (256, 3, 40), (1024, 3, 2)):
        architecture = Architecture(side, side, channels)
        large = Model(architecture, model.classes, Normalisation.none(channels), he_normal(architecture, 0))
        numbers = sum(np.zeros(shape).size for name, shape in large.chain.shapes.items() if name in LARGE)
        assert 1 <= large.images_at_once <= most
        assert large.images_at_once == 1 or large.images_at_once * numbers * 4 <= FORWARD_BYTES


LARGE = ("X", "Z1", "A1", "P1")


def test_the_classes_of_many_files_are_those_of_each_alone(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnncli.model.MOST_AT_ONCE", 3)
    height, width = model.architecture.height, model.architecture.width
    paths = [write_image(tmp_path / f"{i}.png", height, width, seed=i) for i in range(8)]
    together = model.predict(paths)
    assert [prediction.path for prediction in together] == paths
    for path, prediction in zip(paths, together, strict=True):
        (alone,) = model.predict(path)
        assert alone.probabilities == pytest.approx(prediction.probabilities)
    paths[4].write_bytes(b"")
    with pytest.raises(ImageError, match="the file is empty"):
        model.predict(paths)


def test_a_stride_of_the_pooling_comes_back(tmp_path: Path) -> None:
    architecture = Architecture(10, 10, pool_stride=1)
    Model(architecture, ("a", "b"), Normalisation.none(1), he_normal(architecture, 0)).save(tmp_path / "model")
    assert load_model(tmp_path / "model").architecture == architecture


@pytest.mark.parametrize("channels", [2, 4, 10_000])
def test_no_image_has_another_number_of_channels_than_1_or_3(cli: Cli, tmp_path: Path, channels: int) -> None:
    architecture = Architecture(8, 8, channels, filters=(1,))
    path, image = tmp_path / "model.safetensors", write_image(tmp_path / "image.png")
    Model(architecture, ("a", "b"), Normalisation.none(channels), he_normal(architecture, 0)).save(path)
    result = cli("predict", image, "-m", path)
    reason = f"(channels is {channels}; an image has 1 or 3): train it again"
    assert (result.code, result.sentence) == (3, f"Error: {path} describes no network that can be built {reason}")
