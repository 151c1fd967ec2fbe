"""Names that are near another one: letter case, plurals, synonyms of detectors' classes, and slips of the pen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ropewalk.text import base_name

# Classes that data sets call differently; each line is one thing. The words are in the singular, without blanks.
_SYNONYMS = (
    "person people pedestrian human",
    "car automobile auto",
    "truck lorry",
    "motorcycle motorbike",
    "bicycle bike",
    "cyclist bicyclist rider",
    "airplane aeroplane plane aircraft",
    "boat ship vessel",
    "couch sofa",
    "tv television tvmonitor",
    "cellphone mobilephone phone smartphone",
    "trafficlight trafficsignal stoplight",
    "trafficsign roadsign",
    "diningtable table",
    "licenseplate licenceplate numberplate",
    "helmet hardhat",
    "trashcan garbagecan garbagebin dustbin wastebin",
    "cow cattle",
    "bus coach",
)
_CANONICAL = {word: line.split()[0] for line in _SYNONYMS for word in line.split()}
_IRREGULAR = {"men": "man", "women": "woman", "children": "child", "mice": "mouse", "buses": "bus", "geese": "goose"}

# How alike names are, from 1 (equal) down.
_CASELESS, _SINGULAR, _SYNONYM = 0.99, 0.97, 0.95
SURE = 0.8
_WITH_OTHER_WORDS = 0.79
NEAR = 0.6

# What is compared of a hostile name, and of a large project.
_MOST_CHARACTERS = 200
_MOST_WORDS = 20
_MOST_NAMES = 5_000

_WORD = re.compile(r"\d+|[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SUFFIX = re.compile(r"\.(?=[A-Za-z0-9]{1,4}$)(?=.*[A-Za-z])[A-Za-z0-9]+$")


def nearest(name: str, existing: Iterable[str], most: int = 3) -> list[tuple[str, float]]:
    """Find the names that are nearest to one.

    Of paths the file names are compared, too. A number is never near another number: `cam 1` is not `cam 2`.

    Args:
        name: A name of a source.
        existing: Names of a project; the first 5,000 are looked at.
        most: How many to return.

    Returns:
        Names with how alike they are, above 0.6 and at most 1, the nearest first; nothing where nothing is near.

    Example:
        >>> nearest("people", ["Car", "Person", "Pedestrian group"])
        [('Person', 0.95)]
    """
    found = ((other, alike(name, other)) for other, _ in zip(existing, range(_MOST_NAMES), strict=False))
    near = sorted({other: how for other, how in found if how >= NEAR}.items(), key=lambda item: -item[1])
    return near[:most]


def alike(one: str, other: str) -> float:
    """Say how alike two names are, from 0 to 1; file names count as much as whole paths."""
    if one == other:
        return 1.0
    whole = _alike(one[:_MOST_CHARACTERS], other[:_MOST_CHARACTERS])
    bases = base_name(one), base_name(other)
    if bases == (one, other):
        return whole
    return max(whole, _alike(bases[0][:_MOST_CHARACTERS], bases[1][:_MOST_CHARACTERS]))


def _alike(one: str, other: str) -> float:
    if one.casefold() == other.casefold():
        return _CASELESS
    a, b = _words(one), _words(other)
    if not a or not b:
        return 0.0
    if "".join(a) == "".join(b):
        return _SINGULAR
    if _canonical(a) == _canonical(b):
        return _SYNONYM
    if [word for word in a if word.isdigit()] != [word for word in b if word.isdigit()]:
        return 0.0
    how = max(_words_alike(a, b), _word_alike("".join(a), "".join(b)))
    # A word more may make another thing of it.
    return how if len(a) == len(b) else min(how, _WITH_OTHER_WORDS)


@lru_cache(maxsize=_MOST_NAMES)
def _words(name: str) -> tuple[str, ...]:
    """Split a name into words in the singular and numbers without leading zeros, without the suffix of a file."""
    stem = _SUFFIX.sub("", name) or name
    words = (word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", stem)))
    return tuple(_singular(word) for word in words)[:_MOST_WORDS]


def _singular(word: str) -> str:
    if word.isdigit():
        return word.lstrip("0") or "0"
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def _canonical(words: tuple[str, ...]) -> str:
    joined = "".join(words)
    return _CANONICAL.get(joined) or "".join(_CANONICAL.get(word, word) for word in words)


def _words_alike(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    """Give the share of the letters that are in words which both have, or nearly have."""
    left, common = list(b), 0.0
    for word in a:
        best = max(left, key=lambda other: _word_alike(word, other), default=None)
        if best is not None and (how := _word_alike(word, best)):
            common += how * max(len(word), len(best))
            left.remove(best)
    return common / max(sum(map(len, a)), sum(map(len, b)))


def _word_alike(a: str, b: str) -> float:
    """Say how alike two words are: 0 for more slips than a word of that length has."""
    longest = max(len(a), len(b))
    if a == b or longest == 0:
        return 1.0
    if a.isdigit() or b.isdigit():
        return 0.0
    # In a short word another letter makes another word: a car is not a cat.
    allowed = 1 if longest <= 5 else 2 if longest <= 9 else 3
    if abs(len(a) - len(b)) > allowed or (longest <= 4 and len(a) == len(b) and sorted(a) != sorted(b)):
        return 0.0
    slips = _distance(a, b)
    return 1 - slips / longest if slips <= allowed else 0.0


def _distance(a: str, b: str) -> int:
    """Count the letters to add, leave out, replace or swap with the next one (Damerau and Levenshtein's distance)."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
