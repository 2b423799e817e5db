"""A GPU that is pretended: a processor computes, and what a GPU would refuse is refused.

Tensors that were sent to `cuda` are marked by their storage. They say that they are on CUDA, what
is made of them is on CUDA too, and operations between them and tensors of the host fail, as does
reading them as NumPy arrays. So do draws by a generator of the other side, products of whole
numbers, operations that processors alone have, and pinning what lies in memory more than once.
Autocast is that of the processor. What CUDA computes otherwise (rounding, memory) is not pretended.
"""

import contextlib

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

CUDA = torch.device("cuda", 0)
_COPIES = {"copy_", "_to_copy", "set_", "_has_compatible_shallow_copy_type"}
# Of these not even numbers may be of both sides.
_JOINED = {"cat", "stack"}
# Of whole numbers CUDA has none.
_PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "mv", "addmv", "dot"}
# Of these the indices may lie on the host, where the values do not.
_INDEXED = {"index", "index_put", "index_put_", "_index_put_impl_"}
_LIKE = {torch.Tensor.to, torch.Tensor.type_as}


class MixedDevicesError(RuntimeError):
    """An operation between tensors of both sides."""


class NotThereError(RuntimeError):
    """What CUDA does not do."""


class _Marks:
    """Which storages are pretended to be on the GPU."""

    def __init__(self):
        self._known = {}

    def add(self, tensor):
        storage = StorageWeakRef(tensor.untyped_storage())
        self._known[storage.cdata] = storage

    def discard(self, tensor):
        self._known.pop(tensor.untyped_storage()._cdata, None)

    def has(self, tensor):
        key = tensor.untyped_storage()._cdata
        kept = self._known.get(key)
        if kept is not None and kept.expired():
            del self._known[key]
            kept = None
        return kept is not None


# Networks that are kept for the next time stay where they are.
_MARKS = _Marks()


class _Operations(TorchDispatchMode):
    """Carries the marks on and refuses what is of both sides."""

    def __init__(self, marks):
        super().__init__()
        self.marks = marks
        self.count = 0

    def _mixed(self, name, args, given):
        if name in _INDEXED and self.marks.has(args[0]):
            given = [args[0], *args[2:3]]
        joined = name in _JOINED
        return any((each.ndim or joined) and not self.marks.has(each) for each in given)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self.count += 1
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        if any(each.is_meta for each in given):
            return func(*args, **kwargs)
        there = [self.marks.has(each) for each in given]
        name = func._schema.name.removeprefix("aten::")
        if any(there) and name not in _COPIES and self._mixed(name, args, given):
            sides = ["cuda" if is_there else "cpu" for is_there in there]
            shapes = [tuple(each.shape) for each in given]
            raise MixedDevicesError(f"{name}: {list(zip(sides, shapes, strict=True))}")
        if any(there) and func.namespace == "mkldnn":
            raise NotThereError(f"{func._schema.name} is of processors")
        if any(there) and name in _PRODUCTS and not given[0].is_floating_point():
            raise NotThereError(f'"{name}_cuda" not implemented for {given[0].dtype}')
        found = func(*args, **kwargs)
        if any(there) and not (name == "copy_" and not there[0]):
            for each in tree_leaves(found):
                if isinstance(each, torch.Tensor):
                    self.marks.add(each)
        return found


class _Functions(TorchFunctionMode):
    """Turns devices in calls into marks, and marks into devices."""

    def __init__(self, marks):
        super().__init__()
        self.marks = marks

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func == torch.Tensor.device.__get__:
            return CUDA if self.marks.has(args[0]) else func(*args)
        if func == torch.Tensor.is_cuda.__get__:
            return self.marks.has(args[0])
        if func is torch.Tensor.pin_memory:
            # 1: an expanded tensor, to which the pinned copy could not be written.
            if torch._debug_has_internal_overlap(args[0]) == 1:
                raise NotThereError("more than one element refers to a single memory location")
            return args[0]
        if func in (torch.Tensor.numpy, torch.Tensor.__array__) and self.marks.has(args[0]):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func is torch.Tensor.cpu:
            return self._fetched(args[0]) if self.marks.has(args[0]) else args[0]
        if func is torch.Tensor.cuda:
            return self._sent(args[0].clone())
        if func in _LIKE:
            return self._moved(func, args, kwargs)
        self._check_generator(kwargs, args)
        wanted = kwargs.get("device")
        if wanted is not None and torch.device(wanted).type == "cuda":
            kwargs["device"] = "cpu"
            return self._sent(func(*args, **kwargs))
        return func(*args, **kwargs)

    def _check_generator(self, kwargs, args):
        generator = kwargs.get("generator")
        if generator is None:
            return
        target = torch.device(kwargs.get("device") or "cpu").type
        if args and isinstance(args[0], torch.Tensor):
            target = "cuda" if self.marks.has(args[0]) else "cpu"
        own = getattr(generator, "pretended", "cpu")
        if own != target:
            raise MixedDevicesError(f"a generator of {own} draws on {target}")

    def _sent(self, tensor):
        self.marks.add(tensor)
        return tensor

    def _fetched(self, tensor):
        copied = tensor.clone()
        self.marks.discard(copied)
        return copied

    def _moved(self, func, args, kwargs):
        tensor, *rest = args
        kwargs.pop("non_blocking", None)
        target = kwargs.pop("device", None)
        for place, each in enumerate(rest):
            if isinstance(each, torch.Tensor):
                target = CUDA if self.marks.has(each) else torch.device("cpu")
                rest[place : place + 1] = [each.dtype]
                func = torch.Tensor.to
            elif isinstance(each, str | torch.device):
                target = torch.device(each)
                rest[place : place + 1] = []
        rest = [each for each in rest if not isinstance(each, bool) and each is not None]
        found = func(tensor, *rest, **kwargs) if rest or kwargs else tensor
        if target is None:
            return found
        if torch.device(target).type == "meta":
            return found.to("meta")
        if (torch.device(target).type == "cuda") == self.marks.has(tensor):
            return found
        # As a copy: the other side has memory of its own.
        return (
            self._sent(found.clone()) if self.marks.has(tensor) is False else self._fetched(found)
        )


@contextlib.contextmanager
def pretended_gpu(monkeypatch):
    """Let torch have one CUDA device inside the block.

    Args:
        monkeypatch: of pytest, whose changes end with the test.

    Yields:
        The mode that counts the operations.
    """
    for name, answer in {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "get_device_name": lambda device=None: "a pretended GPU",
        "get_device_capability": lambda device=None: (9, 0),
    }.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    fork = torch.random.fork_rng
    monkeypatch.setattr(torch.cuda, "default_generators", (torch.Generator(),))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch, "Generator", _Generator)
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices=(): fork([]))
    _pretend_autocast(monkeypatch)
    with _Operations(_MARKS) as operations, _Functions(_MARKS):
        yield operations


def _pretend_autocast(monkeypatch):
    """Autocast of `cuda` is that of processors, and is known by both names."""
    autocast, is_on = torch.autocast, torch.is_autocast_enabled

    def on_the_processor(device_type, *args, **kwargs):
        return autocast("cpu", *args, **kwargs)

    monkeypatch.setattr(torch, "autocast", on_the_processor)
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda device="cpu": is_on("cpu"))


class _Generator(torch.Generator):
    def __new__(cls, device="cpu"):
        made = super().__new__(cls, "cpu")
        made.pretended = torch.device(device).type
        return made
