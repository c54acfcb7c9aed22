"""Where settings come from: options, a file, a recipe, the defaults; and starting from another model's weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncli.errors import UsageError
from cnncli.model import load_model
from cnncli.training.choice import choose_settings
from cnncli.training.loop import balance, evaluate
from cnncli.training.recipes import RECIPES
from cnncli.training.settings import TrainingSettings
from tests.conftest import Cli, write_image
from tests.training.test_loop import dataset, fresh_model

DATA = Path("data")


def test_what_was_chosen_wins_over_the_file_over_the_recipe_over_the_defaults(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        'recipe = "best"\nepochs = 7\nlabel-smoothing = 0.2\nfilters = [4, 6]\naugment = ["flip", "shift=1"]\n'
    )
    settings = choose_settings(DATA, {"epochs": 3}, config)
    assert settings.epochs == 3
    assert settings.label_smoothing == 0.2
    assert settings.augmentations == {"flip": 1, "shift": 1}
    assert settings.network["filters"] == (4, 6)
    assert settings.optimizer == RECIPES["best"]["optimizer"] != TrainingSettings.optimizer
    assert settings.batch_size == TrainingSettings.batch_size


def test_the_quick_recipe_is_the_defaults() -> None:
    assert choose_settings(DATA, {}) == TrainingSettings(DATA)


def test_a_runs_settings_can_be_passed_back(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    options = ("--recipe", "best", "--epochs", 2, "--filters", 3, "--clip-norm", 1, "--seed", 4, "--val-fraction", 0.3)
    assert cli("train", image_folder, "--out", tmp_path / "one", *options).code == 0
    config = tmp_path / "one" / "settings.json"
    assert cli("train", image_folder, "--out", tmp_path / "two", "--config", config).code == 0
    for name in ("model.safetensors", "split.csv", "settings.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert json.loads(config.read_text())["augment"] == list(RECIPES["best"]["augment"])


@pytest.mark.parametrize(
    ("name", "text", "code", "sentence"),
    [
        ("a.toml", "epoch = 3", 2, "epoch is no setting of a training; is it epochs?"),
        ("a.toml", "out = 'x'", 2, "out is no setting of a training; "),
        ("a.toml", "epochs = 'many'", 2, "--epochs is 'many', not a whole number"),
        ("a.toml", "epochs = 0", 2, "--epochs 0 is out of range: at least 1"),
        ("a.toml", "augment = 3", 2, "--augment 3 is unknown: there are flip, "),
        ("a.toml", "augment = ['flop']", 2, "--augment 'flop' is unknown: there are flip, "),
        ("a.toml", "optimizer = 'adagrad'", 2, "--optimizer is 'adagrad': it is one of adam, adamw, sgd"),
        *(
            ("a.toml", f"{name} = {value}", 2, f"--{option} is {shown}")
            for name, option, value, shown in (
                ("filters", "filters", "8.5", "8.5, not a whole number"),
                ("kernel", "kernel", "'3'", "'3', not a whole number"),
                ("kernel", "kernel", "true", "True, not a whole number"),
                ("pool_stride", "pool-stride", "[2]", "(2,), not a whole number"),
                ("recipe", "recipe", "{a = 1}", "{'a': 1}: it is one of quick, best"),
                ("init", "init", "8.5", "8.5, not a path"),
                ("skip_bad", "skip-bad", "'yes'", "'yes', not true or false"),
            )
        ),
        ("a.toml", "epochs = ", 3, "a.toml is no TOML ("),
        ("a.json", "[1]", 3, "a.json holds no settings by name: fix it"),
        ("a.json", "{", 3, "a.json is no JSON ("),
        ("absent.toml", None, 3, "absent.toml: no such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    cli: Cli, image_folder: Path, tmp_path: Path, name: str, text: str | None, code: int, sentence: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    result = cli("train", image_folder, "--out", tmp_path / "run", "--config", tmp_path / name)
    assert result.code == code
    assert sentence in result.sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--momentum", 1], "--momentum 1.0 is out of range: at least 0 and below 1"),
        (["--weight-decay", -1], "--weight-decay -1.0 is out of range: at least 0"),
        (["--label-smoothing", 1], "--label-smoothing 1.0 is out of range"),
        (["--warm-up", 2], "--warm-up 2.0 is out of range"),
        (["--clip-norm", 0], "--clip-norm 0.0 is out of range: above 0"),
        (["--augment", "shift=far"], "--augment 'shift=far': 'far' is no number"),
        (["--augment", "flip=3"], "--augment 'flip=3': flip takes no amount"),
        (["--augment", "rotate=900"], "--augment 'rotate=900': rotate is 0 to 180"),
    ],
)
def test_values_out_of_range_are_refused(cli: Cli, image_folder: Path, options: list[object], sentence: str) -> None:
    result = cli("train", image_folder, *options)
    assert result.code == 2
    assert sentence in result.sentence


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(UsageError, match="epoch is no setting of a training: there are recipe, epochs"):
        choose_settings(DATA, {"epoch": 3})


def test_balanced_weights_make_every_class_count_alike() -> None:
    data = dataset(10, 3)
    weights = balance(data, 3)[data.labels]
    assert weights.sum() == pytest.approx(10)
    assert [weights[data.labels == label].sum() for label in range(3)] == pytest.approx([10 / 3] * 3)


def test_with_balanced_weights_the_best_epoch_is_the_one_with_the_best_mean_recall() -> None:
    model, data = fresh_model(3), dataset(11, 3)
    right = model.chain.output.predict(model.logits(data.images)) == data.labels
    recalls = [right[data.labels == label].mean() for label in range(3)]
    assert evaluate(model, data, None, balance(data, 3)).accuracy == pytest.approx(np.mean(recalls), rel=1e-6)


def test_fine_tuning_keeps_the_blocks_and_makes_a_new_dense_layer_for_other_classes(
    cli: Cli, image_folder: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    assert cli("train", image_folder, "--out", first, "--epochs", 2, "--filters", 3, "--padding", 1).code == 0
    standstill = ("--init", first, "--epochs", 1, "--lr", 1e-30)
    assert cli("train", image_folder, "--out", tmp_path / "same", *standstill).code == 0
    assert (tmp_path / "same" / "model.safetensors").read_bytes() == (first / "model.safetensors").read_bytes()
    for number in range(4):
        write_image(tmp_path / "data" / "noise" / f"{number}.png", 20, 20, seed=number)
        (tmp_path / "data" / "dark").mkdir(exist_ok=True)
        (tmp_path / "data" / "light").mkdir(exist_ok=True)
        for name in ("dark", "light"):
            (tmp_path / "data" / name / f"{number}.png").write_bytes(
                (image_folder / name / f"{number}.png").read_bytes()
            )
    assert cli("train", tmp_path / "data", "--out", tmp_path / "more", *standstill).code == 0
    before, after = load_model(first), load_model(tmp_path / "more")
    assert after.classes == ("dark", "light", "noise")
    assert after.normalisation == before.normalisation
    assert (after.parameters["w1"] == before.parameters["w1"]).all()
    assert after.parameters["w2"].shape[0] == 3
    for options, sentence in (
        (("--filters", "4"), f"--filters is (4,), but {first} has (3,): leave it out"),
        (("--image-size", 9), f"--image-size is 9, but {first} reads 8×8: leave it out"),
        (("--channels", "rgb"), f"--channels is rgb, but {first} has 1 channels: leave it out"),
    ):
        result = cli("train", image_folder, "--out", tmp_path / "no", "--init", first, *options)
        assert result.code == 2
        assert sentence in result.sentence


def test_the_rare_class_is_found_more_often_with_balanced_weights(cli: Cli, tmp_path: Path) -> None:
    """150 of one class, 8 of the other, which differ by little in much noise."""
    random = np.random.default_rng(0)
    for split, counts in (("train", (150, 8)), ("val", (60, 60))):
        for name, count, mean in zip(("common", "rare"), counts, (110, 114), strict=True):
            for number in range(count):
                pixels = np.clip(random.normal(mean, 40, (8, 8)), 0, 255).astype(np.uint8)
                path = tmp_path / "data" / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
    recalls = {}
    for weights in ("none", "balanced"):
        run = tmp_path / weights
        options = ("--epochs", 8, "--lr", 0.001, "--class-weights", weights)
        assert cli("train", tmp_path / "data", "--out", run, *options).code == 0
        document = json.loads(cli("evaluate", tmp_path / "data", "-m", run, "--split", "val", "--format", "json").out)
        recalls[weights] = document["per_class"]["rare"]["recall"]
    assert recalls["balanced"] > 2 * recalls["none"]
