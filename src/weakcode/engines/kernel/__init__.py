"""The native kernel: Cython over C headers."""
