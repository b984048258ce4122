"""Frames of videos as photos: when each is shown, and its pixels, through FFmpeg as PyAV builds it.

A clip is read from its path, never whole into memory. First its packets are passed through, which tells when
every frame is shown; then frames are decoded in one thread, from the key frame before where the container has
an index to find it by, so that the same frame is the same pixels whenever it is asked for.
"""

from __future__ import annotations

import bisect
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Coded, Raster, Space, eight_bit_alpha
from dsslic_search.core.errors import PhotoError

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

FORMAT = "VIDEO"
"""The format of photos that are frames."""
MISSING_SECONDS = 1  # at the end of a clip that says how long it is: it is cut short
MAX_ASPECT = 8  # of a pixel's sides; more is damage
HD_HEIGHT, HD_WIDTH = 720, 1280  # from there on colours that are not told are those of BT.709
SCENE_SIDES = 64, 36  # pixels of the small grey picture by which frames are compared
SCENE_LEVELS = 30
"""Grey levels, on the average, by which a frame differs from the one before where a scene begins, and by
which that difference differs from the one before it (as in FFmpeg's filter "select", a scene of 0.3)."""

_TRANSPORT_STREAM = "mpegts"
_SYNC_BYTE = 0x47  # with which every packet of a transport stream begins (ISO/IEC 13818-1, 2.4.3.2)
_PACKETS = ((0, 188), (4, 192), (0, 204))
"""Bytes before the first sync byte, and of a packet: plain, with the timestamps of cameras and Blu-ray discs,
with error correction."""
_INDEXED = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"})
_TURNS: Mapping[tuple[int, ...], int] = {  # signs of a display matrix (ISO/IEC 14496-12) → EXIF's orientation
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
_BT709, _UNSPECIFIED, _SMPTE170M = 1, 2, 6  # matrices of H.273, table 4
_LIMITED, _FULL = 1, 2  # ranges of samples, as FFmpeg numbers them


@dataclass(frozen=True)
class Shown:
    """One frame of a clip: it is shown from ``at`` to ``until``, in seconds since the first, and takes
    ``size`` bytes."""

    at: Fraction
    until: Fraction
    size: int
    key: bool


class Clip:
    """An open video; use it in a ``with``, and in one thread.

    ``frames``: all of them, in order, at least one. ``metadata``: what the container says, by its names.
    ``name`` is for messages. Every method raises PhotoError, whose message starts with ``name``, where the
    video is damaged."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self.name = path, name
        self._open()
        try:
            self.metadata = {
                key: str(value)
                for part in (self._stream, self._container)
                for key, value in part.metadata.items()
            }
            self.frames, self._cut_short = self._timeline()
            self._keys = [frame.at for frame in self.frames if frame.key]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Clip:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the decoder."""
        self._container.close()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of its frames in square pixels, before they are turned upright."""
        context = self._stream.codec_context
        return _square(context.height, context.width, self._aspect)

    def check_whole(self) -> None:
        """PhotoError where the clip ends before it says it does."""
        if self._cut_short:
            end = float(self.frames[-1].until)
            raise PhotoError(f"{self.name}: the video is cut short: it ends after {end:.1f} seconds")

    def at(self, moment: Fraction) -> Shown:
        """The frame that is shown at a moment, in seconds."""
        return self.frames[max(0, bisect.bisect_right(self.frames, moment, key=_start_of) - 1)]

    def decode(self, shown: Shown) -> Header:
        """The pixels of a frame, as a header that gives them. Quickest in the order of the clip."""
        frame = self._decoded(shown)
        aspect = self._aspect
        height, width = _square(frame.height, frame.width, aspect)
        note = f"frame of a video, at {float(shown.at):.3f} seconds"
        return Header(FORMAT, width, height, lambda shrink: _raster(frame, (height, width), note))

    def scenes(self) -> list[Shown]:
        """The first frame, and each with which another scene begins. Decodes all of them."""
        found = [self.frames[0]]
        before, change = None, 0.0
        for at, frame in self._all():
            small = frame.reformat(*SCENE_SIDES, "gray").to_ndarray().astype(np.int16)
            if before is not None:
                last, change = change, float(np.abs(small - before).mean())
                if min(change, abs(change - last)) >= SCENE_LEVELS and (new := self.at(at)) != found[-1]:
                    found.append(new)
            before = small
        return found

    def _open(self) -> None:
        import av

        try:
            self._container: InputContainer = av.open(str(self._path))
        except (av.error.FFmpegError, OSError, ValueError) as e:
            raise PhotoError(f"{self.name}: no video that can be read ({_reason(e)})") from e
        stream = self._container.streams.best("video")
        if stream is None or getattr(stream, "codec_context", None) is None:
            self._container.close()
            lacks = "there is no picture in it" if stream is None else "nothing here decodes its pictures"
            raise PhotoError(f"{self.name}: no video that can be read ({lacks})")
        self._stream: VideoStream = stream
        stream.codec_context.thread_count = 1
        self._aspect = _aspect(stream)
        self._forward: Iterator[tuple[Fraction, av.VideoFrame]] | None = None
        self._last: tuple[Fraction, av.VideoFrame] | None = None
        self._next: tuple[Fraction, av.VideoFrame] | None = None

    def _reopen(self) -> None:
        self._container.close()
        self._open()

    def _timeline(self) -> tuple[tuple[Shown, ...], bool]:
        """When frames are shown, by the packets; where those do not tell, by the frames. And whether some are
        missing at the end."""
        import av

        told: list[tuple[int | None, int, bool, int]] = []
        try:
            for packet in self._container.demux(self._stream):
                if packet.size and not packet.is_discard and not packet.is_corrupt:
                    told.append((packet.pts, packet.size, packet.is_keyframe, packet.duration or 0))
        except av.error.FFmpegError:
            pass  # what was read counts; `check_whole` tells of the rest
        declared = _declared_end(self._stream)
        self._reopen()
        base = self._stream.time_base or Fraction(1, 1000)
        self._indexed = self._container.format.name in _INDEXED and all(pts is not None for pts, *_ in told)
        self._start = Fraction(0)
        if told and all(pts is not None for pts, *_ in told):
            seen = sorted(
                {pts: (size, key, length) for pts, size, key, length in told if pts is not None}.items()
            )
            self._start = seen[0][0] * base
            starts = [(pts * base - self._start, *rest) for pts, rest in seen]
        else:
            starts = [(at, 0, False, 0) for at, _ in self._all()]
        if not starts:
            raise PhotoError(f"{self.name}: no video that can be read (there is no frame in it)")
        ends = [at for at, *_ in starts[1:]]
        last, _, _, length = starts[-1]
        usual = last - starts[-2][0] if len(starts) > 1 else Fraction(1)
        ends.append(last + (length * base or usual))
        frames = tuple(
            Shown(at, end, size, key) for (at, size, key, _), end in zip(starts, ends, strict=True)
        )
        if self._container.format.name == _TRANSPORT_STREAM:  # its length is that of what is there
            return frames, _ends_within_a_packet(self._path)
        return frames, declared is not None and declared - frames[-1].until > MISSING_SECONDS

    def _all(self) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        """Every frame, from the first on."""
        self._reopen()
        yield from self._decoding()

    def _decoding(self) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        """Frames from where the container stands, with their times; those that say none follow each other at
        the usual rate."""
        import av

        at, rate = Fraction(0), self._stream.average_rate or Fraction(25)
        try:
            for frame in self._container.decode(self._stream):
                if frame.pts is not None and frame.time_base is not None:
                    at = frame.pts * frame.time_base - self._start
                yield at, frame
                at += 1 / rate
        except (av.error.FFmpegError, ValueError) as e:
            raise PhotoError(
                f"{self.name}: the video is damaged after {float(at):.1f} seconds ({_reason(e)})"
            ) from e

    def _decoded(self, shown: Shown) -> av.VideoFrame:
        before = bisect.bisect_right(self._keys, shown.at) - 1
        key = self._keys[before] if before >= 0 and self._indexed else Fraction(0)
        if self._forward is None or self._last is None or not key <= self._last[0] <= shown.at:
            self._go_to(key)
        if not self._run_to(shown.at):  # the index led behind it
            self._indexed = False
            self._go_to(Fraction(0))
            if not self._run_to(shown.at):
                raise PhotoError(f"{self.name}: the video is damaged at {float(shown.at):.1f} seconds")
        assert self._last is not None
        return self._last[1]

    def _go_to(self, key: Fraction) -> None:
        import av

        if self._forward is not None or not key:
            self._reopen()
        if key:
            base = self._stream.time_base or Fraction(1, 1000)
            try:
                self._container.seek(int((key + self._start) / base), stream=self._stream)
            except av.error.FFmpegError:
                self._indexed = False
                self._reopen()
        self._forward, self._last, self._next = self._decoding(), None, None

    def _run_to(self, moment: Fraction) -> bool:
        """Decode on until the frame of a moment is the last one; False when the first is behind it."""
        assert self._forward is not None
        while self._last is None or self._last[0] != moment:  # nothing behind it is read for its sake
            if self._next is None:
                self._next = next(self._forward, None)
            if self._next is None or self._next[0] > moment:
                return self._last is not None
            self._last, self._next = self._next, None
        return True


def every(frames: tuple[Shown, ...], seconds: Fraction) -> Iterator[tuple[Shown, Fraction]]:
    """The frames that are shown at 0, ``seconds``, twice as many and so on, each once, with the first of
    these moments."""
    for frame in frames:
        moment = -(-frame.at // seconds) * seconds
        if moment < frame.until:
            yield frame, moment


def _start_of(frame: Shown) -> Fraction:
    return frame.at


def _declared_end(stream: VideoStream) -> Fraction | None:
    """How long the stream says it is, in seconds."""
    return None if stream.duration is None or stream.time_base is None else stream.duration * stream.time_base


def _ends_within_a_packet(path: Path) -> bool:
    """Whether the last packet of a transport stream is not whole; False where its packets' size is not
    clear."""
    with suppress(OSError), path.open("rb") as file:
        start = file.read(512)
        for before, size in _PACKETS:
            places = range(before, len(start), size)
            if len(places) > 1 and all(start[place] == _SYNC_BYTE for place in places):
                return file.seek(0, os.SEEK_END) % size != 0
    return False


def _aspect(stream: VideoStream) -> Fraction:
    """Width of a pixel by its height; 1 where that is not known."""
    said = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return said if said and Fraction(1, MAX_ASPECT) <= said <= MAX_ASPECT else Fraction(1)


def _square(height: int, width: int, aspect: Fraction) -> tuple[int, int]:
    """The size in square pixels, not fewer either way."""
    return (height, round(width * aspect)) if aspect >= 1 else (round(height / aspect), width)


def _raster(frame: av.VideoFrame, size: tuple[int, int], note: str) -> Raster:
    """The frame's samples as RGB: matrix and range as the stream says."""
    from av.video.reformatter import Interpolation

    kinds = frame.format.components
    bits = max(each.bits for each in kinds)
    opaque = not any(each.is_alpha for each in kinds)
    if frame.colorspace == _UNSPECIFIED:
        frame.colorspace = _BT709 if size[0] >= HD_HEIGHT or size[1] >= HD_WIDTH else _SMPTE170M
    wanted = ("rgb" if opaque else "rgba") + (
        ("24" if opaque else "") if bits <= 8 else "48le" if opaque else "64le"
    )
    made = frame.reformat(
        size[1],
        size[0],
        wanted,
        interpolation=Interpolation.BICUBIC
        | Interpolation.ACCURATE_RND
        | Interpolation.FULL_CHR_H_INT
        | Interpolation.FULL_CHR_H_INP
        | Interpolation.BITEXACT,
    )
    samples: NDArray[Any] = made.to_ndarray()
    white = 255.0 if bits <= 8 else _deep_white(frame, bits)
    notes = (note, *(["interlaced, as it is"] if frame.interlaced_frame else []))
    alpha = None if opaque else eight_bit_alpha(samples[..., 3], white)
    samples = samples[..., :3]
    turn = _turn(frame)
    if len(kinds) == 1:
        return Raster(
            _full_range(samples[..., 0], frame, white), "grey", white, bits, None, None, turn, notes
        )
    return Raster(np.ascontiguousarray(samples), "rgb", white, bits, alpha, _space(frame), turn, notes)


def _deep_white(frame: av.VideoFrame, bits: int) -> float:
    """What FFmpeg's conversion to sixteen bits makes of white: eight bits with zeros behind them of narrow
    range, all of the sample's bits of full range."""
    if frame.format.is_rgb:
        return 65535.0
    return float(((1 << bits) - 1) << (16 - bits)) if _is_full(frame) else 65280.0


def _is_full(frame: av.VideoFrame) -> bool:
    return bool(frame.color_range == _FULL) or frame.format.name.startswith(("yuvj", "gray"))


def _full_range(grey: NDArray[Any], frame: av.VideoFrame, white: float) -> NDArray[Any]:
    """Grey samples, which FFmpeg's conversion leaves in the range that they have."""
    if frame.color_range != _LIMITED:
        return np.ascontiguousarray(grey)
    black, span = white * 16 / 255, white * 219 / 255
    shown = np.clip((grey.astype(np.float32) - black) * (white / span), 0, white)
    return np.asarray(np.rint(shown), grey.dtype)


def _space(frame: av.VideoFrame) -> Space:
    """None where the stream says nothing."""
    space = int(frame.color_primaries), int(frame.color_trc)
    return None if set(space) <= {0, _UNSPECIFIED} else Coded(*space)


def _turn(frame: av.VideoFrame) -> int:
    """How the container's matrix turns it, as EXIF numbers that; 1 for matrices that do other things."""
    for part in frame.side_data:
        if part.type.name == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = struct.unpack("=9i", bytes(part))
            return _TURNS.get(tuple((v > 0) - (v < 0) for v in (a, b, c, d)), 1)
    return 1


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
