"""What pyproject.toml cannot say: rules/ is shipped as the package weakcode.packs, and the kernel is C."""

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup

KERNEL = Extension(
    "weakcode.engines._kernel",
    sources=["src/weakcode/engines/_kernel.pyx"],
    depends=["src/weakcode/engines/_kernel.h", "src/weakcode/engines/_assemble.h"],
    extra_compile_args=["-O3"],
)

setup(
    packages=[*find_packages("src"), "weakcode.packs"],
    package_dir={"": "src", "weakcode.packs": "rules"},
    ext_modules=cythonize([KERNEL], build_dir="build"),
)
