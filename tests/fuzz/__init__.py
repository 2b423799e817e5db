"""Damaged and hostile files for every reader: each must be read or refused in one clear line.

`python -m tests.fuzz --minutes N` tries as many as fit into the time; `tests/test_fuzz.py` tries a
few of each kind with a fixed seed.
"""
