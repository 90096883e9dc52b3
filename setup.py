"""What pyproject.toml cannot say: rules/ is shipped as the package weakcode.packs, and the kernel is C.

With WEAKCODE_LIMITED_API=1 the kernel keeps to the stable ABI: one wheel for Python 3.11 and every later one.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup

LIMITED = os.environ.get("WEAKCODE_LIMITED_API") == "1"
SOURCES = Path("src/weakcode/engines/kernel")
KERNEL = Extension(
    "weakcode.engines.kernel._kernel",
    sources=["src/weakcode/engines/kernel/_kernel.pyx"],
    depends=[path.as_posix() for path in sorted((*SOURCES.glob("*.h"), *SOURCES.glob("*.pxi")))],
    extra_compile_args=["-O3"],
    define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED else [],
    py_limited_api=LIMITED,
)

setup(
    packages=[*find_packages("src"), "weakcode.packs"],
    package_dir={"": "src", "weakcode.packs": "rules"},
    ext_modules=cythonize([KERNEL], build_dir="build"),
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
