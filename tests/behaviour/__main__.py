"""The command line of the recorder."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import tests.behaviour
from tests.behaviour import environment
from tests.behaviour.comparison import SECTIONS, compared
from tests.behaviour.grouping import grouped

PHOTOS_NEEDED = 9  # whatever is asked of the ninth photo


def arguments() -> argparse.ArgumentParser:
    """What may be asked of the recorder."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.behaviour",
        description=tests.behaviour.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doing = parser.add_subparsers(dest="doing", required=True)
    recording = doing.add_parser("record", help="write what the program does")
    recording.add_argument("out", type=Path, metavar="OUT.json")
    recording.add_argument(
        "--photos", type=Path, metavar="DIR", required=True, help="photos, as samples/collect.py gathers them"
    )
    recording.add_argument(
        "--source",
        type=Path,
        metavar="DIR",
        default=environment.TREE,
        help="the tree whose build is recorded",
    )
    recording.add_argument("--archive", type=Path, metavar="DIR", help="archives kept earlier, asked too")
    recording.add_argument("--keep-archive", type=Path, metavar="DIR", help="keep the archives made here")
    recording.add_argument(
        "--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="these sections alone"
    )
    comparing = doing.add_parser("compare", help="print the differences of two records")
    comparing.add_argument("before", type=Path, metavar="BEFORE.json")
    comparing.add_argument("after", type=Path, metavar="AFTER.json")
    comparing.add_argument("--grouped", action="store_true", help="differences that are alike together")
    return parser


def record(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Write a record, in the environment that every record is made in."""
    photos, source = given.photos.resolve(), given.source.resolve()
    kept, keep = (path and path.resolve() for path in (given.archive, given.keep_archive))
    found = [path for path in photos.glob("*") if path.suffix in (".jpg", ".png")]
    if len(found) < PHOTOS_NEEDED:
        parser.error(f"{photos} has {len(found)} photos (.jpg, .png); give at least {PHOTOS_NEEDED}")
    if not (source / "dsslic_search").is_dir():
        parser.error(f"{source} has no dsslic_search; name the tree of a build")
    if keep is not None and keep.exists():
        parser.error(f"{keep} is there already; name a folder to make")
    if keep is not None and "archives" not in given.only:
        parser.error("--keep-archive keeps what the section archives fills; add it to --only")
    environment.settle()
    environment.choose(source)
    from tests.behaviour import recording  # imports the build that is recorded, which is chosen only now

    made = recording.record(photos, kept, keep, given.only)
    given.out.write_text(json.dumps(made, indent=1))


def compare(given: argparse.Namespace) -> int:
    """Print the differences in the sections that both records have; 1 if there are any."""
    before, after = (json.loads(path.read_text()) for path in (given.before, given.after))
    comparison = compared(before, after)
    told = [str(each) for each in (grouped(comparison) if given.grouped else comparison.differences)]
    if not comparison.same_versions:
        told.append('not made with the same versions, see "made with" in both')
    if comparison.left_out:
        told.append(f"not compared, since only one of them has it: {', '.join(comparison.left_out)}")
    for text in (*told, comparison.counts):
        sys.stdout.write(text.encode(errors="backslashreplace").decode() + "\n")
    return 1 if comparison.differences else 0


def main() -> None:
    """Record or compare, as the arguments ask."""
    parser = arguments()
    given = parser.parse_args()
    if given.doing == "compare":
        sys.exit(compare(given))
    record(parser, given)


if __name__ == "__main__":
    main()
