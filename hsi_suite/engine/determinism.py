"""Which operations have no deterministic form on CUDA, and which a computation calls.

A watch is a dry run without a GPU: while a processor computes, every operation that torch carries
out, of forward and backward passes, is held against the table below. What this package does by
other operations on CUDA goes that way (`pooling.as_on_cuda`).

Sources: torch's documentation of `torch.use_deterministic_algorithms` (2.13), whose lists name
functions; their operations (`aten::…`) are those that the functions call. For what has become
deterministic since torch 2.6, the oldest that this package takes: torch's pull requests 165762
(kthvalue, 2025) and 186653 (topk, 2026), and the documentation of 2.6 (MaxPool3d,
ReplicationPad1d and 3d). For one-dimensional NLLLoss: Loss.cu and NLLLoss2d.cu of ATen. For
AdaptiveMaxPool3d, which the documentation leaves out: AdaptiveMaxPooling3d.cu.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ..backbones.pooling import as_on_cuda

Values = Mapping[str, Any]


def _always(values: Values) -> bool:
    return True


@dataclass(frozen=True)
class Rule:
    """Why an operation is refused on CUDA.

    Attributes:
        documented: the function in torch's documentation.
        when: whether a call with these arguments, by name, is meant.
        older: newer versions of torch have a deterministic form; those from 2.6 on may lack it.
    """

    documented: str
    when: Callable[[Values], bool] = _always
    older: bool = False


def _floating(values: Values) -> bool:
    kind = values.get("dtype") or values["self"].dtype
    return bool(kind.is_floating_point or kind.is_complex)


def _overlapping(values: Values) -> bool:
    sizes = zip(values["self"].shape[-3:], values["grad_output"].shape[-3:], strict=True)
    return any(whole % cells for whole, cells in sizes)


_INTERPOLATE = "interpolate, linear, bilinear, bicubic or trilinear, differentiated"
REFUSED: dict[str, Rule] = {
    "avg_pool3d_backward": Rule("AvgPool3d, differentiated"),
    "_adaptive_avg_pool2d_backward": Rule("AdaptiveAvgPool2d, differentiated"),
    "_adaptive_avg_pool3d_backward": Rule("AdaptiveAvgPool3d, differentiated"),
    "adaptive_max_pool2d_backward": Rule("AdaptiveMaxPool2d, differentiated"),
    # Cells that overlap are added to by whoever comes first; torch does not refuse it.
    "adaptive_max_pool3d_backward": Rule("AdaptiveMaxPool3d, differentiated", _overlapping),
    "fractional_max_pool2d_backward": Rule("FractionalMaxPool2d, differentiated"),
    "fractional_max_pool3d_backward": Rule("FractionalMaxPool3d, differentiated"),
    "max_unpool2d": Rule("MaxUnpool1d and 2d"),
    "max_unpool3d": Rule("MaxUnpool3d"),
    "upsample_linear1d_backward": Rule(_INTERPOLATE),
    "upsample_bilinear2d_backward": Rule(_INTERPOLATE),
    "upsample_bicubic2d_backward": Rule(_INTERPOLATE),
    "upsample_trilinear3d_backward": Rule(_INTERPOLATE),
    "_upsample_bilinear2d_aa_backward": Rule(_INTERPOLATE),
    "_upsample_bicubic2d_aa_backward": Rule(_INTERPOLATE),
    "reflection_pad1d_backward": Rule("ReflectionPad1d, differentiated"),
    "reflection_pad2d_backward": Rule("ReflectionPad2d, differentiated"),
    "reflection_pad3d_backward": Rule("ReflectionPad3d, differentiated"),
    # 0: no reduction, nothing is summed.
    "nll_loss2d_forward": Rule("NLLLoss of maps", lambda values: values["reduction"] != 0),
    "_ctc_loss_backward": Rule("CTCLoss, differentiated"),
    # 2: max.
    "_embedding_bag_dense_backward": Rule(
        "EmbeddingBag of mode max, differentiated", lambda values: values["mode"] == 2
    ),
    "put": Rule("Tensor.put_"),
    "histc": Rule("histc"),
    "bincount": Rule("bincount with weights", lambda values: values.get("weights") is not None),
    "median": Rule("median with indices", lambda values: "dim" in values),
    "nanmedian": Rule("median with indices", lambda values: "dim" in values),
    "grid_sampler_2d_backward": Rule("grid_sample, differentiated"),
    "grid_sampler_3d_backward": Rule("grid_sample, differentiated"),
    "cumsum": Rule("cumsum of real or complex numbers", _floating),
    "scatter_reduce": Rule(
        "Tensor.scatter_reduce by products", lambda values: values["reduce"] == "prod"
    ),
    "resize_": Rule("Tensor.resize_, quantized", lambda values: values["self"].is_quantized),
    "kthvalue": Rule("kthvalue", older=True),
    "topk": Rule("topk: which of equals", older=True),
    "max_pool3d_with_indices_backward": Rule("MaxPool3d, differentiated", older=True),
    "replication_pad1d_backward": Rule("ReplicationPad1d, differentiated", older=True),
    "replication_pad3d_backward": Rule("ReplicationPad3d, differentiated", older=True),
    # Its kernel for processors stands for those that CUDA chooses from.
    "_scaled_dot_product_flash_attention_for_cpu_backward": Rule(
        "scaled_dot_product_attention, differentiated"
    ),
}
"""By operation, without `aten::` and the underscore of those in place."""

EXPLAINED: dict[str, str] = {
    "nll_loss_forward": (
        "the documentation names NLLLoss; what is refused is that of maps (nll_loss2d_forward). "
        "That of rows of logits is summed by one block of threads in a fixed order"
    ),
}
"""Operations that the documentation's words would refuse, and why they are none of it."""


