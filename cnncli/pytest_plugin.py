"""A pytest plugin, found by its entry point: the fixture `gradcheck` and the marker of its options.

    def test_my_layer(gradcheck):
        gradcheck(forward, backward, x, w)

Loading it imports nothing but pytest; NumPy comes with the first check.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cnncli.vjp.result import VjpCheck

OPTIONS = {"seed", "strict"}
MARKER = "gradcheck(seed=0, strict=False): options of the fixture gradcheck; strict: a gradient on a kink fails too"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@dataclass(frozen=True)
class GradcheckFixture:
    """Checks that raise AssertionError, with index, got, want, ratio, diagnosis and the case in its message."""

    seed: int = 0
    strict: bool = False

    def __call__(self, f: Callable[..., Any], vjp: Callable[..., Any], *inputs: Any) -> "VjpCheck":
        """Assert that vjp(*inputs, g) is right; see cnncli.check_vjp."""
        __tracebackhide__ = True
        from cnncli.vjp.check import check_vjp

        return self._judge(check_vjp(f, vjp, *inputs, seed=self.seed))

    def scalar(self, f: Callable[..., Any], gradient: Callable[..., Any], *inputs: Any) -> "VjpCheck":
        """Assert that gradient(*inputs) is right for a function that returns one number."""
        __tracebackhide__ = True
        from cnncli.vjp.check import check_gradient

        return self._judge(check_gradient(f, gradient, *inputs, seed=self.seed))

    def _judge(self, found: "VjpCheck") -> "VjpCheck":
        __tracebackhide__ = True
        if found.fails(strict=self.strict):
            raise AssertionError(str(found))
        return found


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> GradcheckFixture:
    """Call it with (f, vjp, *inputs), or .scalar with (f, gradient, *inputs); a gradient on a kink passes."""
    marker = request.node.get_closest_marker("gradcheck")
    options = dict(marker.kwargs) if marker else {}
    if marker and (marker.args or not {*options} <= OPTIONS):
        given = ", ".join([*map(repr, marker.args), *options])
        pytest.fail(f"the marker gradcheck is given {given}: its options are seed=0 and strict=False", pytrace=False)
    return GradcheckFixture(**options)
