"""The layers of a .dsslic file, of an archive or by itself, in a folder, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.api import coding
from dsslic_search.api.arguments import check_flags, path_of
from dsslic_search.core.output import Outputs

if TYPE_CHECKING:
    from dsslic_search.api.archive import Archive


def export_layers(source: Path | str | bytes, folder: Path | str, *, replace: bool = False) -> dict[str, int]:
    """Write each layer of a .dsslic file, given by its path or its bytes, into ``folder``, which is made, in
    a file that other programs read, and beside them ``layers.json``; docs/codec.md tells their names. Returns
    the bytes of each by name. FormatError when the file is damaged, PhotoError when it cannot be read, and
    UsageError where nothing may be written (see `core.output`; ``replace``: also over files that are
    there)."""
    from dsslic_search.codec import layer_files

    check_flags(replace=replace)
    folder = path_of(folder)
    outputs = Outputs(replace, () if isinstance(source, bytes) else (Path(source),))
    name, data = coding.named_bytes(source)
    with coding.about(name):
        files = layer_files.exported(data)
    outputs.folder(folder)
    for each in files:
        outputs.check(folder / each)
    for each, content in files.items():
        outputs.write(folder / each, content)
    return {each: len(content) for each, content in files.items()}


def export_photo_layers(
    archive: Archive, photo_id: int, folder: Path | str, *, replace: bool = False
) -> dict[str, int]:
    """The same of a photo of an archive, by its id."""
    from dsslic_search.api.showing import stored_file

    data = stored_file(archive.folder.store, archive.photo(photo_id))
    return export_layers(data, folder, replace=replace)


def import_layers(source: Path | str, target: Path | str, *, replace: bool = False) -> int:
    """Write the .dsslic file whose layers lie in a folder as :func:`export_layers` left them; returns its
    bytes. ``source``: the folder, or ``layers.json`` in it. The layers may have been coded anew, to the same
    size. FormatError where they do not fit together, PhotoError where they cannot be read, UsageError where
    nothing may be written."""
    from dsslic_search.codec import layer_files

    check_flags(replace=replace)
    source, target = path_of(source), path_of(target)
    description = source / layer_files.DESCRIPTION if source.is_dir() else source
    Outputs(replace, (description,)).check(target)
    with coding.about(description):
        told = coding.read_file(description)
        files = {name: description.parent / name for name in layer_files.names(told)}
        outputs = Outputs(replace, (description, *files.values()))
        outputs.check(target)
        contents = {name: coding.read_file(path) for name, path in files.items()}
        data = layer_files.imported(contents | {layer_files.DESCRIPTION: told})
    outputs.write(target, data)
    return len(data)
