"""What a report takes from a run folder."""

import csv
import json
from pathlib import Path

from cnncli.model import Model
from cnncli.reports.report.subject import ReportSubject
from cnncli.training.evaluation import Evaluation
from cnncli.training.run_folder import HISTORY, SETTINGS

NAME = "report.html"  # of the report in a run folder


def describe_run(model: Model, evaluation: Evaluation, run: Path) -> ReportSubject:
    """The subject of a report; `run` is a run folder, or a model file, of which nothing more is known."""
    try:
        settings = json.loads((run / SETTINGS).read_text("utf-8"))
        with (run / HISTORY).open(encoding="utf-8", newline="") as file:
            history = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):  # a model file, or a folder that holds no more than one
        return ReportSubject(f"Report: {run.name}", model, evaluation)
    return ReportSubject(f"Report: {run.resolve().name}", model, evaluation, history, settings)
