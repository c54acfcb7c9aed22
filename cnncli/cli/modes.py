"""Which view of `trace`, and which mode of `gradcheck`, uses which option; whatever it has no use for is refused."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import typer

from cnncli.cli.options import FRESH_OPTIONS, NETWORK_OPTIONS, is_given
from cnncli.errors import UsageError


@dataclass(frozen=True)
class Modes:
    """The modes of a command, each asked for by the option of its name; parameters are named as in its signature."""

    noun: str  # "view"
    uses: Mapping[str, Collection[str]]  # what each mode uses beside its own option; a command without one uses all

    def choose(self, context: typer.Context) -> str | None:
        """The mode that was asked for, if any. Raises UsageError for two, and for what the mode has no use for."""
        given = [parameter.name for parameter in context.command.params if is_given(context, parameter.name or "")]
        asked = [name for name in given if name in self.uses]
        if len(asked) > 1:
            first, second = (written(context, name) for name in asked[:2])
            raise UsageError(f"{first} and {second} are two {self.noun}s: choose one")
        if not asked:
            return None
        (mode,) = asked
        used = (mode, *self.uses[mode])
        refuse(written(context, mode), [written(context, name) for name in given if name not in used])
        return mode


def refuse(what: str, useless: Sequence[str]) -> None:
    """Raise UsageError if there is anything that `what` has no use for."""
    if useless:
        raise UsageError(f"{what} has no use for {', '.join(useless)}: leave {'them' if useless[1:] else 'it'} out")


def written(context: typer.Context, name: str) -> str:
    """A parameter as the person writes it: --kernel, IMAGE."""
    parameter = next(each for each in context.command.params if each.name == name)
    if parameter.param_type_name == "argument":
        return (parameter.metavar or name).rstrip("…")
    return max(parameter.opts, key=len)


NETWORK = tuple(option.name for option in (*NETWORK_OPTIONS, *FRESH_OPTIONS))
SEEDLESS = tuple(name for name in NETWORK if name != "seed")

_TRACED = ("image", "model", "weights", "label", *NETWORK)
_NARROWED = ("only", "filter", "channel")
_LOOK = ("full", "precision")
_OUTPUT = ("format", "output", "force", "theme")

TRACE = Modes(
    "view",
    {
        "expand": (*_TRACED, *_LOOK, *_OUTPUT),
        "follow": (*_TRACED, *_LOOK, *_OUTPUT),
        "symbolic": (*SEEDLESS, *_OUTPUT),
        "step": (*_TRACED, *_NARROWED, *_LOOK),
        "heat": (*_TRACED, *_NARROWED, *_LOOK, *_OUTPUT),
        "open": (*_TRACED, "precision", *_OUTPUT),
        "picture": (*_TRACED, *_NARROWED, "full", "force"),
    },
)

_CHECKED = ("images", "model", "label", *NETWORK, "method", "sample", "show", "format")
_REPORTS = ("strict", "junit", "github", "quiet")

GRADCHECK = Modes(
    "mode",
    {
        "against": (*_CHECKED, "convention", *_REPORTS),
        "code": ("method", "seed", "format", "timeout", "cases", "case", "no_repair", "convention", *_REPORTS),
        "function": ("vjp", "gradient", "inputs", "shape", "seed", "format", *_REPORTS),
        "template": (),
        "self_test": ("format",),
    },
)
