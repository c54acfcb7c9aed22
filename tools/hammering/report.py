"""What a run of the hammer found."""

from collections import Counter
from dataclasses import dataclass, field

from tools.hammering.frame import KINDS, Outcome


@dataclass
class Report:
    """The outcomes of a run, counted; every failure with the line that repeats it."""

    subject: str
    seed: int
    tried: int = 0
    inputs: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    peak: int = 0
    slowest: float = 0.0

    def add(self, number: int, outcome: Outcome) -> None:
        """One more."""
        self.tried += 1
        self.inputs += outcome.inputs
        self.codes["none" if outcome.code is None else str(outcome.code)] += 1
        self.peak = max(self.peak, outcome.peak)
        self.slowest = max(self.slowest, outcome.seconds)
        for kind in {problem.kind for problem in outcome.problems}:
            self.problems[kind] += 1
        if outcome.problems:
            what = "; ".join(f"{problem.kind}: {problem.detail}" for problem in outcome.problems)
            repeat = f"python tools/hammer.py {self.subject} --only {self.seed}:{number}"
            self.failures.append(f"{repeat}\n    {what!r}\n    {outcome.description!r}")

    def text(self, seconds: float) -> str:
        """For people."""
        found = ", ".join(f"{self.problems[kind]} {kind}" for kind in KINDS)
        inputs = f"{self.inputs:,} inputs in {self.tried:,} runs"
        codes = ", ".join(f"{code}: {count:,}" for code, count in sorted(self.codes.items()))
        return "\n".join(
            [
                *self.failures,
                f"{self.subject}: {inputs}, seed {self.seed}, {seconds:,.0f} s: {found}",
                f"    exit codes {codes}; at most {self.peak / 2**20:,.0f} MB and {self.slowest:.1f} s",
            ]
        )
