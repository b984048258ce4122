"""What a .dsslic file is put together from: chunks, each the coded bytes of one layer."""

from __future__ import annotations

from dataclasses import dataclass

from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import Stage


@dataclass(frozen=True)
class Chunk:
    """One layer's bytes, its kind (four letters) and the id of the codec that they were made with."""

    kind: str
    codec: int
    data: bytes


@dataclass(frozen=True)
class Layer:
    """What every chunk of one kind is.

    ``kind``: its four letters in the chunk table; a capital first letter makes it critical. ``name``: in
    words, for messages. ``codecs``: the codec ids that can be read. ``stages``: those that are made from it,
    where the file has it. ``holds_photo``: the last stage needs one such layer, whichever it is.
    ``in_base``: it belongs to the base layer, which is read whole with the label map (class list, label map
    and what was told of them), though no stage may be made from it. ``optional``: its stages are made without
    it, too.
    """

    kind: str
    name: str
    codecs: tuple[int, ...]
    stages: tuple[Stage, ...] = ()
    holds_photo: bool = False
    in_base: bool = False
    optional: bool = False

    def chunk(self, codec: int, data: bytes) -> Chunk:
        """A chunk of this kind."""
        return Chunk(self.kind, codec, data)

    def check(self, chunk: Chunk) -> None:
        """FormatError for a chunk whose codec is none of those that can be read."""
        if chunk.codec not in self.codecs:
            raise FormatError(
                f"{self.name} is coded in a way this program does not know: upgrade dsslic-search"
            )
