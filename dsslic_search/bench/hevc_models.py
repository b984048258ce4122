"""What other models of HEVC's syntax elements would save of the residual, and how fast they would be.

Residuals are coded as they ship by default, and parsed to their bins; these are coded anew, into real bytes,
by two rates a context as VVC has them and by mixed models (`bin_models`), each from nothing or from HEVC's
starts, and from what other photos left. What is no bin (headers, alignment) stays as it is. Nothing is chosen
here: choices were made on photos that are measured nowhere, neither here nor on Kodak.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.bench import bin_contexts, bin_models, bin_situations, record
from dsslic_search.bench.photos import read_photo
from dsslic_search.codec.bpg import contexts, slice_syntax
from dsslic_search.codec.bpg.x265 import Search
from dsslic_search.codec.layers import axes, residual
from dsslic_search.codec.layers.label_map import machine, start
from dsslic_search.codec.layers.terms import Terms
from dsslic_search.codec.machine_code import MachineCode
from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS
from dsslic_search.training.codec import clean_photos, held_out

QPS = (22, 27, 32, 37)
COUNTS = (1, 2, 4, 8)  # of models
SMALL, LARGE = "512 x 512", "large"
LARGE_FROM = 700_000  # pixels
BEGINNING = 64  # bins of a context in each photo, by which it is seen how it should start
TAKEN_OVER = 20  # bins that count of those that a probability has learnt from
TIMED_ROUNDS = 2
_COMPILED_FROM = 100_000  # bins; plain Python codes some 30 000 a second

Bins = NDArray[np.int64]


class Coded(NamedTuple):
    """A residual: its bits, those of them that bins take, and the bins."""

    qp: int
    pixels: int
    bits: int
    bin_bits: float
    bins: Bins


class State(NamedTuple):
    """What models have learnt: cells and slots, as `bin_models` has them."""

    cells: NDArray[np.int64]
    slots: NDArray[np.uint32]

    def copied(self) -> State:
        """As it is now, to learn from here."""
        return State(self.cells.copy(), self.slots.copy())


@dataclass(frozen=True)
class _Loop:
    """A loop of several arrays, as machine code where there are enough bins, or as plain Python."""

    code: MachineCode

    def __call__(self, *arrays: Any) -> int:
        made = self.code.made(pays=arrays[-1].size >= _COMPILED_FROM)
        return made(*arrays) if made else self.code.entry(*(memoryview(array) for array in arrays))


_COST = _Loop(MachineCode((machine, bin_contexts), bin_contexts.cost_of, (np.int64, np.int64)))
_TWO_RATES = _Loop(
    MachineCode(
        (machine, bin_contexts), bin_contexts.code_two_rates, (np.uint8, np.int64, np.int64, np.int64)
    )
)
_MODELS = _Loop(
    MachineCode(
        (machine, bin_contexts, bin_situations, bin_models),
        bin_models.code_bins,
        (np.uint8, np.int64, np.uint32, np.int64),
    )
)


def run(data: Path, photos: int, large: int, learnt: int) -> dict[str, Any]:
    """Of the clean photos of a data folder: ``photos`` small ones kept from training and ``large`` ones are
    measured, ``learnt`` other small ones are learnt from. UsageError where there are not so many."""
    small: list[Path] = []
    big: list[Path] = []
    others: list[Path] = []
    for sample in clean_photos(data):
        pixels = read_photo(sample.image).pixels
        of = big if pixels[..., 0].size >= LARGE_FROM else small if held_out(sample) else others
        if of is big or pixels.shape[:2] == (512, 512):
            of.append(sample.image)
    measured = {SMALL: _spread(small, photos), LARGE: _spread(big, large)}
    return measure({name: paths for name, paths in measured.items() if paths}, _spread(others, learnt), QPS)


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """So many, from all over the list."""
    if count > len(paths):
        raise UsageError(f"there are {len(paths)} photos of a kind of which {count} are asked for")
    return [paths[number * len(paths) // count] for number in range(count)]


def measure(measured: dict[str, list[Path]], learnt: list[Path], qps: Sequence[int]) -> dict[str, Any]:
    """Every model on the photos ``measured``, by set, at each QP."""
    found: dict[str, Any] = {name: {} for name in measured}
    speed: dict[str, Any] = {}
    states: dict[str, Any] = {}
    for qp in qps:
        taught = [coded(path, qp) for path in learnt]
        rows = models(qp, [each.bins for each in taught])
        states[str(qp)] = {str(count): _weighed(rows.learnt[count]) for count in COUNTS}
        for name, paths in measured.items():
            subjects = [coded(path, qp) for path in paths]
            found[name][str(qp)] = _compared(subjects, rows)
            speed.setdefault(name, {})[str(qp)] = _speeds(subjects, rows)
    return {
        "learnt_from": [path.name for path in learnt],
        "photos": {name: [path.name for path in paths] for name, paths in measured.items()},
        "sizes": found,
        "megapixels_per_second": speed,
        "states": states,
    }


def coded(path: Path, qp: int) -> Coded:
    """A photo's residual as the default effort codes it; FormatError if it cannot be parsed."""
    pixels = read_photo(path).pixels
    terms = Terms(axes=axes.principal(pixels))
    picture = residual.encode_picture(pixels, qp, terms, search=Search.PHOTO)
    size = pixels.shape[0] * pixels.shape[1]
    costs = slice_syntax.costs_of_file(picture, max_pixels=DEFAULT_MAX_PIXELS)
    bins = slice_syntax.events_of_file(picture, max_pixels=DEFAULT_MAX_PIXELS)
    return Coded(qp, size, 8 * len(picture), sum(cost.bits for cost in costs if cost.bins), bins)


