"""What a check of a vector-Jacobian product found, as numbers and as sentences."""

from dataclasses import dataclass, field
from typing import Any, Literal

from cnncli.text import count, tell_apart

Verdict = Literal["PASS", "FAIL", "CANNOT TELL"]
ON_KINK = "on a kink, between the one-sided derivatives"


@dataclass(frozen=True)
class EntryResult:
    """One entry of the gradient of one input that is wrong, or on a kink."""

    input: int
    index: tuple[int, ...]
    got: float
    want: float  # by differences; on a kink the mean of both sides
    error: float  # that `want` may have
    below: float  # the one-sided derivatives; both are `want` where there is no kink
    above: float
    order: float = float("nan")  # of the Taylor remainder with what was got: 2 if right, 1 if wrong

    @property
    def ratio(self) -> float:
        """got / want; NaN where want is 0."""
        return self.got / self.want if self.want else float("nan")

    def __str__(self) -> str:
        """Index, got, want and ratio."""
        place = f"input {self.input} at {list(self.index)}"
        if abs(self.above - self.below) > 2 * self.error:
            got, below, above = tell_apart(self.got, self.below, self.above, digits=9)
            return f"{place}: got {got}, the one-sided derivatives are {below} and {above}"
        ratio = f", ratio {self.ratio:.6g}" if self.ratio == self.ratio else ""
        order = f", Taylor remainder of order {self.order:.1f}" if self.order == self.order else ""
        got, want = tell_apart(self.got, self.want, digits=9)
        return f"{place}: got {got}, want {want} ± {self.error:.1g}{ratio}{order}"


@dataclass(frozen=True)
class VjpCheck:
    """The outcome. PASS: every gradient agrees; FAIL: `wrong` or `why` tells; CANNOT TELL: `why` tells."""

    verdict: Verdict
    why: str
    function: str
    shapes: tuple[str, ...]  # of the inputs: "float64 (3, 4)"
    seed: int
    method: str
    wrong: tuple[EntryResult, ...] = ()
    kinks: tuple[EntryResult, ...] = ()
    diagnosis: tuple[str, ...] = ()
    entries: int = 0
    calls: int = 0
    remarks: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether the verdict is PASS."""
        return self.verdict == "PASS"

    def fails(self, *, strict: bool) -> bool:
        """Whether it counts as a failure: all but PASS, and what lies on a kink if `strict`."""
        return not self.passed and (strict or self.why != ON_KINK)

    def __str__(self) -> str:
        """The verdict, the worst entries, the diagnosis and the case."""
        lines = [f"{self.verdict}: {self.function}" + (f": {self.why}" if self.why else "")]
        lines += [f"  {entry}" for entry in (*self.wrong, *self.kinks)[:3]]
        lines += [f"  diagnosis: {sentence}" for sentence in self.diagnosis]
        lines += [f"  {remark}" for remark in self.remarks]
        lines.append(
            f"  case: {', '.join(self.shapes)}, seed {self.seed}; {count(self.entries, 'entry', 'entries')}, "
            f"{self.method}, {count(self.calls, 'call', 'calls')} of f"
        )
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "passed": self.passed,
            "verdict": self.verdict,
            "function": self.function,
            "why": self.why or None,
            "inputs": list(self.shapes),
            "seed": self.seed,
            "method": self.method,
            "entries": self.entries,
            "calls": self.calls,
            "wrong": [_document(entry) for entry in self.wrong],
            "kinks": [_document(entry) for entry in self.kinks],
            "diagnosis": list(self.diagnosis),
            "remarks": list(self.remarks),
        }


def _document(entry: EntryResult) -> dict[str, Any]:
    names = ("input", "got", "want", "error", "below", "above", "ratio")
    return {"index": list(entry.index), **{name: getattr(entry, name) for name in names}}
