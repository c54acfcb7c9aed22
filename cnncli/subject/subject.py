"""What is looked at: a network with its parameters, and one image or several with their labels, all in float64."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from importlib import resources
from pathlib import Path

import numpy as np

from cnncli import memory
from cnncli.data.dataset import common_size
from cnncli.data.decoding import Size, decode, image_size, to_channels
from cnncli.data.folder import Sample
from cnncli.data.normalisation import Normalisation
from cnncli.errors import ArchitectureError, DataError, ModelError, UsageError
from cnncli.model import Model, load_model
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.initialisation import he_normal
from cnncli.network.textbook import run
from cnncli.subject.fresh import IMAGE_SIZE, SEED, FreshNetwork
from cnncli.subject.number_files import are_matrices, describe_network, fit_weights, read_matrices, read_weights

EXAMPLE = "the note's 6×6 example"


@dataclass(frozen=True)
class Subject:
    """A network and m images of it."""

    architecture: Architecture
    parameters: Parameters  # float64
    classes: tuple[str, ...]
    X: Array  # (m, C, H, W) float64
    y: Labels  # (m,)
    images: tuple[str, ...]  # where each image comes from
    origin: str  # where the parameters come from
    normalisation: Normalisation | None = None  # how X was made of pixels, where it was
    scaled_from: Size | None = None  # the own size of the first image that was scaled though nobody chose a size
    predicted: bool = False  # whether a label is the network's own answer, because nothing tells the true class


def choose(
    images: Sequence[Path],
    model: Path | Model | None,
    label: str | None,
    fresh: FreshNetwork,
    weights: Path | None = None,
) -> Subject:
    """The subject that a command's arguments mean; an image may be a file of numbers, see number_files.

    With a model its network; without one but with images or options fresh weights; with neither the note's example.
    `weights` is a file that sets parameters by name. Raises UsageError, DataError and ModelError.
    """
    if weights is not None:
        if model is not None:
            raise UsageError("both bring weights: leave one out", argument=("weights", "model"))
        return _use_weights(images, label, fresh, weights)
    if model is not None:
        if fresh.given:
            raise UsageError(
                "describes a fresh network, but the model brings its own: leave one out", argument=fresh.given[0]
            )
        origin = "in memory" if isinstance(model, Model) else str(model)
        if not images:
            raise UsageError(f"{origin} needs an image to look at: name an image file", argument="model")
        return _use_model(model if isinstance(model, Model) else load_model(model), origin, images, label)
    if images:
        return _fresh_on_images(images, label, fresh)
    if fresh.given:
        return _fresh_on_noise(label, fresh)
    return _note_example(label)


def _note_example(label: str | None) -> Subject:
    """The worked example: X 6×6, w1 3×3, integers in, y = 1."""
    note = json.loads(resources.files("cnncli.examples").joinpath("note_6x6.json").read_text("utf-8"))
    architecture = Architecture(6, 6, channels=1, filters=(1,), kernel=3, pool=2, classes=2)
    parameters = {name: np.array(note[name]) for name in build_chain(architecture).parameters}
    y = note["y"] if label is None else _index(label, ("0", "1"))
    return Subject(
        architecture, parameters, ("0", "1"), np.array([note["X"]]), np.array([y]), (EXAMPLE,), "as in the note"
    )


def _use_weights(images: Sequence[Path], label: str | None, fresh: FreshNetwork, path: Path) -> Subject:
    """A network whose shape the weights tell; parameters that the file leaves out are the example's, or fresh."""
    own = read_weights(path)
    network = describe_network(own, fresh)
    if images or fresh.given:
        subject = choose(images, None, label, network)
    else:
        subject = _note_example(label)
        _, channels, height, width = subject.X.shape
        architecture = _fit(network, height, width, channels)
        if architecture != subject.architecture:
            subject = _fresh(architecture, subject.X, subject.images, label, fresh)
    parameters = subject.parameters | fit_weights(own, subject.architecture, path)
    origin = str(path) if own.keys() == parameters.keys() else f"{', '.join(own)} of {path}, others {subject.origin}"
    return replace(subject, parameters=parameters, origin=origin)


def _fresh_on_noise(label: str | None, fresh: FreshNetwork) -> Subject:
    side = fresh.image_size or IMAGE_SIZE
    architecture = _fit(fresh, side, side, 3 if fresh.channels == "rgb" else 1)
    X = np.random.default_rng([fresh.seed or SEED, 1]).normal(size=(1, architecture.channels, side, side))
    return _fresh(architecture, X, ("random numbers",), label, fresh)


