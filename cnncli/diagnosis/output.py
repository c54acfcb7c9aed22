"""What an expression for dL/dz, the gradient of the output step, may be made of by mistake."""

from collections.abc import Iterator

import numpy as np

from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.output_step import OutputStep

OVERFLOW = 700.0  # of float64, in z
EPSILONS = {
    f"−y/(A + ε) + (1 − y)/(1 − A + ε), with ε = 1e-{digits}, times A·(1 − A)": 10.0**-digits for digits in range(2, 17)
}


def list_factors(step: OutputStep, z: Array, labels: Labels) -> dict[str, Array]:
    """What dL/dz may be multiplied by: z (m, K), labels (m,), all (m, K)."""
    A, name, y = step.forward(z), step.output.name, encode(labels, z)
    return {
        step.source.name: z,
        name: A,
        "y": y,
        "1 − y": 1 - y,
        f"1 − {name}": 1 - A,
        f"{name}·(1 − {name})": A * (1 - A),
        f"{name} − y": A - y,
        f"|{name} − y|": np.abs(A - y),
        f"1 − |{name} − y|": 1 - np.abs(A - y),
        f"{name}²": A**2,
        f"(1 − |{name} − y|)²": (1 - np.abs(A - y)) ** 2,
        "the number of images with the same y": (y @ y.sum(axis=0) + (1 - y.sum(axis=1)) * (1 - y).sum())[:, None]
        * np.ones_like(A),
        **_list_of_class(name, A, y),
        f"log {name}": np.log(A),
        f"log(1 − {name})": np.log1p(-A),
        f"log(1 − |{name} − y|)": np.log1p(-np.abs(A - y)),
    }


def _list_of_class(name: str, A: Array, y: Array) -> dict[str, Array]:
    """What the output of each image's own class gives, for all of its outputs."""
    if A.shape[1] == 1:
        return {}
    own = np.broadcast_to((A * y).sum(axis=1, keepdims=True), A.shape)
    first, last = (np.broadcast_to(y[:, place, None], A.shape) for place in (0, -1))
    return {
        "0 for images of the first class, else 1": 1 - first,
        "0 for images of the last class, else 1": 1 - last,
        f"the {name} of its own class": own,
        f"1 − the {name} of its own class": 1 - own,
        f"(1 − the {name} of its own class)²": (1 - own) ** 2,
    }


def list_alternatives(step: OutputStep, z: Array, labels: Labels) -> dict[str, Array]:
    """What dL/dz itself may be, with the 1/m of the mean: z (m, K), labels (m,), all (m, K)."""
    A, name, y = step.forward(z), step.output.name, encode(labels, z)
    made = {f"made with {words} in the place of y": A - other for words, other in _list_labels(labels, y, A).items()}
    made |= {f"made with {words} in the place of {name}": A_ - y for words, A_ in _list_outputs(step, z, A, y).items()}
    made |= {
        f"{name} alone, without y": A,
        "−y alone": -y,
        f"−y/{name}": -y / A,
        f"−y/{name} + (1 − y)/(1 − {name})": (A - y) / (A * (1 - A)),
        f"{name}·(y − Σ y·{name})": A * (y - (y * A).sum(axis=1, keepdims=True)),
        f"({name} − y) times the Jacobian of the output once more": A
        * ((A - y) - (A * (A - y)).sum(axis=1, keepdims=True)),
        **{words: (-y / (A + e) + (1 - y) / (1 - A + e)) * A * (1 - A) for words, e in EPSILONS.items()},
        **{
            f"({name} − y)/({name}·(1 − {name}) + ε), with ε = {e:.0e}, times {name}·(1 − {name})": (A - y)
            / (A * (1 - A) + e)
            * A
            * (1 - A)
            for e in EPSILONS.values()
        },
        **dict(_list_jacobian_with_epsilon(name, A, y) if A.shape[1] > 1 else ()),
        "what the squared error (z − y)² gives": 2 * (z - y),
        "what the hinge loss gives": np.where((2 * y - 1) * z < 1, 1 - 2 * y, 0),
        f"the sign of {name} − y, as of |{name} − y|": np.sign(A - y),
    }
    return {words: array / len(z) for words, array in made.items()}


