"""Edits are written down with what they share put in words once, and read the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from weakcode.codes.codeset import CodeSet
from weakcode.compile.records import EditKinds, records, written
from weakcode.findings import Source
from weakcode.semantics.edits import Edit, EditFix
from weakcode.semantics.verbs import Verb, Where

_TEXT = st.sampled_from(["", "a", 'say "é"', "b\n"])
_SOURCES = [Source("List", "A00", None), Source("List", "A00", "see é"), Source("Guidelines", "I.A")]
_CITED = [(), (_SOURCES[0],), (_SOURCES[1],), tuple(_SOURCES), (_SOURCES[2], _SOURCES[0])]
_EDITS = st.lists(
    st.builds(
        Edit,
        rule=st.integers(0, 2),
        verb=st.sampled_from(list(Verb)),
        subject=st.just(CodeSet([(1, 2)])),
        where=st.sampled_from(list(Where)),
        terms=st.sampled_from([(), ("flu",), ("flu", "grippe")]),
        pointed=st.sampled_from([None, "first"]),
        poa=st.sampled_from([(), ("Y",), ("N", "U")]),
        message=st.none() | _TEXT,
        listed=_TEXT,
        fix=st.sampled_from([None, EditFix("add", "A00.0"), EditFix("text", None, "Ask.")]),
        sources=st.sampled_from(_CITED),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(_EDITS)
def test_many_edits_are_written_as_each_by_itself(edits: list[Edit]) -> None:
    made, numbers = records(edits, EditKinds.of(edits))
    assert [made[number] for number in numbers] == [written(edit) for edit in edits]