def _fresh_on_images(images: Sequence[Path], label: str | None, fresh: FreshNetwork) -> Subject:
    if are_matrices(images):
        return _fresh_on_matrices(images, label, fresh)
    side = fresh.image_size
    size = Size(side, side) if side else common_size([Sample(str(path), 0) for path in images])
    pixels = [decode(path, size) for path in images]
    gray = fresh.channels == "gray" or (fresh.channels != "rgb" and all(len(image) == 1 for image in pixels))
    channels = 1 if gray else 3
    try:
        architecture = _fit(fresh, size.height, size.width, channels, len(images))
    except ArchitectureError as error:
        if side:
            raise
        raise DataError(f"{images[0]} is {size.height}×{size.width}: {error}") from None
    normalisation = Normalisation.none(channels)
    X = normalisation.apply(np.stack([to_channels(image, channels) for image in pixels]), np.float64)
    scaled = None if side else next((own for own in map(image_size, images) if own != size), None)
    subject = _fresh(architecture, X, tuple(map(str, images)), label, fresh)
    return replace(subject, normalisation=normalisation, scaled_from=scaled)


def _fresh_on_matrices(images: Sequence[Path], label: str | None, fresh: FreshNetwork) -> Subject:
    if fresh.image_size or fresh.channels:
        raise UsageError(
            "are for image files: a matrix of numbers is taken as it is", argument=("image_size", "channels")
        )
    X = read_matrices(images)
    _, channels, height, width = X.shape
    try:
        architecture = _fit(fresh, height, width, channels, len(images))
    except ArchitectureError as error:
        size = f"{images[0]} is {height}×{width}: {error}"
        kernel = _largest_kernel(fresh, height, width, channels)
        if kernel is None:
            raise DataError(size) from None
        raise DataError(f"{size}; a {kernel}×{kernel} kernel fits: choose it", remedy="kernel") from None
    return _fresh(architecture, X, tuple(map(str, images)), label, fresh)


def _largest_kernel(fresh: FreshNetwork, height: int, width: int, channels: int) -> int | None:
    """The largest kernel of a network that fits images of a size, if any does."""
    for kernel in range(min(height, width), 0, -1):
        smaller = replace(fresh, network={**fresh.network, "kernel": kernel})
        with suppress(ArchitectureError):
            build_chain(smaller.architecture(height, width, channels))
            return kernel
    return None


def _fit(fresh: FreshNetwork, height: int, width: int, channels: int, images: int = 1) -> Architecture:
    """The architecture for images of a size. Raises UsageError where its blocks do not fit, or the memory is short."""
    architecture = fresh.architecture(height, width, channels)
    build_chain(architecture)
    memory.require(partial(memory.estimate_trace, images=images), architecture, "such a network")
    return architecture


def _fresh(
    architecture: Architecture, X: Array, images: tuple[str, ...], label: str | None, fresh: FreshNetwork
) -> Subject:
    """Weights from the seed; the classes have numbers for names, and the label is 1 where none is given."""
    seed = fresh.seed or SEED
    classes = tuple(map(str, range(architecture.classes)))
    y = np.full(len(X), 1 if label is None else _index(label, classes))
    return Subject(architecture, he_normal(architecture, seed), classes, X, y, images, f"fresh, seed {seed}")


def _use_model(model: Model, origin: str, images: Sequence[Path], label: str | None) -> Subject:
    estimate = partial(memory.estimate_trace, images=len(images))
    memory.require(estimate, model.architecture, f"{origin} for {_count(images)}", error=ModelError, fixed=True)
    X = _model_input(model, images)
    named = [_folder_label(image, model.classes) if label is None else _index(label, model.classes) for image in images]
    parameters = {name: value.astype(np.float64) for name, value in model.parameters.items()}
    answers = model.chain.output.predict(run(model.chain.steps, parameters, X)) if None in named else named
    return Subject(
        model.architecture,
        parameters,
        model.classes,
        X,
        np.array([answer if label is None else label for label, answer in zip(named, answers, strict=True)]),
        tuple(map(str, images)),
        origin,
        None if are_matrices(images) else model.normalisation,
        predicted=None in named,
    )


def _model_input(model: Model, images: Sequence[Path]) -> Array:
    """X for a model: image files normalised as in its training, matrices of numbers as they are."""
    if not are_matrices(images):
        return model.normalise(np.stack([model.pixels(image) for image in images]), np.float64)
    X = read_matrices(images)
    needed = model.chain.image.shape
    if X.shape[1:] != needed:
        raise DataError(
            f"{images[0]} has the shape {X.shape[1:]}, the model needs {needed}: X itself, after normalisation"
        )
    return X


def _folder_label(image: Path, classes: Sequence[str]) -> int | None:
    """The class that the nearest folder above is named after, if any."""
    return next((classes.index(folder.name) for folder in image.absolute().parents if folder.name in classes), None)


def _index(label: object, classes: Sequence[str]) -> int:
    label = str(label)
    if label in classes:
        return classes.index(label)
    near = get_close_matches(label, classes, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(f"{label} is no class of this network, which has {', '.join(classes)}{hint}", argument="label")


def _count(images: Sequence[Path]) -> str:
    return "1 image" if len(images) == 1 else f"{len(images):,} images"
