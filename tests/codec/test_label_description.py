"""A second label-map decoder, slow and plain, written from docs/label-map.md alone: what the page says is
what the coder does."""

from __future__ import annotations

import pickle
from bisect import bisect_left, bisect_right
from collections import defaultdict
from operator import mul

import numpy as np
import pytest

from dsslic_search.codec.layers.label_map import coder, practice

MASK = (1 << 32) - 1
POINTS = [22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768]
POINTS += [65536 - p for p in POINTS[-2::-1]]
SQUASH = [
    min(max((POINTS[i >> 7] * (128 - (i & 127)) + POINTS[(i >> 7) + 1] * (i & 127) + 64) >> 7, 24), 65511)
    for i in range(4096)
]
STRETCH = [min(bisect_left(SQUASH, 16 * i + 8), 4095) - 2048 for i in range(4096)]
RATES = [655360 // (10 * min(n, 100) + 16) for n in range(256)]
SURER = [min(count + 1, 15) for count in range(16)]  # a count of answers after one more of its kind,
LESS_SURE = [(count + 2) >> 1 if count > 2 else count for count in range(16)]  # and after one of the other
PRACTICE = [[(64, 96, 6), (16, 16, 2)], [(32, 48, 6), (12, 12, 2)]] * 2 + [
    [(64, 96, 6), (24, 24, 2), (8, 8, 1)]
]
# N NW NE WW NN NNE NEE NNW NWW WWW NNN NNEE N+3E NNN+E NNN+W NNWW N+3W NN+3E N+4E NNNN W+3W as (up, right)
PATTERN = [(1, 0), (1, -1), (1, 1), (0, -2), (2, 0), (2, 1), (1, 2), (2, -1), (1, -2), (0, -3), (3, 0)]
PATTERN += [(2, 2), (1, 3), (3, 1), (3, -1), (2, -2), (1, -3), (2, 3), (1, 4), (4, 0), (0, -4)]


def bucket(d: int) -> int:
    return d if d < 5 else 5 + bisect_left((6, 8, 12, 16, 24, 40), d)


def shift_bucket(shift: int | None) -> int:
    return 31 if shift is None else 12 + (bucket(abs(shift)) if shift >= 0 else -bucket(abs(shift)))


def unused_slot() -> list[int]:
    return [32768, 0, 0, 0]


class Model:
    """What is learnt, and the bits: from ``payload``, or, while practising, those asked for."""

    def __init__(self) -> None:
        self.slots = [defaultdict(unused_slot) for _ in range(12)]
        self.histories = [
            [65536 * (5 * o + 2) // (5 * z + 5 * o + 4) for z in range(16) for o in range(16)]
            for _ in range(12)
        ]
        self.mixers = [[[5000] * 25 for _ in range(64)] for _ in range(2)]
        self.flags = (
            {("quiet", i): [2000, 2] for i in range(64)}
            | {("far", i): [32768, 0] for i in range(64)}
            | {"partner": [32768, 0]}
        )
        self.payload: bytes | None = None
        self.fresh_names()

    def fresh_names(self) -> None:
        self.weights = [
            3840 // (label + 16) + 4 if label < 64 else 16 if label == 255 else 1 for label in range(256)
        ]
        self.partners: dict[int, int] = {}

    def open(self, payload: bytes) -> None:
        self.payload, self.low, self.high, self.taken = payload, 0, MASK, 4
        self.value = int.from_bytes((payload + bytes(4))[:4], "big")

    def bit(self, p: int, wanted: int) -> int:
        if self.payload is None:
            return wanted
        middle = self.low + ((self.high - self.low) * p >> 16)
        bit = int(self.value <= middle)
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            byte = self.payload[self.taken] if self.taken < len(self.payload) else 0
            self.taken += 1
            self.low, self.high, self.value = (
                self.low << 8 & MASK,
                self.high << 8 & MASK | 255,
                self.value << 8 & MASK | byte,
            )
        return bit

    def flag(self, name: object, wanted: int) -> int:
        p, n = self.flags[name]
        bit = self.bit(min(max(p, 40), 65496), wanted)
        self.flags[name] = [p + ((bit * 65535 - p) * (65536 // (n + 2)) >> 16), min(n + 1, 60)]
        return bit

    def name(self, wanted: int) -> int:
        low, high = 0, 256
        while high - low > 1:
            half = (low + high) // 2
            left, right = sum(self.weights[low:half]), sum(self.weights[half:high])
            bit = int(wanted >= half)
            if left == 0 or right == 0:
                bit = int(left == 0)
            else:
                bit = self.bit(min(max(right * 65536 // (left + right), 1), 65535), bit)
            low, high = (half, high) if bit else (low, half)
        return low

    def by_name(self, excluded: list[int], wanted: int) -> int:
        weights = self.weights
        self.weights = [0 if label in excluded else w for label, w in enumerate(weights)]
        partner = self.partners.get(excluded[0])
        label = None
        if partner is not None and 0 < self.weights[partner] < sum(self.weights):
            if self.flag("partner", int(wanted == partner)):
                label = partner
            else:
                self.weights[partner] = 0
        label = self.name(wanted) if label is None else label
        self.weights = weights
        weights[label] += 4000 if weights[label] >= 12000 else 12000
        self.partners[excluded[0]] = label
        return label

    def choice(self, hashes: list[int], k: int, sets: tuple[int, int], wanted: int) -> int:
        used, inputs = [], []
        for slots, histories, h in zip(self.slots, self.histories, hashes, strict=True):
            h = h + k * 0x3C6EF372 & 0x7FFFFFFF
            slot = slots[(h ^ h >> 15) * 0x2C1B3C6D >> 12 & 32767]
            p, n, zeros, ones = slot
            history = zeros << 4 | ones
            expected = histories[history]
            used.append((slot, p, n, zeros, ones, histories, history, expected))
            inputs += STRETCH[p >> 4], STRETCH[expected >> 4]
        inputs.append(256)
        chosen = [mixer[min(k, 3) * 16 + s] for mixer, s in zip(self.mixers, sets, strict=True)]
        sums = [min(max(sum(map(mul, inputs, weights)) >> 16, -2047), 2047) for weights in chosen]
        bit = self.bit(SQUASH[(sum(sums) >> 1) + 2048], wanted)
        target = 65535 * bit
        for weights, total in zip(chosen, sums, strict=True):
            error = (target - SQUASH[total + 2048]) * 10 >> 10
            if error:  # else no weight changes
                weights[:] = [w + (x * error + 512 >> 10) for w, x in zip(weights, inputs, strict=True)]
        for slot, p, n, zeros, ones, histories, history, expected in used:
            histories[history] = expected + ((target - expected) * 700 >> 16)
            slot[:] = (
                p + ((target - p) * RATES[n] >> 16),
                n + 1 if n < 255 else 255,
                LESS_SURE[zeros] if bit else SURER[zeros],
                SURER[ones] if bit else LESS_SURE[ones],
            )
        return bit


class Walk:
    """One map; ``known`` counts only while practising."""

    def __init__(self, model: Model, known: list[list[int]], practising: bool) -> None:
        self.model, self.known, self.practising = model, known, practising
        self.height, self.width = len(known), len(known[0])
        first = model.name(known[0][0])
        model.weights[first] += 12000
        self.rows = {y: defaultdict(lambda first=first: first) for y in range(-4, 0)}
        for y in range(self.height):
            self.row(y)
        self.labels = [[self.rows[y][x] for x in range(self.width)] for y in range(self.height)]

    def changes(self, y: int) -> list[int]:
        return [x for x in range(1, self.width) if self.rows[y][x] != self.rows[y][x - 1]]

    def find(self, y: int, near: int, pair: tuple[int, int], reach: int) -> int | None:
        for d in range(reach):
            for at in (near - d, near + d):
                if 1 <= at < self.width and (self.rows[y][at - 1], self.rows[y][at]) == pair:
                    return at
        return None

    def row(self, y: int) -> None:
        self.traced: dict[int, tuple[list[int | None], list[int], int]] = {}  # by column of the row above
        row = self.rows[y] = dict.fromkeys(range(-4, 0), self.rows[y - 1][0])
        one, two = self.changes(y - 1), self.changes(y - 2)
        x, last = 0, -8
        while x < self.width:
            n1, n2 = (
                changes[i] if (i := bisect_right(changes, x)) < len(changes) else self.width + 64
                for changes in (one, two)
            )
            l1, l2 = (changes[i - 1] if (i := bisect_right(changes, x)) else -8 for changes in (one, two))
            west, north = row[x - 1], self.rows[y - 1][x]
            quiet = x - last >= 2 and l1 <= x - 2 and l2 <= x - 1 and n1 > x + 10 and n2 > x + 4
            if quiet and west == north == self.rows[y - 2][x]:
                end = min(n1 - 10, n2 - 4, self.width)
                start, x = x, self.quiet(y, x, end, west)
                for i in range(start, x):
                    row[i] = west
                if x == end:
                    continue
                row[x] = self.model.by_name([west], self.known[y][x])
            else:
                row[x] = self.pixel(y, x, (last, n1, l1, n2))
            last = x if row[x] != west else last
            x += 1
        for i in range(1, 5):
            row[-i], row[self.width - 1 + i] = row[0], row[self.width - 1]

    def quiet(self, y: int, x: int, end: int, west: int) -> int:
        new = next((i for i in range(x, end) if self.known[y][i] != west), end) if self.practising else end
        edge, distance, k = int(end == self.width), end - new, 0
        if not self.model.flag(("quiet", 2 * ((end - x).bit_length() - 1) + edge), int(new < end)):
            return end
        while 2 ** (k + 1) <= end - x and self.model.flag(("far", 32 * edge + k), int(distance >> k > 1)):
            k += 1
        found = 1
        for i in reversed(range(k)):
            found = 2 * found + self.model.bit(32768, distance >> i & 1)
        return end - min(found, end - x)

    def pixel(self, y: int, x: int, around: tuple[int, int, int, int]) -> int:
        rows, (last, n1, l1, n2) = self.rows, around
        north, west = rows[y - 1][x], rows[y][x - 1]
        beyond = rows[y - 1][n1] if n1 < self.width else rows[y - 1][x + 1]
        near = (west, north, rows[y - 1][x + 1], rows[y - 1][x - 1], rows[y - 2][x], beyond, rows[y][x - 2])
        candidates = list(dict.fromkeys(near))[:5]
        b = l1 if west != north else n1
        shifts, runs, step = [None] * 3, [0, 0], 0
        passed = 20
        if 1 <= b < self.width:
            passed = x - b
            if b not in self.traced:
                self.traced[b] = self.trace(y, b)
            shifts, runs, step = self.traced[b]
        where = (0 if passed < -8 else passed + 8) if passed <= 12 else 20 + min(bucket(passed) - 7, 5)
        pattern = 0
        for i, (up, right) in enumerate(PATTERN):
            label = rows[y - up][x + right]
            pattern |= (candidates.index(label) if label in candidates[:3] else 3) << 2 * i
        second = candidates[1] + 1 if len(candidates) > 1 else 0
        v, u = runs
        t = [shift_bucket(shift) for shift in shifts]
        since, ahead = bucket(x - last), bucket(n1 - x)
        contexts = [
            pattern & 0xFFF,
            pattern & 0xFFFFFFF,
            pattern,
            pattern >> 2 & 0x3FFFFF3,
            pattern & 63 | second << 7 | west << 16,
            where | t[0] << 6 | t[1] << 11 | t[2] << 16 | min(ahead, 3) << 22,
            where | min(v, 20) << 6 | min(u, 20) << 12 | step << 18,
            since | ahead << 5 | bucket(x - l1) << 10 | bucket(n2 - x) << 15 | (west != north) << 20,
            where | t[0] << 6 | west << 12 | second << 20,
            where | v << 6 | step << 12 | (pattern & 255) << 14,
            since | where << 5 | t[0] << 11 | (pattern & 1023) << 16,
            west | beyond << 8 | where << 16,
        ]
        set_a = sum(
            (rows[y - up][x + right] != north) << i
            for i, (up, right) in enumerate([(0, -1), (1, -1), (1, 1), (2, 0)])
        )
        set_b = min(v, 3) + 4 * min(max(passed + 2, 0), 3)
        hashes = [(h & 0x7FFFFFFF) * 0x2F0B4C47 + (h >> 31) * 0x1B873593 for h in contexts]
        for k, candidate in enumerate(candidates):
            if self.model.choice(hashes, k, (set_a, set_b), int(self.known[y][x] == candidate)):
                return candidate
        return self.model.by_name(candidates, self.known[y][x])

    def trace(self, y: int, b: int) -> tuple[list[int | None], list[int], int]:
        pair = self.rows[y - 1][b - 1], self.rows[y - 1][b]
        shifts: list[int | None] = [None] * 3
        here: int | None = b
        for i in range(3):
            there = self.find(y - 2 - i, here, pair, 40)
            if there is None:
                break
            shifts[i], here = here - there, there
        row, runs = y - 2, [0, 0]
        while row >= 0 and runs[0] < 40 and (self.rows[row][b - 1], self.rows[row][b]) == pair:
            runs[0], row = runs[0] + 1, row - 1
        if row < 0:
            return shifts, runs, 0
        there = self.find(row, b, pair, 3)
        if there is None:
            return shifts, runs, 3
        while row >= 0 and runs[1] < 40 and (self.rows[row][there - 1], self.rows[row][there]) == pair:
            runs[1], row = runs[1] + 1, row - 1
        return shifts, runs, 1 if there < b else 2


def grid_value(seed: int, j: int) -> int:
    r = (65536 * seed + j) % 2**32
    for multiplier, shift in ((0x9E3779B1, 15), (0x85EBCA6B, 13), (0xC2B2AE35, 16)):
        r = r * multiplier % 2**32
        r ^= r >> shift
    return r % 1024


def practice_label(m: int, row: int, column: int) -> int:
    noises = [0] * 8
    for label in range(8):
        for i, (h, w, s) in enumerate(PRACTICE[m]):
            (p, y), (q, x), across = divmod(row, h), divmod(column, w), 160 // w + 2
            g = [
                [grid_value(256 * m + 8 * label + i, (p + down) * across + q + right) for right in (0, 1)]
                for down in (0, 1)
            ]
            noises[label] += (
                ((g[0][0] * (h - y) + g[1][0] * y) * (w - x) + (g[0][1] * (h - y) + g[1][1] * y) * x)
                * 1024
                * s
                // (h * w)
            )
    return noises.index(max(noises))


@pytest.fixture(scope="module")
def prepared() -> bytes:
    """A model that has practised, pickled, which is quicker to copy."""
    model = Model()
    for m in range(len(PRACTICE)):
        model.fresh_names()
        Walk(model, practice.practice_map(m).tolist(), practising=True)
    for slot in (slot for table in model.slots for slot in table.values()):
        slot[1] = min(slot[1], 12)
    model.flags = {name: [p, min(n, 12)] for name, (p, n) in model.flags.items()}
    model.fresh_names()
    return pickle.dumps(model)


def decode(data: bytes, height: int, width: int, prepared: bytes) -> np.ndarray:
    """A map of sides below 129, coded by rows or columns."""
    assert data[0] in (16, 17)
    assert data[1:3] == bytes([height - 1, width - 1])
    if data[0] == 17:
        height, width = width, height
    model = pickle.loads(prepared)
    model.open(data[3:])
    labels = np.array(Walk(model, [[0] * width] * height, practising=False).labels)
    assert len(data) <= model.taken <= len(data) + 1
    return labels.T if data[0] == 17 else labels


def test_practice_maps_are_those_described():
    places = np.random.default_rng(0).integers(0, 160, (60, 2)).tolist()
    for m in range(5):
        labels = practice.practice_map(m)
        assert labels.shape == (160, 160)
        assert [int(labels[y, x]) for y, x in places] == [practice_label(m, y, x) for y, x in places]


def blobs(seed: int, height: int, width: int, classes: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    labels = np.full((height, width), 255, np.uint8)
    for _ in range(classes):
        centre_y, centre_x, tilt = random.integers(height), random.integers(width), random.integers(-2, 3)
        labels[
            (y - centre_y) ** 2 + (x - centre_x + tilt * (y - centre_y)) ** 2 < random.integers(1, 20) ** 2
        ] = random.integers(256)
    return labels


@pytest.mark.parametrize(
    "labels",
    [
        np.full((1, 9), 7, np.uint8),
        np.full((60, 70), 255, np.uint8),
        np.random.default_rng(0).integers(0, 2, (1, 90), np.uint8),
        np.random.default_rng(1).integers(0, 3, (25, 19), np.uint8),
        np.random.default_rng(2).integers(0, 60, (20, 20), np.uint8),
        (np.add.outer(np.arange(40), np.arange(50) // 3) % 11).astype(np.uint8),
        blobs(3, 80, 120, 12),
        blobs(4, 120, 60, 40),
        blobs(5, 128, 128, 20),
        blobs(6, 50, 128, 5),
    ],
    ids=["short", "empty", "line", "noise", "colours", "stripes", "wide", "tall", "square", "few"],
)
def test_the_description_decodes_what_the_coder_writes(labels: np.ndarray, prepared: bytes):
    assert np.array_equal(decode(coder.encode(labels), *labels.shape, prepared), labels)
