"""Stages and originals of stored photos, each from no more bytes than it needs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api import coding
from dsslic_search.api.arguments import check_flags, path_of
from dsslic_search.archive import outside
from dsslic_search.archive.originals import find_original, places_of
from dsslic_search.archive.originals import left_outside as left_outside
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import StoredFile
from dsslic_search.core.errors import FormatError, Remedy, StageError
from dsslic_search.core.kinds import KeepMode, Stage

if TYPE_CHECKING:
    from PIL import Image

    from dsslic_search.archive.schema import Photo
    from dsslic_search.codec.container import Contents
    from dsslic_search.codec.decoder import Decoded
    from dsslic_search.codec.picture.open import SourcePhoto
    from dsslic_search.core.dialect import Dialect
    from dsslic_search.core.vocabulary import Vocabulary


def held(photo: Photo) -> tuple[Stage, ...]:
    """The stages that a photo has by its keep mode; "full" of mode "reference" is the original at its
    place."""
    mode = KeepMode(photo.keep)
    return tuple(Stage) if mode is KeepMode.REFERENCE else mode.stages


def best_of(photo: Photo) -> Stage:
    """The best stage that a photo has; "full" where it has none, so that this is told when it is asked
    for."""
    return held(photo)[-1] if held(photo) else Stage.FULL


@dataclass(frozen=True)
class Preview:
    """One stage of a stored photo. ``bytes_read``: of its file, from the start. ``milliseconds``: reading and
    decoding, and what they wait for when a process does so for the first time: the decoder's libraries, the
    networks. ``vocabulary``: whose class ids stage "map" holds, None in the others. ``inputs``: originals
    outside the archive, which `save` never writes over."""

    stage: str
    image: Image.Image
    bytes_read: int
    bytes_total: int
    milliseconds: float
    vocabulary: Vocabulary | None = None
    inputs: tuple[Path, ...] = field(default=(), repr=False)

    def _repr_png_(self) -> bytes:
        """For notebooks: the picture; the label map in the colours of its classes."""
        from dsslic_search.api.notebook import png_of

        return png_of(self.image)

    def save(self, path: Path | str, *, replace: bool = False) -> None:
        """Write the picture in the format that the ending of ``path`` names; stage "map" as a palette PNG of
        class ids. UsageError for another ending and where nothing may be written (see `core.output`;
        ``replace``: also over a file that is there), DSSError when it cannot be written."""
        from dsslic_search.codec.picture.save import save_label_map, save_picture
        from dsslic_search.core.output import Outputs

        check_flags(replace=replace)
        path, outputs = path_of(path), Outputs(replace, self.inputs)
        if self.stage == Stage.MAP:
            save_label_map(np.asarray(self.image), path, self.vocabulary, outputs=outputs)
            return
        alpha = np.asarray(self.image.getchannel("A")) if "A" in self.image.getbands() else None
        plain = self.image.convert("L" if self.image.mode in ("L", "LA") else "RGB")
        save_picture(np.asarray(plain), path, alpha=alpha, outputs=outputs)


def read_contents(store: Store, photo: Photo) -> Contents:
    """Header and chunk table of a stored photo, reading nothing else."""
    with _about(store, photo):
        return StoredFile(store, photo.content_hash).contents


def read_dialect(store: Store, photo: Photo) -> Dialect:
    """The vocabulary of a stored photo's label map, reading no byte past the map."""
    from dsslic_search.codec import decoder

    with _about(store, photo):
        return decoder.read_dialect(StoredFile(store, photo.content_hash).prefix(photo.map_bytes))


def read_map(store: Store, photo: Photo) -> tuple[NDArray[np.uint8], int]:
    """The label map of a stored photo, uint8 [h, w] at its own scale, in the archive's classes, and how many
    photo pixels a label stands for each way. FormatError where there is none, or it is damaged."""
    from dsslic_search.codec import decoder

    with _about(store, photo):
        file = StoredFile(store, photo.content_hash)
        base = decoder.read_base(file.prefix(file.contents.base_bytes))
        return base.label_map, file.contents.header.map_scale


def read_segmented(store: Store, photo: Photo) -> tuple[NDArray[np.uint8], int]:
    """The same of the segmenter's label map, be there people's or not."""
    from dsslic_search.codec import decoder

    with _about(store, photo):
        file = StoredFile(store, photo.content_hash)
        labels = decoder.read_segmented(file.prefix(file.contents.stage_bytes("map")))
        return labels, file.contents.header.map_scale


def read_remarks(store: Store, photo: Photo) -> tuple[str, ...]:
    """What is to be known of how a photo's file was read, in words; often nothing."""
    from dsslic_search.codec.layers import provenance

    with _about(store, photo):
        chunk = StoredFile(store, photo.content_hash).chunk(provenance.LAYER.kind)
        return () if chunk is None else provenance.decode(chunk)[1]


