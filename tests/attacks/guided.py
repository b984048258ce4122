"""One target guided by coverage of this package's Python code: `python -m tests.attacks.run TARGET --guided`.

libFuzzer, which atheris (an extra of its own: `pip install atheris`) brings, keeps inputs that reach new code
and changes these. It stops at the first fault and leaves the input in the folder of faults.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from tests.attacks.mutate import LARGEST


def main(name: str, inputs: int, seed: int, folder: Path) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["dsslic_search"]):
        from tests.attacks.targets import by_name

        target = by_name()[name]
        attempt = target.opened()
        sound = target.seeds
    corpus = folder / f"{name}.corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(sound):
        (corpus / f"sound-{number}").write_bytes(data)

    def changed(data: bytes, most: int, drawn: int) -> bytes:
        """By libFuzzer, or as the target's inputs are made up, checksums and all."""
        if drawn % 2:
            return bytes(atheris.Mutate(data, most))
        target.seeds = (data, *sound)  # type: ignore[misc]  # a cached value
        try:
            return target.input(seed, random.Random(drawn).getrandbits(60))[:most]
        except Exception:  # what has no structure any more cannot be changed by it
            return bytes(atheris.Mutate(data, most))

    def attack(data: bytes) -> None:
        attempt(data)

    options = [f"-runs={inputs}", f"-seed={seed}", f"-max_len={LARGEST}", "-timeout=60", "-rss_limit_mb=4096"]
    atheris.Setup(
        [sys.argv[0], *options, f"-artifact_prefix={folder}/{name}.guided.", str(corpus)],
        attack,
        custom_mutator=changed,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
