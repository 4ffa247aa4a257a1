"""Imports a generated V1 tree the way one would who writes a script for it.

    python fossawork.py TREE DATABASE SCHEMA

It writes the rows that the mapping set `fossawork` makes of such a tree, with the same ids, into the same
tables, indexes and full text. What it leaves out: credentials stay in plaintext, nothing is checked or
recorded, and what the generated tree does not have (other shapes, second folders, damage) it does not know.
"""

import hashlib
import os
import re
import sys
from datetime import datetime, timezone
from functools import lru_cache

from shared import JSON, Rows, dumps, finish, instant, new_database, read

NAMESPACE = bytes.fromhex("6f0b6f5e4c535c0e9f0e0d9b1a7c2e11")
CITY = re.compile(r"^.+\s[A-Z]{2}\s\d{5}(-?\d{4})?$")
COUNTY = re.compile(r"^.*\s[A-Z]{2}\s\d{5}(?:-?\d{4})?\s+(\S.* County)$")
HOST = re.compile(r"^https?://[^/?#\s]+", re.IGNORECASE)
CREATED = re.compile(r"([^<>•\n]+) • (\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d)([ap])m")
REASON = re.compile(r"(?:^|[>\n])\s*Reason\s*:\s*([^<>\s:][^<>\n]{0,199})(?:[<\n]|$)")
TITLE = re.compile(r"^(.+?)(?: - |$)")


def main(tree, database, schema):
    conn = new_database(database, schema)
    started = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
    tables = make_tables(conn)
    people = read(os.path.join(tree, "users", "users.json"))
    for person in people:
        add_person(tables, person, started)
    add_settings(tables, read(os.path.join(tree, "settings.json")), {person["id"] for person in people}, started)
    for person in people:
        folder = os.path.join(tree, "users", person["id"])
        orders = {}
        scrapes = [read(os.path.join(folder, name)) for name in ("scraped_content.json", "scraped_content.previous.json")]
        scrapes.sort(key=lambda scrape: scrape["metadata"]["timestamp"], reverse=True)
        for scrape in scrapes:
            add_orders(tables, person["id"], scrape, orders)
        add_dispensers(tables, person["id"], read(os.path.join(folder, "dispenser_store.json")), orders)
        add_preferences(tables, person["id"], read(os.path.join(folder, "email_settings.json")))
        add_activities(tables, person["id"], read(os.path.join(folder, "activity_log.json")))
    for rows in tables.values():
        rows.flush()
    finish(conn, schema)
    print(JSON)


def make_tables(conn):
    columns = {
        "users": "id email label friendly_name configured_email last_used created_at updated_at notification_settings preferences_json",
        "user_credentials": "user_id service_name encrypted_username encrypted_password is_active is_verified created_at updated_at",
        "user_preferences": "user_id category settings created_at updated_at",
        "user_sessions": "user_id is_active created_at updated_at",
        "global_settings": "setting_key setting_value created_at updated_at",
        "user_activities": "user_id username activity_type details created_at",
        "user_dispenser_data": "user_id work_order_id visit_id dispenser_data meta_data created_at updated_at",
        "work_orders": "id user_id external_id site_name address scheduled_date status scraped_data store_number service_code"
        " service_description visit_id visit_url visit_number instructions service_name service_items street city_state county"
        " created_date created_by customer_url last_synced_at sync_status sync_retry_count created_at updated_at",
        "dispensers": "id work_order_id dispenser_number dispenser_type fuel_grades status progress_percentage form_data"
        " automation_completed make model serial_number meter_type number_of_nozzles created_at updated_at",
    }
    return {table: Rows(conn, table, names) for table, names in columns.items()}


