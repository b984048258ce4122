"""A file's label map for programs that know docs/label-map.md alone, as the page's decoder does: what is
coded as FLIF (the paper's profile) is coded anew, and people's label map takes the place of the
segmenter's."""

from __future__ import annotations

from dataclasses import replace

from dsslic_search.codec import container
from dsslic_search.codec.container import Contents
from dsslic_search.codec.layers import class_list, label_map, people


def is_plain(contents: Contents) -> bool:
    """Whether a file of this header holds a label map as docs/label-map.md says, or none."""
    entry = contents.find(label_map.LAYER.kind)
    by_people = contents.find(people.LAYER.kind) is not None
    return entry is None or (entry.codec == label_map.CONTEXT_MIXING and not by_people)


def plain(prefix: bytes) -> bytes:
    """A file of the header, the class list where there is one, and the label map, of the first bytes of one
    that holds these: the same labels, as docs/label-map.md codes them. FormatError where they are damaged."""
    contents = container.read_contents(prefix)
    size = contents.header.map_size
    corrected = container.read_chunk(prefix, contents, people.LAYER.kind)
    if corrected is not None:
        labels, spoken = people.decode(corrected, size)
        header = replace(contents.header, vocabulary=spoken.vocabulary.identity)
        listed = [] if spoken.native else [class_list.encode(spoken)]
        return container.pack(header, [*listed, label_map.encode(labels)])
    chunks = [container.read_chunk(prefix, contents, each.LAYER.kind) for each in (class_list, label_map)]
    kept = [chunk for chunk in chunks if chunk is not None]
    if kept and kept[-1].kind == label_map.LAYER.kind:
        kept[-1] = label_map.encode(label_map.decode(kept[-1], size))
    return container.pack(contents.header, kept)
