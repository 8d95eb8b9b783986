"""Identity, tax and insurance numbers of Europe."""

from digits import (
    UPPER,
    as_digits,
    born,
    crossed,
    grouped,
    iso_11_10,
    luhn,
    number,
    pick,
    total,
    until,
)


def uk_nhs(r):
    def make(r):
        body = number(r, 9, "4679")
        check = 11 - total(body, range(10, 1, -1)) % 11
        return None if check == 10 else body + str(check % 11)

    value = until(r, make)
    return r.choice([value, grouped(value, " ", 3, 3), grouped(value, "-", 3, 3)])


def uk_nino(r):
    prefix = r.choice(["AB", "CE", "HJ", "JK", "PW", "SL", "WE", "YZ", "NA", "RT"])
    value = prefix + number(r, 6) + r.choice("ABCD")
    return r.choice([value, grouped(value, " ", 2, 2, 2, 2)])


def de_tax_id(r):
    def make(r):
        digits = list("0123456789")
        r.shuffle(digits)
        digits[9] = digits[r.randrange(9)]
        r.shuffle(digits)
        body = "".join(digits)
        return None if body[0] == "0" else body + iso_11_10(body)

    value = until(r, make)
    return r.choice([value, grouped(value, " ", 2, 3, 3)])


def de_tax_number(r):
    short = f"{number(r, 2, '1234')}/{number(r, 3)}/{number(r, 5)}"
    return r.choice([short, f"{number(r, 3, '1')}/{number(r, 3)}/{number(r, 5)}"])


