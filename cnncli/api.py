"""The public functions: what the commands do, as plain functions that return what they found."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncli.model import FilePath, Model, load_model
from cnncli.subject.fresh import SEED, FreshNetwork
from cnncli.subject.subject import choose
from cnncli.tracing.trace import Trace, trace_image

if TYPE_CHECKING:
    from cnncli.checking.gradcheck import Gradcheck
    from cnncli.checking.methods import Method
    from cnncli.checking.run import Outcome
    from cnncli.distributed.communicator import Communicator
    from cnncli.exporting.export import Exported
    from cnncli.training.evaluation import Evaluation, Split
    from cnncli.training.rehearsal import Rehearsal
    from cnncli.training.run import Summary, Watcher
    from cnncli.training.state import Epoch

# What only one of these functions needs is imported there: a trace does not wait for the code of a training.


class NotebookTrace(Trace):
    """A trace that a notebook shows as tables."""

    def _repr_html_(self) -> str:
        from cnncli.reports.look import Look
        from cnncli.reports.trace.html import render_fragment

        return render_fragment(self, Look())


def trace(
    image: FilePath | None = None,
    *,
    model: FilePath | Model | None = None,
    weights: FilePath | None = None,
    label: str | None = None,
    **network: Any,
) -> NotebookTrace:
    """Record one image's forward and backward pass; the result's ["dL/dw1"] is that derivative, a float64 array.

    Without arguments it is the note's 6×6 example; with `image` and `model` (a file, a run folder or a Model) a trained
    network; with `image` alone, or with `network`, one with random weights. `image` is an image file or a matrix of
    numbers (.csv, .txt, .npy); `weights` a file of parameters by name; `label` the name of the true class. `network`
    takes the fields of Architecture that can be chosen (filters, kernel, padding, pool, pooling) and image_size,
    channels ("gray" or "rgb"), classes and seed.

    Raises CnncliError: a UsageError for what does not fit together, a DataError or ModelError for a file.
    """
    subject = choose(
        [Path(image)] if image is not None else [],
        _as_model(model),
        label,
        FreshNetwork.of(_make_tuple(network)),
        Path(weights) if weights is not None else None,
    )
    traced = trace_image(subject)
    return NotebookTrace(traced.subject, traced.steps, traced.probabilities)


def gradcheck(
    images: FilePath | Sequence[FilePath] = (),
    *,
    model: FilePath | Model | None = None,
    label: str | None = None,
    against: FilePath | None = None,
    method: "Method" = "complex-step",
    sample: int | None = None,
    **network: Any,
) -> "Outcome":
    """Every entry of every derivative against a second opinion; the outcome's `passed` and `verdict` say how it went.

    The subject is chosen as for `trace`, and may have several images. `against` is an .npz file of gradients that were
    computed elsewhere; without it the textbook engine is checked, and the engines that can train against the textbook.
    `sample` checks so many entries of each tensor instead of all. Raises CnncliError.
    """
    check = prepare_gradcheck(
        images, model=model, label=label, against=against, method=method, sample=sample, **network
    )
    return complete_gradcheck(check)


def prepare_gradcheck(
    images: FilePath | Sequence[FilePath] = (),
    *,
    model: FilePath | Model | None = None,
    label: str | None = None,
    against: FilePath | None = None,
    method: "Method" = "complex-step",
    sample: int | None = None,
    **network: Any,
) -> "Gradcheck":
    """What `gradcheck` is going to check. Raises CnncliError."""
    from cnncli import memory
    from cnncli.checking.against import read_gradients
    from cnncli.checking.gradcheck import Gradcheck, engine_gradients
    from cnncli.checking.methods import EPS
    from cnncli.network.textbook import Textbook

    seed = network.get("seed", SEED)
    if model is not None and sample is not None:
        network.pop("seed", None)  # with a model the seed is that of the sample alone
    paths = [images] if isinstance(images, str | PathLike) else images
    subject = choose([Path(path) for path in paths], _as_model(model), label, FreshNetwork.of(_make_tuple(network)))
    estimate = partial(memory.estimate_gradcheck, images=len(subject.y))
    memory.require(estimate, subject.architecture, "such a check", fixed=model is not None)
    if against is not None:
        gradients, eps = read_gradients(Path(against), subject)
        return Gradcheck(subject, gradients, method, sample, seed, eps, foreign=True)
    return Gradcheck(subject, engine_gradients(Textbook(subject.architecture), subject), method, sample, seed, EPS)


def complete_gradcheck(check: "Gradcheck") -> "Outcome":
    """The outcome of a check; of our own gradients with the engines that can train such a network."""
    from cnncli.checking.agreement import compare_engine, fits_float32, join
    from cnncli.checking.run import run_gradcheck
    from cnncli.network.engines import usable_engines
    from cnncli.network.textbook import Textbook

    outcome = run_gradcheck(check)
    subject = check.subject
    if check.foreign:
        return outcome
    if not fits_float32(subject):
        return replace(outcome, no_engines="numbers as large as these overflow in float32, which training computes in")
    kinds = usable_engines(subject.architecture)
    compared = [kind for kind in kinds if kind is not Textbook] or kinds
    return outcome.add_engines(
        join(f"{kind.name} engine", compare_engine(kind(subject.architecture), subject)) for kind in compared
    )


def train(
    data: FilePath,
    *,
    config: FilePath | None = None,
    on_epoch: "Callable[[Epoch], None] | None" = None,
    watcher: "Watcher | None" = None,
    communicator: "Communicator | None" = None,
    **settings: Any,
) -> "Summary":
    """Train a network on a folder of images, one folder for each class; the best epoch's model is in the run folder.

    `settings` takes the fields of TrainingSettings (out, recipe, epochs, learning_rate, resume, init, seed, …) and
    those of Architecture that can be chosen (filters, kernel, …); `config` is a file of them, over which they win.
    `on_epoch` is called with each epoch's figures; a `watcher` sees everything. The ranks of a `communicator` train
    together. Raises CnncliError.
    """
    from cnncli.distributed.communicator import ALONE
    from cnncli.reports.report.run import write_report
    from cnncli.training.choice import choose_settings
    from cnncli.training.run import SilentWatcher, run_training

    chosen = choose_settings(Path(data), settings, Path(config) if config is not None else None)
    summary = run_training(chosen, watcher or SilentWatcher(on_epoch), communicator or ALONE)
    write_report(summary)
    return summary


def rehearse(
    data: FilePath,
    *,
    config: FilePath | None = None,
    watcher: "Watcher | None" = None,
    communicator: "Communicator | None" = None,
    **settings: Any,
) -> "Rehearsal":
    """What `train` would do with the same arguments: read the images, time some steps, keep nothing.

    The result has `counts` of the images by class, `file_sizes`, the `model` before its training, `pixels` and `memory`
    in bytes, `seconds` as an estimate, and `symptoms`. The ranks of a `communicator` take part as in `train`. Raises
    CnncliError.
    """
    from cnncli.distributed.communicator import ALONE
    from cnncli.training.choice import choose_settings
    from cnncli.training.rehearsal import rehearse_training
    from cnncli.training.run import SilentWatcher

    chosen = choose_settings(Path(data), settings, Path(config) if config is not None else None)
    return rehearse_training(chosen, watcher or SilentWatcher(), communicator or ALONE)


def evaluate(
    data: FilePath,
    model: FilePath | Model,
    *,
    split: "Split | None" = None,
    skip_bad: bool = False,
    on_image: Callable[[int, int], None] = lambda _done, _total: None,
    communicator: "Communicator | None" = None,
) -> "Evaluation":
    """How good a model is on a folder of images, one folder for each class, or on a split of one.

    The result has `loss`, `accuracy`, `accuracy_interval`, `confusion` (rows: true class), `per_class`, `roc_auc`,
    `calibration_error` and `list_mistakes(most)`. `on_image` is told after each image how many of how many are read.
    The ranks of a `communicator` share the images. Raises CnncliError.
    """
    from cnncli.distributed.communicator import ALONE
    from cnncli.training.evaluation import evaluate_folder

    loaded = model if isinstance(model, Model) else load_model(model)
    return evaluate_folder(
        Path(data), loaded, split, skip_bad=skip_bad, on_image=on_image, communicator=communicator or ALONE
    )


def export(model: FilePath, output: FilePath, *, force: bool = False) -> "Exported":
    """Write a model (a file, or a run folder) as a file that predicts without cnncli: .onnx, .py or .html.

    The result tells how the file's probabilities compare with the model's own on the run's validation images. Raises
    CnncliError, also where they differ.
    """
    from cnncli.exporting.export import export_model

    return export_model(Path(model), Path(output), force=force)


def _make_tuple(network: dict[str, Any]) -> dict[str, Any]:
    """The same; filters may be given as one number or a list."""
    if "filters" not in network:
        return network
    filters = network["filters"]
    return {**network, "filters": tuple(filters) if isinstance(filters, list | tuple) else (filters,)}


def _as_model(model: FilePath | Model | None) -> Path | Model | None:
    return model if model is None or isinstance(model, Model) else Path(model)
