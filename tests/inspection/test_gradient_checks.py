"""gradcheck: passes what is right, on every kind of network, and finds what is wrong."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cnncli.inspection.gradcheck import Method, check_gradients
from cnncli.inspection.subject import FreshNetwork, choose
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook
from tests.conftest import SAMPLE_DATA, Cli


@pytest.mark.parametrize("method", ["complex-step", "central"])
@pytest.mark.parametrize(
    ("filters", "kernel", "pool", "size"),
    [((2,), 1, 1, 5), ((3,), 5, 3, 17), ((2,), 3, 2, 9), ((2, 3), 3, 2, 15), ((2, 3), 4, 1, 11), ((2, 3, 2), 2, 2, 23)],
)
@pytest.mark.parametrize("channels", ["gray", "rgb"])
@pytest.mark.parametrize("classes", [2, 10])
def test_the_textbook_engine_passes(
    method: Method, filters: tuple[int, ...], kernel: int, pool: int, size: int, channels: str, classes: int
) -> None:
    assert channels in ("gray", "rgb")
    fresh = FreshNetwork(filters, kernel, pool, size, "gray" if channels == "gray" else "rgb", classes, seed=3)
    subject = choose([], None, None, fresh)
    checks = list(check_gradients(subject, method))
    assert [check.name for check in checks if not check.passed] == []
    assert sum(check.analytic.size for check in checks) > 50
    assert not any(check.kinks.any() for check in checks) or method == "central"


def test_every_entry_of_every_parameter_and_intermediate_is_checked() -> None:
    subject = choose([], None, None, FreshNetwork(filters=(2, 3), image_size=15))
    checks = {check.name: check.analytic.size for check in check_gradients(subject, "complex-step")}
    shapes = subject.architecture.shapes
    names = [name for name in shapes if name.startswith("dL/d") and name != "dL/dA3"]
    assert list(checks) == names
    assert checks == {name: int(np.prod(shapes[name])) for name in names}


@dataclass(frozen=True)
class Wrong(Textbook):
    """An engine with one entry of one derivative off by a share of it."""

    name: str = "dL/dw1"
    share: float = 1e-9

    def record(self, parameters: Parameters, images: Array, labels: Labels) -> Record:
        """The right record, then one wrong number."""
        record = super().record(parameters, images, labels)
        values = record[self.name].copy()
        values.reshape(-1)[np.abs(values).argmax()] *= 1 + self.share
        record.add(self.name, "gradient", values)
        return record


@pytest.mark.parametrize(
    "name", ["dL/dz2", "dL/dw2", "dL/db2", "dL/dF", "dL/dP1", "dL/dA1", "dL/dZ1", "dL/dw1", "dL/dX"]
)
def test_one_wrong_entry_of_one_derivative_is_found_and_nothing_else_accused(name: str) -> None:
    subject = choose([], None, None, FreshNetwork(filters=(2,), image_size=9))
    for method, share in (("complex-step", 1e-10), ("central", 1e-3)):
        engine = Wrong(subject.architecture, name, share)
        checks = list(check_gradients(subject, "complex-step" if method == "complex-step" else "central", engine))
        assert [check.name for check in checks if not check.passed] == [name]
        (check,) = [check for check in checks if not check.passed]
        assert check.failed.sum() == 1
        assert check.failed[check.worst]


def test_a_missing_gradient_and_a_nan_fail() -> None:
    subject = choose([], None, None, FreshNetwork(filters=(2,), image_size=9))
    for share in (-1.0, np.nan):
        checks = list(check_gradients(subject, "complex-step", Wrong(subject.architecture, "dL/dw1", share)))
        assert [check.name for check in checks if not check.passed] == ["dL/dw1"]


def test_the_numeric_derivative_is_the_golden_one() -> None:
    checks = {check.name: check for check in check_gradients(choose([], None, None, FreshNetwork()), "complex-step")}
    assert_allclose(checks["dL/db1"].numeric, [-0.1800664010750089], rtol=1e-14)
    assert_allclose(checks["dL/dw1"].numeric[0, 0, 2], [-0.4951826029562745, -0.40514940241877, 0.13504980080625667])


def test_a_pooling_tie_is_a_kink_to_central_differences_and_none_to_the_complex_step() -> None:
    example = choose([], None, None, FreshNetwork())  # it has a window of four zeros
    kinks = {check.name: check for check in check_gradients(example, "central")}["dL/dA1"]
    assert np.argwhere(kinks.kinks[0, 0]).tolist() == [[2, 2], [2, 3], [3, 2], [3, 3]]
    assert kinks.passed


def test_a_gradient_outside_the_slopes_of_a_kink_fails() -> None:
    example = choose([], None, None, FreshNetwork())

    @dataclass(frozen=True)
    class Everywhere(Textbook):
        """Gives the dead window's gradient twice over to its first entry."""

        def record(self, parameters: Parameters, images: Array, labels: Labels) -> Record:
            record = super().record(parameters, images, labels)
            values = record["dL/dA1"].copy()
            values[0, 0, 2, 2] *= 2
            record.add("dL/dA1", "gradient", values)
            return record

    failed = {c.name: c.failed for c in check_gradients(example, "central", Everywhere(example.architecture))}
    assert np.argwhere(failed["dL/dA1"]).tolist() == [[0, 0, 2, 2]]


def test_a_batch_of_images_is_checked_with_its_one_over_m() -> None:
    subject = choose(sorted((SAMPLE_DATA / "loose").glob("*.png"))[:2], None, None, FreshNetwork((1,), image_size=8))
    assert subject.X.shape == (2, 1, 8, 8)
    checks = list(check_gradients(subject, "complex-step"))
    assert all(check.passed for check in checks)
    assert {check.name: check.analytic.shape for check in checks}["dL/dZ1"] == (2, 1, 6, 6)


def test_the_command_passes_the_notes_example(cli: Cli) -> None:
    result = cli("gradcheck")
    assert result.code == 0
    assert result.out.splitlines()[-1] == "PASS: 10 derivatives, 92 entries"
    assert all(len(line) <= 80 for line in result.out.splitlines()[1:])


def test_the_command_in_json(cli: Cli) -> None:
    document = json.loads(cli("gradcheck", "--method", "central", "--format", "json").out)
    assert document["passed"] is True
    assert document["method"] == "central"
    by_name = {check["name"]: check for check in document["checks"]}
    assert by_name["dL/dA1"]["kinks"] == 4
    assert by_name["dL/dw1"]["entries"] == 9
    assert document["max_error"] == max(check["max_rel_error"] for check in document["checks"]) < 1e-8


def test_the_command_names_what_is_wrong_and_exits_with_1(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnncli.network import textbook

    monkeypatch.setattr(textbook, "relu_backward", lambda _Z, dA: dA)
    result = cli("gradcheck")
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[-1] == "FAIL: dL/dZ1, dL/dw1, dL/db1, dL/dX"
    assert "dL/dZ1: 1 of 16 entries are wrong; worst entry [0, 0, 2, 2]: -0.0450166 instead of 0" in lines
    assert json.loads(cli("gradcheck", "--format", "json").out)["passed"] is False
