"""What the engines are called where a person chooses one. Imports no NumPy, so that the help can show it."""

from typing import Literal

EngineName = Literal["auto", "compiled", "numpy", "textbook"]
ENGINE_VARIABLE = "CNNCLI_ENGINE"  # in the environment: the engine where "auto" is asked for
