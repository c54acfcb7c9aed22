"""The few lines of docs/adopting.md that hand a framework's arrays over, where it is installed."""

import ctypes
import doctest
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli import check_gradient, check_vjp
from cnncli.network.arrays import Array
from tests.conftest import ROOT

x = np.random.default_rng(2).normal(size=(3, 4))


def test_torch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def make(factor: float) -> Any:
        class Square(torch.autograd.Function):  # type: ignore[name-defined,misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x**2

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                (x,) = ctx.saved_tensors
                return factor * x * g

        return Square.apply

    def verdict(layer: Any) -> str:
        def f(*x: Array) -> Any:
            return layer(*map(torch.from_numpy, x)).detach().numpy()

        def vjp(*x_and_g: Array) -> Any:
            *x, g = (torch.from_numpy(a) for a in x_and_g)
            x = [a.requires_grad_() for a in x]
            return tuple(a.numpy() for a in torch.autograd.grad(layer(*x), x, g))

        return check_vjp(f, vjp, x).verdict

    assert verdict(make(2.0)) == "PASS"
    assert verdict(make(2.1)) == "FAIL"
    assert verdict(torch.nn.Linear(4, 2).double()) == "PASS"


def test_jax() -> None:
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    jax.config.update("jax_enable_x64", True)

    def verdict(factor: float) -> str:
        square = jax.custom_vjp(lambda x: x**2)
        square.defvjp(lambda x: (x**2, x), lambda x, g: (factor * x * g,))

        def f(*x: Array) -> Array:
            return np.asarray(square(*x))

        def vjp(*x_and_g: Array) -> Any:
            *x, g = x_and_g
            return tuple(map(np.asarray, jax.vjp(square, *x)[1](g)))

        return check_vjp(f, vjp, x).verdict

    assert verdict(2.0) == "PASS"
    assert verdict(2.1) == "FAIL"


def test_ctypes(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    source = tmp_path / "mine.c"
    source.write_text(
        "double f(const double *x, int n) { double s = 0; for (int i = 0; i < n; i++) s += x[i] * x[i]; return s; }\n"
        "void gradient(const double *x, int n, double *dx) { for (int i = 0; i < n; i++) dx[i] = 2 * x[i]; }\n"
    )
    subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / "mine.so", source], check=True)
    library = ctypes.CDLL(str(tmp_path / "mine.so"))
    library.f.restype = ctypes.c_double
    pointer = ctypes.POINTER(ctypes.c_double)

    def f(x: Array) -> Any:
        return library.f(x.ctypes.data_as(pointer), x.size)

    def gradient(x: Array) -> Array:
        dx = np.empty_like(x)
        library.gradient(x.ctypes.data_as(pointer), x.size, dx.ctypes.data_as(pointer))
        return dx

    assert check_gradient(f, gradient, x).verdict == "PASS"
    assert check_gradient(f, lambda x: 3 * x, x).verdict == "FAIL"


def test_the_page_is_true() -> None:
    text = (ROOT / "docs" / "adopting.md").read_text(encoding="utf-8")
    page = doctest.DocTestParser().get_doctest(
        text.replace("```python\n", "\n").replace("```\n", "\n"), {}, "adopting.md", "adopting.md", 0
    )
    results = doctest.DocTestRunner(verbose=False).run(page)
    assert results.attempted > 5
    assert results.failed == 0
