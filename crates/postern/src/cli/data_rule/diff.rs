//! What differs between two texts, line by line.

/// Characters shown around what differs in a long line.
const AROUND: usize = 60;
/// Lines of context around what differs.
const CONTEXT: usize = 1;

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Lines are left out up to this one (from 1).
    Gap(usize),
    /// It is the same in both.
    Same(String),
    /// It stood there before.
    Before(String),
    /// It stands there now.
    After(String),
}

/// The lines that differ, with a little of what stands around them.
pub(super) fn lines(before: &str, after: &str) -> Vec<Line> {
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let blocks = blocks(&before, &after);
    let mut out = Vec::new();
    let mut shown = 0;
    for (index, block) in blocks.iter().enumerate() {
        let from = block.before.start.saturating_sub(CONTEXT).max(shown);
        if from > shown || (index == 0 && from > 0) {
            out.push(Line::Gap(from + 1));
        }
        out.extend(
            before[from..block.before.start]
                .iter()
                .map(|line| same(line)),
        );
        let old = &before[block.before.clone()];
        let new = &after[block.after.clone()];
        for at in 0..old.len().max(new.len()) {
            let (old, new) = (old.get(at), new.get(at));
            let cut = cut(old.copied().unwrap_or(""), new.copied().unwrap_or(""));
            out.extend(old.map(|_| Line::Before(cut.0)));
            out.extend(new.map(|_| Line::After(cut.1)));
        }
        let next = blocks
            .get(index + 1)
            .map_or(before.len(), |next| next.before.start);
        shown = (block.before.end + CONTEXT).min(next);
        out.extend(
            before[block.before.end..shown]
                .iter()
                .map(|line| same(line)),
        );
    }
    out
}

/// Lines of one text, and the lines that stand there in the other.
struct Block {
    before: std::ops::Range<usize>,
    after: std::ops::Range<usize>,
}

/// Cleaning replaces in place: as a rule the lines correspond. Where they do not, because a value
/// of several lines was replaced, all between the first and the last difference is one block.
fn blocks(before: &[&str], after: &[&str]) -> Vec<Block> {
    if before.len() == after.len() {
        let differ = (0..before.len()).filter(|at| before[*at] != after[*at]);
        return differ
            .map(|at| Block {
                before: at..at + 1,
                after: at..at + 1,
            })
            .collect();
    }
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = before.iter().zip(after).take_while(same).count();
    let most = before.len().min(after.len()) - head;
    let backwards = before.iter().rev().zip(after.iter().rev());
    let tail = backwards.take_while(same).count().min(most);
    vec![Block {
        before: head..before.len() - tail,
        after: head..after.len() - tail,
    }]
}

fn same(line: &str) -> Line {
    let short: String = line.chars().take(2 * AROUND).collect();
    let cut = if short.len() < line.len() { "…" } else { "" };
    Line::Same(short + cut)
}

/// Two long lines without most of what they have in common at their ends.
fn cut(old: &str, new: &str) -> (String, String) {
    let equal = |(a, b): &(char, char)| a == b;
    let head = old.chars().zip(new.chars()).take_while(equal).count();
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let most = old.len().min(new.len()) - head;
    let backwards = old.iter().rev().zip(new.iter().rev());
    let tail = backwards.take_while(|(a, b)| a == b).count().min(most);
    let from = head.saturating_sub(AROUND);
    let shorten = |line: &[char]| -> String {
        let to = (line.len() - tail + AROUND).min(line.len());
        let middle: String = line[from..to].iter().collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if to < line.len() { "…" } else { "" };
        format!("{before}{middle}{after}")
    };
    (shorten(&old), shorten(&new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(before: &str, after: &str) -> String {
        let line = |line: Line| match line {
            Line::Gap(at) => format!("@{at}\n"),
            Line::Same(text) => format!(" {text}\n"),
            Line::Before(text) => format!("-{text}\n"),
            Line::After(text) => format!("+{text}\n"),
        };
        lines(before, after).into_iter().map(line).collect()
    }

    #[test]
    fn what_differs_is_shown_with_a_little_around() {
        assert_eq!(rendered("a\nb", "a\nb"), "");
        assert_eq!(
            rendered("1\n2\n3\n4\n5\n6", "1\n2\nx\n4\n5\n6"),
            "@2\n 2\n-3\n+x\n 4\n"
        );
        // Neighbours are not shown twice.
        assert_eq!(
            rendered("a\nb\nc\nd", "x\nb\ny\nd"),
            "-a\n+x\n b\n-c\n+y\n d\n"
        );
        // A value of several lines becomes one label.
        assert_eq!(
            rendered("k:\nBEGIN\nxyz\nEND\nrest", "k:\n[KEY]\nrest"),
            " k:\n-BEGIN\n+[KEY]\n-xyz\n-END\n rest\n"
        );
    }

    #[test]
    fn long_lines_are_cut_around_what_differs() {
        let (filler, other) = ("x".repeat(500), "y".repeat(500));
        let shown = rendered(
            &format!("{filler} a@b.example {other}"),
            &format!("{filler} [EMAIL] {other}"),
        );
        assert!(shown.contains("a@b.example") && shown.contains("[EMAIL]"));
        assert!(
            shown.lines().all(|line| line.chars().count() < 200),
            "{shown}"
        );
    }
}
