"""What can be typed into a shell besides queries."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dsslic_search.cli.archive import print_photo
from dsslic_search.cli.lines import hit_line
from dsslic_search.cli.preview import show_stage, write_original
from dsslic_search.cli.query import remark, tell_tally
from dsslic_search.cli.statistics import print_statistics
from dsslic_search.core.errors import UsageError
from dsslic_search.core.text import counted, printable

if TYPE_CHECKING:
    from dsslic_search.api.answers import QueryResult
    from dsslic_search.api.session import Session

NUMBERS_NAMED = 1_000  # photos at most in a range such as 1-20
_PHOTO = re.compile(r"#[0-9]{1,18}|[0-9]{1,9}(?:-[0-9]{1,9})?")
_ALL_PHOTOS = re.compile(rf"\s*(?:(?:{_PHOTO.pattern})\s*)*")


class Shell:
    """Lines carried out, one after the other. ``width``: characters of a line of the terminal, None where
    lines may be of any length."""

    def __init__(self, session: Session, width: Callable[[], int | None]) -> None:
        self.session = session
        self.width = width

    def take(self, line: str) -> bool:
        """Do what a line says, and tell whether more may follow. Raises DSSError, and then nothing was
        changed."""
        name, _, rest = line.strip().partition(" ")
        command = COMMANDS.get(name.casefold())
        if command is not None and command.meant(rest):
            return command.run(self, rest.strip()) is not False
        if line.strip():
            self.print_answer(self.session.say(line))
        return True

    def print_answer(self, found: QueryResult) -> None:
        """A page of photos for people, and how many there are; only how many where that is asked."""
        if found.tally is not None:
            tell_tally(found, self.session.statistics, as_json=False)
            return
        for hit in found:
            typer.echo(hit_line(hit, self.width()))
        hits = found.hits
        said = counted(found.total, "photo")
        if hits and len(hits) < found.total:
            said += f", {hits[0].rank} to {hits[-1].rank} shown"
        typer.echo(said + ("; type more" if hits and found.cursor else ""), err=True)
        remark(found)

    def ids(self, words: list[str]) -> list[int]:
        """The ids of the photos that words name: numbers of results, ranges of them, # and an id."""
        found: list[int] = []
        for word in words:
            if _PHOTO.fullmatch(word) is None:
                raise UsageError(
                    f'"{printable(word)}" is no number of a result, as 3 or 2-5, and no id, as #12'
                )
            if word[0] == "#":
                found.append(int(word[1:]))
                continue
            first, _, last = word.partition("-")
            start, end = int(first), int(last or first)
            if end < start or end - start >= NUMBERS_NAMED:
                raise UsageError(
                    f"{word}: write the smaller number first, and at most {NUMBERS_NAMED} photos"
                )
            found += [self.session.id_of(number) for number in range(start, end + 1)]
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Command:
    """``run`` takes what stands after the name, and returns False to end the shell; ``takes``: what that is;
    ``fits``: how it looks, where the name may begin a query as well."""

    takes: str
    help: str
    run: Callable[[Shell, str], bool | None]
    fits: re.Pattern[str] | None = None

    def meant(self, rest: str) -> bool:
        """Whether a line with this after the name is the command, and no query."""
        return self.fits is None or self.fits.fullmatch(rest) is not None


def _words(rest: str) -> tuple[list[str], bool]:
    """Words, some in quotes perhaps, and whether --force is among them."""
    try:
        words = shlex.split(rest)
    except ValueError:
        raise UsageError("a quote is opened and never closed; close it, or leave it out") from None
    return [word for word in words if word != "--force"], "--force" in words


def _show(shell: Shell, rest: str) -> None:
    ids = shell.ids(_named(rest, "show N…, as in show 3"))
    for photo_id in ids:
        print_photo(shell.session.archive, photo_id)


def _preview(shell: Shell, rest: str) -> None:
    from dsslic_search.cli import terminal

    words, force = _words(rest)
    if not 1 <= len(words) <= 2:
        raise UsageError("say which photo, and where to write it: preview N, or preview N FILE.png")
    [photo_id] = _single(shell, words[0])
    out = Path(words[1]).expanduser() if len(words) > 1 else None
    if out is None and terminal.capability() is None:
        raise UsageError(f"this terminal cannot show pictures; write a file with preview {words[0]} FILE.png")
    show_stage(shell.session.archive, photo_id, None, out, force=force)


