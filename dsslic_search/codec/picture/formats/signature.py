"""What kind of file bytes are, by how they begin; names lie."""

from __future__ import annotations

import re

_BRANDS = {  # ISO/IEC 14496-12, major and compatible brands
    "AVIF": {b"avif", b"avis"},
    "HEIF": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2"},
    "CR3": {b"crx "},
    "video": {
        b"isom",
        b"iso2",
        b"iso4",
        b"iso5",
        b"iso6",
        b"mp41",
        b"mp42",
        b"avc1",
        b"qt  ",
        b"M4V ",
        b"3gp4",
        b"3gp5",
    },
}
_STARTS: tuple[tuple[str, bytes], ...] = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("GIF", rb"GIF8[79]a"),
    ("WEBP", rb"RIFF....WEBP"),
    ("BMP", rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0"),
    ("JPEGXL", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
    ("JPEG2000", rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n"),
    ("CR2", rb"(?:II\x2a\0|MM\0\x2a).{4}CR"),
    ("CRW", rb"(?:II|MM).{4}HEAPCCDR"),
    ("ORF", rb"IIR[OS]|MMOR"),
    ("RW2", rb"IIU\0"),
    ("TIFF", rb"II[\x2a\x2b]\0|MM\0[\x2a\x2b]"),
    ("RAF", rb"FUJIFILMCCD-RAW"),
    ("X3F", rb"FOVb"),
    ("MRW", rb"\0MRM"),
    ("PPM", rb"P[1-7fF][\s#]"),
    ("PSD", rb"8BPS"),
    ("SVG", rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]"),
    ("PDF", rb"%PDF-"),
    ("JPEG XR", rb"II\xbc"),
    ("EXR", rb"\x76\x2f\x31\x01"),
    ("Radiance HDR", rb"#\?(?:RADIANCE|RGBE)"),
    ("video", rb"RIFF....AVI |\x1aE\xdf\xa3|\0\0\x01[\xb3\xba]|(?:.{4})?\x47.{187}(?:.{4})?\x47|FLV\x01"),
    ("video", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF: WMV
    ("icon", rb"\0\0[\x01\x02]\0[\x01-\xff]\0"),
    ("QOI", rb"qoif"),
    ("DDS", rb"DDS "),
)
_PATTERNS = tuple((name, re.compile(pattern, re.DOTALL)) for name, pattern in _STARTS)

START_BYTES = 1024
"""Of a file, by which its kind is told."""

RAW = frozenset({"CR2", "CR3", "CRW", "ORF", "RW2", "RAF", "X3F", "MRW"})
"""Files of cameras' sensors that can be told by how they begin; DNG, NEF, ARW and more begin as TIFF."""


def kind_of(data: bytes) -> str | None:
    """The format of a file by its first bytes: "JPEG", "PNG" …, also of such as are no photos or cannot be
    read here ("PSD", "video"); None for what is not known."""
    start = bytes(data[:START_BYTES])
    if start[4:8] == b"ftyp":
        size = min(int.from_bytes(start[:4], "big"), len(start))
        brands = {start[8:12], *(start[i : i + 4] for i in range(16, size - 3, 4))}
        major = next((name for name, known in _BRANDS.items() if start[8:12] in known), None)
        if major in (None, "HEIF") and brands & _BRANDS["AVIF"]:
            return "AVIF"
        return major or next((name for name, known in _BRANDS.items() if brands & known), None)
    return next((name for name, pattern in _PATTERNS if pattern.match(start)), None)
