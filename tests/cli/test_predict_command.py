"""predict as a part of a pipeline, and pictures of what an answer depends on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncli.model import load_model
from cnncli.reports.saliency import overlay
from tests.conftest import Cli, write_image

REASON = "not an image of a kind that is read (PNG, JPEG, BMP, GIF, WebP)"


def test_paths_come_on_stdin(
    cli: Cli, image_folder: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    odd = write_image(tmp_path / " two words.png")
    paths = [image_folder / "dark" / "0.png", tmp_path / "gone.png", image_folder / "light", odd]
    (tmp_path / "paths").write_bytes(b"\n".join(os.fsencode(path) for path in paths))  # no line end behind the last
    with (tmp_path / "paths").open(encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        result = cli("predict", "-", "-m", model_file, "--format", "jsonl")
    assert result.code == 3
    lines = [json.loads(line) for line in result.out.splitlines()]
    expected = [paths[0], paths[1], *sorted((image_folder / "light").glob("*.png")), odd]
    assert [line["path"] for line in lines] == list(map(str, expected))
    assert [line for line in lines if "error" in line] == [{"path": str(paths[1]), "error": "no such file"}]
    whole = json.loads(cli("predict", *expected, "-m", model_file, "--format", "json").out)
    assert whole == lines
    with Path(os.devnull).open(encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert cli("predict", "-", "-m", model_file, "--format", "jsonl").out == ""


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_an_answer_comes_before_the_next_path(format_: str, image_folder: Path, model_file: Path) -> None:
    command = [sys.executable, "-m", "cnncli", "predict", "-", "-m", str(model_file), "--format", format_]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin
        assert child.stdout
        if format_ == "csv":
            assert child.stdout.readline().startswith("path,class")
        for image in sorted((image_folder / "dark").glob("*.png"))[:3]:
            child.stdin.write(f"{image}\n")
            child.stdin.flush()
            assert str(image) in child.stdout.readline()
        child.stdin.close()
        assert child.wait() == 0


def test_a_reason_has_a_column_of_its_own(cli: Cli, image_folder: Path, model_file: Path) -> None:
    good, gone = image_folder / "dark" / "0.png", image_folder / "gone.png"
    table = cli("predict", good, gone, "-m", model_file).out.splitlines()
    assert [cell.strip() for cell in table[1].split("┃")[1:-1]] == ["image", "class", "probability", "reason"]
    assert [cell.strip() for cell in table[-2].split("│")[1:-1]] == [str(gone), "", "", "no such file"]
    assert "┃ reason" not in cli("predict", good, "-m", model_file).out


def test_a_terminal_of_80_columns_breaks_a_reason_between_its_words(
    cli: Cli, tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    bad = Path("x" * 40 + ".png")
    bad.write_text("no image")
    out = cli("predict", bad, write_image(Path("good.png")), "-m", model_file).out
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
    assert {len(line) for line in lines} == {80}
    reason = " ".join(line.split("│")[4].strip() for line in lines if line.startswith("│"))
    assert reason.split() == REASON.split()


def test_saliency_is_the_gradient_of_the_predicted_class(cli: Cli, image_folder: Path, model_file: Path) -> None:
    from cnncli import api

    image, folder = image_folder / "dark" / "0.png", image_folder.parent / "why"
    assert cli("predict", image, image, image_folder / "gone.png", "-m", model_file, "--saliency", folder).code == 3
    assert sorted(path.name for path in folder.iterdir()) == ["0-2.png", "0.png"]
    model = load_model(model_file)
    (prediction,) = model.predict(image)
    traced = api.trace(image, model=model, label=prediction.best)
    strength = np.abs(traced["dL/dX"]).max(axis=0)
    with Image.open(folder / "0.png") as picture:
        assert picture.size == (256, 256)
        colours = np.asarray(picture)[16::32, 16::32].astype(float)  # one pixel of each square
    red = colours[..., 0] - colours[..., 1]
    place = np.unravel_index(strength.argmax(), strength.shape)
    assert tuple(colours[place]) == (255, 112, 92)  # the strongest pixel has the full colour
    assert (red[strength == 0] == 0).all()


def test_an_image_without_any_gradient_stays_as_it_is() -> None:
    pixels = np.full((3, 2, 2), 77, np.uint8)
    assert (np.asarray(overlay(pixels, np.zeros((3, 2, 2)))) == 77).all()


def test_saliency_replaces_nothing_unasked(cli: Cli, image_folder: Path, model_file: Path, tmp_path: Path) -> None:
    image = image_folder / "dark" / "0.png"
    (tmp_path / "file").write_text("mine")
    assert (
        "file is a file: name a folder"
        in cli("predict", image, "-m", model_file, "--saliency", tmp_path / "file").sentence
    )
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "0.png").write_text("mine")
    refused = cli("predict", image, "-m", model_file, "--saliency", tmp_path / "full")
    assert refused.code == 2
    assert refused.sentence.endswith("is not empty: name another folder, or replace the pictures in it with --force")
    refused = cli("predict", image, "-m", model_file, "--saliency", tmp_path / "full", "--force")
    assert (refused.code, refused.sentence) == (
        2,
        f"Error: --saliency {tmp_path / 'full' / '0.png'} is no picture that was drawn here: name another folder",
    )
    assert (tmp_path / "full" / "0.png").read_text() == "mine"
    before = image.read_bytes()
    assert cli("predict", image, "-m", model_file, "--saliency", image.parent, "--force").code == 2
    assert image.read_bytes() == before
    for _ in range(2):
        assert cli("predict", image, "-m", model_file, "--saliency", tmp_path / "mine", "--force").code == 0
    assert "--force has nothing to replace" in cli("predict", image, "-m", model_file, "--force").sentence


def test_a_trace_of_an_unlabelled_image_takes_the_predicted_class(cli: Cli, model_file: Path, tmp_path: Path) -> None:
    image = write_image(tmp_path / "photo.png")
    (prediction,) = load_model(model_file).predict(image)
    text = cli("trace", image, "-m", model_file, "--only", "L").out
    assert f"true class  not known; L is that of the predicted class, {prediction.best}" in text
    document = json.loads(cli("trace", image, "-m", model_file, "--format", "json").out)
    assert (document["label"], document["label_predicted"]) == (prediction.best, True)
    known = cli("trace", image, "-m", model_file, "--label", "light", "--format", "json")
    assert json.loads(known.out)["label_predicted"] is False
