"""From a data folder and the settings to what the loop trains on, and with which network."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from cnncli import __version__, memory
from cnncli.data.dataset import (
    Dataset,
    decode_all,
    keep_batches,
    probable_size,
    refuse_empty_classes,
    refuse_unreadable,
)
from cnncli.data.decoding import Size
from cnncli.data.fingerprint import take_fingerprints
from cnncli.data.folder import Folder, Sample, names_below, scan
from cnncli.data.normalisation import Normalisation
from cnncli.data.settings import Channels
from cnncli.data.split import split_stratified
from cnncli.distributed.communicator import ALONE, Communicator
from cnncli.errors import ArchitectureError, DataError, ImageError, UsageError
from cnncli.model import Model, load_model
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Parameters
from cnncli.network.chain import build_chain
from cnncli.network.initialisation import he_normal
from cnncli.training.order import LANES, list_owned, most_images
from cnncli.training.settings import VALIDATION_FRACTION, TrainingSettings
from cnncli.training.split_table import split_text

BLOCKS = 64  # of a list of files whose sizes are compared


@dataclass(frozen=True)
class Data:
    """The decoded images of a training, and what they are known by."""

    classes: tuple[str, ...]
    training: Dataset
    validation: Dataset
    fingerprints: tuple[list[str], list[str]]  # of the training and of the validation images
    split: str  # split.csv
    listed: str  # a digest of the names of the training images, those that cannot be read among them
    fraction: float | None  # of the validation images, where they were taken from the training images


def read_data(
    settings: TrainingSettings,
    like: Model | None,
    scratch: Path,
    on_image: Callable[[int, int], None],
    on_errors: Callable[[Sequence[ImageError]], None],
    communicator: Communicator = ALONE,
) -> Data:
    """Decode the images of both splits to one size and one number of channels, those of a model where there is one.

    `scratch` takes pixels that are too many for the memory. Each rank decodes the training images of its lanes and the
    validation images of its batches. Raises DataError, and UsageError.
    """
    scanned = scan(settings.data)
    _refuse_differences(communicator, scanned)
    folder = split_off_validation(scanned, settings)
    splits = (folder.training, folder.validation or ())
    size, channels = _choose_target(settings, like)
    if like is None:
        _require_memory_ahead(folder, size or probable_size(splits), settings, communicator)
    owned = list_owned(len(splits[0]), settings.seed, communicator.share(LANES))
    kept = owned, keep_batches(len(splits[1]), communicator)
    decoded = decode_all(
        splits, size, channels, scratch, on_image, settings.threads, kept=kept, communicator=communicator
    )
    errors = [error for split in decoded for error in split.errors]
    if settings.skip_bad:
        on_errors(errors)
        refuse_empty_classes(decoded[0].samples, folder.classes)
        if not decoded[1].samples:
            raise DataError(f"{folder.root} has no readable validation image left")
    else:
        refuse_unreadable(errors, len(splits[0]) + len(splits[1]))
    training, validation = (split.dataset() for split in decoded)
    datasets = {"train": training, "validation": validation}
    of_training, of_validation = (each.collect(take_fingerprints(each.images)) for each in datasets.values())
    fingerprints = of_training, of_validation
    return Data(
        folder.classes,
        training,
        validation,
        fingerprints,
        split_text(folder.root, datasets, fingerprints, folder.classes),
        _digest(names_below(folder.root, splits[0])),
        None if scanned.validation else settings.validation_fraction or VALIDATION_FRACTION,
    )


def _choose_target(settings: TrainingSettings, like: Model | None) -> tuple[Size | None, Channels]:
    """What images are decoded to: the size, unless it shows from them, and the channels."""
    if like is not None:
        return Size(like.architecture.height, like.architecture.width), (
            "gray" if like.architecture.channels == 1 else "rgb"
        )
    side = settings.image_size
    return Size(side, side) if side else None, settings.channels


def _refuse_differences(communicator: Communicator, folder: Folder) -> None:
    """Raise DataError where two ranks do not have the same program and the same files."""
    samples = (*folder.training, *(folder.validation or ()))
    communicator.require_same("versions of cnncli and NumPy", lambda: (__version__, np.__version__))
    communicator.require_same("image files", lambda: _digest(names_below(folder.root, samples)))
    communicator.require_same("sizes of image files", lambda: _digest_sizes(communicator, folder.root, samples))


def _digest_sizes(communicator: Communicator, root: Path, samples: Sequence[Sample]) -> list[str]:
    """A digest of the sizes in each of some blocks of the list; ranks that see the same folder share them out."""
    found = root.stat()
    folders = communicator.gather((communicator.host, found.st_dev, found.st_ino))
    sharing = [rank for rank, each in enumerate(folders) if each == folders[communicator.rank]]
    edges = [len(samples) * block // BLOCKS for block in range(BLOCKS + 1)]
    blocks = {
        block: _digest(_size(sample.file) for sample in samples[edges[block] : edges[block + 1]])
        for block in range(sharing.index(communicator.rank), BLOCKS, len(sharing))
    }
    gathered = communicator.gather(blocks)
    return [gathered[sharing[block % len(sharing)]][block] for block in range(BLOCKS)]


def _size(file: str) -> int | None:
    """The bytes of a file; None if there is none, which its reader will tell."""
    try:
        return os.stat(file).st_size  # noqa: PTH116  a Path of each file would take twice as long
    except OSError:
        return None


def _digest(values: Iterable[object]) -> str:
    return sha256("".join(f"{value}\n" for value in values).encode("utf-8", "surrogateescape")).hexdigest()


def split_off_validation(folder: Folder, settings: TrainingSettings) -> Folder:
    """The folder with its own validation images, or with some taken from the training images."""
    if folder.validation is not None:
        if settings.validation_fraction is not None:
            raise UsageError(
                f"has nothing to do: {folder.root} brings its own validation images", argument="validation_fraction"
            )
        return folder
    fraction = settings.validation_fraction or VALIDATION_FRACTION
    training, validation = split_stratified(folder.training, folder.root, fraction, settings.seed)
    return replace(folder, training=training, validation=validation)


def make_model(classes: tuple[str, ...], training: Dataset, settings: TrainingSettings) -> Model:
    """A network that fits the images, with fresh parameters in float32."""
    _, channels, height, width = training.images.shape
    try:
        architecture = Architecture(height, width, channels, classes=len(classes), **settings.network)
        build_chain(architecture)
    except ArchitectureError as error:
        if settings.image_size:
            raise
        raise DataError(
            f"the images of {settings.data} are {height}×{width}: {error}, or scale them", remedy="image_size"
        ) from None
    _require_memory(architecture, min(settings.batch_size, len(training)), training.communicator)
    return Model(
        architecture,
        classes,
        Normalisation.measured(training.images, training.communicator),
        _draw_parameters(architecture, settings.seed),
    )


def _require_memory_ahead(folder: Folder, size: Size, settings: TrainingSettings, communicator: Communicator) -> None:
    """Refuse a network that is too large before an image is decoded; gray is the least that it can be."""
    channels = 3 if settings.channels == "rgb" else 1
    with suppress(ArchitectureError):  # whether it fits is told once the size is known
        architecture = Architecture(*size, channels, classes=len(folder.classes), **settings.network)
        _require_memory(architecture, min(settings.batch_size, len(folder.training)), communicator)


def _require_memory(architecture: Architecture, batch: int, communicator: Communicator) -> None:
    """Raise UsageError where training needs more memory than there is, even for one image or only for the batch."""
    estimate, ranks = partial(estimate_memory, communicator=communicator), communicator.beside
    beside = f" by {ranks} ranks on {communicator.host}" if ranks > 1 else ""
    memory.require(
        lambda of: ranks * estimate(of, 1), architecture, f"such a network{' trained' if beside else ''}{beside}"
    )
    what = f"training on batches of {batch}{beside}"
    memory.require(lambda of: ranks * estimate(of, batch), architecture, what, remedy="batch_size")


def estimate_memory(architecture: Architecture, batch: int, communicator: Communicator) -> int:
    """The bytes that a rank needs at most to train on its part of batches of so many images, its pixels left out."""
    largest = max(most_images(batch, communicator.share(LANES, rank)) for rank in range(communicator.size))
    return memory.estimate_training(architecture, largest)


def load_initial_model(settings: TrainingSettings) -> Model | None:
    """The model whose weights a training starts from, if any. Raises UsageError for settings that contradict it."""
    if settings.init is None:
        return None
    model = load_model(settings.init)
    own = model.architecture
    for name, value in settings.network.items():
        if value != getattr(own, name):
            raise UsageError(f"is {value}, but {settings.init} has {getattr(own, name)}: leave it out", argument=name)
    if settings.image_size not in (None, own.height) or (settings.image_size and own.height != own.width):
        raise UsageError(
            f"is {settings.image_size}, but {settings.init} reads {own.height}×{own.width}: leave it out",
            argument="image_size",
        )
    if settings.channels not in ("auto", "gray" if own.channels == 1 else "rgb"):
        raise UsageError(
            f"is {settings.channels}, but {settings.init} has {own.channels} channels: leave it out",
            argument="channels",
        )
    return model


def adapt_model(model: Model, classes: tuple[str, ...], seed: int) -> Model:
    """A model for other classes: its preprocessing and its blocks, and a fresh dense layer unless they are the same."""
    parameters = {name: value.copy() for name, value in model.parameters.items()}
    if classes == model.classes:
        return replace(model, parameters=parameters)
    architecture = replace(model.architecture, classes=len(classes))
    fresh = _draw_parameters(architecture, seed)
    dense = {tensor.name for tensor in build_chain(architecture).steps[-1].parameters}
    mixed = {name: value if name in dense else parameters[name] for name, value in fresh.items()}
    return Model(architecture, classes, model.normalisation, mixed)


def _draw_parameters(architecture: Architecture, seed: int) -> Parameters:
    return {name: value.astype(np.float32) for name, value in he_normal(architecture, seed).items()}
