"""The workspace of NVIDIA's matrix library, without which its sums have no fixed order.

cuBLAS reads the variable when it starts and never again, so it has to be there before torch
computes anything on a device. `hsi_suite/__init__.py` sees to it: whatever starts (commands,
workers, tests, a user's own program) imports that first.

Source: NVIDIA's cuBLAS documentation, "Results Reproducibility". Versions of torch before its pull
request 161749 (2025) refuse deterministic products without the variable.
"""

from __future__ import annotations

import os

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
# Eight buffers of 4,096 KiB. The other setting that fixes the order, :16:8, may limit the speed.
SETTING = ":4096:8"


def reserve_workspace() -> None:
    """Set the variable for this process and those that it starts, where nobody has."""
    os.environ.setdefault(WORKSPACE, SETTING)
