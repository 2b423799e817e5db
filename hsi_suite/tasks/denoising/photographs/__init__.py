"""`hsi denoise` for photographs: what noise one has, which network takes it, and the files."""
