"""Queries of an archive: from text to photos with their paths and coverages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api.answers import Hit, HitDetails
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.lookup import Details, Lookup, batches
from dsslic_search.core.certainty import probability
from dsslic_search.core.colour_terms import named
from dsslic_search.core.errors import ArchiveError, NotThereError, QueryError, Remedy
from dsslic_search.core.kinds import HIDDEN
from dsslic_search.core.settings import Settings
from dsslic_search.core.text import closest, folded
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.features.coverage import Shown

if TYPE_CHECKING:
    from PIL import Image

    from dsslic_search.api.shards import Shards
    from dsslic_search.archive.catalog import Catalog
    from dsslic_search.archive.schema import Photo
    from dsslic_search.features.image_words import ImageWords
    from dsslic_search.query.ast import Query
    from dsslic_search.query.run.evaluate import Resembled
    from dsslic_search.query.run.execute import Answer, Indexes

FILES_REMEMBERED = 100  # outside the archive, that photos were compared with


_NOT_SHOWN = Shown(0, 0.0)


@dataclass(frozen=True)
class Compared:
    """What photos are compared with: a layout's ``embedding``, float32[DIMENSION], and what is shown as a
    whole, where that is known."""

    embedding: NDArray[np.float32]
    image: ImageWords | None


class Searcher:
    """What a query needs besides the indexes: saved queries, photos to compare with, paths and coverages of
    what was found."""

    def __init__(
        self,
        folder: ArchiveFolder,
        lookup: Lookup,
        catalog: Callable[[], Catalog],
        settings: Settings,
        vocabulary: Vocabulary,
        shards: Shards | None = None,
    ) -> None:
        """``catalog`` opens it for what ``lookup`` does not tell of it. ``shards``: processes that find what
        is asked for."""
        self._folder = folder
        self._lookup = lookup
        self._catalog = catalog
        self._settings = settings
        self._vocabulary = vocabulary
        self._shards = shards
        self._seen_files: OrderedDict[tuple[Path, int, int], Compared] = OrderedDict()

    def answer(
        self,
        indexes: Sequence[Indexes],
        text: str,
        *,
        limit: int | None = None,
        after: str | None = None,
        resemble: NDArray[np.float32] | Resembled | None = None,
        among: Sequence[str] = (),
    ) -> Answer:
        """The answer to a query; see `query.execute.answer`."""
        from dsslic_search.query.run.execute import answer

        return answer(
            text,
            indexes=indexes,
            vocabulary=self._vocabulary,
            presence=self._settings.presence,
            south=self._settings.south,
            embeddings_of=self.embeddings_of,
            image_of=self.image_of,
            saved=self.saved_text,
            tag_trouble=self.tag_trouble,
            limit=limit,
            after=after,
            resemble=resemble,
            among=among,
            elsewhere=None if self._shards is None else partial(self._shards.find, indexes),
        )

    def answer_in_sql(
        self,
        text: str,
        *,
        limit: int | None = None,
        after: str | None = None,
        resemble: NDArray[np.float32] | Resembled | None = None,
        among: Sequence[str] = (),
    ) -> tuple[Answer, tuple[str, ...]]:
        """The same answer from the catalog alone and, where nothing matches, the things that no photo shows.
        No word of the query is looked up among names but those of tags and saved queries. UsageError for what
        `query.run.in_sql` cannot tell."""
        from dsslic_search.query.ast import things
        from dsslic_search.query.run import in_sql
        from dsslic_search.query.run.execute import answer

        with self._catalog().snapshot() as snapshot:

            def embeddings_of(operand: str, mirrored: bool) -> NDArray[np.float32]:
                in_sql.require_layouts(snapshot, operand)
                return self.embeddings_of(operand, mirrored)

            found = answer(
                text,
                indexes=(),
                vocabulary=self._vocabulary,
                presence=self._settings.presence,
                south=self._settings.south,
                embeddings_of=embeddings_of,
                image_of=self.image_of,
                saved=self.saved_text,
                tag_trouble=self.tag_trouble,
                limit=limit,
                after=after,
                resemble=resemble,
                among=among,
                elsewhere=lambda asked: in_sql.find(asked, snapshot, self._vocabulary),
            )
            tree = None if found.total else found.query.tree
            spoken = {} if tree is None else {thing.name: thing.classes for thing in things(tree)}
            return found, tuple(name for name, own in spoken.items() if not in_sql.shown(snapshot, own))

    def check(self, text: str, name: str, indexes: Callable[[], Sequence[Indexes]]) -> None:
        """Raise QueryError for a text that is no query when it is saved under a name; ``indexes`` opens those
        in which names are looked up."""
        from dsslic_search.archive import notes

        own = notes.saved_key(name)
        self.parsed(
            text,
            indexes,
            lambda asked: text if notes.name_key(asked, "saved query") == own else self.saved_text(asked),
        )

    def parsed(
        self,
        text: str,
        indexes: Callable[[], Sequence[Indexes]],
        saved: Callable[[str], str] | None = None,
    ) -> Query:
        """The tree of a query, without an answer. ``saved``: gives the texts of saved queries in place of the
        archive."""
        from dsslic_search.query.language.parse import parse
        from dsslic_search.query.names import names_of

        return parse(
            text,
            self._vocabulary,
            saved=saved or self.saved_text,
            tag_trouble=self.tag_trouble,
            named=names_of(lambda: [each.files() for each in indexes()], self.saved_text, self.tag_trouble),
            south=self._settings.south,
        )

    def saved_text(self, name: str) -> str:
        """The text of a saved query; KeyError with the name and those closest to it."""
        known = self._lookup.saved_queries()
        if (key := folded(name.removeprefix("@"))) not in known:
            raise KeyError(name, *closest(name, known))
        return known[key]

    def tag_trouble(self, name: str) -> tuple[str, tuple[str, ...]] | None:
        """What to tell of a tag, folded, that no photo has, and those like it; None for one that some have,
        be they left out of answers."""
        known = self._lookup.tag_names()
        if name in known:
            return None
        from dsslic_search.archive.lookup import no_such_tag

        return no_such_tag(name, known)

    def hits(
        self,
        ids: Sequence[int],
        scores: Sequence[float],
        classes: Sequence[int],
        first: int,
        wide: bool = False,
    ) -> Iterator[Hit]:
        """The photos of some ids with their scores, ranked from ``first``; ids that are gone are left out.
        ``wide``: with `Hit.details`."""
        names = {c: self._vocabulary.classes[c].name for c in classes}
        ranked = enumerate(scores, first)
        for part in batches(ids):
            known = self._lookup.look_up(part, classes)
            details = self._lookup.details(part) if wide else {}
            for photo_id, (rank, score) in zip(part, ranked, strict=False):
                if photo_id in known.photos and (not wide or photo_id in details):
                    path, facts = known.photos[photo_id]
                    shown = {n: known.shown.get((photo_id, c), _NOT_SHOWN) for c, n in names.items()}
                    yield Hit(
                        rank,
                        photo_id,
                        path,
                        round(float(score), 6),
                        facts,
                        {name: each.fraction for name, each in shown.items()},
                        known.paths.get(photo_id, ()),
                        {name: probability(each.certainty) for name, each in shown.items()},
                        {name: named(each.colours) for name, each in shown.items()},
                        known.words.get(photo_id),
                        self.thumbnail,
                        self._details(details[photo_id]) if photo_id in details else None,
                    )

    def wide_hits(self, ids: Sequence[int], scores: Sequence[float], first: int) -> Iterator[Hit]:
        """As `hits`, of all classes and with `Hit.details`."""
        return self.hits(ids, scores, range(len(self._vocabulary.classes)), first, wide=True)

    def _details(self, stored: Details) -> HitDetails:
        from dsslic_search.api.info import regions_of

        names = [c.name for c in self._vocabulary.classes]
        regions = None if stored.regions is None else regions_of(stored.regions, names)
        counts: dict[str, int | None] = dict.fromkeys(names, None if regions is None else 0)
        for region in regions or ():
            counts[region["class"]] = (counts[region["class"]] or 0) + 1
        plain = stored.content_hash, stored.keep, stored.state, stored.added, stored.tags
        return HitDetails(*plain, counts, regions)

    def thumbnail(self, photo_id: int) -> Image.Image:
        """A photo's compact image. DSSError where it has none."""
        from dsslic_search.api.showing import stages_of

        photo = self.photo(photo_id)
        return next(stages_of(self._folder.store, photo, ("compact",), self._settings.max_pixels)).image

    def embeddings_of(self, operand: str, mirrored: bool = False) -> NDArray[np.float32]:
        """The embeddings, float32[m, DIMENSION], that ``like OPERAND`` means: of "#12", of a photo in the
        archive by path or file name, or of any photo file; ``mirrored``: and of its mirror image."""
        from dsslic_search.features import embedding

        found = self.compared(operand).embedding
        return np.stack([found, embedding.mirrored(found)] if mirrored else [found])

    def image_of(self, operand: str) -> ImageWords | None:
        """What the photo shows as a whole that ``like OPERAND`` means; None where its file does not say."""
        return self.compared(operand).image

    def compared(self, operand: str) -> Compared:
        """What ``like OPERAND`` compares with. QueryError where there is no such photo."""
        if operand.startswith("#"):
            number = int(operand[1:20]) if len(operand) < 20 else 0
            found = self._catalog().photo(number) if 0 < number < 2**63 else None
            if found is None:
                raise QueryError(f"like {operand}: no photo has that id; a query lists ids")
            return self._stored(found)
        known = [photo for photo in self._catalog().at_path(operand) if photo.state not in HIDDEN]
        if known:
            return self._stored(known[0])
        with suppress(OSError, ValueError):  # names that no file can have
            if self._settings.outside and Path(operand).is_file():
                return self._seen(Path(operand))
        named = self.photos_named(operand)
        if len(named) == 1:
            return self._stored(named[0])
        if named:
            some = ", ".join(f"#{p.id}" for p in named[:5])
            raise QueryError(
                f'like "{operand}": {len(named)} photos have that name; say which by its id, for example '
                f"{some}"
            )
        raise QueryError(
            f'like "{operand}": no such file, and no photo of that name in the archive; give a path or "#" '
            "and an id"
        )

    def _stored(self, photo: Photo) -> Compared:
        from dsslic_search.features.embedding import DIMENSION
        from dsslic_search.features.image_words import ImageWords

        if not photo.map_bytes:
            raise QueryError(
                f"like #{photo.id}: it could not be decoded and is kept as it is, so nothing is known of "
                "what it shows"
            )
        if len(photo.embedding) != 4 * DIMENSION:
            raise ArchiveError(
                f"photo {photo.id} was described by another version; describe all anew with: {Remedy.REINDEX}"
            )
        image = None if photo.stored_words is None else ImageWords.from_bytes(photo.stored_words)
        return Compared(np.frombuffer(photo.embedding, "<f4").astype(np.float32), image)

    def _seen(self, path: Path) -> Compared:
        """Of a photo that is not in the archive; remembered for as long as its file looks unchanged, since
        the next question may compare with it again."""
        looks = path.stat()
        key = path.absolute(), looks.st_size, looks.st_mtime_ns
        if key not in self._seen_files:
            self._seen_files[key] = self._looked_at(path)
            if len(self._seen_files) > FILES_REMEMBERED:
                self._seen_files.popitem(last=False)
        return self._seen_files[key]

    def _looked_at(self, path: Path) -> Compared:
        from dsslic_search.api import coding

        return self.looked_at(coding.read_file(path), str(path))

    def looked_at(self, data: bytes, name: str) -> Compared:
        """Of a photo in the bytes of a file, called ``name`` in errors. PhotoError when it is none."""
        from dsslic_search.codec.encoder import segment_photo
        from dsslic_search.codec.layers import words
        from dsslic_search.codec.picture.open import open_photo
        from dsslic_search.features.embedding import embed

        photo = open_photo(data, name, self._settings.max_pixels)
        return Compared(embed(segment_photo(photo)[0], self._vocabulary), words.look(photo.pixels)[0])

    def photo(self, photo_id: int) -> Photo:
        """A photo's catalog row with its coverages; ArchiveError when there is no such id."""
        found = self._catalog().photo(photo_id) if 0 < photo_id < 2**63 else None
        if found is None:
            raise NotThereError(f"photo {photo_id}: no such id in {self._folder.root}; a query lists ids")
        return found

    def photos_named(self, name: str) -> list[Photo]:
        """The photos that answers are of and that have a name, perhaps with the folders before it, at a path
        at which they lie, or lay."""
        from sqlalchemy import select

        from dsslic_search.archive.schema import KnownPath, Photo
        from dsslic_search.core.files import path_to_text

        ending = (KnownPath.path + KnownPath.part).endswith("/" + path_to_text(name), autoescape=True)
        chosen = select(Photo).where(
            Photo.id.in_(select(KnownPath.photo_id).where(ending)), Photo.state.not_in(HIDDEN)
        )
        with self._catalog().session() as session:
            return list(session.scalars(chosen.order_by(Photo.id)))
