"""Finding rule files by pack name, path and rule id."""

# ruff: noqa: ISC004  (a message stands whole in its line)

from __future__ import annotations

import subprocess
import sys

import pytest

from weakcode.errors import UnknownNameError
from weakcode.rules.library import (
    Selected,
    bundled_packs,
    digest,
    pack_name,
    read_bytes,
    resolve_packs,
    rule_ids,
)
from weakcode.rules.load import load_pack

BUNDLED_FILES = [path for paths in bundled_packs().values() for path in paths]
OWN = b"pack: own\ntitle: t\nrules:\n  - id: local-rule\n    title: t\n    severity: info\n    forbid: I10\n"


def test_no_names_are_all_bundled_packs():
    assert [one.path for one in resolve_packs(None)] == BUNDLED_FILES
    assert {"weakness", "covid"} <= set(bundled_packs())


def test_a_name_a_path_and_a_folder_are_found(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_bytes(OWN)
    assert resolve_packs(["covid"]) == [Selected(*bundled_packs()["covid"])]
    assert resolve_packs([str(own)]) == [Selected(own)]
    assert resolve_packs([tmp_path, own]) == [Selected(own)]
    assert resolve_packs(["own.yaml"], base=tmp_path) == [Selected(own)]


def test_a_rule_id_alone_selects_this_rule_alone():
    full = "weakness/excludes2-hematoma"
    assert resolve_packs([full]) == [Selected(*bundled_packs()["weakness"], frozenset({full}))]


def test_a_rule_id_beside_its_pack_switches_the_rule_on_in_the_whole_pack():
    full = "weakness/excludes2-hematoma"
    (path,) = bundled_packs()["weakness"]
    assert resolve_packs([full, "weakness"]) == [Selected(path), Selected(path, frozenset({full}))]


def test_a_rule_of_a_user_s_file_is_found_beside_the_file(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_bytes(OWN)
    assert resolve_packs([own, "own/local-rule"])[1] == Selected(own, frozenset({"own/local-rule"}))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("weaknes", 'there is no pack or rule file "weaknes" (did you mean "weakness"?)'),
        ("weakness/excludes2-hematom", 'the pack "weakness" has no rule "excludes2-hematom" '
                                       '(did you mean "weakness/excludes2-hematoma"?)'),
        ("nowhere.yaml", 'there is no rule file "nowhere.yaml"'),
        ("", 'there is no pack or rule file ""'),
    ],
)  # fmt: skip
def test_an_unknown_name_is_answered_with_the_nearest(name, message):
    with pytest.raises(UnknownNameError) as caught:
        resolve_packs([name])
    assert str(caught.value).startswith(message)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="has no rule files"):
        resolve_packs([tmp_path])


def test_a_pack_in_several_files_is_chosen_by_one_name(tmp_path, monkeypatch):
    parts = [tmp_path / "big-a.yaml", tmp_path / "big-b.yaml"]
    parts[0].write_bytes(OWN.replace(b"pack: own", b"pack: big"))
    parts[1].write_bytes(OWN.replace(b"pack: own", b"pack: big").replace(b"local-rule", b"other-rule"))
    monkeypatch.setattr("weakcode.rules.library.packs_folder", lambda: tmp_path)
    assert resolve_packs(["big"]) == [Selected(part) for part in parts]
    assert resolve_packs(None) == [Selected(part) for part in parts]
    assert resolve_packs(["big/other-rule"]) == [Selected(parts[1], frozenset({"big/other-rule"}))]
    with pytest.raises(UnknownNameError, match='the pack "big" has no rule "third"'):
        resolve_packs(["big/third"])


@pytest.mark.parametrize("path", BUNDLED_FILES, ids=lambda path: path.stem)
def test_names_read_from_lines_are_those_that_the_loader_reads(path):
    content = read_bytes(path)
    loaded = load_pack(path)
    assert pack_name(content) == loaded.pack.pack
    assert rule_ids(content) == tuple(rule.id for rule in loaded.pack.rules)
    assert digest(content) == loaded.digest


def test_finding_packs_loads_no_reader_of_rule_files():
    code = (
        "import sys; from weakcode.rules import library as l; "
        "[l.digest(l.read_bytes(s.path)) for s in l.resolve_packs(['weakness', 'covid/post-covid-secondary-only'])]; "
        "print(sorted({'yaml', 'cattrs', 'lark'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
