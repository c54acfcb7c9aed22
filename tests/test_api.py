"""The public API: its names, its page, and that importing it costs nothing."""

import doctest
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnncli
from cnncli.errors import DataError, ImageError, UsageError
from cnncli.model import load_model
from cnncli.network.architecture import Architecture
from cnncli.reports.look import Look
from cnncli.reports.trace.html import render
from tests.conftest import ROOT, SAMPLE_DATA


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").replace("```python\n", "\n").replace("```\n", "\n")
    page = doctest.DocTestParser().get_doctest(text, {"folder": tmp_path}, "api.md", "api.md", 0)
    results = doctest.DocTestRunner(verbose=False).run(page)
    assert results.attempted > 20
    assert results.failed == 0


def test_the_public_names_are_these_and_each_is_there() -> None:
    names = "CnncliError Model check_gradient check_vjp evaluate export gradcheck load_model rehearse trace train"
    assert cnncli.__all__ == names.split()
    for name in cnncli.__all__:
        assert callable(getattr(cnncli, name))
    assert set(cnncli.__all__) <= set(dir(cnncli))
    with pytest.raises(AttributeError, match="no attribute 'traec'"):
        _ = cnncli.traec


@pytest.mark.parametrize(
    "name", ["check_gradient", "check_vjp", "evaluate", "export", "gradcheck", "load_model", "trace", "train"]
)
def test_every_public_function_is_typed_and_tells_what_it_raises(name: str) -> None:
    function = getattr(cnncli, name)
    assert "Raises" in (function.__doc__ or "")
    assert "return" in function.__annotations__


def test_the_import_loads_no_numpy() -> None:
    code = "import sys, cnncli; dir(cnncli); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0


def test_no_room_of_the_package_takes_the_place_of_a_public_name() -> None:
    import cnncli.api
    import cnncli.checking.run
    import cnncli.tracing.trace
    import cnncli.training.run

    assert cnncli.trace is cnncli.api.trace
    assert cnncli.gradcheck is cnncli.api.gradcheck
    rooms = {path.stem for path in (ROOT / "cnncli").iterdir()}
    assert not rooms & set(cnncli.__all__)


def test_a_model_predicts_what_the_command_predicts(model_file: Path) -> None:
    model = load_model(str(model_file))
    files = sorted((SAMPLE_DATA / "loose").glob("*.png"))  # 28×28, fitted to the model's 8×8
    pixels = np.stack([model.pixels(file) for file in files])  # (m, C, H, W)
    by_path, by_pixels = model.predict(files), model.predict(pixels)
    assert [prediction.path for prediction in by_path] == files
    assert [prediction.probabilities for prediction in by_path] == [
        prediction.probabilities for prediction in by_pixels
    ]
    assert model.predict([]) == []
    with pytest.raises(ImageError, match="no such file"):
        model.predict("nowhere.png")
    with pytest.raises(DataError, match="this model needs uint8"):
        model.predict(pixels.astype(float))


def test_filters_may_be_a_number_or_a_list() -> None:
    assert cnncli.trace(filters=3)["Z1"].shape == cnncli.trace(filters=[3])["Z1"].shape == (3, 10, 10)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"filters": "8"}, "filters is '8', not a whole number"),
        ({"filters": None}, "filters is None, not a whole number"),
        ({"kernel": 2.5}, "kernel is 2.5, not a whole number"),
        ({"image_size": 2.5}, "image_size is 2.5, not a whole number of at least 1"),
        ({"seed": -1}, "seed is -1, not a whole number of at least 0"),
        ({"channels": 3}, "channels is 3: it is one of auto, gray, rgb"),
        ({"label": 7}, "label 7 is no class of this network, which has 0, 1"),
    ],
)
def test_what_is_no_number_of_a_network_is_one_sentence(chosen: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        cnncli.trace(**chosen)
    assert str(refused.value) == sentence


def test_a_trace_shows_itself_in_a_notebook_in_a_frame_of_its_own() -> None:
    frame = cnncli.trace()._repr_html_()
    page = re.fullmatch(r'<iframe title="cnncli trace" srcdoc="([^"]*)" [^>]*></iframe>\n', frame)
    assert page
    document = unescape(page[1])
    assert document.startswith("<!doctype html>")
    assert document == render(cnncli.trace(), Look())
    assert "-0.4051" in document


def test_several_entries_cannot_be_followed() -> None:
    with pytest.raises(UsageError, match="names 9 entries"):
        cnncli.trace().follow("w1[0,0]")


def test_padding_and_average_pooling_reach_every_function(tmp_path: Path, image_folder: Path) -> None:
    summary = cnncli.train(image_folder, out=tmp_path / "run", epochs=2, filters=3, padding=1, pooling="average")
    model = cnncli.load_model(summary.run)
    assert model.architecture == Architecture(8, 8, 1, (3,), pooling="average", padding=1)
    image = next((image_folder / "dark").iterdir())
    assert cnncli.gradcheck(image, model=model).passed
    assert cnncli.trace(image, model=model)["Z1"].shape == (3, 8, 8)
