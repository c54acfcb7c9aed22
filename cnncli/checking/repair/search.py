"""The search: which edit, or which few of them, make all right that is wrong."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import NamedTuple

from cnncli.checking.repair.edits.joint import list_joint_edits
from cnncli.checking.repair.edits.list import list_edits
from cnncli.checking.repair.edits.reach import find_reachable
from cnncli.checking.repair.source import Edit, Source, cut_statement
from cnncli.checking.repair.versions import Shares, Versions

PROMISING = 4  # of the edits that make something better, how many are gone on from
SURVIVORS = 6  # versions that are right in the cases of the trial, how many are checked in full
WEIGHT = 10  # of what an edit gains against what it costs
CHUNK = 150  # edits that are tried before the best of what survives is checked

Faults = frozenset[tuple[str, str]]  # in which case what is wrong


class Verified(NamedTuple):
    """What is wrong with a text of the file, and in how many cases it was called."""

    left: Faults
    cases: int


Verify = Callable[[str], Verified | None]  # None where it cannot be told, or nothing is better


class Change(NamedTuple):
    """Lines of the file, and what stands there instead."""

    line: int  # of the first, from 1 on
    before: tuple[str, ...]  # none where something is added
    after: tuple[str, ...]  # none where something is left out


@dataclass(frozen=True)
class Repair:
    """What makes a function right."""

    changes: tuple[Change, ...]
    mended: frozenset[str]  # what is right in every case then: "dL/dX"
    left: frozenset[str]  # what is wrong all the same: another mistake
    cases: int  # in which it was tried


def find_repair(
    text: str, name: str, right: Collection[str], versions: Versions, faults: Faults, verify: Verify
) -> Repair | None:
    """The likeliest small change of a file after which a function of it is right in every case; None without one.

    `right` are functions of the file that need no change. Of several mistakes that may be one alone.
    Raises ChildEnded where the function ends the process.
    """
    found = _Search(Source(text), name, right, versions, faults, verify).find()
    if not found:
        return None
    repaired, (faults_left, cases) = found
    wrong, left = _list_kinds(faults), _list_kinds(faults_left)
    return Repair(_list_changes(text, repaired), wrong - left, left, cases)


@dataclass
class _Search:
    source: Source
    name: str
    right: Collection[str]
    versions: Versions
    faults: Faults
    verify: Verify
    best: tuple[str, Verified] | None = None

    def find(self) -> tuple[str, Verified] | None:
        """The text of the file after the repair, and what is left wrong; one that leaves nothing, if there is one."""
        unchanged = self.versions.try_unchanged()
        promising: list[tuple[float, Edit]] = []
        for lister in (list_edits, list_joint_edits):
            if self.versions.is_over:
                return self.best
            edits = lister(self.source, self._reachable(self.source))
            if self._try_all(self.source, edits, [], unchanged, promising):
                return self.best
        for _, first in sorted(promising, key=lambda pair: pair[0])[:PROMISING]:
            if self.versions.is_over:
                return self.best
            source = Source(first.apply(self.source.text))
            edits = list_edits(source, self._reachable(source))
            if self._try_all(source, edits, [cut_statement(self.source, first)], unchanged, []):
                return self.best
        return self.best

    def _reachable(self, source: Source) -> Collection[str]:
        return find_reachable(source, self.name) - set(self.right)

    def _try_all(
        self,
        source: Source,
        edits: Iterable[Edit],
        before: Sequence[str],
        unchanged: Shares,
        promising: list[tuple[float, Edit]],
    ) -> bool:
        """Whether one of the edits leaves nothing wrong; what makes something better goes to the promising ones."""
        remaining = iter(edits)
        while not self.versions.is_over and (chunk := list(islice(remaining, CHUNK))):
            survivors: list[Edit] = []
            for edit, shares in zip(chunk, self.versions.try_edits(source, chunk, before), strict=False):
                if _repairs(shares, unchanged):
                    survivors.append(edit)
                if gain := _measure_gain(shares, unchanged):
                    promising.append((edit.cost - WEIGHT * gain, edit))
            for edit in sorted(survivors, key=lambda edit: edit.cost)[:SURVIVORS]:
                if not self.versions.is_late and self._accept(edit.apply(source.text)):
                    return True
        return False

    def _accept(self, text: str) -> bool:
        """Whether nothing is left wrong; of several that leave something the first is kept."""
        verified = self.verify(text)
        if verified is None or not _list_kinds(verified.left) < _list_kinds(self.faults):
            return False
        if not verified.left or self.best is None:
            self.best = text, verified
        return not verified.left


def _list_kinds(faults: Faults) -> frozenset[str]:
    """What is wrong, wherever."""
    return frozenset(what for _, what in faults)


def _repairs(shares: Shares, unchanged: Shares) -> bool:
    """Whether a gradient that was wrong is right in all cases of the trial, and none is worse."""
    if len(shares) < len(unchanged) or _is_worse(shares, unchanged):
        return False
    wrong = {name for case in unchanged for name, share in case.items() if share < 1}
    return any(all(case.get(name, 1) == 1 for case in shares) for name in wrong)


def _is_worse(shares: Shares, unchanged: Shares) -> bool:
    return any(
        share < before[name] for case, before in zip(shares, unchanged, strict=False) for name, share in case.items()
    )


def _measure_gain(shares: Shares, unchanged: Shares) -> float:
    """By how much more of the entries are right, from 0 to 1, where none is worse; 0 where one is."""
    if len(shares) < len(unchanged) or _is_worse(shares, unchanged):
        return 0.0
    gains = [
        share - before[name] for case, before in zip(shares, unchanged, strict=True) for name, share in case.items()
    ]
    return sum(gains) / len(gains)


def _list_changes(before: str, after: str) -> tuple[Change, ...]:
    """The lines in which two texts differ."""
    old, new = before.split("\n"), after.split("\n")  # str.splitlines ends a line at more characters than Python
    return tuple(
        Change(start + 1, tuple(old[start:end]), tuple(new[first:last]))
        for tag, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    )
