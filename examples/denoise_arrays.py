"""An image and a cube without their noise; the weights are read once."""

from my_data import cube, image  # lines × samples × bands, lines × samples (× 3)

import hsi_suite as hsi

denoiser = hsi.Denoiser()
clean_image = denoiser(image)  # the noise is estimated
clean_cube = denoiser(cube)
print(clean_image.dtype, clean_cube.shape, f"σ {denoiser.estimate_sigma(image):.1f} of 255")
