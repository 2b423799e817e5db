import json

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from hsi_suite.data.photograph_pairs import pairs_in
from hsi_suite.errors import InputFileError


def write(folder, name, values):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(folder / name)


@pytest.fixture
def photographs(tmp_path):
    clean = samples.astronaut()[100:164, 100:180]
    noise = np.random.default_rng(0).normal(0, 12, clean.shape)
    noisy = np.rint(clean + noise).clip(0, 255).astype(np.uint8)
    for name in ("a", "b"):
        write(tmp_path, f"{name}_real.png", noisy)
        write(tmp_path, f"{name}_mean.png", clean)
    return tmp_path


@pytest.mark.parametrize(
    ("noisy", "clean"),
    [("x_real.png", "x_mean.png"), ("0001_NOISY_SRGB_010.png", "0001_GT_SRGB_010.png"),
     ("x_noisy.png", "x_clean.png"), ("noisy/x.png", "clean/x.png")],
)  # fmt: skip
def test_pairs_are_known_by_their_names(tmp_path, noisy, clean):
    for name in (noisy, clean):
        write((tmp_path / name).parent, (tmp_path / name).name, np.zeros((4, 4, 3), np.uint8))
    (pair,) = pairs_in(tmp_path)
    assert (pair.noisy, pair.clean) == (tmp_path / noisy, tmp_path / clean)


def test_what_has_no_pair_is_refused(photographs, tmp_path):
    (photographs / "b_mean.png").unlink()
    with pytest.raises(InputFileError, match=r"b_real\.png: has no clean photograph"):
        pairs_in(photographs)
    with pytest.raises(InputFileError, match="no pairs"):
        write(tmp_path / "none", "x.png", np.zeros((4, 4), np.uint8))
        pairs_in(tmp_path / "none")


def test_a_name_alone_is_looked_for_below_the_folder_of_data(photographs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("HSI_DATA_DIR", str(photographs))
    (photographs / "sets" / "Camera").mkdir(parents=True)
    for path in photographs.glob("*.png"):
        path.rename(photographs / "sets" / "Camera" / path.name)
    assert [pair.noisy.parent for pair in pairs_in("Camera/")] == [photographs / "sets/Camera"] * 2
    with pytest.raises(InputFileError, match=r"sets/Other: no such folder.*HSI_DATA_DIR"):
        pairs_in("sets/Other")
    # A folder that is here comes first, and of several elsewhere none is guessed.
    (photographs / "Camera").mkdir()
    with pytest.raises(InputFileError, match=r"2 folders below .* have this name"):
        pairs_in("Camera")
    monkeypatch.chdir(photographs)
    with pytest.raises(InputFileError, match="holds no pairs"):
        pairs_in("Camera")


def test_two_clean_photographs_of_one_name_are_refused(photographs):
    write(photographs, "b_mean.bmp", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputFileError, match=r"b_mean\.png: has the name of .*b_mean\.bmp"):
        pairs_in(photographs)


def test_scores_on_pairs_are_printed(hsi, photographs):
    arguments = ("evaluate", "--weights", "camera_denoiser", "--pairs", str(photographs))
    code, out, _ = hsi(*arguments, "--sigma", "10", "--json")
    assert code == 0
    scores = json.loads(out)
    rows = {row["method"]: row["scores"]["real"] for row in scores["methods"]}
    assert scores["images"] == 2 and "default_denoiser, σ 10" in rows
    truth = np.asarray(Image.open(photographs / "a_mean.png"), float)
    noisy = np.asarray(Image.open(photographs / "a_real.png"), float)
    expected = 10 * np.log10(255**2 / np.mean((truth - noisy) ** 2))
    assert rows["noisy"]["peak_signal_noise_ratio"] == pytest.approx(expected)
    # White noise: the network for it is chosen.
    chosen = rows["hsi denoise, chosen by itself"]["peak_signal_noise_ratio"]
    assert chosen > rows["default_denoiser, σ estimated"]["peak_signal_noise_ratio"] > expected + 3
    code, out, _ = hsi(*arguments, "--sigma", "10")
    assert code == 0 and "2 photographs" in out and "real" in out


def test_scores_on_simulated_photographs(hsi, tmp_path):
    write(tmp_path / "clean", "a.png", samples.astronaut()[100:164, 100:180])
    arguments = ("evaluate", "--weights", "camera_denoiser", "--data", str(tmp_path / "clean"))
    code, out, _ = hsi(*arguments, "--iso", "400,6400", "--sigma", "10", "--json")
    assert code == 0
    scores = json.loads(out)
    assert scores["columns"] == ["ISO 400", "ISO 6400"]
    noisy = scores["methods"][0]["scores"]
    ratios = [noisy[name]["peak_signal_noise_ratio"] for name in scores["columns"]]
    assert ratios[0] > ratios[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pairs", "x", "--iso", "100"), "--iso: given with --pairs"),
        (("--pairs", "x", "--data", "y"), "--data: given with --pairs"),
        (("--iso", "100", "--jpeg", "10"), "--jpeg: given with --iso"),
        (("--iso", "0", "--data", "set"), "--iso: [0.0]"),
        (("--pairs", "missing"), "missing"),
    ],
)
def test_what_does_not_fit_is_refused(hsi, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "set", "a.png", samples.astronaut()[:32, :32])
    code, _, err = hsi("evaluate", "--weights", "camera_denoiser", *arguments)
    assert code == 2 and said in err


def test_pairs_of_two_sizes_are_refused(hsi, photographs):
    write(photographs, "b_mean.png", np.zeros((8, 8, 3), np.uint8))
    code, _, err = hsi("evaluate", "--weights", "camera_denoiser", "--pairs", str(photographs))
    assert code == 2 and "b_mean.png" in err
