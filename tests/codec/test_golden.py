"""Files of yesterday decode the same today: map and compact exactly, coarse and full within one grey level.

The files are in ``tests/data/golden`` (and one of before in ``tests/data/dsslic``); ``python -m tests.golden
FORMAT`` wrote them, see :mod:`tests.golden`. Where a picture depends on network weights, those that the file
names must still be here: what ships or what is kept in ``weights/earlier``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.api import file_info
from dsslic_search.codec import container
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.header import Header
from dsslic_search.codec.layer_files import exported, imported
from dsslic_search.networks import runtime, weights
from tests import golden

DATA = Path(__file__).parents[1] / "data"
LEVELS = {"map": 0, "compact": 0, "coarse": 1, "full": 1}
SHOWN = sorted([*golden.GOLDEN.glob("*/*.png"), *(DATA / "dsslic").glob("picos.*.png")])


def parts(shown: Path) -> tuple[str, bytes]:
    name, stage = shown.stem.rsplit(".", 1)
    return stage, (shown.parent / f"{name}.dsslic").read_bytes()


def made_by_other_weights(stage: str, header: Header) -> bool:
    """Coarse is made with whatever weights ship, but in keep mode coarse; golden files tell those of their
    day."""
    return stage == "coarse" and header.keep != "coarse" and header.finenet != runtime.identity(runtime.SHOWN)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_files_of_yesterday_decode_the_same_today(shown: Path):
    stage, data = parts(shown)
    with Image.open(shown) as opened:
        wanted = np.array(opened)
    found = decode_stage(data, stage).pixels
    assert found.shape == wanted.shape
    if not made_by_other_weights(stage, container.read(data).header):
        assert np.abs(found.astype(int) - wanted).max() <= LEVELS[stage]


def test_golden_files_are_of_every_kind():
    headers = [
        container.read(path.read_bytes()).header
        for path in sorted((golden.GOLDEN / "first").glob("*.dsslic"))
    ]
    assert {h.keep for h in headers} == {"layers", "exact", "reference"}
    assert {h.grey for h in headers} == {False, True}
    assert any(h.width % 2 and h.height % 2 for h in headers)
    assert all(weights.find(h.finenet) for h in headers if h.keep == "layers")


@pytest.mark.parametrize("path", sorted((golden.GOLDEN / "paper").glob("*.dsslic")), ids=lambda p: p.stem)
def test_layers_of_the_papers_profile_have_the_pixels_of_yesterday(path: Path):
    wanted = json.loads((path.parent / "hashes.json").read_text())[path.stem]
    data = path.read_bytes()
    assert golden.hashes(data) == wanted
    layers = exported(data)
    assert layers["s.flif"][:4] == layers["c.flif"][:4] == b"FLIF"
    assert imported(layers) == data


def test_golden_files_of_the_papers_profiles_are_of_every_kind():
    headers = {
        path.stem: container.read(path.read_bytes()).header
        for path in sorted((golden.GOLDEN / "paper").glob("*.dsslic"))
    }
    assert len(headers) == len(golden.CROPS) * len(golden.PAPER)
    assert {h.grey for h in headers.values()} == {False, True}
    assert {h.map_scale for h in headers.values()} >= {1}
    assert any(h.width % 2 and h.height % 2 for h in headers.values())
    residuals = {
        file_info((golden.GOLDEN / "paper" / f"{name}.dsslic").read_bytes())["residual"]["mapping"]
        for name, header in headers.items()
        if header.keep == "layers"
    }
    assert residuals == {"min-max", "fixed"}


def test_golden_files_of_today_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What writes them works, and what it writes would pass."""
    monkeypatch.setattr(golden, "CROPS", {"dogs": ((100, 160, 149, 200), False)})
    golden.write(tmp_path / "now")
    written = sorted((tmp_path / "now").glob("*.png"))
    assert len({p.stem.split(".")[1] for p in written}) == len(golden.VARIANTS) + len(golden.KEPT) + 1
    for shown in written:
        test_files_of_yesterday_decode_the_same_today(shown)
    golden.write(tmp_path / "paper")
    told = json.loads((tmp_path / "paper" / "hashes.json").read_text())
    assert sorted(told) == sorted(path.stem for path in (tmp_path / "paper").glob("*.dsslic"))
    with pytest.raises(FileExistsError):
        golden.write(tmp_path / "now")
