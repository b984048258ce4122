"""The table of nouns, made from WordNet 3.0: what each noun that can be seen in photos is asked as.

A noun is asked as a class of the vocabulary or as an image word (`core.wordnet`): the nearest that its
commonest meaning is, or is a kind of. Which classes have all kinds of a meaning says CLASS_SENSES, and which
image words are words of every day, so that "baguette: read as bread" tells people something, KINDS; for
another reading an ancestor is too wide ("artifact") or too learned ("ruminant"). Nouns of which only a hint
can be given ("giraffe" is an animal) are in the table too.

WordNet itself is Debian's package ``wordnet-base`` 3.0, of which ``data.noun``, ``index.noun``, ``noun.exc``,
``verb.exc`` and ``cntlist.rev`` are read (wndb(5WN), cntlist(5WN)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dsslic_search.core import wordnet
from dsslic_search.core.cached import cached_property
from dsslic_search.core.errors import UsageError
from dsslic_search.core.files import write_atomically
from dsslic_search.core.nouns import MAX_NOUN_WORDS, singulars
from dsslic_search.core.text import normal
from dsslic_search.core.vocabulary import default
from dsslic_search.query.language.lexicon import KEYWORDS, word_table
from dsslic_search.query.language.nouns import everyday
from dsslic_search.training.wordnet import Noun, read_nouns

CLASS_SENSES: Mapping[str, str] = {
    "person": "person.1", "dog": "dog.1", "cat": "house cat.1", "horse": "horse.1", "cow": "cattle.1",
    "sheep": "sheep.1", "bird": "bird.1", "tree": "tree.1", "flower": "flower.1 flower.2",
    "plant": "herb.1 shrub.1 vine.1 houseplant.1", "grass": "grass.1 lawn.1", "car": "car.1",
    "boat": "boat.1 ship.1 vessel.2", "bus": "bus.1", "train": "train.1", "bicycle": "bicycle.1",
    "motorbike": "motorcycle.1", "aeroplane": "heavier than air craft.1",
    "building": "building.1 tower.1 ruin.2",
    "house": "house.1 dwelling.1", "road": "road.1 thoroughfare.1", "sidewalk": "sidewalk.1 path.2 walk.5",
    "chair": "chair.1", "table": "table.2 desk.1", "bed": "bed.1", "sofa": "sofa.1", "cabinet": "cabinet.1",
    "shelf": "shelf.1", "curtain": "curtain.1", "mirror": "mirror.1", "rug": "rug.1",
    "painting": "painting.1",
    "door": "door.1", "windowpane": "window.1", "fence": "fence.1", "wall": "wall.1", "floor": "floor.1",
    "ceiling": "ceiling.1",
    "tv": "television receiver.1", "bottle": "bottle.1", "book": "book.2",
    "pole": "pole.1", "signboard": "signboard.1", "mountain": "mountain.1 hill.1",
    "water": "body of water.1", "sea": "ocean.1 sea.1", "earth": "soil.2 sand.1", "field": "field.1",
    "sky": "sky.1",
}  # fmt: skip
"""Class → senses of WordNet, a word and the number of the meaning, of which all kinds are of the class."""
KINDS = frozenset(
    " ".join(word.split())
    for word in """
    alcohol, alligator, amphibian, antelope, ape, apple, appliance, armor, athlete, ax, bag, baked
    goods, ball, basket, bear, bed, beetle, berry, beverage, big cat, bin, bird of prey, boa, boat,
    boot, bottle, bowl, box, bread, bridge, brush, building, bun, bus, butterfly, cabbage, cabinet,
    calculator, camel, camera, can, cap, cart, cat, chair, citrus, clock, clothing, coat, cobra,
    coffee, computer, condiment, cooking utensil, coral, cosmetic, crab, cracker, crockery,
    crocodile, crustacean, curtain, cushion, cutlery, dessert, dinosaur, dish, dog, dolphin, door,
    dress, drill, duck, eagle, edible fruit, elephant, fan, fence, finch, firearm, fish, flower,
    food, footwear, fox, frog, fruit, fungus, furniture, garment, gecko, glass, glove, gown, great
    ape, guitar, gun, hamburger, hand tool, hat, hawk, headdress, heater, helmet, heron, home
    appliance, hosiery, hound, insect, jar, jewelry, jug, kangaroo, keyboard, keyboard instrument,
    kitchen appliance, kitchen utensil, knife, lamp, lantern, lemur, lizard, loaf of bread, lobster,
    lock, locomotive, magazine, makeup, marsupial, mask, mat, measuring instrument, medical
    instrument, military vehicle, mollusk, monkey, motorboat, mountain, mug, musical instrument,
    necktie, neckwear, newt, nightwear, oven, owl, pan, parrot, pen, penguin, percussion instrument,
    personal computer, piano, pistol, place of worship, plaything, poodle, pot, potato, pudding,
    punch, puppet, puzzle, python, rabbit, ray, reptile, retriever, robe, rocket, rodent, roof, rug,
    sailboat, salamander, salmon, sandwich, sauce, scarf, schnauzer, seabird, seal, setter, shark,
    shed, ship, shirt, shoe, shop, shore, skirt, sled, sloth, snack food, snake, soup, spacecraft,
    spaniel, spectacles, spider, spoon, sports equipment, spring, squash, squirrel, stew, stocking,
    stork, stringed instrument, swan, sweater, swimsuit, table, tableware, telephone, telescope,
    tent, terrier, theater, thrush, timepiece, toiletry, tool, towel, toy dog, trailer, trap,
    trousers, truck, turtle, undergarment, van, vegetable, vehicle, vest, viper, wagon, warship,
    watch, weapon, whale, wheel, wind instrument, wine, wolf, woodwind, worm, writing implement
    """.replace("\n", " ").split(",")
)
"""Image words above the leaves that other nouns are read as: their first words in WordNet."""
VAGUE = frozenset(
    " ".join(word.split())
    for word in """
    abstraction, agent, apparatus, area, article, artifact, attachment, attribute, barrier, causal
    agent, circle, commodity, communication, connection, consumer goods, container, control,
    covering, creation, device, durables, electronic device, entity, equipment, establishment,
    fastener, feed, fluid, framework, furnishing, game, gear, geographic point, globule, implement,
    ingredient, institution, instrument, instrumentality, kit, lens, light, liquid, living thing,
    location, machine, material, matter, measure, mechanical device, mechanism, medium, natural
    object, nutriment, object, obstruction, organism, package, part, peer, physical entity, piece,
    plant, plant part, plate, platform, point, post, press, produce, product, projectile, public
    transport, rack, receptacle, relation, ride, rig, rod, round shape, runner, screen, seat, shape,
    sheet, shelter, sign, signal, solid, sphere, spring, standard, stick, structure, substance,
    support, surface, system, tissue, top, utensil, visual signal, web, whole, work, workplace
    """.replace("\n", " ").split(",")
)
"""Image words above the leaves that say nothing of a photo, or of which the leaves are hardly any kinds."""
HINTS: Mapping[str, str] = {
    "animal": "animal.1", "vehicle": "vehicle.1", "furniture": "furniture.1", "plant": "plant.2",
    "person": "body part.1 hair.1", "clothing": "clothing.1", "food": "food.1 food.2",
    "building": "facility.1",
}  # fmt: skip
"""A word that is known → senses that have much to do with it."""
SEEN = frozenset({3, 5, 6, 8, 13, 14, 15, 17, 18, 19, 20, 25, 27})
"""WordNet's files (lexnames(5WN)) whose nouns can be seen: animals, artifacts, food, people …"""
MIN_SHARE = 0.2  # of the times that a noun was met in WordNet's texts: of a meaning that it may have here
MIN_SHARE_ITSELF = 0.03  # the same of a meaning that is an image word itself
MAX_QUALITIES = 2  # a word that was met more than so many times as often as a quality is no noun here
MIN_MET = 15  # times: a noun that was met so often has no meanings that were not
MAX_STEPS = 6  # from a meaning to what it is a kind of
OWN = Path(__file__).with_name("nouns.txt")
REFUSED = "-"
UNSEEN = "?"
MIN_MET_ABSTRACT = 2  # times: a noun that nothing can be asked as is known all the same
MIN_CHARACTERS = 3  # of a word that is no noun and that is kept: to shorter ones nothing is near
_PLAIN = re.compile(r"[a-z][a-z'. -]*[a-z]")


