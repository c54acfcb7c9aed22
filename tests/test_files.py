"""Where a file is written: through links, into pipes and devices, with the mode kept, and never half."""

import os
import stat
import threading
from pathlib import Path

import pytest

from cnncli import files
from cnncli.files import is_replaceable, write_atomically
from tests.conftest import Cli


def test_a_link_is_followed_and_a_mode_kept(tmp_path: Path) -> None:
    real = tmp_path / "folder" / "real"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o640)
    (tmp_path / "link").symlink_to("folder/real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [path.name for path in real.parent.iterdir()] == ["real"]


def test_a_link_to_nothing_makes_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("later")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "later").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_pipe_stays_one(tmp_path: Path, cli: Cli) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    result = cli("trace", "--only", "L", "-o", pipe)
    reader.join()
    assert (result.code, result.err) == (0, "")
    assert read[0].startswith(b'{"image"')
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_that_nobody_reads(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WAIT_FOR_READER", 0.1)
    os.mkfifo(tmp_path / "pipe.json")
    result = cli("trace", "-o", tmp_path / "pipe.json")
    assert (result.code, "pipe.json cannot be written (nobody reads this pipe)" in result.sentence) == (3, True)


def test_a_device_stays_one(cli: Cli) -> None:
    assert cli("trace", "-o", "/dev/null", "--format", "json").code == 0
    assert cli("trace", "-o", "/dev/null", "--format", "json", "--force").code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    full = cli("trace", "-o", "/dev/full", "--format", "json")
    assert (full.code, full.sentence) == (3, "Error: /dev/full cannot be written (No space left on device)")


def test_the_longest_name_that_there_is(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)
    write_atomically(path, b"new")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_came_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "theirs", b"ours", replace=False)
    assert (tmp_path / "theirs").read_text() == "theirs"


@pytest.mark.parametrize("replace", [True, False])
def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path, replace: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "new", b"new", replace=replace)
    assert list(tmp_path.iterdir()) == []


def test_what_counts_as_replaced(tmp_path: Path) -> None:
    assert not is_replaceable(tmp_path / "nothing")
    assert not is_replaceable(Path("/dev/null"))
    assert is_replaceable(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="Too many levels"):
        is_replaceable(tmp_path / "loop")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.mkdir(), "is a folder: name a file"),
        (lambda path: path.symlink_to(path), "cannot be written (Too many levels of symbolic links)"),
        (lambda path: path.write_text(""), "exists: name another file, or replace it with --force"),
    ],
)
def test_where_no_file_can_be_written(cli: Cli, tmp_path: Path, make: object, sentence: str) -> None:
    assert callable(make)
    make(tmp_path / "x.json")
    result = cli("trace", "-o", tmp_path / "x.json")
    assert result.code in (2, 3)
    assert result.sentence == f"Error: {tmp_path / 'x.json'} {sentence}"
