"""What pyproject.toml cannot say: rules/ is shipped as the package weakcode.packs, and the kernel is C."""

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup

HEADERS = ("_grow", "_text", "_judge", "_tables", "_assemble", "_gather")
KERNEL = Extension(
    "weakcode.engines._kernel",
    sources=["src/weakcode/engines/_kernel.pyx"],
    depends=[f"src/weakcode/engines/{name}.h" for name in HEADERS],
    extra_compile_args=["-O3"],
)

setup(
    packages=[*find_packages("src"), "weakcode.packs"],
    package_dir={"": "src", "weakcode.packs": "rules"},
    ext_modules=cythonize([KERNEL], build_dir="build"),
)
