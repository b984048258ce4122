"""The file, its layers, and what these are coded in."""

from __future__ import annotations

import hashlib
import io
import json
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import Header, Line
from dsslic_search.core.errors import DSSError, FormatError
from dsslic_search.core.kinds import KeepMode
from tests.attacks.mutate import json_or_bytes, mutated
from tests.attacks.target import Attack, Target

DATA = Path(__file__).parents[1] / "data"
MOST_PIXELS = 1 << 16
SIZE = 16, 24  # height and width of the pictures in layers
MAP_SIZE = 8, 12

FIXED = 51  # bytes of a header before its chunk table
ENTRY = struct.Struct("<4sBII")


def refuses(work: Callable[[bytes], Any], *kinds: type[Exception]) -> Attack:
    """Work that takes bytes or raises one of ``kinds``, whose message is one sentence."""

    def attack(data: bytes) -> bool:
        expected = kinds or (DSSError,)
        try:
            work(data)
        except expected as error:
            text = str(error)
            text.encode()
            assert text.strip(), "an error without a sentence"
            assert len(text) < 1000, "an error that is no sentence"
            assert " object at 0x" not in text, "an error that tells of an object of Python's"
            assert isinstance(error, DSSError) or kinds, "another error"
            return False
        return True

    return attack


def samples(name: str, *endings: str, below: int = 4000) -> list[bytes]:
    paths = sorted(path for path in (DATA / name).iterdir() if path.is_file() and path.name.endswith(endings))
    return [data for path in paths if len(data := path.read_bytes()) < below]


@cache
def picture(grey: bool = False) -> np.ndarray[Any, Any]:
    """A small picture with edges, ramps and noise: uint8 [16, 24, 3], or [16, 24]."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    made = np.stack([columns * 9 % 256, rows * 11, (rows // 4 + columns // 5) % 2 * 180], 2)
    made = made + np.random.default_rng(5).integers(0, 12, made.shape)
    whole = made.clip(0, 255).astype(np.uint8)
    return whole[..., 0].copy() if grey else whole


@cache
def labels() -> np.ndarray[Any, Any]:
    """uint8 [8, 12]."""
    made = np.ones(MAP_SIZE, np.uint8)
    made[4:] = 3
    made[2:6, 3:8] = 17
    return made


@cache
def photo(grey: bool = False) -> bytes:
    """That picture as a JPEG file."""
    written = io.BytesIO()
    Image.fromarray(picture(grey)).save(written, "JPEG", quality=80)
    return written.getvalue()


@cache
def whole_files() -> tuple[bytes, ...]:
    """Files in every keep mode and profile, small."""
    from dsslic_search.codec.encoder import encode_photo
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.codec.picture.open import open_photo
    from dsslic_search.core.settings import LOSSLESS

    ways = [EncodeOptions(keep=keep) for keep in ("layers", "exact", "reference", "coarse")]
    ways += [EncodeOptions(quality=LOSSLESS), EncodeOptions(profile="paper")]
    return tuple(
        encode_photo(open_photo(photo(grey), "x.jpg", MOST_PIXELS), options, photo(grey)).data
        for grey in (False, True)
        for options in ways
    )


def full_files() -> list[bytes]:
    """Those that hold the full stage."""
    from dsslic_search.codec.container import read_contents

    return [
        data for data in whole_files() if read_contents(data).header.keep in (KeepMode.LAYERS, KeepMode.EXACT)
    ]


def in_full(data: bytes) -> bytes:
    """The same file with the header that says everything."""
    from dsslic_search.codec import container

    contents = container.read(data)
    return container.pack(
        contents.header,
        [
            container.checked(contents, e, data[e.offset : e.offset + e.length])
            for e in contents.entries
            if e.kind in container.ORDER
        ],
        version=container.FULL,
    )


@cache
def parts_in_full(data: bytes) -> tuple[bytes, tuple[tuple[bytes, int, bytes], ...]]:
    fixed, chunks = parts(in_full(data))
    return fixed, tuple(chunks)


@cache
def every_part(sound: tuple[bytes, ...]) -> list[tuple[bytes, int, bytes]]:
    return [chunk for data in sound for chunk in parts_in_full(data)[1]]


def with_another_short_header(data: bytes, random_: random.Random) -> bytes:
    """A file whose short header was changed, under a checksum that is right."""
    length = data[4]
    head = bytearray(mutated([data[5 : length - 4]], (), random_)[:237])
    whole = data[:4] + bytes([len(head) + 9]) + head
    return whole + struct.pack("<I", zlib.crc32(whole)) + data[length:]


def with_another_short_chunk(data: bytes, random_: random.Random) -> bytes:
    """A file in short of which a chunk in short was changed, under a checksum that is right."""
    from dsslic_search.codec import container, short_header

    contents = container.read_contents(data)
    stored = [data[e.offset : e.offset + e.length] for e in contents.entries]
    at = random_.choice([i for i, each in enumerate(contents.entries) if each.short])
    stored[at] = mutated([stored[at]], (), random_)
    lines = [
        Line(e.kind, e.codec, len(part), zlib.crc32(part), short=e.short)
        for e, part in zip(contents.entries, stored, strict=True)
    ]
    return b"".join([short_header.write(contents.header, lines), *stored])


def parts(data: bytes) -> tuple[bytes, list[tuple[bytes, int, bytes]]]:
    """A file's fixed header, and kind, codec and bytes of each chunk that its table tells."""
    count = data[FIXED - 1] if len(data) >= FIXED else 0
    at = FIXED + ENTRY.size * count + 4
    found = []
    for number in range(count):
        place = FIXED + ENTRY.size * number
        if place + ENTRY.size > len(data):
            break
        kind, codec, length, _ = ENTRY.unpack_from(data, place)
        found.append((kind, codec, data[at : at + length]))
        at += length
    return data[:FIXED], found


