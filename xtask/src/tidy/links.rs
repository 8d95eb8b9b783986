//! Links between our pages lead somewhere: a relative link in Markdown names a file of the tree.

use super::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in page.lines() {
            for target in targets(&without_code(line)) {
                let path = resolve(folder, target);
                let folder_of_files = format!("{}/", path.trim_end_matches('/'));
                let leads_somewhere = tree.file(&path).is_some()
                    || tree
                        .files
                        .iter()
                        .any(|file| file.path.starts_with(&folder_of_files));
                if !leads_somewhere {
                    let message = format!("the link to `{target}` leads nowhere");
                    findings.push(Finding::new(&page.path, number, message));
                }
            }
        }
    }
    findings
}

/// The line without its code spans: a pattern may hold what looks like a link. A span ends with a
/// run of as many backquotes as it began with; a run that has no such end is text.
fn without_code(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let (run, after) = rest.split_at(ticks);
        rest = match end_of_span(after, ticks) {
            Some(end) => &after[end..],
            None => {
                text.push_str(run);
                after
            }
        };
    }
    text + rest
}

/// Where the first run of exactly so many backquotes ends.
fn end_of_span(text: &str, ticks: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        at += found;
        let run = text[at..].len() - text[at..].trim_start_matches('`').len();
        at += run;
        if run == ticks {
            return Some(at);
        }
    }
    None
}

/// The relative targets of `[text](target)` on this line, without their `#fragment`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', '#']).next()?;
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
            .then_some(target)
    })
}

fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nowhere_is_found() {
        let page = "[up](../README.md) [folder](reference/) [part](#here)\n\
                    [web](https://example.com) [gone](reference/gone.md#part)\n";
        let code = "`[0-9](?:x)` ``a`[b](c)`` [`cli`](reference/cli.md) ` [lost](nowhere.md)\n";
        let page = &format!("{page}{code}");
        let found = check(&Tree::sample(&[
            ("docs/a.md", page),
            ("docs/reference/cli.md", ""),
            ("README.md", ""),
        ]));
        let lines: Vec<_> = found.iter().map(|found| found.line).collect();
        assert_eq!(lines, [2, 3]);
        assert!(found[0].message.contains("reference/gone.md"));
        assert!(found[1].message.contains("nowhere.md"));
    }
}
