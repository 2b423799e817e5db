"""Does a device compute what it should: `hsi doctor --gpu`."""
