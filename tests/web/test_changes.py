"""What people change on the page, and what they send to find by: it is in the archive afterwards, and only
that."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.cli.watch import Says
from dsslic_search.core.settings import Settings as Library
from dsslic_search.labels.formats import writer
from dsslic_search.labels.scene import LabelledImage, Legend
from dsslic_search.web.ingesting import plain_name
from tests.web.conftest import SAMPLES, Served


def ids_of(server: Served, text: str = "", **named: Any) -> list[int]:
    return [each["id"] for each in server.get("/api/query", params={"q": text, **named})["objects"]]


def test_tags_are_given_taken_and_asked_for(changed: Served) -> None:
    made = changed.send("POST", "/api/tags", {"ids": [1, 2], "add": ["best", "Été"]})
    assert made == {"added": {"best": 2, "été": 2}, "removed": {}}
    assert changed.get("/api/tags") == {"best": 2, "été": 2}
    assert sorted(ids_of(changed, "tag:best")) == [1, 2]
    both = changed.send("POST", "/api/tags", {"ids": [2], "add": ["x"], "remove": ["best"]})
    assert both == {"added": {"x": 1}, "removed": {"best": 1}}
    [card] = [each for each in changed.get("/api/query")["objects"] if each["id"] == 2]
    assert card["tags"] == ["x", "été"]
    assert changed.get("/api/facets")["tags"][0]["query"] == "tag:été" or changed.get("/api/facets")["tags"]
    changed.send("POST", "/api/tags", {"ids": [1, 99], "add": ["y"]}, 404)
    changed.send("POST", "/api/tags", {"ids": [1], "add": ["not a name!"]}, 400)
    changed.send("POST", "/api/tags", {"ids": ["x"], "add": ["y"]}, 400)
    assert set(changed.get("/api/tags")) == {"best", "été", "x"}


def test_facets_say_how_many_tags_there_are_when_not_all_are_given(changed: Served) -> None:
    names = [f"tag-{number:03}" for number in range(130)]
    changed.send("POST", "/api/tags", {"ids": [1, 2], "add": names[:100]})
    assert changed.get("/api/facets")["more"] == {}
    changed.send("POST", "/api/tags", {"ids": [2], "add": names[100:]})
    for query in ("", "tag:tag-129"):
        found = changed.get("/api/facets", params={"q": query})
        assert [each["name"] for each in found["tags"]] == names[:100]
        assert found["more"] == {"tags": 130}
    changed.send("POST", "/api/tags", {"ids": [2], "remove": names[100:]})
    assert changed.get("/api/facets")["more"] == {}


def test_what_to_do_is_told_in_requests(changed: Served) -> None:
    def told(method: str, path: str, body: Any, status: int = 400) -> str:
        sentence: str = changed.send(method, path, body, status)["error"]["sentence"]
        return sentence

    assert "give one with: POST /api/tags" in told("POST", "/api/tags", {"ids": [1], "remove": ["none"]})
    assert "see them with: /api/saved" in told("DELETE", "/api/saved/none", None, 404)
    unknown = changed.get("/api/query", 400, params={"q": "zzyzx"})["error"]["sentence"]
    assert "see `/api/archive` for the words there are" in unknown
    assert changed.get("/api/read", params={"q": "zzyzx"})["error"]["sentence"] == unknown
    painted = {"width": 1, "height": 1, "classes": [["zzyzx"]]}
    assert "see /api/archive" in told("POST", "/api/sketch", painted)


def test_a_photo_says_whose_label_map_it_has(changed: Served, tmp_path: Path) -> None:
    assert changed.get("/api/photos/1")["labelledBy"] == "segmenter"
    with Archive(changed.root) as archive:
        labels = np.full((60, 80), archive.vocabulary.id_of("horse"), np.uint8)
        to, photo = writer("png", Legend.of(archive.vocabulary)), archive.info(1)["path"]
        for name, data in [*to.image(LabelledImage("one", photo, labels)), *to.end()]:
            (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / name).write_bytes(data)
        assert archive.import_labels(tmp_path / "in").photos == [1]
    assert changed.get("/api/photos/1")["labelledBy"] == "people"
    assert changed.get("/api/photos/2")["labelledBy"] == "segmenter"


def test_ratings_are_facts_that_can_be_asked_for(changed: Served, photos: Path) -> None:
    assert changed.send("PUT", "/api/photos/3/rating", {"rating": 4}) == {"rating": 4}
    assert ids_of(changed, "rating:>=4") == [3]
    assert changed.get("/api/photos/3")["rating"] == 4
    changed.send("POST", "/api/ratings", {"ids": [1, 2], "rating": 2.5})
    found = {each["name"]: each["count"] for each in changed.get("/api/facets")["ratings"]}
    assert found == {"2.5": 2, "4": 1}
    changed.send("PUT", "/api/photos/1/rating", {"rating": 0})
    assert sorted(ids_of(changed, "rating:unknown")) == sorted(set(ids_of(changed)) - {2, 3})
    for wrong in (5.5, -1, 0.2, "many", None):
        changed.send("PUT", "/api/photos/1/rating", {"rating": wrong}, 400)
    changed.send("PUT", "/api/photos/77/rating", {"rating": 1}, 404)
    with Archive(changed.root) as archive:  # stored anew, from a file that says nothing of stars
        assert archive.ingest([photos], keep="exact", effort=1).updated == 0
        assert archive.photo(3).rating == 4  # type: ignore[attr-defined]


def test_saved_queries(changed: Served) -> None:
    assert changed.send("PUT", "/api/saved/Peaks", {"query": "mountain"}) == {
        "name": "peaks",
        "query": "mountain",
    }
    taken = changed.send("PUT", "/api/saved/peaks", {"query": "sky"}, 409)["error"]["sentence"]
    assert 'replace it with "replace": true, or choose' in taken
    changed.send("PUT", "/api/saved/peaks", {"query": "sky", "replace": True})
    changed.send("PUT", "/api/saved/other", {"query": "moutain"}, 400)
    refused = changed.send("PUT", "/api/saved/a%2Fb", {"query": "sky"}, 400)
    assert 'saved query "a/b": a name has' in refused["error"]["sentence"]
    for name in ("%2E", "%2E%2E", "@.", "@.."):
        refused = changed.send("PUT", f"/api/saved/{name}", {"query": "sky"}, 400)
        assert "begins with a letter or a digit" in refused["error"]["sentence"]
    assert changed.get("/api/saved") == {"peaks": "sky"}
    assert changed.get("/api/saved/@peaks")["query"] == "sky"
    assert ids_of(changed, "@peaks") == ids_of(changed, "sky")
    [offered] = changed.get("/api/complete", params={"q": "@pe"})["items"]
    assert offered == {"text": "peaks", "kind": "saved", "note": "sky"}
    changed.send("DELETE", "/api/saved/peaks", None, 204)
    changed.send("DELETE", "/api/saved/peaks", None, 404)
    changed.get("/api/saved/peaks", 404)


def test_the_bin_holds_photos_until_they_are_taken_back(changed: Served) -> None:
    before = ids_of(changed)
    assert changed.send("POST", "/api/bin", {"ids": [2, 5]}) == {"ids": [2, 5], "others": []}
    assert ids_of(changed) == [each for each in before if each not in (2, 5)]
    assert sorted(each["id"] for each in changed.get("/api/bin")["photos"]) == [2, 5]
    assert changed.get("/api/archive")["photos"] == len(before) - 2
    assert changed.send("POST", "/api/bin/restore", {"ids": [2]})["ids"] == [2]
    assert changed.send("POST", "/api/bin/restore", {"ids": None})["ids"] == [5]
    assert ids_of(changed) == before
    changed.send("POST", "/api/bin", {"ids": [1, 99]}, 404)
    assert ids_of(changed) == before


def test_a_photo_is_like_itself_by_id_and_when_it_is_sent(served: Served, photos: Path) -> None:
    card = next(each for each in served.get("/api/query")["objects"] if each["name"] == "picos.jpg")
    data = (photos / "picos.jpg").read_bytes()
    token = served.client.post("/api/similar", files={"photo": ("p.jpg", data)}).json()["token"]
    orders = []
    for by in ("layout", "look", "both"):
        own = ids_of(served, similar=card["id"], by=by)
        assert own[0] == card["id"]
        assert ids_of(served, similar=token, by=by) == own
        orders.append(own)
        assert ids_of(served, "sky", similar=token, by=by) == [
            each for each in own if each in ids_of(served, "sky")
        ]
    assert ids_of(served, f"like #{card['id']}") == orders[2]
    assert orders[0] != orders[1]
    with Archive(served.root) as archive:
        assert not any("p.jpg" in hit.path for hit in archive.query("everything").hits)
    served.get("/api/query", 404, params={"similar": "nosuchtoken"})
    served.get("/api/query", 404, params={"similar": "99"})
    served.get("/api/query", 400, params={"similar": token, "sketch": "x"})
    wrong = served.client.post("/api/similar", files={"photo": ("p.jpg", b"no photo")})
    assert wrong.status_code == 400
    assert served.client.post("/api/similar", files={"other": b"x"}).status_code == 400


def test_what_was_sent_is_still_known_when_the_server_starts_again(
    serve: Callable[..., Any], photos: Path
) -> None:
    body = {"width": 3, "height": 2, "classes": [["sky"] * 3, [None, 7, "mountain"]]}
    with serve() as server:
        sketch = server.send("POST", "/api/sketch", body)["token"]
        data = (photos / "picos.jpg").read_bytes()
        photo = server.client.post("/api/similar", files={"photo": ("p.jpg", data)}).json()["token"]
        asked = [{"sketch": sketch}, {"sketch": sketch, "mirrored": True}]
        asked += [{"similar": photo, "by": by} for by in ("both", "layout", "look")]
        before = [ids_of(server, **each) for each in asked]
    with serve(read_only=True) as server:
        assert [ids_of(server, **each) for each in asked] == before
        shown = server.get(f"/api/sketch/{sketch}")
        assert (shown["width"], shown["height"]) == (3, 2)
        assert server.send("POST", "/api/sketch", shown)["token"] == sketch
        assert shown["classes"][1][:2] == [None, 7]
        server.get("/api/sketch/nosuchtoken", 404)
        server.get(f"/api/sketch/{photo}", 404)


def test_sketches_find_what_the_library_finds(served: Served, tmp_path: Path) -> None:
    rows = [["sky"] * 4, [None, "mountain", "mountain", None], [7] * 4]
    body = {"width": 4, "height": 3, "classes": rows}
    token = served.send("POST", "/api/sketch", body)["token"]
    with Archive(served.root) as archive:
        colours = archive.palette()
        names = [c.name for c in archive.vocabulary.classes]
        pixels = np.zeros((3, 4, 4), np.uint8)
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if cell is not None:
                    told = colours[names[cell] if isinstance(cell, int) else cell]
                    pixels[y, x] = [*bytes.fromhex(told[1:]), 255]
        Image.fromarray(pixels).save(tmp_path / "s.png")
        own = [hit.id for hit in archive.sketch(tmp_path / "s.png").hits]
        mirrored = [hit.id for hit in archive.sketch(tmp_path / "s.png", mirrored=True).hits]
    assert ids_of(served, sketch=token) == own
    assert ids_of(served, sketch=token, mirrored=True) == mirrored
    png = served.client.post(
        "/api/sketch", content=(tmp_path / "s.png").read_bytes(), headers={"Content-Type": "image/png"}
    )
    assert png.json()["token"] == token  # the same sketch
    shapes = served.send("POST", "/api/sketch", [{"class": "sky", "box": [0, 0, 1, 0.4]}])
    assert ids_of(served, sketch=shapes["token"])
    for wrong in (
        {"width": 3, "height": 3, "classes": rows},
        {"width": 1, "height": 1, "classes": [["skyy"]]},
        {"width": 1, "height": 1, "classes": [[999]]},
        {"width": 1, "height": 1, "classes": [[None]]},
        {"width": 1, "height": 1, "classes": [[[1]]]},
        {"width": 2, "height": 1, "classes": ["ab"]},
        {"classes": []},
        "nonsense",
    ):
        served.send("POST", "/api/sketch", wrong, 400)
    served.get("/api/query", 404, params={"sketch": "0" * 36})


def until(held: Callable[[], Any]) -> Any:
    """What a question gives once that is true."""
    for _ in range(600):
        if answer := held():
            return answer
        time.sleep(0.1)
    raise AssertionError("it never came")


def test_duplicates_are_looked_for_in_the_background(changed: Served, tmp_path: Path) -> None:
    assert changed.get("/api/duplicates")["state"] == "idle"
    source = Image.open(SAMPLES / "picos.jpg")
    source.thumbnail((200, 200))
    source.save(tmp_path / "smaller.jpg", quality=80)
    with Archive(changed.root) as archive:
        archive.ingest([tmp_path / "smaller.jpg"])
    assert changed.send("POST", "/api/duplicates", {"threshold": 0.6}, 202)["state"] == "running"
    found = until(
        lambda: (answer := changed.get("/api/duplicates"))["state"] in ("done", "failed") and answer
    )
    assert found["state"] == "done"
    [group] = found["groups"]
    assert {each["name"] for each in group["photos"]} == {"picos.jpg", "smaller.jpg"}
    [best] = [each for each in group["photos"] if each["id"] == group["keep"]]
    assert best["name"] == "picos.jpg"
    assert group["why"] == "it has the most pixels"
    changed.send("POST", "/api/bin", {"ids": [each["id"] for each in group["photos"][1:]]})
    assert len(changed.get("/api/duplicates")["groups"]) == 1  # still there, in the bin


def events_of(server: Served) -> list[tuple[str, dict[str, Any]]]:
    """All events so far."""
    told = server.client.get("/api/ingest/events", params={"once": True}).text
    found = []
    for part in told.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in part.splitlines() if not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def ended(server: Served) -> list[tuple[str, dict[str, Any]]]:
    return until(lambda: (told := events_of(server)) and told[-1][0] in ("done", "failed") and told)  # type: ignore[no-any-return]


def test_dropped_files_become_photos_and_the_others_say_why(changed: Served, photos: Path) -> None:
    new = io.BytesIO()
    picture = Image.open(SAMPLES / "picos.jpg").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture.thumbnail((180, 180))
    picture.save(new, "JPEG")
    sent = [
        ("files", ("../../hidden/.new.jpg", new.getvalue())),
        ("files", ("again.jpg", (photos / "picos.jpg").read_bytes())),
        ("files", ("broken.jpg", b"\xff\xd8\xff no photo")),
        ("files", ("notes.doc", b"text")),
    ]
    before = ids_of(changed)
    answer = changed.client.post("/api/ingest", files=sent)
    assert answer.status_code == 202
    assert answer.json() == {"job": 1, "files": 4}
    told = ended(changed)
    reasons = {data["name"]: data["reason"] for kind, data in told if kind == "skipped"}
    assert set(reasons) == {"again.jpg", "broken.jpg", "notes.doc"}
    assert "already" in reasons["again.jpg"]
    assert [data["name"] for kind, data in told if kind == "stored"] == ["new.jpg"]
    assert told[-1][1]["added"] == 1
    assert told[-1][1]["skipped"] == 3
    assert [path.name for path in changed.incoming.iterdir()] == ["new.jpg"]
    [added] = set(ids_of(changed)) - set(before)
    assert changed.client.get(f"/api/photos/{added}/original").content == new.getvalue()
    assert any(str(changed.incoming) in note for note in told[-1][1]["notes"])
    # another photo of that name takes nothing's place
    other = io.BytesIO()
    picture.rotate(180).save(other, "JPEG")
    changed.client.post("/api/ingest", files=[("files", ("new.jpg", other.getvalue()))])
    until(lambda: [kind for kind, _ in events_of(changed)].count("done") == 2)
    assert sorted(path.name for path in changed.incoming.iterdir()) == ["new (2).jpg", "new.jpg"]


def test_what_lies_in_the_bin_or_is_lost_is_told_from_what_is_there(changed: Served, photos: Path) -> None:
    cards = {each["name"]: each["id"] for each in changed.get("/api/query")["objects"]}
    changed.send("POST", "/api/bin", {"ids": [cards["picos.jpg"]]})
    with Archive(changed.root) as own:
        own.stored_path(cards["stream.jpg"]).unlink()
        own.repair(own.check())
    sent = [("files", (name, (photos / name).read_bytes())) for name in ("picos.jpg", "stream.jpg")]
    changed.client.post("/api/ingest", files=sent)
    told = ended(changed)
    [reason] = [data["reason"] for kind, data in told if kind == "skipped"]
    assert reason == f"it is photo {cards['picos.jpg']}, which lies in the bin; bring it back there"
    assert cards["stream.jpg"] in ids_of(changed)
    assert changed.client.get(f"/api/photos/{cards['stream.jpg']}/original").content == sent[1][1][1]


def test_followed_folders_are_synchronised_and_no_others(changed: Served, photos: Path) -> None:
    assert changed.get("/api/archive")["folders"] == [str(photos)]
    assert changed.send("POST", "/api/ingest", {"folder": str(photos)}, 202) == {"job": 1, "files": 0}
    kind, data = ended(changed)[-1]
    assert (kind, data["added"], data["skipped"]) == ("done", 0, 0)
    for folder in ("/etc", str(photos.parent), str(photos) + "/..", "", "\0"):
        changed.send("POST", "/api/ingest", {"folder": folder}, 404)
    for wrong in ({}, {"folder": 3}, [], {"folder": str(photos), "more": 1}):
        changed.send("POST", "/api/ingest", wrong, 400)
    assert changed.client.post("/api/ingest", data={"x": "y"}, files={}).status_code in (400, 415)


def test_events_go_on_where_they_were_left(changed: Served, photos: Path) -> None:
    changed.send("POST", "/api/ingest", {"folder": str(photos)}, 202)
    every = ended(changed)
    later = changed.client.get(
        "/api/ingest/events", params={"once": True}, headers={"Last-Event-ID": str(len(every) - 1)}
    ).text
    assert later.count("event: ") == 1
    assert f"id: {len(every)}\n" in later


def test_a_page_that_follows_is_told_at_once_and_let_go_at_the_end(changed: Served, photos: Path) -> None:
    def lines() -> Iterator[str]:
        with changed.client.stream("GET", "/api/ingest/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            yield from stream.iter_lines()

    following = lines()
    assert next(following) == ": here"
    changed.send("POST", "/api/ingest", {"folder": str(photos)}, 202)
    for line in following:
        if line == "event: done":
            break
    following.close()  # type: ignore[attr-defined]


def test_another_writer_is_told(changed: Served, photos: Path) -> None:
    with Archive(changed.root, Library()) as other, other.folder.writing():
        changed.send("POST", "/api/ingest", {"folder": str(photos)}, 202)
        notes = until(lambda: [data["note"] for _, data in events_of(changed) if "note" in data])
        assert "writing" in notes[0]
    assert ended(changed)[-1][0] == "done"


def test_folders_are_followed_while_the_server_runs(
    serve: Callable[..., Any], archive: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "followed").mkdir()
    picture = Image.open(SAMPLES / "sunset.jpg")
    picture.thumbnail((100, 100))
    picture.save(tmp_path / "followed" / "one.jpg")
    shutil.copytree(archive, tmp_path / "archive")
    with Archive(tmp_path / "archive") as opened:
        opened.ingest([tmp_path / "followed"])
    (tmp_path / "followed" / "no.jpg").write_bytes(b"no photo")
    with serve(watch=True, says=Says(tmp_path / "archive", "following")) as server:
        until(lambda: events_of(server))
        picture.rotate(180).save(tmp_path / "followed" / "two.jpg")
        stored = until(lambda: [data for kind, data in events_of(server) if kind == "stored"])
        assert (stored[0]["job"], stored[0]["name"]) == (0, "two.jpg")
        until(lambda: [kind for kind, data in events_of(server) if kind == "done" and data["added"]])
        assert server.get("/api/query", params={"q": "name:two.jpg"})["total"] == 1
    said = capfd.readouterr().err.splitlines()  # what a service's journal has
    assert said[0].startswith(f"skipped: {tmp_path / 'followed' / 'no.jpg'}: ")
    assert "following" in said
    assert any("1 added" in line for line in said)


def test_folders_that_cannot_be_followed_are_told_of(
    serve: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Archive(tmp_path / "archive") as opened:
        opened.init()
    with serve(watch=True, says=Says(tmp_path / "archive", "following")) as server:
        until(lambda: "failed" in [kind for kind, _ in events_of(server)])
    (line,) = capfd.readouterr().err.splitlines()
    assert "no folder was ingested so far" in line
    assert "not followed until the server is started again" in line


def test_names_of_sent_files_are_names_alone() -> None:
    for given, expected in (
        ("a.jpg", "a.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("..", "photo"),
        ("", "photo"),
        (".hidden.jpg", "hidden.jpg"),
        ("a\x00\n<b>.jpg", "a_b_.jpg"),
        ("été à la mer.jpg", "été à la mer.jpg"),
        ("\udcff.jpg", "_.jpg"),
    ):
        assert plain_name(given) == expected
    assert plain_name("é" * 300 + ".jpeg").endswith("é.jpeg")
    assert len(plain_name("é" * 300 + ".jpeg").encode()) <= 180
