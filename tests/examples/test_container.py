"""The container is built from the wheel and judges, where there is an engine for containers and the image below it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "examples" / "container" / "Dockerfile"
TAG = "weakcode-of-the-tests"


def _run(*words: str, seconds: int = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False, cwd=ROOT)


def _engine() -> str:
    """Return an engine that can build without a network, or skip with what is missing."""
    found = [name for name in ("podman", "docker") if shutil.which(name)]
    if not found:
        pytest.skip("needs podman or docker")
    running = next((name for name in found if _run(name, "info").returncode == 0), None)
    if running is None:
        pytest.skip(f"{' and '.join(found)} cannot run containers here; {found[0]} info says why")
    python = re.search(r"^ARG PYTHON=(\S+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert python is not None
    image = f"python:{python[1]}-slim"
    if _run(running, "image", "inspect", image).returncode:
        pytest.skip(f"needs the image {image} on this machine; {running} pull {image} gets it")
    if not list((ROOT / "dist").glob("weakcode-*.whl")):
        pytest.skip("needs the wheel; make dist builds it")
    return running


def test_every_file_that_the_image_takes_is_there_or_built_by_make_dist() -> None:
    taken = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert taken
    for name in (one for line in taken for one in line.split()):
        assert name == "dist/*.whl" or (ROOT / name).is_file(), name


@pytest.mark.attack
def test_the_image_is_built_and_judges_on_a_file_system_that_is_read_only() -> None:
    engine = _engine()
    built = _run(engine, "build", "--file", str(DOCKERFILE), "--tag", TAG, str(ROOT), seconds=600)
    assert built.returncode == 0, built.stderr[-2000:]
    confined = ("--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none")
    done = _run(engine, "run", *confined, TAG, "check", "R65.20", "A41.9", "--format", "json", seconds=60)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["findings"]
    refused = _run(engine, "run", *confined, TAG, seconds=60)
    assert refused.returncode == 2
    assert "token" in refused.stderr
