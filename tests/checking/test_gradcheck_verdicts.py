"""The verdicts: right gradients pass, wrong ones fail, and only a kink that is there makes a KINK."""

import numpy as np
import pytest

from cnncli.checking import run
from cnncli.checking.check import Check
from cnncli.checking.gradcheck import Gradcheck, engine_gradients
from cnncli.checking.methods import METHODS, Method
from cnncli.checking.run import Outcome, run_gradcheck
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.engine import Gradients
from cnncli.network.numpy_engine.engine import NumpyEngine
from cnncli.network.textbook import Textbook
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose
from cnncli.text import tell_apart

FINEST: dict[Method, float] = {"complex-step": 1e-11, "richardson": 1e-6, "central": 1e-5}


@pytest.fixture(autouse=True)
def unexplained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "diagnose", lambda *_: ())  # what a mistake is takes longer than that it is


def random_subject(seed: int) -> Subject:
    """One to three blocks, any shape; every third of whole numbers, so that ties and zeros abound."""
    random = np.random.default_rng(seed)
    blocks = int(random.integers(1, 4))
    kernel, pool = (int(random.integers(1, 3 + (blocks == 1))) for _ in range(2))
    side = 1
    for _ in range(blocks):
        side = side * pool + kernel - 1
    architecture = Architecture(
        side + int(random.integers(0, 3)),
        side + int(random.integers(0, 3)),
        channels=int(random.integers(1, 4)),
        filters=tuple(int(n) for n in random.integers(1, 4, blocks)),
        kernel=kernel,
        pool=pool,
        classes=int(random.integers(2, 5)),
    )
    m = int(random.integers(1, 4))
    X_shape = (m, architecture.channels, architecture.height, architecture.width)
    shapes = build_chain(architecture).parameter_shapes.items()
    if seed % 3 == 0:
        parameters: Parameters = {name: random.integers(-2, 3, shape).astype(float) for name, shape in shapes}
        X: Array = random.integers(-1, 3, X_shape).astype(float)
    else:
        parameters = {name: random.normal(size=shape) for name, shape in shapes}
        X = random.normal(size=X_shape) * 10.0 ** random.integers(-3, 4)
    y = random.integers(0, architecture.classes, m)
    return Subject(architecture, parameters, tuple("0123"[: architecture.classes]), X, y, ("",) * m, "")


def right_gradients(subject: Subject) -> dict[str, Array]:
    return engine_gradients(Textbook(subject.architecture), subject)


def outcome_of(subject: Subject, gradients: dict[str, Array], method: Method = "complex-step") -> Outcome:
    return run_gradcheck(Gradcheck(subject, gradients, method))


@pytest.mark.parametrize("first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in range(50, 1000, 50))])
def test_a_thousand_random_networks_are_never_accused(first: int) -> None:
    for seed in range(first, first + 50):
        subject = random_subject(seed)
        outcome = outcome_of(subject, right_gradients(subject))
        assert outcome.verdict == "PASS", (seed, [c.label for c in outcome.checks if not c.passed])
        assert len(outcome.checks) == 5 + 5 * len(subject.architecture.blocks)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["central", "richardson"])
def test_differences_accuse_no_random_network_either(method: Method) -> None:
    for seed in range(60):
        subject = random_subject(seed)
        outcome = outcome_of(subject, right_gradients(subject), method)
        wrong = [(c.label, [c.index(w) for w in c.most_wrong(2)]) for c in outcome.checks if not c.passed]
        assert outcome.passed, (seed, wrong, [c.label for c in outcome.links if not c.passed])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "name", ["dL/dz3", "dL/dw3", "dL/db3", "dL/dF", "dL/dP2", "dL/dw2", "dL/dP1", "dL/dw1", "dL/dX"]
)
def test_a_small_error_in_one_entry_fails(method: Method, name: str) -> None:
    subject = choose([], None, None, FreshNetwork({"filters": (2, 2)}, image_size=10, seed=1))
    gradients = right_gradients(subject)
    which = int(np.abs(gradients[name]).argmax())
    gradients[name] = gradients[name].copy()
    gradients[name].flat[which] *= 1 + FINEST[method]
    outcome = outcome_of(subject, gradients, method)
    (check,) = [check for check in outcome.checks if check.name == name]
    assert check.verdict == "FAIL"
    assert np.flatnonzero(check.failed).tolist() == [which]
    assert outcome.verdict == "FAIL"


