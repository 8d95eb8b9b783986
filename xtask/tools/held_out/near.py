"""Texts that hold a number or a code that is nobody's: what a detector should leave alone."""

import hashlib
import uuid

import frames
from digits import UPPER, number, pick

SENTENCES = {
    "order number": [
        "Your order {n10} has shipped and will arrive on Tuesday.",
        "Order no. {n9} was placed by phone and paid in the shop.",
        "Purchase order PO-{n8} covers both pallets.",
        "Please quote order #{n11} when you write to us.",
        '{{"order_id": "{n9}", "status": "open"}}',
        '{{"orderNumber": {n10}, "lines": 3}}',
    ],
    "invoice number": [
        "Invoice INV-2024-{n5} is due at the end of the month.",
        "Invoice number {n8} was paid twice.",
        "Rechnung Nr. {n9} wurde storniert.",
        "We credited invoice {n7} to your account.",
        "faktura {n6} forfalder den første i næste måned",
    ],
    "ticket, part, serial": [
        "Ticket {n7} was closed without a comment.",
        "Part number {u2}-{n4}-{n2} is out of stock.",
        "The serial number on the back is {u3}{n8}.",
        "Tracking 1Z{n3}{u1}{n2}0{n8} left the depot.",
        "Case {n8} is a duplicate of case {n8}.",
        "SKU {u3}-{n5} comes in three colours.",
        '{{"ticket": {n9}, "sku": "{u2}{n6}"}}',
    ],
    "time": [
        "The job started at 2024-11-{d}T{h}:{m}:{m}Z and ended an hour later.",
        '{{"created": 17{n8}, "updated": 17{n8}}}',
        "[2025-03-{d} {h}:{m}:{m},{n3}] worker {n5} is idle",
        "Between {h}:{m} and {h}:{m} on {d}.04.2024 nobody was in.",
        "ts=17{n11} level=info msg=done",
        "20250{o}{d}{h}{m}{m}",
    ],
    "version": [
        "Upgrade from 10.0.{n5}.{n4} to 10.0.{n5}.{n4} this week.",
        "It fails with version 4.{o}.{n2}-rc{o} but works with 3.{o}.{n2}.",
        "gcc (Debian 12.2.0-{n2}) 12.2.0",
        "Chrome/12{o}.0.{n4}.{n2} Safari/537.36",
        "Section 4.{o}.{o}.{o} of the manual says otherwise.",
    ],
    "extension": [
        "Dial extension {n4} and ask for the night desk.",
        "She is at ext. {n4} until five.",
        "Room {n3}, building {n2}, desk {n4}.",
    ],
    "digest": [
        "The checksum of the image is {md5}.",
        "commit {sha1}",
        "sha256:{sha256}",
        "Reverted in {short} because of the test.",
        "integrity sha1-{sha1}",
    ],
    "uuid": [
        "Request {uuid} took 20 ms.",
        '{{"id": "{uuid}", "parent": "{uuid}"}}',
        "trace={uuid}",
    ],
    "price, measure": [
        "The total comes to 1,{n3},{n3}.{n2} dollars before tax.",
        "DKK {o2} {n3} {n3} was set aside for it.",
        "It weighs {n3}.{n2} kg and costs {n4},{n2} EUR.",
        "The population grew from {n8} to {n8} in ten years.",
        "{n3} {n3} {n3} rows were read in {n5} ms.",
        "pi is 3.14159265{n6}",
    ],
    "log, machine": [
        "worker[{n5}]: job {n9} took {n4} ms, {n10} bytes",
        "user_id={n9} session={n8} status=200",
        '{{"id": {n9}, "parent_id": {n10}, "seq": {n12}}}',
        "The meter read {n6} in March and {n6} in May.",
        "Batch {n8} passed, batch {n9} has to be made again.",
        "Flight SK{n4} leaves from gate B{n2}; seat {n2}A is free.",
        "random.seed({n10})",
        "The address 0x7ffd{n8} is not mapped.",
        "Our customer number is {n7}, as always.",
    ],
    "book, article": [
        "The book has ISBN 978-{n1}-{n2}-{n6}-{n1} on its back.",
        "EAN {n13} does not scan at the till.",
        "doi:10.{n4}/j.{u1}{n6}.2024.{n6}",
        "RFC {n4} replaces RFC {n4}.",
    ],
}


def fill(frame, r):
    """The frame with fresh numbers in it."""
    slots = {
        f"n{count}": lambda count=count: number(r, count, "123456789") for count in range(1, 14)
    }
    slots |= {f"u{count}": lambda count=count: pick(r, UPPER, count) for count in range(1, 4)}
    slots |= {
        "d": lambda: f"{r.randrange(10, 29)}",
        "h": lambda: f"{r.randrange(10, 24)}",
        "m": lambda: f"{r.randrange(10, 60)}",
        "o": lambda: r.choice("123456789"),
        "o2": lambda: number(r, 2, "123"),
        "md5": lambda: hashlib.md5(r.randbytes(9)).hexdigest(),
        "sha1": lambda: hashlib.sha1(r.randbytes(9)).hexdigest(),
        "sha256": lambda: hashlib.sha256(r.randbytes(9)).hexdigest(),
        "short": lambda: hashlib.sha1(r.randbytes(9)).hexdigest()[:9],
        "uuid": lambda: str(uuid.UUID(bytes=r.randbytes(16), version=4)),
    }

    class Fresh(dict):
        def __missing__(self, slot):
            return slots[slot]()

    return frame.format_map(Fresh())


def misprinted(kind, r):
    """A value with another last sign, so that its check sign is wrong."""
    value = kind.make(r)
    at = max(at for at, sign in enumerate(value) if sign.isalnum())
    signs = "0123456789" if value[at].isdigit() else UPPER
    last = r.choice([sign for sign in signs if sign != value[at].upper()])
    return value[:at] + last + value[at + 1 :]


def all_of(kinds, r, rounds):
    """`(what, text)` of every near miss."""
    for _ in range(rounds):
        for what, sentences in SENTENCES.items():
            for sentence in sentences:
                yield what, fill(sentence, r)
        for kind in kinds:
            if kind.checked:
                for frame in [*frames.UNNAMED[:2], *frames.BARE_CELLS[:1], "{value}"]:
                    what = "wrong check digit" if " " in frame else "wrong check digit, bare"
                    yield what, frames.said(frame, misprinted(kind, r))[0]
