"""Everything that a person can do wrong gets one sentence, the right exit code and no traceback."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from cnncli.data.decoding import decode
from cnncli.data.normalisation import Normalisation
from cnncli.errors import Stopped
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Parameters
from cnncli.network.initialisation import he_normal
from tests.conftest import Cli, write_image


def train_fails(cli: Cli, data: Path, *options: object, code: int = 3) -> str:
    result = cli("train", data, "--out", data.parent / "run", *options)
    assert result.code == code
    assert not (data.parent / "run").exists(), "a run that never began left a folder behind"
    return result.sentence


def test_no_such_folder(cli: Cli, tmp_path: Path) -> None:
    assert train_fails(cli, tmp_path / "nowhere") == f"Error: {tmp_path / 'nowhere'}: no such folder"


def test_a_file_in_place_of_the_folder(cli: Cli, image_folder: Path) -> None:
    assert "is a file: give the folder" in train_fails(cli, image_folder / "dark" / "0.png")


def test_an_empty_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty has no class folders: put the images of each class" in train_fails(cli, tmp_path / "empty")


def test_one_class_only(cli: Cli, image_folder: Path) -> None:
    shutil.rmtree(image_folder / "light")
    assert "has one class only, dark: a classifier needs at least two" in train_fails(cli, image_folder)


def test_an_empty_class_folder(cli: Cli, image_folder: Path) -> None:
    (image_folder / "middle").mkdir()
    (image_folder / "middle" / "notes.txt").write_text("later")
    assert "middle: the class folder holds no images" in train_fails(cli, image_folder)


def test_a_class_of_one_image_cannot_be_split(cli: Cli, image_folder: Path) -> None:
    write_image(image_folder / "middle" / "0.png")
    assert "is the only image of its class" in train_fails(cli, image_folder)


def test_a_validation_class_that_training_does_not_have(cli: Cli, image_folder: Path) -> None:
    data = image_folder.parent / "data"
    shutil.copytree(image_folder, data / "train")
    write_image(data / "val" / "middle" / "0.png")
    assert "the training images have no class middle (they have dark, light)" in train_fails(cli, data)


def test_two_validation_folders(cli: Cli, image_folder: Path) -> None:
    data = image_folder.parent / "data"
    for split in ("train", "val", "valid"):
        shutil.copytree(image_folder, data / split)
    assert "has val and valid beside train: keep one" in train_fails(cli, data)


def spoil(path: Path, how: str) -> None:
    """Put something in the place of an image that is none."""
    if how == "text":
        path.write_text("this is no image")
    elif how == "empty":
        path.write_bytes(b"")
    else:
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)).save(path, how)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("text", "not an image of a kind that is read (PNG, JPEG, BMP, GIF, WebP)"),
        ("empty", "the file is empty"),
        ("png", "the image is cut off: the file ends too early"),
        ("jpeg", "the image is cut off: the file ends too early"),
    ],
)
def test_an_image_that_cannot_be_read(cli: Cli, image_folder: Path, model_file: Path, how: str, reason: str) -> None:
    bad, good = image_folder / "dark" / "1.png", image_folder / "dark" / "0.png"
    spoil(bad, how)

    sentence = train_fails(cli, image_folder)
    assert sentence.startswith(
        f"Error: 1 of 12 images cannot be read ({bad}: {reason}): fix or convert them, or leave them out"
    )

    skipped = cli("train", image_folder, "--skip-bad", "--epochs", 1, "--out", image_folder.parent / "run")
    assert skipped.code == 0
    assert f"left out: {bad}: {reason}" in skipped.err.splitlines()

    predicted = cli("predict", good, bad, good, "-m", model_file, "--format", "json")
    assert predicted.code == 3
    answers = json.loads(predicted.out)
    assert [answer["path"] for answer in answers] == [str(good), str(bad), str(good)]
    assert answers[1] == {"path": str(bad), "error": reason}
    assert answers[0] == answers[2]

    for command in ("trace", "gradcheck"):
        result = cli(command, bad, "-m", model_file)
        assert (result.code, result.sentence) == (3, f"Error: {bad}: {reason}")


def test_many_unreadable_images_are_counted_and_three_are_named(cli: Cli, image_folder: Path) -> None:
    for number in range(5):
        spoil(image_folder / "light" / f"{number}.png", "text")
    sentence = train_fails(cli, image_folder)
    assert sentence.startswith("Error: 5 of 12 images cannot be read (")
    assert "; and 2 more): fix or convert them" in sentence


def test_skipping_leaves_no_class_empty(cli: Cli, image_folder: Path) -> None:
    for path in (image_folder / "light").iterdir():
        spoil(path, "text")
    result = cli("train", image_folder, "--skip-bad", "--quiet", "--out", image_folder.parent / "run")
    assert (result.code, result.sentence) == (3, "Error: class light has no readable image left for training")


def test_images_smaller_than_the_kernel(cli: Cli, image_folder: Path) -> None:
    for folder in ("dark", "light"):
        for number in range(6):
            write_image(image_folder / folder / f"{number}.png", 2, 2)
    sentence = train_fails(cli, image_folder)
    assert "are 2×2: block 1 does not fit: its 3×3 kernel is larger than its input X, 2×2" in sentence
    result = cli("trace", image_folder / "dark" / "0.png")
    assert result.code == 3
    assert "0.png is 2×2: block 1 does not fit" in result.sentence


@pytest.mark.parametrize("command", ["trace", "gradcheck"])
def test_labels(cli: Cli, image_folder: Path, model_file: Path, command: str) -> None:
    image, elsewhere = image_folder / "dark" / "0.png", write_image(image_folder.parent / "0.png")
    unknown = cli(command, image, "-m", model_file, "--label", "ligt")
    assert (unknown.code, unknown.sentence) == (
        2,
        "Error: --label ligt is no class of this network, which has dark, light; did you mean light?",
    )
    assert cli(command, elsewhere, "-m", model_file).code == 0
    assert cli(command, elsewhere, "-m", model_file, "--label", "light").code == 0


def other_shapes(path: Path) -> None:
    """A model whose arrays are not those of its architecture."""
    architecture = Architecture(8, 8, filters=(2,))
    parameters = he_normal(architecture, 0)
    parameters["w1"] = parameters["w1"][:, :, :2, :2]
    Model(architecture, ("dark", "light"), Normalisation.none(1), parameters).save(path)


def without_a_parameter(path: Path) -> None:
    architecture = Architecture(8, 8, filters=(2,))
    parameters = he_normal(architecture, 0)
    del parameters["b2"]
    Model(architecture, ("dark", "light"), Normalisation.none(1), parameters).save(path)


def not_finite(path: Path) -> None:
    architecture = Architecture(8, 8, filters=(2,))
    parameters = he_normal(architecture, 0)
    parameters["b1"][0] = np.nan
    Model(architecture, ("dark", "light"), Normalisation.none(1), parameters).save(path)


def described_as(settings: object, path: Path) -> None:
    save_file({"w1": np.zeros((1, 1, 3, 3), np.float32)}, path, {"cnncli": json.dumps(settings)})


GOOD_SIZES = {"height": 8, "width": 8, "channels": 1, "filters": [2], "kernel": 3, "pool": 2, "classes": 2}
GOOD = {
    "format": 1,
    "architecture": GOOD_SIZES,
    "classes": ["dark", "light"],
    "normalisation": {"mean": [0.0], "std": [1.0]},
}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_bytes(b""), "is no model file, or a damaged one ("),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is no model file, or a damaged one ("),
        (lambda path: path.write_bytes(path.read_bytes()[:20]), "is no model file, or a damaged one ("),
        (lambda path: path.write_bytes(pickle.dumps({"w1": [1.0]})), "is no model file, or a damaged one ("),
        (lambda path: path.unlink(), ": no such model file or run folder"),
        (lambda path: (path.unlink(), path.mkdir()), " holds no model.safetensors"),
        (lambda path: save_file({"w1": np.zeros(3)}, path), "is a safetensors file that cnncli did not write"),
        (other_shapes, ": w1 has the shape (2, 1, 2, 2), the architecture needs (2, 1, 3, 3)"),
        (without_a_parameter, " lacks parameter b2"),
        (not_finite, ": b1 has entries that are not finite numbers"),
        (lambda path: described_as(GOOD, path), " lacks parameter b1"),
        (lambda path: described_as(GOOD | {"format": 9}, path), " is written in format 9; this cnncli reads format 1"),
        (lambda path: described_as([], path), ": the network's description is damaged"),
        (
            lambda path: described_as(GOOD | {"architecture": {"height": "x"}}, path),
            " describes no network that can be",
        ),
        (
            lambda path: described_as(GOOD | {"architecture": {**GOOD_SIZES, "kernel": 3.0}}, path),
            " describes no network that can be built (kernel is 3.0)",
        ),
        (
            lambda path: described_as(GOOD | {"classes": ["dark", "dark"]}, path),
            ": classes or normalisation do not match",
        ),
        (lambda path: described_as(GOOD | {"classes": ["dark"]}, path), ": classes or normalisation do not match"),
        (
            lambda path: described_as(GOOD | {"normalisation": {"mean": [0.0], "std": [0.0]}}, path),
            ": the normalisation has a mean or std that is not a usable number",
        ),
    ],
)
def test_model_files_that_cannot_be_used(
    cli: Cli, image_folder: Path, model_file: Path, make: object, sentence: str
) -> None:
    assert callable(make)
    make(model_file)
    image = image_folder / "dark" / "0.png"
    assert cli("info").sentence == "Error: info shows one model: name a model file or a run folder"
    assert cli("info", "a", "-m", "b").sentence == "Error: info shows one model: name a model file or a run folder"
    for arguments in (("predict", image), ("trace", image), ("gradcheck", image), ("info",)):
        result = cli(*arguments, "-m", model_file)
        assert result.code == 3
        assert result.sentence.startswith(f"Error: {model_file}")
        assert sentence in result.sentence


def test_an_output_folder_that_exists_is_not_touched_without_force(cli: Cli, image_folder: Path) -> None:
    run = image_folder.parent / "run"
    assert cli("train", image_folder, "--out", run, "--epochs", 1).code == 0
    (run / "model.safetensors").write_text("precious")
    (run / "mine.txt").write_text("mine")
    refused = cli("train", image_folder, "--out", run)
    assert refused.code == 2
    assert refused.sentence == f"Error: --out {run} exists: name another folder, or replace the run in it with --force"
    assert (run / "model.safetensors").read_text() == "precious"
    assert cli("train", image_folder, "--out", run, "--force", "--epochs", 1).code == 0
    assert (run / "mine.txt").read_text() == "mine"
    assert cli("info", "-m", run).code == 0


@pytest.mark.parametrize("settings", ["{}", "[]", '{"editor": "theirs"}', "[" * 100_000, "", None])
def test_no_folder_of_the_users_is_taken_for_a_run(cli: Cli, image_folder: Path, settings: str | None) -> None:
    run = image_folder.parent / "run"
    run.mkdir()
    if settings is None:
        os.mkfifo(run / "settings.json")
    else:
        (run / "settings.json").write_text(settings)
    (run / "model.safetensors").write_text("precious")
    refused = cli("train", image_folder, "--out", run, "--force")
    assert refused.code == 2
    assert refused.sentence.startswith(f"Error: --out {run} exists and holds no run: name a folder that does not exist")
    assert (run / "model.safetensors").read_text() == "precious"


def test_a_run_that_got_no_further_than_its_folder_can_be_replaced(cli: Cli, image_folder: Path) -> None:
    run = image_folder.parent / "run"
    run.mkdir()
    (run / "settings.json").touch()
    assert cli("train", image_folder, "--out", run, "--force", "--epochs", 1).code == 0


def test_no_run_goes_into_the_data(cli: Cli, image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (image_folder.parent / "link").symlink_to(image_folder)
    before = sorted(image_folder.rglob("*"))
    monkeypatch.chdir(image_folder)
    for data, options in (
        (image_folder, ("--out", image_folder / "run")),
        (image_folder, ("--out", image_folder.parent / "link" / "run")),
        (image_folder.parent / "link", ("--out", image_folder)),
        (".", ()),
    ):
        result = cli("train", data, *options)
        assert result.code == 2
        assert "where the next training would take it for images: name a folder elsewhere" in result.sentence
    assert sorted(image_folder.rglob("*")) == before


@pytest.mark.parametrize("command", ["train DATA", "evaluate DATA -m MODEL", "predict DATA -m MODEL"])
def test_a_folder_that_may_not_be_read_is_no_wrong_usage(
    cli: Cli, image_folder: Path, model_file: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object, *_: object) -> Iterator[object]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.access", lambda *_: False)  # root may read everything
    monkeypatch.setattr("os.scandir", refuse)
    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    result = cli(*command.replace("DATA", str(image_folder)).replace("MODEL", str(model_file)).split())
    assert (result.code, "Permission denied" in result.out + result.err) == (3, True)


def test_an_output_path_that_is_a_file(cli: Cli, image_folder: Path) -> None:
    (image_folder.parent / "run").write_text("a file")
    result = cli("train", image_folder, "--out", image_folder.parent / "run", "--force")
    assert result.code == 2
    assert "run is a file: name a folder that does not exist yet" in result.sentence


def test_an_output_folder_that_cannot_be_written(cli: Cli, image_folder: Path) -> None:
    (image_folder.parent / "file").write_text("a file")
    result = cli("train", image_folder, "--quiet", "--out", image_folder.parent / "file" / "run")
    assert result.code == 3
    assert "file is no folder): name another folder with --out" in result.sentence


def test_the_validation_share_where_there_is_nothing_to_share(cli: Cli, image_folder: Path) -> None:
    data = image_folder.parent / "data"
    for split in ("train", "val"):
        shutil.copytree(image_folder, data / split)
    assert "--val-fraction has nothing to do" in train_fails(cli, data, "--val-fraction", 0.5, code=2)


@pytest.mark.parametrize(
    "options",
    [
        "train DATA --epochs 0",
        "train DATA --epochs some",
        "train DATA --batch-size 0",
        "train DATA --lr -1",
        "train DATA --lr 0",
        "train DATA --lr nan",
        "train DATA --kernel 0",
        "train DATA --pool 0",
        "train DATA --filters 8,x",
        "train DATA --filters 8,0",
        "train DATA --image-size 0",
        "train DATA --channels blue",
        "train DATA --val-fraction 0",
        "train DATA --val-fraction 1",
        "train DATA --seed -1",
        "train DATA --optimizer newton",
        "train DATA --format xml",
        "predict DATA -m DATA --top-k 0",
        "trace --filters 1,,2",
        "trace --label maybe",
        "gradcheck --method guess",
        "gradcheck --classes 1",
    ],
)
def test_bad_option_values_name_the_option(cli: Cli, image_folder: Path, options: str) -> None:
    arguments = [str(image_folder) if word == "DATA" else word for word in options.split()]
    result = cli(*arguments)
    assert result.code == 2
    assert arguments[-2] in result.sentence


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ("train", 2, "Missing argument 'DATA'"),
        ("predict x.png", 2, "Missing option '--model'"),
        ("tain", 2, "No such command 'tain'"),
        ("train x --epoch 3", 2, "No such option: --epoch"),
        ("train x --filters 8 --image-size 2 --kernel 3", 3, "x: no such folder"),
        (
            "gradcheck --image-size 5 --kernel 9",
            2,
            "block 1 does not fit: its 9×9 kernel is larger than its input X, 5×5",
        ),
        (
            "trace --only Z1,dL/dv1",
            2,
            "--only dL/dv1: there is no such value (did you mean dL/dw1?)",
        ),
        ("trace --only Z1,", 2, "--only has an empty name: there are X, y, w1, "),
        ("trace nowhere.png", 3, "nowhere.png: no such file"),
        ("trace -m model", 2, "--model model needs an image to look at"),
        ("trace x.png -m model --filters 3", 2, "--filters describes a fresh network, but the model brings its own"),
    ],
)
def test_other_misuse(cli: Cli, arguments: str, code: int, sentence: str) -> None:
    result = cli(*arguments.split())
    assert result.code == code
    assert result.sentence.startswith(f"Error: {sentence}")


def test_an_image_size_given_by_hand_that_does_not_fit_is_wrong_usage(cli: Cli, image_folder: Path) -> None:
    assert "block 1 does not fit" in train_fails(cli, image_folder, "--image-size", 2, code=2)


def test_predict_names_what_is_missing_and_goes_on(cli: Cli, image_folder: Path, model_file: Path) -> None:
    (image_folder / "nothing").mkdir()
    result = cli(
        "predict", image_folder / "nothing", image_folder / "gone.png", image_folder / "dark", "-m", model_file,
        "--format", "json",
    )  # fmt: skip
    answers = json.loads(result.out)
    assert result.code == 3
    assert answers[0] == {"path": str(image_folder / "nothing"), "error": "the folder holds no images"}
    assert answers[1] == {"path": str(image_folder / "gone.png"), "error": "no such file"}
    assert [Path(answer["path"]).name for answer in answers[2:]] == [f"{n}.png" for n in range(6)]


def test_force_replaces_a_run_and_nothing_else(cli: Cli, image_folder: Path) -> None:
    before = sorted(image_folder.rglob("*"))
    result = cli("train", image_folder, "--out", image_folder, "--force")
    assert result.code == 2
    assert f"--out {image_folder} is {image_folder}, where the next training would take it" in result.sentence
    assert sorted(image_folder.rglob("*")) == before


def test_images_of_kinds_that_are_not_read_are_not_passed_over(cli: Cli, image_folder: Path, model_file: Path) -> None:
    heic, tiff = image_folder / "dark" / "IMG_1.HEIC", image_folder / "light" / "scan.tiff"
    heic.write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    Image.new("L", (8, 8)).save(tiff)
    sentence = train_fails(cli, image_folder)
    reason = "not an image of a kind that is read (PNG, JPEG, BMP, GIF, WebP)"
    assert sentence.startswith(f"Error: 2 of 14 images cannot be read ({heic}: {reason}; {tiff}: {reason}): ")
    assert sentence.endswith("): fix or convert them, or leave them out with --skip-bad")
    run = cli("train", image_folder, "--skip-bad", "--epochs", 1, "--out", image_folder.parent / "run")
    assert (run.code, f"left out: {heic}: {reason}" in run.err) == (0, True)
    predicted = json.loads(cli("predict", image_folder, "-m", model_file, "--format", "json").out)
    assert [answer["path"] for answer in predicted if "error" in answer] == [str(heic), str(tiff)]
    assert "2 of 14 images cannot be read" in cli("evaluate", image_folder, "-m", model_file).sentence


def test_a_pipe_is_no_image(cli: Cli, image_folder: Path, model_file: Path) -> None:
    os.mkfifo(image_folder / "dark" / "pipe.png")
    assert "pipe.png: not a regular file): fix or convert them" in train_fails(cli, image_folder)
    assert "not a regular file" in cli("predict", image_folder / "dark" / "pipe.png", "-m", model_file).out


def test_names_with_control_characters_are_shown_escaped(cli: Cli, image_folder: Path, model_file: Path) -> None:
    odd = (image_folder / "dark" / "0.png").rename(image_folder / "dark" / "a\x1b[31m\nb.png")
    for result in (cli("predict", odd, "-m", model_file), cli("trace", odd, "-m", model_file, "--only", "L")):
        assert result.code == 0
        assert "a\\x1b[31m\\nb.png" in result.out
    assert "a\\x1b[31m b.png: no such file" in cli("trace", f"{odd}.png").sentence.replace("b.png.png", "b.png")
    (image_folder / "light").rename(image_folder / "li\nght")
    assert "the name of a class must be readable text: rename the folder" in train_fails(cli, image_folder)


def test_a_class_name_that_is_no_text(cli: Cli, image_folder: Path) -> None:
    (image_folder / "light").rename(image_folder / os.fsdecode(b"k\xff"))
    assert "k\\udcff: the name of a class must be readable text" in train_fails(cli, image_folder)


def test_a_path_that_no_file_can_have(cli: Cli, image_folder: Path) -> None:
    long = "x" * 300
    for arguments in (
        ("train", image_folder, "--out", long), ("train", long), ("info", "-m", long), ("trace", long),
    ):  # fmt: skip
        result = cli(*arguments)
        assert result.code == 3
        assert re.search(rf"{long}:? .*File name too long", result.sentence)


def test_memory_that_does_not_suffice(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cnncli.api.choose", fail)
    result = cli("trace")
    assert (result.code, result.sentence.split(":")[1]) == (1, " the memory does not suffice")


@pytest.mark.parametrize("command", ["trace", "trace --format json", "info -m MODEL", "gradcheck"])
def test_an_output_that_cannot_be_written(model_file: Path, command: str) -> None:
    arguments = [sys.executable, "-m", "cnncli", *command.replace("MODEL", str(model_file)).split()]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: the output cannot be written (No space left on device)\n"


def test_a_signal_while_images_are_decoded_is_no_damaged_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: Image.Image) -> Image.Image:
        raise Stopped("stopped by SIGTERM", 143)

    monkeypatch.setattr("cnncli.data.decoding._opaque", stopped)
    with pytest.raises(Stopped):
        decode(write_image(tmp_path / "image.bmp"))


def test_a_run_folder_that_another_training_makes_meanwhile_is_not_shared(
    cli: Cli, image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = image_folder.parent / "run"

    def meanwhile(architecture: Architecture, seed: int) -> Parameters:
        (run / "settings.json").write_text("theirs")
        return he_normal(architecture, seed)

    monkeypatch.setattr("cnncli.training.preparation.he_normal", meanwhile)
    result = cli("train", image_folder, "--out", run, "-q")
    assert result.code == 2
    assert "run was taken by another training meanwhile: name another folder" in result.sentence
    assert [path.read_text() for path in run.iterdir()] == ["theirs"]


def test_weights_too_large_for_float32_give_no_answer(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    architecture = Architecture(8, 8, filters=(2,))
    large = {name: np.full_like(value, 1e30) for name, value in he_normal(architecture, 0).items()}
    Model(architecture, ("dark", "light"), Normalisation.none(1), large).save(tmp_path / "large.safetensors")
    result = cli("predict", image_folder / "light" / "0.png", "-m", tmp_path / "large.safetensors")
    assert result.code == 3
    assert "weights are too large for its numbers to stay finite" in result.sentence


def test_numbers_that_overflow_are_no_wrong_gradients(cli: Cli, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "large.csv", np.random.default_rng(0).normal(size=(6, 6)) * 1e200, delimiter=",")
    large = cli("gradcheck", tmp_path / "large.csv")
    assert (large.code, large.err) == (0, "")
    assert (
        "\nengines: not compared, for numbers as large as these overflow in float32, which training computes in\n"
        in large.out
    )
    assert "engines: " not in cli("gradcheck").out
    np.savetxt(tmp_path / "larger.csv", np.full((6, 6), 1.7e308), delimiter=",")
    larger = cli("gradcheck", tmp_path / "larger.csv")
    assert larger.code == 3
    assert larger.sentence == "Error: Z1 is not finite with numbers as large as these: nothing can be checked"
    assert cli("trace", tmp_path / "larger.csv", "--only", "Z1").err.count("\n") == 1  # what to try next