def live_clips(photo: Photo) -> list[str]:
    """The clips, as paths in text, that lie beside a photo of which they are the moving half (Apple's Live
    Photos, other phones' motion photos), at all places where it lies."""
    from dsslic_search.archive.ingest.live_photos import clips_beside
    from dsslic_search.core.files import path_to_text, text_to_path

    places = [row.path for row in photo.paths if row.ended_at is None and not row.part]
    return [path_to_text(clip) for place in places for clip in clips_beside(text_to_path(place))]


def stages_of(store: Store, photo: Photo, stages: Sequence[str], max_pixels: int) -> Iterator[Preview]:
    """Stages of a photo as a slow link would show them: each reads on where the one before ended."""
    began = time.perf_counter()
    from dsslic_search.codec.decoder import decode_stage

    file = StoredFile(store, photo.content_hash)
    with _about(store, photo):
        contents = file.contents
    inputs = left_outside(photo)
    read = 0
    for stage in stages:
        elsewhere = 0
        with _about(store, photo):
            if stage == "full" and contents.header.keep == "reference":
                elsewhere, decoded = _at_its_place(photo, max_pixels)
            else:
                read = max(read, contents.stage_bytes(stage))
                decoded = decode_stage(file.stage(stage), stage, max_pixels=max_pixels)
        image = coding.to_image(decoded, stage)
        spent = (time.perf_counter() - began) * 1000
        total = contents.total + elsewhere
        yield Preview(stage, image, read + elsewhere, total, spent, decoded.vocabulary, inputs)
        began = time.perf_counter()


def stored_file(store: Store, photo: Photo) -> bytes:
    """A stored photo's .dsslic file."""
    with _about(store, photo):
        return store.read(photo.content_hash)


def original_of(store: Store, photo: Photo) -> bytes:
    """The original file, bit for bit. StageError in keep mode layers, where it was left at its place but is
    not there now, and for frames of videos, which have none."""
    from dsslic_search.codec.decoder import read_original
    from dsslic_search.codec.picture.video import FORMAT

    if photo.format == FORMAT and photo.keep != KeepMode.UNDECODED:
        raise StageError(
            f"{photo.path}: a frame of a video, which is no file of its own; the clip is the original, and a "
            "preview of the frame is a picture of it"
        )
    if photo.keep == "reference":
        return _referenced(photo)
    with _about(store, photo):
        return read_original(store.read(photo.content_hash))


@contextmanager
def _about(store: Store, photo: Photo) -> Iterator[None]:
    """Says which file a FormatError is about."""
    try:
        yield
    except FormatError as e:
        advice = "" if isinstance(e, StageError) else f"; see what else is wrong with: {Remedy.READ_DATA}"
        raise type(e)(f"photo {photo.id} ({store.where(photo.content_hash)}): {e}{advice}") from e


def _at_its_place(photo: Photo, max_pixels: int) -> tuple[int, Decoded]:
    """The pixels of what keep mode "reference" left at its place, and the bytes of its file."""
    from dsslic_search.codec.picture.open import open_photo
    from dsslic_search.codec.picture.video import FORMAT

    if photo.format == FORMAT:
        return _frame_at_its_place(photo, max_pixels)
    original = _referenced(photo)
    return len(original), _shown(open_photo(original, photo.path, max_pixels))


def _frame_at_its_place(photo: Photo, max_pixels: int) -> tuple[int, Decoded]:
    from dsslic_search.archive.ingest.frames import found_again
    from dsslic_search.codec.picture.open import check_size, decoded

    try:
        header, length = found_again(photo.path, photo.content_hash)
    except OSError as e:
        raise _no_longer(photo, "is gone") from e
    if header is None:
        raise _no_longer(photo, "has changed")
    check_size(header.width, header.height, photo.path, max_pixels)
    return length, _shown(decoded(header, photo.path))


def _shown(photo: SourcePhoto) -> Decoded:
    from dsslic_search.codec.decoder import Decoded

    return Decoded(photo.pixels[..., 0] if photo.grey else photo.pixels, photo.alpha)


def _referenced(photo: Photo) -> bytes:
    """The original that keep mode "reference" left at its place, if it still is what it was."""
    data = find_original(photo)
    if data is None:
        raise _no_longer(photo, "has changed" if any(map(outside.exists, places_of(photo))) else "is gone")
    return data


def _no_longer(photo: Photo, state: str) -> StageError:
    return StageError(
        f'{photo.path}: the original {state} since it was ingested by reference; "coarse" is the best stage '
        "stored"
    )
