"""Arrow files whose buffers are compressed, whose dictionaries grow or change, or whose bitmaps are too short."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import ipc
from tests.hardening.damaged import batch_of, written
from tests.hardening.test_damaged_arrow import scrubbed

import weakcode
from weakcode.errors import InputError

ROWS = 1_003


@pytest.fixture(scope="module")
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs="weakness", engine="columnar")


@pytest.mark.parametrize(("compression", "begins"), [("lz4", b"\x04\x22\x4d\x18"), ("zstd", b"\x28\xb5\x2f\xfd")])
def test_compressed_buffers_that_lie_about_their_size_are_reported(
    compression: str, begins: bytes, validator: weakcode.Validator, tmp_path: Path
) -> None:
    ids = pa.array([f"claim-{row:04}" for row in range(ROWS)])
    batch = batch_of({"claim_id": ids, "codes": pa.array(["M62.84 I10"] * ROWS)})
    path = tmp_path / "claims.arrow"
    for stream in (False, True):
        whole = written([batch], stream=stream, compression=compression)
        path.write_bytes(whole)
        assert len(scrubbed(validator, path)[0]) == ROWS
        true = (10 * ROWS).to_bytes(8, "little") + begins
        assert whole.count(true) == 2, "the texts of both columns"
        for lie in (1 << 62, 1 << 44, 10 * ROWS + 1, 10 * ROWS - 1, 0, -2):
            path.write_bytes(whole.replace(true, lie.to_bytes(8, "little", signed=True) + begins))
            with pytest.raises(InputError) as told:
                assert not scrubbed(validator, path)[1], lie
            assert "claims.arrow is damaged or cut short: " in str(told.value), lie
            assert "\n" not in str(told.value)


def test_dictionaries_that_grow_or_change_in_a_stream_are_followed(
    validator: weakcode.Validator, tmp_path: Path
) -> None:
    words = [["I10", "M62.84"], ["I10", "M62.84", "E11.9"], ["E11.9", "M62.84"], ["M62.84"]]
    path = tmp_path / "claims.arrows"
    for deltas in (False, True):
        batches = [
            batch_of(
                {
                    "claim_id": pa.array([f"{number}-{word}" for word in one]),
                    "codes": pa.DictionaryArray.from_arrays(pa.array(range(len(one)), pa.int32()), pa.array(one)),
                }
            )
            for number, one in enumerate(words)
        ]
        options = ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)
        with ipc.new_stream(str(path), batches[0].schema, options=options) as out:
            for batch in batches:
                out.write_batch(batch)
        found, rejects = scrubbed(validator, path)
        assert not rejects
        assert found == [f"{number}-M62.84" for number in range(len(words))]


def test_a_bitmap_that_is_shorter_than_its_rows_leads_to_rejects(validator: weakcode.Validator, tmp_path: Path) -> None:
    codes = pa.array([None if row % 2 else "M62.84" for row in range(ROWS)])
    whole = written([batch_of({"claim_id": pa.array(range(ROWS)), "codes": codes})], stream=False)
    size = (ROWS + 7) // 8
    true = size.to_bytes(8, "little")
    assert true in whole
    path = tmp_path / "claims.arrow"
    for lie in (1, size - 1):
        path.write_bytes(whole.replace(true, lie.to_bytes(8, "little")))
        found, rejects = scrubbed(validator, path)
        assert not found
        assert len(rejects) == ROWS
        assert rejects[0].reason.startswith("record batch 0 is damaged: ")
