"""What a query asks for: its words and phrases, with what else says the same."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.search.lexicon import Meaning, key_of
from weakcode.codes.search.words import words_of

if TYPE_CHECKING:
    from weakcode.codes.search.index import SearchIndex

_MOST_WORDS = 12
_MOST_OUT_OF_ORDER = 3
_ALIKE, _DERIVED, _SAID, _LOOSE, _BEGUN, _WITHIN = 0.9, 0.85, 0.8, 0.75, 0.6, 0.6
_NEAREST = 3
_JOINED, _PART, _WELL_KNOWN = 7, 3, 4
_WEAK = frozenset((
    "after", "off", "while", "when", "during", "into", "since", "if", "it", "that", "this", "there", "all", "up",
    "i", "me", "im", "ive", "you", "we", "am", "are", "be", "been", "was", "were", "has", "have", "had", "having",
    "do", "did", "get", "got", "getting", "go", "going", "keep", "feel", "feeling", "felt", "some", "very", "lot",
    "really", "so", "too", "pt", "patient", "complain", "complaining", "presented", "presenting", "status", "post",
    "due", "about", "over", "out", "with",
))  # fmt: skip
"""Words of queries that say next to nothing by themselves. Phrases may have them."""
_PREAMBLE = re.compile(
    r"^\W*(?:(?:pt|patient)\W+(?:has|with|is|c/?o|complain\w*\W+of|present\w*\W+with)|c/o|complain\w*\W+of|present\w*\W+with"
    r"|(?:i|we)\W+(?:have|had|got|think\W+i\W+have)(?:\W+an?)?|i'?(?:ve|m)\W+(?:been|got)?|dx\W+of|diagnosed\W+with|code\W+for|icd\W*10?\W+(?:code\W+)?for"
    r"|what\W+is\W+the\W+code\W+for)\b\W*",
    re.IGNORECASE,
)
_AFTER = re.compile(r"^\W*(?:s/p|status[ -]?post)\W+", re.IGNORECASE)
_ENCOUNTER = re.compile(
    r"\b(?:(?:initial|subsequent|follow.?up)(?: encounter| visit)?|sequelae?|late effects?(?: of)?"
    r"|(?:routine|delayed) healing|non-?union|mal-?union)\b",
    re.IGNORECASE,
)
_INJURY_LEFT = re.compile(
    r"\b(?:fractured?|fx|broken?|sprain\w*|strain\w*|burn\w*|wound|lac\w*|cut|bite|sting|contusion|bruis\w*"
    r"|dislocat\w*|injur\w*|concussion|tear|torn|whiplash|abrasion|scratch|crush\w*|amputat\w*"
    r"|foreign body|overdose|poisoning|adverse|fall|fell|accident)\b",
    re.IGNORECASE,
)
_SEVENTHS = {"delayed": "G", "nonunion": "K", "non-union": "K", "malunion": "P", "mal-union": "P", "subsequent": "D",
             "follow": "D", "routine": "D", "sequela": "S", "late effect": "S", "initial": "A"}  # fmt: skip
"""The 7th characters that words of an injury's encounter stand for; what is said more exactly goes first."""


@attrs.frozen
class Alternative:
    """Words that must all stand in a text, with how well they fit, from 0 to 1.

    `begun` looks for longer words; `loose` takes what else says the same for each of the words.
    """

    words: tuple[str, ...]
    fit: float = 1.0
    begun: bool = False
    loose: bool = False


@attrs.frozen
class Concept:
    """One thing that a query asks for in `word_count` words; `codes` are those that it stands for, best first.

    `is_weak` marks words that say next to nothing, whatever texts have them.
    """

    alternatives: tuple[Alternative, ...]
    codes: tuple[str, ...] = ()
    word_count: int = 1
    is_weak: bool = False


def without_encounter(text: str) -> tuple[str, str]:
    """Return what else a text asks for, and the 7th characters that it names with words: initial, subsequent, sequela.

    Nothing is taken from a text that says nothing else.
    """
    rest = _ENCOUNTER.sub(" ", text)
    if rest == text or not _INJURY_LEFT.search(rest):
        return text, ""
    encounter = " ".join(_ENCOUNTER.findall(text)).lower()
    return rest, "".join(character for word, character in _SEVENTHS.items() if word in encounter)


def concepts_of(text: str, index: SearchIndex) -> list[Concept]:
    """Return what a query asks for: the longest phrases that are known, then word by word.

    Words that nobody knows are taken for the nearest ones; the last may be the beginning of a word.
    """
    words = list(dict.fromkeys(_put_together(words_of(_without_opening(text, index)), index)))[:_MOST_WORDS]
    spellings: list[str] = []
    similar: dict[str, list[str]] = {}
    for word in words:
        if not index.is_known(word) and not index.begins(word) and (guesses := index.nearest(word)):
            similar[guesses[0]] = guesses[1:_NEAREST]
            word = guesses[0]
        spellings.append(word)
    concepts, left = _phrases(spellings, index)
    for word in left:
        # An article, unless a phrase has it: hepatitis A.
        if word == "a" and len(words) > 1:
            continue
        concepts.append(_word(word, similar.get(word, []), index))
    return concepts


