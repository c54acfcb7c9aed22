"""The loop and the optimisers."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cnncli.data.dataset import Dataset
from cnncli.data.folder import Sample
from cnncli.data.normalisation import Normalisation
from cnncli.errors import Diverged
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Parameters
from cnncli.network.initialisation import he_normal
from cnncli.network.textbook import Textbook
from cnncli.training.loop import Epoch, evaluate, train
from cnncli.training.optimisers import Adam, Momentum, make_optimiser
from cnncli.training.order import order_epoch
from cnncli.training.settings import OptimiserName


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
    return Dataset(images, labels, tuple(Sample(Path(f"{i}.png"), int(label)) for i, label in enumerate(labels)))


def run(model: Model, data: Dataset, epochs: int = 3, rate: float = 0.01, batch: int = 4, seed: int = 0) -> list[Epoch]:
    return list(
        train(
            model, model.engine, data, data, optimiser=make_optimiser("adam", rate), epochs=epochs, batch_size=batch,
            seed=seed, on_batch=lambda *_: None,
        )
    )  # fmt: skip


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


class Descent:
    """The plainest optimiser."""

    def update(self, parameters: Parameters, gradients: Parameters) -> None:
        for name, gradient in gradients.items():
            parameters[name] -= 0.1 * gradient


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
        Descent().update(parameters, gradients)

    (epoch,) = train(
        model, model.engine, data, data, optimiser=Descent(), epochs=1, batch_size=4, seed=3, on_batch=lambda *_: None
    )
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
    list(
        train(
            model, model.engine, data, data, optimiser=make_optimiser("sgd", 0.01), epochs=2, batch_size=4, seed=0,
            on_batch=lambda epoch, images, _: seen.append((epoch, images)),
        )
    )  # fmt: skip
    assert seen == [(1, 4), (1, 8), (1, 10), (2, 4), (2, 8), (2, 10)]


def test_evaluation_is_the_mean_over_all_images_whatever_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model, data = fresh_model(), dataset(11)
    whole = evaluate(model, data)
    losses = model.chain.output.losses(model.logits(data.images), data.labels)
    assert whole.loss == pytest.approx(float(losses.mean()), rel=1e-6)
    monkeypatch.setattr("cnncli.training.loop.EVALUATION_BATCH", 4)
    assert evaluate(model, data).loss == pytest.approx(whole.loss, rel=1e-6)


def test_divergence_names_the_epoch_and_the_step() -> None:
    model = fresh_model()
    with pytest.raises(Diverged, match=r"training diverged in epoch 1, step 2: the loss is (nan|inf)"):
        run(model, dataset(), rate=1e38)


def test_parameters_that_are_no_numbers_are_seen_though_relu_could_hide_them() -> None:
    model = fresh_model()
    model.parameters["w1"][0, 0, 0, 0] = np.nan
    with pytest.raises(Diverged, match=r"epoch 1, step 1: the loss is nan"):
        run(model, dataset())


def test_momentum_is_the_sum_of_decayed_gradients() -> None:
    parameters = {"w1": np.array([1.0])}
    sgd = Momentum(0.1)
    for gradient in (2.0, 3.0):
        sgd.update(parameters, {"w1": np.array([gradient])})
    assert_allclose(parameters["w1"], 1 - 0.1 * 2 - 0.1 * (0.9 * 2 + 3))


def test_adam_follows_its_paper() -> None:
    parameters, adam = {"w1": np.array([1.0, -2.0])}, Adam(0.1)
    x, m, v = parameters["w1"].copy(), np.zeros(2), np.zeros(2)
    for t in range(1, 6):
        gradient = np.array([np.sin(t), 10.0 * t])
        adam.update(parameters, {"w1": gradient})
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        x -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        assert_allclose(parameters["w1"], x, rtol=1e-12)


@pytest.mark.parametrize(("name", "step"), [("sgd", 0.2), ("adam", 0.1)])
def test_the_first_step_is_the_gradient_with_sgd_and_its_sign_with_adam(name: OptimiserName, step: float) -> None:
    parameters = {"w1": np.array([1.0])}
    make_optimiser(name, 0.1).update(parameters, {"w1": np.array([2.0])})
    assert_allclose(parameters["w1"], 1 - step)


def test_optimisers_keep_float32() -> None:
    for name in ("adam", "sgd"):
        parameters = {"w1": np.ones(3, np.float32)}
        make_optimiser(name, 0.1).update(parameters, {"w1": np.ones(3, np.float32)})
        assert parameters["w1"].dtype == np.float32
