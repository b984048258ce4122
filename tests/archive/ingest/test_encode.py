"""What is told of a photo that was prepared."""

from __future__ import annotations

import io
import itertools
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dsslic_search.archive.ingest import encode
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.facts import ALONE
from dsslic_search.core.settings import Settings


def test_steps_are_told_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = itertools.accumulate(itertools.count())  # a clock: 0, 1, 3, 6 seconds
    monkeypatch.setattr(encode, "time", SimpleNamespace(perf_counter=lambda: next(looked_at)))
    photo = io.BytesIO()
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(photo, "PNG")
    source = encode.Original(Path("a.png"), photo.getvalue(), "", datetime(2020, 1, 1))
    options = EncodeOptions(keep="layers")
    prepared = encode.prepare_photo(source, options, Settings(), ALONE)
    assert (prepared.width, prepared.height, prepared.format) == (24, 16, "PNG")
    told = dict(prepared.milliseconds)
    assert (told.pop("open"), told.pop("features")) == (1000, 3000)
    assert told  # what the encoder tells of its own steps
