"""The layers of a .dsslic file as files of their own, for other programs, and back.

``layers.json`` tells the rest: the header's fields, and each chunk in order, either with the name of its file
or, where it is small and of ours alone, with its bytes in base64. What a residual's layer says before its
picture stands there too.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import asdict, fields
from typing import Any

from dsslic_search.codec import container, decoder
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.container import Contents
from dsslic_search.codec.header import Header
from dsslic_search.codec.layers import alpha, compact, label_map, normalised, original, residual
from dsslic_search.codec.layers.terms import read_terms
from dsslic_search.core.errors import FormatError, StageError
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.core.plain_json import parsed
from dsslic_search.core.text import quoted

DESCRIPTION = "layers.json"
FORMAT, VERSION = "dsslic layers", 1
SHOWN_CHARACTERS = 60
FILES = {
    (label_map.LAYER.kind, label_map.CONTEXT_MIXING): "s.map",
    (label_map.LAYER.kind, label_map.FLIF): "s.flif",
    (compact.LAYER.kind, compact.BPG): "c.bpg",
    (compact.LAYER.kind, compact.FLIF): "c.flif",
    (residual.LAYER.kind, residual.FIRST_BPG): "r.bpg",
    (residual.LAYER.kind, residual.BPG): "r.bpg",
    (residual.LAYER.kind, residual.NORMALISED): "r.bpg",
    (residual.LAYER.kind, residual.JPEG_XL): "r.jxl",
    (alpha.LAYER.kind, alpha.BPG): "alpha.bpg",
    (original.LAYER.kind, original.STORED): "original",
    (original.LAYER.kind, original.JPEG_XL): "original.jxl",
    (original.LAYER.kind, original.JPEG_XL_AND_TAIL): "original.parts",
}
"""What a chunk's bytes are called as a file, by kind and codec."""


def exported(data: bytes) -> dict[str, bytes]:
    """Files by name of a whole .dsslic file, of which every chunk is checked; chunks of kinds that are not
    known here are left out. FormatError when it is damaged."""
    contents = container.read(data)
    files: dict[str, bytes] = {}
    layers: list[dict[str, Any]] = []
    for entry in contents.entries:
        chunk = container.read_chunk(data, contents, entry.kind)
        if chunk is None or entry.kind not in container.ORDER:
            continue
        layer: dict[str, Any] = {"kind": chunk.kind, "codec": chunk.codec}
        name = FILES.get((chunk.kind, chunk.codec))
        if name is None:
            layer["base64"] = base64.b64encode(chunk.data).decode("ascii")
        else:
            told, picture = _before_picture(chunk, contents)
            layer |= {"file": name, **told}
            files[name] = picture
        layers.append(layer)
    described = {
        "format": FORMAT,
        "version": VERSION,
        "header_version": contents.version,
        "header": asdict(contents.header),
        "layers": layers,
    }
    files[DESCRIPTION] = (json.dumps(described, indent=1) + "\n").encode()
    return files


def imported(files: dict[str, bytes]) -> bytes:
    """The .dsslic file that such files are the layers of: the same bytes, where they are as they were. They
    may have been coded anew: the label map and the compact image are decoded to see that they fit.
    FormatError where the description is none, or something does not fit or is missing."""
    described = _described(files)
    chunks = [_chunk(layer, files) for layer in described["layers"]]
    try:
        data = container.pack(_header(described.get("header")), chunks, _version(described))
        contents = container.read_contents(data)
    except (ValueError, struct.error) as e:
        raise FormatError(f"{DESCRIPTION}: its header or layers cannot be ({e})") from e
    if contents.header.keep.is_seen:
        decoder.read_label_map(data, contents)
        decoder.decode_stage(data, Stage.COMPACT)
    return data


def names(description: bytes) -> list[str]:
    """The files that a description names."""
    layers = _described({DESCRIPTION: description})["layers"]
    return [name for layer in layers if (name := _file_name(layer)) is not None]


def described_layer(description: bytes, name: str) -> tuple[Header, Chunk] | None:
    """The header, and the layer of the file ``name`` without its picture: what the description says before
    it. None where it names no such file; FormatError as :func:`imported`."""
    described = _described({DESCRIPTION: description})
    for layer in described["layers"]:
        if _file_name(layer) == name:
            return _header(described.get("header")), _chunk(layer, {name: b""})
    return None


