"""The page's own arithmetic, held against the textbook engine and its explanations, on random networks."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from cnncli.network.steps.step import KinkedStep
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Entry, Term
from cnncli.reports.trace.page.data import page_data
from cnncli.reports.trace.page.source import script
from cnncli.subject.subject import Subject
from cnncli.tracing.trace import Trace, trace_image
from tests.network.cases import Case, cases

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node.js")

U = 2.0**-53
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Send a trace and entries of it to the page's modules, in Node.js."""
    driver = (Path(__file__).parent / "driver.js").read_text("utf-8")
    imports, _, rest = driver.partition("\n\nconst written")
    text = f"{imports}\n{script('chain.js', 'explain.js', 'paths.js', 'verify.js')}\nconst written{rest}"
    process = subprocess.Popen(
        [NODE or "", "--input-type=module", "--eval", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    pipe_in, pipe_out = process.stdin, process.stdout

    def send(trace: Trace, entries: list[tuple[str, int]], followed: list[tuple[str, int]]) -> dict[str, Any]:
        question = {"data": page_data(trace, 4), "entries": entries, "followed": followed}
        pipe_in.write(json.dumps(question) + "\n")
        pipe_in.flush()
        answer: dict[str, Any] = json.loads(pipe_out.readline())
        return answer

    yield send
    pipe_in.close()
    process.wait()
    pipe_out.close()


def trace_of(case: Case) -> Trace:
    classes = tuple(f"class {k}" for k in range(case.architecture.classes))
    return trace_image(
        Subject(case.architecture, case.parameters, classes, case.X[:1], case.y[:1], ("random",), "random")
    )


def some_entries(trace: Trace, most: int) -> list[tuple[str, int]]:
    """Of every tensor the first entries, the last, and some between."""
    random = np.random.default_rng(0)
    entries = []
    for step in trace.steps:
        size = step.value.size
        chosen = {0, size - 1, *random.integers(0, size, most).tolist()}
        entries += [(step.name, i) for i in sorted(chosen)]
    return entries


def of_output(trace: Trace) -> set[str]:
    """The tensors that are made with exp and log."""
    output = trace.chain.output
    return {tensor.name for tensor, _ in (*output.values, *output.derivatives)}


def find_differing(trace: Trace, anew: dict[str, Any]) -> dict[str, list[float]]:
    """How many numbers of each tensor are not the same to the bit, and the largest difference."""
    differing = {}
    for name, texts in anew.items():
        values, python = np.array(texts, float), trace[name].ravel()
        unequal = values != python
        if unequal.any():
            differing[name] = [int(unequal.sum()), float(np.abs(values - python)[unequal].max())]
    return differing


def find_moved(trace: Trace) -> set[str]:
    """The tensors whose numbers are moved, chosen or multiplied: nothing is added."""
    steps = [step for step in trace.chain.steps if step.kind in ("relu", "flatten", "max pooling")]
    sources = {step.source.gradient.name for step in steps if not (isinstance(step, KinkedStep) and step.overlaps)}
    dense = trace.chain.steps[-1]
    return sources | {step.output.name for step in steps} | {tensor.gradient.name for tensor in dense.parameters}


def place(tensor: Tensor, i: int) -> tuple[int, ...]:
    return tuple(int(at) for at in np.unravel_index(i, tensor.shape)) if tensor.shape else ()


def written(term: Term) -> str:
    return term.template.format(*(factor.label for factor in term.factors))


def in_order(trace: Trace, name: str, i: int, terms: tuple[Term, ...]) -> float:
    """An entry as one addition after the other makes it; as it is recorded where nothing is added."""
    if len(terms) < 2:
        return float(trace[name].flat[i])
    _, divided, divisor = terms[0].template.partition("{}/")
    total = 0.0
    if not divided:
        for term in terms:
            total += term.value
        return total
    mean = trace.chain.tensors[name].kind == "forward"  # which divides once, where its gradient divides each share
    for term in terms:
        total += term.factors[0].value / (1 if mean else int(divisor))
    return total / int(divisor) if mean else total


def number(value: Any) -> float:
    return float(value)


@settings(max_examples=200)
@given(case=cases(largest=9, most_blocks=2))
def test_the_page_computes_and_explains_what_python_does(ask: Ask, case: Case) -> None:
    trace = trace_of(case)
    entries = some_entries(trace, 2)
    answer = ask(trace, entries, [])
    computed = {name for name, tensor in trace.chain.tensors.items() if tensor.kind in ("forward", "gradient")}
    assert answer["unknown"] == []
    assert answer["anew"].keys() == computed
    assert answer["verdict"]["wrong"] == 0
    assert answer["verdict"]["numbers"] == sum(trace[name].size for name in computed)
    assert answer["verdict"]["differing"] == find_differing(trace, answer["anew"])
    assert find_moved(trace).isdisjoint(answer["verdict"]["differing"])
    near = of_output(trace)
    bound = 2 * (2 * trace.chain.logit.shape[0] + 6) * U
    for name in near:
        scale = max(1.0, np.abs(trace[name]).max()) if "dz" in name else np.abs(trace[name])
        np.testing.assert_array_less(
            np.abs(np.array(answer["anew"][name], float).reshape(trace[name].shape) - trace[name]),
            bound * scale + 1e-300,
            err_msg=name,
        )
    for (name, i), told in zip(entries, answer["explained"], strict=True):
        tensor = trace.chain.tensors[name]
        expansion = trace.expander.expand(Entry(name, place(tensor, i)))
        assert (told["formula"], told["reason"]) == (expansion.formula, expansion.reason), (name, i)
        assert [term[0] for term in told["terms"]] == [written(term) for term in expansion.terms], (name, i)
        if name in near:
            continue
        assert [number(term[1]) for term in told["terms"]] == [term.value for term in expansion.terms], (name, i)
        if name in computed:
            assert number(answer["anew"][name][i]) == in_order(trace, name, i, expansion.terms), (name, i)


@settings(max_examples=40)
@given(case=cases(largest=7, most_blocks=2))
def test_the_page_follows_the_paths_that_python_follows(ask: Ask, case: Case) -> None:
    trace = trace_of(case)
    followed = [(name, i) for name, i in some_entries(trace, 1) if f"dL/d{name}" in trace.chain.tensors]
    answer = ask(trace, [], followed)
    for (name, i), told in zip(followed, answer["paths"], strict=True):
        paths = trace.follower.follow(Entry(name, place(trace.chain.tensors[name], i)), 3)
        assert told["number"] == paths.number, (name, i)
        np.testing.assert_allclose(told["products"], [path.product for path in paths.shown], rtol=1e-12)
