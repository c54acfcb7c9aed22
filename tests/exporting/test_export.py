"""Exported ONNX and Python files: their probabilities are those of predict, and what cannot be exported is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.data.decoding import FORMATS, MAX_PIXELS, SPARE
from cnncli.errors import ModelError
from cnncli.exporting import formats, page, script, standalone
from cnncli.exporting.export import export_model
from cnncli.model import load_model
from tests.conftest import ROOT, SAMPLE_DATA, Cli
from tests.exporting.models import ARCHITECTURES, make_model, write_images, write_photos


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    make_model(ARCHITECTURES["one block, sigmoid"]).save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_script_gives_the_probabilities_of_predict(name: str, tmp_path: Path) -> None:
    model, images = make_model(ARCHITECTURES[name]), write_images(tmp_path / "images")
    images += write_photos(tmp_path / "photos")
    model.save(tmp_path / "model.safetensors")
    exported = export_model(tmp_path / "model.safetensors", tmp_path / "model.py")
    assert exported.largest_difference is not None
    assert exported.largest_difference <= 1e-5
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(exported.path.read_text("utf-8"), "model.py", "exec"), names)  # noqa: S102
    for prediction, path in zip(model.predict(images), images, strict=True):
        assert (names["read_image"](path) == model.pixels(path)).all(), path
        assert names["predict"](path) == pytest.approx(prediction.probabilities, abs=1e-5), path


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_onnx_gives_the_probabilities_of_predict(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra onnx")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    model, images = make_model(ARCHITECTURES[name]), write_images(tmp_path / "images")
    model.save(tmp_path / "model.safetensors")
    exported = export_model(tmp_path / "model.safetensors", tmp_path / "model.onnx")
    assert (exported.largest_difference or 0) <= 1e-5
    session = onnxruntime.InferenceSession(exported.path)
    (image,) = session.get_inputs()
    assert (image.name, image.type, image.shape) == ("image", "tensor(uint8)", ["m", *model.chain.image.shape])
    classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    assert tuple(classes) == model.classes
    pixels = np.stack([model.pixels(path) for path in images])
    (found,) = session.run(["probabilities"], {"image": pixels})
    for row, prediction in zip(found, model.predict(images), strict=True):
        assert dict(zip(classes, row, strict=True)) == pytest.approx(prediction.probabilities, abs=1e-5)


def test_onnx_is_of_an_old_version_and_passes_the_full_check(tmp_path: Path, model_file: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    export_model(model_file, tmp_path / "model.onnx")
    read = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(read, full_check=True)
    assert (read.ir_version, [opset.version for opset in read.opset_import]) == (4, [9])
    assert {"w1", "b1", "w2", "b2"} <= {constant.name for constant in read.graph.initializer}
    assert {"Z1", "A1", "P1", "F", "z2", "A2"} <= {name for node in read.graph.node for name in node.output}


def test_a_script_runs_on_its_own(tmp_path: Path, model_file: Path) -> None:
    file = export_model(model_file, tmp_path / "model.py").path
    assert "cnncli" not in file.read_text("utf-8").split('"""')[2]  # behind the docstring nothing of it is left
    (image, *_) = write_images(tmp_path / "images")
    (tmp_path / "text.png").write_text("no image")
    done = subprocess.run(
        [sys.executable, "-I", file, image, tmp_path / "text.png", tmp_path / "gone.png"],
        capture_output=True, text=True, encoding="utf-8", check=False,
        env={"PYTHONUTF8": "1"},
    )  # fmt: skip
    (expected,) = load_model(model_file).predict(image)
    assert done.stdout == f"{image}: {expected.best} {expected.probabilities[expected.best]:.4f}\n"
    assert done.returncode == 3
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [
        str(tmp_path / "text.png"),
        str(tmp_path / "gone.png"),
    ]
    usage = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert usage.stderr.startswith("usage: ")
    assert "Traceback" not in done.stderr + usage.stderr


def test_a_script_and_a_page_have_the_limits_of_the_decoder() -> None:
    assert (standalone.FORMATS, standalone.MAX_PIXELS, standalone.SPARE) == (FORMATS, MAX_PIXELS, SPARE)
    decoding = (ROOT / "cnncli" / "exporting" / "templates" / "decoding.js").read_text("utf-8")
    assert f"MAX_PIXELS = {MAX_PIXELS};" in decoding


def test_a_run_is_checked_on_its_validation_images(cli: Cli, tmp_path: Path) -> None:
    assert cli("train", SAMPLE_DATA / "fashion", "--epochs", 1, "--out", tmp_path / "run").code == 0
    result = cli("export", "-m", tmp_path / "run", "-o", tmp_path / "model.py")
    assert result.code == 0
    assert "parity with predict: 100 validation images, run by the file itself: largest difference" in result.out
    page = cli("export", "-m", tmp_path / "run", "-o", tmp_path / "model.html", "--format", "json")
    assert json.loads(page.out) == {
        "file": str(tmp_path / "model.html"),
        "checked_by": "the page itself, when it is opened",
        "images": 100,
        "source": "validation images",
        "largest_difference": None,
    }
    model_file = tmp_path / "run" / "model.safetensors"
    alone = json.loads(cli("export", "-m", model_file, "-o", tmp_path / "b.py", "--format", "json").out)
    assert (alone["images"], alone["source"]) == (20, "random images")


def test_a_file_whose_probabilities_differ_is_not_written(
    tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = script.render
    monkeypatch.setattr(
        script, "render", lambda *given: render(*given).replace(b"np.maximum(Z, 0)", b"np.maximum(Z, 0.01)")
    )
    with pytest.raises(ModelError, match=r"for random image \d+ its probabilities differ from the model's own by "):
        export_model(model_file, tmp_path / "model.py")
    assert not (tmp_path / "model.py").exists()


def test_what_cannot_be_exported(cli: Cli, tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        "the suffix names no format of a model; there are .onnx, .py, .html"
        in cli("export", "-m", model_file, "-o", tmp_path / "model.pt").sentence
    )
    (tmp_path / "taken.py").write_text("mine")
    taken = cli("export", "-m", model_file, "-o", tmp_path / "taken.py")
    assert taken.code == 2
    assert taken.sentence.endswith("taken.py exists: name another file, or replace it with --force")
    assert (tmp_path / "taken.py").read_text() == "mine"
    assert cli("export", "-m", model_file, "-o", tmp_path / "taken.py", "--force").code == 0
    nowhere = cli("export", "-m", model_file, "-o", tmp_path / "no" / "model.py")
    assert nowhere.code == 3
    assert "cannot be written (No such file or directory)" in nowhere.sentence
    assert cli("export", "-m", tmp_path / "none", "-o", tmp_path / "a.py").code == 3
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert (
        "needs the package onnx and onnxruntime: install it with pip install 'cnncli[onnx]'"
        in cli("export", "-m", model_file, "-o", tmp_path / "model.onnx").sentence
    )


@pytest.mark.parametrize("module", [script, page])
def test_a_step_that_a_format_lacks_is_refused(module: Any) -> None:
    from cnncli.errors import UsageError

    class Unknown:
        kind = "unknown step"

    with pytest.raises(UsageError, match="a network with unknown step cannot be exported as "):
        module._write(Unknown())


def test_every_format_has_a_line_and_a_module() -> None:
    for suffix in formats.SUFFIXES:
        module = formats.format_of(Path(f"model{suffix}"))
        assert module.WRITTEN
        assert module.CHECKED_BY
