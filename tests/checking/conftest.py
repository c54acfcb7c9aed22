"""What the tests of checks share: the cases that functions are called with, which are the same each time."""

from functools import cache

import pytest

from cnncli.checking.user_code import checks, findings, situations

MAKE = cache(situations.make_situations)


@pytest.fixture(autouse=True)
def cases_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (checks, findings, situations):
        monkeypatch.setattr(module, "make_situations", MAKE)
