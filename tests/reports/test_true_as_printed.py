"""What --expand and --follow print is true as printed: a calculator says the same."""

import re
from collections.abc import Iterator
from itertools import islice
from math import exp, inf, log, prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli import trace
from cnncli.reports.look import Look
from cnncli.reports.trace.expansion import expansion_lines
from cnncli.reports.trace.lines.terminal import write_lines
from cnncli.reports.trace.paths import path_lines
from cnncli.tracing.trace import Trace

NUMBER = r"-?\d+(?:\.\d*)?(?:e[+-]\d+)?"
LINK = re.compile(rf"  (?:d\S+|product) +({NUMBER})(?:  |$)")
FUNCTIONS = {"exp": exp, "log": log, "max": lambda *numbers: max(numbers), "sigmoid": lambda z: 1 / (1 + exp(-z))}
NETWORKS: list[dict[str, Any]] = [
    {},
    {"label": "0"},
    {"filters": (2,), "classes": 3, "image_size": 6},
    {"filters": (2, 2), "kernel": 2, "pool": 1, "classes": 4, "image_size": 4, "channels": "rgb"},
    {"filters": (2,), "pooling": "average", "padding": 1, "image_size": 6},
]


def parse(number: str) -> float:
    """A number as written."""
    return float(number)


def calculate(written: str) -> float | None:
    """What a calculator says to a line's part; None for one with names in it."""
    text = written.strip().replace("·", "*").replace("−", "-")
    text = re.sub(rf"e\^(\({NUMBER}\)|\(-{NUMBER}\)|{NUMBER})", r"exp(\1)", text)
    text = re.sub(rf"log ({NUMBER})", r"log(\1)", text).replace("σ(", "sigmoid(")
    if re.search(r"[^\W\d_]", re.sub(r"\b(exp|log|max|sigmoid)\(|\de[+-]\d", "", text)) or "[" in text or not text:
        return None
    return float(eval(text, {"__builtins__": {}}, FUNCTIONS))  # noqa: S307


def unit(written: str, precision: int) -> float:
    """What the last decimal of a number stands for; one with few decimals has them all, and is as good as written."""
    digits, e, exponent = written.strip().partition("e")
    _, _, decimals = digits.partition(".")
    return float(10.0 ** (int(exponent) - len(decimals))) if e else float(10.0 ** -max(len(decimals), precision))


def assert_equal(parts: list[str], precision: int, line: str) -> None:
    """Of the parts between equals signs, the numbers are the last one, to half a unit of its last decimal."""
    last = parts[-1]
    for part in parts[:-1]:
        value = calculate(part)
        if value is not None:
            assert abs(value - float(last)) <= 0.5001 * unit(last, precision), line


def expansions(traced: Trace, name: str, precision: int, most: int) -> list[list[str]]:
    """The lines of each of the first entries of a tensor."""
    look = Look(full=True, precision=precision, written=str)
    return [
        [line.plain for line in write_lines([*expansion_lines([expansion], 1, look)])]
        for expansion in islice(traced.expand(name), most)
    ]


def check_expansion(lines: list[str], precision: int) -> None:
    """Every line, the sum of the terms, and a chain of lines that begin with an equals sign."""
    terms: list[str] = []
    chain = lines[0].split(" = ")[1:]
    for line in lines[1:]:
        if "=" not in line and "≈" not in line:
            continue
        if line.startswith("   ") and line.strip().startswith("="):
            chain.append(line.strip().removeprefix("= "))
            continue
        parts = line.split(" = ")
        if terms and parts[0].strip() == lines[0].split(" = ")[0]:
            assert abs(sum(map(parse, terms)) - float(parts[-1])) <= 0.5001 * unit(parts[-1], precision), lines
        elif re.fullmatch(NUMBER, parts[-1].strip()):
            assert_equal(parts, precision, line)
            terms.append(parts[-1])
    if re.fullmatch(NUMBER, chain[-1]):
        assert_equal(chain, precision, "\n".join(lines))


def numbers_of_paths(lines: list[str]) -> Iterator[tuple[list[str], str]]:
    """The links and the product of each path."""
    links: list[str] = []
    for line in lines:
        if found := LINK.match(line):
            if line.startswith("  product"):
                yield links, found[1]
                links = []
            else:
                links.append(found[1])


@pytest.mark.parametrize("precision", [0, 2, 9])
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_every_line_of_every_expansion(network: dict[str, Any], precision: int) -> None:
    traced = trace(**network)
    checked = 0
    for name in traced.chain.derivatives | traced.chain.forward:
        for lines in expansions(traced, name, precision, 6):
            check_expansion(lines, precision)
            checked += 1
    assert checked > 30


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), precision=st.integers(0, 8), scale=st.sampled_from([1e-4, 1.0, 1e4]))
def test_every_line_for_random_numbers(seed: int, precision: int, scale: float) -> None:
    traced = trace(filters=(2,), image_size=6, classes=3, seed=seed)
    traced.values["X"][:] *= scale
    for name in ("Z1", "dL/dw1", "dL/dF"):
        for lines in expansions(traced, name, precision, 10):
            check_expansion(lines, precision)


@pytest.mark.parametrize("precision", [0, 4])
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_every_path_is_the_product_of_its_links_and_the_derivative_their_sum(
    network: dict[str, Any], precision: int
) -> None:
    traced = trace(**network)
    look = Look(full=True, precision=precision, written=str)
    followed = 0
    for name in ("w1", "b1", "X"):
        for place in range(3):
            w = traced.chain.tensors[name]
            index = [0] * (len(w.shape) - 1) + [min(place, w.shape[-1] - 1)]
            paths = traced.follow(f"{name}[{','.join(map(str, index))}]", 10_000)
            lines = [line.plain for line in write_lines([*path_lines(paths, look)])]
            products = []
            for links, product in numbers_of_paths(lines):
                assert abs(prod(map(parse, links)) - float(product)) <= 0.5001 * unit(product, precision), lines
                products.append(product)
            result = lines[-1].split(" = ")[-1]
            if "≈" not in result and paths.number:
                assert abs(sum(map(parse, products)) - float(result)) <= 0.5001 * unit(result, precision), lines
                followed += 1
    assert followed > 2


def test_what_float64_cannot_tell_is_shown_without_numbers() -> None:
    traced = trace()
    traced.values["z2"][:] = 50.0  # A2 is 1 to the last bit, and A2·(1 − A2) is not 0
    traced.values["A2"][:] = 1.0
    (lines,) = expansions(traced, "dA2/dz2", 4, 2)
    assert lines == ["dA2/dz2 = A2·(1 − A2)", "        = 0.2475"]
    assert inf not in traced.values["z2"]
