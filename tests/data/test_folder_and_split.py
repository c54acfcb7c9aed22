"""Which files are in which class and which split."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncli.data.folder import Sample, scan
from cnncli.data.split import split_stratified
from cnncli.errors import DataError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def names(root: Path, samples: tuple[Sample, ...]) -> list[str]:
    return [sample.path.relative_to(root).as_posix() for sample in samples]


def test_class_folders_nested_hidden_and_foreign_files(tmp_path: Path) -> None:
    touch(
        tmp_path, "b/2.PNG", "b/10.jpg", "b/deep/er/1.webp", "a/x.jpeg", "a/.hidden.png", "a/.trash/y.png",
        "a/notes.txt", ".git/z.png", "loose.png",
    )  # fmt: skip
    folder = scan(tmp_path)
    assert folder.classes == ("a", "b")
    assert names(tmp_path, folder.training) == ["a/x.jpeg", "b/10.jpg", "b/2.PNG", "b/deep/er/1.webp"]
    assert [sample.label for sample in folder.training] == [0, 1, 1, 1]
    assert folder.validation is None


def test_images_of_kinds_that_are_not_read_are_listed_too_so_that_they_are_told(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.HEIC", "a/2.png", "b/3.tif")
    folder = scan(tmp_path)
    assert names(tmp_path, folder.training) == ["a/1.HEIC", "a/2.png", "b/3.tif"]
    (tmp_path / "c").mkdir()
    with pytest.raises(DataError, match=r"c: the class folder holds no images \(.bmp, .*, .webp\)"):
        scan(tmp_path)


@pytest.mark.parametrize("validation", ["val", "valid", "validation"])
def test_splits(tmp_path: Path, validation: str) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/2.png", f"{validation}/b/3.png", "test/a/4.png", "raw/5.png")
    folder = scan(tmp_path)
    assert folder.classes == ("a", "b")
    assert names(tmp_path, folder.training) == ["train/a/1.png", "train/b/2.png"]
    assert folder.validation is not None
    assert names(tmp_path, folder.validation) == [f"{validation}/b/3.png"]
    assert folder.validation[0].label == 1


def test_train_without_validation_is_split_later_and_a_class_may_be_called_train(tmp_path: Path) -> None:
    touch(tmp_path, "only/train/a/1.png", "only/train/b/2.png", "toys/train/1.png", "toys/car/2.png")
    assert scan(tmp_path / "only").validation is None
    assert scan(tmp_path / "only").classes == ("a", "b")
    assert scan(tmp_path / "toys").classes == ("car", "train")


def samples_of(counts: list[int]) -> list[Sample]:
    return [Sample(f"/data/{label}/{i}.png", label) for label, count in enumerate(counts) for i in range(count)]


@given(st.lists(st.integers(2, 30), min_size=1, max_size=4), st.floats(0.01, 0.99), st.integers(0, 9))
def test_a_split_is_stratified_complete_and_leaves_something_on_both_sides(
    counts: list[int], fraction: float, seed: int
) -> None:
    samples = samples_of(counts)
    training, validation = split_stratified(samples, Path("/data"), fraction, seed)
    assert sorted((*training, *validation), key=samples.index) == samples
    assert not set(training) & set(validation)
    for label, count in enumerate(counts):
        taken = sum(sample.label == label for sample in validation)
        assert 1 <= taken <= count - 1
        assert taken == min(max(round(fraction * count), 1), count - 1)


def test_a_split_follows_from_seed_and_paths_alone() -> None:
    samples = samples_of([20, 20])
    first = split_stratified(samples, Path("/data"), 0.25, 0)
    moved = [Sample(sample.file.replace("/data", "/elsewhere"), sample.label) for sample in samples]
    again = split_stratified(moved[::-1], Path("/elsewhere"), 0.25, 0)
    assert {s.path.name for s in first[1] if s.label == 0} == {s.path.name for s in again[1] if s.label == 0}
    assert split_stratified(samples, Path("/data"), 0.25, 1) != first
    # Fixed for ever, on every machine:
    assert [s.path.name for s in first[1] if s.label == 0] == ["0.png", "1.png", "3.png", "11.png", "15.png"]


def test_more_images_move_only_a_few_others() -> None:
    before = split_stratified(samples_of([40]), Path("/data"), 0.25, 0)[1]
    after = split_stratified(samples_of([41]), Path("/data"), 0.25, 0)[1]
    assert len(set(before) - set(after)) <= 1


def test_a_single_image_cannot_be_split() -> None:
    with pytest.raises(DataError, match=r"1/0\.png is the only image of its class"):
        split_stratified(samples_of([3, 1]), Path("/data"), 0.2, 0)
