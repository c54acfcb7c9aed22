"""Right gradients of other programs are never accused, whatever their scale; wrong ones are."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accusations import draw_subject
from cnncli.checking.gradcheck import Gradcheck, engine_gradients
from cnncli.checking.methods import METHODS, Method
from cnncli.checking.run import run_gradcheck
from cnncli.network.textbook import Textbook
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose
from tests.checking.other_programs import PROGRAMS, differentiate_by_columns, scale_subject
from tests.checking.test_gradcheck_verdicts import random_subject
from tests.conftest import Cli


@pytest.mark.parametrize("program", PROGRAMS)
def test_right_gradients_of_another_program_pass_at_every_scale(program: str) -> None:
    if program == "torch":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    random = np.random.default_rng(5)
    for seed in range(12):
        subject = random_subject(seed)
        if seed % 2:
            subject = scale_subject(subject, random)
        outcome = run_gradcheck(Gradcheck(subject, PROGRAMS[program](subject), foreign=True))
        assert outcome.passed, (seed, [c.label for c in (*outcome.checks, *outcome.links) if not c.passed])


@pytest.mark.parametrize("seed", [6, 40, 48, 52])
def test_a_link_is_given_values_that_carry_the_rounding_of_the_sums_behind_them(seed: int) -> None:
    network = {"filters": (6,), "kernel": 4, "pool": 2}
    subject = choose([], None, None, FreshNetwork(network, image_size=20, classes=3, seed=seed))
    assert run_gradcheck(Gradcheck(subject, differentiate_by_columns(subject), foreign=True)).passed


@pytest.mark.parametrize("method", ["central", "richardson"])
@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_differences_accuse_no_network_of_extreme_numbers(method: Method, scale: float) -> None:
    for seed in (0, 4):
        subject = random_subject(seed)
        scaled = {name: value * scale for name, value in subject.parameters.items()}
        for parameters, X in ((scaled, subject.X), (subject.parameters, subject.X * scale)):
            tiny = Subject(subject.architecture, parameters, subject.classes, X, subject.y, subject.images, "")
            gradients = engine_gradients(Textbook(subject.architecture), tiny)
            assert run_gradcheck(Gradcheck(tiny, gradients, method, sample=5)).passed, (seed, scale)


def test_extrapolations_that_agree_by_chance_accuse_nobody() -> None:
    """In this network two of them did, and were wrong by three times what they were trusted for."""
    subject = draw_subject(1050)
    gradients = {"dL/dw2": differentiate_by_columns(subject)["dL/dw2"]}
    (check,) = Gradcheck(subject, gradients, "richardson", foreign=True).checks()
    assert check.passed


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_entry_fails_however_small_the_image_is(method: Method) -> None:
    base = choose([], None, None, FreshNetwork({"filters": (2,)}, image_size=8, classes=3, seed=2))
    subject = Subject(base.architecture, base.parameters, base.classes, base.X * 1e-8, base.y, base.images, "")
    gradients = differentiate_by_columns(subject)
    for name in ("dL/dw1", "dL/dX", "dL/dw2"):
        spoiled = gradients[name].copy()
        which = int(np.abs(spoiled).argmax())
        spoiled.flat[which] *= 1.001
        (check,) = Gradcheck(subject, {name: spoiled}, method, foreign=True).checks()
        assert np.flatnonzero(check.failed).tolist() == [which], name


def test_a_gradient_that_is_no_number_shows_in_the_largest_error(cli: Cli, tmp_path: Path) -> None:
    subject = choose([], None, None, FreshNetwork())
    gradients = differentiate_by_columns(subject)
    wrong = np.full_like(gradients["dL/dw1"], np.nan)
    np.savez(tmp_path / "grads.npz", dw2=gradients["dL/dw2"], dw1=wrong, db1=gradients["dL/db1"])
    result = cli("gradcheck", "--against", tmp_path / "grads.npz", "--format", "json")
    assert json.loads(result.out)["max_error"] == "NaN"
    np.savez(tmp_path / "grads.npz", dw2=gradients["dL/dw2"], dw1=gradients["dL/dw1"].ravel())
    result = cli("gradcheck", "--against", tmp_path / "grads.npz", "--format", "json")
    assert json.loads(result.out)["max_error"] == "NaN"
