"""Identity, tax and insurance numbers of the Americas, Asia, Africa and Oceania."""

from digits import UPPER, born, grouped, luhn, number, pick, total, until, verhoeff


def us_ssn(r):
    area = r.choice([r.randrange(1, 666), r.randrange(667, 900)])
    plain = f"{area:03}{r.randrange(1, 100):02}{r.randrange(1, 10000):04}"
    return r.choice(
        [grouped(plain, "-", 3, 2), grouped(plain, "-", 3, 2), grouped(plain, " ", 3, 2), plain]
    )


def us_itin(r):
    middle = r.choice([*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)])
    plain = f"9{number(r, 2)}{middle}{number(r, 4)}"
    return r.choice([grouped(plain, "-", 3, 2), grouped(plain, "-", 3, 2), plain])


def us_mbi(r):
    letters, both = "ACDEFGHJKMNPQRTUVWXY", "0123456789ACDEFGHJKMNPQRTUVWXY"
    value = number(r, 1, "123456789") + r.choice(letters) + r.choice(both) + number(r, 1)
    value += r.choice(letters) + r.choice(both) + number(r, 1) + pick(r, letters, 2) + number(r, 2)
    return r.choice([value, grouped(value, "-", 4, 3)])


def us_npi(r):
    body = number(r, 9, "12")
    return body + luhn("80840" + body)


def ca_sin(r):
    body = number(r, 8, "1234567")
    value = body + luhn(body)
    return r.choice([value, grouped(value, " ", 3, 3), grouped(value, "-", 3, 3)])


