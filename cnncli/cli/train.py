"""`cnncli train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cnncli.cli.options import (
    NETWORK_OPTIONS,
    OUTPUT,
    SEED_OPTION,
    UNCHECKED,
    Force,
    TableOrJson,
    fraction,
    gather,
    option,
    positive,
)
from cnncli.data.settings import LARGEST_OWN_SIZE, LARGEST_SIDE, Channels
from cnncli.training.settings import DEFAULT_LEARNING_RATE, VALIDATION_FRACTION, OptimiserName, TrainingSettings

TRAINING, IMAGES = "Training", "Images"  # headings of the help
RATES = ", ".join(f"{rate} for {name}" for name, rate in DEFAULT_LEARNING_RATE.items())

# One entry for each field of TrainingSettings that an option sets.
TRAINING_OPTIONS = (
    option("epochs", int, TrainingSettings.epochs, panel=TRAINING, min=1, help="Passes over the training images."),
    option("batch_size", int, TrainingSettings.batch_size, panel=TRAINING, min=1, help="Images in one step."),
    option(
        "learning_rate",
        float | None,
        panel=TRAINING,
        callback=positive,
        help=f"Learning rate; {RATES} if not given.",
    ),
    option(
        "optimizer",
        OptimiserName,
        TrainingSettings.optimizer,
        panel=TRAINING,
        help="adam, or sgd: gradient descent with momentum 0.9.",
    ),
    option(
        "threads",
        int | None,
        panel=TRAINING,
        min=1,
        help="Processor cores that compute; all if not given. Changes no result.",
    ),
    option(
        "image_size",
        int | None,
        panel=IMAGES,
        min=1,
        max=LARGEST_SIDE,
        help="Scale images to N×N (proportions kept, cropped at the centre); "
        f"their own size if all share one of at most {LARGEST_OWN_SIZE}, else {LARGEST_OWN_SIZE}.",
    ),
    option("channels", Channels, TrainingSettings.channels, panel=IMAGES, help="auto is gray where every image is."),
    option(
        "validation_fraction",
        float | None,
        panel=IMAGES,
        callback=fraction,
        help=f"Share of each class for validation, where DATA brings none; {VALIDATION_FRACTION} if not given.",
    ),
    option("skip_bad", bool, panel=IMAGES, help="Leave out images that cannot be read."),
    SEED_OPTION,
    option(
        "out",
        Path | None,
        panel=OUTPUT,
        metavar="RUN",
        help="The run folder to make; runs/NAME of the data where not given.",
    ),
)
Data = Annotated[
    Path,
    typer.Argument(
        **UNCHECKED,
        metavar="DATA",
        help="A folder with one folder of images for each class, or with train/ and val/ of such.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", rich_help_panel=OUTPUT, help="Nothing on stderr but errors.")]


@gather("chosen", TRAINING_OPTIONS)
@gather("network", NETWORK_OPTIONS)
def train(
    *,
    context: typer.Context,  # noqa: ARG001  it tells `gather` what was given
    data: Data,
    chosen: Mapping[str, Any],
    network: Mapping[str, Any],
    force: Force = False,
    format: TableOrJson = "table",  # noqa: A002
    quiet: Quiet = False,
) -> None:
    """Train a network on a folder of images.

    Makes a run folder with the best epoch's model, the history of the epochs, the split and the settings.
    """
    from cnncli import api
    from cnncli.reports.console import print_json
    from cnncli.reports.training.progress import TrainingReport, print_summary, summary_document

    with TrainingReport(quiet=quiet) as report:
        summary = api.train(data, watcher=report, force=force, **chosen, **network)
    if format == "json":
        print_json(summary_document(summary))
    else:
        print_summary(summary)
