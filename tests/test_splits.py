import contextlib
import json

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from hsi_suite.data.split_files import file_split
from hsi_suite.data.splits import PARTS, Split, load_split, random_split, save_split
from hsi_suite.errors import HsiSuiteError, InputFileError, ShapeError, SplitError

INDIAN_PINES_COUNTS = [
    46, 1428, 830, 237, 483, 730, 28, 478, 20, 972, 2455, 593, 205, 1265, 386, 93,
]  # fmt: skip


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def map_of(counts: list[int], seed: int = 0) -> np.ndarray:
    flat = np.repeat(np.arange(len(counts) + 1), [7, *counts])
    width = 10
    flat = np.concatenate([flat, np.zeros(-len(flat) % width, dtype=int)])
    return rng(seed).permutation(flat).reshape(-1, width).astype(np.uint8)


def sizes(split: Split, labels: np.ndarray, part: str) -> list[int]:
    found = labels.ravel()[getattr(split, part)]
    return [int((found == label).sum()) for label in split.classes]


def assert_disjoint_parts(split: Split) -> None:
    joined = np.concatenate([getattr(split, part) for part in PARTS])
    assert len(np.unique(joined)) == len(joined)
    for part in PARTS:
        pixels = getattr(split, part)
        assert pixels.dtype == np.int64
        assert (np.diff(pixels) > 0).all()


def assert_equal_splits(one: Split, other: Split) -> None:
    for name, value in vars(one).items():
        if name in PARTS:
            np.testing.assert_array_equal(value, getattr(other, name))
        else:
            assert value == getattr(other, name), name


class TestRandomSplit:
    def test_counts_are_those_of_scikit_learn_at_30_percent(self):
        labels = map_of(INDIAN_PINES_COUNTS)
        split = random_split(labels, train=0.3, generator=rng())
        flat = labels[labels > 0]
        theirs, _ = train_test_split(flat, train_size=0.3, stratify=flat, random_state=0)
        assert sizes(split, labels, "train") == np.bincount(theirs)[1:].tolist()
        assert split.train.size == 3074
        assert split.test.size == 10249 - 3074

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.integers(2, 60), min_size=2, max_size=6),
        st.floats(0.02, 0.98),
        st.floats(0, 0.9),
        st.integers(0, 9),
    )
    def test_every_labelled_pixel_is_in_one_part_near_its_share(self, counts, train, held, seed):
        labels = map_of(counts, seed)
        split = random_split(labels, train=train, validation=held, generator=rng(seed))
        assert_disjoint_parts(split)
        joined = np.sort(np.concatenate([getattr(split, part) for part in PARTS]))
        np.testing.assert_array_equal(joined, np.flatnonzero(labels))
        parts = zip(*(sizes(split, labels, part) for part in PARTS), counts, strict=True)
        for n_train, n_validation, n_test, total in parts:
            assert n_train >= 1
            assert n_test >= 1
            assert n_train + n_validation == pytest.approx(train * total, abs=2)
            assert n_validation == pytest.approx(held * (n_train + n_validation), abs=2)

    def test_whole_number_is_pixels_per_class_but_at_most_half(self):
        labels = map_of([100, 11, 2])
        split = random_split(labels, train=20, generator=rng())
        assert sizes(split, labels, "train") == [20, 5, 1]
        assert sizes(split, labels, "test") == [80, 6, 1]

    def test_seed_decides(self):
        labels = map_of([40, 30])
        one = random_split(labels, train=0.3, validation=0.2, generator=rng(3))
        same = random_split(labels, train=0.3, validation=0.2, generator=rng(3))
        other = random_split(labels, train=0.3, validation=0.2, generator=rng(4))
        assert_equal_splits(one, same)
        assert not np.array_equal(one.train, other.train)
        assert one.counts(labels) == {
            1: {"train": 10, "validation": 2, "test": 28, "lost": 0},
            2: {"train": 7, "validation": 2, "test": 21, "lost": 0},
        }

    def test_class_of_one_pixel_follows_the_policy(self):
        labels = map_of([40, 1, 30])
        with pytest.raises(SplitError, match="class 2: a single labelled pixel"):
            random_split(labels, train=0.3, generator=rng())
        dropped = random_split(labels, train=0.3, rare_classes="drop", generator=rng())
        assert dropped.classes == (1, 3)
        assert list(dropped.dropped) == [2]
        assert dropped.train.size + dropped.test.size == 70
        kept = random_split(labels, train=0.3, rare_classes="train", generator=rng())
        assert kept.classes == (1, 2, 3)
        assert list(kept.train_only) == [2]
        assert kept.counts(labels)[2] == {"train": 1, "validation": 0, "test": 0, "lost": 0}

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            (np.zeros((4, 4), int), "no pixel is labelled"),
            (np.full((4, 4), 3), "only class 3"),
            (np.array([[1, 1, 2, 2], [-1, 0, 0, 0]]), "-1"),
            (np.array([[1.0, 2.0]]), "float64"),
            (np.array([[1, 2, 0, 0]]), "single labelled pixel"),
        ],
    )
    def test_labels_that_cannot_be_divided(self, labels, message):
        with pytest.raises(SplitError, match=message):
            random_split(labels, train=0.5, generator=rng())

    @pytest.mark.parametrize("policy", ["drop", "train"])
    def test_nothing_left_to_divide(self, policy):
        with pytest.raises(SplitError):
            random_split(np.array([[1, 2]]), train=0.5, rare_classes=policy, generator=rng())

    def test_labels_of_three_dimensions(self):
        with pytest.raises(ShapeError, match="3 dimensions"):
            random_split(np.ones((2, 2, 2), int), train=0.5, generator=rng())

    @pytest.mark.parametrize(
        "wrong",
        [{"train": 0}, {"train": 1.0}, {"train": -0.1}, {"train": float("nan")}, {"train": True},
         {"train": 0.5, "validation": 1.0}, {"train": 0.5, "validation": -0.5},
         {"train": 0.5, "rare_classes": "keep"}],
    )  # fmt: skip
    def test_arguments_out_of_range(self, wrong):
        with pytest.raises(SplitError):
            random_split(map_of([9, 9]), generator=rng(), **wrong)


