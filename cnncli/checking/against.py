"""Gradients that were dumped from elsewhere: an .npz file of arrays under the names of the derivatives."""

import zipfile
import zlib
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from cnncli.errors import DataError
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.subject.subject import Subject


def read_gradients(path: Path, subject: Subject) -> tuple[dict[str, Array], float]:
    """The arrays as float64 under "dL/dw1" (the file may say "dw1"), and the rounding of the coarsest of their dtypes.

    One image's gradients may come without the batch axis. Raises DataError.
    """
    tensors = {tensor.gradient.name: tensor for tensor in build_chain(subject.architecture).gradients.values()}
    gradients, eps = {}, float(np.finfo(np.float64).eps)
    for key, array in _arrays(path).items():
        name = key if key.startswith("dL/") else f"dL/{key}"
        if name not in tensors:
            near = get_close_matches(name, tensors, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise DataError(f"{path}: {key} is no gradient of this network, which has {', '.join(tensors)}{hint}")
        if array.dtype.kind != "f":
            raise DataError(f"{path}: {key} is {array.dtype}; gradients are float64 or float32")
        eps = max(eps, float(np.finfo(array.dtype).eps))
        tensor = tensors[name]
        one_image = len(subject.y) == 1 and array.shape == tensor.shape and not tensor.is_parameter
        gradients[name] = array.astype(np.float64)[None] if one_image else array.astype(np.float64)
    if not gradients:
        raise DataError(f"{path} holds no arrays: save them with numpy.savez(path, **{{'dw1': …}})")
    return gradients, eps


def _arrays(path: Path) -> dict[str, Array]:
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            raise DataError(f"{path} holds one array without a name: save with numpy.savez(path, **{{'dw1': …}})")
        with content:
            return {key: content[key] for key in content.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is no .npz file of plain arrays ({error})") from None
