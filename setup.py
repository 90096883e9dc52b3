"""What pyproject.toml cannot say: rules/ is shipped as the package weakcode.packs; the kernel and the 837 reader are C.

With WEAKCODE_LIMITED_API=1 they keep to the stable ABI: one wheel for Python 3.11 and every later one.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup

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


NATIVE = [extension("engines/kernel", "_kernel"), extension("scrub/read/x12", "_reader")]

setup(
    packages=[*find_packages("src"), "weakcode.packs"],
    package_dir={"": "src", "weakcode.packs": "rules"},
    ext_modules=cythonize(NATIVE, build_dir="build"),
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
