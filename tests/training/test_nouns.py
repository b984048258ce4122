"""The table of nouns is made of WordNet's commonest meanings and of our own lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsslic_search.core.errors import UsageError
from dsslic_search.core.nouns import Noun, Nouns
from dsslic_search.core.wordnet import Synset, WordNet, image_words
from dsslic_search.training import nouns

DATA = """  1 A licence.
00000001 03 n 01 entity 0 000 | what there is
00000002 18 n 01 person 0 001 @ 00000001 n 0000 | somebody
00000003 18 n 01 smith 0 001 @ 00000002 n 0000 | who forges
00000004 05 n 01 animal 0 001 @ 00000001 n 0000 | it moves
00000005 05 n 02 mouser 0 hunter 0 001 @ 00000004 n 0000 | a leaf
00000006 18 n 01 mouser 0 001 @ 00000002 n 0000 | who hunts mice
00000007 13 n 01 bread 0 001 @ 00000001 n 0000 | a kind
00000008 13 n 01 rye_loaf 0 001 @ 00000007 n 0000 | a leaf
00000009 13 n 01 stick_loaf 0 001 @ 00000007 n 0000 | of bread
00000010 12 n 01 love 0 001 @ 00000001 n 0000 | felt
00000011 18 n 01 Ann 0 001 @i 00000002 n 0000 | one person
00000012 05 n 01 unicorn 0 001 @ 00000004 n 0000 | an animal
00000013 15 n 01 wide 0 001 @ 00000002 n 0000 | hardly ever a noun
00000014 06 n 01 gadget 0 001 @ 00000001 n 0000 | too wide
00000015 18 n 01 sky_pilot 0 001 @ 00000002 n 0000 | two known words
"""
INDEX = """  1 A licence.
animal n 1 0 1 0 00000004
ann n 1 0 1 0 00000011
bread n 1 0 1 0 00000007
gadget n 1 0 1 0 00000014
love n 1 0 1 0 00000010
mouser n 2 0 2 0 00000006 00000005
person n 1 0 1 0 00000002
sky_bread n 1 0 1 0 00000007
smith n 1 0 1 0 00000003
stick_loaf n 1 0 1 0 00000009
unicorn n 1 0 1 0 00000012
wide n 1 0 1 0 00000013
roll n 1 0 1 0 00000014
smith_roll n 1 0 1 0 00000010
smith_bread n 1 0 1 0 00000009
boat_car n 1 0 1 0 00000003
"""
COUNTS = "love%1:12:00:: 1 9\nwide%3:00:00:: 1 9\nwide%1:15:00:: 1 1\nmouser%1:18:00:: 1 2\n"
OTHERS = "quaint%3:00:00:: 1 4\nseek%2:38:00:: 1 7\nsmith%2:36:00:: 1 7\nrare%3:00:00:: 1 1\n"
LEAVES = (
    Synset("n00000005", ("mouser", "hunter"), ("n00000004",)),
    Synset("n00000008", ("rye loaf",), ("n00000007",)),
)
KINDS = (
    Synset("n00000004", ("animal",), ("n00000001",)),
    Synset("n00000007", ("bread",), ("n00000001",)),
    Synset("n00000001", ("entity",), ()),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("data.noun", DATA), ("index.noun", INDEX), ("cntlist.rev", COUNTS + OTHERS)):
        (tmp_path / name).write_text(text)
    (tmp_path / "noun.exc").write_text("smithies smith\nloaves love\n")
    (tmp_path / "verb.exc").write_text("sought seek\nwent go\n")
    own = tmp_path / "own.txt"
    own.write_text(
        "# ours\nbun, roll = word:bread\nbakery = word:bread; word:mouser\ngadget = -\nelk = ?animal\n"
    )
    monkeypatch.setattr(nouns, "OWN", own)
    monkeypatch.setattr(nouns, "CLASS_SENSES", {"person": "person.1"})
    monkeypatch.setattr(nouns, "HINTS", {"animal": "animal.1"})
    monkeypatch.setattr(nouns.wordnet, "image_words", lambda: WordNet((*LEAVES, *KINDS), 2))
    return tmp_path


def test_nouns_are_asked_as_the_nearest_that_is_known(folder: Path) -> None:
    count = nouns.make(folder, folder / "nouns.txt")
    written = (folder / "nouns.txt").read_bytes()
    assert written.startswith(b"# A licence.\n")
    table = Nouns(written)

    def found(*words: str) -> Noun | None:
        return table.first_of(words)

    assert found("smith") == Noun("smith", 1, kind="person")
    assert found("smithies") == Noun("smith", 1, kind="person")  # an irregular plural
    assert found("stick", "loaf") == Noun("stick loaf", 2, identities=("n00000007",))
    assert found("mouser") == Noun("mouser", 1, identities=("n00000005",))  # itself, not a kind of person
    assert found("unicorn") == Noun("unicorn", 1, hint="animal")
    assert found("love") == Noun("love", 1)  # nothing that is seen, but no mistake of another
    assert found("ann") is None  # one person
    assert found("wide") is None  # a quality
    assert found("boat", "car") is None  # two words that are known
    assert found("smith", "roll") == Noun("smith roll", 2)  # no kind of roll
    assert found("smith", "bread") == Noun("smith bread", 2, identities=("n00000007",))
    for word in ("quaint", "seek", "seeking", "seeks", "sought"):  # no nouns, and no mistakes of others
        assert found(word) == Noun(word, 1)
    assert found("smiths") == Noun("smith", 1, kind="person")  # a verb's form, and a plural
    assert found("rare") is found("went") is None
    assert found("bun") == Noun("bun", 1, identities=("n00000007",))
    assert found("bakery") == Noun("bakery", 1, identities=("n00000007", "n00000005"))
    assert found("elk") == Noun("elk", 1, hint="animal")
    assert found("gadget") == Noun("gadget", 1)
    assert count == len(written.splitlines()) - 1


def test_what_is_no_wordnet_or_no_image_word_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nouns, "CLASS_SENSES", {"person": "person.2"})
    with pytest.raises(UsageError, match=r"has no meaning 2 of person; take version 3\.0"):
        nouns.make(folder, folder / "nouns.txt")
    monkeypatch.setattr(nouns, "CLASS_SENSES", {"person": "person.1"})
    (folder / "own.txt").write_text("bun = word:roll\n")
    with pytest.raises(UsageError, match=r"own\.txt: roll is no image word"):
        nouns.make(folder, folder / "nouns.txt")
    (folder / "noun.exc").unlink()
    with pytest.raises(UsageError, match=r"not WordNet 3\.0"):
        nouns.make(folder, folder / "nouns.txt")


def test_the_lists_of_image_words_name_words_that_there_are() -> None:
    table = image_words()
    first = {synset.words[0] for synset in table.synsets.values()}
    strange = {word for word in nouns.KINDS | nouns.VAGUE if word not in first and not table.meanings(word)}
    assert strange <= {"puppet", "standard"}
