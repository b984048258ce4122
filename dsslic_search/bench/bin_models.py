"""The bins of HEVC slices coded by mixed models, encoding and decoding alike: the loop that
`dsslic_search.bench.hevc_models` measures.

What a decoder knows before a bin is its situation: the syntax element, its context in the standard, which bin
of the element it is, how large coefficients are that lie near by, that came before, and that lie at the same
place of the components before (`bin_situations`). Each model looks up an adaptive probability by some of
that; their log odds are added, each times a weight that is learnt as well, by two mixers whose sums are
averaged: logistic mixing of the PAQ line, as in `dsslic_search.codec.layers.label_map.model`. Signs stay as
they are, half a chance each. All is in whole numbers, so that decoding is the same everywhere.

One source for machine code and plain Python. The functions work on flat arrays: ``data``, uint8, the bytes
written or read; ``cells``, int64: those of `label_map.machine`, whose range coder this is, then those of
`bin_situations`; ``slots``, uint32, TABLE of each model: a probability of 22 bits above a count of 10;
``events``, int64, the bins as `slice_syntax.events_of` notes them.
"""

from __future__ import annotations

from dsslic_search.bench.bin_contexts import ENDS, EVEN
from dsslic_search.bench.bin_situations import (
    AT,
    CIRCUMSTANCE,
    CIRCUMSTANCE_WEIGHTS,
    KIND_WEIGHTS,
    MODEL_COUNT,
    MODELS,
    OPINIONS,
    RECIPROCALS,
    follow,
    situate,
)
from dsslic_search.codec.bpg.cabac import TERMINATE
from dsslic_search.codec.bpg.contexts import COEFF_SIGN
from dsslic_search.codec.layers.label_map.machine import NEXT, SQUASH, STRETCH, Cells, code_bit

RATE = 30  # / 2²⁰, at which weights learn
QUICK, COUNTED = 12, 255  # after so many bins the first model, and others, go on learning at the same rate


def code_bins(data: Cells, cells: Cells, slots: Cells, events: Cells) -> int:
    """All bins; bit 0 of each event becomes what was coded or, where ``cells[DECODING]``, decoded. Returns
    how many bytes that took, but for what is still in the coder's bounds."""
    for number in range(len(events)):
        event = int(events[number])
        bit, element, context, hint = event & 1, event >> 1 & 127, event >> 8 & 255, event >> 16
        if element - element % 3 == COEFF_SIGN:
            bit = code_bit(data, cells, bit, EVEN)
        elif context == TERMINATE:
            bit = code_bit(data, cells, bit, ENDS)
        else:
            bit = code_mixed(data, cells, slots, bit, situate(cells, element, context, hint))
        follow(cells, element, context, bit)
        events[number] = event & -2 | bit
    return int(cells[NEXT])


def code_mixed(data: Cells, cells: Cells, slots: Cells, bit: int, kind: int) -> int:
    """A bin of a ``kind`` by the models, whose slots are at AT."""
    count = cells[MODEL_COUNT]
    weights_a, weights_b = KIND_WEIGHTS + kind * MODELS, CIRCUMSTANCE_WEIGHTS + cells[CIRCUMSTANCE] * MODELS
    sum_a = sum_b = 1 << 15
    for model in range(count):
        opinion = cells[STRETCH + (int(slots[cells[AT + model]]) >> 20)]
        cells[OPINIONS + model] = opinion
        sum_a += cells[weights_a + model] * opinion
        sum_b += cells[weights_b + model] * opinion
    sum_a = min(max(sum_a >> 16, -2047), 2047)
    sum_b = min(max(sum_b >> 16, -2047), 2047)
    bit = code_bit(data, cells, bit, int(cells[SQUASH + 2048 + (sum_a + sum_b + 1 >> 1)]))
    error_a = ((bit << 16) - cells[SQUASH + 2048 + sum_a]) * RATE
    error_b = ((bit << 16) - cells[SQUASH + 2048 + sum_b]) * RATE
    for model in range(count):
        opinion = cells[OPINIONS + model]
        cells[weights_a + model] += opinion * error_a + (1 << 19) >> 20
        cells[weights_b + model] += opinion * error_b + (1 << 19) >> 20
        learn(cells, slots, cells[AT + model], bit, COUNTED if model else QUICK)
    return bit


def learn(cells: Cells, slots: Cells, at: int, bit: int, most: int) -> None:
    """A slot moves towards a bin, the less the more it has seen, up to ``most``."""
    slot = int(slots[at])
    one, seen = slot >> 10, slot & 1023
    one += (((1 << 22) - 1 if bit else 0) - one) * cells[RECIPROCALS + seen] >> 16
    slots[at] = one << 10 | min(seen + 1, most)
