"""Image files that are damaged, lie about their size, or have evil names; read by predict, trace and gradcheck."""

from pathlib import Path
from random import Random

from tools.hammering.bytes_of import damage, damage_chunks, lie_about_size
from tools.hammering.frame import Outcome
from tools.hammering.inside import Case, run_inside
from tools.hammering.names import any_name
from tools.hammering.real import real_images, write_model

COMMANDS = (
    ("predict", 6),
    ("predict --format json", 3),
    ("predict --format csv", 1),
    ("trace --format json", 1),
    ("trace --only L", 1),
    ("gradcheck --sample 1 --format json", 1),
)

MOST = 64  # images of one prediction


class Images:
    """A few images a case, of one command."""

    def __init__(self, base: Path) -> None:
        self._real = list(real_images().items())
        self._models = [write_model(base / "gray.safetensors"), write_model(base / "colour.safetensors", channels=3)]

    def run(self, random: Random, folder: Path) -> Outcome:
        """Damage images and have them read."""
        commands, weights = zip(*COMMANDS, strict=True)
        (command,) = random.choices(commands, weights)
        many = command.startswith("predict")
        made = [self._damage(random, folder, number) for number in range(random.randint(1, MOST) if many else 1)]
        label = [] if many else ["--label", "dark"]
        paths, ways = zip(*made, strict=True)
        arguments = [*command.split(), "-m", str(random.choice(self._models)), *label, "--", *paths]
        case = Case(f"{command}: {', '.join(ways)}", arguments, codes=(0, 3), inputs=len(made))
        return run_inside(case, folder)

    def _damage(self, random: Random, folder: Path, number: int) -> tuple[str, str]:
        """The path of a damaged image, and how it was made."""
        name, content = random.choice(self._real)
        ways, damaged = damage(random, content, (lie_about_size, damage_chunks))
        path = any_name(random, f"{number}{Path(name).suffix}")
        (folder / path).write_bytes(damaged)
        return path, f"{name} {ways}"
