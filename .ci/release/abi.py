"""The ABI that bulla.h promises, one fact a line: functions with their types, members of structs with
where they lie, callbacks, constants. Read by libclang for 64-bit Linux and Windows.

usage: abi.py list HEADER: prints the facts
       abi.py compare OLD NEW, two such lists: fails if a fact of the old one no longer holds while
       the version of the ABI is the same. New facts are welcome: structs start with their size, and
       so may grow at their ends
"""

import subprocess
import sys

SYSTEMS = {"linux": "x86_64-linux-gnu", "windows": "x86_64-w64-windows-gnu"}
VERSION = "constant BULLA_ABI_VERSION "


def parse(header, system):
    from clang import cindex

    resources = subprocess.run(["clang", "-print-resource-dir"], check=True, stdout=subprocess.PIPE, text=True)
    arguments = ["-x", "c", "-std=c11", "-ffreestanding", f"--target={system}",
                 "-resource-dir", resources.stdout.strip()]
    unit = cindex.Index.create().parse(
        header, arguments, options=cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)
    if unit.diagnostics:
        sys.exit("\n".join(str(said) for said in unit.diagnostics))
    return [node for node in unit.cursor.get_children()
            if node.location.file and node.location.file.name == header]


def facts(header, system):
    from clang.cindex import CursorKind, TypeKind

    for node in parse(header, system):
        canonical = node.type.get_canonical()
        if node.kind == CursorKind.FUNCTION_DECL:
            yield f"function {node.spelling}: {canonical.spelling}"
        elif node.kind == CursorKind.TYPEDEF_DECL and canonical.kind == TypeKind.POINTER:
            yield f"callback {node.spelling}: {canonical.spelling}"
        elif node.kind == CursorKind.STRUCT_DECL and node.is_definition():
            for member in canonical.get_fields():
                kind = member.type.get_canonical()
                at = canonical.get_offset(member.spelling) // 8
                yield f"member {node.spelling}.{member.spelling}: {kind.spelling}, {kind.get_size()} bytes at {at}"
        elif node.kind == CursorKind.MACRO_DEFINITION:
            _, *value = (token.spelling for token in node.get_tokens())
            if value and not value[0].startswith("__") and value[0] != "_Check_return_":
                yield f"constant {node.spelling} {' '.join(value)}"


def list_facts(header):
    """Those of both systems without a name before them; the others with it."""
    found = {name: set(facts(header, system)) for name, system in SYSTEMS.items()}
    both = set.intersection(*found.values())
    lines = sorted(both) + sorted(f"{name}: {fact}" for name in found for fact in found[name] - both)
    if not any(line.startswith("function") for line in lines):
        sys.exit(f"abi: no functions in {header}")
    print("\n".join(lines))


def compare(old, new):
    """Lists what broke."""
    old, new = (open(path, encoding="utf-8").read().splitlines() for path in (old, new))
    version = [{line for line in lines if line.startswith(VERSION)} for lines in (old, new)]
    if len(version[0]) != 1 or len(version[1]) != 1:
        sys.exit("abi: a list without the version of the ABI")
    gone = [line for line in old if line not in set(new)]
    if version[0] != version[1]:
        print(f"abi: another version, {len(gone)} facts are no longer")
    elif gone:
        sys.exit("abi: these no longer hold, and BULLA_ABI_VERSION is the same:\n" + "\n".join(gone))
    else:
        print(f"abi: all {len(old)} facts still hold, {len(new) - len(old)} are new")


if __name__ == "__main__":
    {"list": list_facts, "compare": compare}[sys.argv[1]](*sys.argv[2:])
