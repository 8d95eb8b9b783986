"""Cards and banks, networks and telephones, papers, vehicles, places and health."""

import hashlib

from digits import UPPER, born, grouped, luhn, number, pick, total, until


def card(r):
    start, length = r.choice(
        [
            ("4", 16),
            ("4", 16),
            ("51", 16),
            ("55", 16),
            ("2221", 16),
            ("37", 15),
            ("34", 15),
            ("6011", 16),
        ]
        + [("65", 16), ("36", 14), ("3530", 16), ("62", 16)]
    )
    body = start + number(r, length - len(start) - 1)
    value = body + luhn(body)
    lengths = {16: (4, 4, 4), 15: (4, 6), 14: (4, 6)}[length]
    return r.choice([value, grouped(value, " ", *lengths), grouped(value, "-", *lengths)])


def bank_account(r):
    return number(r, r.choice([8, 9, 10, 12]), "123456789")


def routing_number(r):
    body = f"{r.choice([*range(1, 13), *range(21, 33)]):02}{number(r, 6)}"
    return body + str(-total(body, [3, 7, 1, 3, 7, 1, 3, 7]) % 10)


def base58(data):
    signs = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    value, text = int.from_bytes(data, "big"), ""
    while value:
        value, rest = divmod(value, 58)
        text = signs[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def bech32(values):
    """BIP 173: the checksum over the expanded prefix `bc`."""

    def polymod(values):
        state = 1
        for value in values:
            top = state >> 25
            state = (state & 0x1FFFFFF) << 5 ^ value
            for bit, term in enumerate(
                [0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]
            ):
                state ^= term if top >> bit & 1 else 0
        return state

    rest = polymod([3, 3, 0, 2, 3, *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values = [*values, *(rest >> 5 * (5 - at) & 31 for at in range(6))]
    return "bc1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in values)


def crypto_address(r):
    if r.random() < 0.4:
        return bech32([0, *(r.randrange(32) for _ in range(31)), r.choice([0, 16])])
    body = r.choice([b"\0", b"\5"]) + r.randbytes(20)
    return base58(body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4])


NAMES = ["anna.berg", "j.oneill", "kofi", "maria_lopez", "t-nguyen", "per.olsen+shop", "li.wei88"]
HOSTS = [
    "mail.test.org",
    "berg-partner.de",
    "uni.example.edu",
    "lopez.es",
    "firma.co.uk",
    "post.dk",
]


def email(r):
    return f"{r.choice(NAMES)}@{r.choice(HOSTS)}"


def ip_address(r):
    if r.random() < 0.6:
        return ".".join(str(r.randrange(1, 255)) for _ in range(4))
    parts = [f"{r.randrange(0x1000, 0xFFFF):x}" for _ in range(8)]
    return r.choice([":".join(parts), f"2001:db8::{parts[0]}", f"fe80::{parts[0]}:{parts[1]}"])


def mac_address(r):
    parts = [f"{byte:02x}" for byte in r.randbytes(6)]
    return r.choice([":".join(parts), "-".join(parts).upper(), ":".join(parts).upper()])


def phone(r):
    n = lambda count, first="23456789": number(r, count, first)
    return r.choice(
        [
            lambda: f"({n(3)}) {n(3)}-{n(4)}",
            lambda: f"{n(3)}-{n(3)}-{n(4)}",
            lambda: f"+1 {n(3)} {n(3)} {n(4)}",
            lambda: f"+44 20 {n(4, '78')} {n(4)}",
            lambda: f"020 {n(4, '78')} {n(4)}",
            lambda: f"+45 {n(2)} {n(2)} {n(2)} {n(2)}",
            lambda: f"+49 30 {n(7)}",
            lambda: f"+49 171 {n(7)}",
            lambda: f"+33 6 {n(2, '1234')} {n(2)} {n(2)} {n(2)}",
            lambda: f"06 {n(2, '1234')} {n(2)} {n(2)} {n(2)}",
            lambda: f"+34 6{n(2)} {n(3)} {n(3)}",
            lambda: f"+39 3{n(2, '234')} {n(7)}",
            lambda: f"+46 70 {n(3)} {n(2)} {n(2)}",
            lambda: f"+91 9{n(4)} {n(5)}",
            lambda: f"+61 4{n(2, '012')} {n(3)} {n(3)}",
            lambda: f"+81 90-{n(4)}-{n(4)}",
            lambda: f"+86 13{n(1)} {n(4)} {n(4)}",
            lambda: f"+55 11 9{n(4)}-{n(4)}",
        ]
    )()


def passport(r):
    return r.choice(
        [
            lambda: number(r, 9, "123456"),
            lambda: r.choice("ABCDEF") + number(r, 8),
            lambda: number(r, 9, "123456"),
            lambda: de_passport(r),
            lambda: pick(r, UPPER, 3) + number(r, 6),
            lambda: r.choice("JKMPRSTUVZ") + number(r, 7, "123456789"),
            lambda: pick(r, "YABC", 1) + pick(r, UPPER, 1) + number(r, 7),
            lambda: "M" + number(r, 3) + r.choice("ABCD") + number(r, 4),
            lambda: number(r, 2, "12") + pick(r, UPPER, 2) + number(r, 5),
        ]
    )()


def de_passport(r):
    body = r.choice("CFGHJK") + pick(r, "0123456789CFGHJKLMNPRTVWXYZ", 8)
    return body + str(sum(int(s, 36) * w for s, w in zip(body, [7, 3, 1] * 3)) % 10)


def driving_license(r):
    """Of some states of the United States, by their published formats, and of three countries."""
    return r.choice(
        [
            lambda: r.choice(UPPER) + number(r, 7),
            lambda: r.choice(UPPER) + number(r, 12),
            lambda: number(r, 8, "123456789"),
            lambda: number(r, 9, "123456789"),
            lambda: grouped(r.choice(UPPER) + number(r, 12), "-", 4, 4),
            lambda: uk_licence(r),
            lambda: uk_licence(r),
            lambda: r.choice("BCFKL")
            + number(r, 2)
            + pick(r, "0123456789ABCDEFGHJKLMNPR", 6)
            + number(r, 1)
            + pick(r, "0123456789ABCDE", 1),
            lambda: r.choice(["RM", "MI", "TO", "BO"]) + number(r, 7) + r.choice(UPPER),
            lambda: f"{r.randrange(11, 27)}-{number(r, 2)}-{number(r, 6)}-{number(r, 2)}",
        ]
    )()


def uk_licence(r):
    day = born(r)
    name = (r.choice(["JONES", "PATEL", "OKORO", "LEE", "MACDO", "EVANS"]) + "9999")[:5]
    month = day.month + r.choice([0, 50])
    digits = f"{day.year % 100 // 10}{month:02}{day.day:02}{day.year % 10}"
    rest = pick(r, UPPER, 1) + r.choice(UPPER + "9") + number(r, 1, "23456789") + pick(r, UPPER, 2)
    return f"{name}{digits}{rest}"


def identity_card(r):
    return r.choice(
        [
            lambda: "C" + pick(r, UPPER, 1) + number(r, 5) + pick(r, UPPER, 2),
            lambda: pick(r, UPPER, 2) + number(r, 7),
            lambda: number(r, 7, "123456789") + pick(r, UPPER, 2),
        ]
    )()


def medical_license(r):
    body = number(r, 6)
    check = total(body, [1, 2, 1, 2, 1, 2]) % 10
    return r.choice("ABFM") + r.choice(UPPER) + body + str(check)


def de_physician(r):
    """The eighth and ninth digit are the field; the seventh is the check digit."""
    body = number(r, 6, "123456789")
    return f"{body}{-total(body, [4, 9, 4, 9, 4, 9]) % 10}{r.choice(['01', '34', '47', '68'])}"


def de_practice(r):
    return r.choice(["02", "17", "38", "52", "72", "98"]) + number(r, 7)


def us_medical_record(r):
    return r.choice([number(r, 8), "MR-" + number(r, 6), number(r, 7, "123456789")])


def uk_postcode(r):
    district = r.choice(
        [
            r.choice(["LS", "BS", "NE", "OX", "YO"]) + number(r, 1, "12345678"),
            r.choice("BLMSN") + number(r, 1, "123456789"),
        ]
        + ["SW1A", "EC2V", "W1T", "NW10", "SE16", "CB23"]
    )
    return f"{district} {number(r, 1)}{pick(r, 'ABDEFGHJLNPQRSTUWXYZ', 2)}"


def de_plz(r):
    return number(r, 5, "123456789")


def us_zip(r):
    return r.choice([number(r, 5, "123456789"), f"{number(r, 5, '123456789')}-{number(r, 4)}"])


def uk_plate(r):
    letters = "ABCDEFGHJKLMNPRSTUVWXY"
    return (
        pick(r, "ABCDEFGHKLMNOPRSVWY", 1)
        + r.choice(letters)
        + r.choice(["07", "12", "19", "23", "55", "64", "70"])
        + r.choice([" ", ""])
        + pick(r, letters, 3)
    )


def in_plate(r):
    return (
        r.choice(["MH", "KA", "DL", "TN", "GJ", "UP"])
        + f"{r.randrange(1, 60):02}"
        + pick(r, UPPER, 2)
        + number(r, 4, "123456789")
    )


def tr_plate(r):
    return (
        f"{r.randrange(1, 82):02} {pick(r, 'ABCDEFGHJKLMNPRSTUVYZ', 3)} {number(r, 3, '123456789')}"
    )


def ng_plate(r):
    return f"{r.choice(['ABC', 'LSR', 'KJA', 'APP', 'EPE'])}-{number(r, 3)}{pick(r, UPPER, 2)}"


def de_plate(r):
    place = r.choice(["B", "M", "HH", "KA", "F", "DO", "WOB"])
    return f"{place}-{pick(r, UPPER, 2)} {r.randrange(1, 9999)}"


def vin(r):
    def make(r):
        signs = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
        body = list(r.choice("145JKW") + pick(r, signs, 7) + "0" + pick(r, signs, 4) + number(r, 4))
        value = dict(
            zip(
                "ABCDEFGHJKLMNPRSTUVWXYZ",
                [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, *range(2, 10)],
            )
        )
        weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
        rest = (
            sum(value.get(s, int(s) if s.isdigit() else 0) * w for s, w in zip(body, weights)) % 11
        )
        body[8] = "0123456789X"[rest]
        return "".join(body)

    return until(r, make)


def de_company(r):
    return f"HR{r.choice('AB')} {r.randrange(1000, 250000)}"
