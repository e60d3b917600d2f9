"""As c/interop.c says, by the command. BULLA is its path."""

import json
import os
import subprocess
import sys


def bulla(home, *arguments):
    program = [os.environ["BULLA"], "--home", home, "--json", *arguments]
    done = subprocess.run(program, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    error = next(
        told["error"] for told in map(json.loads, done.stdout.splitlines()) if "error" in told
    )
    print(f"{error['number']}\t{error['code']}", file=sys.stderr)
    return error


def main(verb, home, *rest):
    if verb == "deny":
        error = bulla(home, "open", rest[0], "-o", rest[0] + ".plain")
        if not error or not error.get("decision"):
            return 1
        print(f"{error['number']}\t{error['code']}")
        for reason in error["decision"]["refused"]:
            print(f"{reason['failed']}\t{reason['cause']}")
        return 3
    options = []
    if verb == "seal":
        options, rest = ["--template", rest[0]], rest[1:]
    for source, to in zip(rest[::2], rest[1::2]):
        if bulla(home, verb, *options, source, "-o", to):
            return 1
    return 0


sys.exit(main(*sys.argv[1:]))
