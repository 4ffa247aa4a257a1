"""Writes what is built into the program: a bill of materials (CycloneDX 1.5, JSON), and the texts of all licences.

    packaging/bill.py --bill treelift.cdx.json --licences LICENSES.txt

Both are made of what cargo knows of the locked dependencies. A crate without the text of its licence is named as such.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse


def built_in():
    """The crates that are linked into the program, ours first, then by name."""
    machine = next(
        line.split()[1]
        for line in subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout.splitlines()
        if line.startswith("host:")
    )
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", machine]
    known = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in known["packages"]}
    nodes = {node["id"]: node for node in known["resolve"]["nodes"]}
    ours = known["resolve"]["root"]
    needs, waiting = {}, [ours]
    while waiting:
        one = waiting.pop()
        if one in needs:
            continue
        # Neither what only tests need, nor what only builds: `None` is the kind of a normal dependency.
        needs[one] = sorted(
            dep["pkg"] for dep in nodes[one]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])
        )
        waiting.extend(needs[one])
    order = sorted(needs, key=lambda one: (one != ours, packages[one]["name"], packages[one]["version"]))
    return [(packages[one], [packages[need] for need in needs[one]]) for one in order]


def reference(package):
    return f"pkg:cargo/{urllib.parse.quote(package['name'])}@{urllib.parse.quote(package['version'])}"


def expression(package):
    """The licence as SPDX writes it; older crates have a slash for OR."""
    return package["license"].replace("/", " OR ")


def component(package, kind):
    return {
        "type": kind,
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
        "licenses": [{"expression": expression(package)}],
    }


def bill(crates):
    (ours, _), others = crates[0], crates[1:]
    made = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), datetime.timezone.utc)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": component(ours, "application")},
        "components": [component(package, "library") for package, _ in others],
        "dependencies": [
            {"ref": reference(package), "dependsOn": [reference(need) for need in needs]} for package, needs in crates
        ],
    }


def texts(package):
    """The licences that lie in the folder of a crate."""
    folder = pathlib.Path(package["manifest_path"]).parent
    beginnings = ("licen", "copying", "unlicense", "notice")
    files = [path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(beginnings)]
    return {path.read_text(encoding="utf-8", errors="replace").strip() for path in sorted(files)}


def licences(crates):
    """Every text once, with the crates that it is of."""
    of_text, without = {}, []
    for package, _ in crates[1:]:
        found = texts(package)
        if not found:
            without.append(package)
        for text in sorted(found):
            of_text.setdefault(text, []).append(package)
    named = lambda package: f"{package['name']} {package['version']} ({expression(package)})"
    parts = ["What is built into treelift, and under which licences.\n"]
    parts += [f"  {named(package)}" for package, _ in crates[1:]]
    if without:
        parts += ["\nThese name their licence, and have no text of it:\n"] + [f"  {named(package)}" for package in without]
    for text, packages in sorted(of_text.items(), key=lambda item: item[1][0]["name"]):
        parts += ["\n" + "=" * 80, ", ".join(package["name"] for package in packages), "=" * 80 + "\n", text]
    return "\n".join(parts) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--bill", type=pathlib.Path, required=True)
    arguments.add_argument("--licences", type=pathlib.Path, required=True)
    given = arguments.parse_args()
    crates = built_in()
    given.bill.write_text(json.dumps(bill(crates), indent=2) + "\n", encoding="utf-8")
    given.licences.write_text(licences(crates), encoding="utf-8")
    print(f"{len(crates) - 1} crates are built in", file=sys.stderr)


if __name__ == "__main__":
    main()
