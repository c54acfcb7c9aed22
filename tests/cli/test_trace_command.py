import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PATIENCE, Cli

LARGE = ("--filters", 32, "--channels", "rgb", "--image-size", 128)


def test_expand_shows_the_sum_with_its_numbers(cli: Cli) -> None:
    assert cli("trace", "--expand", "dL/dw1[0,0,1,2]").out.splitlines() == [
        "dL/dw1[0,0,1,2] = Σ_i Σ_j dL/dZ1[0,i,j]·X[0,i+1,j+2]",
        "  dL/dZ1[0,3,0]·X[0,4,2] = -0.1350498·3 = -0.4051",
        "  15 more terms are 0 (--full shows them)",
        "  dL/dw1[0,0,1,2] = -0.4051",
    ]
    full = cli("trace", "--full", "--expand", "dL/dw1[0,0,1,2]").out
    assert re.search(r"dL/dZ1\[0,1,1\]·X\[0,2,3\] = -0\.0900·0 +=", full)
    assert len(full.splitlines()) == 18


def test_expand_shows_a_window_with_its_winner(cli: Cli) -> None:
    assert cli("trace", "--expand", "P1[0,0,1]").out.splitlines() == [
        "P1[0,0,1] = max(A1[0,0,2], A1[0,0,3], A1[0,1,2], A1[0,1,3])",
        "          = max(5.5, 0, 2.5, 0)",
        "          = 5.5",
        "  the winner is A1[0,0,2]",
        "    [5.5]    0 ",
        "     2.5     0 ",
    ]


def test_expand_precision(cli: Cli) -> None:
    assert "= 0.54983399731" in cli("trace", "--expand", "A2", "--precision", 11).out


def test_expand_shows_the_largest_terms_of_a_long_sum(cli: Cli) -> None:
    options = ("--filters", 1, "--image-size", 24, "--expand", "dL/dw1[0,0,0,0]")
    lines = cli("trace", *options).out.splitlines()
    assert len(lines) == 28
    sizes = [abs(float(line.split("=")[-1])) for line in lines[1:25]]
    assert sizes == sorted(sizes, reverse=True)
    rest = re.fullmatch(r"  … and (\d+) smaller terms, together (\S+) \(--full shows them\)", lines[25])
    zeros = re.fullmatch(r"  (\d+) more terms are 0 \(--full shows them\)", lines[26])
    assert rest
    assert zeros
    assert 24 + int(rest[1]) + int(zeros[1]) == 22 * 22
    total = sum(float(line.split("=")[-1]) for line in lines[1:25]) + float(rest[2])
    assert total == pytest.approx(float(lines[27].split("=")[-1]), abs=26 * 0.00005)


def test_expand_many_entries(cli: Cli) -> None:
    out = cli("trace", "--expand", "X").out
    assert out.splitlines()[-1] == "… and 20 more entries: name one by its index, or see all with --full"
    assert cli("trace", "--expand", "X", "--full").out.count("given: the image") == 36


def test_expand_as_json(cli: Cli) -> None:
    document = json.loads(cli("trace", "--expand", "dL/dw1[0,0]", "--format", "json").out)
    assert document["label"] == "1"
    assert [expansion["index"] for expansion in document["expansions"]][:2] == [[0, 0, 0, 0], [0, 0, 0, 1]]
    for expansion in document["expansions"]:
        assert sum(term["value"] for term in expansion["terms"]) == pytest.approx(expansion["value"], rel=1e-12)
        for term in expansion["terms"]:
            assert np.prod(list(term["entries"].values())) == term["value"]


