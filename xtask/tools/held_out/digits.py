"""Check digits and random parts, written from the published rules.

Nothing here is shared with the detectors: two writings of one rule that agree are better evidence
than one that agrees with itself.
"""

import datetime

UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def pick(r, signs, count):
    """So many signs of an alphabet."""
    return "".join(r.choice(signs) for _ in range(count))


def number(r, count, first="0123456789"):
    """So many digits, the first of them one of `first`."""
    return r.choice(first) + pick(r, "0123456789", count - 1)


def born(r):
    """A day on which somebody alive may have been born."""
    return datetime.date(1935, 1, 1) + datetime.timedelta(days=r.randrange(365 * 70))


def total(digits, weights):
    return sum(int(digit) * weight for digit, weight in zip(digits, weights))


def crossed(digits, weights):
    """The digit sums of the products, added up."""
    return sum(sum(divmod(int(d) * w, 10)) for d, w in zip(digits, weights))


def luhn(body):
    """The digit that makes Luhn's sum a multiple of ten."""
    odd = sum(sum(divmod(int(d) * 2, 10)) for d in body[::-1][0::2])
    even = sum(int(d) for d in body[::-1][1::2])
    return str(-(odd + even) % 10)


def iso_11_10(body):
    """The check digit of ISO 7064 mod 11,10."""
    rest = 10
    for digit in body:
        rest = (int(digit) + rest) % 10 or 10
        rest = rest * 2 % 11
    return str((11 - rest) % 10)


def verhoeff(body):
    """Verhoeff's digit, by turning and mirroring a pentagon."""

    def after(a, b):
        turn, mirrored = a % 5, a >= 5
        step = -(b % 5) if mirrored else b % 5
        return (turn + step) % 5 + 5 * (mirrored != (b >= 5))

    moved, rows = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4], [list(range(10))]
    for _ in range(7):
        rows.append([moved[at] for at in rows[-1]])
    state = 0
    for place, digit in enumerate(body[::-1], start=1):
        state = after(state, rows[place % 8][int(digit)])
    return next(str(d) for d in range(10) if after(d, state) == 0 or after(state, d) == 0)


def as_digits(text):
    """Letters as two digits, A for 10."""
    return "".join(str(int(sign, 36)) for sign in text)


def grouped(text, mark, *lengths):
    """The text in groups of the given lengths; the last one takes what is left."""
    parts, at = [], 0
    for length in lengths:
        parts.append(text[at : at + length])
        at += length
    return mark.join([*parts, text[at:]] if text[at:] else parts)


def until(r, make):
    """The first value that the maker does not refuse by `None`."""
    while True:
        value = make(r)
        if value is not None:
            return value
