"""What pyproject.toml cannot say: rules/ is shipped as the package weakcode.packs, and the kernel is C."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup

SOURCES = Path("src/weakcode/engines/kernel")
KERNEL = Extension(
    "weakcode.engines.kernel._kernel",
    sources=["src/weakcode/engines/kernel/_kernel.pyx"],
    depends=[path.as_posix() for path in sorted((*SOURCES.glob("*.h"), *SOURCES.glob("*.pxi")))],
    extra_compile_args=["-O3"],
)

setup(
    packages=[*find_packages("src"), "weakcode.packs"],
    package_dir={"": "src", "weakcode.packs": "rules"},
    ext_modules=cythonize([KERNEL], build_dir="build"),
)
