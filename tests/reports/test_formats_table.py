"""The table of formats, which --format, the suffixes of files and the help follow."""

from importlib import import_module

import pytest

from cnncli.cli.app import load
from cnncli.cli.destination import SUFFIXES, Destination
from cnncli.errors import UsageError
from cnncli.reports.look import Look
from cnncli.reports.trace.formats import FORMATS, names, render
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import choose
from cnncli.tracing.trace import trace_image
from tests.conftest import Cli


def test_the_table_tells_the_option_its_choices_and_its_help() -> None:
    option = next(each for each in load("trace").params if each.name == "format")
    assert list(option.type_descriptor.choices) == list(FORMATS)
    for people, words in ((True, "for people"), (False, "every number at full precision")):
        assert f"{', '.join(names(for_people=people))}: {words}" in option.help


def test_every_suffix_stands_for_one_format() -> None:
    assert len({each.suffix for each in FORMATS.values()}) == len(FORMATS)
    assert {each.suffix: name for name, each in FORMATS.items()} | {".png": "png"} == SUFFIXES


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_rendered_by_the_module_of_its_name(name: str) -> None:
    trace = trace_image(choose([], None, None, FreshNetwork()))
    content = render(name, trace, Look())
    assert content == import_module(f"cnncli.reports.trace.{name}").render(trace, Look())
    assert isinstance(content, bytes) == FORMATS[name].needs_file


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if each.needs_file])
def test_a_format_that_needs_a_file_says_how_to_name_one(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is not for reading: name a file for it with -o FILE"):
        Destination(name).resolve(*FORMATS)


def test_arguments_are_written_as_whoever_reads_the_report_writes_them(cli: Cli) -> None:
    network = {"filters": (4,) * 5, "kernel": 2}
    trace = trace_image(choose([], None, None, FreshNetwork(network, image_size=128)))
    end = "too many steps for a page: only NAMES shows some with their numbers, full all\n"
    assert str(render("table", trace, Look())).endswith(end)
    options = ("--filters", "4,4,4,4,4", "--kernel", 2, "--image-size", 128)
    assert cli("trace", *options).out.endswith(end.replace("only", "--only").replace("full", "--full"))