def _put_together(words: list[str], index: SearchIndex) -> list[str]:
    """Return words, those joined that texts write as one (post partum), those parted that none has (backpain)."""
    together: list[str] = []
    for word in words:
        merged = together[-1] + word if together else ""
        if len(merged) >= _JOINED and index.is_known(merged) and index.lexicon.meaning((together[-1], word)) is None:
            together[-1] = merged
        elif (
            len(word) >= _JOINED
            and not index.is_known(word)
            and not index.begins(word)
            and (parts := _parted(word, index))
        ):
            together += parts
        else:
            together.append(word)
    return together


def _parted(word: str, index: SearchIndex) -> tuple[str, str] | None:
    """Return the two words that a word is made of, both known to texts, the best known ones; None where it is not."""
    splits = [(word[:at], word[at:]) for at in range(_PART, len(word) - _PART + 1)]
    known = [(min(len(index.entries(one)), len(index.entries(other))), one, other) for one, other in splits]
    most, one, other = max(known, default=(0, "", ""))
    return (one, other) if most >= _WELL_KNOWN else None


def _without_opening(text: str, index: SearchIndex) -> str:
    """Return a text without how patients and charts begin: "I have", "c/o", and "s/p" before what says a state."""
    text = _PREAMBLE.sub("", text) or text
    rest = _AFTER.sub("", text)
    if rest and rest != text and index.lexicon.meaning(words_of(text)) is None:
        return rest
    return text


def _phrases(words: list[str], index: SearchIndex) -> tuple[list[Concept], list[str]]:
    """Take the phrases that are known out of the words, longest first, in a row or else turned round or apart."""
    concepts: list[Concept] = []
    left = list(words)
    for length in range(min(index.lexicon.longest, len(left)), 0, -1):
        in_a_row = [tuple(left[at : at + length]) for at in range(len(left) - length + 1)]
        scattered = list(combinations(left, length)) if 1 < length <= _MOST_OUT_OF_ORDER else []
        for choice in [*in_a_row, *scattered]:
            meaning = _meaning(choice, index)
            if meaning is not None and all(word in left for word in choice):
                concepts.append(_concept(choice, meaning, index))
                left = [word for word in left if word not in choice]
    return concepts, left


def _meaning(words: tuple[str, ...], index: SearchIndex) -> Meaning | None:
    """Return what a phrase means, as it is written or with its abbreviations written out: fhx breast cancer."""
    found = index.lexicon.meaning(words)
    if found is None and len(words) > 1:
        written = tuple(other for word in words for other in index.lexicon.written_out(word))
        if written != words:
            found = index.lexicon.meaning(written)
    return found


def _concept(phrase: tuple[str, ...], meaning: Meaning, index: SearchIndex) -> Concept:
    alternatives = [Alternative(words, _SAID if meaning.codes else 1.0) for words in meaning.words]
    if not any(one.words == phrase for one in alternatives):
        alternatives.append(Alternative(phrase, _ALIKE))
    alternatives += [one for one in _alike(key_of(phrase), index) if one not in alternatives]
    # Other codes speak of the same thing by the words of its title: a history of it, a screening for it.
    if meaning.codes and (title := index.words_of_title(meaning.codes[0])):
        alternatives.append(Alternative(title, _SAID))
    if len(phrase) > 1:
        alternatives.append(Alternative(phrase, _LOOSE, loose=True))
    return Concept(tuple(alternatives), meaning.codes, len(phrase))


def _word(word: str, similar: list[str], index: SearchIndex) -> Concept:
    alternatives = [Alternative((word,)), *_alike(word, index), *(Alternative((one,), _ALIKE) for one in similar)]
    derived = index.derived(word)
    alternatives += [Alternative((other,), _DERIVED) for other in derived]
    alternatives += [attrs.evolve(one, fit=one.fit * _DERIVED) for other in derived for one in _alike(other, index)]
    is_weak = word in _WEAK
    if index.begins(word) and not is_weak:
        alternatives.append(Alternative((word,), _BEGUN, begun=True))
    return Concept(tuple(alternatives), is_weak=is_weak)


def alternatives_of(word: str, index: SearchIndex) -> tuple[tuple[str, ...], ...]:
    """Return what says the same as one word: other words, forms of the word, each as words that stand together."""
    alike = [tuple(words.split()) for words in index.lexicon.alike.get(word, ())]
    single = (word, *(words[0] for words in alike if len(words) == 1))
    return ((word,), *alike, *dict.fromkeys((other,) for one in single for other in index.derived(one)))


def _alike(phrase: str, index: SearchIndex) -> list[Alternative]:
    found = [Alternative(tuple(words.split()), _ALIKE) for words in index.lexicon.alike.get(phrase, ())]
    return found + [Alternative(tuple(words.split()), _WITHIN) for words in index.lexicon.within.get(phrase, ())]
