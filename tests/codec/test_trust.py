"""Residuals that lean on the coarse image: the trials of effort 9, and the weights that such files depend
on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.codec import container, decoder, prediction, quality
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import residual
from dsslic_search.codec.layers.planes import read_planes
from dsslic_search.codec.layers.terms import NO_NETWORK, Terms, read_terms
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import StageError
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.finenet import FineNet, FineNetConfig
from dsslic_search.networks.grid import LABEL_SCALE
from dsslic_search.networks.restorer import Restorer, RestorerConfig
from tests.pictures import sample

CLASSES = 51


@pytest.fixture(scope="module")
def photo() -> SourcePhoto:
    return sample(side=160)


def terms_of(data: bytes) -> Terms:
    contents = container.read(data)
    return read_terms(container.read_chunk(data, contents, "RESI").data, contents.header.grey)[0]


def with_trusts(monkeypatch: pytest.MonkeyPatch, *trusts: int) -> None:
    """Makes every effort try these."""
    monkeypatch.setattr(
        quality,
        "_EFFORTS",
        tuple(replace(each, preset="ultrafast", trusts=trusts) for each in quality._EFFORTS),
    )


def error(data: bytes, photo: SourcePhoto) -> float:
    return float(np.square(decode_stage(data).pixels.astype(float) - photo.pixels).mean())


@pytest.mark.parametrize("trust", [1, 16, 64])
def test_any_trust_decodes_and_names_its_network(photo, trust, monkeypatch):
    with_trusts(monkeypatch, trust)
    data = encode_photo(photo, EncodeOptions(70)).data
    assert terms_of(data).trust == trust
    assert container.read(data).header.finenet == runtime.identity(runtime.UNDER_RESIDUAL)
    with_trusts(monkeypatch, 0)
    plain = encode_photo(photo, EncodeOptions(70)).data
    assert container.read(plain).header.finenet == "0" * 16
    assert error(data, photo) < 1.25 * error(plain, photo)


def test_trials_keep_the_cheapest(photo, monkeypatch):
    """A coarse image that is the photo is to be trusted, one that is noise is not."""
    trusts = quality.effort(9).trusts
    assert trusts[0] == 0
    assert len(trusts) > 1
    with_trusts(monkeypatch, *trusts)
    noise = np.random.default_rng(1).integers(0, 256, photo.pixels.shape).astype(np.uint8)
    for made, kept in ((photo.pixels, max(trusts)), (noise, 0)):
        monkeypatch.setattr(prediction, "coarse_image", lambda *_, made=made: made)
        assert terms_of(encode_photo(photo, EncodeOptions(60)).data).trust == kept


def test_the_highest_effort_goes_through():
    small = SourcePhoto(np.ascontiguousarray(sample("wine.jpg", 200).pixels[:64, :96]))
    data = encode_photo(small, EncodeOptions(60, effort=9)).data
    assert terms_of(data).trust in quality.effort(9).trusts
    assert len(data) <= 1.01 * len(encode_photo(small, EncodeOptions(60, effort=6)).data)
    assert error(data, small) < 40


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder of its own: what ships, beside it room for more."""
    for path in weights.folder().glob("*.safetensors"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "earlier").mkdir()
    monkeypatch.setattr(weights, "folder", lambda: tmp_path)
    return tmp_path


def random_finenet(path: Path, seed: int) -> str:
    import torch

    torch.manual_seed(seed)
    net = FineNet(FineNetConfig(classes=CLASSES))
    torch.nn.init.normal_(list(net.parameters())[-2], std=0.02)
    return weights.save(path, net, "finenet", net.config)


def test_files_find_the_weights_that_shipped_when_they_were_made(photo, shipped, monkeypatch):
    with_trusts(monkeypatch, 64)
    older = shipped / "finenet.safetensors"
    older.unlink()
    first = random_finenet(older, 1)
    old_file = encode_photo(photo, EncodeOptions(50)).data
    shown = decode_stage(old_file).pixels
    assert container.read(old_file).header.finenet == first
    older.rename(shipped / "earlier" / "finenet-1.safetensors")
    second = random_finenet(older, 2)
    weights.identity.cache_clear()
    assert runtime.identity(runtime.UNDER_RESIDUAL) == second != first
    assert weights.find(first) == shipped / "earlier" / "finenet-1.safetensors"
    assert np.array_equal(decode_stage(old_file).pixels, shown)
    new_file = encode_photo(photo, EncodeOptions(50)).data
    assert container.read(new_file).header.finenet == second
    (shipped / "earlier" / "finenet-1.safetensors").unlink()
    with pytest.raises(StageError, match=f"depends on weights {first} of the finenet network.*upgrade"):
        decode_stage(old_file)
    assert decode_stage(old_file, "compact").pixels.size


