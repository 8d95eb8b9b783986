//! Private keys: in armour (PEM of every kind, OpenPGP, PuTTY, age) and without.
//!
//! The patterns go on to the end line where there is one, and to the end of the text where there is
//! none: half a private key is a private key.

use postern_types::BuiltinClass::PrivateKey;

use super::{Detector, Edges, Needs, entropy};

/// The table.
pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "private_key",
        PrivateKey,
        Needs::Literal(&["PRIVATE KEY"]),
        concat!(
            r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----",
            r"(?:-{0,4}[^-])*(?:-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----)?",
        ),
    )
    .edges(Edges::Any)
    .check(has_key_material)
    .sure(99)
    .open_ended()
    .examples(
        &[
            concat!(
                "⟦-----BEGIN RSA PRIVATE KEY-----\n",
                "MIIBAx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0M\n",
                "-----END RSA PRIVATE KEY-----⟧\nand more",
            ),
            concat!(
                "⟦-----BEGIN ENCRYPTED PRIVATE KEY-----\\n",
                "MIIFBx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0M\\n",
                "-----END ENCRYPTED PRIVATE KEY-----⟧\\n",
            ),
            concat!(
                "⟦-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n",
                "lQVYBx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0M\n",
                "=x2Ne\n-----END PGP PRIVATE KEY BLOCK-----⟧",
            ),
            concat!(
                "⟦-----BEGIN PRIVATE KEY-----",
                "MIIBx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0M",
                "-----END PRIVATE KEY-----⟧",
            ),
            concat!(
                "⟦-----BEGIN PRIVATE KEY-----<br>",
                "MIIBx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0M",
                "<br>-----END PRIVATE KEY-----⟧",
            ),
            concat!(
                "\"⟦-----BEGIN PRIVATE KEY-----\\n\" +\n",
                "\"MIIBx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0M\\n\" +\n",
                "\"-----END PRIVATE KEY-----⟧\\n\";",
            ),
        ],
        &[
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            "-----BEGIN PUBLIC KEY-----\nMIIBx2Ne7Qk9Tz4Vw8Yr3Lm6\n-----END PUBLIC KEY-----",
        ],
    ),
    // The private lines of a PuTTY file (the format is in appendix C of PuTTY's manual): full
    // lines of 64 letters, and a last one.
    Detector::new(
        "putty_private_lines",
        PrivateKey,
        Needs::Literal(&["Private-Lines:"]),
        concat!(
            r"Private-Lines: [0-9]{1,3}\s{1,2}",
            r"((?:[A-Za-z0-9+/]{64}\s{1,2})*[A-Za-z0-9+/]{4,64}={0,2})",
        ),
    )
    .edges(Edges::Any)
    .check(is_putty_body)
    .sure(95)
    .open_ended()
    .examples(
        &[
            concat!(
                "Private-Lines: 3\n",
                "⟦AAAAgQCx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5R\n",
                "y0Mx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0Mx\n",
                "2Ne7Qk9Tz4Vw==⟧\nPrivate-MAC: 00112233445566778899aabbccddeeff00112233",
            ),
            "Private-Lines: 1\r\n⟦x2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3W⟧",
        ],
        &[
            "Public-Lines: 1\nx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3W",
            "Private-Lines: 1\nno",
        ],
    ),
    Detector::new(
        "age_secret_key",
        PrivateKey,
        Needs::Literal(&["AGE-SECRET-KEY-", "AGE-PLUGIN-"]),
        r"AGE-(?:SECRET-KEY|PLUGIN-[A-Z0-9]{1,16})-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    )
    .edges(Edges::Word)
    .check(entropy::varied)
    .sure(99)
    .examples(
        &["⟦AGE-SECRET-KEY-1QD685PWMG4Z0UFKRSA2HY37TC9JLVEXN9JLVEXNQD685PWMG4Z0UFKRSA2⟧"],
        &["AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0"],
    ),
    // OpenSSH's own format without its armour: base64 of `openssh-key-v1` and a zero byte.
    Detector::new(
        "openssh_bare_key",
        PrivateKey,
        Needs::Literal(&["b3BlbnNzaC1rZXktdjE"]),
        r"b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/]{60,}={0,2}",
    )
    .edges(Edges::Word)
    .sure(97)
    .open_ended()
    .examples(
        &[concat!(
            "key: ⟦b3BlbnNzaC1rZXktdjEx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9",
            "Ke4Oi8Sn3Wq6Zt1Bv5Ry0M2Ne7Qk9Tz4Vw8Yr3⟧",
        )],
        &["b3BlbnNzaC1rZXktdjE="],
    ),
    // The DER of PEM without its armour, as some clouds and payment services ask for it. What it
    // begins with says which key it is: RSA alone (RFC 8017) or as one of several kinds (RFC 5958),
    // a curve alone (RFC 5915) or so, Ed25519 (RFC 8410).
    Detector::new(
        "der_bare_key",
        PrivateKey,
        Needs::Literal(&[
            "IBADANBgkqhkiG9w0BAQEFAASC",
            "IBAAKC",
            "IBAAKBgQ",
            "MHcCAQEEI",
            "MIGkAgEBBD",
            "MIHcAgEBBE",
            "ByqGSM49AgEG",
            "MC4CAQAwBQYDK2VwBCIEI",
        ]),
        concat!(
            r"(?:MII[A-Za-z0-9+/]{3}IBA(?:DANBgkqhkiG9w0BAQEFAASC|AK(?:C|BgQ))",
            r"|MHcCAQEEI|MIGkAgEBBD|MIHcAgEBBE|MI[A-Za-z0-9+/]{2}AgEAMB[AM]GByqGSM49AgEG",
            r"|MC4CAQAwBQYDK2VwBCIEI)[A-Za-z0-9+/]{40,}={0,2}",
        ),
    )
    .edges(Edges::Word)
    .check(entropy::varied)
    .sure(97)
    .open_ended()
    .examples(
        &[
            concat!(
                "⟦MIIEvQIBADANBgkqhkiG9w0BAQEFAASCx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9",
                "Ke4Oi8Sn3Wq6Zt1Bv5Ry0M2Ne7Qk9Tz4Vw8Yr3⟧",
            ),
            concat!(
                "key=⟦MIIEpAIBAAKCx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9",
                "Ke4Oi8Sn3Wq6Zt1Bv5Ry0M2Ne7Qk9Tz4Vw8Yr3⟧",
            ),
            "⟦MHcCAQEEIx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0M==⟧",
            concat!(
                "⟦MIGHAgEAMBMGByqGSM49AgEGx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9",
                "Ke4Oi8Sn3Wq6Zt1Bv5Ry0M⟧",
            ),
            "⟦MC4CAQAwBQYDK2VwBCIEIx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4O⟧",
        ],
        &[
            // A public key and the beginning of a certificate.
            "MIIBCgKCAQEAx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1Bv5Ry0M",
            "MIIDXTCCAkWgAwIBAgIJx2Ne7Qk9Tz4Vw8Yr3Lm6Pb1Cs5Hf0Jd2Gx7Ua9Ke4Oi8Sn3Wq6Zt1",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC...",
        ],
    ),
];

/// The shortest private part is that of an Ed25519 key, 36 bytes; of a text that was cut, less.
fn is_putty_body(value: &str) -> bool {
    value.len() >= 24
}

/// Whether something of a key stands behind the first line: at least 40 letters of base64 in a row,
/// whatever stands between the lines.
fn has_key_material(value: &str) -> bool {
    let body = value.splitn(3, "-----").nth(2).unwrap_or_default();
    body.split(|letter: char| !letter.is_ascii_alphanumeric() && !"+/=".contains(letter))
        .any(|line| line.len() >= 40)
}
