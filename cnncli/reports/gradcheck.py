"""The verdicts of a gradient check, for people and for other programs."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from cnncli.inspection.gradcheck import Check, Method
from cnncli.inspection.subject import Subject
from cnncli.reports.console import print_table, stdout


def checks_document(checks: Sequence[Check], method: Method) -> dict[str, Any]:
    """The checks as JSON; errors leave kinks out."""
    return {
        "passed": all(check.passed for check in checks),
        "method": method,
        "max_error": max(float(check.relative_errors.max()) for check in checks),
        "checks": [
            {
                "name": check.name,
                "shape": check.analytic.shape,
                "entries": check.analytic.size,
                "max_abs_error": float(check.absolute_errors.max()),
                "max_rel_error": float(check.relative_errors.max()),
                "kinks": int(check.kinks.sum()),
                "passed": check.passed,
            }
            for check in checks
        ],
    }


def print_checks(checks: Sequence[Check], method: Method, subject: Subject) -> None:
    """A row a derivative, the worst entry of each that failed, and the verdict."""
    architecture = subject.architecture
    images = subject.images[0] if len(subject.images) == 1 else f"{len(subject.images)} images"
    stdout().print(
        f"{images}, weights {subject.origin}: {architecture.height}×{architecture.width}×{architecture.channels}, "
        f"filters {','.join(map(str, architecture.filters))}, kernel {architecture.kernel}, pool {architecture.pool}, "
        f"{architecture.classes} classes; method {method}",
        soft_wrap=True,
    )
    table = Table("derivative", "shape")
    for heading in ("entries", "max abs err", "max rel err", *(["kinks"] if method == "central" else [])):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for check in checks:
        kinks = [f"{check.kinks.sum():,}"] if method == "central" else []
        table.add_row(
            check.name,
            str(architecture.shapes[check.name]),
            f"{check.analytic.size:,}",
            f"{check.absolute_errors.max():.1e}",
            f"{check.relative_errors.max():.1e}",
            *kinks,
            Text("PASS", "green") if check.passed else Text("FAIL", "bold red"),
        )
    print_table(table)
    for check in checks:
        if not check.passed:
            where = check.worst
            stdout().print(
                f"{check.name}: {check.failed.sum():,} of {check.analytic.size:,} entries are wrong; worst entry "
                f"{list(where)}: {check.analytic[where]:.6g} instead of {check.numeric[where]:.6g}",
                soft_wrap=True,
            )
    entries = sum(check.analytic.size for check in checks)
    wrong = [check.name for check in checks if not check.passed]
    verdict = f"FAIL: {', '.join(wrong)}" if wrong else f"PASS: {len(checks)} derivatives, {entries:,} entries"
    stdout().print(verdict, soft_wrap=True)
