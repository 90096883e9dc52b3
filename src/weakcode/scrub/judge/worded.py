"""New variants of findings put into words, once for all batches of a run."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence

import attrs
import numpy as np

from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.engines.findings import Assembler
from weakcode.engines.ids import PART as IN_KEYS
from weakcode.engines.ids import keys_of
from weakcode.engines.wording import NOBODY, FindingText, NamedInFinding
from weakcode.scrub.columns.pointers import PART
from weakcode.scrub.judge.variants import Column, InternedTexts, Variants, WordLists, picked_lists
from weakcode.semantics.edits import Edit
from weakcode.semantics.verbs import Verb

New = tuple[tuple[int, ...], int, int, int, int]
"""A variant of the kernel: edits, the tokens of subject, object and stray, -1 for none, and the number of a term."""


@attrs.frozen(eq=False)
class _Merged:
    """The edits of variants, as far as it is the same for all of them: the first names the finding."""

    edit: Edit
    rule: int
    rule_id: str
    is_mended: bool
    resequences: bool
    moves: bool
    """Whether a finding that names no other code is mended by changing places with one."""

    @classmethod
    def of(cls, edit: Edit, rule: int, rule_id: str) -> _Merged:
        action = "" if edit.fix is None else edit.fix.action
        moves = edit.verb in (Verb.FIRST, Verb.SECONDARY)
        return cls(edit, rule, rule_id, edit.fix is not None, action == "resequence", moves)


@attrs.frozen(eq=False)
class _OfRules:
    """A text of each rule, by its number."""

    texts: InternedTexts
    numbers: Column

    @classmethod
    def of(cls, texts: Sequence[str]) -> _OfRules:
        pool = InternedTexts()
        return cls(pool, np.array([pool.number(text) for text in texts], np.int32))


class VariantWords:
    """The words of the variants met so far, by number. `terms` are the documented terms and lines that they name."""

    def __init__(self, program: Program, assembler: Assembler, edition: Edition) -> None:
        self._program, self._assembler, self._edition = program, assembler, edition
        self._of_rules = [
            _OfRules.of([getattr(rule, name) for rule in program.rules]) for name in ("id", "confidence", "title")
        ]
        self._messages, self._fixes, self._codes, self._sources = (InternedTexts() for _ in range(4))
        self._merged: dict[tuple[int, ...], _Merged] = {}
        self._names: dict[int, tuple[NamedInFinding, int]] = {-1: (NOBODY, -1)}
        self._said: dict[FindingText, int] = {}
        self._said_bounds, self._said_sources = array("i", [0]), array("i")
        # By variant: rule, message, subject, object, sources, fix and moves.
        self._numbers = array("i")
        self._keys = bytearray()

    def __len__(self) -> int:
        return len(self._keys) // 16

    def add(self, new: Sequence[New], unlisted: Sequence[str], terms: Sequence[str]) -> None:
        """Put variants into words that no finding had before."""
        if not new:
            return
        words, names, merged_of, said_of = self._assembler.wording.words, self._names, self._merged, self._said
        mend, message_of, fix_of = self._assembler.mend, self._messages.number, self._fixes.number
        no_fix, add = fix_of(""), self._numbers.extend
        keyed: list[str] = []
        self._name(dict.fromkeys(token for variant in new for token in variant[1:4] if token not in names), unlisted)
        for numbers, first, second, third, term in new:
            merged = merged_of.get(numbers) or self._merge(numbers)
            subject, subject_code = names[first]
            other, other_code = names[second]
            stray, _ = names[third]
            text, _, lines = terms[term].partition(PART) if term else ("", "", "")
            message, text_number = words(numbers, subject, other, stray, text, lines)
            cited = said_of.get(text_number)
            if cited is None:
                cited = self._cite(text_number)
            fix, moves = no_fix, 0
            if merged.is_mended:
                alone = merged.resequences and not (stray.shown or other.shown)
                moves = int(alone and merged.moves)
                if moves or not alone:
                    fix = fix_of(mend(merged.edit, subject, other, stray))
            add((merged.rule, message_of(message), subject_code, other_code, cited, fix, moves))
            said_codes = (merged.rule_id, subject.shown, other.shown)
            keyed.append(IN_KEYS.join(said_codes if subject.shown and other.shown else filter(None, said_codes)))
        self._keys += keys_of(keyed)

    def variants(self, used: Column) -> Variants:
        """Return the variants of these numbers."""
        table = np.frombuffer(self._numbers, np.int32).reshape(-1, 7)[used]
        rule, message, subject, other, text_numbers, fix, moves = table.T.copy()
        keys = np.frombuffer(self._keys, np.uint8).reshape(-1, 16)[used].reshape(-1)
        rule_id, confidence, title = (one.texts.words(one.numbers[rule]) for one in self._of_rules)
        pairs = np.stack([subject, other], axis=1)
        bounds = np.zeros(len(used) + 1, np.int32)
        np.cumsum((pairs >= 0).sum(axis=1), out=bounds[1:])
        ends, sources = picked_lists(np.array(self._said_bounds), np.array(self._said_sources), text_numbers)
        edition = InternedTexts([self._edition.name])
        return Variants(
            rule_id,
            self._messages.words(message),
            WordLists(bounds, self._codes.words(pairs[pairs >= 0])),
            WordLists(ends, self._sources.words(sources)),
            edition.words(np.zeros(len(used), np.int32)),
            confidence,
            title,
            self._fixes.words(fix),
            moves,
            keys,
        )

    def _merge(self, numbers: tuple[int, ...]) -> _Merged:
        # As numbered in the program: an edit of one of its parts has the number that its rule has there.
        rule = self._program.rule_of_edit[numbers[0]]
        merged = _Merged.of(self._program.edit(numbers[0]), rule, self._program.rules[rule].id)
        self._merged[numbers] = merged
        return merged

    def _name(self, tokens: Collection[int], unlisted: Sequence[str]) -> None:
        """Take note of how codes are named that no finding had before."""
        wording, size, names, number = self._assembler.wording, self._edition.size, self._names, self._codes.number
        billable = [token for token in tokens if token < size]
        for token, named in zip(billable, wording.all_billable(billable), strict=True):
            names[token] = (named, number(named.shown))
        for token in tokens:
            if token >= size:
                named = wording.named(unlisted[token - size])
                names[token] = (named, number(named.shown) if named.shown else -1)

    def _cite(self, text: FindingText) -> int:
        self._said_sources.extend(self._sources.number(str(source)) for source in text.sources)
        self._said_bounds.append(len(self._said_sources))
        number = self._said[text] = len(self._said)
        return number
