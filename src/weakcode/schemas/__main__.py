"""`python -m weakcode.schemas`: write the schemas again."""

from weakcode.schemas import write

for path in write():
    print(path)  # noqa: T201
