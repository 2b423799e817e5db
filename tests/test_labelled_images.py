import io
import tarfile
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from hsi_suite.data import cifar
from hsi_suite.data.class_folders import read_class_folder
from hsi_suite.data.image_split import divide_images
from hsi_suite.data.labelled_images import (
    from_blocks,
    load_labelled_images,
    recoloured,
    resize_image,
    resized,
)
from hsi_suite.errors import (
    ChecksumError,
    DatasetNotFoundError,
    InputFileError,
    SplitError,
    UnknownNameError,
)

RECORDS = 5
FOLDER = "cifar-10-batches-bin"
NAMES = [*(f"{FOLDER}/data_batch_{k}.bin" for k in range(1, 6)), f"{FOLDER}/test_batch.bin"]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Batches of five records in place of 10,000, so that archives are small."""
    monkeypatch.setattr(cifar, "_RECORDS", RECORDS)


def batch(number, *, highest=9):
    generator = np.random.default_rng(number)
    records = generator.integers(0, 256, (RECORDS, 3073), dtype=np.uint8)
    records[:, 0] = generator.integers(0, highest + 1, RECORDS)
    records[0, 0] = highest
    return records


def archive(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def sound():
    return [(name, batch(number).tobytes()) for number, name in enumerate(NAMES)]


def test_cifar_is_read_in_the_order_of_its_files_whatever_theirs_in_the_archive(tmp_path):
    others = [(f"{FOLDER}/readme.html", b"<html>"), ("../../evil.bin", b"x" * 3073)]
    path = archive(tmp_path / "cifar.tar.gz", [*others, *reversed(sound())])
    images, classes, test = cifar.read_cifar10(path)
    assert images.shape == (6 * RECORDS, 32, 32, 3)
    assert test.tolist() == [False] * 5 * RECORDS + [True] * RECORDS
    for number in range(6):
        records = batch(number)
        part = slice(number * RECORDS, (number + 1) * RECORDS)
        assert classes[part].tolist() == records[:, 0].tolist()
        # A record holds 1024 red values, then the green and the blue ones, line by line.
        assert np.array_equal(images[part][2, 3, 4], records[2, 1 + 3 * 32 + 4 :: 1024])
    assert not (tmp_path.parent / "evil.bin").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cifar.tar.gz"]


def replaced(index, name, content):
    members = sound()
    members[index] = (name, content)
    return members


@pytest.mark.parametrize(
    "members, found",
    [
        (sound()[:5], "no cifar-10-batches-bin/test_batch.bin"),
        (replaced(2, NAMES[2], b"short"), "of 5 bytes"),
        (replaced(2, NAMES[2], bytes(3073 * RECORDS + 1)), "15,366 bytes"),
        (replaced(2, NAMES[2], "/etc/passwd"), "a link"),
        (replaced(0, NAMES[1], batch(1).tobytes()), "twice"),
        (replaced(0, f"../{NAMES[0]}", batch(0).tobytes()), "no cifar-10-batches-bin/data_batch_1"),
        (replaced(0, f"/{NAMES[0]}", batch(0).tobytes()), "no cifar-10-batches-bin/data_batch_1"),
        (replaced(3, NAMES[3], batch(3, highest=10).tobytes()), "the class 10"),
        ([(f"member{k}", b"") for k in range(1100)], "more than 1000 members"),
    ],
)
def test_archives_of_other_content_are_refused(tmp_path, members, found):
    path = archive(tmp_path / "cifar.tar.gz", members)
    with pytest.raises(InputFileError, match=found) as caught:
        cifar.read_cifar10(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
@pytest.mark.parametrize("kept", [0, 10, 300, 0.5, 0.9, 0.999])
def test_truncated_archives_are_refused(tmp_path, mode, kept):
    path = archive(tmp_path / "cifar.tar.gz", sound(), mode)
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    if mode == "w" and kept == 0.999:
        return  # only the zeros at the end are missing
    with pytest.raises(InputFileError, match=r"cifar\.tar\.gz"):
        cifar.read_cifar10(path)


def test_scrambled_archives_are_refused_or_read_never_anything_else(tmp_path):
    path = archive(tmp_path / "cifar.tar.gz", sound())
    content = np.frombuffer(path.read_bytes(), np.uint8)
    generator = np.random.default_rng(0)
    for _ in range(30):
        scrambled = content.copy()
        places = generator.integers(0, len(content), 3)
        scrambled[places] = generator.integers(0, 256, 3)
        path.write_bytes(scrambled.tobytes())
        # A changed pixel may pass here: whoever loads the set compares the file's checksum first.
        with suppress(InputFileError):
            assert len(cifar.read_cifar10(path)[0]) == 6 * RECORDS
    path.write_bytes(generator.bytes(5000))
    with pytest.raises(InputFileError):
        cifar.read_cifar10(path)


def test_cifar_is_verified_and_comes_with_its_test_part(tmp_path, monkeypatch):
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "cache"))
    archive(tmp_path / cifar.CIFAR10_ARCHIVE.name, sound())
    with pytest.raises(ChecksumError, match="c4a38c50"):
        load_labelled_images("cifar10")
    said = []
    images = load_labelled_images("cifar10", allow_unverified=True, on_message=said.append)
    assert "UNVERIFIED" in said[0]
    assert images.channels == 3
    assert images.given["train"].tolist() == list(range(5 * RECORDS))
    assert images.given["test"].tolist() == list(range(5 * RECORDS, 6 * RECORDS))
    assert images.class_names[3] == "cat"


def test_sets_that_are_not_there(tmp_path, monkeypatch):
    from hsi_suite.data.public import download

    monkeypatch.delenv("HSI_DATA_DIR", raising=False)
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(download, "fetch", lambda *given: "did not answer")
    with pytest.raises(DatasetNotFoundError, match="cifar-10-binary"):
        load_labelled_images("cifar10")
    with pytest.raises(UnknownNameError, match="Did you mean cifar10"):
        load_labelled_images("cifar100")


def test_digits_are_here_without_a_network():
    images = load_labelled_images("digits")
    assert len(images) == 1797
    assert images.image(5).shape == (8, 8, 1)
    assert np.bincount(images.classes).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip
    assert images.pixels.max() == 255
    assert not images.given


def small(counts, given=()):
    """Black images of 2 × 3 pixels, `counts` of each class."""
    classes = np.repeat(np.arange(len(counts)), counts)
    names = tuple(f"class {k}" for k in range(len(counts)))
    blocks = np.arange(len(classes) * 6, dtype=np.uint8).reshape(-1, 2, 3, 1)
    return from_blocks("small", names, blocks, classes, dict(given), {})


def test_colours_and_sizes():
    images = small([2, 2])
    rgb = recoloured(images, "rgb")
    assert rgb.channels == 3
    assert np.array_equal(rgb.image(1)[..., 2], images.image(1)[..., 0])
    assert np.array_equal(recoloured(rgb, "grey").pixels, images.pixels)
    assert recoloured(images, "grey") is images
    larger = resized(images, 4)
    assert larger.shapes.tolist() == [[4, 6]] * 4
    assert np.array_equal(larger.image(3), resize_image(images.image(3), 4))
    assert resize_image(images.image(0), 2) is not None
    assert np.array_equal(resize_image(images.image(0), 2), images.image(0))


def test_resizing_does_not_alias():
    # One pixel of four is white: a quarter of the light, wherever the pattern begins.
    pattern = np.zeros((64, 64, 1), np.uint8)
    pattern[::2, ::2] = 255
    shrunk = resize_image(pattern, 16)
    assert shrunk.shape == (16, 16, 1)
    assert abs(shrunk[2:-2, 2:-2].astype(float) - 255 / 4).max() < 3


# --- folders of classes


def write_images(folder, count, *, size=(20, 14), mode="RGB"):
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(len(folder.name) + count)
    for number in range(count):
        values = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(values).convert(mode).save(folder / f"{number}.png")


def read(folder, **changed):
    said = []
    options = {"colour": "rgb", "shorter_side": 10, "on_message": said.append} | changed
    return read_class_folder(folder, **options)


def test_a_folder_of_classes(tmp_path):
    write_images(tmp_path / "b", 3)
    write_images(tmp_path / "a", 2, size=(30, 60), mode="L")
    (tmp_path / "a" / "notes.txt").write_text("no image")
    write_images(tmp_path / ".hidden", 1)
    images = read(tmp_path)
    assert images.class_names == ("a", "b")
    assert images.classes.tolist() == [0, 0, 1, 1, 1]
    assert images.names == ["a/0.png", "a/1.png", "b/0.png", "b/1.png", "b/2.png"]
    assert images.shapes.tolist() == [[10, 20]] * 2 + [[14, 10]] * 3
    first = np.asarray(Image.open(tmp_path / "b" / "0.png"))
    assert np.array_equal(images.image(2), resize_image(first, 10))
    assert not images.given
    assert read(tmp_path, colour="grey").channels == 1


def test_the_checksum_of_a_folder_is_of_names_and_contents(tmp_path):
    write_images(tmp_path / "x" / "a", 2)
    write_images(tmp_path / "x" / "b", 2)
    first = read(tmp_path / "x").checksums
    assert read(tmp_path / "x").checksums == first
    (tmp_path / "x" / "a" / "1.png").rename(tmp_path / "x" / "a" / "2.png")
    renamed = read(tmp_path / "x").checksums
    assert renamed != first
    write_images(tmp_path / "x" / "b", 2, size=(20, 15))
    assert read(tmp_path / "x").checksums != renamed


@pytest.mark.parametrize(
    "parts, given",
    [
        (("train", "test"), {"train": 4, "test": 2}),
        (("train", "val"), {"train": 4, "test": 2}),
        (("Train", "VALID", "test"), {"train": 4, "validation": 2, "test": 2}),
        (("train",), {"train": 4}),
    ],
)
def test_given_parts(tmp_path, parts, given):
    for part in parts:
        for name in "ab":
            write_images(tmp_path / part / name, 2 if part.lower() == "train" else 1)
    images = read(tmp_path)
    assert images.class_names == ("a", "b")
    assert {part: len(indices) for part, indices in images.given.items()} == given


def test_folders_that_cannot_be_learnt_from(tmp_path):
    with pytest.raises(InputFileError, match="no such folder"):
        read(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputFileError, match="has no sub-folders"):
        read(tmp_path / "empty")
    write_images(tmp_path / "one" / "a", 2)
    with pytest.raises(InputFileError, match="only the class a"):
        read(tmp_path / "one")
    (tmp_path / "one" / "b").mkdir()
    with pytest.raises(InputFileError, match="b: holds no images"):
        read(tmp_path / "one")
    (tmp_path / "one" / "b" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(InputFileError, match=r"0\.png: cannot be read"):
        read(tmp_path / "one")
    write_images(tmp_path / "one" / "b", 1, size=(1, 300))
    with pytest.raises(InputFileError, match="1 × 300 pixels"):
        read(tmp_path / "one")
    write_images(tmp_path / "parts" / "train" / "a", 2)
    write_images(tmp_path / "parts" / "train" / "b", 2)
    write_images(tmp_path / "parts" / "test" / "c", 2)
    with pytest.raises(InputFileError, match="c: is no class of train"):
        read(tmp_path / "parts")
    write_images(tmp_path / "parts" / "other" / "a", 2)
    with pytest.raises(InputFileError, match="other: stands beside train"):
        read(tmp_path / "parts")


# --- parts


def test_random_parts_are_stratified_and_seeded():
    images = small([50, 30, 20])

    def divided(seed):
        return divide_images(
            images, test=0.2, validation=0.1, generator=np.random.default_rng(seed)
        )

    split = divided(0)
    assert split.kind == "random"
    assert np.bincount(images.classes[split.test]).tolist() == [10, 6, 4]
    assert np.bincount(images.classes[split.validation]).tolist() == [4, 2, 2]
    everything = np.concatenate([split.train, split.validation, split.test])
    assert sorted(everything.tolist()) == list(range(100))
    assert np.array_equal(divided(0).test, split.test)
    assert not np.array_equal(divided(1).test, split.test)


def test_a_given_test_part_is_left_alone():
    given = {"train": np.arange(0, 20), "test": np.arange(20, 30)}
    images = small([15, 15], given)
    generator = np.random.default_rng(0)
    split = divide_images(images, test=0.5, validation=0.2, generator=generator)
    assert split.kind == "given"
    assert np.array_equal(split.test, given["test"])
    assert len(split.validation) == 4
    assert sorted([*split.train, *split.validation]) == list(range(20))
    without = divide_images(images, test=0.5, validation=0.0, generator=generator)
    assert np.array_equal(without.train, given["train"])
    assert len(without.validation) == 0


def test_a_class_with_one_image_is_one_clear_line():
    generator = np.random.default_rng(0)
    with pytest.raises(SplitError, match="the class class 1 has 1 image; expected 2 or more"):
        divide_images(small([5, 1]), test=0.2, validation=0.1, generator=generator)
    given = {"train": np.array([0, 1, 2]), "test": np.array([3, 4])}
    with pytest.raises(SplitError, match="has 0 images"):
        divide_images(small([4, 1], given), test=0.2, validation=0, generator=generator)
