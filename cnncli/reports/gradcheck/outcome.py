"""The verdicts of a gradient check, for people and for other programs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from cnncli.checking.agreement import Agreement
from cnncli.checking.check import Check
from cnncli.checking.run import Outcome
from cnncli.diagnosis import Explanation
from cnncli.network.chain import build_chain
from cnncli.reports.console import print_table, stdout
from cnncli.reports.grids import grid
from cnncli.reports.look import Look
from cnncli.text import count, printable, tell_apart

WORST = 3  # entries that are shown of a derivative that failed
STYLES = {"PASS": "green", "KINK": "yellow", "FAIL": "bold red"}
BETWEEN = "where a unit sits on a kink the gradient lies between the one-sided derivatives"
STRICT = "on a kink, where strict lets nothing pass"


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON; errors leave kinks out."""
    gradcheck, first = outcome.gradcheck, outcome.first_wrong_link
    everything = [*outcome.checks, *outcome.links]
    return {
        "passed": outcome.passed,
        "verdict": outcome.verdict,
        "method": gradcheck.method,
        "seed": gradcheck.seed,
        "sample": gradcheck.sample,
        "max_error": float(np.max([check.relative_errors.max() for check in everything])),  # a NaN among them is one
        "checks": [check_document(check) for check in outcome.checks],
        "links": [{"given": check.given, **check_document(check)} for check in outcome.links],
        "engine": engine_document(outcome.engines[0]) if outcome.engines else None,
        "engines": [engine_document(engine) for engine in outcome.engines],
        "no_engines": outcome.no_engines or None,
        "first_wrong_link": first.label if first else None,
        "diagnosis": [
            {"where": diagnosis.where, **explanation_document(diagnosis.explanation)} for diagnosis in outcome.diagnoses
        ],
        "ties": {**outcome.ties.counts, "convention": outcome.ties.convention},
    }


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """What a wrong gradient is, as JSON; `left` is the share of the error that is not explained."""
    return {
        "mistake": explanation.mistake.name if explanation.mistake else None,
        "sentence": explanation.text,
        "certain": explanation.certain,
        "left": explanation.left,
        "only_where": explanation.where,
    }


def engine_document(engine: Agreement) -> dict[str, Any]:
    """The training engine's gradients against the textbook's as JSON."""
    return {
        "name": engine.name,
        "entries": engine.errors.size,
        "max_abs_error": float(engine.errors.max()),
        "share_of_bound": engine.share_of_bound,
        "passed": engine.passed,
    }


def check_document(check: Check) -> dict[str, Any]:
    """One derivative as JSON."""
    return {
        "name": check.name,
        "shape": check.shape[1:] if check.has_batch_axis and check.shape[0] == 1 else check.shape,
        "entries": len(check.entries),
        "max_abs_error": float(check.absolute_errors.max()),
        "max_rel_error": float(check.relative_errors.max()),
        "kinks": int(check.kinks.sum()),
        "units_on_kink": check.units,
        "failed": int(check.failed.sum()),
        "passed": check.passed,
        "verdict": check.verdict,
        "problem": check.problem or None,
        "worst": [
            {
                "index": check.index(which),
                "value": float(check.analytic[which]),
                "expected": float(check.numeric[which]),
                "below": float(check.below[which]),
                "above": float(check.above[which]),
            }
            for which in check.most_wrong(WORST)
        ],
    }


def print_outcome(outcome: Outcome, what: str, *, strict: bool = False) -> None:
    """One row per derivative and one per link, what is wrong and where, the verdict; `what` says whose gradients.

    `strict`: a kink is a failure.
    """
    out = stdout()
    out.print(_header(outcome, what), soft_wrap=True)
    _print_checks("derivative, through to L", outcome.checks)
    if outcome.links:
        _print_checks("link, given its gradient", outcome.links)
    if outcome.engines:
        _print_engines(outcome.engines)
    if outcome.no_engines:
        out.print(f"engines: not compared, for {outcome.no_engines}", soft_wrap=True)
    for check in (*outcome.checks, *outcome.links):
        for line in explanations(check):
            out.print(line, soft_wrap=True)
    if outcome.first_wrong_link:
        out.print(_tell_first_wrong(outcome.first_wrong_link), soft_wrap=True)
    for diagnosis in outcome.diagnoses:
        out.print(f"diagnosis: {diagnosis.sentence}", soft_wrap=True)
    out.print(_ties(outcome), soft_wrap=True)
    out.print(_tell_verdict(outcome, strict=strict), soft_wrap=True)


