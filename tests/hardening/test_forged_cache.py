"""Files of the cache that only their user can have sealed, whatever they say: used or made anew."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from tests.hardening import forged


@pytest.mark.parametrize("kind", forged.FILES)
def test_a_file_as_it_was_made_is_used(kind: str, tmp_path: Path) -> None:
    assert forged.follow(kind, forged.FILES[kind][0](), tmp_path)


@pytest.mark.parametrize("kind", forged.FILES)
def test_every_number_of_a_cached_file_may_lie(kind: str, tmp_path: Path) -> None:
    _, sections = forged.FILES[kind][0]()
    refused = set()
    for name, content in sections.items():
        for at in sorted({0, 1, 2, len(content) // 2, -1}):
            for value in forged.NUMBERS:
                if not forged.follow(kind, forged.changed(kind, name, at, value), tmp_path):
                    refused.add(name)
        for more in (-8, -1, 1, 8):
            forged.follow(kind, forged.changed(kind, name, 0, 0, more=more), tmp_path)
    declared = {column.name for column in forged.FILES[kind][1]}
    assert declared - refused <= {"note_block", "search_size"}, "columns in which any number may stand"


@pytest.mark.parametrize("kind", forged.FILES)
def test_every_value_of_a_header_may_be_another(kind: str, tmp_path: Path) -> None:
    meta, sections = forged.FILES[kind][0]()
    for path in list(forged.places(meta))[1:]:
        for odd in forged.ODD:
            forged.follow(kind, (forged.retold(meta, path, odd), sections), tmp_path)
        assert not forged.follow(kind, (forged.retold(meta, path, 1.5), sections), tmp_path), path


def test_every_value_of_a_record_or_condition_may_be_another(tmp_path: Path) -> None:
    meta, sections = forged.FILES["program"][0]()
    bounds = memoryview(sections["offsets"]).cast("I").tolist()
    records = [sections["records"][low:high] for low, high in pairwise(bounds)]
    for number, record in enumerate(records):
        data = json.loads(record)
        for path in list(forged.places(data))[1:]:
            for odd in forged.ODD:
                lie = json.dumps(forged.retold(data, path, odd)).encode()
                parts = [*records[:number], lie, *records[number + 1 :]]
                shift = [bound + (len(lie) - len(record)) * (place > number) for place, bound in enumerate(bounds)]
                changed = {"records": b"".join(parts), "offsets": forged.array("I", shift).tobytes()}
                forged.follow("program", (meta, {**sections, **changed}), tmp_path)
    lines = sections["conditions"].splitlines()
    for number, line in enumerate(lines):
        data = json.loads(line)
        for path in list(forged.places(data))[1:]:
            for odd in forged.ODD:
                lie = json.dumps(forged.retold(data, path, odd)).encode()
                told = b"\n".join([*lines[:number], lie, *lines[number + 1 :]])
                forged.follow("program", (meta, {**sections, "conditions": told}), tmp_path)
