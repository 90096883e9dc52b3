"""What pyproject.toml cannot say: rules/ is shipped as the package weakcode.packs, with what it is compiled to; sets of
codes, the kernel and the readers of 837 and FHIR are C.

With WEAKCODE_LIMITED_API=1 they keep to the stable ABI: one wheel for Python 3.11 and every later one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_py import build_py

LIMITED = os.environ.get("WEAKCODE_LIMITED_API") == "1"
# Python's own flags ask for debugging information (a third of the compiling time). CFLAGS overrule that.
FLAGS = ["-O3"] if os.environ.get("CFLAGS") else ["-O3", "-g0"]


def extension(folder: str, name: str) -> Extension:
    """Return the extension of a .pyx file, which is built again when a header or part of its folder changes."""
    sources = Path("src/weakcode", folder)
    return Extension(
        f"weakcode.{folder.replace('/', '.')}.{name}",
        sources=[(sources / f"{name}.pyx").as_posix()],
        depends=[path.as_posix() for path in sorted((*sources.glob("*.h"), *sources.glob("*.pxi")))],
        extra_compile_args=FLAGS,
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED else [],
        py_limited_api=LIMITED,
    )


# What takes longest comes first, so that it does not keep the others waiting at the end.
NATIVE = [
    extension("engines/kernel", "_kernel"),
    extension("scrub/read/x12", "_reader"),
    extension("codes", "_codeset"),
    extension("codes", "_tabular"),
    extension("scrub/read/fhir", "_claims"),
]


class BuildPython(build_py):
    """Compiles the bundled packs first, so that they are among the files of the package, and for editable installs."""

    def run(self) -> None:
        # Packs are compiled with native code, which is built first and lies beside its sources meanwhile.
        self.run_command("build_ext")
        lent = [shutil.copy(built, place) for built, place in self._missing()]
        try:
            self._compile_packs()
        finally:
            for path in lent:
                Path(path).unlink()
        super().run()

    def _missing(self) -> list[tuple[Path, Path]]:
        """Return what was built and has no place in the sources yet, with that place."""
        built = self.get_finalized_command("build_ext")
        paths = [(Path(built.get_ext_fullpath(one.name)), one.name) for one in self.distribution.ext_modules]
        places = [(path, Path("src", *name.split(".")[:-1]) / path.name) for path, name in paths]
        return [(path, place) for path, place in places if path.exists() and not place.exists()]

    def _compile_packs(self) -> None:
        compiler = [sys.executable, "-m", "weakcode.compile.ship"]
        # What an isolated build asked for is found by the path that it was given.
        path = os.pathsep.join(filter(None, (str(Path("src").resolve()), os.environ.get("PYTHONPATH"))))
        # This very Python, and a file of this folder.
        subprocess.run(compiler, check=True, env={**os.environ, "PYTHONPATH": path})  # noqa: S603


setup(
    cmdclass={"build_py": BuildPython},
    packages=[*find_packages("src"), "weakcode.packs"],
    package_dir={"": "src", "weakcode.packs": "rules"},
    ext_modules=cythonize(NATIVE, build_dir="build"),
    # The C of one module does not wait for that of another.
    options={"build_ext": {"parallel": True}, **({"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {})},
)
