"""The one thing pyproject.toml cannot say: the packs in rules/ are shipped as the package weakcode.packs."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages("src"), "weakcode.packs"],
    package_dir={"": "src", "weakcode.packs": "rules"},
)
