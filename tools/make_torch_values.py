"""Make tests/tracing/torch_values.json: every value and derivative of small networks, from PyTorch's autograd.

    pip install torch numpy
    python tools/make_torch_values.py

The tests hold the JSON of `cnncli trace` against this file, so they need no PyTorch. Nothing here imports cnncli: the
network is written once more in PyTorch's own functions, in float64. Random networks of 1 to 3 blocks, gray and RGB, 2
and 10 classes, with padding, stride, dilation, average and overlapping pooling, and one of small integers whose windows
are full of ties between equal positive numbers.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found, unused-ignore]
import torch.nn.functional as F  # type: ignore[import-not-found, unused-ignore]  # noqa: N812

TARGET = Path(__file__).parent.parent / "tests" / "tracing" / "torch_values.json"
SIZES = {1: (6, 7), 2: (8, 7), 3: (15, 15)}  # the image, by blocks: kernels and windows are 2×2
OPTIONS = ("padding", "pooling", "stride", "dilation", "pool_stride")
FILTERS = {1: (2,), 2: (2, 2), 3: (1, 2, 1)}
STRIDES: list[dict[str, Any]] = [
    {"padding": 1, "stride": 2},
    {"padding": 2, "stride": 3, "dilation": 2},
    {"dilation": 3},
    {"pool_stride": 1},
    {"pool_stride": 3},
    {"pool_stride": 1, "pooling": "average", "stride": 2},
]


def main() -> None:
    """Write the file."""
    networks = []
    for seed, (blocks, channels, classes) in enumerate(product((1, 2, 3), (1, 3), (2, 10))):
        name = f"{blocks} blocks, {channels} channels, {classes} classes"
        networks.append(describe_network(name, random_network(np.random.default_rng(seed), blocks, channels, classes)))
    networks.append(describe_network("ties", tied_network()))
    for seed, (blocks, padding, pooling) in enumerate(product((1, 3), (0, 1, 2), ("max", "average")), 100):
        if (padding, pooling) == (0, "max"):
            continue
        network = random_network(np.random.default_rng(seed), blocks, 1, 3, padding) | {"pooling": pooling}
        networks.append(describe_network(f"{blocks} blocks, padding {padding}, {pooling} pooling", network))
    for seed, options in enumerate(STRIDES, 200):
        network = random_network(np.random.default_rng(seed), 1, 2, 3, **options)
        networks.append(describe_network(", ".join(f"{name} {value}" for name, value in options.items()), network))
    TARGET.write_text(json.dumps({"torch": torch.__version__, "networks": networks}, separators=(",", ":")) + "\n")


def random_network(
    random: np.random.Generator, blocks: int, channels: int, classes: int, padding: int = 0, **options: Any
) -> dict[str, Any]:
    """X, y and the parameters of a network, all drawn at random."""
    (height, width), filters = SIZES[blocks], FILTERS[blocks]
    network = {"X": random.normal(size=(channels, height, width)).round(2), "y": int(random.integers(classes))}
    parameters: dict[str, Any] = {}
    for i, N in enumerate(filters, 1):
        parameters |= {
            f"w{i}": random.normal(size=(N, channels, 2, 2)).round(2),
            f"b{i}": random.normal(0.5, 0.3, size=N),
        }
        channels = N
        height, width = (pooled(convolved(side, padding, **options), **options) for side in (height, width))
    outputs = 1 if classes == 2 else classes
    last = blocks + 1
    parameters[f"w{last}"] = random.normal(size=(outputs, channels * height * width))
    parameters[f"b{last}"] = random.normal(size=outputs)
    return network | {"parameters": parameters, "padding": padding} | options


def convolved(side: int, padding: int, stride: int = 1, dilation: int = 1, **_: Any) -> int:
    """The rows of Z1 for those of the image, with a kernel of 2."""
    return (side + 2 * padding - dilation - 1) // stride + 1


def pooled(side: int, pool_stride: int = 2, **_: Any) -> int:
    """The rows of P1 for those of A1, with a window of 2."""
    return (side - 2) // pool_stride + 1


def tied_network() -> dict[str, Any]:
    """Small integers: whole windows of equal positive numbers."""
    X = np.array(
        [[[1.0, 1, 1, 1, 2, 0], [1, 1, 1, 1, 0, 2], [1, 1, 1, 1, 2, 0], [0, 2, 0, 2, 1, 1], [2, 0, 2, 0, 1, 1]]]
    )
    w1 = np.array([[[[1.0, 1], [1, 1]]], [[[1, -1], [0, 1]]]])
    parameters = {"w1": w1, "b1": np.array([1.0, 0]), "w2": np.arange(-3.0, 5).reshape(1, 8) / 8, "b2": np.array([0.1])}
    return {"X": X, "y": 1, "parameters": parameters}


def describe_network(name: str, network: dict[str, Any]) -> dict[str, Any]:
    """A network with its values, as lists."""
    parameters = {key: value.tolist() for key, value in network["parameters"].items()}
    values = {key: rounded(value) for key, value in torch_values(network).items()}
    options = {key: network[key] for key in OPTIONS if network.get(key)}
    given = {"name": name, "X": network["X"].tolist(), "y": network["y"], "parameters": parameters}
    return given | ({"options": options} if options else {}) | {"values": values}


def rounded(value: Any) -> Any:
    """Nested lists with 13 significant digits, a thousand times what the tests ask for."""
    return np.vectorize(lambda number: float(f"{number:.13g}"), otypes=[float])(value.numpy()).tolist()


def torch_values(network: dict[str, Any]) -> dict[str, Any]:
    """Every value of the forward pass, and every derivative as autograd has it."""
    leaves = {"X": torch.tensor(network["X"], requires_grad=True)}
    leaves |= {name: torch.tensor(value, requires_grad=True) for name, value in network["parameters"].items()}
    last = len(network["parameters"]) // 2
    values: dict[str, Any] = {}
    P, source = leaves["X"], "X"
    gates = {}
    for i in range(1, last):
        options = {name: network[name] for name in ("padding", "stride", "dilation") if name in network}
        Z = F.conv2d(P[None], leaves[f"w{i}"], leaves[f"b{i}"], **options)[0]
        A = F.relu(Z)
        (gates[f"dA{i}/dZ{i}"],) = torch.autograd.grad(A.sum(), Z, retain_graph=True)
        pool = F.avg_pool2d if network.get("pooling") == "average" else F.max_pool2d
        P, source = pool(A[None], 2, network.get("pool_stride", 2))[0], f"P{i}"
        values |= {f"Z{i}": Z, f"A{i}": A, source: P}
    values["F"] = P.flatten()
    z = leaves[f"w{last}"] @ values["F"] + leaves[f"b{last}"]
    outputs = len(z)
    A = torch.sigmoid(z) if outputs == 1 else F.softmax(z, dim=0)
    y = network["y"]
    L = -torch.log(A[0] if y == 1 else 1 - A[0]) if outputs == 1 else -torch.log(A[y])
    values |= {f"z{last}": z, f"A{last}": A, "L": L}
    followed = {name: value for name, value in (leaves | values).items() if name != "L"}
    gradients = torch.autograd.grad(L, list(followed.values()), retain_graph=True)
    answer = torch.sigmoid if outputs == 1 else lambda logits: F.softmax(logits, dim=0)
    jacobian = torch.func.jacrev(answer)(z.detach())
    w, b = leaves[f"w{last}"].detach(), leaves[f"b{last}"].detach()
    dz_dF = torch.func.jacrev(lambda flat: w @ flat + b)(values["F"].detach())
    return (
        {name: value.detach() for name, value in values.items()}
        | {f"dL/d{name}": gradient for name, gradient in zip(followed, gradients, strict=True)}
        | gates
        | {f"dA{last}/dz{last}": jacobian[0] if outputs == 1 else jacobian, f"dz{last}/dF": dz_dF}
    )


if __name__ == "__main__":
    main()