def _before_picture(chunk: Chunk, contents: Contents) -> tuple[dict[str, Any], bytes]:
    """What a layer says before its picture, as plain values, and the picture."""
    if (chunk.kind, chunk.codec) == (residual.LAYER.kind, residual.BPG):
        _, picture = read_terms(chunk.data, contents.header.grey)
        return {"terms": chunk.data[: len(chunk.data) - len(picture)].hex()}, picture
    if (chunk.kind, chunk.codec) == (residual.LAYER.kind, residual.NORMALISED):
        mapping, picture = normalised.read_mapping(chunk.data)
        told = {"name": normalised.NAMES[mapping.kind], "least": mapping.least, "greatest": mapping.greatest}
        return {"mapping": told}, picture
    return {}, chunk.data


def _described(files: dict[str, bytes]) -> dict[str, Any]:
    if DESCRIPTION not in files:
        raise FormatError(f"{DESCRIPTION} is missing; export-layers writes it")
    try:
        described = parsed(files[DESCRIPTION])
    except ValueError as e:
        raise FormatError(f"{DESCRIPTION}: is no JSON ({e})") from e
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise FormatError(f"{DESCRIPTION}: does not describe the layers of a .dsslic file")
    if described.get("version") != VERSION:
        raise FormatError(f"{DESCRIPTION}: is of another version than {VERSION}; upgrade dsslic-search")
    layers = described.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        raise FormatError(f"{DESCRIPTION}: has no list of layers")
    if len(layers) > len(container.ORDER):
        raise FormatError(f"{DESCRIPTION}: has {len(layers)} layers; there are {len(container.ORDER)} kinds")
    return described


def _header(told: Any) -> Header:
    """The header's fields, each of its type; ranges are checked when it is packed and read again."""
    wanted = {field.name: field.type for field in fields(Header)}
    if not isinstance(told, dict) or told.keys() != wanted.keys():
        raise FormatError(f"{DESCRIPTION}: the header has not the fields {', '.join(wanted)}")
    for name, value in told.items():
        kind = {"int": int, "bool": bool}.get(str(wanted[name]), str)
        if type(value) is not kind:
            raise FormatError(f"{DESCRIPTION}: {name} of the header is {_shown(value)}, which it cannot be")
    if told["keep"] not in tuple(KeepMode):
        raise FormatError(f"{DESCRIPTION}: there is no keep mode {_shown(told['keep'])}")
    for name in ("vocabulary", "segmenter", "finenet"):
        if len(told[name]) != 16:
            raise FormatError(f"{DESCRIPTION}: {name} of the header is not 16 hex digits")
    return Header(**told | {"keep": KeepMode(told["keep"])})


def _version(described: dict[str, Any]) -> int:
    """How header and chunks were written; in full where a description of before 0.3 does not tell."""
    told = described.get("header_version", container.FULL)
    if type(told) is not int or not container.FULL <= told <= container.VERSION:
        raise FormatError(f"{DESCRIPTION}: there is no header_version {_shown(told)}; upgrade dsslic-search")
    return told


def _shown(value: Any) -> str:
    """Something that a description holds, short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _file_name(layer: dict[str, Any]) -> str | None:
    """The file of a layer, None where its bytes stand in the description."""
    kind, codec = layer.get("kind"), layer.get("codec")
    if kind not in container.ORDER or type(codec) is not int or not 0 <= codec <= 255:
        raise FormatError(
            f"{DESCRIPTION}: a layer is of kind {_shown(kind)} and codec {_shown(codec)}, which is unknown"
        )
    name = FILES.get((str(kind), codec))
    if layer.get("file") != name:
        raise FormatError(
            f"{DESCRIPTION}: layer {kind} has file {_shown(layer.get('file'))}, not {_shown(name)}"
        )
    return name


def _chunk(layer: dict[str, Any], files: dict[str, bytes]) -> Chunk:
    name = _file_name(layer)
    try:
        if name is None:
            return Chunk(
                layer["kind"], layer["codec"], base64.b64decode(layer.get("base64", ""), validate=True)
            )
        before = _mapping(layer["mapping"]) if "mapping" in layer else bytes.fromhex(layer.get("terms", ""))
    except (KeyError, TypeError, ValueError, struct.error) as e:
        raise FormatError(
            f"{DESCRIPTION}: the bytes of layer {layer['kind']} cannot be read ({quoted(str(e))})"
        ) from e
    if name not in files:
        raise StageError(f"{name} is missing, which {DESCRIPTION} names")
    return Chunk(layer["kind"], layer["codec"], before + files[name])


def _mapping(told: Any) -> bytes:
    """A mapping's bytes; KeyError, TypeError, ValueError or struct.error for what is none."""
    kind = {name: kind for kind, name in normalised.NAMES.items()}[told["name"]]
    return normalised.Mapping(kind, told["least"], told["greatest"]).to_bytes()