def test_follow_shows_each_path(cli: Cli) -> None:
    out = cli("trace", "--follow", "w1[0,0,2,0]").out
    assert out.startswith("dL/dw1 = dL/dA2 · dA2/dz2 · dz2/dF · dF/dP1 · dP1/dA1 · dA1/dZ1 · dZ1/dw1\n")
    assert out.splitlines()[-1] == "dL/dw1[0,0,2,0] = -0.5402 + 0.1350 + (-0.0900) = -0.4952"
    products = [float(number) for number in re.findall(r"^  product +(\S+)$", out, re.MULTILINE)]
    assert sum(products) == pytest.approx(-0.4952, abs=2e-4)


def test_follow_as_json(cli: Cli) -> None:
    document = json.loads(cli("trace", "--follow", "X[1,2]", "--format", "json").out)
    products = [np.prod([link["value"] for link in path["links"]]) for path in document["paths"]]
    assert sum(products) == pytest.approx(document["derivative"], rel=1e-12)
    assert document["number_of_paths"] == len(products)


def test_follow_says_how_much_it_leaves_out(cli: Cli) -> None:
    lines = cli("trace", "--filters", 4, "--follow", "X[5,5]").out.splitlines()
    total = int(re.findall(r"path 1 of (\d+)", "\n".join(lines))[0])
    products = [float(line.split()[1]) for line in lines if line.startswith("  product ")]
    assert len(products) == 8
    rest = re.match(rf"… and {total - 8} weaker paths, together (\S+)", lines[-2])
    assert rest
    assert sum(products) + float(rest[1]) == pytest.approx(float(lines[-1].split()[-1]), abs=10 * 0.00005)


def test_follow_a_dead_entry(cli: Cli) -> None:
    out = cli("trace", "--follow", "Z1[3,3]").out
    assert "every path from L to Z1[0,3,3] has a link that is 0" in out
    assert out.endswith("dL/dZ1[0,3,3] = 0\n")


def test_symbolic_prints_the_notes_page(cli: Cli) -> None:
    out = cli("trace", "--symbolic", "--image-size", 3, "--kernel", 2).out
    assert "    dL/dw21 = dL/dz11·x21 + dL/dz12·x22 + dL/dz21·x31 + dL/dz22·x32\n" in out
    assert out.startswith("shapes: X 3×3, w1 2×2, b1 a number, w2 1×1")
    bare = cli("trace", "--symbolic")
    assert bare.out == out
    hint = "--image-size 6 --kernel 3, the sizes of the example"
    assert hint in bare.err
    assert hint not in cli("trace", "--symbolic", "--image-size", 6, "--kernel", 3).err


def test_a_photo_that_nobody_asked_to_scale(cli: Cli, tmp_path: Path) -> None:
    wide, square, small = (tmp_path / f"{name}.png" for name in ("wide", "square", "small"))
    for path, size in ((wide, (160, 120)), (square, (80, 80)), (small, (20, 12))):
        Image.new("L", size, 90).save(path)
    told = cli("trace", wide, "--only", "L").err.splitlines()[0]
    assert told.endswith(
        "wide.png is 160 pixels wide and 120 high: scaled and cropped to 64×64; --image-size N chooses another size"
    )
    assert "80 pixels wide and 80 high: scaled to 64×64" in cli("trace", square, "--only", "L").err
    assert "pixels wide" not in cli("trace", wide, "--only", "L", "--image-size", 64).err
    assert "pixels wide" not in cli("trace", small, "--only", "L").err
    assert "their own size if all share one of at most 64, else 64" in " ".join(cli("trace", "--help").out.split())


