"""Training on photos of one's own: folders of them, label maps in other programs' formats, class lists of
one's own, and what is said where something does not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsslic_search import Archive
from dsslic_search.codec import container, decoder
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import PhotoError, UsageError, WeightsError
from dsslic_search.core.naming import class_named
from dsslic_search.labels.formats import FORMATS, writer
from dsslic_search.labels.scene import LabelFiles, LabelledImage, Legend
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.segmenter import open_segmenter
from dsslic_search.networks.segnet import ConvNorm, SegNet, SegNetConfig
from dsslic_search.networks.segnets import fold
from dsslic_search.training import codec, own, own_pack, pack, segnet, segnet_start
from dsslic_search.training.checkpoint import Budget
from dsslic_search.training.teacher import FiledTeacher, SegmenterTeacher, teacher_named

SIZE = (160, 224)
CLASSES = {
    "name": "beach",
    "classes": [
        {"id": 0, "name": "other", "colour": "#000000"},
        {"id": 1, "name": "heaven above", "colour": "#0000ff", "synonyms": ["sky"]},
        {"id": 2, "name": "dune", "colour": "#ffff00", "synonyms": ["sand"]},
    ],
    "groups": [{"name": "outside", "classes": ["heaven above", "dune"]}],
}


class Horizons:
    """A segmenter that says grass everywhere, half sure."""

    identity = "00112233aabbccdd"

    def __init__(self) -> None:
        from dsslic_search.core.dialect import shipped

        self.dialect = shipped()

    def segment(self, pixels, map_size):
        return np.full(map_size, 10, np.uint8)

    def segment_with_certainty(self, pixels, map_size):
        return self.segment(pixels, map_size), np.full(map_size, 0.5, np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photos, blue above and yellow below, in two folders."""
    place = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(4)
    (place / "later").mkdir()
    for number in range(12):
        pixels = np.where(above(number)[..., None], (90, 150, 230), (220, 200, 60)) + rng.normal(
            0, 8, (*SIZE, 3)
        )
        at = place / "later" if number % 2 else place
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(at / f"{number}.jpg", quality=95)
    return place


def above(number: int) -> np.ndarray:
    return np.broadcast_to(np.arange(SIZE[0])[:, None] < 50 + 5 * number, SIZE)


def labels(names: tuple[str, ...], numbers=range(8)) -> LabelFiles:
    """Label maps of some of the photos at half their size; nobody knows the first rows."""
    images = []
    for number in numbers:
        plain = np.where(above(number), 1, 2).astype(np.uint8)[::2, ::2]
        plain[:10] = 255
        images.append(LabelledImage(str(number), f"elsewhere/{number}.jpg", plain))
    return LabelFiles(names, tuple(images))


def own_classes() -> vocabulary.Vocabulary:
    return vocabulary.parse(json.dumps(CLASSES))


def test_a_class_list_is_written_as_it_is_read():
    for each in (own_classes(), vocabulary.default()):
        assert vocabulary.parse(vocabulary.written(each)) == each


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_label_maps_can_be_learnt_from(folder: Path, form: str, tmp_path: Path):
    made = writer(form, Legend(("other", "sky", "sand"), ((0, 0, 0), (1, 2, 3), (4, 5, 6))))
    files = [file for number in (2, 3) for file in made.image(labels((), [number]).images[0])] + made.end()
    for name, data in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    found = own.labelled_photos(folder, own_pack.read_labels(tmp_path, form), own_classes())
    assert {p.name for p in found if p.labels is not None} == {"2.jpg", "later/3.jpg"}
    assert len(found) == 12
    for each in found:
        if each.labels is not None:
            known = each.labels[20:]
            np.testing.assert_array_equal(known, np.where(above(int(each.path.stem)), 1, 2)[40::2, ::2])


