"""Every known mistake is found, localised to its link and named; in one block or two, in one image or a batch."""

from dataclasses import replace

import numpy as np
import pytest

from cnncli.checking.diagnoses import explain_chain
from cnncli.checking.gradcheck import Gradcheck, engine_gradients
from cnncli.checking.methods import EPS
from cnncli.checking.run import run_gradcheck
from cnncli.checking.self_test import hard_subject, run_self_test
from cnncli.checking.user_code.subjects import make_subjects
from cnncli.diagnosis.mistakes import MISTAKES, Mistake
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.textbook import Textbook
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import choose

SUBJECT = hard_subject()
CHAIN = build_chain(SUBJECT.architecture)


@pytest.mark.slow
def test_the_self_test_is_complete() -> None:
    results = list(run_self_test())
    assert len(results) == len(MISTAKES) >= 15
    assert [result.mistake.name for result in results if not result.passed] == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.kind}-{mistake.name}")
def test_a_check_that_reports_a_mistake_names_it_in_both_blocks(mistake: Mistake) -> None:
    gradients = engine_gradients(Textbook(SUBJECT.architecture, mistake.plant(CHAIN)), SUBJECT)
    outcome = run_gradcheck(Gradcheck(SUBJECT, gradients))
    assert outcome.verdict != "PASS"
    assert {d.mistake for d in outcome.diagnoses} <= {mistake, None}
    assert all(d.explanation.certain or mistake.sentence in d.sentence for d in outcome.diagnoses)
    if mistake.kind == "convolution" and mistake.name != "b not summed":
        assert len(outcome.diagnoses) == 2


@pytest.mark.parametrize("name", ["kernel turned", "1/m missing", "flatten column-major", "relu′ = 1 below zero"])
def test_parameters_alone_are_enough_to_name_a_mistake(name: str) -> None:
    (mistake,) = [mistake for mistake in MISTAKES if mistake.name == name]
    gradients = engine_gradients(Textbook(SUBJECT.architecture, mistake.plant(CHAIN)), SUBJECT)
    parameters = {f"dL/d{name}": gradients[f"dL/d{name}"] for name in SUBJECT.parameters}
    outcome = run_gradcheck(Gradcheck(SUBJECT, parameters))
    assert not outcome.passed
    assert [d.mistake for d in outcome.diagnoses] == [mistake]


def test_an_unknown_mistake_is_said_to_be_what_it_is_and_not_for_sure_from_one_case() -> None:
    gradients = engine_gradients(Textbook(SUBJECT.architecture), SUBJECT)
    outcome = run_gradcheck(Gradcheck(SUBJECT, gradients | {"dL/dw2": gradients["dL/dw2"] * 1.1}))
    assert not outcome.passed
    (said,) = [d for d in outcome.diagnoses if d.where.endswith("dL/dw2")]
    assert said.explanation.text.startswith("probably: dL/dw2 is multiplied by 1.1")


def test_right_gradients_are_no_mistake() -> None:
    assert explain_chain(SUBJECT, engine_gradients(Textbook(SUBJECT.architecture), SUBJECT), EPS) is None


def test_mistakes_have_different_names_and_results() -> None:
    assert len({(m.kind, m.name) for m in MISTAKES}) == len(MISTAKES)
    results = [engine_gradients(Textbook(SUBJECT.architecture, m.plant(CHAIN)), SUBJECT) for m in MISTAKES]
    for i, one in enumerate(results):
        for other in results[:i]:
            assert any(
                one[name].shape != other[name].shape or not np.array_equal(one[name], other[name]) for name in one
            )


