"""Where values stand: sentences, cells, fields, labels, or nothing else."""

NAMED = [
    "Please note that my {name} is {value} and has not changed since last year.",
    "We still need the paper copy; the {name} on file, {value}, was entered by hand.",
    "For the form: {name} {value}, signed in black ink.",
    "Could you check whether {name} {value} belongs to the same person?",
    "The {name} that the customer read out over a bad line yesterday morning was {value}.",
    "Update the record with {name} = {value} before Friday.",
    "Hi, it's Ann again. You asked for my {name}. Here it is: {value}. Thanks!",
]

BEHIND = ["The clerk wrote down {value} as the {name} of the applicant."]

UNNAMED = [
    "She read out {value} and hung up.",
    "The note on the desk just said {value}, nothing else.",
    "Use {value} for this one, not the old one.",
]

LOCAL = {
    "de": [
        "Meine {name} lautet {value}, bitte bestätigen Sie den Eingang.",
        "Bitte tragen Sie {name} {value} in das Formular ein.",
        "{name} des Antragstellers: {value}",
    ],
    "fr": [
        "Voici mon {name} : {value}, merci de confirmer.",
        "Le {name} {value} figure déjà dans le dossier.",
    ],
    "es": ["Mi {name} es {value} y vivo en Sevilla.", "Adjunto el {name} {value} del solicitante."],
    "it": ["Il mio {name} è {value}, grazie.", "Si prega di indicare {name} {value} nel modulo."],
    "pl": [
        "Mój {name} to {value}, proszę o potwierdzenie.",
        "Proszę wpisać {name} {value} do formularza.",
    ],
    "pt": ["O meu {name} é {value}, obrigado.", "Segue o {name} {value} do cliente."],
    "nl": ["Mijn {name} is {value}, graag bevestigen.", "Vul {name} {value} in op het formulier."],
    "da": ["Mit {name} er {value}, og jeg bor i Aarhus.", "Skriv {name} {value} på blanketten."],
    "nb": ["Mitt {name} er {value}, og jeg bor i Bergen.", "Skriv {name} {value} på skjemaet."],
    "sv": ["Mitt {name} är {value} och jag bor i Lund.", "Skriv {name} {value} på blanketten."],
    "fi": ["Minun {name} on {value}, kiitos.", "Täytä {name} {value} lomakkeeseen."],
    "cs": ["Moje {name} je {value}, děkuji.", "Uveďte {name} {value} do formuláře."],
    "tr": ["Benim {name} {value}, teşekkürler.", "Formda {name}: {value} yazıyor."],
    "ko": ["제 {name}는 {value} 입니다.", "{name}: {value} 를 확인해 주세요."],
    "th": ["{name}ของฉันคือ {value} ค่ะ", "กรุณากรอก{name} {value} ในแบบฟอร์ม"],
    "ja": ["私の{name}は {value} です。", "{name}：{value}"],
    "zh": ["我的{name}是{value}，请确认。", "{name}：{value}"],
}

CELLS = [
    "id,{name},city\n17,{value},Leeds\n",
    "name;{name};since\nAnn Berg;{value};2021\n",
    "| customer | {name} |\n|---|---|\n| Ann Berg | {value} |\n",
]

BARE_CELLS = ["17,{value},Leeds", "Ann Berg\t{value}\topen"]

FIELDS = [
    '{{"customer": {{"name": "Ann Berg", "{field}": "{value}"}}}}',
    '{{"{field}":"{value}","city":"Leeds"}}',
    "{field}: {value}\ncity: Leeds\n",
]

LABELS = [
    "{name}: {value}",
    "Ann Berg\n{name}: {value}\nLeeds",
    "{name}\n{value}",
    "{name} - {value}",
]


# Written when the rows had been mended with the frames above, and not used for that.
LATER = {
    "prose, named": [
        "My {name}: {value}. Please call if anything is missing.",
        "As requested, I enclose a copy; the {name} ({value}) is on the front.",
        "{name} {value} was already in the system when we imported the list.",
        "I moved house and lost the letter, but my {name} should still be {value}.",
        "Can you read me the {name}? - Sure, it's {value}.",
        "User: what do you need?\nAgent: your {name}.\nUser: {value}",
        "We could not find anybody by the {name} you sent us on Monday, {value}.",
    ],
    "cell, named": [
        "{name}\tname\n{value}\tAnn Berg\n",
        '"customer","{name}"\n"Berg, Ann","{value}"\n',
        "<tr><th>{name}</th><td>{value}</td></tr>",
    ],
    "field": [
        "{field}={value}&city=Leeds",
        "<customer><{field}>{value}</{field}></customer>",
        'customer.{field} = "{value}"',
        "INSERT INTO customers (id, {field}) VALUES (17, '{value}');",
    ],
    "label": [
        "{name} ............ {value}",
        "{name}:\n\n    {value}\n",
        "[{name}] {value}",
        "**{name}**: `{value}`",
    ],
}


def said(frame, value, name="", field=""):
    """The text and where the value stands in it."""
    mark = "\0"
    text = frame.format(name=name, field=field, value=mark)
    text = text[0].upper() + text[1:] if frame.startswith("{name}") else text
    start = text.index(mark)
    return text.replace(mark, value), start, start + len(value)


def of(kind, r, rounds):
    """All texts of a kind: `(frame, text, start, end)`, each with a value of its own."""
    for _ in range(rounds):
        for frame in NAMED:
            yield "prose, named", *said(frame, kind.make(r), r.choice(kind.names))
        for frame in BEHIND:
            yield "prose, named behind", *said(frame, kind.make(r), r.choice(kind.names))
        for frame in UNNAMED:
            yield "prose, unnamed", *said(frame, kind.make(r))
        if kind.local:
            language, names = kind.local
            for frame in LOCAL[language]:
                yield "own language, named", *said(frame, kind.make(r), r.choice(names))
        for frame in CELLS:
            yield "cell, named", *said(frame, kind.make(r), r.choice(kind.names))
        for frame in BARE_CELLS:
            yield "cell, unnamed", *said(frame, kind.make(r))
        for number, frame in enumerate(FIELDS):
            yield "field", *said(frame, kind.make(r), field=kind.fields[number % 2])
        for frame in LABELS:
            yield "label", *said(frame, kind.make(r), r.choice(kind.names))
        for _ in range(2):
            yield "bare", *said("{value}", kind.make(r))
        for what, later in LATER.items():
            for number, frame in enumerate(later):
                name, field = r.choice(kind.names), kind.fields[number % 2]
                yield f"{what}, later", *said(frame, kind.make(r), name, field)