def joined(fixed: bytes, chunks: Sequence[tuple[bytes, int, bytes]]) -> bytes:
    """A file whose lengths and checksums are right, whatever else is wrong."""
    length = FIXED + ENTRY.size * len(chunks) + 4
    head = fixed[:9].ljust(9, b"\0") + struct.pack("<H", length) + fixed[11:50].ljust(39, b"\0")
    head += bytes([len(chunks)])
    head += b"".join(ENTRY.pack(kind, codec, len(data), zlib.crc32(data)) for kind, codec, data in chunks)
    return head + struct.pack("<I", zlib.crc32(head)) + b"".join(data for _, _, data in chunks)


def made_file(random_: random.Random, sound: Sequence[bytes]) -> bytes:
    """A file whose parts were changed, left out, exchanged or taken from another one, under checksums that
    are right; one in eight with its bytes changed, wherever they are."""
    if random_.random() < 0.125:
        return mutated(sound, (), random_)
    short = [data for data in sound if data[4] != 13]
    if short and random_.random() < 0.4:
        changed = random_.choice((with_another_short_header, with_another_short_chunk))
        return changed(random_.choice(short), random_)
    fixed, found = parts_in_full(random_.choice(sound))
    chunks, others = list(found), every_part(tuple(sound))
    for _ in range(random_.randrange(1, 4)):
        way = random_.randrange(6)
        at = random_.randrange(len(chunks)) if chunks else 0
        if way == 0:
            fixed = fixed[:11] + mutated([fixed[11:]], (), random_)[:40].ljust(40, b"\0")
        elif way == 1 and chunks:
            kind, codec, data = chunks[at]
            chunks[at] = kind, codec, mutated([data], (), random_)
        elif way == 2 and chunks:
            del chunks[at]
        elif way == 3:
            chunks.insert(at, random_.choice(others))
        elif way == 4 and chunks:
            kind, _, data = chunks[at]
            chunks[at] = kind, random_.randrange(6), data
        elif chunks:
            kind, _, _ = chunks[at]
            same = [chunk for chunk in others if chunk[0] == kind]
            chunks[at] = random_.choice(same)
    return joined(fixed, chunks[:255])


def container_attack() -> Attack:
    from dsslic_search.codec import container
    from dsslic_search.core.kinds import Stage

    def read(data: bytes) -> None:
        contents = container.read(data)
        for stage in Stage:
            try:
                assert contents.stage_bytes(stage) <= contents.total == len(data)
            except FormatError:
                continue

    return refuses(read, FormatError)


