"""Takes spellings out of the dialects, one at a time, and asks whether a test of theirs notices.

Run by `make mutation`. Every statement of a dialect that reads something is a mutant, and so is every
spelling of those that read several. It ends with status 1 and a list when a mutant has survived.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parent.parent
TESTS = ("tests/unit/test_matrix.py", "tests/unit/test_dialects.py", "tests/unit/test_bodies.py")
WORKERS = 2
SECONDS = 120


@dataclass(frozen=True)
class Mutant:
    """A dialect's file with one thing taken out."""

    path: Path
    line: int
    removed: str
    source: str


def mutants(path: Path) -> Iterator[Mutant]:
    """All that can be taken out of one file."""
    source = (ROOT / path).read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.YieldFrom):
            whole = ast.get_source_segment(source, node) or ""
            yield Mutant(path, node.lineno, whole, _with(source, node, "yield from ()"))
            yield from _without_a_spelling(path, source, node.value.value)


def _without_a_spelling(path: Path, source: str, call: ast.expr) -> Iterator[Mutant]:
    if not isinstance(call, ast.Call):
        return
    spellings = [one for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    for spelling in spellings if len(spellings) > 1 else ():
        fewer = ast.Call(call.func, [one for one in call.args if one is not spelling], call.keywords)
        yield Mutant(path, spelling.lineno, repr(spelling.value), _with(source, call, ast.unparse(fewer)))


def _with(source: str, node: ast.expr | ast.stmt, replacement: str) -> str:
    """The source with another text in a node's place. Offsets of ast count bytes."""
    lines = source.encode().splitlines(keepends=True)
    starts = [sum(map(len, lines[:index])) for index in range(len(lines))]
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[node.end_lineno - 1] + node.end_col_offset
    whole = source.encode()
    return (whole[:begin] + replacement.encode() + whole[end:]).decode()


def survives(mutant: Mutant, copy: Path) -> bool:
    """Whether the tests pass on a copy of the project with this mutant in it."""
    target = copy / mutant.path
    original = target.read_text()
    target.write_text(mutant.source)
    try:
        command = [
            sys.executable,
            "-B",
            "-m",
            "pytest",
            "-q",
            "-x",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            *TESTS,
        ]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=SECONDS, check=False
        )
        return done.returncode == 0
    finally:
        target.write_text(original)


def main() -> int:
    """Try every mutant; 1 when one has survived."""
    paths = sorted(path.relative_to(ROOT) for path in (ROOT / "litellm_imagegen" / "dialects").glob("*.py"))
    found = [mutant for path in paths for mutant in mutants(path)]
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(WORKERS) as pool:
        copies: Queue[Path] = Queue()
        for number in range(WORKERS):
            copy = Path(directory) / str(number)
            ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis")
            shutil.copytree(ROOT, copy, ignore=ignored)
            copies.put(copy)

        def tried(mutant: Mutant) -> bool:
            copy = copies.get()
            try:
                return survives(mutant, copy)
            finally:
                copies.put(copy)

        untouched = Mutant(paths[0], 0, "nothing", (ROOT / paths[0]).read_text())
        if not tried(untouched):
            print("the tests fail on the project as it is")
            return 1
        outcomes = list(pool.map(tried, found))
    survivors = [mutant for mutant, lives in zip(found, outcomes, strict=True) if lives]
    for mutant in survivors:
        print(f"{mutant.path}:{mutant.line}: nobody misses {mutant.removed}")
    print(f"{len(found)} mutants, {len(survivors)} survived")
    return 1 if survivors or not found else 0


if __name__ == "__main__":
    sys.exit(main())