def encode(labels: Labels, z: Array) -> Array:
    """(m, K): the labels themselves for one output, else 1 at the output of each one's class."""
    return labels[:, None].astype(float) if z.shape[1] == 1 else np.eye(z.shape[1])[labels]


def _list_labels(labels: Labels, y: Array, A: Array) -> dict[str, Array]:
    """What may stand in the place of y."""
    K = y.shape[1]
    others = {
        "1 − y": 1 - y,
        "2·y − 1 (labels −1 and 1)": 2 * y - 1,
        "the y of the images in reversed order": y[::-1],
        "the y of the image before": np.roll(y, 1, axis=0),
        "the y of the image after": np.roll(y, -1, axis=0),
        "the y of the first image for every one": np.broadcast_to(y[:1], y.shape),
        "the y of the last image for every one": np.broadcast_to(y[-1:], y.shape),
        "the y of all images averaged": np.broadcast_to(y.mean(axis=0), y.shape),
        "the y of all images summed": np.broadcast_to(y.sum(axis=0), y.shape),
        "the labels sorted": encode(np.sort(labels), y),
        "the labels numbered anew (np.unique)": encode(np.unique(labels, return_inverse=True)[1], y),
        "the labels less the smallest of them": encode(labels - labels.min(), y),
        "y in the first image alone (0 in the others)": np.where(np.arange(len(y))[:, None] == 0, y, 0),
        "y in the last image alone (0 in the others)": np.where(np.arange(len(y))[:, None] == len(y) - 1, y, 0),
    }
    if K == 1:
        return others
    return others | {
        "the classes of all images (A[:, y] −= 1 in the place of A[i, y[i]] −= 1)": np.broadcast_to(
            y.any(axis=0), y.shape
        ),
        "the class before": np.roll(y, -1, axis=1),
        "the class after": np.roll(y, 1, axis=1),
        "the outputs of y in reversed order": y[:, ::-1],
        "the class of the largest output": (A.argmax(axis=1)[:, None] == np.arange(K)) * 1.0,
        "the classes of all images in the first one alone": np.where(
            np.arange(len(y))[:, None] == 0, y.any(axis=0), 0.0
        ),
        "the class number y itself": np.broadcast_to(labels[:, None].astype(float), y.shape),
        "1 at A[y], the images of these numbers,": _mark_rows(labels, y),
        "one-hot y reshaped from (output, image) to (image, output)": y.T.reshape(y.shape),
    }


def _list_jacobian_with_epsilon(name: str, A: Array, y: Array) -> Iterator[tuple[str, Array]]:
    """−y/(A + ε) times the Jacobian of the output."""
    for e in EPSILONS.values():
        g = -y / (A + e)
        words = f"−y/({name} + ε), with ε = {e:.0e}, times the Jacobian of the output"
        yield words, A * (g - (g * A).sum(axis=1, keepdims=True))


def _mark_rows(labels: Labels, y: Array) -> Array:
    rows = np.zeros_like(y)
    rows[labels[labels < len(y)]] = 1
    return rows


def _list_outputs(step: OutputStep, z: Array, A: Array, y: Array) -> dict[str, Array]:
    """What may stand in the place of A."""
    e = np.exp(np.minimum(z, OVERFLOW))
    return {
        "tanh(z)": np.tanh(z),
        "(1 + tanh(z))/2": (1 + np.tanh(z)) / 2,
        "z": z,
        "max(z, 0)": np.maximum(z, 0),
        "e^z": e,
        "0 or 1, whichever is nearer,": np.round(A),
        "1 for the largest output, else 0,": (A.max(axis=1, keepdims=True) == A) * 1.0,
        f"log {step.output.name}": np.log(A),
        "that of −z": step.forward(-z),
        "that of 2·z": step.forward(2 * z),
        "that of z/2": step.forward(z / 2),
        "that of 10·z": step.forward(10 * z),
        "that of z/10": step.forward(z / 10),
        "that of A itself (applied twice)": step.forward(A),
        "σ(z) of each output": e / (1 + e),
        "that of |z|": step.forward(np.abs(z)),
        "that of −|z|": step.forward(-np.abs(z)),
        "that of z·ln 2 (2^z for e^z)": step.forward(z * np.log(2)),
        "that of z·ln 10 (10^z for e^z)": step.forward(z * np.log(10)),
        "that of z of the image before": step.forward(np.roll(z, 1, axis=0)),
        "A of the image before": np.roll(A, 1, axis=0),
        "A of the first image for every one": np.broadcast_to(A[:1], A.shape),
        "A averaged over the images": np.broadcast_to(A.mean(axis=0), A.shape),
        **dict(_list_quotients(z, y) if z.shape[1] > 1 else ()),
        **list_overflowing(z),
    }