def _original(shell: Shell, rest: str) -> None:
    words, force = _words(rest)
    if len(words) != 2:
        raise UsageError("say which photo, and where to write it: original N FILE")
    [photo_id] = _single(shell, words[0])
    write_original(shell.session.archive, photo_id, Path(words[1]).expanduser(), force=force)


def _single(shell: Shell, word: str) -> list[int]:
    ids = shell.ids([word])
    if len(ids) != 1:
        raise UsageError(f"{word}: one photo at a time")
    return ids


def _named(rest: str, usage: str) -> list[str]:
    words = rest.split()
    if not words:
        raise UsageError(f"say which photos: {usage}")
    return words


def _tag(shell: Shell, rest: str) -> None:
    *photos, names = _named(rest, "tag N… NAME, as in tag 1 3-5 best")
    if not photos:
        raise UsageError("say which photos, and the name: tag N… NAME, as in tag 1 3-5 best")
    for name, new in shell.session.archive.tag(names.split(","), shell.ids(photos)).items():
        typer.echo(f"{printable(name)}: {counted(new, 'photo')} tagged", err=True)


def _untag(shell: Shell, rest: str) -> None:
    *photos, names = _named(rest, "untag N… NAME")
    if not photos:
        raise UsageError("say which photos, and the name: untag N… NAME, as in untag 3 best")
    for name, count in shell.session.archive.untag(names.split(","), shell.ids(photos)).items():
        typer.echo(f"{printable(name)}: taken from {counted(count, 'photo')}", err=True)


def _more(shell: Shell, rest: str) -> None:
    page = shell.session.more()
    if page is None:
        typer.echo("all that match were shown", err=True)
    else:
        shell.print_answer(page)


def _back(shell: Shell, rest: str) -> None:
    question = shell.session.back()
    typer.echo(printable(question.text), err=True)
    shell.print_answer(question.pages[-1])


def _stats(shell: Shell, rest: str) -> None:
    session = shell.session
    found = session.archive.statistics(session.in_ids(rest)) if rest else session.statistics()
    of = rest or (None if session.question is None else session.question.text)
    print_statistics(found, str(session.archive.folder.root), of)


def _explain(shell: Shell, rest: str) -> None:
    typer.echo(shell.session.explain())


def _help(shell: Shell, rest: str) -> None:
    columns = shell.width() or 80
    for sentence in _SENTENCES:
        typer.echo(textwrap.fill(sentence, columns))
    typer.echo()
    widest = max(len(f"{name} {command.takes}") for name, command in COMMANDS.items())
    for name, command in COMMANDS.items():
        usage = f"{name} {command.takes}".rstrip()
        line = f"{usage:{widest}}  {command.help}"
        if len(line) > columns:
            below = textwrap.fill(command.help, columns, initial_indent="    ", subsequent_indent="    ")
            line = f"{usage}\n{below}"
        typer.echo(line)


def _quit(shell: Shell, rest: str) -> bool:
    return False


_SENTENCES = (
    "A query finds photos: road and >30% sky",
    'A line that begins with "and", "but", "without", "+" or "-" refines the last answer.',
    "Photos are compared with results by their numbers: like 3 and 8, not like 5.",
    "N is the number of a result, 2-5 several, #12 a photo by its id.",
)
_ALONE = re.compile(r"\s*")

COMMANDS: Mapping[str, Command] = {
    "show": Command("N…", "What is known of a photo.", _show, _ALL_PHOTOS),
    "preview": Command("N [FILE]", "Show a photo here, or write a picture of it.", _preview),
    "original": Command("N FILE", "Write the original file.", _original),
    "tag": Command("N… NAME", "Give photos a tag.", _tag),
    "untag": Command("N… NAME", "Take a tag from photos.", _untag),
    "more": Command("", "The next page of the last answer.", _more, _ALONE),
    "back": Command("", "The question before, with its answer.", _back, _ALONE),
    "stats": Command("[QUERY]", "Counts of the last answer, or of a query's.", _stats),
    "explain": Command("", "How the last question was understood.", _explain, _ALONE),
    "help": Command("", "This list.", _help, _ALONE),
    "quit": Command("", "End; so does Ctrl-D.", _quit, _ALONE),
    "exit": Command("", "The same.", _quit, _ALONE),
}  # fmt: skip
"""By name. What does not look like a command's line is a query: "show me dogs", "more than 2 dogs"."""
