"""What the synthetic scene is made of: parcels, spectra of their cover, light and noise."""
