"""`python -m hsi_suite.cli`, the same as `hsi`."""

from . import main

main()
