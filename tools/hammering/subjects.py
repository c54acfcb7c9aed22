"""The subjects that there are, each imported when it is used."""

from importlib import import_module

from tools.hammering.frame import Subject

SUBJECTS = {
    "images": "Images",
    "models": "Models",
    "numbers": "Numbers",
    "folders": "Folders",
    "kills": "Kills",
    "options": "Options",
}


def load(name: str) -> type[Subject]:
    """The class of a subject: of this name in the module of that name."""
    subject: type[Subject] = getattr(import_module(f"tools.hammering.{name}"), SUBJECTS[name])
    return subject