class TestSavedSplit:
    def make(self) -> tuple[Split, np.ndarray]:
        labels = map_of([30, 20, 1])
        split = random_split(
            labels, train=0.4, validation=0.25, rare_classes="drop", generator=rng()
        )
        return Split(**{**vars(split), "guard": 2, "lost": {1: 4}, "layout": "σ"}), labels

    def test_round_trip_and_equal_bytes(self, tmp_path):
        split, _ = self.make()
        save_split(split, tmp_path / "a.npz")
        save_split(split, tmp_path / "b.npz")
        assert_equal_splits(load_split(tmp_path / "a.npz"), split)
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()

    def test_damaged_and_foreign_files(self, tmp_path):
        split, _ = self.make()
        save_split(split, tmp_path / "good.npz")
        good = (tmp_path / "good.npz").read_bytes()
        wrong = tmp_path / "wrong.npz"
        for content in (b"", good[:40], good[: len(good) // 2], good[:-8], rng().bytes(400)):
            wrong.write_bytes(content)
            with pytest.raises(InputFileError):
                load_split(wrong)
        np.savez(wrong, train=[1], test=[2])
        with pytest.raises(InputFileError):
            load_split(wrong)
        np.savez(wrong, about=json.dumps({"format": "other"}), train=[1], validation=[], test=[2])
        with pytest.raises(InputFileError, match="another format"):
            load_split(wrong)
        np.savez(wrong, about=json.dumps([1]), train=[1], validation=[], test=[2])
        with pytest.raises(InputFileError):
            load_split(wrong)
        with pytest.raises(InputFileError, match="no such file"):
            load_split(tmp_path / "absent.npz")


LABELS = np.array([[1, 1, 2, 2, 0], [1, 1, 2, 2, 0], [0, 0, 0, 0, 3]], dtype=np.uint8)
TRAIN = np.zeros(LABELS.shape, dtype=bool)
TRAIN[[0, 0, 1], [0, 3, 1]] = True
TEST = (LABELS > 0) & (LABELS < 3) & ~TRAIN
TEST[0, 1] = False

FORMS = {
    "mask": lambda m: m,
    "labels": lambda m: np.where(m, LABELS, 0),
    "floats": lambda m: np.where(m, LABELS, 0).astype(float),
    "indices": lambda m: np.flatnonzero(m)[::-1],
    "places": lambda m: np.argwhere(m)[::-1],
    "nonzero": lambda m: np.array(np.nonzero(m)),
}


class TestFileSplit:
    def check(self, path, **keywords) -> Split:
        split = file_split(path, LABELS, **keywords)
        np.testing.assert_array_equal(split.train, [0, 3, 6])
        np.testing.assert_array_equal(split.test, [2, 5, 7, 8])
        assert split.classes == (1, 2)
        assert list(split.dropped) == [3]
        assert split.guard == 0
        assert_disjoint_parts(split)
        return split

    @pytest.mark.parametrize(
        "names",
        [("train", "test"), ("TR", "TE"), ("train_gt", "test_gt"), ("trainIdx", "test_index")],
    )
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("suffix", ["npz", "mat"])
    def test_masks_label_maps_and_indices(self, tmp_path, names, form, suffix):
        arrays = {names[0]: FORMS[form](TRAIN), names[1]: FORMS[form](TEST)}
        path = tmp_path / f"fixed.{suffix}"
        if suffix == "npz":
            np.savez(path, **arrays)
        else:
            scipy.io.savemat(path, arrays)
        assert self.check(path).validation.size == 0

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("suffix", ["npy", "npz", "mat", "h5"])
    def test_a_file_for_each_part(self, tmp_path, form, suffix):
        for name, mask in (("a", TRAIN), ("b", TEST)):
            path, array = tmp_path / f"{name}.{suffix}", FORMS[form](mask)
            if suffix == "npy":
                np.save(path, array)
            elif suffix == "npz":
                np.savez(path, array)
            elif suffix == "mat":
                scipy.io.savemat(path, {"anything": array})
            else:
                with h5py.File(path, "w") as file:
                    file["anything"] = array.astype(np.int32)
        self.check(f"{tmp_path / 'a'}.{suffix},{tmp_path / 'b'}.{suffix}")

    @pytest.mark.parametrize("array", [np.flatnonzero(TRAIN), np.argwhere(TEST)])
    def test_pixels_of_one_part_are_asked_for_the_other(self, tmp_path, array):
        np.save(tmp_path / "train.npy", array)
        with pytest.raises(InputFileError, match=r"one part.*--split-file TRAIN,TEST"):
            file_split(tmp_path / "train.npy", LABELS)

    def test_codes(self, tmp_path):
        codes = TRAIN * 1 + TEST * 2
        np.save(tmp_path / "codes.npy", codes)
        self.check(tmp_path / "codes.npy")
        codes[0, 1] = 3
        np.save(tmp_path / "codes.npy", codes)
        assert self.check(tmp_path / "codes.npy").validation.tolist() == [1]

    def test_own_split(self, tmp_path):
        labels = map_of([30, 20])
        split = random_split(labels, train=0.4, validation=0.25, generator=rng())
        save_split(split, tmp_path / "split.npz")
        again = file_split(tmp_path / "split.npz", labels)
        assert again.kind == "file"
        for part in PARTS:
            np.testing.assert_array_equal(getattr(again, part), getattr(split, part))
        with pytest.raises(InputFileError, match="as the labels"):
            file_split(tmp_path / "split.npz", labels[:-1])

    def test_guard_is_measured(self, tmp_path):
        labels = np.array([[1, 2, 0, 0, 1, 2]])
        np.savez(tmp_path / "far.npz", train=[0, 1], test=[4, 5])
        assert file_split(tmp_path / "far.npz", labels).guard == 2

    def test_classes_on_one_side_follow_the_policy(self, tmp_path):
        labels = np.array([[1, 1, 2, 2, 3, 4]])
        np.savez(tmp_path / "s.npz", train=[0, 2, 4], test=[1, 3, 5])
        with pytest.raises(SplitError, match="class 3"):
            file_split(tmp_path / "s.npz", labels)
        dropped = file_split(tmp_path / "s.npz", labels, rare_classes="drop")
        assert dropped.classes == (1, 2)
        assert list(dropped.dropped) == [3, 4]
        assert dropped.train.tolist() == [0, 2]
        assert dropped.test.tolist() == [1, 3]
        kept = file_split(tmp_path / "s.npz", labels, rare_classes="train")
        assert kept.classes == (1, 2, 3)
        assert list(kept.train_only) == [3]
        assert list(kept.dropped) == [4]
        assert kept.test.tolist() == [1, 3]

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"train": TRAIN, "test": TEST | TRAIN}, "3 pixels are in both train and test"),
            ({"train": [0, 15], "test": TEST}, "index 15"),
            ({"train": [-1, 0], "test": TEST}, "index -1"),
            ({"train": [0, 0], "test": TEST}, "twice"),
            ({"train": [0, 4], "test": TEST}, "1 unlabelled pixels in train.*MATLAB"),
            ({"train": TRAIN}, "no test among train"),
            ({"train": TRAIN, "TR": TRAIN, "test": TEST}, "train twice"),
            ({"train": TRAIN & False, "test": TEST}, "no train pixel"),
            ({"train": TRAIN.T, "test": TEST}, "train of 5 × 3"),
            ({"train": TRAIN * 2.5, "test": TEST}, "float64"),
            ({"train": np.array(["a"]), "test": TEST}, "type <U1"),
            ({"train": np.full(2, np.nan), "test": TEST}, "float64"),
            ({"train": np.full(2, np.inf), "test": TEST}, "float64"),
            ({"train": np.full(LABELS.shape, 1e30), "test": TEST}, "float64"),
            ({"train": np.array([0, 2**64 - 1], np.uint64), "test": TEST}, "index 18446744073709"),
            ({"train": [[0, 0], [0, 1], [3, 0]], "test": TEST}, "line 3.* 0 to 2"),
            ({"train": [[0, 0], [0, 1], [0, -1]], "test": TEST}, "sample -1.* 0 to 4"),
            ({"train": [[0, 0], [0, 3]], "test": TEST}, "train of 2 × 2"),
            ({"train": [[0, 0, 1], [0, 3, 1], [0, 1, 1]], "test": TEST}, "N × 2 of lines"),
            ({"train": TRAIN * (3 - LABELS), "test": TEST}, "other labels than the ground truth"),
        ],
    )
    def test_wrong_content(self, tmp_path, arrays, message):
        np.savez(tmp_path / "wrong.npz", **arrays)
        with pytest.raises(InputFileError, match=message):
            file_split(tmp_path / "wrong.npz", LABELS)

    def test_codes_of_wrong_shape_or_value(self, tmp_path):
        for wrong in (np.ones((3, 3)), np.array([["a"] * 5] * 3), np.full(LABELS.shape, 4)):
            np.save(tmp_path / "codes.npy", wrong)
            with pytest.raises(InputFileError, match="a map of 3 × 5"):
                file_split(tmp_path / "codes.npy", LABELS)

    def test_matlab_7_3(self, tmp_path):
        with h5py.File(tmp_path / "new.mat", "w") as file:
            for name, mask in (("TR", TRAIN), ("TE", TEST)):
                file[name] = mask.T.astype(np.uint8)
                file[name].attrs["MATLAB_class"] = b"logical"
        self.check(tmp_path / "new.mat")

    def test_missing_empty_pickled_and_foreign(self, tmp_path):
        for wrong in (tmp_path / "absent.mat", tmp_path):
            with pytest.raises(InputFileError):
                file_split(wrong, LABELS)
        (tmp_path / "empty.mat").touch()
        with pytest.raises(InputFileError, match="empty"):
            file_split(tmp_path / "empty.mat", LABELS)
        np.savez(tmp_path / "o.npz", train=np.array([{}], dtype=object), test=TEST)
        with pytest.raises(InputFileError):
            file_split(tmp_path / "o.npz", LABELS)
        (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        with pytest.raises(InputFileError, match="PNG"):
            file_split(tmp_path / "picture", LABELS)

    @pytest.mark.parametrize("kind", ["npz", "mat", "mat4", "npy"])
    def test_damage_never_escapes(self, tmp_path, kind):
        path = tmp_path / "file"
        arrays = {"train": TRAIN.astype(np.uint8), "test": TEST.astype(np.uint8)}
        with path.open("wb") as stream:
            if kind == "npz":
                np.savez_compressed(stream, **arrays)
            elif kind == "npy":
                np.save(stream, TRAIN * 1 + TEST * 2)
            else:
                scipy.io.savemat(stream, arrays, format="4" if kind == "mat4" else "5")
        good = path.read_bytes()
        generator = rng(1)
        for trial in range(120):
            content = bytearray(good)
            # A changed type code in a .mat ends SciPy's reader, which has no check for it.
            if trial % 2 and kind[:3] != "mat":
                for place in generator.integers(len(good), size=3):
                    content[place] = generator.integers(256)
            else:
                del content[generator.integers(len(good)) :]
            path.write_bytes(content)
            with contextlib.suppress(HsiSuiteError):
                file_split(path, LABELS)
