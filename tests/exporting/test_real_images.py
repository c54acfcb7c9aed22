"""1,000 images of Fashion-MNIST's test set: every exported format gives predict's probabilities within 1e-5."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.datasets import FASHION, read_fashion
from cnncli import api
from cnncli.model import load_model
from tests.browser import Browser

NUMBER = 1000


def write_images(folder: Path, prefix: str) -> list[Path]:
    """The first thousand images of a split of Fashion-MNIST as PNG files in class folders, class by class."""
    images, labels = (part[:NUMBER] for part in read_fashion(prefix))
    paths = [folder / str(label) / f"{number:03}.png" for number, label in enumerate(labels)]
    for path, image in zip(paths, images, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return paths


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.exists(), reason="needs Debian's package dataset-fashion-mnist")
def test_all_formats_on_a_thousand_real_images(browser: Browser, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    write_images(tmp_path / "data", "train")
    run = api.train(tmp_path / "data", out=tmp_path / "run", epochs=5, filters=(16, 32)).run
    images = write_images(tmp_path / "test", "t10k")
    model = load_model(run)
    expected = np.array([[p.probabilities[name] for name in model.classes] for p in model.predict(images)])
    pixels = np.stack([model.pixels(path) for path in images])

    session = onnxruntime.InferenceSession(api.export(run, tmp_path / "model.onnx").path)
    (found,) = session.run(["probabilities"], {"image": pixels})
    assert np.abs(found - expected).max() <= 1e-5

    predict = runpy.run_path(str(api.export(run, tmp_path / "model.py").path))["predict"]
    assert np.abs(np.array([list(predict(path).values()) for path in images]) - expected).max() <= 1e-5

    page = browser.open(api.export(run, tmp_path / "model.html").path)
    page.wait_for_selector("#check[data-state=right]")
    files = json.dumps([list(path.read_bytes()) for path in images])
    answers = page.evaluate(
        """async (files) => {
            const answers = [];
            for (const bytes of JSON.parse(files))
                answers.push(classify(await readImage(new Blob([Uint8Array.from(bytes)]))));
            return answers;
        }""",
        files,
    )
    assert len(answers) == NUMBER
    assert np.abs(np.array(answers) - expected).max() <= 1e-5
