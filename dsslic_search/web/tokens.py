"""What clients sent to compare photos with, by tokens, in memory."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from dsslic_search.web.refusals import Refusal

if TYPE_CHECKING:
    from dsslic_search.api import Canvas, Resembled

T = TypeVar("T")

TOKENS_KEPT = 1_000


class Tokens(Generic[T]):
    """What tokens stand for, of the last ones that were given or used."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._turn = threading.Lock()

    def give(self, value: T, token: str | None = None) -> str:
        """A token for a value."""
        token = token or secrets.token_urlsafe(18)
        with self._turn:
            self._kept[token] = value
            self._kept.move_to_end(token)
            if len(self._kept) > TOKENS_KEPT:
                self._kept.popitem(last=False)
        return token

    def of(self, token: str) -> T:
        """What a token stands for; Refusal 404 where it is not known any more."""
        with self._turn:
            if token not in self._kept:
                raise Refusal(404, f"{self._what} of that token is not kept any more; send it again")
            self._kept.move_to_end(token)
            return self._kept[token]


class Likenesses:
    """The sketches and photos that were sent."""

    def __init__(self) -> None:
        self.sketches: Tokens[Canvas] = Tokens("the sketch")
        self.photos: Tokens[Resembled] = Tokens("the photo")