@dataclass(frozen=True)
class Sources:
    """What WordNet says. ``senses``: of each noun its meanings, the commonest first; ``met``: how often each
    of them was met; ``qualities``: how often a word was met as an adjective or adverb; ``verbs``: the same as
    a verb; ``files``: the number of the file of a meaning; ``instances``: meanings that are one thing or
    person ("Paris"); ``plurals``: irregular ones, with their nouns; ``verb_forms``: irregular ones, with
    their verbs."""

    nouns: Mapping[str, Noun]
    senses: Mapping[str, tuple[str, ...]]
    met: Mapping[tuple[str, int], int]
    qualities: Mapping[str, int]
    verbs: Mapping[str, int]
    files: Mapping[str, int]
    instances: frozenset[str]
    plurals: Mapping[str, str]
    verb_forms: Mapping[str, str]
    licence: str

    def meaning(self, sense: str) -> str:
        """The identity of "word.number". UsageError where WordNet has it not."""
        word, _, number = sense.rpartition(".")
        meanings = self.senses.get(word, ())
        if not 0 < int(number) <= len(meanings):
            raise UsageError(f"this WordNet has no meaning {number} of {word}; take version 3.0")
        return meanings[int(number) - 1]


def read(folder: Path) -> Sources:
    """A WordNet database. UsageError when the folder holds none."""
    nouns, licence = read_nouns(folder)
    files: dict[str, int] = {}
    instances = set()
    try:
        for line in _lines(folder / "data.noun"):
            identity = "n" + line[:8]
            files[identity] = int(line[9:11])
            if " @i " in line.partition(" | ")[0]:
                instances.add(identity)
        senses = {}
        for line in _lines(folder / "index.noun"):
            fields = line.split()
            senses[normal(fields[0])] = tuple("n" + offset for offset in fields[6 + int(fields[3]) :])
        met: dict[tuple[str, int], int] = {}
        qualities: dict[str, int] = {}
        verbs: dict[str, int] = {}
        for line in _lines(folder / "cntlist.rev"):
            key, number, count = line.split()
            word, _, rest = key.partition("%")
            if rest[0] == "1":
                met[normal(word), int(number) - 1] = int(count)
            else:
                others = verbs if rest[0] == "2" else qualities
                others[normal(word)] = others.get(normal(word), 0) + int(count)
        plurals, verb_forms = (_irregular(folder / name) for name in ("noun.exc", "verb.exc"))
    except (OSError, ValueError, IndexError) as e:
        raise UsageError(f"{folder}: not WordNet 3.0 ({e}); it is Debian's package wordnet-base") from e
    return Sources(
        nouns, senses, met, qualities, verbs, files, frozenset(instances), plurals, verb_forms, licence
    )


