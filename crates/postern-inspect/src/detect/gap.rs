//! What stands between the groups of a number, as pieces of patterns.

/// What joins groups of a number for which a line may be too short: up to two spaces, or the end
/// of a line. Spaces of typography are read as plain ones.
macro_rules! gap {
    () => {
        r"[ \t\r\n]{1,2}"
    };
}

/// What may stand between a word such as `account` and its value: the rest of the name, a verb,
/// punctuation. For `left` patterns, so without regard to case.
macro_rules! tail {
    () => {
        concat!(
            r"(?:[ _.-]{0,2}(?:number|numbers|num|no|nos|nr|nummer|n(?:u",
            r"|..)mero|numer|id|code|value|text|n\xC2\xB0|n\xC2\xBA))?",
            r"(?:[ _.-]{1,2}(?:is|was|are|er|ist|lautet|est|es|on file|ending|for|of",
            r"|to|at))?",
            // On a form the value may stand below its name.
            r"(?:[^0-9a-z\n]{1,8}\n?|\n)(?:here it is[^0-9a-z\n]{1,4})?"
        )
    };
}

/// Names of telephone numbers in the languages of documents, and up to a few words behind them.
macro_rules! named {
    () => {
        concat!(
            r"(?:^|[^a-z])(?:tele|mobile|cell|home|work|contact|customer|user",
            r"|office|smart|fax|emergency|e)?[ _-]?",
            r"(?:phone|phones|mobile|mobil|mobilnr|mobilnummer|mobiltelefon|tel",
            r"|tele|telefon|telephone|telefonnr",
            r"|telefonnummer|telefoon|telefoonnummer|telefono|telefone",
            r"|cell|telefonszám|tel\xC3\xA9fono|t\xC3\xA9l|t\xC3\xA9l\xC3\xA9phone",
            r"|tlf|tlfnr|tfn|cellphone|cellular|cellulare|celular|fax|fax no",
            r"|sms|whatsapp|viber|signal|handy|handynummer|gsm",
            r"|portable|m\xC3\xB3vil|movil|puhelin|puhelinnumero|puh",
            r"|matkapuhelin|kom|kom\xC3\xB3rka|mobiel|hotline|helpline",
            r"|cep no|cep tel|numer telefonu|\xD1\x82\xD0\xB5\xD0\xBB\S{0,16}",
            r"|\xD0\xA2\xD0\xB5\xD0\xBB\S{0,16}|\xD0\xBC\xD0\xBE\xD0\xB1\S{0,16}",
            r"|msisdn)[ _-]?(?:number|numbers|num|no|nr|nummer|n\xC3\xBAmero",
            r"|numero|#|\xC2\xBA|n\xC2\xB0)?",
            r"(?:[ :.-]{1,3}(?:is|er|ist|est|es|at|on|me|us|og|and|privat",
            r"|private|arbejde|work|home|reads|changed to))?",
            r"[^0-9a-z\n]{0,6}",
            r"|(?:\xE9\x9B\xBB\xE8\xA9\xB1|\xE7\x94\xB5\xE8\xAF\x9D",
            r"|\xE6\x90\xBA\xE5\xB8\xAF|\xE6\x89\x8B\xE6\x9C\xBA",
            r"|\xEC\xA0\x84\xED\x99\x94|\xED\x9C\xB4\xEB\x8C\x80\S{0,9}",
            r")[^0-9a-z\n]{0,20}"
        )
    };
}

/// Requests to call.
macro_rules! called {
    () => {
        concat!(
            r"(?:^|[^a-z])(?:call|calling|ring|ringe|dial|reach|text|phoning",
            r"|anrufen|ringen|appelez|appeler|llame|llamar|chiama|chiamare",
            r"|zadzwo\S{1,3}|bel|answering)",
            r"(?: (?:me|us|him|her|them|back|op|til|mig|os|moi|al))?(?: (?:at",
            r"|on|under|at:|p\xC3\xA5|au|unter|op))?[ :(]{1,4}"
        )
    };
}

/// Labels of cards and signatures, which need a colon to say so.
macro_rules! labelled {
    () => {
        concat!(
            r"(?:^|[^a-z])(?:desk|office|home|work|direct|main|private|privat",
            r"|arbejde|kontor|b\xC3\xBCro|bureau|oficina|ufficio|t|m|p|f|ph|mob",
            r"|d)[.]?:[ \t(]{0,3}"
        )
    };
}
