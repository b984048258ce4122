"""What an archive remembers of ingests, for the next `sync`: which folders, and how photos are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.ingest.frames import FrameChoice
from dsslic_search.archive.schema import Photo, Setting
from dsslic_search.core.errors import Remedy, UsageError
from dsslic_search.core.files import path_to_text, text_to_path
from dsslic_search.core.kinds import KeepMode

if TYPE_CHECKING:
    from dsslic_search.codec.options import EncodeOptions

FOLDERS, OPTIONS = "folders", "ingest options"
"""Names of settings."""


@dataclass(frozen=True)
class Remembered:
    """``options``: how the last ingest was to keep photos, or how the newest photo is kept. ``frames``: which
    of videos; ``even_undecoded``: whether what cannot be decoded is kept."""

    options: EncodeOptions
    frames: FrameChoice | None = None
    even_undecoded: bool = False


def keep(
    catalog: Catalog,
    folders: Sequence[Path],
    options: EncodeOptions | None,
    frames: FrameChoice | None,
    even_undecoded: bool,
) -> None:
    """Remember a run, with None for ``options`` its folders alone; writes nothing where that is remembered
    already."""
    settings = catalog.settings()
    known = folders_of(catalog)
    wanted = {FOLDERS: json.dumps([path_to_text(path) for path in outermost([*known, *folders])])}
    if options is not None:
        wanted[OPTIONS] = json.dumps(_plain(options, frames, even_undecoded), sort_keys=True)
    new = {name: value for name, value in wanted.items() if settings.get(name) != value}
    if new:
        with catalog.noting() as session:
            _write(session, new)


def folders_of(catalog: Catalog) -> list[Path]:
    """Those that were ingested or synchronised, none within another."""
    return _folders(catalog.settings().get(FOLDERS))


def _folders(stored: str | None) -> list[Path]:
    return [text_to_path(text) for text in json.loads(stored or "[]")]


def move(session: Session, before: Path, after: Path) -> None:
    """Remember that a folder, with those in it, lies elsewhere; in a transaction with what else moves."""
    known = _folders(session.scalar(select(Setting.value).where(Setting.name == FOLDERS)))
    moved = [after / each.relative_to(before) if each.is_relative_to(before) else each for each in known]
    if moved != known:
        _write(session, {FOLDERS: json.dumps([path_to_text(path) for path in outermost(moved)])})


def recall(catalog: Catalog) -> Remembered:
    """What is remembered. UsageError for options that this version does not know, WeightsError and the like
    for a segmenter that is not there any more."""
    settings = catalog.settings()
    plain = json.loads(settings.get(OPTIONS, "null"))
    if plain is None:
        return Remembered(_as_newest(catalog))
    every = plain.pop("frames", "")
    frames = None if every == "" else FrameChoice(None if every is None else Fraction(every))
    even_undecoded = plain.pop("even_undecoded", False)
    return Remembered(_options(plain), frames, even_undecoded)


def outermost(folders: Sequence[Path]) -> list[Path]:
    """The folders that lie in no other of them, in their order."""
    return [
        folder
        for folder in dict.fromkeys(folders)
        if not any(other != folder and folder.is_relative_to(other) for other in folders)
    ]


def _write(session: Session, values: dict[str, str]) -> None:
    session.execute(delete(Setting).where(Setting.name.in_(list(values))))
    session.execute(insert(Setting), [{"name": name, "value": values[name]} for name in values])


def _plain(options: EncodeOptions, frames: FrameChoice | None, even_undecoded: bool) -> dict[str, Any]:
    plain: dict[str, Any] = {"keep": str(options.keep), "quality": options.quality, "effort": options.effort}
    if options.importance:
        plain["importance"] = [list(each) for each in options.importance]
    if options.target is not None:
        plain["target"] = [options.target.kind, options.target.value]
    if options.map_scale is not None:
        plain["map_scale"] = options.map_scale
    if str(options.strip) != "nothing":
        plain["strip"] = str(options.strip)
    if str(options.profile) != "default":
        plain["profile"] = str(options.profile)
    if str(options.tune) != "psnr":
        plain["tune"] = str(options.tune)
    if options.segmenter is not None:
        plain["segmenter"] = str(getattr(options.segmenter, "name", ""))
    if even_undecoded:
        plain["even_undecoded"] = True
    if frames is not None:
        plain["frames"] = None if frames.every is None else str(frames.every)
    return plain


def _options(plain: dict[str, Any]) -> EncodeOptions:
    from dsslic_search.codec.options import EncodeOptions, Target
    from dsslic_search.networks.segmenter import chosen

    target = plain.pop("target", None)
    if plain.get("segmenter") == "":
        raise UsageError(
            "the model that segmented the last photos cannot be opened by its name alone; say how new ones "
            f"are to be kept, with {Remedy.SEGMENTER}"
        )
    importance = tuple((class_id, weight) for class_id, weight in plain.pop("importance", ()))
    return EncodeOptions(
        **{
            **plain,
            "segmenter": chosen(plain.get("segmenter")),
            "importance": importance,
            "target": None if target is None else Target(*target),
        }
    )


def _as_newest(catalog: Catalog) -> EncodeOptions:
    """As the photo is kept that was added last."""
    from dsslic_search.codec.options import EncodeOptions

    chosen = [str(mode) for mode in KeepMode if mode is not KeepMode.UNDECODED]
    newest = (
        select(Photo.keep, Photo.quality).where(Photo.keep.in_(chosen)).order_by(Photo.id.desc()).limit(1)
    )
    with catalog.session() as session:
        row = session.execute(newest).one_or_none()
    return EncodeOptions() if row is None else EncodeOptions(row.quality, row.keep)
