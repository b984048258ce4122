"""Networks made without the values that training starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

_FILLS = frozenset({
    Tensor.normal_, Tensor.uniform_, Tensor.zero_, Tensor.fill_,
    init.normal_, init.uniform_, init.kaiming_normal_, init.kaiming_uniform_,
})  # fmt: skip


class Unfilled(TorchFunctionMode):
    """While it is entered, what fills a tensor with initial values does nothing.

    For networks on the device "meta", where there are no values: torch imports its compiler to draw none,
    seconds of processor time.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in _FILLS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
