"""Make again what the documents show of the program: run it whenever an output or a help text changes.

    python tools/make_docs.py

Every console block of a document shows commands, "$ cnncli …", each followed by its real output, made here by running
it. A test runs the commands too and holds the documents against them. docs/commands.md is made whole, from the help.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

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
WIDTH = "80"


def documents() -> list[Path]:
    """The documents that show commands."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def run(command: str, folder: Path) -> str:
    """What `cnncli …` prints, as in a terminal of 80 columns without colour; train into `folder`."""
    environment = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "GITHUB_ACTIONS")}
    arguments = shlex.split(command.removeprefix("cnncli ").replace("runs/", f"{folder}/"))
    done = subprocess.run(  # noqa: S603  our own documents
        [sys.executable, "-m", "cnncli", *arguments],
        cwd=ROOT,
        env=environment | {"COLUMNS": WIDTH, "NO_COLOR": "1", "CNNCLI_ENGINE": "numpy"},  # which is everywhere
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    output = done.stdout.replace(f"{folder}/", "runs/")
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n") + "\n"


def refreshed(text: str, folder: Path) -> str:
    """A document with the output of each of its commands made anew; a line "…" in a block stands for what is left out.

    A block shows one command or several; the output of each ends at the next line that starts with "$ ".
    """

    def block(match: re.Match[str]) -> str:
        parts = re.split(r"^\$ ", match.group(1), flags=re.MULTILINE)[1:]
        return "```console\n" + "\n".join(_shown(part, folder) for part in parts) + "```"

    return BLOCK.sub(block, text)


def _shown(part: str, folder: Path) -> str:
    """One command with its output, cut where the document cuts it: a line "…" after the first N lines."""
    command, _, old = part.partition("\n")
    lines = run(command, folder).splitlines()
    kept = old.splitlines()
    if "…" in kept:
        head, tail = kept.index("…"), len([line for line in kept[kept.index("…") + 1 :] if line])
        lines = [*lines[:head], "…", *lines[len(lines) - tail :]]
    return f"$ {command}\n" + "".join(f"{line}\n" for line in lines)


def command_reference() -> str:
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
    draw_trace(ROOT / "docs" / "images" / "trace.svg")
    (ROOT / "docs" / "commands.md").write_text(command_reference(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for path in documents():
            path.write_text(refreshed(path.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