def test_in_a_saturated_network_nothing_is_called_right_and_nothing_explained() -> None:
    subject = make_subjects(0)["z far out"]
    z = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)["z2"]
    certain = replace(subject, y=(z[:, 0] > 0).astype(int))  # every image on its own side: A is y to the last digit
    gradients = engine_gradients(Textbook(certain.architecture), certain)
    for wrong in (2 * gradients["dL/dw1"], gradients["dL/dw1"][..., ::-1], gradients["dL/dw1"] + 1e-3):
        parameters = {f"dL/d{name}": gradients[f"dL/d{name}"] for name in certain.parameters} | {"dL/dw1": wrong}
        outcome = run_gradcheck(Gradcheck(certain, parameters))
        assert outcome.verdict == "FAIL"
        assert [d.explanation.certain for d in outcome.diagnoses] == [False]
        assert "it cannot be told" in outcome.diagnoses[0].sentence


@pytest.mark.parametrize("name", ["kernel turned", "1/m missing", "sign turned", "last instead of first maximum"])
def test_float32_gradients_are_explained_as_float64_ones(name: str) -> None:
    (mistake,) = [mistake for mistake in MISTAKES if mistake.name == name]
    gradients = engine_gradients(Textbook(SUBJECT.architecture, mistake.plant(CHAIN)), SUBJECT)
    parameters = {f"dL/d{name}": gradients[f"dL/d{name}"] for name in SUBJECT.parameters}
    for given in (parameters, gradients):
        right, single = (run_gradcheck(Gradcheck(SUBJECT, each, eps=eps)) for each, eps in (double_and_single(given)))
        assert single.verdict == right.verdict != "PASS"
        assert [d.sentence for d in single.diagnoses] == [d.sentence for d in right.diagnoses]


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("dL/dw1", 1.001),
        *(pytest.param("dL/dw1", factor, marks=pytest.mark.slow) for factor in (1.01, 2, -1)),
        *(("dL/db2", factor) for factor in (1.001, 1.01, 2, -1)),
    ],
)
def test_a_factor_is_found_in_float32_too(name: str, factor: float) -> None:
    subject = choose([], None, None, FreshNetwork())
    gradients = engine_gradients(Textbook(subject.architecture), subject)
    parameters = {f"dL/d{each}": gradients[f"dL/d{each}"] for each in subject.parameters}
    wrong = parameters | {name: factor * parameters[name]}
    for given in (wrong, {name: wrong[name]}):
        said = [run_gradcheck(Gradcheck(subject, each, eps=eps)).diagnoses for each, eps in double_and_single(given)]
        assert [d.sentence for d in said[1]] == [d.sentence for d in said[0]] != []


def double_and_single(gradients: dict[str, Array]) -> list[tuple[dict[str, Array], float]]:
    single = {name: gradient.astype(np.float32).astype(np.float64) for name, gradient in gradients.items()}
    return [(gradients, EPS), (single, float(np.finfo(np.float32).eps))]


def test_digits_are_said_to_be_lost_only_where_they_are() -> None:
    subject = choose([], None, None, FreshNetwork())
    for bias, none_left in ((-7.0, False), (-12.0, False), (-17.0, True), (-40.0, True)):  # |A − y| is e^bias
        far = replace(subject, parameters=subject.parameters | {"b2": np.array([bias])}, y=np.zeros(1, int))
        gradients = engine_gradients(Textbook(far.architecture), far)
        wrong = {"dL/dw1": (2 * gradients["dL/dw1"]).astype(np.float32).astype(np.float64)}
        outcome = run_gradcheck(Gradcheck(far, wrong, eps=float(np.finfo(np.float32).eps)))
        assert outcome.verdict == "FAIL"
        assert any("cannot be told" in d.sentence for d in outcome.diagnoses) == none_left, bias


def test_a_factor_of_one_gradient_alone_is_found_among_right_ones() -> None:
    gradients = engine_gradients(Textbook(SUBJECT.architecture), SUBJECT)
    parameters = {f"dL/d{name}": gradients[f"dL/d{name}"] for name in SUBJECT.parameters}
    outcome = run_gradcheck(Gradcheck(SUBJECT, parameters | {"dL/dw1": -gradients["dL/dw1"]}))
    assert [d.sentence for d in outcome.diagnoses] == ["dL/dw1: dL/dw1 has the wrong sign"]
