"""What pyproject.toml cannot say: rules/ is shipped as the package weakcode.packs, with what it is compiled to; sets of
codes, the kernel and the readers of 837 and FHIR are C.

With WEAKCODE_LIMITED_API=1 they keep to the stable ABI: one wheel for Python 3.11 and every later one.
"""

import os
import subprocess
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_py import build_py

LIMITED = os.environ.get("WEAKCODE_LIMITED_API") == "1"


def extension(folder: str, name: str) -> Extension:
    """Return the extension of a .pyx file, which is built again when a header or part of its folder changes."""
    sources = Path("src/weakcode", folder)
    return Extension(
        f"weakcode.{folder.replace('/', '.')}.{name}",
        sources=[(sources / f"{name}.pyx").as_posix()],
        depends=[path.as_posix() for path in sorted((*sources.glob("*.h"), *sources.glob("*.pxi")))],
        extra_compile_args=["-O3"],
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED else [],
        py_limited_api=LIMITED,
    )


NATIVE = [
    extension("codes", "_codeset"),
    extension("engines/kernel", "_kernel"),
    extension("scrub/read/fhir", "_claims"),
    extension("scrub/read/x12", "_reader"),
]


class BuildPython(build_py):
    """Compiles the bundled packs first, so that they are among the files of the package, and for editable installs."""

    def run(self) -> None:
        compiler = [sys.executable, "-m", "weakcode.compile.ship"]
        # What an isolated build asked for is found by the path that it was given.
        path = os.pathsep.join(filter(None, (str(Path("src").resolve()), os.environ.get("PYTHONPATH"))))
        # This very Python, and a file of this folder.
        subprocess.run(compiler, check=True, env={**os.environ, "PYTHONPATH": path})  # noqa: S603
        super().run()


setup(
    cmdclass={"build_py": BuildPython},
    packages=[*find_packages("src"), "weakcode.packs"],
    package_dir={"": "src", "weakcode.packs": "rules"},
    ext_modules=cythonize(NATIVE, build_dir="build"),
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
