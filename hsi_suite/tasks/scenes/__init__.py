"""Classification of scenes: `hsi train` on cubes and `hsi predict`."""
