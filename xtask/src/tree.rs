//! The source tree as tidy sees it: the files that git knows or would add, read once.
//!
//! Rust files also carry their tokens. Tokens know no comments and keep string literals whole, so
//! a check that looks for `SystemTime::now` is not fooled by prose, and sees into macro bodies,
//! which a syntax tree does not.

use anyhow::{Context, Result, bail};
use proc_macro2::{TokenStream, TokenTree};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Every text file of the tree.
pub(crate) struct Tree {
    pub(crate) files: Vec<SourceFile>,
}

/// One text file.
pub(crate) struct SourceFile {
    /// Relative to the workspace root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// `None` for files that are not Rust, or not valid Rust.
    pub(crate) rust: Option<Rust>,
    /// Why a Rust file could not be parsed.
    pub(crate) broken: Option<String>,
}

/// A Rust file, parsed.
pub(crate) struct Rust {
    pub(crate) syntax: syn::File,
    /// All tokens in order, groups flattened to their delimiters.
    pub(crate) tokens: Vec<Token>,
    /// Lines inside `#[cfg(test)]` items and `#[test]` functions.
    test_lines: Vec<RangeInclusive<usize>>,
}

/// One token and its line, counted from 1.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Tree {
    /// Reads the tracked and the not yet tracked files; ignored ones (`target/`) are left out.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let listing = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(root)
            .output()
            .context("cannot run git, which lists the files of the tree")?;
        if !listing.status.success() {
            bail!(
                "git ls-files: {}",
                String::from_utf8_lossy(&listing.stderr).trim()
            );
        }
        let names = String::from_utf8(listing.stdout).context("a file name is not UTF-8")?;
        let mut files = Vec::new();
        for path in names.split('\0').filter(|name| !name.is_empty()) {
            // Deleted but still in the index, or not text: nothing to read.
            let Ok(text) = std::fs::read_to_string(root.join(path)) else {
                continue;
            };
            files.push(SourceFile::new(path, text));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// The Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&SourceFile, &Rust)> {
        self.files
            .iter()
            .filter_map(|file| file.rust.as_ref().map(|rust| (file, rust)))
    }

    /// One file by its path.
    pub(crate) fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// A tree of samples, for the tests of the checks.
    #[cfg(test)]
    pub(crate) fn sample(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| SourceFile::new(path, (*text).to_owned());
        Self {
            files: files.iter().map(file).collect(),
        }
    }
}

impl SourceFile {
    fn new(path: &str, text: String) -> Self {
        let parsed = path.ends_with(".rs").then(|| Rust::parse(&text));
        let (rust, broken) = match parsed {
            None => (None, None),
            Some(Ok(rust)) => (Some(rust), None),
            Some(Err(error)) => (None, Some(format!("{error:#}"))),
        };
        Self {
            path: path.to_owned(),
            text,
            rust,
            broken,
        }
    }

    /// Lines with their numbers, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// Whole files that never ship: `tests/…`, `tests.rs`, `benches/…`, `examples/…`.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self
                .path
                .split('/')
                .any(|part| matches!(part, "tests" | "benches" | "examples" | "fuzz"))
    }

    /// Code that never ships: the testkit and the workshop.
    pub(crate) fn is_workshop(&self) -> bool {
        self.path.starts_with("crates/postern-testkit/") || self.path.starts_with("xtask/")
    }

    /// Whether this line is test code.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        let inside = |rust: &Rust| rust.test_lines.iter().any(|lines| lines.contains(&line));
        self.is_test() || self.rust.as_ref().is_some_and(inside)
    }
}

impl Rust {
    fn parse(text: &str) -> Result<Self> {
        let syntax = syn::parse_file(text)
            .map_err(|error| anyhow::anyhow!("line {}: {error}", error.span().start().line))?;
        let stream: TokenStream = text
            .parse()
            .map_err(|error: proc_macro2::LexError| anyhow::anyhow!("{error}"))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let mut found = TestLines(Vec::new());
        found.visit_file(&syntax);
        Ok(Self {
            syntax,
            tokens,
            test_lines: found.0,
        })
    }

    /// Lines where `pattern` occurs, given as source text: `"SystemTime::now"`, `".unwrap("`.
    pub(crate) fn occurrences(&self, pattern: &str) -> Vec<usize> {
        let wanted = pattern_tokens(pattern);
        self.tokens
            .windows(wanted.len())
            .filter(|window| {
                window
                    .iter()
                    .zip(&wanted)
                    .all(|(have, want)| have.text == *want)
            })
            .map(|window| window[0].line)
            .collect()
    }
}

/// Splits a pattern into words and single punctuation characters, as `flatten` does.
fn pattern_tokens(pattern: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_word = false;
    for letter in pattern.chars().filter(|letter| !letter.is_whitespace()) {
        let word = letter.is_alphanumeric() || letter == '_';
        match tokens.last_mut() {
            Some(last) if word && in_word => last.push(letter),
            _ => tokens.push(letter.to_string()),
        }
        in_word = word;
    }
    tokens
}

fn flatten(stream: TokenStream, out: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                out.push(Token {
                    text: open.to_owned(),
                    line,
                });
                let end = group.span_close().end().line;
                flatten(group.stream(), out);
                out.push(Token {
                    text: close.to_owned(),
                    line: end,
                });
            }
            TokenTree::Ident(ident) => out.push(Token {
                text: ident.to_string(),
                line,
            }),
            TokenTree::Punct(punct) => out.push(Token {
                text: punct.as_char().into(),
                line,
            }),
            TokenTree::Literal(literal) => out.push(Token {
                text: literal.to_string(),
                line,
            }),
        }
    }
}

/// Collects the line ranges of test items.
struct TestLines(Vec<RangeInclusive<usize>>);

impl<'ast> Visit<'ast> for TestLines {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes: &[syn::Attribute] = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Const(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => &[],
        };
        self.note(attributes, item.span());
        syn::visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.attrs, item.span());
        syn::visit::visit_impl_item_fn(self, item);
    }
}

impl TestLines {
    fn note(&mut self, attributes: &[syn::Attribute], span: proc_macro2::Span) {
        if attributes.iter().any(is_test_attribute) {
            self.0.push(span.start().line..=span.end().line);
        }
    }
}

/// `#[cfg(test)]`, `#[test]`, `#[tokio::test]` and the like.
fn is_test_attribute(attribute: &syn::Attribute) -> bool {
    let last = attribute
        .path()
        .segments
        .last()
        .map(|segment| segment.ident.to_string());
    match last.as_deref() {
        Some("test") => true,
        Some("cfg") => attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|argument| argument == "test"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a call is found in code and inside macros, never in comments or strings.
    #[test]
    fn occurrences_see_code_only() {
        let text = "// SystemTime::now()\nfn a() {\n    log!(\"SystemTime::now\", \
                    SystemTime::now());\n}\n";
        let rust = Rust::parse(text).expect("the sample is valid Rust");
        assert_eq!(rust.occurrences("SystemTime::now"), vec![3]);
    }

    /// Goal: test code is told from product code by its attributes, not by where it stands.
    #[test]
    fn test_lines_are_known() {
        let text = "fn a() {}\n#[cfg(test)]\nmod t {\n    fn b() {}\n}\nfn c() {}\n";
        let tree = Tree::sample(&[("crates/x/src/a.rs", text)]);
        let file = tree
            .file("crates/x/src/a.rs")
            .expect("it was just put there");
        let found: Vec<bool> = (1..=6).map(|line| file.is_test_line(line)).collect();
        assert_eq!(found, [false, true, true, true, true, false]);
    }
}
