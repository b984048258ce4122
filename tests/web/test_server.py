"""A server as clients meet it: answers, pictures, ranges, and who is refused."""

from __future__ import annotations

import base64
import io
import os
import re
import socket
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from dsslic_search import Archive, decode
from dsslic_search.codec.decoder import read_label_map
from dsslic_search.core.errors import DSSError, UsageError
from dsslic_search.core.kinds import Stage
from dsslic_search.web import server as running
from dsslic_search.web.guard import POLICY
from dsslic_search.web.limits import Limits
from tests.logged import logged
from tests.thresholds import spelt
from tests.web.conftest import HOSTILE, SAMPLES, Served


def test_answers_are_those_of_the_library(served: Served) -> None:
    with Archive(served.root) as archive:
        for text in ("sky and mountain", "no people", "tree sort:-size", "2 photos of sky"):
            found = served.get("/api/query", params={"q": text, "limit": 5})
            own = archive.query(text, limit=5)
            assert [(each["id"], each["score"]) for each in found["objects"]] == [
                (hit.id, hit.score) for hit in own.hits
            ]
            assert (found["total"], found["cursor"] is None) == (own.total, own.cursor is None)
        assert found["listed"] == 2 < found["total"]
        everything = served.get("/api/query")
        assert everything["total"] == archive.overview().photos == served.get("/api/archive")["photos"]
        assert everything["reading"] == ""


