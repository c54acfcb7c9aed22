"""trace: every value of the chain, as a table and as JSON."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cnncli.model import Model, load_model
from cnncli.network.initialisation import he_normal
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import choose
from tests.conftest import SAMPLE_DATA, Cli, write_image

GOLDEN = json.loads((Path(__file__).parent.parent / "network" / "note_6x6.json").read_text())
IMAGE = SAMPLE_DATA / "fashion" / "val" / "sneaker" / "00009.png"


def test_the_notes_example_in_json_is_the_golden_one(cli: Cli) -> None:
    document = json.loads(cli("trace", "--format", "json").out)
    assert list(document) == ["image", "label", "label_predicted", "classes", "architecture", "steps"]
    assert (document["label"], document["classes"]) == ("1", ["0", "1"])
    assert document["architecture"]["filters"] == [1]
    steps = {step["name"]: step for step in document["steps"]}
    assert list(steps["Z1"]) == ["name", "kind", "formula", "shape", "values"]
    assert {name: steps[name]["kind"] for name in ("X", "w1", "Z1", "dL/dw1")} == {
        "X": "input", "w1": "parameter", "Z1": "forward", "dL/dw1": "gradient",
    }  # fmt: skip
    for name, value in GOLDEN.items():
        assert_allclose(np.array(steps[name]["values"]), np.array(value), rtol=1e-12, atol=1e-12, err_msg=name)
        assert steps[name]["shape"] == list(np.shape(value))


def test_the_notes_example_at_80_columns(cli: Cli) -> None:
    result = cli("trace")
    lines = [line.rstrip() for line in result.out.splitlines()]
    assert max(map(len, lines)) <= 80
    start = lines.index("dL/dw1 = conv(X, dL/dZ1)                                       (1, 1, 3, 3)")
    assert lines[start + 2 : start + 5] == [
        " -0.0450  -0.4051  -0.1801",
        " -0.2701  -0.1801  -0.4051",
        " -0.4952  -0.4051   0.1350",
    ]
    assert "the network says 1 with probability 0.5498" in lines
    heads = [line.split(" = ")[0].split()[0] for line, below in pairwise(lines) if below[:3] == "───"]
    assert heads == [step["name"] for step in json.loads(cli("trace", "--format", "json").out)["steps"]]


def test_only_some_steps_in_the_order_of_the_chain(cli: Cli) -> None:
    document = json.loads(cli("trace", "--only", "dL/dw1, A2 ,Z1", "--format", "json").out)
    assert [step["name"] for step in document["steps"]] == ["Z1", "A2", "dL/dw1"]
    assert "did you mean dL/dw1?" in cli("trace", "--only", "dLdw1").sentence


def test_the_other_label_of_the_example(cli: Cli) -> None:
    steps = {s["name"]: s["values"] for s in json.loads(cli("trace", "--label", 0, "--format", "json").out)["steps"]}
    assert steps["y"] == 0
    assert_allclose(steps["dL/dz2"], [0.5498339973124778], rtol=1e-14)


def test_large_arrays_are_cut_with_their_statistics_beside_them_and_full_prints_all(cli: Cli) -> None:
    cut = cli("trace", IMAGE, "--only", "Z1")
    text = cut.out
    assert "… and 7 more like it" in text
    assert max(len(line.rstrip()) for line in text.splitlines()[3:]) <= 80
    steps = json.loads(cli("trace", IMAGE, "--only", "Z1", "--format", "json").out)["steps"]
    values = np.array(steps[0]["values"])
    norm = np.sqrt((values**2).sum())
    for name, number in (("min", values.min()), ("max", values.max()), ("mean", values.mean()), ("norm", norm)):
        assert re.search(rf" {name} +{number:.4f}$", text, re.MULTILINE)
    full = cli("trace", IMAGE, "--only", "Z1", "--full").out
    assert "…" not in full
    body = full.split("────\n")[1]
    numbers = [word for word in body.split() if not word.startswith("[")]
    assert len(numbers) == values.size


@pytest.fixture
def model(tmp_path: Path, cli: Cli) -> Path:
    assert cli("train", SAMPLE_DATA / "fashion", "--out", tmp_path / "run", "--epochs", 1, "-q").code == 0
    return tmp_path / "run"


def test_a_trained_model_on_a_real_image_with_the_label_of_its_folder(cli: Cli, model: Path) -> None:
    document = json.loads(cli("trace", IMAGE, "-m", model, "--format", "json").out)
    assert (document["image"], document["label"]) == (str(IMAGE), "sneaker")
    steps = {step["name"]: np.array(step["values"]) for step in document["steps"]}
    network = load_model(model)
    assert_allclose(steps["X"], network.normalise(network.pixels(IMAGE), np.float64), rtol=1e-15)
    assert_allclose(steps["w1"], network.parameters["w1"])
    (answer,) = json.loads(cli("predict", IMAGE, "-m", model, "--format", "json").out)
    assert_allclose(steps["A2"], [answer["probabilities"]["sneaker"]], rtol=1e-5)
    assert cli("gradcheck", IMAGE, "-m", model).code == 0


def test_fresh_networks(cli: Cli, tmp_path: Path) -> None:
    colour = write_image(tmp_path / "colour.png", 9, 11, colour=True)
    steps = {
        s["name"]: s
        for s in json.loads(cli("trace", colour, "--filters", 2, "--classes", 4, "--format", "json").out)["steps"]
    }
    assert steps["X"]["shape"] == [3, 9, 11]
    assert np.max(steps["X"]["values"]) <= 1
    assert steps["A2"]["shape"] == [4]
    assert steps["dA2/dz2"]["shape"] == [4, 4]
    gray = json.loads(cli("trace", colour, "--channels", "gray", "--seed", 5, "--format", "json").out)
    assert gray["steps"][0]["shape"] == [1, 9, 11]
    random = cli("trace", "--image-size", 7, "--kernel", 2, "--filters", 2, "--only", "X")
    assert "random numbers" in random.out
    assert "(1, 7, 7)" in random.out


def test_values_beyond_the_numbers_of_json_are_words(tmp_path: Path, cli: Cli) -> None:
    subject = choose([], None, None, FreshNetwork({"filters": (1,)}, image_size=4))
    parameters = he_normal(subject.architecture, 0) | {"b2": np.array([-2000.0])}
    from cnncli.data.normalisation import Normalisation

    Model(subject.architecture, ("a", "b"), Normalisation.none(1), parameters).save(tmp_path / "model")
    image = write_image(tmp_path / "image.png", 4, 4)
    result = cli("trace", image, "-m", tmp_path / "model", "--label", "b", "--format", "json")
    steps = {step["name"]: step["values"] for step in json.loads(result.out)["steps"]}
    assert steps["dL/dA2"] == ["-Infinity"]
    assert steps["dL/dz2"] == [-1.0]
    assert "-inf" in cli("trace", image, "-m", tmp_path / "model", "--label", "b").out