def list_overflowing(z: Array) -> dict[str, Array]:
    """A right A, as long as no power of e overflows on the way."""
    if z.shape[1] == 1:
        e, inverse = np.exp(z), np.exp(-z)
        return {
            "e^z/(1 + e^z), where e^z overflows from z = 710 on,": e / (1 + e),
            "1 − e^(−z)/(1 + e^(−z)), where e^(−z) overflows up to z = −710,": 1 - inverse / (1 + inverse),
        }
    return {
        f"e^{power}/Σ e^{power}, {words},": _divide(np.exp(z - shift), 1)
        for power, words, shift in (
            ("z", "which is ∞/∞ from a z of 710 on, and 0/0 where all of an image are below −745", 0.0),
            (
                "(z − the largest of the batch)",
                "which is 0/0 where all z of an image are 745 or more below the largest of the batch",
                z.max(),
            ),
            (
                "(z − the largest of its output)",
                "which is 0/0 or ∞/∞ where those of an image are far from the largest of the batch",
                z.max(axis=0, keepdims=True),
            ),
            (
                "(z − the smallest of its image)",
                "which is ∞/∞ where an image's largest z is 710 or more above its smallest",
                z.min(axis=1, keepdims=True),
            ),
            (
                "(z − the mean of its image)",
                "which is ∞/∞ where a z is 710 or more above that",
                z.mean(axis=1, keepdims=True),
            ),
            ("(z − the mean of the batch)", "which is ∞/∞ where a z is 710 or more above that", z.mean()),
        )
    }


def _list_quotients(z: Array, y: Array) -> Iterator[tuple[str, Array]]:
    """e^(z − c)/Σ e^(z − c) with every c and every Σ."""
    largest = {axis: z.max(axis=axis, keepdims=True) for axis in (0, 1, None)}
    e = np.exp(z - largest[1])
    whole = e.sum(axis=1, keepdims=True)
    sums = {
        "the outputs without the last class": whole - e[:, -1:],
        "the outputs without the first class": whole - e[:, :1],
        "the other outputs": whole - e,
        "the outputs without that of y": whole - (e * y).sum(axis=1, keepdims=True),
    }
    yield from ((f"e^z, divided by its sum over {over},", e / total) for over, total in sums.items())
    yield "e^z, divided by its mean over the outputs,", e / whole * z.shape[1]
    yield "e^z, divided by its largest over the outputs,", e
    yield "e^z, divided by its length over the outputs,", e / np.sqrt((e**2).sum(axis=1, keepdims=True))
    less = "e^(z − the largest of its {})"
    yield "e^z, divided by its sum over the images,", _divide(np.exp(z - largest[0]), 0)
    yield f"{less.format('image')}, divided by its sum over the images,", _divide(e, 0)
    yield "e^z, divided by its sum over images and outputs,", _divide(np.exp(z - largest[None]), None)
    yield f"{less.format('image')}, divided by its sum over images and outputs,", _divide(e, None)
    yield f"{less.format('image')}, divided by its sum over the outputs and 1,", e / (whole + 1)
    big = np.exp(np.minimum(z, OVERFLOW))
    yield "e^z, divided by its sum over the outputs and 1,", big / (big.sum(axis=1, keepdims=True) + 1)


def _divide(e: Array, axis: int | None) -> Array:
    quotient: Array = e / e.sum(axis=axis, keepdims=True)
    return quotient
