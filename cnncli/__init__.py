"""Train a small convolutional network, and see, check and understand every number in it.

The names below are the public API; each is imported when it is first used, so that `import cnncli` loads no NumPy.
"""

from importlib import import_module  # loaded by Python itself, as nothing else may be here: see __main__.py

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without typing
if TYPE_CHECKING:
    from cnncli.api import evaluate, export, gradcheck, rehearse, trace, train
    from cnncli.errors import CnncliError
    from cnncli.model import Model, load_model
    from cnncli.vjp.check import check_gradient, check_vjp

__version__ = "0.1.0"
__all__ = [
    "CnncliError",
    "Model",
    "check_gradient",
    "check_vjp",
    "evaluate",
    "export",
    "gradcheck",
    "load_model",
    "rehearse",
    "trace",
    "train",
]

_HOMES = {
    "CnncliError": "cnncli.errors",
    "Model": "cnncli.model",
    "load_model": "cnncli.model",
    "check_gradient": "cnncli.vjp.check",
    "check_vjp": "cnncli.vjp.check",
    "evaluate": "cnncli.api",
    "export": "cnncli.api",
    "gradcheck": "cnncli.api",
    "rehearse": "cnncli.api",
    "trace": "cnncli.api",
    "train": "cnncli.api",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