def de_social_security(r):
    day = born(r)
    letter = r.choice(UPPER)
    area = r.choice(["02", "13", "15", "24", "39", "52", "65", "78"])
    head, tail = area + day.strftime("%d%m%y"), number(r, 2)
    plain = f"{head}{UPPER.index(letter) + 1:02}{tail}"
    check = crossed(plain, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10
    return r.choice([f"{head}{letter}{tail}{check}", f"{area} {head[2:]} {letter} {tail}{check}"])


def by_731(text):
    return str(sum(int(s, 36) * w for s, w in zip(text, [7, 3, 1] * 5)) % 10)


def de_id_card(r):
    body = r.choice("LMNPRTVWXY") + pick(r, "0123456789CFGHJKLMNPRTVWXYZ", 8)
    return r.choice([body + by_731(body), "T" + (old := number(r, 8)) + by_731("T" + old)])


def de_vat(r):
    body = number(r, 8, "123456789")
    return r.choice(["DE", "DE "]) + body + iso_11_10(body)


def de_health(r):
    letter, body = r.choice(UPPER), number(r, 8)
    digits = f"{UPPER.index(letter) + 1:02}{body}"
    return f"{letter}{body}{crossed(digits, [1, 2] * 5) % 10}"


def es_nif(r):
    letters = "TRWAGMYFPDXBNJZSQVHLCKE"
    if r.random() < 0.35:
        head, body = r.choice("XYZ"), number(r, 7)
        check = letters[int(str("XYZ".index(head)) + body) % 23]
        return r.choice([f"{head}{body}{check}", f"{head}-{body}-{check}"])
    body = number(r, 8, "123456789")
    return r.choice([body, body + "-"]) + letters[int(body) % 23]


def it_fiscal_code(r):
    consonants, day = "BCDFGLMNPRSTVZ", born(r)
    woman = r.random() < 0.5
    body = pick(r, consonants, 6) + day.strftime("%y") + "ABCDEHLMPRST"[day.month - 1]
    body += f"{day.day + 40 * woman:02}" + r.choice(["F205", "H501", "L219", "A662", "D612"])
    odd = [
        1,
        0,
        5,
        7,
        9,
        13,
        15,
        17,
        19,
        21,
        2,
        4,
        18,
        20,
        11,
        3,
        6,
        8,
        12,
        14,
        16,
        10,
        22,
        25,
        24,
        23,
    ]
    place = [int(s) if s.isdigit() else UPPER.index(s) for s in body]
    rest = sum(odd[p] for p in place[0::2]) + sum(place[1::2])
    return body + UPPER[rest % 26]


def it_vat(r):
    body = number(r, 7) + f"{r.randrange(1, 101):03}"
    return body + luhn(body)


def pl_pesel(r):
    day = born(r)
    month = day.month + (20 if day.year >= 2000 else 0)
    body = f"{day.year % 100:02}{month:02}{day.day:02}{number(r, 4)}"
    return body + str(-total(body, [1, 3, 7, 9] * 3) % 10)


def pl_nip(r):
    def make(r):
        body = number(r, 9, "123456789")
        check = total(body, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11
        return None if check == 10 else body + str(check)

    value = until(r, make)
    return r.choice([value, grouped(value, "-", 3, 3, 2)])


def fi_hetu(r):
    day = born(r)
    serial = f"{r.randrange(2, 900):03}"
    rest = int(day.strftime("%d%m%y") + serial) % 31
    century = "A" if day.year >= 2000 else "-"
    return day.strftime("%d%m%y") + century + serial + "0123456789ABCDEFHJKLMNPRSTUVWXY"[rest]


def se_personnummer(r):
    day = born(r)
    body = day.strftime("%y%m%d") + number(r, 3)
    century, last = str(day.year // 100), body[6:] + luhn(body)
    short = f"{body[:6]}-{last}"
    return r.choice([short, century + short, century + body[:6] + last])


def dk_cpr(r):
    return f"{born(r).strftime('%d%m%y')}-{number(r, 4, '0123')}"


def no_fnr(r):
    def make(r):
        body = born(r).strftime("%d%m%y") + number(r, 3, "01234")
        first = -total(body, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11
        if first == 10:
            return None
        body += str(first)
        second = -total(body, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
        return None if second == 10 else body + str(second)

    return until(r, make)


def nl_bsn(r):
    def make(r):
        body = number(r, 8, "123456789")
        check = total(body, range(9, 1, -1)) % 11
        return None if check == 10 else body + str(check)

    return until(r, make)


def be_nn(r):
    day = born(r)
    body = day.strftime("%y%m%d") + number(r, 3, "0123456789")
    key = 97 - int(("2" if day.year >= 2000 else "") + body) % 97
    plain = f"{body}{key:02}"
    dotted = f"{body[:2]}.{body[2:4]}.{body[4:6]}-{body[6:]}.{key:02}"
    return r.choice([plain, dotted])


def fr_nir(r):
    day = born(r)
    body = f"{r.choice('12')}{day.strftime('%y%m')}{r.randrange(1, 96):02}{number(r, 6, '1234')}"
    body = body.replace("20", "21", 1) if body[5:7] == "20" else body
    value = f"{body}{97 - int(body) % 97:02}"
    return r.choice([value, grouped(value, " ", 1, 2, 2, 2, 3, 3)])


def ch_ahv(r):
    body = "756" + number(r, 9)
    value = body + str(-total(body, [1, 3] * 6) % 10)
    return r.choice([value, grouped(value, ".", 3, 4, 4)])


def at_svnr(r):
    def make(r):
        serial, day = number(r, 3, "123456789"), born(r).strftime("%d%m%y")
        check = total(serial + day, [3, 7, 9, 5, 8, 4, 2, 1, 6]) % 11
        return None if check == 10 else f"{serial}{check}{r.choice(['', ' '])}{day}"

    return until(r, make)


def pt_nif(r):
    body = number(r, 8, "1235")
    rest = total(body, range(9, 1, -1)) % 11
    value = body + str(0 if rest < 2 else 11 - rest)
    return r.choice([value, grouped(value, " ", 3, 3)])


def ie_pps(r):
    body = number(r, 7)
    second = r.choice(["", "A"])
    rest = total(body, range(8, 1, -1)) + (9 if second else 0)
    return body + "WABCDEFGHIJKLMNOPQRSTUV"[rest % 23] + second


def hr_oib(r):
    body = number(r, 10)
    return body + iso_11_10(body)


def ro_cnp(r):
    day = born(r)
    body = ("5" if day.year >= 2000 else "1") + day.strftime("%y%m%d")
    body += f"{r.randrange(1, 47):02}{number(r, 3)}"
    return body + str(total(body, map(int, "279146358279")) % 11 % 10)


def ee_isikukood(r):
    day = born(r)
    body = ("5" if day.year >= 2000 else "3") + day.strftime("%y%m%d") + number(r, 3)
    rest = total(body, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
    if rest == 10:
        rest = total(body, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10
    return body + str(rest)


def cz_rodne_cislo(r):
    def make(r):
        day = born(r)
        woman = 50 * (r.random() < 0.5)
        body = f"{day.year % 100:02}{day.month + woman:02}{day.day:02}{number(r, 3)}"
        check = int(body) % 11
        return None if day.year < 1954 or check == 10 else f"{body[:6]}/{body[6:]}{check}"

    return until(r, make)


def bg_egn(r):
    day = born(r)
    month = day.month + (40 if day.year >= 2000 else 0)
    body = f"{day.year % 100:02}{month:02}{day.day:02}{number(r, 3)}"
    return body + str(total(body, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10)


def iban(r):
    shapes = {
        "GB": "4a14n",
        "DE": "18n",
        "FR": "22n1x",
        "ES": "20n",
        "IT": "1a22n",
        "NL": "4a10n",
        "BE": "12n",
        "DK": "14n",
        "NO": "11n",
        "SE": "20n",
        "FI": "14n",
        "PL": "24n",
        "AT": "16n",
        "CH": "17n",
        "PT": "21n",
        "IE": "4a14n",
        "CZ": "20n",
        "GR": "7n16x",
        "RO": "4a16x",
        "HU": "24n",
        "TR": "22n",
        "SA": "20n",
        "AE": "19n",
        "LU": "3n13x",
    }
    country = r.choice(sorted(shapes))
    body, count = "", ""
    for sign in shapes[country]:
        if sign.isdigit():
            count += sign
            continue
        signs = {"a": UPPER, "n": "0123456789", "x": "0123456789" + UPPER}[sign]
        body += pick(r, signs, int(count))
        count = ""
    check = 98 - int(as_digits(f"{body}{country}00")) % 97
    value = f"{country}{check:02}{body}"
    return r.choice([value, grouped(value, " ", *[4] * (len(value) // 4))])
