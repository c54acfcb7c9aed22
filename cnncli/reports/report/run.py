"""What a report takes from a run folder."""

import json
from pathlib import Path

from cnncli.data.regular_file import read_regular_file
from cnncli.errors import DataError
from cnncli.files import write_atomically
from cnncli.model import Model, load_model
from cnncli.reports.report.curves import require_curves
from cnncli.reports.report.report import render_report
from cnncli.reports.report.subject import ReportSubject
from cnncli.training.evaluation import Evaluation, evaluate_dataset
from cnncli.training.run import Summary
from cnncli.training.run_folder import HISTORY, MOST_SETTINGS, REPORT, SETTINGS, read_table


def write_report(summary: Summary) -> None:
    """Put the report of a finished training into its run folder. Raises DataError where it cannot be written.

    The ranks that trained together evaluate together, and rank 0 writes.
    """
    communicator = summary.validation.communicator
    model = communicator.first(lambda: load_model(summary.model))
    evaluation = evaluate_dataset(model, summary.validation, summary.run)
    if not communicator.leads:
        return
    page = render_report(describe_run(model, evaluation, summary.run))
    try:
        write_atomically(summary.run / REPORT, page.encode("utf-8"))
    except OSError as error:
        raise DataError(f"{summary.run} cannot be written ({error.strerror})") from None


def describe_run(model: Model, evaluation: Evaluation, run: Path) -> ReportSubject:
    """The subject of a report; `run` is a run folder, or a model file, of which nothing more is known."""
    try:
        settings = json.loads(read_regular_file(run / SETTINGS, MOST_SETTINGS))
        history = read_table(run / HISTORY)
        require_curves(history)
    except (DataError, ValueError, RecursionError):  # a model file, or a folder that holds no more than one
        return ReportSubject(f"Report: {run.name}", model, evaluation)
    return ReportSubject(f"Report: {run.resolve().name}", model, evaluation, history, settings)
