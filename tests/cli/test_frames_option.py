"""Videos on the command line: passed over and counted, or frames of them taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.clips import chart, clip, marked


def test_videos_are_passed_over_until_frames_are_asked_for(run: Any, tmp_path: Path) -> None:
    folder, archive = tmp_path / "clips", tmp_path / "archive"
    folder.mkdir()
    clip(folder / "clip.mp4", [marked(i) for i in range(5)])
    nothing = run("ingest", folder, "--archive", archive)
    assert nothing.code == 1
    assert nothing.message.endswith("no photos found there but 1 video; --frames 2s takes frames of them")
    Image.fromarray(chart()).save(folder / "a.png")
    passed = run("ingest", folder, "--archive", archive, "--keep", "coarse", "--json")
    assert (passed.code, passed.json["added"], passed.json["videos_passed_over"]) == (0, 1, 1)
    assert "1 added, 0 already there, 0 skipped; " in passed.err
    assert "passed over: 1 video; name them with --list-ignored; " in passed.err
    assert passed.message.endswith("; --frames 2s takes frames of them")
    taken = run("ingest", folder, "--archive", archive, "--keep", "reference", "--frames", "1s", "--json")
    assert (taken.code, taken.json["added"], taken.json["videos_passed_over"]) == (0, 2, 0)
    out = tmp_path / "frame.png"
    (first,) = run("query", 'name:"clip.mp4#t=0.0"', "--json", "--archive", archive).json["results"]
    assert run("preview", first["id"], "--stage", "full", "--out", out, "--archive", archive).code == 0
    assert np.abs(np.asarray(Image.open(out)).astype(int) - marked(0)).max() <= 1
    refused = run("original", first["id"], "--out", tmp_path / "a", "--archive", archive)
    assert refused.code == 1
    assert "a frame of a video, which is no file of its own" in refused.message


def test_what_cannot_be_is_said(run: Any, tmp_path: Path) -> None:
    clip(tmp_path / "clip.mp4", [chart()])
    exactly = run("ingest", tmp_path, "--archive", tmp_path / "a", "--frames", "1s", "--keep", "exact")
    assert (exactly.code, (tmp_path / "a").exists()) == (2, False)
    assert "a frame of a video has no file of its own to be kept exactly" in exactly.message
    often = run("ingest", tmp_path, "--archive", tmp_path / "a", "--frames", "often")
    assert often.code == 2
    assert 'frames: "often" is not a duration, as in 2s, 0.5s, 500ms or 1m, nor scenes' in often.message
    named = run("ingest", tmp_path / "clip.mp4", "--archive", tmp_path / "a")
    assert named.code == 1
    assert "a video, not a photo; take frames of it with --frames 2s" in named.err


def test_the_clip_of_a_live_photo_is_no_video(run: Any, tmp_path: Path) -> None:
    folder, archive = tmp_path / "phone", ("--archive", tmp_path / "archive")
    folder.mkdir()
    moving = clip(folder / "IMG_1.MOV", [marked(i) for i in range(5)])
    alone = run("ingest", folder, *archive, "--keep", "coarse", "--frames", "1s", "--json")
    assert (alone.code, alone.json["added"]) == (0, 2)
    Image.fromarray(chart()).save(folder / "IMG_1.jpg")
    paired = run("ingest", folder, *archive, "--keep", "coarse", "--frames", "1s", "--json")
    assert (paired.code, paired.json["added"], paired.json["videos_passed_over"]) == (0, 1, 0)
    assert paired.json["ignored"] == {"clip of a photo": [str(moving)]}
    assert paired.message == "passed over: 1 clip of a photo; name them with --list-ignored"
    assert run("query", "is:missing", "--json", *archive).json["total"] == 0  # its frames stay
    named = run("ingest", folder, moving, *archive, "--keep", "coarse", "--frames", "500ms", "--json")
    assert (named.code, named.json["added"], named.json["ignored"]) == (0, 1, {})