def relu_at_zero() -> Subject:
    """A 1×1 network of which Z1 is 0 exactly: z2 = 3·relu(w1·x + b1) with x = 2, w1 = 1, b1 = -2."""
    architecture = Architecture(1, 1, filters=(1,), kernel=1, pool=1)
    parameters = {
        "w1": np.ones((1, 1, 1, 1)),
        "b1": np.array([-2.0]),
        "w2": np.array([[3.0]]),
        "b2": np.zeros(1),
    }
    return Subject(architecture, parameters, ("0", "1"), np.full((1, 1, 1, 1), 2.0), np.array([1]), ("",), "")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("value", "verdict"), [(0.0, "PASS"), (-3.0, "KINK"), (-1.0, "KINK"), (-3.01, "FAIL"), (0.01, "FAIL")]
)
def test_on_a_kink_the_gradient_must_lie_between_the_one_sided_derivatives(
    method: Method, value: float, verdict: str
) -> None:
    # dL/dz2 is -1/2 at z2 = 0, so dL/dw1 is 0 below and -1/2·3·2 = -3 above.
    check = one_check(relu_at_zero(), "dL/dw1", np.full((1, 1, 1, 1), value), method)
    assert check.verdict == (verdict if method == "complex-step" or verdict == "FAIL" else "KINK")
    if check.verdict == "KINK":
        assert check.units == ("A1[0,0,0]",)
        assert (check.below[0], check.above[0]) == pytest.approx((0, -3), abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_no_entry_is_excused_for_a_kink_that_is_not_there(method: Method) -> None:
    # b2 does not move the unit that sits on the kink.
    check = one_check(relu_at_zero(), "dL/db2", np.array([-0.25]), method)
    assert check.verdict == "FAIL"
    assert not check.kinks.any()


def one_check(subject: Subject, name: str, value: Array, method: Method) -> Check:
    (check,) = Gradcheck(subject, {name: value}, method).checks()
    return check


def test_tied_maxima_may_share_a_gradient_but_not_multiply_it() -> None:
    architecture = Architecture(2, 2, filters=(1,), kernel=1, pool=2)
    parameters = {name: np.ones(shape) for name, shape in build_chain(architecture).parameter_shapes.items()}
    subject = Subject(architecture, parameters, ("0", "1"), np.ones((1, 1, 2, 2)), np.array([0]), ("",), "")
    gradients = right_gradients(subject)
    G = gradients["dL/dP1"].item()

    def verdict(shares: list[list[float]]) -> tuple[str, str]:
        outcome = outcome_of(subject, gradients | {"dL/dA1": G * np.array([[shares]])})
        (link,) = [link for link in outcome.links if link.name == "dL/dA1"]
        return link.verdict, link.problem

    assert verdict([[1, 0], [0, 0]]) == ("PASS", "")
    assert verdict([[0, 0], [0, 1]]) == ("KINK", "")
    assert verdict([[0.25, 0.25], [0.25, 0.25]]) == ("KINK", "")
    assert verdict([[1.5, -0.5], [0, 0]])[0] == "FAIL"
    failed, problem = verdict([[1, 1], [1, 1]])
    assert failed == "FAIL"
    assert "tied maxima of window [0, 0, 0] together" in problem


def test_the_first_wrong_link_is_told() -> None:
    subject = choose([], None, None, FreshNetwork({"filters": (2, 2)}, image_size=10, seed=1))
    gradients = right_gradients(subject)
    gradients["dL/dA1"] = gradients["dL/dA1"] + 1
    outcome = outcome_of(subject, gradients)
    assert outcome.first_wrong_link is not None
    assert outcome.first_wrong_link.label == "dL/dP1 → dL/dA1"
    assert [link.label for link in outcome.links if not link.passed] == ["dL/dP1 → dL/dA1", "dL/dA1 → dL/dZ1"]


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_fails(odd: float) -> None:
    check = one_check(relu_at_zero(), "dL/db2", np.array([odd]), "complex-step")
    assert check.verdict == "FAIL"
    assert check.worst == 0


def test_a_wrong_shape_fails_and_is_told() -> None:
    check = one_check(relu_at_zero(), "dL/dw1", np.zeros((1, 1)), "complex-step")
    assert check.verdict == "FAIL"
    assert check.problem == "has the shape (1, 1) instead of (1, 1, 1, 1)"


def test_a_sample_is_spread_over_the_tensor_and_follows_from_the_seed() -> None:
    subject = choose([], None, None, FreshNetwork(image_size=12))
    gradients = right_gradients(subject)

    def entries(seed: int) -> dict[str, list[int]]:
        return {c.name: c.entries.tolist() for c in Gradcheck(subject, gradients, sample=10, seed=seed).checks()}

    one = entries(0)
    assert one == entries(0) != entries(1)
    assert one["dL/db2"] == [0]
    assert len(one["dL/dX"]) == 10
    assert [entry * 10 // 144 for entry in one["dL/dX"]] == list(range(10))


def test_an_engine_that_only_trains_is_checked_on_its_parameters() -> None:
    class Doubling(NumpyEngine):
        def loss_and_gradients(self, parameters: Parameters, X: Array, y: Labels, **_: object) -> Gradients:
            loss, gradients, logits = Textbook(subject.architecture).loss_and_gradients(parameters, X, y)
            return Gradients(loss, gradients | {"w1": 2 * gradients["w1"]}, logits)

    subject = choose([], None, None, FreshNetwork())
    outcome = outcome_of(subject, engine_gradients(Doubling(subject.architecture), subject))
    assert [check.name for check in outcome.checks] == ["dL/dw2", "dL/db2", "dL/dw1", "dL/db1"]
    assert [check.name for check in outcome.checks if not check.passed] == ["dL/dw1"]
    assert not outcome.links


def test_float32_gradients_pass_at_the_rounding_of_float32_only() -> None:
    subject = choose([], None, None, FreshNetwork(image_size=12))
    rounded = {name: value.astype(np.float32) for name, value in right_gradients(subject).items()}
    single = float(np.finfo(np.float32).eps)
    assert run_gradcheck(Gradcheck(subject, rounded, eps=single, foreign=True)).passed
    assert not run_gradcheck(Gradcheck(subject, rounded)).passed


def test_numbers_that_differ_look_different() -> None:
    assert tell_apart(0.1, 0.2) == ["0.1", "0.2"]
    assert tell_apart(0.123456789, 0.123456788) == ["0.123456789", "0.123456788"]
    assert tell_apart(1.0, np.nextafter(1, 2)) == ["1", "1.0000000000000002"]
