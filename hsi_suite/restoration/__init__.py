"""What denoising needs beside a network: noise estimates, subspaces, damage, colour."""
