"""Cubes without their noise, mixed or white, in memory and in files."""