def test_people_overrule_the_teacher_who_fills_in(folder: Path, tmp_path: Path):
    ours = vocabulary.default()
    said = own_pack.pack_folder(
        folder, labels(("other", "sky", "sand")), ours, tmp_path / "p.zip", 10_000_000,
        teacher=SegmenterTeacher(Horizons()),
    )  # fmt: skip
    photos, classes = pack.read_whole(tmp_path / "p.zip")
    assert said.startswith("12 photos")
    assert classes.identity == ours.identity
    assert [p.labelled for p in photos].count(True) == 8
    for photo in photos:
        targets, number = (
            photo.targets,
            int(Path(photo.name).name) if Path(photo.name).name.isdigit() else int(Path(photo.name).stem),
        )
        if not photo.labelled:
            assert photo.part == "training"
            assert (targets.ids == 10).all()
            assert targets.weight == pytest.approx(1 / 3, abs=0.01)  # a half squared, in thirds
            continue
        assert (targets.ids[:10] == 10).all()
        wanted = np.where(above(number), ours.id_of("sky"), class_named("sand", ours).class_id)[1::2, 1::2]
        assert (targets.ids[12:] == wanted[12:]).mean() > 0.98
        assert (targets.weight[12:] == 1).all()


def test_what_does_not_fit_is_named(folder: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="no such folder"):
        own.photos_below(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no photos in there"):
        own.photos_below(tmp_path)
    with pytest.raises(UsageError, match='a class "water" that the class list "beach" has not'):
        own.labelled_photos(folder, labels(("other", "sky", "water")), own_classes())
    with pytest.raises(UsageError, match=r"elsewhere/99\.jpg: labelled, but in .* no photo has that name"):
        own.labelled_photos(
            folder,
            LabelFiles(("other",), (LabelledImage("99", "elsewhere/99.jpg", np.zeros(SIZE, np.uint8)),)),
            own_classes(),
        )
    turned = LabelFiles(
        ("other", "sky", "sand"), (LabelledImage("0", "0.jpg", np.ones(SIZE[::-1], np.uint8)),)
    )
    with pytest.raises(UsageError, match=r"0\.jpg: its label map of 160 × 224 is of another shape"):
        own_pack.pack_folder(folder, turned, own_classes(), tmp_path / "p.zip", 10_000_000)
    with pytest.raises(UsageError, match=r"c\.json: not a class list \(class 0 is called .sky"):
        (tmp_path / "c.json").write_text(
            json.dumps({"name": "x", "classes": [{"id": 0, "name": "sky", "colour": "#010203"}]})
        )
        own_pack.read_classes(tmp_path / "c.json")
    with pytest.raises(UsageError, match="there is nothing there"):
        own_pack.read_labels(tmp_path / "maps", "png")
    with pytest.raises(UsageError, match=r"teacher/0\.png: missing, so nobody says what 0\.jpg shows"):
        FiledTeacher().taught(folder / "images" / "0.jpg")
    assert teacher_named("none") is None
    assert not list(tmp_path.glob("*.zip"))


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small SegNet for three classes of one's own, trained for a while."""
    place = tmp_path_factory.mktemp("trained")
    own_pack.pack_folder(folder, labels(("other", "sky", "sand")), own_classes(), place / "p.zip", 10_000_000)
    photos, classes = pack.read_whole(place / "p.zip")
    assert classes == own_classes()
    config = replace(segnet.config_for(classes), width=16, area=96 * 96)
    first = replace(config, vocabulary="", classes=51)
    settings = segnet.SegNetTraining(batch=2, crop=64, early_crop=64, warmup=2, ema=0.8, decoder_rate=8e-3)
    start = place / "start.safetensors"
    torch.manual_seed(0)  # else the first weights would depend on the tests before
    weights.save(start, fold(SegNet(first, folded=True)), "segnet", first)
    segnet.train(photos, place, place / "own.safetensors", Budget(steps=30), settings, config, start)
    return place / "own.safetensors"


def test_a_class_list_of_ones_own_goes_with_the_weights_into_files(
    folder: Path, trained: Path, tmp_path: Path
):
    segmenter = open_segmenter(str(trained))
    assert segmenter.dialect.vocabulary == own_classes()
    assert segmenter.identity == weights.identity(trained)
    photo = own.read_photo(folder / "0.jpg")
    found = segmenter.segment(photo, (40, 56))
    wanted = np.where(above(0), 1, 2)[2::4, 2::4]
    assert (found == wanted).mean() > 0.8
    with Archive(tmp_path / "a") as archive:
        archive.ingest([folder / "0.jpg"], segmenter=str(trained))
        [photo_id] = archive.matching("sky and sand")  # by their synonyms
        data = archive.folder.store.read(archive.photo(photo_id).content_hash)
        spoken = decoder.read_dialect(data).vocabulary
        assert [(c.name, c.colour) for c in spoken.classes] == [
            (c.name, c.colour) for c in own_classes().classes
        ]
        assert container.read(data).header.segmenter == segmenter.identity
    with pytest.raises(UsageError, match="its weights say what its classes are"):
        open_segmenter(str(trained), own_classes=True)
    with pytest.raises(WeightsError):
        open_segmenter(str(tmp_path / "none.safetensors"))


def test_a_trained_segnet_is_gone_on_from_whatever_its_classes(trained: Path):
    before = runtime.load("segnet", trained)
    seen, others = torch.rand(4, 3, 64, 64), torch.rand(2, 3, 64, 96)
    net = SegNet(before.config, folded=False)
    segnet_start.go_on_from(net, trained, seen)
    with torch.no_grad():
        assert torch.allclose(net.eval()(others), before(others), atol=1e-4)
        assert torch.allclose(net.train()(seen), before(seen), atol=1e-4)  # norms see what they know
    lengths = [m.conv.weight.square().sum((1, 2, 3)) for m in net.modules() if isinstance(m, ConvNorm)]
    assert torch.allclose(torch.cat(lengths), torch.tensor(2.0), atol=1e-3)
    other = SegNet(replace(before.config, classes=5, vocabulary=""), folded=False)
    new = other.classifier.weight.clone()
    segnet_start.go_on_from(other, trained, seen)
    assert torch.equal(other.classifier.weight, new)
    with torch.no_grad():
        assert all(
            torch.allclose(ours, theirs, atol=1e-3)
            for ours, theirs in zip(other.eval().encode(others), before.encode(others), strict=True)
        )
    with pytest.raises(
        UsageError, match="a SegNet of efficientnet-lite0 and width 16, not of efficientnet-lite0 and 32"
    ):
        segnet_start.go_on_from(SegNet(SegNetConfig(width=32), folded=False), trained, seen)


def test_a_folder_of_photos_is_enough_for_the_codec_networks(folder: Path, tmp_path: Path, capsys):
    (tmp_path / "photos").mkdir()
    for path in folder.rglob("*.jpg"):
        (tmp_path / "photos" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    Image.new("RGB", (50, 50)).save(tmp_path / "photos" / "small.png")
    teacher = SegmenterTeacher(Horizons())
    settings = codec.CodecTraining(steps=4, batch=2, crop=128, checkpoint_every=2)
    codec.train(tmp_path / "photos", tmp_path / "run", tmp_path, settings, teacher=teacher)
    said = capsys.readouterr().out
    assert "left out" in said
    assert "broken.jpg" in said
    assert "small.png: fewer than 128 pixels" in said
    assert {p.name for p in tmp_path.glob("*.safetensors")} == {"compnet.safetensors", "finenet.safetensors"}
    seen, unseen = codec.crops_of(tmp_path / "photos", 128, teacher)
    assert len(seen) + len(unseen) == 12
    assert unseen
    with pytest.raises(UsageError, match="nobody to label its photos"):
        codec.crops_of(folder, 128)
    with pytest.raises(UsageError, match="of 12 photos 0 can be trained with"):
        codec.crops_of(folder, 600, teacher)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "a.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(PhotoError, match=r"a\.jpg"):
        codec.crops_of(tmp_path / "damaged", 128, teacher)


def test_what_people_said_in_an_archive_is_learnt_from(folder: Path, tmp_path: Path):
    with Archive(tmp_path / "a") as archive:
        archive.ingest([folder / "0.jpg", folder / "2.jpg"], segmenter=Horizons())
        with pytest.raises(UsageError, match="no photo here has a label map by people"):
            own_pack.pack_archive(archive, tmp_path / "p.zip", 10_000_000)
        made = writer("png", Legend(("other", "sky", "sand"), ((0, 0, 0), (1, 2, 3), (4, 5, 6))))
        for name, data in made.image(labels((), [0]).images[0]) + made.end():
            (tmp_path / "maps" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "maps" / name).write_bytes(data)
        archive.import_labels(tmp_path / "maps")
        own_pack.pack_archive(archive, tmp_path / "p.zip", 10_000_000)
        [photo] = pack.read_pack(tmp_path / "p.zip")
        ours = vocabulary.default()
        wanted = np.where(above(0), ours.id_of("sky"), class_named("sand", ours).class_id)
        assert photo.targets.ids.shape == wanted.shape
        assert (photo.targets.ids[24:] == wanted[24:]).mean() > 0.98
        assert (photo.part, photo.labelled) == ("training", True)
