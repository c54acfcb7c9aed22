"""`cnncli train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cnncli.cli.flags import flag
from cnncli.cli.options import (
    NETWORK_OPTIONS,
    OUTPUT,
    SEED_OPTION,
    THREADS_HELP,
    UNCHECKED,
    Force,
    TableOrJson,
    fraction,
    gather,
    option,
    positive,
)
from cnncli.data.settings import LARGEST_OWN_SIZE, LARGEST_SIDE, Channels
from cnncli.network.engine_names import ENGINE_VARIABLE, EngineName
from cnncli.training.settings import (
    AUGMENTATIONS,
    DEFAULT_LEARNING_RATE,
    DEFAULT_WARM_UP,
    VALIDATION_FRACTION,
    ClassWeights,
    OptimiserName,
    RecipeName,
    ScheduleName,
    TrainingSettings,
)

TRAINING, IMAGES = "Training", "Images"  # headings of the help
RATES = ", ".join(f"{rate} for {name}" for name, rate in DEFAULT_LEARNING_RATE.items())

WARM_UP = f"{DEFAULT_WARM_UP['one-cycle']} for one-cycle, else 0"
KINDS = "; ".join(f"{name}: {kind.help}" for name, kind in AUGMENTATIONS.items())


def _split(text: str | None) -> tuple[str, ...]:
    """The words of a list with commas."""
    return tuple(text.split(",")) if text else ()


# One entry for each field of TrainingSettings that an option sets.
TRAINING_OPTIONS = (
    option(
        "recipe",
        RecipeName,
        TrainingSettings.recipe,
        panel=TRAINING,
        help="quick: a first answer in seconds; best: slower, and better on real photos. Other options win over it.",
    ),
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
        help="adam; adamw: with the decay apart; sgd: gradient descent with momentum.",
    ),
    option("momentum", float, TrainingSettings.momentum, panel=TRAINING, help="Of sgd."),
    option(
        "weight_decay",
        float,
        TrainingSettings.weight_decay,
        panel=TRAINING,
        help="How strongly weights are pulled to 0.",
    ),
    option(
        "schedule",
        ScheduleName,
        TrainingSettings.schedule,
        panel=TRAINING,
        help="How the learning rate goes: constant; cosine: falls to 0; one-cycle: rises, then falls to 0.",
    ),
    option("warm_up", float | None, panel=TRAINING, help=f"Share of the steps in which it rises; {WARM_UP}."),
    option(
        "augment",
        str | None,
        panel=TRAINING,
        metavar="NAME[=AMOUNT][,…]",
        callback=_split,
        help=f"Change each image a little in every epoch. {KINDS}.",
    ),
    option(
        "label_smoothing",
        float,
        TrainingSettings.label_smoothing,
        panel=TRAINING,
        help="Share of each label that is spread over all classes.",
    ),
    option(
        "class_weights",
        ClassWeights,
        TrainingSettings.class_weights,
        panel=TRAINING,
        help="balanced: every class counts alike, however few images it has.",
    ),
    option("clip_norm", float | None, panel=TRAINING, help="The largest norm of all gradients together."),
    option("early_stop", int | None, panel=TRAINING, min=1, help="Stop after so many epochs without a better one."),
    option("init", Path | None, panel=TRAINING, metavar="MODEL", help="Start from its weights; classes may differ."),
    option("resume", bool, panel=TRAINING, help="Go on with the run in RUN where it stopped."),
    option(
        "checkpoint_minutes",
        float | None,
        panel=TRAINING,
        help="Store what a resume needs so often, beside after each epoch and when a signal stops it.",
    ),
    option(
        "threads",
        int | None,
        panel=TRAINING,
        min=1,
        help=THREADS_HELP,
    ),
    option(
        "engine",
        EngineName,
        TrainingSettings.engine,
        panel=TRAINING,
        help=f"What computes; auto is the fastest that takes the network, or what {ENGINE_VARIABLE} says.",
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
    config: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=TRAINING, metavar="FILE", help="Settings: a .toml, or a run's settings.json; options win."
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            rich_help_panel=OUTPUT,
            help="Read the images, time some steps, tell what the training would be, and keep nothing.",
        ),
    ] = False,
    force: Force = False,
    format: TableOrJson = "table",  # noqa: A002
    quiet: Quiet = False,
    details: Annotated[
        bool,
        typer.Option(
            "--details",
            rich_help_panel=OUTPUT,
            help="After each epoch: how far the weights move, dead units, who wins the windows.",
        ),
    ] = False,
) -> None:
    """Train a network on a folder of images.

    Makes a run folder with the best epoch's model, the history of the epochs, the split and the settings, and with what
    --resume needs: a training that was stopped and is resumed gives the same model as one that was not.
    """
    from cnncli import api
    from cnncli.distributed.launch import world
    from cnncli.reports.console import print_json
    from cnncli.reports.training.progress import TrainingReport, print_summary, summary_document
    from cnncli.reports.training.rehearsal import print_rehearsal, rehearsal_document

    settings = {"config": config, "force": force, **chosen, **network}
    with TrainingReport(flag, quiet=quiet, details=details, rows_to_stdout=format == "table") as report:
        if dry_run:
            rehearsal = api.rehearse(data, watcher=report, communicator=world(), **settings)
        else:
            summary = api.train(data, watcher=report, communicator=world(), **settings)
    if format == "json":
        print_json(rehearsal_document(rehearsal, flag) if dry_run else summary_document(summary, flag))
    elif dry_run:
        print_rehearsal(rehearsal)
    else:
        print_summary(summary)
    if dry_run:
        rehearsal.require_readable()
