"""As c/interop.c says."""

import pathlib
import shutil
import sys

import bulla


def seal(session, template, *files):
    text = pathlib.Path(template).read_text()
    with bulla.Sealer.from_template(session, text) as sealer:
        for source, to in zip(files[::2], files[1::2]):
            with open(source, "rb") as plain, sealer.begin(to) as sealed:
                shutil.copyfileobj(plain, sealed)


def open_(session, *files):
    for source, to in zip(files[::2], files[1::2]):
        with session.open(source) as sealed, open(to, "wb") as plain:
            shutil.copyfileobj(sealed, plain)


def deny(session, path):
    try:
        session.open(path).close()
    except bulla.DeniedError as error:
        print(f"{error.code:d}\t{error.name}")
        for reason in error.reasons:
            print(f"{reason['failed']}\t{reason['cause']}")
        return 3
    return 2


def main(verb, home, *rest):
    with bulla.Session(home) as session:
        return {"seal": seal, "open": open_, "deny": deny}[verb](session, *rest)


try:
    sys.exit(main(*sys.argv[1:]))
except bulla.Error as error:
    print(f"{error.code:d}\t{error.name}", file=sys.stderr)
    sys.exit(1)