@dataclass(frozen=True)
class Finding:
    """An operation without a deterministic form, where it was called.

    Attributes:
        operation: by its name in ATen.
        rule: why it is refused.
        place: file and line of the caller in this package or the user's; "a backward pass" where
            there is none.
    """

    operation: str
    rule: Rule
    place: str

    def __str__(self) -> str:
        since = " (newer versions of torch have one)" if self.rule.older else ""
        return (
            f"aten::{self.operation} has no deterministic form on CUDA{since}: "
            f"{self.rule.documented}; called from {self.place}"
        )


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Holds all operations inside its block against the table.

    Example:
        >>> with Watch() as watch:
        ...     _ = torch.ones(3).cumsum(0)
        >>> [finding.operation for finding in watch.findings]
        ['cumsum']

    Args:
        refuse: raise at the first finding, in torch's words, which `devices.computing` turns into
            one line; otherwise all are kept.

    Attributes:
        seen: how often each operation was called.
        findings: each once for every place.
    """

    def __init__(self, refuse: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.refuse = refuse
        self.seen: Counter[str] = Counter()
        self.findings: list[Finding] = []

    @property
    def explained(self) -> list[str]:
        """Operations of `EXPLAINED` that were called."""
        return sorted(self.seen.keys() & EXPLAINED.keys())

    def __enter__(self) -> Watch:
        self._way = ExitStack()
        self._way.enter_context(as_on_cuda())
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._way.close()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = _name(func)
        self.seen[name] += 1
        rule = REFUSED.get(name)
        if rule is not None and rule.when(_by_name(func, args, kwargs)):
            self._note(Finding(name, rule, _place()))
        return func(*args, **kwargs)

    def _note(self, finding: Finding) -> None:
        if self.refuse:
            raise RuntimeError(
                f"{finding.operation} does not have a deterministic implementation: {finding}"
            )
        if finding not in self.findings:
            self.findings.append(finding)


def _name(func: Any) -> str:
    name: str = func._schema.name.removeprefix("aten::")
    in_place = name.endswith("_") and name not in REFUSED
    return name.removesuffix("_") if in_place else name


def _by_name(func: Any, args: Sequence[Any], kwargs: Values) -> Values:
    names = [argument.name for argument in func._schema.arguments]
    return {**dict(zip(names, args, strict=False)), **kwargs}


def _place() -> str:
    """The innermost caller that is not torch's or this module's."""
    here, torch_files = Path(__file__), Path(torch.__file__).parent
    for frame in reversed(traceback.extract_stack()):
        path = Path(frame.filename)
        if path != here and torch_files not in path.parents and path.exists():
            return f"{path.name}:{frame.lineno}"
    return "a backward pass"
