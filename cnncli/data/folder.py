"""What lies in a data folder: class folders, or splits of them. Names only, no pixel is read."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnncli.errors import DataError

READ = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
NOT_READ = (".avif", ".heic", ".heif", ".jp2", ".jxl", ".tif", ".tiff")  # images too: who looks at one tells so
SUFFIXES = (*READ, *NOT_READ)
VALIDATION = ("val", "valid", "validation")
SPLITS = frozenset({"train", "test", *VALIDATION})


class Sample(NamedTuple):
    """One image file and the index of its class."""

    file: str  # its POSIX path: to make a Path of each would take longer than to find it
    label: int

    @property
    def path(self) -> Path:
        """The same as a Path."""
        return Path(self.file)


@dataclass(frozen=True)
class Folder:
    """The classes and images of a data folder; `validation` is None where the folder is not split."""

    root: Path
    classes: tuple[str, ...]
    training: tuple[Sample, ...]
    validation: tuple[Sample, ...] | None


def scan(root: Path) -> Folder:
    """Read DATA/class/*.png, or DATA/train/class/*.png beside DATA/val (valid, validation).

    Beside train and another split no other folder counts.
    A class is the first folder below; its images may lie deeper. Order is by POSIX path, hidden names are passed over.
    Raises DataError where the folder, a class or an image is missing.
    """
    names = [path.name for path in subfolders(root)]
    split = "train" in names and (len(names) == 1 or not SPLITS.isdisjoint(set(names) - {"train"}))
    if not split:
        classes = _classes(root)
        return Folder(root, classes, _samples(root, classes), None)
    classes = _classes(root / "train")
    training = _samples(root / "train", classes)
    validation = [name for name in names if name in VALIDATION]
    if len(validation) > 1:
        raise DataError(f"{root} has {' and '.join(validation)} beside train: keep one validation folder")
    if not validation:
        return Folder(root, classes, training, None)
    return Folder(root, classes, training, _samples(root / validation[0], classes))


def names_below(root: Path, samples: Iterable[Sample]) -> list[str]:
    """The POSIX path of each sample below the folder that it was found in; Path.relative_to takes ten times as long."""
    above = _start_of(root)
    return [sample.file.removeprefix(above) for sample in samples]


def subfolders(root: Path) -> list[Path]:
    """The folders directly below, in order, without hidden ones. Raises DataError where there is no such folder."""
    if not root.exists():
        raise DataError(f"{root}: no such folder")
    if not root.is_dir():
        raise DataError(f"{root} is a file: give the folder that holds one folder of images for each class")
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"{root} cannot be read: {error.strerror}") from None


def list_images_below(folder: Path) -> list[str]:
    """The POSIX path of every image file in a folder and the folders below it, in order, without hidden ones."""
    above = _start_of(folder)
    return [above + name for name in sorted(_walk(folder))]


def _start_of(folder: Path) -> str:
    """How the POSIX paths of what lies in a folder begin."""
    return f"{folder.as_posix().rstrip('/')}/"


def _walk(folder: Path) -> Iterator[str]:
    """The POSIX path below the folder of every image file."""

    def fail(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}")

    for directory, names, files in os.walk(folder, onerror=fail):
        names[:] = [name for name in names if not name.startswith(".")]
        below = Path(directory).relative_to(folder).as_posix()
        above = "" if below == "." else f"{below}/"
        for name in files:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield above + name


def _classes(root: Path) -> tuple[str, ...]:
    classes = tuple(path.name for path in subfolders(root))
    if not classes:
        raise DataError(f"{root} has no class folders: put the images of each class into a folder of its own")
    for name in classes:
        if not name.isprintable():
            raise DataError(f"{root / name}: the name of a class must be readable text: rename the folder")
    if len(classes) == 1:
        raise DataError(f"{root} has one class only, {classes[0]}: a classifier needs at least two class folders")
    return classes


def _samples(root: Path, classes: tuple[str, ...]) -> tuple[Sample, ...]:
    samples = []
    for path in subfolders(root):
        if path.name not in classes:
            raise DataError(f"{path}: the training images have no class {path.name} (they have {', '.join(classes)})")
        images = list_images_below(path)
        if not images:
            raise DataError(f"{path}: the class folder holds no images ({', '.join(READ)})")
        label = classes.index(path.name)
        samples += [Sample(image, label) for image in images]
    if not samples:
        raise DataError(f"{root} has no class folders: put the images of each class into a folder of its own")
    return tuple(samples)
