"""A Spark cluster of this machine: a master, two workers, and executors that are processes of their own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MASTER = "local-cluster[2,1,1024]"
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session on a cluster with two executors of one core, which have neither weakcode's cache nor its data."""
    pyspark = pytest.importorskip("pyspark", reason="needs the extra spark")
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        pytest.skip("needs Java 17 or later")
    from pyspark.sql import SparkSession

    nowhere = tmp_path_factory.mktemp("executors") / "a-file"
    nowhere.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_HOME", str(Path(pyspark.__file__).parent))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        # Else its settings would be those of whoever runs the tests.
        patch.setenv("SPARK_CONF_DIR", str(nowhere.parent))
        (nowhere.parent / "log4j2.properties").write_text("rootLogger.level = off\n")
        session = (
            SparkSession.builder.master(MASTER)
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "3")
            # One attempt more, so that what an attempt leaves that died can be seen.
            .config("spark.task.maxFailures", "2")
            # Short runs are over before better machine code would pay.
            .config("spark.driver.extraJavaOptions", QUICK)
            .config("spark.executor.extraJavaOptions", QUICK)
            .config("spark.sql.session.timeZone", "America/New_York")
            .config("spark.sql.warehouse.dir", str(nowhere.parent / "warehouse"))
            .config("spark.executorEnv.WEAKCODE_CACHE_DIR", str(nowhere / "cache"))
            .config("spark.executorEnv.WEAKCODE_DATA_DIR", str(nowhere / "data"))
            .getOrCreate()
        )
        yield session
        session.stop()