def file_attack(*stages: str) -> Attack:
    from dsslic_search.codec import decoder

    def show(data: bytes) -> None:
        """Taken where anything of it can be shown."""
        refusals: list[DSSError] = []
        looks: list[Callable[[], Any]] = [
            partial(decoder.decode_stage, data, stage, max_pixels=MOST_PIXELS) for stage in stages
        ]
        if stages[0] == "map":
            looks += [
                partial(look, data)
                for look in (
                    decoder.read_base,
                    decoder.read_certainty,
                    decoder.read_words,
                    decoder.read_dialect,
                    decoder.read_original,
                    decoder.read_embedded,
                    decoder.read_source,
                )
            ]
        for look in looks:
            try:
                look()
            except DSSError as error:
                str(error).encode()
                refusals.append(error)
        if len(refusals) == len(looks):
            raise refusals[0]

    return refuses(show)


def exported_attack() -> Attack:
    """Layers written out and read again are the file, where it holds no chunk of a kind that is not known."""
    from dsslic_search.codec import container, layer_files

    def there_and_back(data: bytes) -> None:
        files = layer_files.exported(data)
        contents = container.read(data)
        if all(entry.kind in container.ORDER for entry in contents.entries):
            chunks = [container.read_chunk(data, contents, each.kind) for each in contents.entries]
            as_written = container.pack(contents.header, [each for each in chunks if each], contents.version)
            assert layer_files.imported(files) == as_written
            assert as_written == data or len(as_written) < len(data)

    return refuses(there_and_back)


def described_attack() -> Attack:
    from dsslic_search.codec import layer_files

    files = [layer_files.exported(data) for data in whole_files()]

    def take(data: bytes) -> None:
        of, data = files[data[0] % len(files)] if data else files[0], data[1:]
        layer_files.names(data)
        layer_files.imported(of | {layer_files.DESCRIPTION: data})

    return refuses(take)


def descriptions() -> list[bytes]:
    from dsslic_search.codec import layer_files

    """Behind the number of the file that each is of."""
    return [
        bytes([number]) + layer_files.exported(data)[layer_files.DESCRIPTION]
        for number, data in enumerate(whole_files())
    ]


def chunks_of(kind: str) -> list[bytes]:
    """A codec's number before the bytes of each chunk of that kind."""
    every = [*whole_files(), *(path.read_bytes() for path in (DATA / "dsslic").glob("*.dsslic"))]
    found = {
        bytes([codec]) + data for each in every for k, codec, data in parts(each)[1] if k == kind.encode()
    }
    return sorted(found, key=len)[:8]


def chunk(kind: str, data: bytes) -> Chunk:
    return Chunk(kind, data[0] if data else 0, data[1:])


def decode_map(data: bytes) -> None:
    from dsslic_search.codec.layers import label_map

    found = label_map.decode(chunk("SMAP", data), MAP_SIZE)
    assert found.shape == MAP_SIZE


def sound_maps() -> list[bytes]:
    from dsslic_search.codec.layers import label_map

    return [bytes([c.codec]) + c.data for c in (label_map.encode(labels()), label_map.encode(labels(), True))]


def decode_compact(data: bytes) -> None:
    from dsslic_search.codec.layers import compact

    coded = chunk("COMP", data[1:])
    assert compact.decode(coded, data[:1] == b"\1", SIZE).shape == (*SIZE, 3)


def sound_compact() -> list[bytes]:
    from dsslic_search.codec.layers import compact

    return [
        bytes([grey, coded.codec]) + coded.data
        for grey in (False, True)
        for coded in (compact.encode(picture(grey), 20), compact.encode_as_flif(picture(grey)))
    ]


def decode_residual(data: bytes) -> None:
    """Under a coarse image and labels that are there."""
    from dsslic_search.codec.layers import axes, lossless, normalised, residual
    from dsslic_search.codec.layers.planes import read_planes
    from dsslic_search.codec.layers.terms import read_terms

    coded = chunk("RESI", data)
    residual.LAYER.check(coded)
    grey, coarse = False, picture()
    if coded.codec == residual.JPEG_XL:
        lossless.decode(coded, SIZE, grey)
    elif coded.codec == residual.NORMALISED:
        normalised.decode(coded, coarse)
    elif coded.codec == residual.FIRST_BPG:
        residual.decode_first(coded, coarse, grey)
    else:
        terms, rest = read_terms(coded.data, grey)
        planes = read_planes(rest, grey, axes.BIT_DEPTH, SIZE)
        marks = np.repeat(np.repeat(labels(), 2, 0), 2, 1)
        made = residual.reconstruct_whole(planes, terms, coarse=coarse, labels=marks)
        assert made.shape == (*SIZE, 3)


