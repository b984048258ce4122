from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.flif.file import Header, MetadataChunk, read_header
from dsslic_search.core.errors import FormatError

NAMES = st.sampled_from(["iCCP", "eXif", "eXmp", "note"])
CHUNKS = st.lists(st.builds(MetadataChunk, NAMES, st.binary(max_size=300)), max_size=3).map(tuple)
HEADERS = st.builds(
    Header,
    st.integers(1, 40_000),
    st.integers(1, 5000),
    st.sampled_from([1, 3, 4]),
    st.sampled_from([8, 16, None]),
    st.booleans(),
    CHUNKS,
)


@given(HEADERS, st.binary(max_size=5))
def test_a_header_is_read_as_it_was_written(header: Header, rest: bytes) -> None:
    data = header.write()
    assert read_header(data + rest) == (header, len(data))


@given(HEADERS)
def test_a_truncated_header_is_refused(header: Header) -> None:
    data = header.write()
    for length in {0, 3, 4, 7, *range(8, len(data), 1 + len(data) // 9)}:
        with pytest.raises(FormatError, match=r"truncated|no FLIF"):
            read_header(data[:length])


@pytest.mark.parametrize("name", ["", "exi", "iccpx", "NEED", "\0abc"])
def test_a_chunk_has_a_name_that_a_reader_need_not_know(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be called"):
        MetadataChunk(name, b"")


PLAIN = Header(3, 2, 3, 8, False).write()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x89PNG" + PLAIN[4:], "no FLIF"),
        (PLAIN[:4] + b"S" + PLAIN[5:], "animation"),
        (PLAIN[:4] + b"2" + PLAIN[5:], "unknown kind"),
        (PLAIN[:4] + b"\x10" + PLAIN[5:], "unknown kind"),
        (PLAIN[:5] + b"3" + PLAIN[6:], "unknown kind"),
        (PLAIN[:6] + b"\xff" * 9 + PLAIN[7:], "too large"),
        (PLAIN[:-1] + b"\x01", "later version"),
        (PLAIN[:-1] + b"NEED\x01a\0", "chunk 'NEED'"),
        (PLAIN[:-1] + b"note\x7fa\0", "chunk 'note'"),
    ],
)
def test_what_is_no_still_flif16_picture_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(FormatError, match=told):
        read_header(data)
