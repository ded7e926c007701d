"""What the product can do, measured on real servers beside what others would pick.

A benchmark is a module of this package with a function ``run(stage) -> Report``;
``python -m benchmarks <name>`` gives it a fresh PostgreSQL and a fresh broker,
prints its table and writes ``results/<name>.json``.
"""