def sound_residuals() -> list[bytes]:
    from dsslic_search.codec.layers import axes, lossless, normalised, residual
    from dsslic_search.codec.layers.terms import Gains, Terms

    pixels, coarse = picture(), np.roll(picture(), 1, 1)
    marks = np.repeat(np.repeat(labels(), 2, 0), 2, 1)
    own = axes.principal(pixels)
    found = [lossless.encode(pixels, 3), *(normalised.encode(pixels, coarse, kind, 20)[0] for kind in (0, 1))]
    for terms in (Terms(axes=own), Terms(trust=64, gains=Gains(20, ((17, 64),)), axes=own)):
        coded = residual.encode_picture(pixels, 24, terms, coarse=coarse, labels=marks)
        found.append(residual.chunk(terms, coded))
    return [bytes([c.codec]) + c.data for c in found]


def decode_terms(data: bytes) -> None:
    from dsslic_search.codec.layers import normalised
    from dsslic_search.codec.layers.terms import read_terms

    if data[:1] == b"\2":
        normalised.read_mapping(data[1:])
        return
    terms, rest = read_terms(data[1:], data[:1] == b"\1")
    assert terms.to_bytes() + rest == data[1:]


def sound_terms() -> list[bytes]:
    from dsslic_search.codec.layers import axes
    from dsslic_search.codec.layers.terms import Gains, Terms

    own = axes.principal(picture())
    terms = (
        Terms(axes=own),
        Terms(trust=64, gains=Gains(20, ((17, 64),)), axes=own),
        Terms(strength=9, restorer="0123456789abcdef", axes=own),
    )
    return [*(b"\0" + each.to_bytes() for each in terms), b"\1" + Terms().to_bytes(), b"\2\0" + bytes(9)]


def decode_words(data: bytes) -> None:
    from dsslic_search.codec.layers import words

    words.decode(chunk("word", data))


