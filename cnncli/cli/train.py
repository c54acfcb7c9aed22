"""`cnncli train`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cnncli.cli.options import TABLE_OR_JSON, Filters, Kernel, Pool, Quiet, Seed, fraction, parse_filters, positive


def train(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="A folder with one folder of images for each class, or with train/ and val/ of such."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="RUN", help="The run folder to make; runs/NAME of the data where not given."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images.")] = 20,
    batch_size: Annotated[int, typer.Option(min=1, help="Images in one step.")] = 32,
    lr: Annotated[
        float | None, typer.Option(callback=positive, help="Learning rate; 0.003 for adam, 0.02 for sgd if not given.")
    ] = None,
    optimizer: Annotated[
        Literal["adam", "sgd"], typer.Option(help="adam, or sgd: gradient descent with momentum 0.9.")
    ] = "adam",
    filters: Filters = "8",
    kernel: Kernel = 3,
    pool: Pool = 2,
    image_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="Scale images to N×N (proportions kept, cropped at the centre); "
            "their own size if all share one of at most 64, else 64.",
        ),
    ] = None,
    channels: Annotated[
        Literal["auto", "gray", "rgb"], typer.Option(help="auto is gray where every image is.")
    ] = "auto",
    val_fraction: Annotated[
        float | None,
        typer.Option(
            callback=fraction, help="Share of each class for validation, where DATA brings none; 0.2 if not given."
        ),
    ] = None,
    seed: Seed = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor cores that compute; all if not given. Changes no result.")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out images that cannot be read.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the run in an existing folder.")] = False,
    format: Annotated[Literal["table", "json"], typer.Option(help=TABLE_OR_JSON)] = "table",  # noqa: A002
    quiet: Quiet = False,
) -> None:
    """Train a network on a folder of images.

    Makes a run folder with the best epoch's model, the history of the epochs, the split and the settings.
    """
    blocks = parse_filters(filters)

    from cnncli.reports.console import print_json
    from cnncli.reports.training.progress import TrainingReport, print_summary, summary_document
    from cnncli.training.run import TrainingSettings, run_training

    settings = TrainingSettings(
        data=data,
        out=out,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=lr,
        optimizer=optimizer,
        filters=blocks,
        kernel=kernel,
        pool=pool,
        image_size=image_size,
        channels=channels,
        validation_fraction=val_fraction,
        seed=seed,
        threads=threads,
        skip_bad=skip_bad,
        force=force,
    )
    with TrainingReport(quiet=quiet) as report:
        summary = run_training(settings, report)
    if format == "json":
        print_json(summary_document(summary))
    else:
        print_summary(summary)
