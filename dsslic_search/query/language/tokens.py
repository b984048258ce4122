"""Query text to tokens: words looked up, numbers, signs, filters and operands cut out. What they mean
together is in phrases.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from dsslic_search.core.colour_terms import SPELLINGS, TERMS
from dsslic_search.core.errors import QueryError, Remedy
from dsslic_search.core.text import listed, normal, quoted
from dsslic_search.query.ast import Coloured, Near, Node, Period, Recurring, Sort, Thing
from dsslic_search.query.language import calendar, dates, fields, nouns, plain_facts
from dsslic_search.query.language.lexicon import KEYWORDS, Meaning, WordTable
from dsslic_search.query.language.written import MARK, QUOTES, Folded, complaint, value_at

MAX_CHARACTERS = 10_000
_SUGGESTED_WORDS = 4  # words, from an unknown one on, that are tried as a phrase for suggestions

_SYMBOLS = {
    ">=": ("COMPARE", ">="), "=>": ("COMPARE", ">="), "≥": ("COMPARE", ">="),
    "<=": ("COMPARE", "<="), "=<": ("COMPARE", "<="), "≤": ("COMPARE", "<="),
    "==": ("COMPARE", "="), ">": ("COMPARE", ">"), "<": ("COMPARE", "<"), "=": ("COMPARE", "="),
    "&&": ("AND", "and"), "&": ("AND", "and"), "||": ("OR", "or"), "|": ("OR", "or"),
    "(": ("LPAR", "("), ")": ("RPAR", ")"), ",": ("COMMA", ","), "%": ("PERCENT", "%"), "*": ("EVERYTHING",
    "everything"), "/": ("OR", "or"), "+": ("AND", "and"),
}  # fmt: skip
_LETTER = rf"(?:[^\W\d_]|{MARK})"
_WORD = re.compile(rf"{_LETTER}(?:[^\W_]|{MARK}|'(?={_LETTER}))*+")
_GAP = re.compile(r"\s+|[-_‐‑]+")  # between the words of a phrase
_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<either>and/or\b)|(?P<word>{_WORD.pattern})"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    rf"|(?P<plus>(?:(?<=[\s(,])|(?<!.))\+(?={_LETTER}|[(@]))"
    rf"|(?P<symbol>{'|'.join(re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True))})"
    rf"|(?P<minus>(?:(?<=[\s(,])|(?<!.))[-−!](?={_LETTER}|[(@]))"
    r"|(?P<quote>[\"“„«])"
    rf"|(?P<saved>@(?:[^\W_]|[_.-]|{MARK})+)"
    r"|(?P<end>[.!?][\s.!?]*\Z)",
    re.DOTALL,
)
_OR_MORE = re.compile(r"\s?\+(?=\s)")
_RANGE = re.compile(r"(?P<percent>\s*+(?:%|percent\b|per cent\b))?+\s*+(?:[-–]|to\b)\s*+(?=\.?[0-9])")
_PHOTO_BEFORE_ID = re.compile(r"\s+(?:photo|image|picture)\s+(?=#)")
_ID = re.compile(r"#[0-9]+")
_ANOTHER_ID = re.compile(
    r"\s*+(?:(?P<or>(?:,\s*+)?or\b|\|)|(?:,\s*+)?and\b|&|(?P<comma>,))"
    r"\s*+(?:(?:photo|image|picture)\s++)?(?=#[0-9])"
)
_MIRRORED = re.compile(r"\s++(?:or\s++)?mirrored\b")
_DATED = "{} needs a date after it, as in since 2019-05, from 2019 to 2021 or added today"
_UNSEEN = (
    "what is near and what is far cannot be told here: instead of {} name a part of the photo, as in car in "
    "the bottom half"
)


@dataclass(slots=True)
class Piece:
    """A token: its type, its value in normal form (a THING's is its meaning's name), and the text[start:end]
    it came from.

    ``meaning``: what a THING stands for; ``node``: the predicate of a FILTER; ``sort``: the order of a
    SORT; ``number``: that of a LIMIT; ``note``: what is to be told of how a word
    was read."""

    type: str
    value: str
    start: int
    end: int
    meaning: Meaning | None = None
    node: Node | None = None
    sort: Sort | None = None
    number: int | None = None
    note: str = ""


def tokens(
    text: str,
    table: WordTable,
    now: datetime,
    south: bool = False,
    said_as: Callable[[str], Node | None] = lambda query: None,
) -> list[Piece]:
    """The tokens of a query, fillers among them. ``south``: seasons are those of the southern hemisphere.
    ``said_as``: the tree of a query that a word of every day is asked as; None where the vocabulary cannot.
    Raises QueryError for what is not a word, number or sign of
    the language."""
    if len(text) > MAX_CHARACTERS:
        raise complaint(
            text,
            MAX_CHARACTERS,
            len(text),
            f"a query may have {MAX_CHARACTERS} characters, this one has {len(text)}; shorten it",
        )
    return list(_Scanner(text, table, now, south, said_as).pieces())


_PATTERN = re.compile(r"[\w.-]{1,80}(?:\*|\.[a-z0-9]{2,6}\b)")
_DAY_FIRST = re.compile(r"[0-9]{1,2}(?:st|nd|rd|th)?[\s-]+[a-z]{3}|(?:19|20)[0-9]{2}[-/][0-9]")
_MOST = re.compile(r"(?:the\s+)?(most|least|fewest|largest|biggest|smallest)\s+")
_COMPOUND_FIELD = re.compile(r"[a-z]+(?:[-_][a-z]+)+(?=:)")


_FIELD_TYPES = {"sort": "SORT", "limit": "LIMIT", "count": "TALLY"}
_BEFORE_AN_AMOUNT = {"COMPARE", "BETWEEN", "MID", "RELATION"}
"""After these a number is none that tells a time or a fact."""
_Teller = Callable[[str, int, datetime, bool], tuple[plain_facts.Told, int] | None]


def _time_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    found: tuple[Period | Recurring, int] | None = calendar.told(text, start, now, south)
    if found is None and _DAY_FIRST.match(text, start):
        found = dates.spoken(text, start, now)
    return None if found is None else (plain_facts.Told(found[0]), found[1])


def _fact_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    return plain_facts.told(text, start, now)


def _date_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    found = None if text[start].isdecimal() else dates.spoken(text, start, now)
    return None if found is None else (plain_facts.Told(found[0]), found[1])


_TELLERS: tuple[tuple[_Teller, frozenset[str]], ...] = (
    (_date_told, dates.OPENERS),
    (_fact_told, plain_facts.OPENERS),
    (_time_told, calendar.OPENERS),
)


class _Scanner:
    """One reading of a query from left to right. Places are those of the folded text."""

    def __init__(
        self,
        text: str,
        table: WordTable,
        now: datetime,
        south: bool,
        said_as: Callable[[str], Node | None],
    ) -> None:
        self.folded = Folded(text)
        self.table = table
        self.now = now
        self.south = south
        self.said_as = said_as
        self.last = ""  # the type of the piece before, but for fillers

    def pieces(self) -> Iterator[Piece]:
        for piece in self._cut():
            self.last = self.last if piece.type == "FILLER" else piece.type
            yield piece

    def _cut(self) -> Iterator[Piece]:
        text, index = self.folded.words, 0
        while index < len(text):
            found = _TOKEN.match(text, index)
            if found is None:
                raise self._stray(index)
            start, index = found.span()
            if (told := self._told(found.lastgroup, found.group(), start)) is not None:
                yield from told[0]
                index = told[1]
                continue
            match found.lastgroup:
                case "quote":
                    piece, index = self._quoted(start)
                    yield piece
                case "space" | "plus":
                    continue
                case "either":
                    yield self._piece("OR", "or", start, index)
                case "word":
                    made, index = self._word(start, index)
                    yield from made
                case "symbol":
                    yield self._piece(*_SYMBOLS[found.group()], start, index)
                case "number":
                    made, index = self._number(found.group(), start, index)
                    yield from made
                case "minus":
                    yield self._piece("NOT", "-", start, index)
                case "saved":
                    index = max(start + len(found.group().rstrip(".")), start + 2)
                    yield self._piece("SAVED", self.folded.text[start + 1 : index], start, index)

    def _piece(self, type_: str, value: str, start: int, end: int) -> Piece:
        return Piece(type_, value, *self.folded.span(start, end))

    def _told(self, kind: str | None, first: str, start: int) -> tuple[list[Piece], int] | None:
        """The tokens of a time or a fact in plain words that begins at ``start``, and where they end."""
        if kind == "word":
            tellers = [teller for teller, openers in _TELLERS if first in openers]
            if not tellers and _PATTERN.match(self.folded.text, start):
                tellers = [_fact_told]
        elif kind == "number" and self.last not in _BEFORE_AN_AMOUNT:
            tellers = [teller for teller, _ in _TELLERS]
        elif kind == "symbol" and first == "*":
            tellers = [_fact_told]
        else:
            return None
        for teller in tellers:
            try:
                found = teller(self.folded.text, start, self.now, self.south)
            except ValueError as error:
                raise complaint(
                    self.folded.original, *self.folded.span(start, start + len(first)), str(error)
                ) from None
            if found is not None:
                told, end = found
                return self._told_pieces(told, start, end), end
        return None

    def _told_pieces(self, told: plain_facts.Told, start: int, end: int) -> list[Piece]:
        span = self.folded.span(start, end)
        made = []
        if told.node is not None:
            made.append(Piece("FILTER", "", *span, node=told.node))
        if told.sort is not None:
            made.append(Piece("SORT", "", *span, sort=told.sort))
        if told.limit is not None:
            made.append(Piece("LIMIT", "", *span, number=told.limit))
        if told.tally is not None:
            made.append(Piece("TALLY", told.tally, *span))
        return made

    def _quoted(self, start: int) -> tuple[Piece, int]:
        """Words in quotation marks: a text of the photo."""
        value, first, last, index = value_at(self.folded, start)
        if not value.strip():
            raise complaint(
                self.folded.original,
                first,
                last,
                "nothing stands between the quotation marks: leave them out",
            )
        return Piece("FILTER", "text", first, last, node=fields.filter_of("text", value, self.now)), index

    def _number(self, number: str, start: int, end: int) -> tuple[list[Piece], int]:
        """A number, or two with a dash or "to" between them as "between … and …", up to the second."""
        made = [self._piece("NUMBER", number, start, end)]
        if plus := _OR_MORE.match(self.folded.words, end):
            return [self._piece("COMPARE", ">=", *plus.span()), *made], plus.end()
        ranged = _RANGE.match(self.folded.words, end)
        if ranged is None:
            return made, end
        made.insert(0, self._piece("BETWEEN", "between", start, end))
        if ranged["percent"]:
            made.append(self._piece("PERCENT", "%", *ranged.span("percent")))
        return [*made, self._piece("MID", "and", *ranged.span())], ranged.end()

    def _word(self, start: int, end: int) -> tuple[list[Piece], int]:
        """The tokens that begin with the word at ``start``, and where they end."""
        word = self.folded.text[start:end]
        if compound := _COMPOUND_FIELD.match(self.folded.text, start):
            name = compound.group().replace("-", "_")
            if fields.field_name(name):
                return self._field(name, start, compound.end())
        if self.folded.text[end : end + 1] == ":":
            return self._field(word, start, end)
        if word in dates.OPENERS or word in fields.NEAR_OPENERS:
            spoken = self._spoken(word, start, end)
            if spoken:
                return spoken
        if superlative := self._superlative(start):
            return superlative
        if everyday := self._everyday(start, end):
            return everyday
        phrase, end = self._known(start, end)
        span = self.folded.span(start, end)
        if phrase not in KEYWORDS:
            meaning = self.table.meanings[phrase]
            return [Piece("THING", meaning.name, *span, meaning)], end
        type_, value = KEYWORDS[phrase]
        piece = Piece(type_, value, *span, self.table.meanings.get(phrase))
        match type_:
            case "NOBODY":
                piece.meaning = self.table.meanings.get(("person",))
            case "LIKE":
                return self._compared(piece, end)
            case "SHAPE":
                piece.type, piece.node = "FILTER", fields.filter_of("orientation", value, self.now)
            case "LOOK":
                name, _, said = value.partition(":")
                piece.type, piece.node = "FILTER", fields.filter_of(name, said, self.now)
            case "SORT":
                piece.sort = fields.sort_of(value, lambda word: None)
            case "DATED" | "UNSEEN":
                sentence = _DATED if type_ == "DATED" else _UNSEEN
                raise complaint(self.folded.original, *span, sentence.format(quoted(word)))
        return [piece], end

    def _superlative(self, start: int) -> tuple[list[Piece], int] | None:
        """The order that "most sky" or "the largest dog" asks for, and the thing, which has to be there; of
        "least people" the order alone."""
        most = _MOST.match(self.folded.words, start)
        named = most and _WORD.match(self.folded.words, most.end())
        if most is None or named is None:
            return None
        phrase, end = self._known(*named.span())
        meaning = self.table.meanings.get(phrase)
        if meaning is None:
            return None
        shown = self.folded.span(*named.span())
        thing = Thing(self.folded.original[slice(*shown)], meaning.name, meaning.classes, shown[0])
        sort = Sort("thing", thing, most[1] not in {"least", "fewest", "smallest"})
        made = [Piece("SORT", "", *self.folded.span(start, end), sort=sort)]
        if most[1] not in {"least", "fewest"}:
            made.append(Piece("THING", meaning.name, *self.folded.span(named.start(), end), meaning))
        return made, end

    def _words(self, start: int, end: int) -> tuple[list[str], list[int]]:
        """The word at ``start`` and as many after it as could be a phrase with it, and where each ends."""
        text, shadow = self.folded.text, self.folded.words
        words, ends = [text[start:end]], [end]
        longest = self.table.longest.get(words[0], _SUGGESTED_WORDS)
        while len(words) < longest:
            gap = _GAP.match(shadow, ends[-1])
            following = _WORD.match(shadow, gap.end() if gap else ends[-1])
            if following is None:
                break
            words.append(text[following.start() : following.end()])
            ends.append(following.end())
        return words, ends

    def _everyday(self, start: int, end: int) -> tuple[list[Piece], int] | None:
        """What a word of every day, or one of another language, is asked as."""
        words, ends = self._words(start, end)
        english = nouns.english_of(words, self.table.meanings, KEYWORDS)
        if english is not None:
            words, ends = [english], ends[:1]
        elif words[0] not in nouns.first_words():
            return None
        for count in range(len(words), 0, -1):
            phrase = tuple(words[:count])
            if phrase in KEYWORDS:  # "a couple of dogs"
                return None
            meaning = self.table.meanings.get(phrase)
            if phrase not in nouns.everyday() or (meaning and meaning.name == " ".join(phrase)):
                continue
            query, span = nouns.everyday()[phrase], self.folded.span(start, ends[count - 1])
            if query.startswith("!"):
                raise complaint(self.folded.original, *span, query[1:].strip())
            node = self.said_as(query)
            if node is not None:
                note = f"{' '.join(phrase)}: asked as {query}"
                return [Piece("FILTER", "scene", *span, node=node, note=note)], ends[count - 1]
        return None

    def _known(self, start: int, end: int) -> tuple[tuple[str, ...], int]:
        """The longest phrase of the language or the vocabulary that begins with a word, and where it ends."""
        words, ends = self._words(start, end)
        for count in range(len(words), 0, -1):
            phrase = tuple(words[:count])
            if phrase in KEYWORDS or phrase in self.table.meanings:
                return phrase, ends[count - 1]
        english = nouns.english_of(words, self.table.meanings, KEYWORDS)
        if english is not None and ((english,) in KEYWORDS or (english,) in self.table.meanings):
            return (english,), end
        suggestions = self.table.closest(words)
        span = self.folded.span(start, end)
        hint = f"see `{Remedy.CLASSES}` for the words there are"
        if suggestions:
            hint = f"did you mean {listed([quoted(known) for known in suggestions])}?"
        shown = quoted(self.folded.original[slice(*span)])
        raise complaint(self.folded.original, *span, f"unknown word {shown}: {hint}", suggestions)

    def _spoken(self, word: str, start: int, end: int) -> tuple[list[Piece], int] | None:
        """The filter that running text such as "before 2020" or "near 48.85,2.35" is, if it is one."""
        try:
            found: tuple[Period | Near, int] | None
            if word in fields.NEAR_OPENERS:
                found = fields.near(self.folded.text, start)
            else:
                found = dates.spoken(self.folded.text, start, self.now)
        except ValueError as error:
            raise complaint(self.folded.original, *self.folded.span(start, end), str(error)) from None
        if found is None:
            return None
        node, end = found
        return [Piece("FILTER", "", *self.folded.span(start, end), node=node)], end

    def _field(self, word: str, start: int, end: int) -> tuple[list[Piece], int]:
        """A field, its colon at ``end``, and the value after it."""
        original = self.folded.original
        named = self.folded.span(start, end + 1)
        shown = quoted(original[slice(*named)])
        name = fields.field_name(word)
        if name is None:
            coloured = self._coloured(word, named[0], end + 1)
            if coloured is not None:
                return coloured
            hint, close = fields.no_such_field(word)
            raise complaint(original, *named, f"there is no field {shown}: {hint}", close)
        value, first, last, index = value_at(self.folded, end + 1)
        if not value.strip():
            raise complaint(
                original, *named, f"{shown} needs a value after it, as in {fields.EXAMPLES[name]}"
            )
        made = Piece(_FIELD_TYPES.get(name, "FILTER"), name, named[0], last)
        try:
            if name == "limit":
                made.number = fields.limit_of(value)
            elif name == "count":
                made.value = fields.tally_of(value)
            elif name == "sort":
                made.sort = fields.sort_of(value, lambda word: self._thing_named(word, first))
            else:
                made.node = fields.filter_of(name, value, self.now)
        except ValueError as error:
            raise complaint(
                original, first, last, f"{quoted(original[first:last])} does not fit {name}: {error}"
            ) from None
        return [made], index

    def _coloured(self, word: str, start: int, index: int) -> tuple[list[Piece], int] | None:
        """A thing and its colour, as car:red, if it is one."""
        value, _, last, index = value_at(self.folded, index)
        colour = SPELLINGS.get(normal(value), normal(value))
        thing = self._thing_named(word, start)
        if thing is None or colour not in TERMS:
            return None
        return [Piece("FILTER", "colour", start, last, node=Coloured(thing, colour))], index

    def _thing_named(self, word: str, position: int) -> Thing | None:
        meaning = self.table.meanings.get(tuple(normal(word).split()))
        return None if meaning is None else Thing(word, meaning.name, meaning.classes, position)

    def _compared(self, like: Piece, index: int) -> tuple[list[Piece], int]:
        """What photos are compared with, after "like": one, or several by their ids. Of "like #3, #8 or #9"
        any counts, and of "not like #3 or #8" none; what is written behind them is about all of them."""
        unlike = [replace(like, type="NOT", value="not")] if like.value == "unlike" else []
        negated = bool(unlike) != (self.last == "NOT")
        operand, index = self._operand(like, index)
        compared, joints = [[like, operand]], []
        while operand.value[:1] == "#" and (joint := _ANOTHER_ID.match(self.folded.text, index)):
            joints.append(joint)
            operand, index = self._operand(like, joint.end())
            compared.append([replace(like, start=operand.start, end=operand.start), operand])
        if mirrored := _MIRRORED.match(self.folded.text, index):
            index = mirrored.end()
            for pieces in compared:
                pieces.append(self._piece("MIRRORED", "mirrored", *mirrored.span()))
        any_of_them = not negated and bool(joints) and joints[-1]["or"] is not None
        made = compared[0]
        for joint, pieces in zip(joints, compared[1:], strict=True):
            of_any = any_of_them and (joint["or"] is not None or joint["comma"] is not None)
            made.append(self._piece("OR" if of_any else "AND", "or" if of_any else "and", *joint.span()))
            made += [replace(pieces[0], type="NOT", value="not")] if negated else []
            made += pieces
        if any_of_them or (joints and unlike and not negated):
            start, end = made[0].start, made[-1].end
            made = [Piece("LPAR", "(", start, start), *made, Piece("RPAR", ")", end, end)]
        return [*unlike, *made], index

    def _operand(self, like: Piece, index: int) -> tuple[Piece, int]:
        """What follows "like": a path, or an id."""
        original = self.folded.original
        if photo := _PHOTO_BEFORE_ID.match(self.folded.text, index):
            index = photo.end()
        inner, start, end, index = value_at(self.folded, index)
        unquoted = end - start == len(inner)
        if unquoted and inner[:1] == "#" and not _ID.fullmatch(inner):
            raise complaint(
                original, start, end, f"{quoted(inner)} is not an id: write # and digits, as in like #12"
            )
        connective = unquoted and KEYWORDS.get((inner.casefold(),), ("", ""))[0] in {"AND", "OR", "NOT"}
        if connective or not inner.strip():
            raise complaint(
                original,
                like.start,
                like.end,
                '"like" needs a photo after it: a path, or # and an id, as in like #12',
            )
        return Piece("OPERAND", inner, start, end), index

    def _stray(self, index: int) -> QueryError:
        start, end = self.folded.span(index, index + 1)
        sign = self.folded.original[start:end]
        bare = sign[0]  # without its accents
        if bare in QUOTES or bare == "#":
            hint = (
                'only a photo after "like" and a value after a field are written so; leave it out or write '
                "like before it"
            )
        elif bare == "@":
            hint = "a saved query is written @ and its name, letters, digits, - and _"
        else:
            hint = "leave it out; words, percentages, comparisons, commas and parentheses are understood"
        return complaint(
            self.folded.original, start, end, f"{quoted(sign)} is not part of the query language: {hint}"
        )
