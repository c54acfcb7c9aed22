"""`cnncli export`."""

from pathlib import Path
from typing import Annotated

import typer

from cnncli.cli.options import OUTPUT, Force, ModelPath, TableOrJson

EXAMPLES = """\b
Examples:
  cnncli export -m runs/fashion -o model.onnx
      for ONNX runtimes of any language: bytes of pixels in, probabilities out
  cnncli export -m runs/fashion -o model.py
      one file of Python that needs NumPy and Pillow
  cnncli export -m runs/fashion -o model.html
      a web page that answers for the images that are dropped on it, offline
"""
File = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=OUTPUT,
        help="The file to write; its suffix, .onnx, .py or .html, names the format.",
    ),
]


def export(model: ModelPath, output: File, force: Force = False, format: TableOrJson = "table") -> None:  # noqa: A002
    """Write a model as a file that predicts without cnncli: ONNX, Python, or a web page.

    ONNX and Python are run on the run's validation images before the file is written, and must give the same
    probabilities as predict; a page checks itself whenever it is opened.
    """
    from cnncli import api
    from cnncli.reports.console import print_json
    from cnncli.reports.exported import exported_document, print_exported

    exported = api.export(model, output, force=force)
    if format == "json":
        print_json(exported_document(exported))
    else:
        print_exported(exported)