def test_any_window_is_a_part_of_the_whole_answer(served: Served) -> None:
    whole = [each["id"] for each in served.get("/api/query", params={"q": "not person"})["objects"]]
    assert len(whole) > 6
    for start, limit in ((0, 3), (2, 3), (len(whole) - 1, 5), (len(whole), 5), (2**53, 5)):
        part = served.get("/api/query", params={"q": "not person", "start": start, "limit": limit})
        assert [each["id"] for each in part["objects"]] == whole[start : start + limit]
        assert part["start"] == start
    paged, cursor = [], None
    while True:
        asked = {"q": "not person", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = served.get("/api/query", params=asked)
        assert page["start"] == len(paged)
        paged += [each["id"] for each in page["objects"]]
        if (cursor := page["cursor"]) is None:
            break
    assert paged == whole


def test_errors_of_queries_point_at_the_word(served: Served) -> None:
    error = served.get("/api/query", 400, params={"q": "sky and moutain"})["error"]
    assert (error["what"], error["start"], error["end"]) == ("moutain", 8, 15)
    assert error["suggestions"] == ["mountain"]
    assert served.get("/api/read", params={"q": "sky and moutain"})["error"] == error
    said = served.get("/api/read", params={"q": "sky without people"})["exactly"]
    assert said == spelt("sky ≥ {sky} and person < {person}")
    assert "\n" not in error["sentence"]
    assert "^" not in error["sentence"]


def test_completions_stand_for_the_characters_before_the_cursor(served: Served) -> None:
    found = served.get("/api/complete", params={"q": "sky and mou, dog", "at": 11})
    assert (found["start"], found["end"]) == (8, 11)
    assert {"text": "mountain", "kind": "class", "note": "class"} in found["items"]
    kinds = {
        each["kind"]
        for text in ("sky an", "ca", "anim", "format:", "word:")
        for each in served.get("/api/complete", params={"q": text})["items"]
    }
    assert {"class", "group", "word", "operator", "field", "value"} <= kinds


def test_no_file_outside_the_archive_is_looked_at(served: Served) -> None:
    outside = str(SAMPLES / "picos.jpg")
    assert served.get("/api/complete", params={"q": f"like {SAMPLES}/pic"})["items"] == []
    there = served.get("/api/query", 400, params={"q": f'like "{outside}"'})["error"]["sentence"]
    gone = served.get("/api/query", 400, params={"q": f'like "{outside}x"'})["error"]["sentence"]
    assert there == gone.replace("jpgx", "jpg")


def test_facets_count_what_their_queries_find(served: Served) -> None:
    for text in ("", "not person"):
        facets = served.get("/api/facets", params={"q": text})
        assert facets["photos"] == served.get("/api/query", params={"q": text, "limit": 0})["total"]
        for name in ("classes", "words", "folders", "formats"):
            assert facets[name], name
            for each in facets[name]:
                found = served.get("/api/query", params={"q": each["query"], "limit": 0})
                assert found["total"] == each["count"], each


def test_what_a_query_counts_by_comes_with_the_queries_for_each_value(served: Served) -> None:
    for text in ("", "how many photos"):
        assert served.get("/api/facets", params={"q": text})["tally"] is None
    facets = served.get("/api/facets", params={"q": "how many photos per format"})
    tally = facets["tally"]
    assert (tally["by"], tally["more"], tally["without"]) == ("format", len(tally["values"]), 0)
    assert sum(each["count"] for each in tally["values"]) == facets["photos"]
    for each in tally["values"]:
        found = served.get("/api/query", params={"q": each["query"], "limit": 0})
        assert found["total"] == each["count"], each
    dated = served.get("/api/facets", params={"q": "count:year"})["tally"]
    assert (dated["by"], dated["values"], dated["without"]) == ("year", [], facets["photos"])


def test_a_photo_tells_what_the_library_knows(served: Served) -> None:
    for each in served.get("/api/query")["objects"]:
        details = served.get(f"/api/photos/{each['id']}")
        assert sum(part["fraction"] for part in details["coverage"]) == pytest.approx(1)
        assert details["layers"][-1]["end"] == details["stored"]
        assert details["stages"]["map"] in [layer["end"] for layer in details["layers"]]
        assert details["stages"] == each["stages"]
    assert served.get("/api/photos/999", 404)["error"]["sentence"].startswith("photo 999: no such id")


@pytest.mark.parametrize("stage", list(Stage))
def test_stages_are_the_pictures_that_the_library_decodes(served: Served, stage: Stage) -> None:
    data = served.client.get("/api/photos/2/file").content
    own = decode(data, stage).convert("RGB" if stage is not Stage.MAP else "P")
    answer = served.client.get(f"/api/photos/2/stages/{stage}")
    picture = Image.open(io.BytesIO(answer.content))
    if stage is Stage.MAP:
        assert picture.mode == "P"
        assert picture.getpalette() == own.getpalette()
    assert picture.convert(own.mode).tobytes() == own.tobytes()
    for form in ("webp", "jpeg"):
        small = served.client.get(f"/api/photos/2/stages/{stage}", params={"format": form, "size": 50})
        assert small.headers["content-type"] == f"image/{form}"
        assert max(Image.open(io.BytesIO(small.content)).size) == min(50, max(own.size))


def test_pictures_are_kept_and_known_again(served: Served) -> None:
    path = "/api/photos/3/stages/compact"
    first = served.client.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    again = served.client.get(path, headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    [card] = [each for each in served.get("/api/query")["objects"] if each["id"] == 3]
    for_good = served.client.get(path, params={"v": card["version"]})
    assert for_good.headers["cache-control"].endswith("immutable")
    assert for_good.content == first.content
    head = served.client.head(path)
    assert head.headers["content-length"] == str(len(first.content))
    assert not head.content


def test_ids_in_addresses_are_digits_alone(served: Served) -> None:
    served.get("/api/photos/1")
    for name in ("1%0a", "%201", "1%20", "+1", "1.0", "1_0", "%D9%A1", "0", "-1", "9" * 19, "9" * 400):
        for path in ("", "/file", "/stages/map"):
            answer = served.client.get(f"/api/photos/{name}{path}")
            assert answer.status_code == 400, (name, path)
            assert answer.json()["error"]["what"] == "photo_id"


def test_ranges_of_a_file_show_the_first_stages(served: Served) -> None:
    [card] = served.get("/api/query", params={"q": "id:2"})["objects"]
    whole = served.client.get("/api/photos/2/file")
    data = whole.content
    assert whole.headers["accept-ranges"] == "bytes"
    end = card["stages"]["compact"]
    part = served.client.get("/api/photos/2/file", headers={"Range": f"bytes=0-{end - 1}"})
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 0-{end - 1}/{len(data)}"
    assert part.content == data[:end]
    decode(part.content, "compact")
    head = served.client.head("/api/photos/2/file", headers={"Range": "bytes=0-"})
    assert (head.status_code, head.headers["content-length"]) == (206, str(len(data)))
    for asked, expected in (("bytes=-7", data[-7:]), (f"bytes={len(data) - 3}-", data[-3:])):
        assert served.client.get("/api/photos/2/file", headers={"Range": asked}).content == expected
    beyond = served.client.get("/api/photos/2/file", headers={"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(data)}"
    assert beyond.json()["error"]["sentence"]
    tag = whole.headers["etag"]
    for of, asked, expected in (
        (tag, "0-9", data[:10]),
        ('"older"', "0-9", data),
        ('"older"', f"{len(data)}-", data),
    ):
        told = {"Range": f"bytes={asked}", "If-Range": of}
        assert served.client.get("/api/photos/2/file", headers=told).content == expected
    for nonsense in ("bytes=5-2", "lines=1-2", "bytes=x-y", "bytes=1-2-3"):
        passed = served.client.get("/api/photos/2/file", headers={"Range": nonsense})
        assert (passed.status_code, passed.content) == (200, data), nonsense


def test_label_maps_come_with_the_answer_that_asks_for_them(served: Served) -> None:
    bare = served.get("/api/query")["objects"]
    assert [each["map"] for each in bare] == [None] * len(bare)
    objects = served.get("/api/query", params={"maps": True})["objects"]
    assert [{**each, "map": None} for each in objects] == bare
    for each in objects:
        prefix = base64.b64decode(each["map"])
        whole = served.client.get(f"/api/photos/{each['id']}/file").content
        assert prefix == whole[: each["stages"]["map"]]
        assert (read_label_map(prefix) == read_label_map(whole)).all()
        assert served.get(f"/api/photos/{each['id']}")["map"] == each["map"]


def test_originals_are_those_that_were_put_in(served: Served, photos: Any) -> None:
    for each in served.get("/api/query")["objects"]:
        answer = served.client.get(f"/api/photos/{each['id']}/original")
        assert answer.headers["content-disposition"].startswith("attachment; ")
        name = HOSTILE if "onerror" in each["name"] else each["name"]
        assert answer.content == (photos / name).read_bytes()


def test_hostile_names_are_plain_text(served: Served) -> None:
    [card] = [each for each in served.get("/api/query")["objects"] if "onerror" in each["name"]]
    assert card["name"] == HOSTILE.replace("\udcff", "//udcff")
    answer = served.client.get(f"/api/photos/{card['id']}/original")
    header = answer.headers["content-disposition"]
    assert "<" not in header
    assert header.isprintable()
    found = served.get("/api/complete", params={"q": "path:"})
    assert found["items"] == []


def test_export_is_what_the_library_writes(served: Served, tmp_path: Any) -> None:
    for form, name in (("csv", "a.csv"), ("json", "a.json"), ("paths", "a.txt"), ("parquet", "a.parquet")):
        answer = served.client.get("/api/export", params={"q": "sky", "format": form})
        with Archive(served.root) as archive:
            archive.export("sky", tmp_path / name)
        assert answer.content == (tmp_path / name).read_bytes(), form
    packed = served.client.get("/api/export", params={"ids": "3,1", "format": "zip"}).content
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert opened.testzip() is None
        held = [opened.read(name) for name in opened.namelist()]
    assert held == [served.client.get(f"/api/photos/{n}/original").content for n in (3, 1)]


# Who is refused


def test_a_page_elsewhere_does_not_reach_the_server(served: Served) -> None:
    own = served.base
    refused = [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.example@127.0.0.1"},
        {"Host": "[::1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": own.replace("http:", "https:")},
        {"Origin": own + "1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ]
    for headers in refused:
        for path in ("/api/archive", "/", "/api/photos/1/file"):
            answer = served.client.get(path, headers=headers)
            assert answer.status_code == 403, headers
            assert "error" in answer.json()
    port = own.rpartition(":")[2]
    for headers in (
        {"Host": f"localhost:{port}"},
        {"Origin": own},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ):
        assert served.client.get("/api/archive", headers=headers).status_code == 200, headers


def test_what_a_form_elsewhere_could_send_changes_nothing(changed: Served) -> None:
    body = '{"ids": [1], "add": ["theirs"]}'
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Origin": "http://evil.example"},
    ):
        answer = changed.client.post("/api/tags", content=body, headers=headers)
        assert answer.status_code in (403, 415), headers
    assert changed.get("/api/tags") == {}


def test_every_answer_carries_the_policy(served: Served) -> None:
    for path in (
        "/",
        "/api/archive",
        "/nothing",
        "/api/photos/1/stages/map",
        "/api/query?q=(((",
    ):
        headers = served.client.get(path).headers
        policy = POLICY if path == "/" else "default-src 'none'"
        assert headers["content-security-policy"] == policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert "unsafe" not in POLICY


def test_another_address_needs_the_token(serve: Callable[..., Any]) -> None:
    with serve(host="0.0.0.0") as server:
        token = server.token
        assert token is not None
        port = server.client.base_url.port
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as second:
            for path in ("/", "/api/archive", "/static/index.html", "/api/photos/1/file", "/?token=wrong"):
                answer = second.get(path)
                assert answer.status_code == 401, path
                assert token not in answer.text
                assert answer.json()["error"]["sentence"].startswith("this server asks for a token"), path
            # to addresses of other machines browsers tell no more than what they would show
            for how in {"Sec-Fetch-Mode": "navigate"}, {"Accept": "text/html,application/xml;q=0.9,*/*"}:
                opened = second.get("/", headers=how)
                assert (opened.status_code, opened.headers["content-type"]) == (
                    401,
                    "text/html; charset=utf-8",
                )
                assert "<p>This server asks for a token; open the address" in opened.text
            shown = second.get("/", params={"token": token, "q": "sky"})
            assert shown.status_code == 303
            assert shown.headers["location"] == "/?q=sky"
            cookie = shown.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert second.get("/api/archive").status_code == 200
            evil = second.get("/api/archive", headers={"Host": "evil.example"})
            assert evil.status_code == 403
        named = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"http://127.0.0.1:{port}/api/archive", headers=named).status_code == 200


def test_a_token_in_a_file_outlives_the_server(serve: Callable[..., Any], tmp_path: Path) -> None:
    kept = tmp_path / "token"
    with serve(token_file=kept) as server:
        token = server.token
        assert token is not None
        assert kept.read_text() == f"{token}\n"
        assert kept.stat().st_mode & 0o777 == 0o600
        assert server.client.get("/api/archive").status_code == 401
    with serve(token_file=kept) as server:
        assert server.token == token
        assert server.client.get("/", params={"token": token}).status_code == 303
        assert server.client.get("/api/archive").status_code == 200


@pytest.mark.parametrize("held", ["", "short", "twenty-letters-and-a space", "täuschend-lang-und-falsch"])
def test_a_token_that_is_none_is_refused(tmp_path: Path, held: str) -> None:
    kept = tmp_path / "token"
    kept.write_text(held)
    with pytest.raises(UsageError, match="a token is 20 letters, digits, - and _ at least"):
        running.kept_token(kept)


def test_a_token_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(DSSError, match="nowhere/token: the token cannot be read or made"):
        running.kept_token(tmp_path / "nowhere" / "token")


def test_another_name_needs_the_token_too(serve: Callable[..., Any]) -> None:
    with serve(names=("photos.example",)) as server:
        assert server.token is not None
        named = {"Host": "photos.example", "Authorization": f"Bearer {server.token}"}
        assert server.client.get("/api/archive", headers=named).status_code == 200
        assert server.client.get("/api/archive").status_code == 401
        other = {**named, "Host": "other.example"}
        assert server.client.get("/api/archive", headers=other).status_code == 403


def test_a_server_that_changes_nothing(served: Served) -> None:
    assert served.get("/api/archive")["readOnly"] is True
    served.send("POST", "/api/tags", {"ids": [1], "add": ["x"]}, 403)
    served.send("PUT", "/api/photos/1/rating", {"rating": 3}, 403)
    served.send("POST", "/api/bin", {"ids": [1]}, 403)
    assert served.client.post("/api/ingest", files={"files": ("a.jpg", b"x")}).status_code == 403


def test_limits_are_kept(serve: Callable[..., Any]) -> None:
    limits = Limits(body=1000, upload=5000, seconds=1, pixels=20_000, rows=3, exported=2, rate=1000)
    with serve(limits) as server:
        assert server.get("/api/query", 413, params={"limit": 4})["error"]["sentence"]
        server.send("POST", "/api/bin", {"ids": [1, 2, 3, 4]}, 413)
        server.send("POST", "/api/tags", {"ids": [1], "add": ["x" * 100] * 20}, 413)
        assert server.client.post("/api/similar", files={"photo": b"x" * 6000}).status_code == 413
        vast = io.BytesIO()
        Image.new("L", (201, 100)).save(vast, "PNG")
        refused = server.client.post("/api/similar", files={"photo": vast.getvalue()})
        assert (refused.status_code, "20,000 pixels" in refused.text) == (413, True)
        assert server.client.get("/api/photos/1/stages/full").status_code == 413
        assert server.client.get("/api/photos/1/stages/compact").status_code == 200
        assert server.client.get("/api/export").status_code == 413

        def chunks() -> Any:
            yield from (b"x" * 600 for _ in range(3))

        told = {"Content-Type": "application/json"}
        assert server.client.post("/api/tags", content=chunks(), headers=told).status_code == 413
        slow = socket.create_connection(("127.0.0.1", server.client.base_url.port))
        with slow:
            slow.sendall(
                b"POST /api/tags HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Content-Length: 50\r\n\r\n{"
            )
            slow.settimeout(30)
            assert slow.recv(1000).startswith(b"HTTP/1.1 408")
        with socket.create_connection(("127.0.0.1", server.client.base_url.port)) as half:
            half.sendall(b"GET /api/saved HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")  # what is whole is answered
            half.settimeout(30)
            with half.makefile("rb") as answers:
                assert answers.readline().startswith(b"HTTP/1.1 200")
                half.sendall(b"GET /api/que")
                assert b"HTTP/1.1 408" in answers.read()  # to the end: it is closed
        with socket.create_connection(("127.0.0.1", server.client.base_url.port)) as silent:
            silent.settimeout(30)
            assert silent.recv(1) == b""


def test_what_is_cut_off_at_the_end_is_told_in_a_sentence(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SECONDS_TO_END", 0)
    with socket.socket() as slow, ExitStack() as to_the_end:
        with serve() as server:
            records = to_the_end.enter_context(logged("uvicorn.error"))
            slow.connect(("127.0.0.1", server.client.base_url.port))
            slow.sendall(
                b"POST /api/tags HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Expect: 100-continue\r\nContent-Length: 50\r\n\r\n"
            )
            slow.settimeout(30)
            assert slow.recv(1000).startswith(b"HTTP/1.1 100")  # it is waited for
        assert slow.recv(1000).startswith(b"HTTP/1.1 500")
    (told,) = records
    assert told.getMessage() == "what was not answered 0 seconds after the end was asked for is cut off"
    assert told.exc_info is None


def test_a_client_that_asks_too_often_is_told_to_wait(serve: Callable[..., Any]) -> None:
    with serve(Limits(rate=1)) as server:
        answers = [server.client.get("/api/saved") for _ in range(12)]
        assert {each.status_code for each in answers} == {200, 429}
        late = next(each for each in answers if each.status_code == 429)
        assert int(late.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/%2e%2e%2fapp.py",
        "/static//etc/passwd",
        "/static/v-0123456789ab/../../app.py",
        "/static/v-0123456789ab//etc/passwd",
        "/static/v-0123456789ab/v-0123456789ab/../../../app.py",
        "/static/..\\app.py",
        "/static/%00",
        "/..%2f..%2fetc/passwd",
        "/api/photos/..%2f1/file",
        "/api/photos/1/stages/..%2ffile",
    ],
)
def test_no_path_leads_out(served: Served, path: str) -> None:
    raw = socket.create_connection(("127.0.0.1", served.client.base_url.port or 0))
    with raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        raw.settimeout(30)
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert b"root:" not in answer
    assert b"FastAPI" not in answer


def test_a_worker_is_bound_by_the_policy_of_its_script(served: Served) -> None:
    policy = served.client.get("/static/labelmap/worker.js").headers["content-security-policy"]
    assert policy == "default-src 'none'; script-src 'self'"


def test_the_pages_files_are_kept_under_their_version(served: Served) -> None:
    [script] = re.findall(r'<script type="module" src="([^"]+)"', served.client.get("/").text)
    assert re.fullmatch(r"/static/v-[0-9a-f]{12}/app\.js", script)
    kept, plain = served.client.get(script), served.client.get("/static/app.js")
    assert kept.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "no-cache"
    before = served.client.get("/static/v-0123456789ab/app.js")  # of a page that was opened before
    assert before.headers["cache-control"] == "no-cache"
    assert kept.text == plain.text == before.text
    assert served.client.get("/static/v-0123456789ab").status_code == 404


def test_the_version_is_that_of_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from dsslic_search.web import app

    monkeypatch.setattr(app, "PAGE", tmp_path)
    seen = {app.page_version()}
    (tmp_path / "css").mkdir()
    for text in ("", "a", "b"):
        (tmp_path / "css" / "base.css").write_text(text)
        os.utime(tmp_path / "css" / "base.css", ns=(0, 1 + len(seen)))
        seen.add(app.page_version())
        assert app.page_version() in seen
    assert len(seen) == 4


def test_pictures_carry_few_headers_and_pages_all(served: Served) -> None:
    """A compact image of 200 bytes is not to come with 600 of headers over a slow line."""
    from dsslic_search.web.guard import HEADERS, OF_OTHERS

    picture = served.client.get("/api/photos/1/stages/compact", params={"format": "webp"}).headers
    page = served.client.get("/").headers
    told = {name: picture[name] for name in HEADERS if name in picture}
    assert told == OF_OTHERS
    assert {name: page[name] for name in HEADERS} == HEADERS
    assert sum(len(f"{name}: {value}\r\n") for name, value in picture.items()) < 450