def test_no_decimals_leave_no_minus_before_a_zero(cli: Cli) -> None:
    out = cli("trace", "--precision", 0, "--only", "dL/dZ1,dL/dw1").out
    assert re.search(r"(?<![\d.])0(?![\d.])", out)
    assert not re.search(r"-0(?![\d.])", out)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--expand", "L", "--follow", "w1"), 2, "--expand and --follow are two views: choose one"),
        (("--expand", ""), 2, "--expand : an entry is written like dL/dw1[0,0,1,2], counted from 0"),
        (
            ("--expand", "L", "--format", "csv"),
            2,
            "this view comes as table, json, svg, markdown, html, latex, not as csv",
        ),
        (("--follow", "w1"), 2, "--follow w1 names 9 entries, w1[0,0,0,0] to w1[0,0,2,2]: name one of them"),
        (("--only", "dL/dv1"), 2, "--only dL/dv1: there is no such value (did you mean dL/dw1?): there are X, y, "),
        (("--symbolic", "--image-size", 12), 2, "at most 9×9"),
        (("--symbolic", "--expand", "L"), 2, "--expand and --symbolic are two views"),
        (("--symbolic", "-m", "model"), 2, "--symbolic has no use for --model: leave it out"),
        (("--expand", "L", "--filter", 0), 2, "--expand has no use for --filter: leave it out"),
        (("--step", "--format", "json"), 2, "--step has no use for --format: leave it out"),
        (("--filter", 1), 2, "--filter 1: the filters are 0 … 0"),
        (("--channel", 3), 2, "--channel 3: the image's channels are 0 … 0"),
        (("--format", "npz"), 2, "npz is not for reading: name a file for it with -o FILE.npz"),
        (("-o", "a.xyz"), 2, "-o a.xyz: the suffix names no format: take one of .txt, .json, "),
        (("-o", "a.csv", "--format", "json"), 2, "-o a.csv means csv, --format json: leave one out"),
        (("--open", "-o", "a.html", "--format", "csv"), 2, "-o a.html means html, --format csv: leave one out"),
        (("--follow", "L"), 2, "--follow L: the chain begins there: name an entry of X, w1, "),
        (("--follow", "y"), 2, "--follow y: no chain leads to it from L: name an entry of X, w1, "),
        (("-o", "no/such/folder/a.json"), 3, "no/such/folder/a.json cannot be written (No such file or directory)"),
        (("--step",), 2, "--step reads single keys and needs a terminal"),
        (("--heat",), 2, "--heat needs a terminal with colours"),
        (("--picture", "a.jpg"), 2, "--picture a.jpg: the suffix names no format: take one of .svg, .png"),
        (("--picture", "a.csv"), 2, "this view comes as png, svg, not as csv"),
        (("--heat", "--only", "L"), 2, "none of these values is a picture"),
    ],
)
def test_what_cannot_be_shown(
    arguments: tuple[object, ...], code: int, sentence: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    result = cli("trace", *arguments)
    assert result.code == code
    assert sentence in result.sentence


@pytest.mark.parametrize("view", [("-o", "trace.md"), ("--expand", "L", "-o", "l.json"), ("--picture", "p.png")])
def test_a_file_is_replaced_only_with_force(
    view: tuple[str, ...], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(view[-1])
    path.write_text("mine")
    result = cli("trace", *view)
    assert (result.code, path.read_text()) == (2, "mine")
    assert result.sentence == f"Error: {path} exists: name another file, or replace it with --force"
    assert cli("trace", *view, "--force").code == 0
    assert path.read_bytes() != b"mine"
    assert [each.name for each in Path().iterdir()] == [path.name]


def test_the_last_line_of_stderr_is_a_hint_that_works(cli: Cli) -> None:
    for options in ((), ("--kernel", 1), ("--kernel", 2, "--filters", "2,2")):
        result = cli("trace", *options)
        hint = result.err.splitlines()[-1]
        assert hint.startswith("try next: --expand '")
        for option, entry in re.findall(r"(--expand|--follow) '(.+?)'", hint):
            assert cli("trace", *options, option, entry).code == 0
    assert cli("trace", "--format", "json").err == ""


@pytest.mark.parametrize(
    "options",
    [
        LARGE,
        (*LARGE, "--classes", 10),
        ("--filters", "8,16,32", "--channels", "rgb", "--image-size", 64, "--classes", 10),
        ("--filters", "4,4,4,4,4", "--image-size", 128, "--kernel", 2),
    ],
)
def test_never_more_than_200_lines(options: tuple[object, ...], cli: Cli) -> None:
    out = cli("trace", *options).out
    assert 30 < len(out.splitlines()) <= 201
    for name in ("Z1", "dL/dw1", "dL/dX"):
        assert re.search(rf"^ *{name} ", out, re.MULTILINE)


def test_one_filter_and_one_channel(cli: Cli) -> None:
    options = ("--filters", "3,2", "--channels", "rgb", "--image-size", 14, "--format", "json")
    whole = {step["name"]: np.array(step["values"]) for step in json.loads(cli("trace", *options).out)["steps"]}
    narrow = json.loads(cli("trace", *options, "--filter", 2, "--channel", 1).out)["steps"]
    steps = {step["name"]: np.array(step["values"]) for step in narrow}
    assert (steps["Z1[2]"] == whole["Z1"][2]).all()
    assert (steps["dL/dw1[2,1]"] == whole["dL/dw1"][2, 1]).all()
    assert (steps["dA1/dZ1[2]"] == whole["dA1/dZ1"][2]).all()
    assert (steps["X[1]"] == whole["X"][1]).all()
    assert steps["b1[2]"] == whole["b1"][2]
    assert not any(name.startswith(("Z2", "w2", "dL/dP2")) for name in steps)  # block 2 has no filter 2
    assert (steps["w3"] == whole["w3"]).all()
    channel = json.loads(cli("trace", *options, "--channel", 0, "--only", "w1[:,0],w2").out)["steps"]
    assert [np.array(step["values"]).shape for step in channel] == [(3, 3, 3), (2, 3, 3, 3)]


def test_a_trained_model_with_its_own_image(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("train", image_folder, "--out", run, "--epochs", 1, "--filters", "4,2", "--kernel", 2, "-q").code == 0
    image = image_folder / "light" / "0.png"
    assert cli("trace", image, "-m", run, "--expand", "dL/dw1[3,0,1,1]").code == 0
    assert "true class  light" in cli("trace", image, "-m", run, "--filter", 1).out


def pixel(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    colour = picture.getpixel((x, y))
    assert isinstance(colour, tuple)
    return colour


def test_the_picture_has_the_tiles(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    assert cli("trace", "--picture", path, "--only", "w1").code == 0
    with Image.open(path) as picture:
        # w1 is 1, 0, −1 in each row: a blue, a white and a red column of 44 pixels, 20 from the left, 100 from the top.
        assert [pixel(picture, 20 + 6 + 44 * column, 106) for column in range(3)] == [
            (88, 148, 255), (255, 255, 255), (255, 112, 92),
        ]  # fmt: skip


def test_the_picture_is_in_landscape_with_each_derivative_beneath_its_value(cli: Cli, tmp_path: Path) -> None:
    whole, values, derivatives = (tmp_path / f"{name}.png" for name in ("whole", "values", "derivatives"))
    assert cli("trace", "--picture", whole).code == 0
    assert cli("trace", "--picture", values, "--only", "X,Z1,P1").code == 0
    assert cli("trace", "--picture", derivatives, "--only", "X,dL/dX,Z1,dL/dZ1,P1,dL/dP1").code == 0
    sizes = []
    for path in (whole, values, derivatives):
        with Image.open(path) as picture:
            sizes.append(picture.size)
    assert sizes[0][0] > sizes[0][1]
    assert abs(sizes[1][0] - sizes[2][0]) < 60  # but for the longer names
    assert sizes[1][1] < sizes[2][1]


def find_arrows(faint: np.ndarray, y: int) -> list[tuple[int, int, str]]:
    """The level arrows of a line of a picture: from where, to where, and which way."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], faint[y], [False]])))
    arrows = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - start > 30:
            ways = {"left": faint[y + 3, start + 8], "right": faint[y + 3, end - 9]}
            arrows.append((start, end, *(way for way, tip in ways.items() if tip)))
    return arrows


@pytest.mark.parametrize(
    ("only", "forwards", "back"),
    [
        (None, 7, 7),
        ("X,w1,Z1,dL/dX,dL/dw1,dL/dZ1", 1, 1),
        ("X,Z1,P1,dL/dX,dL/dZ1,dL/dP1", 1, 1),  # between Z1 and P1 something is left out
        ("X,w1,dL/dX,dL/dw1", 0, 0),
        ("F,w2,z2,A2,L,dL/dA2,dL/dz2", 3, 2),
    ],
)
def test_an_arrow_stands_where_one_value_is_made_of_the_one_beside_it(
    only: str | None, forwards: int, back: int, cli: Cli, tmp_path: Path
) -> None:
    path = tmp_path / "out.png"
    assert cli("trace", "--picture", path, *(("--only", only) if only else ())).code == 0
    with Image.open(path) as picture:
        faint = (np.asarray(picture.convert("RGB")) == (105, 105, 105)).all(axis=-1)  # (height, width)
    assert [way for *_, way in find_arrows(faint, 120)] == ["right"] * forwards
    others = (arrows for y in range(140, len(faint) - 40) if (arrows := find_arrows(faint, y)))
    assert [way for *_, way in next(others, [])] == ["left"] * back


def test_the_picture_draws_all_values_of_the_chain(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "out.svg"
    assert cli("trace", "--picture", path).code == 0
    text = path.read_text("utf-8").replace("&#160;", " ")
    for name in ("F = ", "z2 = ", "A2 = ", "L = ", "dL/dF = ", "dL/dz2 = ", "dL/dw2 = ", "b1"):
        assert f">{name}" in text, name


def test_no_mark_hides_small_cells(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    assert cli("trace", "--filters", 8, "--image-size", 28, "--only", "A1", "--picture", path).code == 0
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))[100:]
    assert not (pixels == (20, 20, 20)).all(axis=-1).any()


def test_the_picture_of_a_colour_image_shows_the_photo(cli: Cli, tmp_path: Path) -> None:
    image, path = tmp_path / "red.png", tmp_path / "out.png"
    Image.new("RGB", (12, 12), (200, 30, 40)).save(image)
    assert cli("trace", image, "--channels", "rgb", "--only", "X", "--picture", path).code == 0
    with Image.open(path) as picture:
        assert pixel(picture, 60, 140) == (200, 30, 40)


def test_the_picture_frames_the_winners(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    assert cli("trace", "--picture", path, "--only", "A1").code == 0
    with Image.open(path) as picture:
        framed = {
            (row, column)
            for row in range(4)
            for column in range(4)
            if pixel(picture, 20 + 44 * column + 1, 100 + 44 * row + 22) == (20, 20, 20)
        }
    assert framed == {(0, 2), (1, 1), (2, 2), (3, 0)}


@pytest.mark.parametrize("options", [LARGE, ("--filters", "8,12", "--classes", 10, "--image-size", 28)])
def test_a_picture_of_a_large_network(options: tuple[object, ...], cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    assert cli("trace", *options, "--picture", path).code == 0
    with Image.open(path) as picture:
        assert picture.height < picture.width < 4000


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is coloured, as on a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def heat(*options: str) -> str:
    command = [sys.executable, "-m", "cnncli", "trace", "--heat", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout


@pytest.mark.usefixtures("colours")
def test_heat_draws_two_rows_in_a_line() -> None:
    out = heat("--only", "w1")
    lines = [line for line in out.splitlines() if "▀" in line]
    assert "-1 … 1" in out
    assert [line.count("▀") for line in lines] == [15] * 8  # 3×3, each five times as large
    blue, red = "38;2;88;148;255", "38;2;255;112;92"
    assert all(line.count(blue) == line.count(red) == 5 for line in lines)
    assert ";48;2;" not in lines[-1]  # the fifteenth row has none below it


@pytest.mark.usefixtures("colours")
def test_heat_draws_the_rows_from_top_to_bottom(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"w1": [[2, 2, 2], [0, 0, 0], [-2, -2, -2]]}')
    out = heat("--only", "w1", "--weights", str(tmp_path / "w.json"))
    rows = []
    for line in out.splitlines():
        if "▀" in line:  # the sign's colour is the upper row, its ground the lower one
            rows += [re.findall(rf"[\[;]{ground};2;(\d+;\d+;\d+)", line) for ground in (38, 48)]
    colours = [set(row) for row in rows]
    assert colours == [{"88;148;255"}] * 5 + [{"255;255;255"}] * 5 + [{"255;112;92"}] * 5 + [set()]


@contextmanager
def stepping(columns: int, lines: int, *options: str) -> Iterator[int]:
    """`trace --step` on a terminal of a size, whose other end this is; at the end q quits it."""
    leader, follower = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": str(columns), "LINES": str(lines)}
    process = subprocess.Popen(
        [sys.executable, "-m", "cnncli", "trace", "--step", *options],
        stdin=follower, stdout=follower, stderr=follower, env=environment, close_fds=True,
    )  # fmt: skip
    os.close(follower)
    try:
        yield leader
        os.write(leader, b"q")
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def test_steps_on_a_terminal() -> None:
    """Forwards, back, a jump to a name, one to a name that is not there, and quit, on a terminal of 80×40."""
    with stepping(80, 40) as leader:
        assert "step 1 of 27 (input)" in read_until(leader, "q quit")
        for keys, seen in (
            (b"\r", "step 2 of 27"),
            (b"\x1b[C", "step 3 of 27 (parameter)"),
            (b"b", "step 2 of 27"),
        ):
            os.write(leader, keys)
            assert seen in read_until(leader, "q quit")
        os.write(leader, b"j")
        read_until(leader, "name: ")
        os.write(leader, b"dL/dZ1\r")
        assert "step 24 of 27 (gradient)" in read_until(leader, "q quit")
        os.write(leader, b"j")
        read_until(leader, "name: ")
        os.write(leader, b"dL/dQ1\r")
        assert "did you mean" in read_until(leader, "q quit")


def test_steps_on_a_small_terminal() -> None:
    """The name stays in sight, and Escape leaves the prompt as it was."""
    with stepping(60, 15, "--filters", "8", "--only", "w1,Z1") as leader:
        screen = read_until(leader, "q quit").rpartition("\x1b[H")[2]
        assert "step 1 of 2" in screen
        assert screen.count("\n") < 15
        assert "a larger window shows the rest" in screen
        os.write(leader, b"j")
        read_until(leader, "name: ")
        os.write(leader, b"Z\x7fw\x1b")
        assert "step 1 of 2" in read_until(leader, "q quit")
        os.write(leader, b"j")
        read_until(leader, "name: ")
        os.write(leader, b"ZZ\x7f1\r")
        assert "step 2 of 2" in read_until(leader, "q quit")


def read_until(terminal: int, words: str) -> str:
    """What the program writes, until these words have come."""
    text, end = "", time.monotonic() + PATIENCE
    while words not in text:
        ready, _, _ = select.select([terminal], [], [], end - time.monotonic())
        assert ready, text
        text += os.read(terminal, 65536).decode(errors="replace")
    return text


def test_the_help_has_examples(cli: Cli) -> None:
    out = cli("trace", "--help").out
    assert "cnncli trace --expand 'dL/dw1[0,0,1,2]'" in out


def test_sixteen_colours_tell_the_signs_apart(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLORTERM": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = cli("trace", "--only", "Z1").out
    positive, negative = (re.findall(rf"\x1b\[30;(\d+)m +{number} ", out) for number in ("5.5", "-2.5"))
    assert positive
    assert negative
    assert set(positive).isdisjoint(negative)
