"""Text is sent smaller to whoever takes that; pictures, files and ranges of them as they are."""

from __future__ import annotations

import gzip

from tests.web.conftest import Served


def raw(served: Served, path: str, **headers: str) -> tuple[dict[str, str], bytes]:
    """An answer's headers, and its bytes as they came."""
    with served.client.stream("GET", path, headers={"Accept-Encoding": "gzip", **headers}) as answer:
        return dict(answer.headers), b"".join(answer.iter_raw())


def test_text_is_compressed_for_whoever_takes_it(served: Served) -> None:
    for path in ("/api/query", "/api/facets", "/", "/static/app.js", "/static/css/base.css"):
        headers, data = raw(served, path)
        assert headers["content-encoding"] == "gzip", path
        plain_headers, plain = raw(served, path, **{"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain_headers
        assert gzip.decompress(data) == plain
        assert len(data) < len(plain) / 1.5


def test_pictures_and_files_are_sent_as_they_are(served: Served) -> None:
    first = served.get("/api/query", params={"limit": 1})["objects"][0]["id"]
    for path in (
        f"/api/photos/{first}/stages/full",
        f"/api/photos/{first}/file",
        "/api/export?q=sky&format=csv",
    ):
        assert "content-encoding" not in raw(served, path)[0], path
    headers, data = raw(served, f"/api/photos/{first}/file", Range="bytes=0-1999")
    assert headers["content-range"].startswith("bytes 0-1999/")
    assert len(data) == 2000


def test_a_part_of_a_file_is_of_its_own_bytes(served: Served) -> None:
    whole = served.client.get("/static/index.html", headers={"Accept-Encoding": "identity"}).content
    part = served.client.get("/static/index.html", headers={"Range": "bytes=5-1200"})
    assert (part.status_code, part.content) == (206, whole[5:1201])
    assert "content-encoding" not in part.headers
