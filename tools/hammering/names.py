"""Names of files and classes that somebody means ill with, or that just happen."""

import os
from random import Random

PARTS = (
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "two\nlines",
    "tab\tcarriage\rreturn",
    "[red]markup[/red]",
    "[/]",
    os.fsdecode(b"\xff\xfe"),
    os.fsdecode(b"half\xc3"),
    "\u202eright to left",
    "wide 漢字 ü e\u0301",
    "\U0001f600",
    "\x9b31m",
    "\x7f",
    "-m",
    "--help",
    "-",
    " ",
    "'quoted' \"twice\"",
    "$HOME `id` %s {0} {x!r}",
    "a,b;c",
    "=1+1",
    "dot.",
    "con",
)


def hostile(random: Random, suffix: str = "") -> str:
    """One such name, of at most 255 bytes, with a suffix."""
    name = random.choice(PARTS) if random.random() < 0.7 else "".join(random.choices(PARTS, k=3))
    if random.random() < 0.1:
        name += "x" * 300
    name = name.replace("/", "∕")  # a slash would be a folder
    room = 255 - len(suffix)
    return os.fsdecode(os.fsencode(name)[:room]) + suffix


def any_name(random: Random, suffix: str, share: float = 0.1) -> str:
    """A plain name, sometimes a hostile one."""
    return hostile(random, suffix) if random.random() < share else f"file{suffix}"
