"""Facts of files in plain words, orders, how many photos are listed, and counting."""

import pytest

from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import whole
from dsslic_search.query.language.parse import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size > 5 MB", "size:>5MB"),
        ("files over 10mb", "size:>10MB"),
        ("less than 500 kB", "size:<500kB"),
        ("at least 2 gigabytes", "size:>=2GB"),
        ("wider than 4000 pixels", "width:>4000"),
        ("height >= 3000", "height:>=3000"),
        ("more than 12 megapixels", "megapixels:>12"),
        ("12 mp", "megapixels:12"),
        ("jpg", "format:jpeg"),
        ("dogs png", "(dog and format:png)"),
        ("vertical photos", "orientation:portrait"),
        ("taken with a Canon", "camera:canon"),
        ("shot on my iPhone", "camera:iphone"),
        ("shot with a Foobar", "camera:foobar"),
        ("iso over 1600", "iso:>1600"),
        ("f/2.8", "f_number:2.8"),
        ("50mm", "focal_length:50mm"),
        ("5 stars", "rating:5"),
        ("at least 4 stars", "rating:>=4"),
        ("3+ stars", "rating:>=3"),
        ("4 stars or less", "rating:<=4"),
        ("rated 4 or more", "rating:>=4"),
        ("tagged best", "tag:best"),
        ("in folder 2021/italy", "path:2021/italy"),
        ("*.png", "name:*.png"),
        ("IMG_*", "name:img_*"),
        ("IMG_1234.jpg", "name:img_1234.jpg"),
        ('"summer party"', 'text:"summer party"'),
        ("without a date", "taken:unknown"),
        ("no location", "place:unknown"),
        ("sky > 30%", "sky > 30%"),
        ("sorted by date", "everything sort:taken"),
        ("dogs sort by size descending", "dog sort:-size"),
        ("newest photos of dogs", "dog sort:-taken"),
        ("oldest photo of a dog", "dog limit:1 sort:taken"),
        ("most sky", "sky sort:sky"),
        ("photos with the most sky", "sky sort:sky"),
        ("least people", "everything sort:-person"),
        ("largest dog", "dog sort:dog"),
        ("smallest boat", "boat sort:-boat"),
        ("top 10", "everything limit:10"),
        ("best 20 photos of horses", "horse limit:20 sort:-rating"),
        ("how many photos with dogs per year", "dog count:year"),
        ("count dogs", "dog count:all"),
        ("dogs count:camera", "dog count:camera"),
    ],
)
def test_facts_in_plain_words(text: str, expected: str) -> None:
    assert whole(parse(text, default())) == expected
    assert whole(parse(expected, default())) == expected
