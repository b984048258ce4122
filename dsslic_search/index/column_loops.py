"""The loops of `index.columns` and `index.column_rows`, in the part of Python that numba compiles: what is
kept of a group, from what is of its classes; full columns; which pair is of which row. They do what those
modules do with whole-array operations."""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = Any  # what is indexed: a numpy array


def gather(
    rows: Numbers, quanta: Numbers, certainties: Numbers, colours: Numbers, sums: Numbers, weighed: Numbers,
    classes: Numbers, masks: Numbers,
) -> None:  # fmt: skip
    """Adds what is kept of a class to what each row has of a group: the sum of the quanta, less 1 each, and
    that of certainties weighed by them, int32; how many classes; and the colours of all."""
    for i in range(rows.size):
        row, quantum = rows[i], max(np.int64(quanta[i]), np.int64(1))
        sums[row] += quantum - 1
        weighed[row] += (2 * quantum - 1) * np.int64(certainties[i])
        classes[row] += 1
        masks[row] |= colours[i]


def settle(
    sums: Numbers, weighed: Numbers, classes: Numbers, masks: Numbers, corrected: bool, more: Numbers,
    more_certainty: Numbers, rows: Numbers, quanta: Numbers, certainties: Numbers, colours: Numbers,
    several: Numbers,
) -> int:  # fmt: skip
    """The rows that have a class of the group, with quantum, certainty and colours, and whether they have
    several, one after another; how many there are. The first two of those that have several are put right by
    ``more`` and ``more_certainty``, if ``corrected``."""
    count = place = 0
    for row in range(sums.size):
        number = np.int64(classes[row])
        if number == 0:
            continue
        rounded = np.int64(sums[row])
        weights = 2 * rounded + number
        quantum, certainty = rounded + 1, (2 * np.int64(weighed[row]) + weights) // (2 * weights)
        if number > 1 and corrected:
            quantum += np.int64(more[place])
            certainty += np.int64(more_certainty[place])
            place += 1
        rows[count], quanta[count], certainties[count] = row, quantum, certainty
        colours[count], several[count] = masks[row], number > 1
        count += 1
    return count


def put(rows: Numbers, values: Numbers, column: Numbers) -> None:
    """Values at their rows."""
    for i in range(rows.size):
        column[rows[i]] = values[i]


def add(rows: Numbers, quanta: Numbers, sums: Numbers, classes: Numbers) -> None:
    """As :func:`gather`, of quanta alone."""
    for i in range(rows.size):
        row = rows[i]
        sums[row] += max(np.int64(quanta[i]), np.int64(1)) - 1
        classes[row] += 1


def sum_up(sums: Numbers, classes: Numbers, more: Numbers, column: Numbers) -> None:
    """The quantum of a group in each row, as :func:`settle` tells it, 0 where it is not; ``column`` has
    zeros."""
    place = 0
    for row in range(sums.size):
        number = np.int64(classes[row])
        if number > 0:
            quantum = np.int64(sums[row]) + 1
            if number > 1:
                quantum += np.int64(more[place])
                place += 1
            column[row] = quantum


def narrow(column: Numbers, first: Any, last: Any, held: Numbers) -> None:
    """``held`` of the rows alone whose number is from ``first`` to ``last``, of the column's type."""
    for row in range(column.size):
        held[row] = held[row] & (column[row] >= first) & (column[row] <= last)


def mark(rows: Numbers, values: Numbers, first: Any, last: Any, among: Numbers, held: Numbers) -> None:
    """Which rows of ``among`` have a value from ``first`` to ``last``, of the values' type, into ``held``."""
    for i in range(rows.size):
        row = rows[i]
        held[row] = among[row] & (values[i] >= first) & (values[i] <= last)


def find(rows: Numbers, wanted: Numbers, places: Numbers, there: Numbers) -> None:
    """Where each row that is wanted, ascending, is among ``rows``, and whether it is; else any place. Each
    is looked for from the one before on, in steps that double."""
    low = np.int64(0)
    for i in range(wanted.size):
        row = np.int64(wanted[i])
        high, step = low, np.int64(1)
        while high < rows.size and np.int64(rows[high]) < row:
            low = high + 1
            high += step
            step *= 2
        high = min(high, np.int64(rows.size))
        while low < high:
            middle = (low + high) >> 1
            if np.int64(rows[middle]) < row:
                low = middle + 1
            else:
                high = middle
        found = low < rows.size and np.int64(rows[low]) == row
        there[i] = found
        places[i] = low if found else 0


def tally(column: Numbers, block: int, before: Numbers) -> None:
    """How many numbers before each ``block`` of them are not 0."""
    total = 0
    for number in range(before.size):
        before[number] = total
        for i in range(number * block, min((number + 1) * block, column.size)):
            total += int(column[i] != 0)


def look_up(
    column: Numbers, block: int, before: Numbers, values: Numbers, rows: Numbers, found: Numbers
) -> None:
    """What rows have of ``values``, of which there is one for each row where ``column`` is not 0; 0 for the
    others. ``before``: as :func:`tally` gives it."""
    for i in range(rows.size):
        row = rows[i]
        if column[row] != 0:
            start = row // block * block
            place = before[row // block]
            for other in column[start:row]:
                place += np.int64(other != 0)
            found[i] = values[place]
