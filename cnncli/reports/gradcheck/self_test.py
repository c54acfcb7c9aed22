"""The self-test of the gradient check, for people and for other programs."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from cnncli.checking.self_test import Planted
from cnncli.reports.console import print_table, stdout
from cnncli.reports.gradcheck.outcome import STYLES


def self_test_document(results: Sequence[Planted]) -> dict[str, Any]:
    """The self-test as JSON."""
    return {
        "passed": all(result.passed for result in results),
        "planted": [
            {
                "mistake": result.mistake.name,
                "link": result.link,
                "verdict": result.verdict,
                "found": result.found,
                "localised": result.localised,
                "named": result.named,
            }
            for result in results
        ],
    }


def print_self_test(results: Sequence[Planted]) -> None:
    """A row a mistake, and how many were found, localised and named."""
    table = Table("planted mistake", "in the link", "found", "there", "named")
    for result in results:
        table.add_row(
            result.mistake.name,
            result.link,
            Text(result.verdict if result.found else "no", STYLES[result.verdict] if result.found else "bold red"),
            *(Text("yes", "green") if good else Text("no", "bold red") for good in (result.localised, result.named)),
        )
    print_table(table)
    counts = [sum(getattr(result, word) for result in results) for word in ("found", "localised", "named")]
    verdict = "PASS" if all(result.passed for result in results) else "FAIL"
    text = "{}: {} mistakes planted, {} found, {} localised, {} named".format(verdict, len(results), *counts)
    stdout().print(Text(text, STYLES[verdict]), soft_wrap=True)
