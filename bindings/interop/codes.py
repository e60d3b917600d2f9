"""Fails when a wrapper lacks an error code of bulla.h, or has one of its own.

usage: codes.py LIBRARY
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: The class of a code, and what the wrappers call it.
CLASSES = {
    "argument": "ArgumentError",
    "io": "IoError",
    "format": "FormatError",
    "tampered": "TamperedError",
    "denied": "DeniedError",
    "state": "StateError",
    "internal": "InternalError",
}
CPP = """
#include <bulla.hpp>
#include <cstdio>
#include <cstdlib>
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        bulla::error e(std::atoi(argv[i]), "");
        std::printf("%d %s %d %d\\n", e.code(), e.name(), e.is_denied(), e.is_tampered());
    }
}
"""


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def header():
    """Name to number, as the header has them."""
    found = re.findall(r"^#define BULLA_(OK|E_\w+) (\d+)$", text("include/bulla.h"), re.M)
    return {name.removeprefix("E_"): int(number) for name, number in found}


def python():
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(ROOT / "bindings/python"))
    from bulla import errors

    for code in errors.Code:
        if code:
            kind = CLASSES[class_of(code)]
            made = errors.of(code, "", "")
            assert isinstance(made, getattr(errors, kind)), f"Python: {code!r} is no {kind}"
    return {code.name: int(code) for code in errors.Code}


def java():
    found = re.findall(
        r"^    ([A-Z_]+)\((\d+)\)[,;]$", text("bindings/java/src/bulla/Code.java"), re.M
    )
    return {name: int(number) for name, number in found}


def csharp():
    source = re.search(r"enum BullaCode\s*\{(.*?)\n    \}", text(CSHARP), re.S)[1]
    found = re.findall(r"^\s*([A-Z]\w*) = (\d+),?$", source, re.M)
    return {re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper(): int(n) for name, n in found}


def cpp(library):
    """C++ has the header's own; what it adds must fit each of them."""
    codes = header()
    with tempfile.TemporaryDirectory() as work:
        program = work + "/codes"
        subprocess.run(
            ["c++", "-std=c++17", "-o", program, f"-I{ROOT}/include", "-x", "c++", "-"]
            + ["-x", "none", library],
            input=CPP,
            text=True,
            check=True,
        )
        (pathlib.Path(work) / "libbulla.so.0").symlink_to(library)
        told = subprocess.run(
            [program, *map(str, codes.values())],
            env={"LD_LIBRARY_PATH": work},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    lines = told.splitlines()
    assert len(lines) == len(codes)
    for (name, number), line in zip(codes.items(), lines):
        kind = class_of(number) if number else ""
        stable = name.lower().replace("_", "-")
        wanted = f"{number} {stable} {kind == 'denied':d} {kind == 'tampered':d}"
        assert line == wanted, f"C++: {line!r}, not {wanted!r}"
    return codes


def class_of(number):
    """By the hundreds, as docs/c-abi.md says."""
    hundreds = ["argument", "io", "format", "tampered", "denied", "state"]
    return hundreds[number // 100] if number < 600 else "internal"


CSHARP = "bindings/csharp/src/BullaCode.cs"


def main(library):
    wanted = header()
    wrappers = {"C++": lambda: cpp(library), "Python": python, "Java": java}
    if (ROOT / CSHARP).exists():
        wrappers["C#"] = csharp
    bad = 0
    for language, mapped in wrappers.items():
        codes = mapped()
        for name in wanted.keys() - codes.keys():
            print(f"{language} does not know BULLA_E_{name}", file=sys.stderr)
            bad = 1
        for name, number in codes.items():
            if wanted.get(name) != number:
                print(f"{language}: {name} is {number}, not {wanted.get(name)}", file=sys.stderr)
                bad = 1
    if not bad:
        print(f"codes: {len(wanted)} in {', '.join(wrappers)}")
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
