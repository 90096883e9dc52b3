"""Files that a profile names: below its folder or a given root, and not repeated where they are something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from weakcode import RuleFileError, Validator, WeakcodeError
from weakcode.cli import main
from weakcode.rules.load import load_pack
from weakcode.rules.profileload import load_profile
from weakcode.rules.waivers import load_waivers

SECRETS = {
    "shadow": "root:$6$hunter2:19000:0:99999:7:::\nhunter3:*:19000::::::\n",
    "env.yaml": "AWS_SECRET: hunter2\nhunter3: [hunter4]\n",
    "compose.yaml": "name: hunter2\nservices: {hunter3: {image: hunter4}}\n",
    "broken.yaml": "password: hunter2: hunter3\n  - hunter4: %hunter5\n",
    "anchors.yaml": "hunter2: &hunter3 x\nhunter4: *hunter5\n",
    "key.json": '{"hunter2": "hunter3", "name": {"hunter4": 1}, "private_key": "hunter5"}',
    "table.csv": "hunter2,hunter3\nhunter4,hunter5\n",
    "bytes.bin": "hunter2\x00hunter3",
}


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    """A folder of a tenant, with secrets beside it and in it."""
    folder = tmp_path / "tenant"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "base.yaml").write_text("name: base\nrules: {icd10cm/excludes1: warning}\n")
    (folder / "own" / "rules.yaml").write_text((Path(__file__).parents[2] / "rules" / "weakness.yaml").read_text())
    for name, content in SECRETS.items():
        (tmp_path / name).write_text(content)
        (folder / name).write_text(content)
    (tmp_path / "base.yaml").write_text("name: outside\n")
    (folder / "link.yaml").symlink_to(tmp_path / "base.yaml")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "own" / "link.yaml").symlink_to(tmp_path / "env.yaml")
    return folder


def refusal(folder: Path, text: str) -> str:
    path = folder / "profile.yaml"
    path.write_text(f"name: tenant\n{text}\n")
    with pytest.raises(WeakcodeError) as caught:
        Validator(profile=path)
    return str(caught.value)


OUTSIDE = [
    "../base.yaml",
    "../base",
    "/etc/shadow",
    "/etc/nothing-is-here",
    "own/../../base.yaml",
    "link.yaml",
    "linked/base.yaml",
]


def test_what_a_profile_names_stands_below_its_folder_symbolic_links_resolved(tenants: Path) -> None:
    for name in OUTSIDE:
        for text in (f"extends: {name}", f"extra_rules: [{name}]", f"packs: [weakness, {name}]"):
            said = refusal(tenants, text)
            assert f'"{name}" leads out of the profile' in said, (name, text)
            assert said.startswith(f"{tenants / 'profile.yaml'}:2:")
    assert '"own" leads out' in refusal(tenants, "packs: [own]")  # one of its files is a link
    assert "the character U+0000" in refusal(tenants, r'extends: "a\0b"')
    (tenants / "own" / "far.yaml").write_text("name: far\nextends: ../../base.yaml\n")
    assert f"{tenants / 'own' / 'far.yaml'}:2:10:" in refusal(tenants, "extends: own/far.yaml")


def test_what_stands_below_is_read_and_bundled_packs_go_by_their_names(tenants: Path) -> None:
    (tenants / "own" / "link.yaml").unlink()
    path = tenants / "profile.yaml"
    path.write_text("name: tenant\nextends: own/base\npacks: [icd10cm, own/rules.yaml]\n")
    assert {rule.pack for rule in Validator(profile=path).rules} == {"icd10cm", "weakness"}
    inner = tenants / "own" / "inner.yaml"
    inner.write_text("name: inner\nextends: ../profile.yaml\n")
    with pytest.raises(RuleFileError, match="leads out"):
        load_profile(inner)
    for validator in (Validator(profile=inner, root=tenants), Validator(profile=load_profile(inner, tenants))):
        assert {rule.pack for rule in validator.rules} == {"icd10cm", "weakness"}
    done = CliRunner().invoke(main, ["check", "I10", "--profile", str(inner), "--profiles-root", str(tenants)])
    assert done.exit_code == 0, done.output


def test_a_file_that_is_something_else_is_not_repeated(tenants: Path) -> None:
    (tenants / "own" / "link.yaml").unlink()
    for name in SECRETS:
        for text in (f"extends: {name}", f"extra_rules: [{name}]", f"packs: [{name}]"):
            said = refusal(tenants, text)
            assert "hunter" not in said, (name, text, said)
            assert name in said
        for load in (load_profile, load_pack, load_waivers):
            with pytest.raises(WeakcodeError) as caught:
                load(tenants / name)
            assert "hunter" not in str(caught.value), (name, load, caught.value)


def test_a_slip_in_a_profile_is_still_reported(tenants: Path) -> None:
    (tenants / "near.yaml").write_text("name: near\nruels: {icd10cm/excludes1: warning}\n")
    assert '"ruels" is not a key of a profile (did you mean "rules"?)' in refusal(tenants, "extends: near.yaml")


def test_files_without_an_end_are_one_sentence(tenants: Path) -> None:
    huge = tenants / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    for load in (load_profile, load_pack, load_waivers):
        for path in (huge, Path("/dev/zero"), tenants):
            with pytest.raises(
                WeakcodeError, match=r"cannot be read: (it is larger than 33,554,432 bytes|is a directory)"
            ):
                load(path)
    assert "larger than" in refusal(tenants, "extra_rules: [huge.yaml]")


def test_files_that_a_rule_file_is_read_together_with_stand_there_too(tenants: Path) -> None:
    (tenants / "own" / "link.yaml").unlink()
    shared = tenants / "own" / "_sources.yaml"
    shared.symlink_to(tenants.parent / "env.yaml")
    for text in ("extra_rules: [own/rules.yaml]", "packs: [own]", "packs: [own/rules.yaml]"):
        assert "leads out" in refusal(tenants, text)
    shared.unlink()
    shared.write_text(SECRETS["env.yaml"])
    assert "hunter" not in refusal(tenants, "extra_rules: [own/rules.yaml]")
