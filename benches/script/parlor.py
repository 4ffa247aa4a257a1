"""Imports the small files of the invented chat program, as a script of one's own would.

    python parlor.py TREE DATABASE SCHEMA

It writes the rows that the mapping set `benches/parlor` makes, and checks and records nothing."""

import os
import sys

from shared import JSON, Rows, dumps, finish, instant, new_database, read


def desk(rows, _, it):
    theme, time = it["theme"], it["time"]
    rows.add(
        it["id"], it["name"], it["folder"], theme["colour"], theme["icon"], instant(time["created"]), instant(time["updated"])
    )


def talk(rows, _, it):
    model, sums, time = it["model"], it["sums"], it["time"]
    rows.add(
        it["id"], it["desk"], it["parent"], it["title"], model["maker"], model["name"], sums["added"], sums["removed"],
        sums["files"], instant(time["created"]), instant(time["updated"]),
    )


def turn(rows, _, it):
    get, model, place, time = it.get, it.get("model", {}), it["place"], it["time"]
    rows.add(
        it["id"], it["talk"], it["role"], model.get("maker"), model.get("name"), place["folder"], place["root"],
        as_json(get("use")), get("cacheKey"), get("finish"), instant(time["created"]), instant(time.get("finished")),
    )


def piece(rows, _, it):
    get, state = it.get, it.get("state", {})
    time, text = state.get("time", {}), it.get("text")
    rows.add(
        it["id"], it["turn"], it["talk"], it["kind"], state.get("output") if text is None else text, get("tool"), get("call"),
        state.get("status"), state.get("title"), as_json(state.get("input")), as_json(get("use")), get("price"), get("mark"),
        instant(time.get("start")), instant(time.get("end")),
    )


def plan(rows, name, items):
    for it in items:
        rows.add(name, it["number"], it["text"], it["state"], it["rank"])


def change(rows, name, items):
    for it in items:
        rows.add(name, it["path"], it["before"], it["after"], it["added"], it["removed"])


def grant(rows, _, it):
    time = it["time"]
    rows.add(
        it["id"], it["desk"], it["tool"], it["pattern"], it["answer"], instant(time["asked"]), instant(time["answered"])
    )


def bill(rows, _, it):
    rows.add(it["turn"], it["talk"], it["maker"], it["price"], dumps(it["use"]), instant(it["time"]["billed"]))


def as_json(value):
    return None if value is None else dumps(value)


KINDS = [
    (desk, "desks", "id name folder colour icon created_at updated_at"),
    (talk, "talks", "id desk_id parent_id title maker model added removed files created_at updated_at"),
    (turn, "turns", "id talk_id role maker model folder root amounts cache_key finish created_at finished_at"),
    (
        piece,
        "pieces",
        "id turn_id talk_id kind body tool call status title input amounts price mark started_at ended_at",
    ),
    (plan, "plans", "talk_id number text state rank"),
    (change, "changes", "talk_id path before after added removed"),
    (grant, "grants", "id desk_id tool pattern answer asked_at answered_at"),
    (bill, "bills", "turn_id talk_id maker price amounts billed_at"),
]


def files(folder):
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from files(entry.path)
            else:
                yield entry.name.removesuffix(".json"), entry.path


def main(tree, database, schema):
    conn = new_database(database, schema)
    for add, table, columns in KINDS:
        rows = Rows(conn, table, columns)
        folder = os.path.join(tree, "store", add.__name__)
        for name, path in files(folder) if os.path.isdir(folder) else ():
            add(rows, name, read(path))
        rows.flush()
    finish(conn, schema)
    print(JSON)


if __name__ == "__main__":
    main(*sys.argv[1:])
