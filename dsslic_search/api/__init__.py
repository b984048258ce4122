"""The library's face: everything that the command line does, and nothing that a face has to reach around.

`Archive` for photos that are kept; `encode`, `decode`, `file_info` and those beside them for single files.
Names are loaded when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dsslic_search.api.answers import Hit, HitDetails, QueryResult
    from dsslic_search.api.archive import Archive
    from dsslic_search.api.backups import restore_backup
    from dsslic_search.api.browsing import Card, Overview, Reading, StoredPhoto
    from dsslic_search.api.coding import EncodeWishes, decode, encode, encode_options
    from dsslic_search.api.coding_files import (
        CodedFiles,
        decode_file,
        decode_files,
        encode_file,
        encode_files,
        unpack_file,
    )
    from dsslic_search.api.completion import Completer, Completion
    from dsslic_search.api.doctor import Diagnosis, Health, Part, diagnose
    from dsslic_search.api.duplicates import Copy, Duplicates
    from dsslic_search.api.exact_duplicates import ExactCopy, ExactDuplicates, ExactGroup
    from dsslic_search.api.facets import Facets, FacetValue
    from dsslic_search.api.getting_out import GotOut
    from dsslic_search.api.info import file_info
    from dsslic_search.api.layer_coding import decode_layer, encode_layer
    from dsslic_search.api.layer_files import export_layers, export_photo_layers, import_layers
    from dsslic_search.api.photo_dataset import PhotoDataset
    from dsslic_search.api.segmenters import (
        LabelMeaning,
        SegmenterInfo,
        open_segmenter,
        segment_file,
        segmenter_info,
    )
    from dsslic_search.api.session import Question, Session
    from dsslic_search.api.showing import Preview
    from dsslic_search.api.stage_files import export_photo_stages, export_stages
    from dsslic_search.api.statistics import Statistics
    from dsslic_search.archive.backup import BackupReport
    from dsslic_search.archive.bin import Binned, Emptied, Moved
    from dsslic_search.archive.describe import DescribeReport
    from dsslic_search.archive.findings import Finding, Kind, Problem
    from dsslic_search.archive.ingest.report import Event, IngestReport
    from dsslic_search.archive.rebuild import RebuildReport
    from dsslic_search.archive.reindex import ReindexReport
    from dsslic_search.archive.restoring import RestoreReport
    from dsslic_search.archive.schema import Photo
    from dsslic_search.archive.stored import Fault
    from dsslic_search.archive.updating import Watcher, watched
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.features.embedding import Canvas
    from dsslic_search.networks.segmenter import Segmenter
    from dsslic_search.query.facets import ClassCount, Spread
    from dsslic_search.query.run.evaluate import Resembled

__all__ = [
    "Archive",
    "BackupReport",
    "Binned",
    "Canvas",
    "Card",
    "ClassCount",
    "CodedFiles",
    "Completer",
    "Completion",
    "Copy",
    "DescribeReport",
    "Diagnosis",
    "Duplicates",
    "Emptied",
    "EncodeOptions",
    "EncodeWishes",
    "Event",
    "ExactCopy",
    "ExactDuplicates",
    "ExactGroup",
    "FacetValue",
    "Facets",
    "Fault",
    "Finding",
    "GotOut",
    "Health",
    "Hit",
    "HitDetails",
    "IngestReport",
    "Kind",
    "LabelMeaning",
    "Moved",
    "Overview",
    "Part",
    "Photo",
    "PhotoDataset",
    "Preview",
    "Problem",
    "QueryResult",
    "Question",
    "Reading",
    "RebuildReport",
    "ReindexReport",
    "Resembled",
    "RestoreReport",
    "Segmenter",
    "SegmenterInfo",
    "Session",
    "Spread",
    "Statistics",
    "StoredPhoto",
    "Watcher",
    "decode",
    "decode_file",
    "decode_files",
    "decode_layer",
    "diagnose",
    "encode",
    "encode_file",
    "encode_files",
    "encode_layer",
    "encode_options",
    "export_layers",
    "export_photo_layers",
    "export_photo_stages",
    "export_stages",
    "file_info",
    "import_layers",
    "open_segmenter",
    "restore_backup",
    "segment_file",
    "segmenter_info",
    "unpack_file",
    "watched",
]

_HOMES = {
    "api.archive": ("Archive",),
    "api.backups": ("restore_backup",),
    "api.browsing": ("Card", "Overview", "Reading", "StoredPhoto"),
    "api.coding": ("EncodeWishes", "decode", "encode", "encode_options"),
    "api.layer_coding": ("decode_layer", "encode_layer"),
    "api.layer_files": ("export_layers", "export_photo_layers", "import_layers"),
    "api.coding_files": (
        "CodedFiles",
        "decode_file",
        "decode_files",
        "encode_file",
        "encode_files",
        "unpack_file",
    ),
    "api.completion": ("Completer", "Completion"),
    "api.doctor": ("Diagnosis", "Health", "Part", "diagnose"),
    "api.duplicates": ("Copy", "Duplicates"),
    "api.exact_duplicates": ("ExactCopy", "ExactDuplicates", "ExactGroup"),
    "api.facets": ("FacetValue", "Facets"),
    "api.getting_out": ("GotOut",),
    "api.info": ("file_info",),
    "api.answers": ("Hit", "HitDetails", "QueryResult"),
    "api.photo_dataset": ("PhotoDataset",),
    "api.segmenters": ("LabelMeaning", "SegmenterInfo", "open_segmenter", "segment_file", "segmenter_info"),
    "api.session": ("Question", "Session"),
    "api.showing": ("Preview",),
    "api.stage_files": ("export_photo_stages", "export_stages"),
    "api.statistics": ("Statistics",),
    "archive.backup": ("BackupReport",),
    "archive.bin": ("Binned", "Emptied", "Moved"),
    "archive.findings": ("Finding", "Kind", "Problem"),
    "archive.ingest.report": ("Event", "IngestReport"),
    "archive.describe": ("DescribeReport",),
    "archive.restoring": ("RestoreReport",),
    "archive.rebuild": ("RebuildReport",),
    "archive.reindex": ("ReindexReport",),
    "archive.schema": ("Photo",),
    "archive.stored": ("Fault",),
    "archive.updating": ("Watcher", "watched"),
    "codec.options": ("EncodeOptions",),
    "features.embedding": ("Canvas",),
    "networks.segmenter": ("Segmenter",),
    "query.facets": ("ClassCount", "Spread"),
    "query.run.evaluate": ("Resembled",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f"dsslic_search.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
