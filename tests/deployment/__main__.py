"""The command line of the trial."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import tests.deployment
from tests.deployment import systemd, three
from tests.deployment.machines import network
from tests.deployment.trial import Trial, say

PARTS: dict[str, Callable[[Trial], None]] = {"systemd": systemd.tried, "three": three.tried}
PHOTOS_NEEDED = 27


def main() -> None:
    """Do a part of the page."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.deployment",
        description=tests.deployment.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--root", type=Path, metavar="DIR", action="append", required=True)
    parser.add_argument("--wheels", type=Path, metavar="DIR", required=True)
    parser.add_argument("--before", metavar="VERSION", required=True)
    parser.add_argument("--photos", type=Path, metavar="DIR", required=True)
    parser.add_argument("--work", type=Path, metavar="DIR", help="where the machines' disks go for a while")
    parser.add_argument(
        "--layer", type=Path, metavar="DIR", help="where what is installed is kept for the next trial"
    )
    given = parser.parse_args()
    found = sorted(given.photos.resolve().glob("*.jpg"))
    photos = list({path.read_bytes(): path for path in found}.values())  # none is a copy of another
    if len(photos) < PHOTOS_NEEDED:
        parser.error(f"{given.photos} has {len(photos)} different JPEG files; give at least {PHOTOS_NEEDED}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the machines end, too
    with tempfile.TemporaryDirectory(dir=given.work) as folder:
        roots = [each.resolve() for each in given.root]
        with network(roots, given.wheels.resolve(), Path(folder) / "disks") as net:
            layer = given.layer or Path(folder) / "installed"
            PARTS[given.part](Trial(net, photos, given.before, layer))
    say(f"{given.part}: all of it did as the page says")


if __name__ == "__main__":
    main()