def open_short(data: bytes) -> None:
    """The first byte: of which kind, and whether the photo is grey."""
    from dsslic_search.codec import short_chunks, short_header

    kind = short_header.IN_SHORT[data[0] // 2 % 3 if data else 0]
    header = short_chunk_header(bool(data and data[0] % 2))
    found = Chunk(kind, 2 if kind == "RESI" else 1, short_chunks.opened(kind, data[1:], header))
    assert len(found.data) < len(data) + 200
    again = short_chunks.shortened(found, header)
    assert short_chunks.opened(kind, again, header) == found.data


def short_chunk_header(grey: bool) -> Header:
    from dsslic_search.codec import short_header

    return Header(*SIZE[::-1], grey, KeepMode.LAYERS, 2, 8, 75, 34, 26, *short_header.SHIPPED[0])


def sound_short_chunks() -> list[bytes]:
    from dsslic_search.codec import container, short_header

    found = []
    for data in whole_files():
        contents = container.read(data)
        for e in contents.entries:
            if e.short:
                number = 2 * short_header.IN_SHORT.index(e.kind) + contents.header.grey
                found.append(bytes([number]) + data[e.offset : e.offset + e.length])
    return found


def decode_certainty(data: bytes) -> None:
    from dsslic_search.codec.layers import certainty

    certainty.decode(chunk("sure", data), labels())


def decode_list(data: bytes) -> None:
    from dsslic_search.codec.layers import class_list

    identity = data[1:9].hex()
    class_list.decode(Chunk("voca", data[0] if data else 0, data[9:]), identity)


def sound_lists() -> list[bytes]:
    from dsslic_search.codec.layers import class_list
    from dsslic_search.core.dialect import Dialect
    from dsslic_search.core.vocabulary import ClassInfo, Vocabulary

    names = ("human", "rock", "zürich")
    classes = tuple(ClassInfo(i, name, name, (i, 2, 3), ()) for i, name in enumerate(names))
    own = Vocabulary("beach", classes, ())
    coded = class_list.encode(Dialect(own, (1, 2, 3), (1, 2, 3)))
    return [bytes([coded.codec]) + bytes.fromhex(own.identity) + coded.data]


def resealed_list(data: bytes) -> bytes:
    """A class list whose text was changed before it was packed, under the identity of its names."""
    unpacked = zlib.decompress(sound_lists()[0][9:])
    random_ = random.Random(data)
    plain = mutated([unpacked], [b'"', b"[]", b"{}", b"null", b"1e999", b"-1", b"[" * 3000], random_)
    try:
        names = "\n".join(str(row[0]) for row in json.loads(plain)["classes"])
        identity = hashlib.sha256(names.encode()).digest()[:8]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        identity = data[1:9].ljust(8, b"\0")
    return b"\1" + identity + zlib.compress(plain, 1)


def decode_beside(data: bytes) -> None:
    """Layers of metadata, and where the photo comes from."""
    from dsslic_search.codec.layers import metadata, provenance

    if data[:1] == b"\1":
        provenance.decode(chunk("srce", data[1:]))
    else:
        metadata.decode(metadata.EXIF, chunk("exif", data[1:]))


def sound_beside() -> list[bytes]:
    from dsslic_search.codec.layers import metadata, provenance

    made = [metadata.encode(metadata.EXIF, b"Exif\0\0" + bytes(30)), provenance.encode(16, ("a remark",))]
    return [bytes([i, c.codec]) + c.data for i, c in enumerate(made)]


def packed_again(data: bytes) -> bytes:
    """What was changed, packed so that it can be unpacked; now and then much of it."""
    random_ = random.Random(data)
    words = [b'"', b"[]", b"{}", b"null", b"1e999", b"[" * 3000]
    plain = mutated([b'{"bits": 16, "remarks": ["a"]}'], words, random_)
    much = 1 if random_.random() < 0.999 else (20 << 20) // max(len(plain), 1)
    return bytes([random_.randrange(2), 1]) + zlib.compress(plain * much, 1)


def decode_original(data: bytes) -> None:
    from dsslic_search.codec.layers import original

    made = original.unpack(data[0] if data else 0, data[1:], max_bytes=original.max_unpacked(data[1:]))
    hashed = Chunk("hash", 0, hashlib.sha256(made).digest())
    original.decode(chunk("ORIG", data), hashed)


def sound_originals() -> list[bytes]:
    from dsslic_search.codec.layers import original

    files = photo(), photo() + b"ftyp" * 40, b"no photo"
    coded = [bytes([c.codec]) + c.data for c in map(original.encode, files)]
    return [*coded, b"\2" + (DATA / "originals" / "tail.codec2").read_bytes()]


def decode_alpha(data: bytes) -> None:
    from dsslic_search.codec.layers import alpha

    assert alpha.decode(chunk("ALPH", data), SIZE).shape == SIZE


def sound_alpha() -> list[bytes]:
    from dsslic_search.codec.layers import alpha

    coded = alpha.encode(picture(grey=True))
    return [bytes([coded.codec]) + coded.data]


def decode_map_stream(data: bytes) -> None:
    from dsslic_search.codec.layers.label_map import coder

    height, width = coder.read_size(data)
    assert coder.decode(data, max_pixels=MOST_PIXELS).shape == (height, width)


def decode_flif(data: bytes) -> None:
    from dsslic_search.codec import flif
    from dsslic_search.codec.flif.file import read_header

    for partial_ in (False, True):
        shown = flif.decode(data, max_pixels=MOST_PIXELS, partial=partial_).pixels
        header, _ = read_header(data)
        assert shown.shape[:2] == (header.height, header.width)


def decode_bpg(data: bytes) -> None:
    from dsslic_search.codec import bpg

    found = bpg.decode(data, max_pixels=MOST_PIXELS)
    assert found.planes[0].size <= MOST_PIXELS
    found.rgb8()


def parse_slices(data: bytes) -> None:
    from dsslic_search.codec.bpg.header import read_header, read_tools
    from dsslic_search.codec.bpg.slice_syntax import costs_of_file

    costs = costs_of_file(data, max_pixels=MOST_PIXELS)
    assert sum(cost.bits for cost in costs) == 8 * len(read_tools(read_header(data)[1])[1])


def slices_compiled() -> None:
    from dsslic_search.codec.bpg import slice_syntax

    slice_syntax._WALK.made()


def decode_hevc(data: bytes) -> None:
    from dsslic_search.codec.bpg.hevc import decode_intra

    assert decode_intra(data, max_pixels=MOST_PIXELS).planes[0].size <= MOST_PIXELS


def sound_hevc() -> list[bytes]:
    from dsslic_search.codec.bpg.hevc import encode_intra

    plane = picture(grey=True)[:, :16].copy()
    deep = plane.astype(np.uint16) << 2
    return [
        encode_intra([plane], bit_depth=8, chroma="400", qp=30, preset="fast"),
        encode_intra([deep] * 3, bit_depth=10, chroma="444", qp=30, preset="fast"),
    ]


def parse_sequence(data: bytes) -> None:
    from dsslic_search.codec.bpg.parameters import parse_sps

    parse_sps(data)


def sound_sequences() -> list[bytes]:
    from dsslic_search.codec.bpg.bits import nal_type, split_annexb
    from dsslic_search.codec.bpg.parameters import NAL_SPS

    return [unit for data in sound_hevc() for unit in split_annexb(data) if nal_type(unit) == NAL_SPS]


def describe_jpeg_xl(data: bytes) -> None:
    from dsslic_search.codec import jpeg_xl

    if not data.startswith(jpeg_xl.CODESTREAM):
        jpeg_xl.read_container_size(data)
    jpeg_xl.describe(jpeg_xl.codestream_start(data))


def read_jpeg_xl_profile(data: bytes) -> None:
    from dsslic_search.codec import jpeg_xl, jpeg_xl_profile

    start = jpeg_xl.codestream_start(data)
    described = jpeg_xl.describe(start)
    if described.has_profile:
        jpeg_xl_profile.read(start, described.profile_at)


def sound_jpeg_xl() -> list[bytes]:
    return [*samples("pictures", ".jxl", below=20_000), sound_originals()[1][1:]]


TARGETS = (
    Target("container", "header and chunk table", container_attack, whole_files, made=made_file),
    Target("map-stream", "coded label maps", lambda: refuses(decode_map_stream, FormatError),
           lambda: samples("label_map", ".slm")),
    Target("map", "the layer of the label map", lambda: refuses(decode_map), sound_maps),
    Target("compact", "the layer of the compact image", lambda: refuses(decode_compact), sound_compact),
    Target("residual", "the layer of the residual", lambda: refuses(decode_residual), sound_residuals,
           short=150),
    Target("terms", "terms and mapping of the residual", lambda: refuses(decode_terms), sound_terms),
    Target("words", "the layer of image words", lambda: refuses(decode_words), lambda: chunks_of("word")),
    Target("short-chunks", "chunks in short", lambda: refuses(open_short, FormatError), sound_short_chunks),
    Target("certainty", "the layer of certainties", lambda: refuses(decode_certainty),
           lambda: [b"\1abc", b"\1\0\1\xff"]),
    Target("class-list", "the class list in a file", lambda: refuses(decode_list), sound_lists,
           mend=resealed_list),
    Target("beside", "layers of metadata and provenance", lambda: refuses(decode_beside), sound_beside,
           mend=packed_again),
    Target("original", "the layer of the original", lambda: refuses(decode_original), sound_originals,
           short=150),
    Target("alpha", "the layer of opacity", lambda: refuses(decode_alpha), sound_alpha),
    Target("file", "whole files, map, compact and what stands beside", lambda: file_attack("map", "compact"),
           whole_files, made=made_file, short=150),
    Target("file-full", "whole files, full", lambda: file_attack("full"), full_files, made=made_file,
           short=60),
    Target("file-coarse", "whole files, coarse", lambda: file_attack("coarse"), whole_files, made=made_file,
           short=20),
    Target("layers-out", "layers of whole files written out and in", exported_attack, whole_files,
           made=made_file, short=60),
    Target("layers-in", "the description of layers", described_attack, descriptions,
           made=json_or_bytes((b"[" * 3000, b'"')), short=60),
    Target("flif", "FLIF files", lambda: refuses(decode_flif, FormatError),
           lambda: [data for data in samples("flif", ".flif", below=2000) if data[6:8] != b"\x83s"]),
    Target("bpg", "BPG files", lambda: refuses(decode_bpg), lambda: samples("bpg", ".bpg"), short=150),
    Target("slices", "the syntax of HEVC slices", lambda: refuses(parse_slices, FormatError),
           lambda: samples("bpg", ".bpg"), short=60, compiled=slices_compiled),
    Target("hevc", "HEVC pictures", lambda: refuses(decode_hevc), sound_hevc, short=150),
    Target("sequence", "HEVC parameter sets", lambda: refuses(parse_sequence), sound_sequences),
    Target("jpeg-xl", "headers of JPEG XL files", lambda: refuses(describe_jpeg_xl), sound_jpeg_xl),
    Target("jpeg-xl-profile", "profiles in JPEG XL files", lambda: refuses(read_jpeg_xl_profile),
           lambda: samples("pictures", "xyb_profile.jxl", below=1 << 16)),
)  # fmt: skip
