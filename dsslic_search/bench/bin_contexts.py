"""The bins of HEVC slices by the standard's own contexts: what they cost as CABAC has it, and, coded, with
two rates a context as VVC has it (ITU-T H.266, clause 9.3.4.3.2).

One source for machine code and plain Python, as `dsslic_search.bench.bin_models`; ``events`` are the same.
"""

from __future__ import annotations

from dsslic_search.codec.bpg.cabac import BYPASS, TERMINATE
from dsslic_search.codec.bpg.contexts import BIT, CONTEXT_COUNT
from dsslic_search.codec.layers.label_map.machine import NEXT, Cells, code_bit

EVEN = 32768  # / 65536, the chance of either value
ENDS = 16  # the same of a bin that tells the end
FASTER, SLOWER = 4, 7  # a context's two probabilities move by 2⁻⁴ and 2⁻⁷ of what they are off
LEAST = 32  # / 65536, of either value

# What lies where in the cells of `cost_of`: contexts as `contexts.started` has them, then its tables.
LPS_AT = CONTEXT_COUNT
LIKELIER_AT = LPS_AT + 256
OTHER_AT = LIKELIER_AT + 128
LOGS_AT = OTHER_AT + 128
CONTEXT_CELLS = LOGS_AT + 512


def cost_of(cells: Cells, events: Cells) -> int:
    """What bins of one slice cost by CABAC, in 1/65536 bits: the logarithms of what each leaves of the range,
    from the first bin to the one that ends the slice."""
    size, cost = 510, 0
    for number in range(len(events)):
        event = int(events[number])
        bit, context = event & 1, event >> 8 & 255
        if context == BYPASS:
            cost += BIT
            continue
        if context == TERMINATE:
            rest = size - 2
            if bit:
                cost += cells[LOGS_AT + size] - BIT
                continue
        else:
            state = cells[context]
            less = cells[LPS_AT + (state >> 1) * 4 + (size >> 6 & 3)]
            likelier = bit == state & 1
            rest = size - less if likelier else less
            cells[context] = cells[(LIKELIER_AT if likelier else OTHER_AT) + state]
        while rest < 256:
            rest <<= 1
            cost += BIT
        cost += cells[LOGS_AT + size] - cells[LOGS_AT + rest]
        size = rest
    return int(cost)


def code_two_rates(data: Cells, cells: Cells, chances: Cells, events: Cells) -> int:
    """All bins; ``chances``, int64: two of each context, / 65536, of a 1. ``cells``: those of the range
    coder. Returns as `bin_models.code_bins` does."""
    for number in range(len(events)):
        event = int(events[number])
        bit, context = event & 1, event >> 8 & 255
        if context == BYPASS:
            bit = code_bit(data, cells, bit, EVEN)
        elif context == TERMINATE:
            bit = code_bit(data, cells, bit, ENDS)
        else:
            fast, slow = int(chances[2 * context]), int(chances[2 * context + 1])
            bit = code_bit(data, cells, bit, min(max(fast + slow >> 1, LEAST), 65536 - LEAST))
            wanted = 65535 if bit else 0
            chances[2 * context] = fast + (wanted - fast >> FASTER)
            chances[2 * context + 1] = slow + (wanted - slow >> SLOWER)
        events[number] = event & -2 | bit
    return int(cells[NEXT])