class Models(NamedTuple):
    """What bins are coded by, at a QP: starts of contexts, HEVC's and learnt ones, and states of so many
    models, from nothing and learnt."""

    hevc: list[int]
    starts: list[int]
    empty: dict[int, State]
    learnt: dict[int, State]


def models(qp: int, taught: list[Bins]) -> Models:
    """Learnt from the bins of photos that are not measured."""
    hevc = contexts.started(qp)
    empty = {count: empty_state(count) for count in COUNTS}
    learnt = {count: state.copied() for count, state in empty.items()}
    for count, state in learnt.items():
        for bins in taught:
            encode(state, bins)
        seen = np.minimum(state.slots & 1023, TAKEN_OVER)
        learnt[count] = State(state.cells, state.slots & ~np.uint32(1023) | seen)
    return Models(hevc, learnt_starts(hevc, taught), empty, learnt)


def learnt_starts(hevc: list[int], taught: Iterable[Bins]) -> list[int]:
    """States of contexts as `contexts.started` has them, by how the first bins of each were in other photos;
    HEVC's where there were none."""
    ones, counts = np.zeros(len(hevc)), np.zeros(len(hevc))
    for bins in taught:
        of = bins >> 8 & 255
        for context in np.unique(of[of < contexts.RICE_STATS]):
            first = bins[of == context][:BEGINNING] & 1
            ones[context] += first.sum()
            counts[context] += first.size
    chances = _chances()
    starts = list(hevc)
    for context in np.flatnonzero(counts):
        share = (ones[context] + 0.5) / (counts[context] + 1)
        starts[context] = int(np.abs(chances - share).argmin())
    return starts