def test_files_kept_coarse_find_the_weights_that_shipped_when_they_were_made(photo, shipped):
    older = shipped / "finenet_perceptual.safetensors"
    older.unlink()
    first = random_finenet(older, 3)
    data = encode_photo(photo, EncodeOptions(50, keep="coarse")).data
    shown = decode_stage(data, "coarse").pixels
    older.rename(shipped / "earlier" / "finenet_perceptual-1.safetensors")
    random_finenet(older, 4)
    weights.identity.cache_clear()
    assert container.read(data).header.finenet == first
    assert np.array_equal(decode_stage(data, "coarse").pixels, shown)


def random_restorer(path: Path, seed: int) -> str:
    """Weights that change a picture by a grey level or two."""
    import torch

    torch.manual_seed(seed)
    net = Restorer(RestorerConfig(classes=CLASSES, width=8, deep=16, blocks=1))
    torch.nn.init.normal_(net.head.weight, std=0.02)
    return weights.save(path, net, "restorer", net.config)


def restored_file(data: bytes, strength: int, restorer: str) -> bytes:
    """A file whose decoded photo shall be restored."""
    contents = container.read(data)
    terms, picture = read_terms(container.read_chunk(data, contents, "RESI").data, contents.header.grey)
    chunk = replace(terms, strength=strength, restorer=restorer).to_bytes() + picture
    chunks = [
        Chunk(
            e.kind, e.codec, chunk if e.kind == "RESI" else container.read_chunk(data, contents, e.kind).data
        )
        for e in contents.entries
    ]
    return container.pack(contents.header, chunks)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("strength", [16, 64, 200])
def test_restoration_is_what_the_network_says(shipped, strength, grey):
    import torch

    (shipped / "restorer.safetensors").unlink(missing_ok=True)
    identity = random_restorer(shipped / "restorer.safetensors", 5)
    net = runtime.load("restorer", shipped / "restorer.safetensors")
    encoded = encode_photo(sample(side=160, grey=grey), EncodeOptions(40, effort=1))
    data = restored_file(encoded.data, strength, identity)
    plain, shown = (
        decode_stage(restored_file(encoded.data, 0, NO_NETWORK)).pixels,
        decode_stage(data).pixels,
    )
    assert shown.shape == plain.shape
    contents = container.read(data)
    marks = decoder.network_marks(data, contents)
    padding = [(0, marks.shape[k] * LABEL_SCALE - plain.shape[k]) for k in (0, 1)]
    terms, coded = read_terms(container.read_chunk(data, contents, "RESI").data, grey)
    planes = read_planes(coded, grey, 10, plain.shape[:2])
    quarters = residual.reconstruct(planes, terms)
    x = (
        np.pad(
            quarters[..., None].repeat(3, 2) if grey else quarters, (*padding, (0, 0)), mode="edge"
        ).astype(np.float32)
        / 1020
    )
    with torch.inference_mode():
        more = net.correction(
            torch.from_numpy(x).permute(2, 0, 1)[None],
            torch.from_numpy(marks)[None],
            torch.tensor([float(contents.header.residual_qp)]),
        )
    correction = 255 * more[0].permute(1, 2, 0).numpy()[: plain.shape[0], : plain.shape[1]]
    wanted = quarters / 4 + strength / 64 * (correction.mean(2) if grey else correction)
    assert np.abs(shown - wanted.clip(0, 255)).max() < 0.51
    assert 0.02 < np.abs(shown.astype(float) - plain).mean() < 40


def test_restoration_without_its_weights_says_so(photo, shipped):
    (shipped / "restorer.safetensors").unlink(missing_ok=True)
    random_restorer(shipped / "restorer.safetensors", 5)
    data = restored_file(encode_photo(photo, EncodeOptions(40, effort=1)).data, 64, "ab" * 8)
    with pytest.raises(StageError, match="depends on weights abababababababab of the restorer network"):
        decode_stage(data)
    for stage in ("map", "compact", "coarse"):
        assert decode_stage(data, stage).pixels.size
