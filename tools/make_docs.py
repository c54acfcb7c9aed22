"""Make again what the documents show of the program: run it whenever an output or a help text changes.

    python tools/make_docs.py

Every console block of a document shows commands, "$ cnncli …", each followed by its real output, made here by running
it. A test runs the commands too and holds the documents against them. docs/commands.md is made whole, from the help.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path
from types import TracebackType

from rich.console import Console

from cnncli.reports.drawing import svg_of
from cnncli.reports.look import Look
from cnncli.reports.trace.table import step_table
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import choose
from cnncli.tracing.trace import trace_image

ROOT = Path(__file__).parent.parent
COMMANDS = ("train", "predict", "evaluate", "export", "gradcheck", "trace", "info")
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
TERMINAL = {"COLUMNS": "80", "NO_COLOR": "1", "CNNCLI_ENGINE": "numpy"}  # an engine that is everywhere
COLOURS = ("FORCE_COLOR", "GITHUB_ACTIONS")  # variables that ask for colours
END = "\0\n"  # of the output of a command
SERVER = """
import json, os, sys
import cnncli.api, cnncli.cli.program, cnncli.cli.trace_views, cnncli.reports.trace.table
from cnncli.cli import app, main
for name in app.COMMANDS:
    app.load(name)
for line in open(os.dup(0)):
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["cnncli", *json.loads(line)]
        main()
    os.waitpid(child, 0)
    print("\\0", flush=True)
"""


class Commands:
    """Inside a `with`, call it for what `cnncli …` prints, as in a terminal of 80 columns without colour.

    The documents have dozens of commands: each runs in a fork of one process that has imported the program already.
    """

    def __enter__(self) -> "Commands":
        self._process = subprocess.Popen(  # noqa: S603  our own documents
            [sys.executable, "-c", SERVER],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name not in COLOURS} | TERMINAL,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        return self

    def __call__(self, command: str, folder: Path) -> str:
        """The output; `runs/` in it stands for the folder, into which the documents train."""
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        arguments = shlex.split(command.removeprefix("cnncli ").replace("runs/", f"{folder}/"))
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        output = "".join(takewhile(END.__ne__, self._process.stdout)).replace(f"{folder}/", "runs/")
        return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n") + "\n"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()


def documents() -> list[Path]:
    """The documents that show commands."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def refreshed(text: str, folder: Path, run: Commands) -> str:
    """A document with the output of each of its commands made anew; a line "…" in a block stands for what is left out.

    A block shows one command or several; the output of each ends at the next line that starts with "$ ".
    """

    def block(match: re.Match[str]) -> str:
        parts = re.split(r"^\$ ", match.group(1), flags=re.MULTILINE)[1:]
        return "```console\n" + "\n".join(_shown(part, folder, run) for part in parts) + "```"

    return BLOCK.sub(block, text)


def _shown(part: str, folder: Path, run: Commands) -> str:
    """One command with its output, cut where the document cuts it: a line "…" after the first N lines."""
    command, _, old = part.partition("\n")
    lines = run(command, folder).splitlines()
    kept = old.splitlines()
    if "…" in kept:
        head, tail = kept.index("…"), len([line for line in kept[kept.index("…") + 1 :] if line])
        lines = [*lines[:head], "…", *lines[len(lines) - tail :]]
    return f"$ {command}\n" + "".join(f"{line}\n" for line in lines)


def command_reference(run: Commands) -> str:
    """docs/commands.md, from the help texts."""
    parts = [
        "# Command reference",
        "Made from the program's own help by `tools/make_docs.py`; do not edit.",
        f"## cnncli\n\n```text\n{run('cnncli --help', ROOT)}```",
    ]
    parts += [f"## cnncli {name}\n\n```text\n{run(f'cnncli {name} --help', ROOT)}```" for name in COMMANDS]
    return "\n\n".join(parts) + "\n"


def draw_trace(path: Path) -> None:
    """The backward pass of the note's example, as it looks on a terminal."""
    only = ("Z1", "A1", "P1", "dL/dP1", "dL/dA1", "dL/dZ1", "dL/dw1")
    traced = trace_image(choose([], None, None, FreshNetwork())).only(only)

    def draw(console: Console) -> None:
        console.print("$ cnncli trace --only", ",".join(only), "\n")
        for step in traced.steps:
            console.print(step_table(step, 60, Look()))

    path.parent.mkdir(exist_ok=True)
    path.write_text(svg_of(draw), encoding="utf-8")


def main() -> None:
    """Rewrite the documents."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    draw_trace(ROOT / "docs" / "images" / "trace.svg")
    with tempfile.TemporaryDirectory() as folder, Commands() as run:
        (ROOT / "docs" / "commands.md").write_text(command_reference(run), encoding="utf-8")
        for path in documents():
            path.write_text(refreshed(path.read_text(encoding="utf-8"), Path(folder), run), encoding="utf-8")


if __name__ == "__main__":
    main()