def _chances() -> NDArray[np.float64]:
    """The chance of a 1 in each state: 0.5 falls to 0.01875 in 63 steps (ITU-T H.265 gives the tables; the
    law is that of Marpe, Schwarz and Wiegand 2003)."""
    less = 0.5 * (0.01875 / 0.5) ** (np.arange(128) // 2 / 63)
    return np.where(np.arange(128) & 1, 1 - less, less)


def empty_state(count: int) -> State:
    """``count`` models that know nothing."""
    cells = np.zeros(bin_situations.BIN_CELLS, np.int64)
    _set_coder(cells)
    first, behind = bin_situations.KIND_WEIGHTS, bin_situations.RECIPROCALS
    cells[first:behind] = round(65536 * min(1.0, 1.6 / count))
    cells[behind : bin_situations.MODEL_COUNT] = 65536 / (np.arange(1024) + 1.6)
    cells[bin_situations.MODEL_COUNT] = count
    return State(cells, np.full(count * bin_situations.TABLE, 1 << 31, np.uint32))


def _set_coder(cells: NDArray[np.int64]) -> None:
    squash = start.squash_table()
    cells[machine.SQUASH : machine.STRETCH] = squash
    cells[machine.STRETCH : machine.RATES] = start.stretch_table(squash)
    cells[machine.HIGH] = 0xFFFFFFFF


def _ready(state: State, data: bytes | None, room: int) -> NDArray[np.uint8]:
    """The cells before a stream that is to be written, or read; returns the bytes."""
    cells = state.cells
    cells[bin_situations.MODEL_COUNT + 1 :] = 0
    cells[bin_situations.ELEMENT] = cells[bin_situations.SUB_BLOCK] = -1
    cells[bin_situations.NODE] = 1
    return _open(cells, data, room)


def _open(cells: NDArray[np.int64], data: bytes | None, room: int) -> NDArray[np.uint8]:
    array = np.zeros(room, np.uint8) if data is None else np.array(bytearray(data), np.uint8)
    cells[machine.LOW], cells[machine.HIGH], cells[machine.END] = 0, 0xFFFFFFFF, array.size
    cells[machine.DECODING] = data is not None
    cells[machine.VALUE] = 0 if data is None else int.from_bytes(data[:4].ljust(4, b"\0"), "big")
    cells[machine.NEXT] = 0 if data is None else 4
    return array


def _closed(cells: NDArray[np.int64], data: NDArray[np.uint8], written: int) -> bytes:
    """What was written, and the byte that ends it, as `label_map.coder` does."""
    low = int(cells[machine.LOW])
    return data[:written].tobytes() + (bytes([(low >> 24) + 1]) if low else b"")


def encode(state: State, bins: Bins) -> bytes:
    """Bins by models, which learn by that."""
    data = _ready(state, None, bins.size + 64)
    return _closed(state.cells, data, _MODELS(data, state.cells, state.slots, bins.copy()))


def decode(state: State, data: bytes, situations: Bins) -> Bins:
    """The same back: events of which bit 0 is not looked at."""
    bins = situations & ~np.int64(1)
    _MODELS(_ready(state, data, 0), state.cells, state.slots, bins)
    return bins


def two_rates(starts: list[int], bins: Bins) -> bytes:
    """Bins by HEVC's contexts with two rates each."""
    cells = np.zeros(machine.CELL_COUNT, np.int64)
    chances = np.repeat(np.round(65536 * _chances()[starts]).astype(np.int64), 2)
    data = _open(cells, None, bins.size + 64)
    return _closed(cells, data, _TWO_RATES(data, cells, chances, bins.copy()))


def cabac_bits(starts: list[int], bins: Bins) -> float:
    """What CABAC takes for the bins of one slice, from such starts."""
    cells = np.zeros(bin_contexts.CONTEXT_CELLS, np.int64)
    likelier, other = contexts.moved()
    cells[: contexts.CONTEXT_COUNT] = starts
    cells[bin_contexts.LPS_AT : bin_contexts.LIKELIER_AT] = np.ravel(contexts.LPS_SIZES)
    cells[bin_contexts.LIKELIER_AT : bin_contexts.OTHER_AT] = likelier
    cells[bin_contexts.OTHER_AT : bin_contexts.LOGS_AT] = other
    cells[bin_contexts.LOGS_AT :] = contexts.logarithms()
    return _COST(cells, bins.copy()) / contexts.BIT


def _compared(subjects: list[Coded], rows: Models) -> dict[str, Any]:
    """Percent of the residuals' bits that each model adds or saves."""
    total = sum(each.bits for each in subjects)
    today = sum(each.bin_bits for each in subjects)

    def percent(bits: Callable[[Bins], float]) -> float:
        return round(100 * (sum(bits(each.bins) for each in subjects) - today) / total, 2)

    def learning(states: dict[int, State], count: int) -> Callable[[Bins], float]:
        return lambda bins: 8 * len(encode(states[count].copied(), bins))

    own = sum(cabac_bits(rows.hevc, each.bins) for each in subjects)
    signs = sum(int(((each.bins >> 1 & 127) // 3 == contexts.COEFF_SIGN // 3).sum()) for each in subjects)
    return {
        "bytes": total // 8,
        "bins_a_pixel": round(sum(each.bins.size for each in subjects) / sum(p.pixels for p in subjects), 3),
        "bins_percent": round(100 * today / total, 2),
        "signs_percent": round(100 * signs / total, 2),
        "hevc_bits_off": round(own - today, 3),
        "hevc_starts_learnt": percent(lambda bins: cabac_bits(rows.starts, bins)),
        "two_rates": percent(lambda bins: 8 * len(two_rates(rows.hevc, bins))),
        "two_rates_learnt": percent(lambda bins: 8 * len(two_rates(rows.starts, bins))),
        "models": {str(count): percent(learning(rows.empty, count)) for count in COUNTS},
        "models_learnt": {str(count): percent(learning(rows.learnt, count)) for count in COUNTS},
    }


def _speeds(subjects: list[Coded], rows: Models) -> dict[str, Any]:
    """Of the models' loop alone, on one thread: megapixels of processor time's seconds, the best of some
    rounds. ValueError if bins do not come back."""
    pixels = sum(each.pixels for each in subjects) / 1e6
    speeds = {}
    for count in COUNTS:
        spent: dict[str, list[float]] = {"encode": [], "decode": []}
        for _ in range(TIMED_ROUNDS):
            encoding = decoding = 0.0
            for each in subjects:
                states = [rows.learnt[count].copied() for _ in range(2)]
                begun = time.process_time()
                data = encode(states[0], each.bins)
                middle = time.process_time()
                back = decode(states[1], data, each.bins)
                encoding, decoding = encoding + middle - begun, decoding + time.process_time() - middle
                if not np.array_equal(back, each.bins):
                    raise ValueError(f"bins coded by {count} models do not come back as they were")
            spent["encode"].append(encoding)
            spent["decode"].append(decoding)
        speeds[str(count)] = {way: round(pixels / min(seconds), 2) for way, seconds in spent.items()}
    return speeds


def _weighed(state: State) -> dict[str, int]:
    """What a learnt state would take: slots that saw anything, and its bytes, deflated, probabilities in 16
    bits and counts in 8."""
    used = state.slots & 1023 > 0
    parts = ((state.slots >> 16).astype(np.uint16), (state.slots & 255).astype(np.uint8))
    weights = state.cells[bin_situations.KIND_WEIGHTS : bin_situations.RECIPROCALS].astype(np.int32)
    whole = b"".join(np.where(used, part, 0).tobytes() for part in parts) + weights.tobytes()
    return {"slots": int(used.sum()), "bytes": len(zlib.compress(whole, 9))}


def table(results: dict[str, Any]) -> list[str]:
    """What each model saves, by set and QP, as lines for people."""
    lines = []
    for name, by_qp in results["sizes"].items():
        speeds = results["megapixels_per_second"][name]
        rows = [
            (
                "HEVC's contexts, starts learnt",
                *(f"{each['hevc_starts_learnt']:+.2f}" for each in by_qp.values()),
            ),
            ("two rates", *(f"{each['two_rates']:+.2f}" for each in by_qp.values())),
            ("two rates, learnt", *(f"{each['two_rates_learnt']:+.2f}" for each in by_qp.values())),
        ]
        for key, said in (("models", "from nothing"), ("models_learnt", "learnt")):
            for count in map(str, COUNTS):
                row = (f"{each[key][count]:+.2f}" for each in by_qp.values())
                rows.append((f"models: {count}, {said}", *row))
        for count in map(str, COUNTS):
            row = (f"{each[count]['decode']:.2f}" for each in speeds.values())
            rows.append((f"Mpixel/s decoding: {count}", *row))
        lines += record.table((f"{name}, % of the residual", *(f"QP {qp}" for qp in by_qp)), rows)
    return lines
