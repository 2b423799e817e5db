"""What is said of the noise of a stack's pages."""

import numpy as np
import tifffile

from hsi_suite.engine.observer import Observer
from hsi_suite.tasks.denoising.photographs.image_denoising import denoise_images


class Listener(Observer):
    """Keeps what it is told."""

    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


def test_advice_says_which_page_it_is_of(tmp_path):
    path, listener = tmp_path / "small.tif", Listener()
    pages = np.random.default_rng(0).integers(0, 255, (3, 20, 20), np.uint8)
    tifffile.imwrite(path, pages, imagej=True, metadata={"axes": "TYX"})
    denoise_images([path], observer=listener)
    assert any(f"{path}, page 1 of 3: 20 × 20 pixels are few" in line for line in listener.said)
