"""The training loop."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.data.dataset import Dataset
from cnncli.data.folder import Sample
from cnncli.data.normalisation import Normalisation
from cnncli.errors import Diverged
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.initialisation import he_normal
from cnncli.network.textbook import Textbook
from cnncli.training.loop import Loop, evaluate
from cnncli.training.optimisers import make_optimiser
from cnncli.training.order import order_epoch
from cnncli.training.settings import TrainingSettings
from cnncli.training.state import Epoch, State


def fresh_model(classes: int = 2) -> Model:
    architecture = Architecture(8, 8, filters=(2,), classes=classes)
    parameters = {name: value.astype(np.float32) for name, value in he_normal(architecture, 0).items()}
    return Model(architecture, tuple("abcdef"[:classes]), Normalisation.none(1), parameters)


def dataset(n: int = 10, classes: int = 2) -> Dataset:
    """Class 0 is bright on the left, class 1 on the right, others in the middle."""
    images = np.random.default_rng(0).integers(0, 60, (n, 1, 8, 8), dtype=np.uint8)
    labels = np.arange(n) % classes
    for image, label in zip(images, labels, strict=True):
        image[0, :, 2 * label : 2 * label + 3] += 150
    return Dataset(images, labels, tuple(Sample(f"{i}.png", int(label)) for i, label in enumerate(labels)))


def loop(model: Model, data: Dataset, **settings: Any) -> Loop:
    chosen = TrainingSettings(Path(), **{"batch_size": 4, "learning_rate": 0.01, **settings})
    optimiser = make_optimiser(chosen.optimizer, momentum=chosen.momentum, weight_decay=chosen.weight_decay)
    return Loop(model, model.engine, data, data, chosen, State(optimiser))


def run(model: Model, data: Dataset, epochs: int = 3, **settings: Any) -> list[Epoch]:
    return list(loop(model, data, epochs=epochs, **settings).run(lambda *_: None))


@pytest.mark.parametrize("classes", [2, 3])
def test_training_learns(classes: int) -> None:
    epochs = run(fresh_model(classes), dataset(30, classes), epochs=30)
    assert epochs[-1].training.loss < 0.2 * epochs[0].training.loss
    assert epochs[-1].validation.accuracy == 1


def test_the_same_seed_gives_the_same_bits_and_another_another_order() -> None:
    models = [fresh_model() for _ in range(3)]
    for model, seed in zip(models, (5, 5, 6), strict=True):
        run(model, dataset(), seed=seed)
    for name, value in models[0].parameters.items():
        assert (value == models[1].parameters[name]).all()
    assert any((value != models[2].parameters[name]).any() for name, value in models[0].parameters.items())


def test_an_epoch_reports_means_over_its_images_and_the_mean_over_its_batches_of_each_norm() -> None:
    data, model = dataset(10), fresh_model()
    parameters = {name: value.astype(np.float64) for name, value in model.parameters.items()}
    X, textbook = model.normalise(data.images, np.float64), Textbook(model.architecture)
    losses, right, norms = [], [], []  # of each image, of each image, of each batch
    for batch, _ in order_epoch(10, 3, 1, 4):
        loss, gradients, logits = textbook.loss_and_gradients(parameters, X[batch], data.labels[batch])
        losses += [loss] * len(batch)
        right += list((logits[:, 0] > 0) == data.labels[batch])
        norms.append({name: np.linalg.norm(gradient) for name, gradient in gradients.items()})
        for name, gradient in gradients.items():
            parameters[name] -= 0.1 * gradient

    (epoch,) = run(model, data, epochs=1, seed=3, optimizer="sgd", momentum=0.0, learning_rate=0.1)
    assert epoch.training.loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert epoch.training.accuracy == np.mean(right) < 1
    assert list(epoch.gradient_norms) == list(parameters)
    for name, norm in epoch.gradient_norms.items():
        assert norm == pytest.approx(np.mean([of_batch[name] for of_batch in norms]), rel=1e-4)
    assert epoch.images_per_second * epoch.seconds == pytest.approx(10)
    assert epoch.validation == evaluate(model, data)


def test_every_image_is_seen_once_an_epoch_and_the_last_batch_may_be_smaller() -> None:
    seen: list[tuple[int, int]] = []
    data = dataset(10)
    model = fresh_model()
    list(loop(model, data, epochs=2, optimizer="sgd").run(lambda epoch, images, _: seen.append((epoch, images))))
    assert seen == [(1, 4), (1, 8), (1, 10), (2, 4), (2, 8), (2, 10)]


def test_evaluation_is_the_mean_over_all_images_whatever_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model, data = fresh_model(), dataset(11)
    whole = evaluate(model, data)
    losses = model.chain.output.losses(model.logits(data.images), data.labels)
    assert whole.loss == pytest.approx(float(losses.mean()), rel=1e-6)
    monkeypatch.setattr("cnncli.data.dataset.EVALUATION_BATCH", 4)
    assert evaluate(model, data).loss == pytest.approx(whole.loss, rel=1e-6)


def test_divergence_names_the_epoch_and_the_step() -> None:
    model = fresh_model()
    with pytest.raises(Diverged, match=r"training diverged in epoch 1, step 2: the loss is (nan|inf)"):
        run(model, dataset(), learning_rate=1e38)


def test_parameters_that_are_no_numbers_are_seen_though_relu_could_hide_them() -> None:
    model = fresh_model()
    model.parameters["w1"][0, 0, 0, 0] = np.nan
    with pytest.raises(Diverged, match=r"epoch 1, step 1: the loss is nan"):
        run(model, dataset())
