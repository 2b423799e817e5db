"""What a denoiser made: the page of a cube, pictures before and after, scores."""
