//! What stands between the groups of a number, as pieces of patterns.

/// One white space that joins groups: a space, a tab, a no-break, figure, thin or narrow no-break space.
macro_rules! gap {
    () => {
        r"(?:[ \t]|\xC2\xA0|\xE2\x80[\x87\x89\xAF])"
    };
}

/// What may stand between a word such as `account` and its value: the rest of the name, a verb,
/// punctuation. For `left` patterns, so without regard to case.
macro_rules! tail {
    () => {
        concat!(
            r"(?:[ _.-]{0,2}(?:number|numbers|num|no|nos|nr|nummer|n(?:u|..)mero|numer|id|code|value|text))?",
            r"(?:[ _.-]{1,2}(?:is|was|are|er|ist|est|es|on file|ending|for|of|to|at))?",
            r"[^0-9a-z\n]{1,8}"
        )
    };
}
