"""`cnncli predict`."""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cnncli.cli.modes import refuse
from cnncli.cli.options import OUTPUT, UNCHECKED, Force, ModelPath, Threads, is_given
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.prediction import Answer, Unreadable

STDIN = Path("-")
EXAMPLES = """\b
Examples:
  cnncli predict photo.jpg -m runs/photos
      the class of one image
  find /photos -name '*.jpg' | cnncli predict - -m runs/photos --format jsonl
      a line for each path that comes, as it comes
  cnncli predict photo.jpg -m runs/photos --saliency why
      and a picture of the pixels that the answer depends on
"""
Images = Annotated[
    list[Path],
    typer.Argument(
        **UNCHECKED,
        metavar="IMAGE…",
        help="Image files, and folders of them (recursively); - reads paths from stdin, one a line.",
    ),
]
TopK = Annotated[
    int | None,
    typer.Option(min=1, rich_help_panel=OUTPUT, help="Show the N most probable classes; 1 in a table, all in JSON."),
]
Format = Annotated[
    Literal["table", "json", "jsonl", "csv"],
    typer.Option(
        "--format",
        rich_help_panel=OUTPUT,
        help="table: for people; json, jsonl (a document a line), csv: for other programs.",
    ),
]
Saliency = Annotated[
    Path | None,
    typer.Option(
        **UNCHECKED,
        metavar="DIR",
        rich_help_panel=OUTPUT,
        help="Write a picture of each image with |dL/dX| laid over it; L is that of the predicted class.",
    ),
]


def predict(
    *,
    context: typer.Context,
    images: Images,
    model: ModelPath,
    top_k: TopK = None,
    format: Format = "table",  # noqa: A002
    saliency: Saliency = None,
    force: Force = False,
    threads: Threads = None,
) -> None:
    """Tell the class of images, a row for each in the order given.

    An image that cannot be read gets its reason in its row, and the exit code is 3.
    """
    if format == "csv" and is_given(context, "top_k"):
        refuse("--format csv", ["--top-k"])

    from cnncli.distributed.launch import world
    from cnncli.model import load_model
    from cnncli.prediction import predict as classify
    from cnncli.reports.predictions import SHOW

    network = world().first(lambda: load_model(model))
    answers: Iterator[Answer] = chain.from_iterable(
        classify(group, network, threads, world()) for group in world().follow(_group(images))
    )
    if saliency is None and force:
        raise UsageError("--force has nothing to replace: leave it out, or name a folder with --saliency")
    if saliency is not None and world().leads:
        from cnncli.reports.saliency import SaliencyFolder

        answers = SaliencyFolder(saliency, force=force).draw(answers, network)
    unreadable: list[Unreadable] = []
    SHOW[format](_note_unreadable(answers, unreadable), network.classes, top_k)
    if unreadable:
        raise typer.Exit(3)


def _note_unreadable(answers: "Iterable[Answer]", unreadable: "list[Unreadable]") -> "Iterator[Answer]":
    """The answers, and a note of those that are none."""
    from cnncli.prediction import Unreadable

    for answer in answers:
        if isinstance(answer, Unreadable):
            unreadable.append(answer)
        yield answer


def _group(images: Iterable[Path]) -> Iterator[list[Path]]:
    """Images that are answered together; from stdin as many as have come, so that none waits for the next."""
    for from_stdin, group in groupby(images, STDIN.__eq__):
        if from_stdin:
            from cnncli.cli.paths import read_paths

            yield from read_paths()
        else:
            yield list(group)
