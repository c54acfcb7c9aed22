"""z = w·F + b: the dense layer, and its three derivatives."""

from collections.abc import Iterator

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.products import Products
from cnncli.network.steps.step import LocalDerivative, Step
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Factor, Index, Made, Reader, Term, Values, product_of


class Dense(Step):
    """z[k] = Σ_d w[k,d]·F[d] + b[k]; F (D,), w (K, D), b (K,) → z (K,)."""

    kind = "dense"
    signature = "dense_backward(F, w2, dz2)"
    contract = "Three gradients from one; K may be more than 1 here."

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "Dense":
        """The dense layer."""
        K, (D,) = architecture.outputs, source.shape
        w, b = Tensor(f"w{block}", "weight", "KD", (K, D), block), Tensor(f"b{block}", "bias", "K", (K,), block)
        return cls(source, Tensor(f"z{block}", "value", "K", (K,), block), (w, b))

    @property
    def formula(self) -> str:
        """w2·F + b2."""
        w, b = self.parameters
        return f"{w.name}·{self.source.name} + {b.name}"

    @property
    def gradient_formulas(self) -> tuple[str, str, str]:
        """Of F, w and b."""
        dz = self.output.gradient.name
        return f"{self.parameters[0].name}ᵀ · {dz}", f"{dz} · {self.source.name}ᵀ", dz

    @property
    def description(self) -> str:
        """dense + bias."""
        return "dense + bias"

    @property
    def local_derivative(self) -> LocalDerivative:
        """dz/dF = w, (K, D)."""
        w, F = self.parameters[0], self.source

        def explain(place: Index, values: Values) -> Made:
            return Made("", [product_of((Factor.of(values, w.name, place),))], f"{F.name} is multiplied by {w.name}")

        return LocalDerivative(Tensor.derivative(self.output, F, like=w), w.name, lambda _F, w, _b: w, explain)

    def forward(self, source: Array, *parameters: Array) -> Array:
        """F (m, D), w (K, D), b (K,) → z (m, K)."""
        w, b = parameters
        return source @ w.T + b

    def backward(self, gradient: Array, source: Array, *parameters: Array) -> tuple[Array, Array, Array]:
        """From dL/dz to dL/dF = wᵀ·dL/dz, dL/dw = dL/dz·Fᵀ and dL/db = dL/dz, the last two summed over the images.

        dz (m, K), F (m, D), w (K, D) → dF as F, dw as w, db (K,).
        """
        return gradient @ parameters[0], gradient.T @ source, gradient.sum(axis=0)

    def products(self, gradient: Array, source: Array, *parameters: Array) -> tuple[Products, Products, Products]:
        """dz times w, dz times F, and dz."""
        w, b = parameters
        dz, w_name, F = self.output.gradient.name, self.parameters[0].name, self.source.name
        return (
            Products("mk,kd->md", (dz, w_name), (gradient, w), "md", source.shape),
            Products("mk,md->kd", (dz, F), (gradient, source), "kd", w.shape),
            Products("mk->k", (dz,), (gradient,), "k", b.shape),
        )

    def carry_strongest(self, gradient: Array, source: Array, *parameters: Array) -> Array:
        """The largest |w|·gradient over the outputs: (m, K) → (m, D)."""
        strongest: Array = (np.abs(parameters[0]) * gradient[:, :, None]).max(axis=1)
        return strongest

    def explain(self, place: Index, values: Values) -> Made:
        """The products of a row of w with F, and the bias."""
        (k,) = place
        F, (w, b) = self.source.name, self.parameters
        bias = Factor.of(values, b.name, (k,))
        terms = [product_of((Factor.of(values, w.name, (k, d)), Factor.of(values, F, (d,)))) for d in range(w.shape[1])]
        return Made(f"Σ_d {w.name}[{k},d]·{F}[d] + {bias.label}", [*terms, product_of((bias,))])

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """Of F all outputs, of w and b the one of their row."""
        F, w = self.source, self.parameters[0]
        if name == F.name:
            for k in range(w.shape[0]):
                factor = Factor.of(values, w.name, (k, *place))
                yield Reader((k,), factor.value, factor.label, factor, factor_first=True)
        elif name == w.name:
            factor = Factor.of(values, F.name, place[1:])
            yield Reader(place[:1], factor.value, factor.label, factor)
        else:
            yield Reader(place, 1.0, "a bias is added")

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """The sum over the outputs for F, one product for w, the gradient itself for b."""
        z, F, (w, b) = self.output, self.source.name, self.parameters
        if name == F and len(terms) > 1:
            return Made(f"Σ_k {w.name}[k,{place[0]}]·{z.gradient.name}[k]", terms)
        return Made("", terms, f"d{z.name}/d{b.name} = 1" if name == b.name else "")
