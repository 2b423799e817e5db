"""Denoising: training of denoisers, and `hsi denoise` for photographs and cubes."""