def _irregular(path: Path) -> dict[str, str]:
    """Irregular forms, with the word that each is a form of."""
    return {normal(form): normal(word) for form, word, *_ in map(str.split, _lines(path))}


def _lines(path: Path) -> Iterator[str]:
    return (line for line in path.read_text("ascii").splitlines() if line and not line.startswith("  "))


class Table:
    """What nouns are asked as, in the notation of `core.nouns`."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.words = wordnet.image_words()
        self.classes = self._identities(CLASS_SENSES)
        self.hints = self._identities(HINTS)

    def _identities(self, named: Mapping[str, str]) -> dict[str, str]:
        parts = ((sense, name) for name, senses in named.items() for sense in re.split(r"(?<=\d) ", senses))
        return {self.sources.meaning(sense): name for sense, name in parts}

    def rows(self) -> Iterator[tuple[str, str]]:
        """Nouns and what they are asked as, irregular plurals among them, in order."""
        own = dict(self.own())
        found = {noun: target for noun, target in own.items() if target != REFUSED} | {
            noun: UNSEEN for noun, target in own.items() if target == REFUSED
        }
        for noun in self.sources.senses:
            if noun not in own and _PLAIN.fullmatch(noun) and noun.count(" ") < MAX_NOUN_WORDS:
                if all(map(_is_known, noun.split())):  # "black cat" is a cat, and black
                    continue
                if target := self.target(noun) or self._unseen(noun):
                    found[noun] = target
        for plural, noun in self.sources.plurals.items():
            if noun in found and plural not in self.sources.senses and plural not in own:
                found[plural] = f"/{noun}"
        misleading = [noun for noun in self.sources.senses if self._misleads(noun, found)]
        found |= {noun: self.target(noun) or UNSEEN for noun in misleading}
        others = {word for word in self._no_nouns() if word not in found and not _is_known(word)}
        found |= {word: UNSEEN for word in others if found.keys().isdisjoint(singulars(word))}
        yield from sorted(found.items())

    def own(self) -> Iterator[tuple[str, str]]:
        """Those of OWN. UsageError for an image word that there is not."""
        for line in OWN.read_text("utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            nouns, _, said = line.partition(" = ")
            named = [part.removeprefix("word:") for part in said.split("; ") if part.startswith("word:")]
            identities: list[str] = []
            for name in named:
                meanings = (name,) if name in self.words.synsets else self.words.meanings(name)
                if not meanings:
                    raise UsageError(f"{OWN.name}: {name} is no image word")
                identities += meanings
            for noun in nouns.split(", "):
                yield normal(noun), f"={','.join(identities)}" if identities else said

    def target(self, noun: str) -> str | None:
        """What a noun of WordNet is asked as; None where it is nothing that can be seen.

        A meaning that is an image word itself comes before a commoner one that is a kind of something
        ("tiger" is a fierce person first)."""
        if self.sources.qualities.get(noun, 0) > MAX_QUALITIES * sum(self._met(noun)):
            return None  # "opposite", "wide"
        for meaning in self._meanings(noun, MIN_SHARE_ITSELF):
            if self._is_image_word(meaning, alone=True):
                called = [
                    each for each in self._called.get(noun, ()) if self._is_image_word(each, alone=True)
                ]
                return f"={','.join(called if meaning in called else [meaning])}"
        meanings = [m for m in self._meanings(noun, MIN_SHARE) if self.sources.files[m] in SEEN]
        for meaning in meanings:
            if found := self._nearest(meaning):
                return found
        for meaning in meanings[:1]:
            kinds = [meaning, *self._kinds(meaning)]
            if hint := next((self.hints[kind] for kind in kinds if kind in self.hints), None):
                return f"?{hint}"
        return None

    def _unseen(self, noun: str) -> str | None:
        """The mark of a noun that no photo shows, where it is common enough to be no mistake of another."""
        common = self.sources.met.get((noun, 0), 0) >= MIN_MET_ABSTRACT
        return UNSEEN if common and " " not in noun else None

    def _misleads(self, noun: str, found: Mapping[str, str]) -> bool:
        """Whether a noun of several words has no line of its own, all its words are asked as something, and
        it is no kind of what its last word is: "traffic jam" is no jam. "Truck driver" is a driver."""
        words = noun.split()
        if noun in found or len(words) not in range(2, MAX_NOUN_WORDS + 1) or not _PLAIN.fullmatch(noun):
            return False
        if not all(_is_asked(word) or found.get(word, UNSEEN)[0] not in "?/" for word in words):
            return False
        if any((word,) in KEYWORDS for word in words):  # "small town"
            return False
        senses = [sense for sense in self.sources.senses[noun] if sense not in self.sources.instances]
        last = self.sources.senses.get(words[-1], ())
        return bool(senses and last) and {senses[0], *self._kinds(senses[0])}.isdisjoint(last)

    def _no_nouns(self) -> Iterator[str]:
        """Adjectives, adverbs and verbs of every day, in their forms: no mistakes of other words."""
        sources = self.sources
        yield from (
            word for word, met in sources.qualities.items() if met >= MIN_MET_ABSTRACT and _is_word(word)
        )
        verbs = {word for word, met in sources.verbs.items() if met >= MIN_MET_ABSTRACT and _is_word(word)}
        yield from verbs
        yield from (form for form, verb in sources.verb_forms.items() if verb in verbs and _is_word(form))
        for verb in verbs:
            yield from _regular_forms(verb)

    def _meanings(self, noun: str, least: float) -> Iterator[str]:
        """The meanings that a noun has in at least that share of the places where it was met, the commonest
        first; where it was met too rarely to tell, all or the first two."""
        senses, met = self.sources.senses[noun], self._met(noun)
        known = sum(met) >= (MIN_MET if least == MIN_SHARE_ITSELF else 1)
        for number, meaning in enumerate(senses):
            enough = met[number] >= least * sum(met) if known else number < 2 or least == MIN_SHARE_ITSELF
            if (number == 0 or enough) and meaning not in self.sources.instances:
                yield meaning

    def _met(self, noun: str) -> list[int]:
        """How often each meaning was met."""
        return [self.sources.met.get((noun, number), 0) for number in range(len(self.sources.senses[noun]))]

    def _nearest(self, meaning: str) -> str | None:
        level = [meaning]
        for _ in range(MAX_STEPS + 1):
            for identity in level:
                if identity in self.classes:
                    return self.classes[identity]
            for identity in level:
                if self._is_image_word(identity, alone=False):
                    return f"={identity}"
            level = [kind for identity in level for kind in self.sources.nouns[identity].kinds]
        return None

    def _is_image_word(self, identity: str, alone: bool) -> bool:
        """Whether photos are described by it; ``alone``: it was asked for, and not a kind of it."""
        if identity not in self.words.synsets:
            return False
        if identity in self._leaves:
            return True
        name = self.words.synsets[identity].words[0]
        return name in KINDS or (alone and name not in VAGUE)

    @cached_property
    def _leaves(self) -> frozenset[str]:
        return frozenset(self.words.leaves)

    @cached_property
    def _called(self) -> dict[str, list[str]]:
        """The image words that a noun is the first word of."""
        found: dict[str, list[str]] = {}
        for identity, synset in self.words.synsets.items():
            found.setdefault(normal(synset.words[0]), []).append(identity)
        return found

    def _kinds(self, meaning: str) -> Iterator[str]:
        for kind in self.sources.nouns[meaning].kinds:
            yield kind
            yield from self._kinds(kind)


def _is_known(word: str) -> bool:
    """Whether the language or the vocabulary has a word, so that it is not looked for in the table."""
    return (word,) in KEYWORDS or (word,) in word_table(default()).meanings


def _is_asked(word: str) -> bool:
    """Whether the vocabulary has a word, or it is one of every day that is asked as something."""
    return (word,) in word_table(default()).meanings or not everyday().get((word,), "!").startswith("!")


def _regular_forms(verb: str) -> tuple[str, str, str]:
    """ "walks", "walked" and "walking" of "walk"."""
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return f"{verb}s", f"{verb}d", f"{verb[:-1]}ing"
    if re.fullmatch("[a-z]*[^aeiou]y", verb):
        return f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return f"{verb}es", f"{verb}ed", f"{verb}ing"
    doubled = verb + verb[-1] if re.fullmatch("[^aeiou]*[aeiou][^aeiouwxy]", verb) else verb
    return f"{verb}s", f"{doubled}ed", f"{doubled}ing"


def _is_word(word: str) -> bool:
    return len(word) >= MIN_CHARACTERS and word.isalpha() and word.isascii()


def make(folder: Path, path: Path) -> int:
    """Write the table from the WordNet in ``folder``: the licence as comments, then a line a noun, in order;
    returns how many nouns it has."""
    sources = read(folder)
    rows = list(Table(sources).rows())
    head = "".join(f"# {line}".rstrip() + "\n" for line in sources.licence.splitlines())
    write_atomically(path, (head + "".join(f"{noun}\t{target}\n" for noun, target in rows)).encode())
    return len(rows)
