"""The page's script as one piece: its modules, each in a function of its own, in the order of their imports."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from posixpath import dirname, join, normpath

IMPORT = re.compile(r'^import \{ (.+?) \} from "(.+?)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|function\*?|class) (\w+))", re.MULTILINE)
INDENT = re.compile(r"^ +", re.MULTILINE)  # no text of the page spans lines
COMMENT = re.compile(r"^ *(?://.*|/\*\*.*\*/)\n", re.MULTILINE)  # lines that are comments alone


@cache
def script(*paths: str) -> str:
    """The text of a script element of type module: some modules and all that they import."""
    seen: set[str] = set()
    return "".join(text for path in paths if path not in seen for text in _modules(path, seen))


@cache
def style() -> str:
    """The style sheet."""
    return _read("style.css")


def _modules(path: str, seen: set[str]) -> Iterator[str]:
    """A module after all that it imports, each once."""
    seen.add(path)
    text = _read(f"script/{path}")
    for _, other in IMPORT.findall(text):
        if (needed := _resolve(path, other)) not in seen:
            yield from _modules(needed, seen)
    yield _enclose(path, text)


def _enclose(path: str, text: str) -> str:
    """`const _grid = (() => { … return { NumberGrid }; })();`: no name of one module meets that of another."""
    body = IMPORT.sub(lambda match: f"const {{ {match[1]} }} = {_variable(_resolve(path, match[2]))};\n", text)
    exported = ", ".join(EXPORT.findall(body))
    body = INDENT.sub("", COMMENT.sub("", EXPORT.sub("", body))).strip()
    return f"const {_variable(path)} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n"


def _resolve(path: str, other: str) -> str:
    return normpath(join(dirname(path), other))


def _variable(path: str) -> str:
    return "_" + re.sub(r"\W", "_", path.removesuffix(".js"))


def _read(path: str) -> str:
    return resources.files(__package__).joinpath(path).read_text("utf-8")
