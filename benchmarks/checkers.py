"""Gradient checkers side by side, on thirty and more functions, right and with three planted mistakes each.

    python -m benchmarks.checkers

Each checker gets the same NumPy functions, wrapped as it wants them, with the tolerances that it comes with. scipy's
check_grad gives a number and no verdict: here it must not exceed 1e-5 of the gradient's norm.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import markdown
from cnncli import check_vjp
from cnncli.network.arrays import Array
from tests.vjp.functions import Vjp, Written, all_functions

Checker = Callable[[Written, Vjp], str]


def as_tuple(answer: Any) -> tuple[Array, ...]:
    """One gradient, or several."""
    return tuple(answer) if isinstance(answer, tuple | list) else (answer,)


def by_cnncli(written: Written, vjp: Vjp) -> str:
    """cnncli.check_vjp."""
    return check_vjp(written.f, vjp, *written.inputs).verdict


def by_torch(written: Written, vjp: Vjp) -> str:
    """torch.autograd.gradcheck of a torch.autograd.Function."""
    import torch

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            ctx.save_for_backward(*inputs)
            return torch.from_numpy(np.asarray(written.f(*(x.detach().numpy() for x in inputs))))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            answer = vjp(*(x.detach().numpy() for x in ctx.saved_tensors), g.numpy())
            gradients = tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in as_tuple(answer))
            return gradients if len(gradients) > 1 else gradients[0]

    inputs = [torch.tensor(x, requires_grad=True) for x in written.inputs]
    return "PASS" if torch.autograd.gradcheck(Wrapped.apply, inputs, raise_exception=False) else "FAIL"


def by_jax(written: Written, vjp: Vjp) -> str:
    """jax.test_util.check_grads of a jax.custom_vjp."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in written.inputs]
    out = np.asarray(written.f(*written.inputs))

    def call(*inputs: Any) -> Any:
        given = lambda *x: np.asarray(written.f(*map(np.asarray, x)))  # noqa: E731
        return jax.pure_callback(given, jax.ShapeDtypeStruct(out.shape, out.dtype), *inputs)

    def back(inputs: Any, g: Any) -> Any:
        given = lambda *x: as_tuple(vjp(*map(np.asarray, x)))  # noqa: E731
        return jax.pure_callback(given, tuple(shapes), *inputs, g)

    f = jax.custom_vjp(call)
    f.defvjp(lambda *inputs: (call(*inputs), inputs), back)
    try:
        check_grads(f, written.inputs, order=1, modes=["rev"])
    except AssertionError:
        return "FAIL"
    return "PASS"


def by_scipy(written: Written, vjp: Vjp) -> str:
    """scipy.optimize.check_grad of Σ g·f."""
    from scipy.optimize import check_grad

    sizes = np.cumsum([x.size for x in written.inputs])[:-1]
    g = np.asarray(np.random.default_rng(0).normal(size=np.shape(written.f(*written.inputs))))

    def unpack(flat: Array) -> list[Array]:
        parts = np.split(flat, sizes)
        return [part.reshape(x.shape) for part, x in zip(parts, written.inputs, strict=True)]

    def gradient(flat: Array) -> Array:
        return np.concatenate([np.ravel(part) for part in as_tuple(vjp(*unpack(flat), g))])

    start = np.concatenate([x.ravel() for x in written.inputs])
    error = check_grad(lambda flat: float((g * written.f(*unpack(flat))).sum()), gradient, start)
    return "PASS" if error <= 1e-5 * max(1.0, float(np.linalg.norm(gradient(start)))) else "FAIL"


CHECKERS: dict[str, Checker] = {
    "cnncli.check_vjp": by_cnncli,
    "torch.autograd.gradcheck": by_torch,
    "jax.test_util.check_grads": by_jax,
    "scipy.optimize.check_grad": by_scipy,
}


def run_checker(check: Checker, functions: list[Written]) -> tuple[Counter[str], list[str]]:
    """The counts, and what was missed or accused."""
    counts: Counter[str] = Counter()
    names = []
    for written in functions:
        verdict = check(written, written.right)
        counts[f"right {verdict}"] += 1
        if verdict != "PASS":
            names.append(f"{written.name}, right: {verdict}")
        for number, wrong in enumerate(written.wrong):
            found = check(written, wrong)
            counts["found"] += found == "FAIL"
            if found != "FAIL":
                names.append(f"{written.name}, mistake {number}: {found}")
    return counts, names


def main() -> None:
    """Print a table, and what each checker missed or accused."""
    functions = list(all_functions())
    rows, notes = [], []
    for name, check in CHECKERS.items():
        try:
            check(functions[0], functions[0].right)  # its imports take no part in the time
        except ImportError:
            notes.append(f"{name} is not installed")
            continue
        started = time.process_time()
        counts, missed = run_checker(check, functions)
        seconds = time.process_time() - started
        right = f"{counts['right PASS']} / {counts['right CANNOT TELL']} / {counts['right FAIL']}"
        rows.append((name, right, f"{counts['found']} of {3 * len(functions)}", f"{seconds:.1f} s"))
        notes += [f"{name}: {line}" for line in missed]
    table = markdown(("checker", "right: PASS / CANNOT TELL / FAIL", "mistakes found", "computing"), rows)
    sys.stdout.write(f"{len(functions)} functions\n{table}\n" + "".join(f"{note}\n" for note in notes))


if __name__ == "__main__":
    main()
