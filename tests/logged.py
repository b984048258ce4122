"""What is logged, for tests that ask: pytest's own plugin for it is off (pyproject.toml says why)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Keeping(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def logged(name: str | None = None, level: int | None = None) -> Iterator[list[logging.LogRecord]]:
    """What a logger, or any that tells the root, is given while in it, from that level on, if not its own."""
    logger, keeping = logging.getLogger(name), _Keeping()
    before = logger.level
    logger.addHandler(keeping)
    logger.setLevel(before if level is None else level)
    try:
        yield keeping.records
    finally:
        logger.setLevel(before)
        logger.removeHandler(keeping)
