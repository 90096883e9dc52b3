"""The recipes do what they say; what their schedulers do is run where these are installed."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from weakcode import Validator

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
CLAIMS = RECIPES.parent / "claims.csv"
DAY = "2026-11-28"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of claims, with those of one day, and of findings."""
    claims, findings = tmp_path / "claims", tmp_path / "findings"
    (claims / DAY).mkdir(parents=True)
    findings.mkdir()
    shutil.copy(CLAIMS, claims / DAY / "claims.csv")
    return claims, findings


def expected() -> list[str]:
    return sorted(one for batch in Validator().scrub(CLAIMS) for one in batch.column("finding_id").to_pylist())


def ids(path: Path) -> list[str]:
    return sorted(pq.read_table(path)["finding_id"].to_pylist())


def loaded(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"recipe_{Path(name).stem}", RECIPES / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands_of_airflow(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the commands of the DAG, which is loaded over stand-ins for Airflow's classes."""
    commands: dict[str, str] = {}

    class Dag:
        def __init__(self, **settings: Any) -> None:
            self.settings = settings

        def __enter__(self) -> Dag:
            return self

        def __exit__(self, *_: object) -> None: ...

    class Operator:
        def __init__(self, task_id: str, bash_command: str) -> None:
            commands[task_id] = bash_command

        def __rshift__(self, other: Any) -> Any:
            return other

    names = {"airflow.sdk": {"DAG": Dag}, "airflow.providers.standard.operators.bash": {"BashOperator": Operator}}
    for name, there in names.items():
        module = types.ModuleType(name)
        module.__dict__.update(there)
        monkeypatch.setitem(sys.modules, name, module)
    runpy.run_path(str(RECIPES / "airflow" / "weakcode_nightly.py"))
    return commands


def test_a_retried_task_of_airflow_leaves_one_copy(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    jinja2 = pytest.importorskip("jinja2", reason="needs the extra report")
    pytest.importorskip("vl_convert", reason="needs the extra report")
    claims, findings = folders
    commands = commands_of_airflow(monkeypatch)
    said = {"ds": DAY, "params": {"claims": str(claims), "findings": str(findings)}}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for task in ("scrub", "scrub", "report"):
        line = jinja2.Template(commands[task]).render(said)
        subprocess.run(["bash", "-ec", line], check=True, env={**os.environ, "PATH": path}, timeout=120)
    assert ids(findings / f"{DAY}.parquet") == expected()
    assert json.loads((findings / f"{DAY}.json").read_text())["run"]["id"] == f"nightly-{DAY}"
    assert sorted(one.name for one in findings.iterdir()) == sorted(
        [f"{DAY}.parquet", f"{DAY}.json", f"{DAY}-rejects.parquet", "report.html", "work-list.xlsx"]
    )


def test_airflow_takes_the_dag() -> None:
    models = pytest.importorskip("airflow.models.dagbag", reason="needs apache-airflow")
    bag = models.DagBag(str(RECIPES / "airflow"), include_examples=False)
    assert bag.import_errors == {}
    assert bag.dags["weakcode_nightly"].task_ids == ["scrub", "report"]


def test_dagster_materializes_the_findings_of_a_day_and_checks_them(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dagster = pytest.importorskip("dagster", reason="needs dagster")
    monkeypatch.setenv("CLAIMS", str(folders[0]))
    monkeypatch.setenv("FINDINGS", str(folders[1]))
    module = loaded("dagster/weakcode_assets.py")
    for _ in range(2):
        done = dagster.materialize([module.findings, module.no_errors], partition_key=DAY)
        assert done.success
    assert ids(folders[1] / f"{DAY}.parquet") == expected()
    (check,) = done.get_asset_check_evaluations()
    assert not check.passed
    assert check.metadata["errors"].value == 27


def test_the_model_of_dbt_has_the_findings_on_the_model_of_claims() -> None:
    database = duckdb.connect()
    sql = (RECIPES / "dbt" / "models" / "claims.sql").read_text()
    query = re.sub(r"\{\{.*?\}\}", str(CLAIMS), sql)
    database.execute(f"CREATE TABLE claims AS {query}")
    dbt = types.SimpleNamespace(config=lambda **_: None, ref=lambda name: database.table(name))
    found = loaded("dbt/models/findings.py").model(dbt, None)
    assert sorted(found["finding_id"].to_pylist()) == expected()
    database.execute("INSERT INTO claims (claim_id, codes) VALUES ('Smith', NULL)")
    with pytest.raises(ValueError, match=r"row 43 of claims is no claim \(codes\)"):
        loaded("dbt/models/findings.py").model(dbt, None)


def test_dbt_builds_and_tests_the_models(tmp_path: Path) -> None:
    pytest.importorskip("dbt.adapters.duckdb", reason="needs dbt-core and dbt-duckdb")
    project = tmp_path / "project"
    shutil.copytree(RECIPES / "dbt", project)
    settings = {"CLAIMS": str(CLAIMS), "DUCKDB_FILE": str(tmp_path / "claims.duckdb"), "DO_NOT_TRACK": "1"}
    run = "import sys; from dbt.cli.main import cli; sys.argv[0] = 'dbt'; cli()"
    done = subprocess.run(
        [sys.executable, "-c", run, "build", "--project-dir", str(project), "--profiles-dir", str(project)],
        capture_output=True,
        text=True,
        env={**os.environ, **settings},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "WARN=1" in done.stdout, "the test of errors warns"
    found = duckdb.connect(settings["DUCKDB_FILE"]).execute("SELECT finding_id FROM findings").fetchall()
    assert sorted(one for (one,) in found) == expected()


def test_the_bundle_of_databricks_gives_its_script_what_it_takes() -> None:
    bundle = yaml.safe_load((RECIPES / "databricks" / "databricks.yml").read_text())
    (task,) = bundle["resources"]["jobs"]["nightly"]["tasks"]
    script = task["spark_python_task"]
    assert (RECIPES / "databricks" / script["python_file"]).is_file()
    takes = list(inspect.signature(loaded("databricks/job.py").run).parameters)
    assert len(script["parameters"]) == len(takes[1:]) == 3


def pods() -> list[Mapping[str, Any]]:
    """Return what the pods of the job and of the nightly job are to be."""
    job, cron = (yaml.safe_load((RECIPES / "kubernetes" / f"{name}.yaml").read_text()) for name in ("job", "cronjob"))
    assert (job["apiVersion"], job["kind"], cron["kind"]) == ("batch/v1", "Job", "CronJob")
    assert cron["spec"]["jobTemplate"]["spec"] == job["spec"]
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    return [job["spec"]["template"]["spec"], cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]]


def test_pods_are_not_root_and_write_into_their_volumes_alone() -> None:
    for pod in pods():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] >= 1000
        assert pod["restartPolicy"] == "Never"
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"]
        assert not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        assert set(mounts) == {"/claims", "/findings", "/tmp"}
        assert mounts["/claims"]["readOnly"]
        assert {mount["name"] for mount in mounts.values()} == {volume["name"] for volume in pod["volumes"]}


def test_the_command_of_the_pods_can_be_run_again_and_its_status_fails_the_job_where_it_should(
    folders: tuple[Path, Path],
) -> None:
    (container,) = pods()[0]["containers"]
    places = dict(zip(("/claims", "/findings"), map(str, folders), strict=True))
    arguments = [re.sub(r"^/(claims|findings)", lambda found: places[found[0]], one) for one in container["args"]]
    weakcode = str(Path(sys.executable).parent / container["command"][0])
    for _ in range(2):
        subprocess.run([weakcode, *arguments], check=True, timeout=120)
    assert ids(folders[1] / "findings.parquet") == expected()
    (folders[0] / DAY / "claims.csv").write_text("claim_id,codes\nA,I10\nB,\n")
    job = yaml.safe_load((RECIPES / "kubernetes" / "job.yaml").read_text())["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    over = subprocess.run([weakcode, *arguments], check=False, capture_output=True, timeout=120).returncode
    assert over in rule["onExitCodes"]["values"]
    assert ids(folders[1] / "findings.parquet") == expected(), "yesterday's findings stay"


def test_the_container_is_asked_to_be_read_only_without_a_network(folders: tuple[Path, Path], tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 3\n')
    engine.chmod(0o755)
    script = RECIPES / "container" / "scrub.sh"
    environment = {**os.environ, "ENGINE": str(engine), "IMAGE": "ours:1"}
    done = subprocess.run(
        ["sh", str(script), *map(str, folders)], env=environment, capture_output=True, text=True, check=False
    )
    asked = done.stdout.splitlines()
    assert done.returncode == 3, "the status of the command is that of the script"
    assert {"--read-only", f"{folders[0]}:/claims:ro", f"{folders[1]}:/findings", "ours:1"} <= set(asked)
    assert asked[asked.index("--network") + 1] == "none"
    assert asked[asked.index("--entrypoint") + 1] == "weakcode"
    arguments = asked[asked.index("ours:1") + 1 :]
    places = {"/claims": str(folders[0]), "/findings": str(folders[1])}
    local = [re.sub(r"^/(claims|findings)", lambda found: places[found[0]], one) for one in arguments]
    subprocess.run([str(Path(sys.executable).parent / "weakcode"), *local], check=True, timeout=120)
    assert ids(folders[1] / "findings.parquet") == expected()


def test_the_schemas_on_the_way_from_837_to_findings_have_what_the_page_says() -> None:
    from weakcode.schemas import schema
    from weakcode.scrub.schema import findings_schema
    from weakcode.scrub.write.rejects import REJECTS_COLUMNS

    page = (RECIPES.parents[1] / "docs" / "recipes.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| `?([^|`]*)`? \| `?([^|`]*)`? \|$", page, re.MULTILINE)
    assert len(rows) > 8
    claim, table = schema("claim")["properties"], pa.schema(findings_schema()).names
    for field, _, _, column in rows:
        assert field in claim, field
        assert column in (*table, "none"), column
    assert ", ".join(f"`{name}`" for name in REJECTS_COLUMNS) in page
