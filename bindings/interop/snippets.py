"""Compiles and runs the snippets of a page as they stand, in an office; what follows them as `text`
is what they must print.

usage: snippets.py COMMAND LANGUAGE PAGE… -- COMPILER… -- RUN…

`{}` in COMPILER and RUN stands for the file, or for the class that it defines. Either may be empty.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
POLICY = (
    '{"version":1,"name":"cards","grants":[{"to":["anyone"],"rights":["view","edit","print"]}],'
    '"duties":["watermark"]}'
)


def snippets(page, language):
    """Each with what it must print, or None."""
    text = pathlib.Path(page).read_text(encoding="utf-8")
    block = rf"^```{language}\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?"
    return re.findall(block, text, re.M | re.S)


def prepare(command, office):
    subprocess.run(["sh", HERE / "office.sh", command, office], check=True)
    (office / "cards.csv").write_text("name,phone\r\nKim,010-1\r\nLee,010-2\r\n")
    (office / "cards.json").write_text(POLICY)
    (office / "all-x25519.template").rename(office / "cards.template")
    for policy, to in (("cards", "cards.csv.bulla"), ("nobody", "night.csv.bulla")):
        run = [command, "--home", "issuer", "seal", "--policy", policy + ".json"]
        run += ["--to", "x25519/identity.pub", "cards.csv", "-o", to]
        subprocess.run(run, cwd=office, check=True, stdout=subprocess.DEVNULL)


def run(command, language, page, number, source, wanted, compiler, runner):
    with tempfile.TemporaryDirectory() as work:
        office = pathlib.Path(work) / "office"
        prepare(command, office)
        found = re.search(r"^public class (\w+)", source, re.M)
        name = found[1] if found else f"snippet.{language}"
        file = office / (name + ".java" if found else name)
        file.write_text(source, encoding="utf-8")
        environment = {**os.environ, "BULLA_HOME": str(office / "x25519")}
        told = ""
        for words, stands_for in ((compiler, file.name), (runner, name)):
            if not words:
                continue
            words = [word.replace("{}", stands_for) for word in words]
            done = subprocess.run(
                words, cwd=office, env=environment, stdout=subprocess.PIPE, text=True
            )
            if done.returncode != 0:
                sys.exit(f"{page}: snippet {number} in {language} fails")
            told = done.stdout
        if wanted and told != wanted:
            sys.exit(f"{page}: snippet {number} in {language} prints\n{told}not\n{wanted}")


def main(command, language, *rest):
    first = rest.index("--")
    second = rest.index("--", first + 1)
    for page in rest[:first]:
        found = snippets(page, language)
        if not found:
            sys.exit(f"{page} has no snippet in {language}")
        for number, (source, wanted) in enumerate(found, 1):
            compiler, runner = rest[first + 1 : second], rest[second + 1 :]
            run(command, language, page, number, source, wanted, compiler, runner)
        print(f"ok {page}: {len(found)} in {language}")


if __name__ == "__main__":
    main(*sys.argv[1:])
