"""Thirty functions with right backward passes, and three mistakes in each as people make them."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from cnncli.network.arrays import Array

Vjp = Callable[..., Any]


class Written(NamedTuple):
    """A function, its backward pass, three wrong ones, and inputs."""

    name: str
    f: Callable[..., Array]
    right: Vjp
    wrong: tuple[Vjp, Vjp, Vjp]
    inputs: tuple[Array, ...]


def all_functions() -> Iterator[Written]:
    """Elementwise, reductions, linear algebra, convolutions, pooling, normalisations, attention, losses."""
    yield from _elementwise()
    yield from _reductions()
    yield from _linear_algebra()
    yield from _convolutions()
    yield from _normalisations()
    yield from _losses()


def _draw(*shape: int, seed: int = 0) -> Array:
    values: Array = np.random.default_rng([seed, *shape]).normal(size=shape)
    return values


def _sigmoid(x: Array) -> Array:
    y: Array = 1 / (1 + np.exp(-x))
    return y


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True).real)
    y: Array = e / e.sum(axis=-1, keepdims=True)
    return y


def _pointwise(name: str, f: Any, slope: Any, wrong: tuple[Any, Any, Any], x: Array) -> Written:
    def back(derivative: Any) -> Vjp:
        return lambda x, g: g * derivative(x)

    return Written(name, f, back(slope), tuple(map(back, wrong)), (x,))  # type: ignore[arg-type]


def _elementwise() -> Iterator[Written]:
    x = _draw(4, 5)
    yield _pointwise("sin", np.sin, np.cos, (lambda x: -np.cos(x), np.sin, lambda x: np.cos(x) * (1 + 1e-4)), x)
    yield _pointwise("exp", np.exp, np.exp, (lambda x: x * np.exp(x - 1), lambda x: 1 + 0 * x, lambda x: -np.exp(x)), x)
    s = _sigmoid
    slopes = (lambda x: s(x), lambda x: x * (1 - x), lambda x: s(x) * (1 + s(x)))
    yield _pointwise("sigmoid", s, lambda x: s(x) * (1 - s(x)), slopes, x)
    tanh = (lambda x: 1 - np.tanh(x), lambda x: 1 - x**2, lambda x: 1 + np.tanh(x) ** 2)
    yield _pointwise("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, tanh, x)
    relu = (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x < 0), lambda x: 1.0 * (x > -0.5))
    yield _pointwise("relu", lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0), relu, x)
    leaky = (lambda x: np.where(x > 0, 1, -0.01), lambda x: 1.0 * (x > 0), lambda x: np.where(x > 0, 1, 0.1))
    yield _pointwise("leaky relu", lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1, 0.01), leaky, x)
    plus = (lambda x: s(-x), lambda x: s(x) * (1 - s(x)), lambda x: np.log1p(np.exp(x)))
    yield _pointwise("softplus", lambda x: np.log1p(np.exp(x)), s, plus, x)
    c = np.sqrt(2 / np.pi)

    def inner(x: Array) -> Array:
        value: Array = np.tanh(c * (x + 0.044715 * x**3))
        return value

    def gelu_slope(x: Array, k: float = 3 * 0.044715) -> Array:
        value: Array = 0.5 * (1 + inner(x)) + 0.5 * x * (1 - inner(x) ** 2) * c * (1 + k * x**2)
        return value

    gelu = (lambda x: gelu_slope(x, 0.044715), lambda x: 0.5 * (1 + inner(x)), lambda x: gelu_slope(x, 0))
    yield _pointwise("gelu", lambda x: 0.5 * x * (1 + inner(x)), gelu_slope, gelu, x)
    cube = (lambda x: 2 * x**2, lambda x: 3 * x**3, lambda x: 3 * abs(x) * x)
    yield _pointwise("cube", lambda x: x**3, lambda x: 3 * x**2, cube, x)
    absolute = (lambda x: 1 + 0 * x, lambda x: x, lambda x: -np.sign(x))
    yield _pointwise("abs", np.abs, np.sign, absolute, x)


def _reductions() -> Iterator[Written]:
    x = _draw(4, 6, seed=1)
    ones = np.ones((4, 6))
    yield Written(
        "sum over an axis",
        lambda x: x.sum(axis=1),
        lambda x, g: g[:, None] * ones,
        (lambda x, g: g[:, None] * ones / 6, lambda x, g: np.resize(g, (4, 6)), lambda x, g: g.sum() * ones),
        (x,),
    )
    yield Written(
        "mean",
        lambda x: x.mean(axis=0),
        lambda x, g: g * ones / 4,
        (lambda x, g: g * ones, lambda x, g: g * ones / 6, lambda x, g: g * ones / 24),
        (x,),
    )

    def of_max(x: Array, g: Array) -> Array:
        return np.where(np.arange(6) == x.argmax(axis=1)[:, None], g[:, None], 0)

    yield Written(
        "max over an axis",
        lambda x: x.max(axis=1),
        of_max,
        (
            lambda x, g: np.where(np.arange(6) == x.argmin(axis=1)[:, None], g[:, None], 0),
            lambda x, g: np.where(x > 0.9 * x.max(axis=1, keepdims=True), g[:, None], 0) + 0.1 * ones,
            lambda x, g: np.where(x == x.max(), g[:, None], 0),
        ),
        (x,),
    )
    yield Written(
        "logsumexp",
        lambda x: np.log(np.exp(x).sum(axis=1)),
        lambda x, g: g[:, None] * _softmax(x),
        (
            lambda x, g: g[:, None] * np.exp(x),
            lambda x, g: g[:, None] * _softmax(x.T).T,
            lambda x, g: g[:, None] * _softmax(2 * x),
        ),
        (x,),
    )
    yield Written(
        "norm",
        lambda x: np.sqrt((x**2).sum()),
        lambda x, g: g * x / np.sqrt((x**2).sum()),
        (lambda x, g: g * 2 * x, lambda x, g: g * x, lambda x, g: g * x / (x**2).sum()),
        (x,),
    )
    yield Written(
        "cumsum",
        lambda x: x.cumsum(axis=1),
        lambda x, g: g[:, ::-1].cumsum(axis=1)[:, ::-1],
        (lambda x, g: g.cumsum(axis=1), lambda x, g: g, lambda x, g: g[::-1].cumsum(axis=0)[::-1]),
        (x,),
    )
    yield Written(
        "prod",
        lambda x: x.prod(axis=1),
        lambda x, g: (g * x.prod(axis=1))[:, None] / x,
        (
            lambda x, g: (g * x.prod(axis=1))[:, None] * ones,
            lambda x, g: (g * x.prod(axis=1))[:, None] * x,
            lambda x, g: (g * x.prod())[:, None] / x,
        ),
        (x,),
    )


def _linear_algebra() -> Iterator[Written]:
    a, b, square = _draw(4, 5, seed=2), _draw(5, 3, seed=3), _draw(4, 4, seed=4) + 4 * np.eye(4)
    yield Written(
        "matmul",
        lambda a, b: a @ b,
        lambda a, b, g: (g @ b.T, a.T @ g),
        (
            lambda a, b, g: (g @ b.T, (a.T @ g) / len(a)),
            lambda a, b, g: (np.abs(g) @ b.T * 0 + g @ np.roll(b.T, 1, 0), a.T @ g),
            lambda a, b, g: (g @ b.T, a[:1].T @ g[:1]),
        ),
        (a, b),
    )

    def of_inverse(x: Array, g: Array) -> Array:
        y = np.linalg.inv(x)
        return -y.T @ g @ y.T

    inv = np.linalg.inv
    yield Written(
        "inverse",
        inv,
        of_inverse,
        (
            lambda x, g: -of_inverse(x, g),
            lambda x, g: -inv(x) @ g @ inv(x),
            lambda x, g: -inv(x).T @ g.T @ inv(x).T,
        ),
        (square,),
    )
    yield Written(
        "logdet",
        lambda x: np.log(np.linalg.det(x)),
        lambda x, g: g * inv(x).T,
        (lambda x, g: g * inv(x), lambda x, g: g * np.linalg.det(x) * inv(x).T, lambda x, g: g / x),
        (square,),
    )
    v = _draw(4, seed=5)

    def of_solve(x: Array, v: Array, g: Array) -> tuple[Array, Array]:
        w = np.linalg.solve(x.T, g)
        return -np.outer(w, np.linalg.solve(x, v)), w

    yield Written(
        "solve",
        np.linalg.solve,
        of_solve,
        (
            lambda x, v, g: (of_solve(x, v, g)[0].T, of_solve(x, v, g)[1]),
            lambda x, v, g: (-of_solve(x, v, g)[0], of_solve(x, v, g)[1]),
            lambda x, v, g: (of_solve(x, v, g)[0], np.linalg.solve(x, g)),
        ),
        (square, v),
    )
    yield Written(
        "quadratic form",
        lambda x, v: v @ x @ v,
        lambda x, v, g: (g * np.outer(v, v), g * (x + x.T) @ v),
        (
            lambda x, v, g: (g * np.outer(v, v), g * 2 * x @ v),
            lambda x, v, g: (g * np.outer(v, v), g * x @ v),
            lambda x, v, g: (g * np.diag(v**2), g * (x + x.T) @ v),
        ),
        (square, v),
    )


def _patches(X: Array, k: int, stride: int, pad: int) -> Array:
    X = np.pad(X, ((0, 0), (pad, pad), (pad, pad)))
    view = np.lib.stride_tricks.sliding_window_view(X, (k, k), axis=(1, 2))
    patches: Array = view[:, ::stride, ::stride]  # (C, h, w, k, k)
    return patches


def _convolve(stride: int, pad: int) -> tuple[Any, Any]:
    def f(X: Array, w: Array) -> Array:
        Z: Array = np.einsum("chwuv,ncuv->nhw", _patches(X, w.shape[2], stride, pad), w)
        return Z

    def back(X: Array, w: Array, g: Array, *, shift: int = 0, add: bool = True) -> tuple[Array, Array]:
        C, H, W = X.shape
        k = w.shape[2]
        dX = np.zeros((C, H + 2 * pad, W + 2 * pad))
        for i, j in np.ndindex(*g.shape[1:]):
            part = np.einsum("n,ncuv->cuv", g[:, i, j], w)
            place = (slice(None), slice(stride * i, stride * i + k), slice(stride * j, stride * j + k))
            dX[place] = dX[place] + part if add else part
        cut = pad + shift
        return dX[:, cut : cut + H, cut : cut + W], np.einsum("nhw,chwuv->ncuv", g, _patches(X, k, stride, pad))

    return f, back


def _convolutions() -> Iterator[Written]:
    X, w = _draw(2, 6, 6, seed=6), _draw(3, 2, 3, 3, seed=7)
    for name, stride, pad in (("convolution", 1, 0), ("convolution, stride 2, padding 1", 2, 1)):
        f, back = _convolve(stride, pad)
        yield Written(
            name,
            f,
            back,
            (
                lambda X, w, g, back=back: (back(X, w, g)[0], back(X, w, g)[1][:, :, ::-1, ::-1]),
                lambda X, w, g, back=back: (back(X, w[:, :, ::-1, ::-1], g)[0], back(X, w, g)[1]),
                lambda X, w, g, back=back: back(X, w, g, add=False),
            ),
            (X, w),
        )

    def windows(X: Array) -> Array:
        parts: Array = X.reshape(2, 3, 2, 3, 2).swapaxes(2, 3).reshape(2, 3, 3, 4)
        return parts

    def back_to(parts: Array) -> Array:
        X: Array = parts.reshape(2, 3, 3, 2, 2).swapaxes(2, 3).reshape(2, 6, 6)
        return X

    def winners(X: Array, g: Array) -> Array:
        return back_to(np.where(np.arange(4) == windows(X).argmax(axis=-1)[..., None], g[..., None], 0))

    yield Written(
        "max pooling",
        lambda X: windows(X).max(axis=-1),
        winners,
        (
            lambda X, g: back_to(np.repeat(g[..., None], 4, axis=-1)),
            lambda X, g: back_to(np.repeat(g[..., None] / 4, 4, axis=-1)),
            lambda X, g: winners(X.swapaxes(1, 2), g.swapaxes(1, 2)).swapaxes(1, 2)[:, ::-1],
        ),
        (X,),
    )
    flat = np.round(_draw(2, 6, 6, seed=8))
    yield Written(
        "max pooling with ties",
        lambda X: windows(X).max(axis=-1),
        winners,
        (
            lambda X, g: back_to((windows(X) == windows(X).max(axis=-1, keepdims=True)) * g[..., None]),
            lambda X, g: 2 * winners(X, g),
            lambda X, g: winners(X, g)[:, ::-1],
        ),
        (flat,),
    )
    yield Written(
        "average pooling",
        lambda X: windows(X).mean(axis=-1),
        lambda X, g: back_to(np.repeat(g[..., None] / 4, 4, axis=-1)),
        (
            lambda X, g: back_to(np.repeat(g[..., None], 4, axis=-1)),
            lambda X, g: winners(X, g),
            lambda X, g: back_to(np.repeat(g[..., None] / 2, 4, axis=-1)),
        ),
        (X,),
    )


def _normalisations() -> Iterator[Written]:
    x, gamma = _draw(5, 7, seed=9), _draw(7, seed=10)

    def normalise(x: Array, axis: int) -> tuple[Array, Array]:
        centred = x - x.mean(axis=axis, keepdims=True)
        s = np.sqrt((centred**2).mean(axis=axis, keepdims=True) + 1e-5)
        return centred / s, s

    def make(axis: int) -> tuple[Any, Any]:
        def f(x: Array, gamma: Array) -> Array:
            return normalise(x, axis)[0] * gamma

        def back(x: Array, gamma: Array, g: Array, *, mean: bool = True, variance: bool = True) -> tuple[Array, Array]:
            y, s = normalise(x, axis)
            dy = g * gamma
            dx = dy - mean * dy.mean(axis=axis, keepdims=True) - variance * y * (dy * y).mean(axis=axis, keepdims=True)
            return dx / s, (g * y).sum(axis=0)

        return f, back

    for name, axis in (("layer normalisation", 1), ("batch normalisation", 0)):
        f, back = make(axis)
        yield Written(
            name,
            f,
            back,
            (
                lambda x, gamma, g, back=back: back(x, gamma, g, mean=False),
                lambda x, gamma, g, back=back: back(x, gamma, g, variance=False),
                lambda x, gamma, g, back=back: (back(x, gamma, g)[0], g.sum(axis=0)),
            ),
            (x, gamma),
        )
    yield Written(
        "softmax",
        _softmax,
        lambda x, g: _softmax(x) * (g - (g * _softmax(x)).sum(axis=1, keepdims=True)),
        (
            lambda x, g: _softmax(x) * (1 - _softmax(x)) * g,
            lambda x, g: _softmax(x) * (g - (g * _softmax(x)).sum()),
            lambda x, g: _softmax(x) * (g - g.sum(axis=1, keepdims=True)),
        ),
        (x,),
    )
    q, k, v = _draw(3, 4, seed=11), _draw(5, 4, seed=12), _draw(5, 2, seed=13)

    def attend(q: Array, k: Array, v: Array) -> Array:
        return _softmax(q @ k.T / 2) @ v

    def of_attend(q: Array, k: Array, v: Array, g: Array, *, scale: float = 0.5) -> tuple[Array, Array, Array]:
        A = _softmax(q @ k.T / 2)
        dA = g @ v.T
        dS = A * (dA - (dA * A).sum(axis=1, keepdims=True)) * scale
        return dS @ k, dS.T @ q, A.T @ g

    yield Written(
        "attention",
        attend,
        of_attend,
        (
            lambda q, k, v, g: of_attend(q, k, v, g, scale=1),
            lambda q, k, v, g: (*of_attend(q, k, v, g)[:2], _softmax((q @ k.T).T / 2) @ g),
            lambda q, k, v, g: (of_attend(q, k, v, g)[0], -of_attend(q, k, v, g)[1], of_attend(q, k, v, g)[2]),
        ),
        (q, k, v),
    )


def _losses() -> Iterator[Written]:
    z, y = _draw(6, 4, seed=14), np.array([0, 3, 1, 1, 2, 0])
    target = _draw(6, 4, seed=15)
    onehot = np.eye(4)[y]
    yield Written(
        "cross-entropy",
        lambda z: -np.log(_softmax(z)[np.arange(6), y]).mean(),
        lambda z, g: g * (_softmax(z) - onehot) / 6,
        (
            lambda z, g: g * (_softmax(z) - onehot),
            lambda z, g: g * (onehot - _softmax(z)) / 6,
            lambda z, g: g * (_softmax(z) - onehot) / 4,
        ),
        (z,),
    )
    yield Written(
        "mean squared error",
        lambda z: ((z - target) ** 2).mean(),
        lambda z, g: g * 2 * (z - target) / 24,
        (
            lambda z, g: g * (z - target) / 24,
            lambda z, g: g * 2 * (z - target) / 6,
            lambda z, g: g * 2 * (target - z) / 24,
        ),
        (z,),
    )
    s = _sigmoid
    t = (target > 0) * 1.0
    yield Written(
        "binary cross-entropy",
        lambda z: (np.log1p(np.exp(z)) - t * z).sum(),
        lambda z, g: g * (s(z) - t),
        (lambda z, g: g * (s(z) - t) * s(z) * (1 - s(z)), lambda z, g: g * (s(z) - t) / 6, lambda z, g: g * s(z)),
        (z,),
    )
    yield Written(
        "huber loss",
        lambda z: np.where(np.abs(z) < 1, z**2 / 2, np.abs(z) - 0.5).sum(axis=1),
        lambda z, g: g[:, None] * np.clip(z, -1, 1),
        (
            lambda z, g: g[:, None] * z,
            lambda z, g: g[:, None] * np.sign(z),
            lambda z, g: g[:, None] * np.clip(z, 0, 1),
        ),
        (z,),
    )