def _tell_verdict(outcome: Outcome, *, strict: bool) -> Text:
    checks = [*outcome.checks, *outcome.links]
    everything: list[Check | Agreement] = [*checks, *outcome.engines]
    wrong = [check.label for check in everything if not check.passed]
    kinked = [check.label for check in checks if check.verdict == "KINK"]
    if wrong or (strict and kinked):
        said = [", ".join(wrong)] if wrong else []
        said += [f"{', '.join(kinked)}: {STRICT}"] if strict and kinked else []
        return Text(f"FAIL: {'; '.join(said)}", STYLES["FAIL"])
    derivatives = count(len(outcome.checks), "derivative", "derivatives")
    entries = count(sum(len(check.entries) for check in checks), "entry", "entries")
    counted = f"PASS: {derivatives} and {count(len(outcome.links), 'link', 'links')}, {entries}"
    return Text(f"{counted}; {BETWEEN}" if kinked else counted, STYLES[outcome.verdict])


def explanations(check: Check) -> list[str]:
    """The worst entries of a derivative that failed, the units on a kink of one that did not."""
    if check.problem:
        return [f"{check.label} {check.problem}"]
    if check.verdict == "FAIL":
        wrong = int(check.failed.sum())
        counted = f"{wrong:,} of {len(check.entries):,} entries {'are' if wrong > 1 else 'is'}"
        lines = [f"{check.label}: {counted if len(check.entries) > 1 else 'its one entry is'} wrong"]
        return lines + [f"  {_entry(check, which)}" for which in check.most_wrong(WORST)]
    if check.verdict == "KINK":
        which = int(np.flatnonzero(check.kinks)[0])
        return [
            f"{check.label}: {count(int(check.kinks.sum()), 'entry', 'entries')} on a kink "
            f"({', '.join(check.units[:WORST]) or 'in reach'}); "
            f"{list(check.index(which))}: {check.analytic[which]:.6g} lies between the one-sided derivatives "
            f"{check.below[which]:.6g} and {check.above[which]:.6g}"
        ]
    return []


def print_error_map(outcome: Outcome, name: str) -> None:
    """The error of one derivative, entry by entry; 0 where it was not checked or sits on a kink."""
    check = next(check for check in outcome.checks if check.name == name)
    errors = np.zeros(check.shape)
    errors.ravel()[check.entries] = np.where(check.kinks, 0, check.analytic - check.numeric)
    out = stdout()
    out.print(f"the error of {name}:", soft_wrap=True)
    single = errors[0] if check.has_batch_axis and len(errors) == 1 else errors
    out.print(grid(single, out.width, Look())[0], soft_wrap=True)


def _header(outcome: Outcome, what: str) -> str:
    gradcheck = outcome.gradcheck
    subject, architecture = gradcheck.subject, gradcheck.subject.architecture
    images = subject.images[0] if len(subject.images) == 1 else f"{len(subject.images)} images"
    sample = f"{gradcheck.sample} entries of each, " if gradcheck.sample else ""
    return (
        printable(f"{images}, weights: {subject.origin}") + "\n"
        f"{architecture.height}×{architecture.width}×{architecture.channels}, "
        f"{architecture.summary}, "
        f"{architecture.classes} classes: {build_chain(architecture).parameter_count:,} parameters\n"
        f"{what}; {gradcheck.method}, {sample}seed {gradcheck.seed}"
    )


def _print_checks(heading: str, checks: Any) -> None:
    table = Table(heading, "shape")
    kinks = any(check.kinks.any() for check in checks)
    for title in ("entries", "abs err", "rel err", *(["kinks"] if kinks else [])):
        table.add_column(title, justify="right")
    table.add_column("verdict")
    for check in checks:
        document = check_document(check)
        table.add_row(
            check.label,
            "×".join(map(str, document["shape"])) or "1",
            f"{len(check.entries):,}",
            f"{document['max_abs_error']:.1e}",
            f"{document['max_rel_error']:.1e}",
            *([f"{check.kinks.sum():,}"] if kinks else []),
            Text(check.verdict, STYLES[check.verdict]),
        )
    print_table(table)


def _print_engines(engines: Sequence[Agreement]) -> None:
    table = Table("engine")
    for title in ("entries", "abs err", "of float32's bound"):
        table.add_column(title, justify="right")
    table.add_column("verdict")
    for engine in engines:
        verdict = "PASS" if engine.passed else "FAIL"
        table.add_row(
            engine.name,
            f"{engine.errors.size:,}",
            f"{engine.errors.max():.1e}",
            f"{engine.share_of_bound:.1%}",
            Text(verdict, STYLES[verdict]),
        )
    print_table(table)


def _tell_first_wrong(check: Check) -> str:
    if check.problem:
        return f"{check.label} is the first wrong link: it {check.problem}"
    return f"{check.label} is the first wrong link; worst entry {_entry(check, check.worst)}"


def _entry(check: Check, which: int) -> str:
    got, want = tell_apart(check.analytic[which], check.numeric[which])
    text = f"{list(check.index(which))}: {got} instead of {want}"
    if check.below[which] != check.above[which]:
        below, above = tell_apart(check.below[which], check.above[which])
        text += f" (one-sided: {below} and {above})"
    return text


def _ties(outcome: Outcome) -> str:
    ties = outcome.ties
    counted = ", ".join(f"{count:,} {ties.words[sort]}" for sort, count in ties.counts.items())
    return f"kinks: {counted}\nconvention: {ties.convention}"
