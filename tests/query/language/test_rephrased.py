"""Turns of speech: what they are read as, and where they are refused."""

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Balance, whole
from dsslic_search.query.language.parse import parse

V = default()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("more sky than grass", "more sky than grass"),
        ("less sky than grass", "more grass than sky"),
        ("sky > grass", "more sky than grass"),
        ("sky < grass", "more grass than sky"),
        ("sky >= grass", "at least 1 times as much sky as grass"),
        (
            "as much sky as sea",
            "at least 0.8 times as much sky as sea and at most 1.25 times as much sky as sea",
        ),
        ("sky = sea", "as much sky as sea"),
        ("equal amounts of sky and sea", "as much sky as sea"),
        (
            "twice as much sky as sea",
            "at least 1.6 times as much sky as sea and at most 2.5 times as much sky as sea",
        ),
        ("sky 2 times as large as sea", "twice as much sky as sea"),
        ("roughly twice as much sky as sea", "twice as much sky as sea"),
        ("half as much sky as sea", "0.5 times as much sky as sea"),
        ("at least a quarter as much sky as sea", "at least 0.25 times as much sky as sea"),
        ("sky more than three times as big as sea", "more than 3 times as much sky as sea"),
        ("less than twice as much sky as sea", "less than 2 times as much sky as sea"),
        ("more sky than 30%", "more than 30% sky"),
        ("less sky than half", "less than 50% sky"),
        ("more people than 3", "more than 3 people"),
        ("fewer people than 3", "fewer than 3 people"),
        ("only sea and sky", "only sea and sky"),
        ("only sea, sky and sand", "only sea, sky and earth"),
        ("only trees and nature", "only nature"),
        ("only water and water", "only water"),
        ("car free street", "-car street"),
        ("people-free beach", "not people with beach"),
        ("treeless hills and houses", "not trees with hills and houses"),
        ("road, car free", "road and no car"),
        ("cars not red", "car and not red car"),
        ("people not sitting on a bench", "people without people on a bench"),
        ("dogs not on the left", "dogs without dogs on the left"),
        ("people not on red horses", "people and not (red horses and people on horses)"),
        ("car red road", "car and red road"),
        ("flowers red or yellow", "red flowers or yellow flowers"),
        ("flowers red and yellow", "red flowers and yellow flowers"),
        ("red car blue", "red car, blue"),
        ("dark blue car", "blue car"),
        ("big red car on a road", "red car and big car and car on road"),
        ("dog on a white sofa next to a bed", "(white sofa and dog on sofa) and dog next to bed"),
        ("dogs in 2021 on a sofa", "dogs on a sofa in 2021"),
        ("who is on a horse", "person on horse"),
        ("dogs who are on a sofa", "dogs on a sofa"),
        ("hello, dogs please, thanks", "dogs"),
        ("in the forest", "forest"),
        ("not in the forest", "no forest"),
        ("dogs, by the lake", "dogs and lake"),
        ("2021 in the mountains", "2021 and mountains"),
        ("sunset behind the mountains", "sunset and mountains"),
        ("picture on the wall", "painting on wall"),
        ("photos on the street", "street"),
        ("photos: dogs", "dogs"),
        ("all my photos", "everything"),
        ("the dog's sofa", "dog and sofa"),
        ("barely any sky", "little sky"),
        ("sky takes up most of the photo", "mostly sky"),
        ("dog, but not on a sofa", "dog without dog on a sofa"),
        ("photos without any people or cars in them", "no people or cars"),
        ("a bed, a cat on a sofa or chair", "bed, cat on sofa or cat on chair"),
        ("from christmas 2020 to 3 january 2021", "taken:2020-12-24..2021-01-03"),
        ("a group of cars", "at least 3 cars"),
        ("person reading a book", "person and book"),
    ],
)
def test_a_turn_of_speech_is_read_as_what_it_means(text: str, plain: str) -> None:
    assert whole(parse(text, V)) == whole(parse(plain, V))


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("sky twice", 4, "compares two things"),
        ("more sky than sky", 0, "on both sides"),
        ("trees, more sky than sea or grass", 7, "compared with one other"),
        ("1001 times as much sky as sea", 0, "up to 1000 times"),
        ("wide photos of the sea", 0, "does not say how"),
        ("christmas 2020 to 3 may 2019", 14, "the wrong way round"),
        ("2021 - 2020-13-45 a fire", 7, "there is no month 13"),
        ("christmas 2020 to 2021-02-30", 18, "has no day 30"),
        ("free street", 0, "needs a thing before it"),
        ("only sea or sky", 0, "up to 3 joined by and"),
        ("only sea, sky", 0, "up to 3 joined by and"),
        ("only sea and sky and sand and grass", 0, "up to 3 joined by and"),
        ("only sea and dogs", 0, "about what fills a photo"),
        ("only nature and ground", 0, "share some classes"),
        ("two red cars", 0, "the colour of each one is not known"),
        ("dogs, no puppies", 9, "cannot be told apart"),
        ("people in 2021 without men or dogs", 23, "cannot be told apart"),
        ("close up of a dog's face", 20, "not told apart"),
        ("cloudless sky", 0, "clouds are no class"),
        ("dog facing a cat", 4, "is not seen here"),
        ("taken in Italy", 9, "by its degrees alone"),
    ],
)
def test_a_turn_of_speech_that_says_nothing_is_refused(text: str, position: int, says: str) -> None:
    with pytest.raises(QueryError, match=says) as caught:
        parse(text, V)
    assert caught.value.position == position


def test_a_comparison_weighs_areas() -> None:
    found = parse("at most 1.5 times as much sky as sea", V).tree
    assert isinstance(found, Balance)
    assert [(thing.name, times) for thing, times in found.terms] == [("sky", -2), ("sea", 3)]
    assert (found.bound, found.above, found.needs_something) == (0, False, False)


def test_how_things_are_compared_is_told() -> None:
    assert parse("more people than cars", V).notes == ("by the area that they cover: more person than car",)