def uuid5(*parts):
    """UUID version 5 (RFC 9562, 5.5) of the compact JSON of a list; `uuid.uuid5` takes twice as long."""
    digest = bytearray(hashlib.sha1(NAMESPACE + dumps(parts).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def as_json(value):
    return None if value is None else dumps(value)


def add_person(tables, person, started):
    get = person.get
    last_used, settings = instant(get("lastUsed")), as_json(get("notificationSettings"))
    email, login = get("email").strip(), get("email").strip()
    tables["users"].add(
        person["id"], email, get("label"), get("friendlyName"), get("configuredEmail"), last_used, last_used, started,
        settings, as_json(get("preferences")),
    )
    if get("password"):
        tables["user_credentials"].add(person["id"], "workfossa", login, person["password"], 1, 0, started, started)
    if settings is not None:
        tables["user_preferences"].add(person["id"], "notification", settings, started, started)


def add_settings(tables, settings, people, started):
    if settings.get("activeUserId") in people:
        tables["user_sessions"].add(settings["activeUserId"], 1, started, started)
    for name, value in settings.items():
        tables["global_settings"].add(name, dumps({"value": value}), started, started)


def add_orders(tables, person, scrape, orders):
    at = instant(scrape["metadata"]["timestamp"])
    add = tables["work_orders"].add
    for order in scrape["workOrders"]:
        number = order["id"].strip().removeprefix("W-")
        if number in orders:
            continue  # the newer file has it
        orders[number] = key = uuid5("work_order", person, number)
        customer, visit = order.get("customer") or {}, (order.get("visits") or {}).get("nextVisit") or {}
        address, services = customer.get("address") or {}, order.get("services") or []
        street, city = address.get("intersection"), city_of(address)
        county = county_of(address)
        main = next((service for service in services if service.get("type") == "Meter Calibration"), {})
        html, url = order.get("rawHtml") or "", customer.get("storeUrl")
        who, when = created(html)
        add(
            key, person, number,
            " ".join(part for part in (customer.get("name"), customer.get("storeNumber")) if part) or "Unknown",
            ", ".join(part for part in (street, city, county) if part), day(visit.get("date")), "pending",
            dumps({
                "raw_html": order.get("rawHtml"), "address_components": customer.get("address"), "service_info": services,
                "visit_info": order.get("visits"), "customer_url": url,
                "v1": {name: value for name, value in order.items() if name != "rawHtml"},
            }),
            customer.get("storeNumber"), main.get("code"), main.get("description"), visit.get("visitId"),
            visit_url(url, visit.get("url")), visit.get("visitId"), order.get("instructions"),
            reason(html) or main.get("type"), dumps([f"{service['quantity']} x {service['description']}" for service in services]),
            street, city, county, when, who, url, at, "synced", 0, at, at,
        )


def city_of(address):
    return next((line for line in (address.get("cityState"), address.get("county")) if line and CITY.match(line)), None)


def county_of(address):
    county = address.get("county") or ""
    if county.endswith(" County"):
        return county
    found = COUNTY.match(address.get("street") or "")
    return found and found[1]


def visit_url(store, url):
    if not url or url.startswith(("http://", "https://")):
        return url
    found = HOST.match(store or "")
    return (found[0] if found else "https://app.workfossa.com") + url


def day(text):
    return text and f"{text[6:]}-{text[:2]}-{text[3:5]} 00:00:00.000000"


def created(html):
    found = CREATED.search(html, html.rfind("\n", 0, max(html.find("•"), 0)) + 1)
    if not found:
        return None, None
    who, month, date, year, hour, minute, half = found.groups()
    hour = int(hour) % 12 + (12 if half == "p" else 0)
    return who.strip(), f"{year}-{month}-{date} {hour:02}:{minute}:00.000000"


def reason(html):
    found = "Reason" in html and REASON.search(html)
    return found and found[1].strip()


def add_dispensers(tables, person, store, orders):
    add_data, add = tables["user_dispenser_data"].add, tables["dispensers"].add
    meta = dumps({"source": "v1 dispenser_store.json", "metadata": store["metadata"]})
    for name, entry in store["dispenserData"].items():
        at, dispensers = instant(entry.get("lastUpdated")), entry.get("dispensers") or []
        add_data(person, name, entry.get("visitId"), dumps(dispensers), meta, at, at)
        order = orders.get(name.strip().removeprefix("W-"))
        if order is None:
            continue
        for position, dispenser in enumerate(dispensers, 1):
            fields, title = dispenser.get("fields") or {}, dispenser.get("title")
            make, grades = dispenser["make"].removeprefix("Make: "), [g.strip() for g in fields["Grade"].split(",")]
            form = {
                "stand_alone_code": fields.get("Stand Alone Code"), "title": title, "grades_list": grades,
                "custom_fields": fields,
            }
            add(
                uuid5("dispenser", order, position), order, TITLE.match(title)[1].strip(), make,
                dumps({snake(grade): {"name": grade} for grade in grades}), "pending", 0.0, dumps(form), 0, make,
                dispenser["model"].removeprefix("Model: "), dispenser.get("serial") or None, fields.get("Meter Type"),
                fields.get("Number of Nozzles (per side)"), at, at,
            )


@lru_cache(maxsize=1_000)
def snake(text):
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def add_preferences(tables, person, settings):
    at = instant(settings.get("lastUpdated"))
    tables["user_preferences"].add(person, "email", dumps(settings), at, at)


def add_activities(tables, person, entries):
    add = tables["user_activities"].add
    for entry in entries:
        add(person, entry["username"], entry.get("activityType") or "unknown", dumps(entry), instant(entry["timestamp"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
