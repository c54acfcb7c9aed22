"""Gradients that were dumped from elsewhere: an .npz file of arrays under the names of the derivatives."""

from difflib import get_close_matches
from pathlib import Path

import numpy as np

from cnncli.data.number_reader import read_arrays
from cnncli.errors import DataError
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.subject.subject import Subject

SIZES = (8, 4)  # bytes of a number


def read_gradients(path: Path, subject: Subject) -> tuple[dict[str, Array], float]:
    """The arrays as float64 under "dL/dw1" (the file may say "dw1"), and the rounding of the coarsest of their dtypes.

    One image's gradients may come without the batch axis. Raises DataError.
    """
    tensors = {tensor.gradient.name: tensor for tensor in build_chain(subject.architecture).gradients.values()}
    gradients, eps = {}, float(np.finfo(np.float64).eps)
    for key, array in read_arrays(path, "is no .npz file of plain arrays").items():
        name = key if key.startswith("dL/") else f"dL/{key}"
        if name not in tensors:
            near = get_close_matches(name, tensors, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise DataError(f"{path}: {key} is no gradient of this network, which has {', '.join(tensors)}{hint}")
        if array.dtype.kind != "f" or array.dtype.itemsize not in SIZES:
            raise DataError(f"{path}: {key} is {array.dtype}; gradients are float64 or float32")
        eps = max(eps, float(np.finfo(array.dtype).eps))
        tensor = tensors[name]
        one_image = len(subject.y) == 1 and array.shape == tensor.shape and not tensor.is_parameter
        gradient = array.astype(np.float64)
        gradients[name] = gradient[None] if one_image else gradient
    if not gradients:
        raise DataError(f"{path} holds no arrays: save them with numpy.savez(path, **{{'dw1': …}})")
    return gradients, eps