def br_cpf(r):
    body = number(r, 9)
    for weights in (range(10, 1, -1), range(11, 1, -1)):
        body += str(total(body, weights) * 10 % 11 % 10)
    return r.choice([body, f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"])


def br_cnpj(r):
    body = number(r, 8) + "0001"
    for weights in ([5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]):
        body += str(total(body, weights) * 10 % 11 % 10)
    return r.choice([body, f"{body[:2]}.{body[2:5]}.{body[5:8]}/{body[8:12]}-{body[12:]}"])


def cl_rut(r):
    body = str(r.randrange(5_000_000, 26_000_000))
    rest = 11 - total(body[::-1], [2, 3, 4, 5, 6, 7, 2, 3]) % 11
    check = {11: "0", 10: "K"}.get(rest, str(rest))
    return r.choice([f"{body}-{check}", f"{int(body):,}".replace(",", ".") + f"-{check}"])


def ar_cuit(r):
    def make(r):
        body = r.choice(["20", "23", "27", "30"]) + number(r, 8)
        check = -total(body, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
        return None if check == 10 else f"{body[:2]}-{body[2:]}-{check}"

    return until(r, make)


def in_aadhaar(r):
    body = number(r, 11, "23456789")
    value = body + verhoeff(body)
    return r.choice([value, grouped(value, " ", 4, 4), grouped(value, "-", 4, 4)])


def in_pan(r):
    return (
        pick(r, UPPER, 3)
        + r.choice("PPPPCFHABT")
        + pick(r, UPPER, 1)
        + number(r, 4)
        + pick(r, UPPER, 1)
    )


def in_gstin(r):
    body = f"{r.randrange(1, 38):02}{in_pan(r)}{r.choice('123456789')}Z"
    signs = "0123456789" + UPPER
    rest = sum(sum(divmod(signs.index(s) * w, 36)) for s, w in zip(body, [1, 2] * 7))
    return body + signs[-rest % 36]


def in_voter_id(r):
    return pick(r, UPPER, 3) + number(r, 7)


def au_abn(r):
    def make(r):
        body = number(r, 9, "123456789")
        for lead in range(10, 100):
            digits = f"{lead}{body}"
            if total(f"{lead - 10:02}{body}", [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) % 89 == 0:
                return digits
        return None

    value = until(r, make)
    return r.choice([value, grouped(value, " ", 2, 3, 3)])


def au_acn(r):
    body = number(r, 8)
    value = body + str(-total(body, range(8, 0, -1)) % 10)
    return r.choice([value, grouped(value, " ", 3, 3)])


def au_tfn(r):
    def make(r):
        body = number(r, 8, "123456789")
        for check in "0123456789":
            if total(body + check, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0:
                return body + check
        return None

    value = until(r, make)
    return r.choice([value, grouped(value, " ", 3, 3)])


def au_medicare(r):
    body = number(r, 8, "23456")
    body += str(total(body, [1, 3, 7, 9, 1, 3, 7, 9]) % 10)
    return r.choice([f"{body}1", f"{grouped(body, ' ', 4)} {r.randrange(1, 6)}"])


def nz_ird(r):
    def make(r):
        body = str(r.randrange(10_000_000, 15_000_000))
        check = -total(body, [3, 2, 7, 6, 5, 4, 3, 2]) % 11
        return None if check == 10 else grouped(f"{body}{check}", "-", 3, 3)

    return until(r, make)


def sg_nric(r):
    head, body = r.choice("STFG"), number(r, 7)
    rest = (total(body, [2, 7, 6, 5, 4, 3, 2]) + (4 if head in "TG" else 0)) % 11
    return head + body + ("JZIHGFEDCBA" if head in "ST" else "XWUTRQPNMLK")[rest]


def sg_uen(r):
    if r.random() < 0.5:
        body = number(r, 8, "345")
        return body + "XMKECAWLJDB"[total(body, [10, 4, 9, 3, 8, 2, 7, 1]) % 11]
    body = f"{r.randrange(1970, 2023)}{number(r, 5)}"
    return body + "ZKCMDNERGWH"[total(body, [10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11]


def kr_rrn(r):
    day = born(r)
    foreign = r.random() < 0.3
    sex = r.choice("34" if day.year >= 2000 else "12")
    if foreign:
        sex = str(int(sex) + 4)
    body = day.strftime("%y%m%d") + sex + number(r, 5)
    rest = 11 - total(body, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11
    check = (rest + 2 if foreign else rest) % 10
    return f"{body[:6]}{r.choice(['-', '-', ''])}{body[6:]}{check}"


def kr_company(r):
    body = number(r, 9, "123456")
    rest = total(body, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + int(body[8]) * 5 // 10
    return grouped(f"{body}{-rest % 10}", "-", 3, 2)


def jp_my_number(r):
    body = number(r, 11)
    rest = total(body, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
    value = body + str(0 if rest < 2 else 11 - rest)
    return r.choice([value, grouped(value, " ", 4, 4)])


def cn_id(r):
    place = r.choice(["110105", "310101", "440305", "510104", "330106"])
    body = place + born(r).strftime("%Y%m%d") + number(r, 3)
    return body + "10X98765432"[total(body, [2 ** (17 - at) for at in range(17)]) % 11]


def tw_id(r):
    head = r.choice("ABCDEF")
    body = r.choice("12") + number(r, 7)
    code = str(10 + "ABCDEF".index(head))
    return head + body + str(-total(code + body, [1, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 10)


def hk_id(r):
    head, body = r.choice("ABCDEGHKPRVYZ"), number(r, 6)
    rest = 36 * 9 + (UPPER.index(head) + 10) * 8 + total(body, range(7, 1, -1))
    return f"{head}{body}({'0123456789A'[-rest % 11]})"


def th_id(r):
    body = number(r, 1, "12345678") + str(r.randrange(10, 97)) + number(r, 9)
    value = body + str((11 - total(body, range(13, 1, -1)) % 11) % 10)
    return r.choice([value, grouped(value, "-", 1, 4, 5, 2)])


def tr_kimlik(r):
    body = number(r, 9, "123456789")
    body += str((sum(map(int, body[0::2])) * 7 - sum(map(int, body[1::2]))) % 10)
    return body + str(sum(map(int, body)) % 10)


def za_id(r):
    body = born(r).strftime("%y%m%d") + number(r, 4) + r.choice("01") + "8"
    return body + luhn(body)


def il_teudat_zehut(r):
    body = number(r, 8, "0123")
    return body + luhn(body)


def ng_nin(r):
    return number(r, 11, "123456789")


def ph_tin(r):
    return grouped(number(r, 9, "123456789"), "-", 3, 3) + r.choice(["", "-000"])
