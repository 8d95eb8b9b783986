//! Addresses of crypto currencies: by their checksum where they have one that is ours to compute.

use aws_lc_rs::digest::{SHA256, digest};
use postern_types::BuiltinClass::CryptoAddress;

use crate::detect::{Detector, Edges, Needs};

const WORDS: &[&str] = &[
    "wallet",
    "address",
    "crypto",
    "bitcoin",
    "btc",
    "ethereum",
    "eth",
    "monero",
    "xmr",
    "solana",
    "sol",
    "ripple",
    "xrp",
    "litecoin",
    "ltc",
    "dogecoin",
    "doge",
    "tron",
    "trx",
    "usdt",
    "usdc",
    "wallet_address",
    "donate",
    "cardano",
    "ada",
    "adresse",
    "portemonnaie",
    "billetera",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "base58_address",
        CryptoAddress,
        Needs::Run(26),
        r"[13mn2LMDAXT9t][1-9A-HJ-NP-Za-km-z]{25,34}",
    )
    .edges(Edges::Key)
    .check(base58)
    .sure(97)
    .at_most(35)
    .examples(
        &[
            "⟦1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa⟧",
            "to ⟦3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy⟧.",
        ],
        &[
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf",
            "x1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        ],
    ),
    Detector::new(
        "bech32_address",
        CryptoAddress,
        Needs::AnyCase(&["bc1", "tb1", "ltc1", "addr1", "cosmos1"]),
        r"(?i)(?:bc|tb|ltc|addr|cosmos)1[02-9ac-hj-np-z]{38,108}",
    )
    .edges(Edges::Key)
    .check(bech32)
    .sure(97)
    .at_most(120)
    .examples(
        &[
            "⟦bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4⟧",
            "⟦BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4⟧",
        ],
        &[
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            "bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        ],
    ),
    // WHY NOT the mixed-case checksum of EIP-55: it needs Keccak-256, which our only library of
    // cryptography does not have. Forty hexadecimal digits behind `0x` are hardly ever else.
    Detector::new(
        "ethereum_address",
        CryptoAddress,
        Needs::AnyCase(&[
            "0x0", "0x1", "0x2", "0x3", "0x4", "0x5", "0x6", "0x7", "0x8", "0x9", "0xa", "0xb",
            "0xc", "0xd", "0xe", "0xf",
        ]),
        r"0x[0-9a-fA-F]{40}",
    )
    .check(varied)
    .words(WORDS, 75, 95)
    .at_most(42)
    .examples(
        &[
            "⟦0x52908400098527886E0F7030069857D2E4169EE7⟧",
            "eth ⟦0xde709f2102306220921060314715629080e2fb77⟧",
        ],
        &[
            "0x0000000000000000000000000000000000000000",
            "0x52908400098527886E0F7030069857D2E4169EE",
            "0x52908400098527886E0F7030069857D2E4169EE71",
        ],
    ),
    Detector::new(
        "ripple_address",
        CryptoAddress,
        Needs::Run(25),
        r"r[1-9A-HJ-NP-Za-km-z]{24,34}",
    )
    .edges(Edges::Key)
    .check(ripple)
    .sure(95)
    .at_most(35)
    .examples(
        &[
            "⟦rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh⟧",
            "xrp: ⟦rrrrrrrrrrrrrrrrrrrrrhoLvTp⟧",
        ],
        &[
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi",
            "representationalistically",
        ],
    ),
    Detector::new(
        "monero_address",
        CryptoAddress,
        Needs::Run(95),
        r"[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}",
    )
    .edges(Edges::Key)
    .check(varied)
    .sure(85)
    .at_most(95)
    .examples(
        &[
            concat!(
                "⟦44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBY",
                "Bb98uNbr2VBBEt7f2wfn3RVGQBEP3A⟧"
            ),
            concat!(
                "xmr ⟦84AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqS",
                "saBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A⟧"
            ),
        ],
        &[
            "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3Xjrp",
            concat!(
                "54AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYB",
                "b98uNbr2VBBEt7f2wfn3RVGQBEP3A"
            ),
        ],
    ),
    Detector::new(
        "bitcoin_cash_address",
        CryptoAddress,
        Needs::Literal(&["bitcoincash:"]),
        r"bitcoincash:[qp][02-9ac-hj-np-z]{41}",
    )
    .edges(Edges::Key)
    .at_most(54)
    .examples(
        &[
            "⟦bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a⟧",
            "pay ⟦bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a⟧",
        ],
        &[
            "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vc",
            "bitcoincash:",
        ],
    ),
    Detector::new(
        "solana_address",
        CryptoAddress,
        Needs::Run(32),
        r"[1-9A-HJ-NP-Za-km-z]{43,44}",
    )
    .edges(Edges::Key)
    .check(key_of_32_bytes)
    .words(&["solana", "sol", "phantom", "spl"], 30, 85)
    .at_most(44)
    .examples(
        &[
            "Solana: ⟦7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV⟧",
            "sol wallet ⟦9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM⟧",
        ],
        &[
            "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV",
            "solana zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        ],
    ),
];

const BITCOIN: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const RIPPLE: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

/// A number of base 58 as `N` bytes; `None` if it has another length.
fn decode<const N: usize>(text: &str, alphabet: &[u8; 58]) -> Option<[u8; N]> {
    let mut bytes = [0_u8; N];
    for sign in text.bytes() {
        let mut carry = alphabet.iter().position(|&known| known == sign)?;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            // The low eight bits stay; the rest is carried on.
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry > 0 {
            return None;
        }
    }
    // A leading zero byte is written as one leading zero sign, so that the lengths agree.
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let signs = text.bytes().take_while(|&sign| sign == alphabet[0]).count();
    (zeros == signs).then_some(bytes)
}

/// The last four bytes are the first four of the hash of the hash of what stands before them.
fn sealed(bytes: &[u8]) -> bool {
    let (body, check) = bytes.split_at(bytes.len() - 4);
    let hash = digest(&SHA256, digest(&SHA256, body).as_ref());
    hash.as_ref()[..4] == *check
}

/// One version byte (two for Zcash), twenty bytes of hash, four of checksum.
fn base58(text: &str) -> bool {
    /// Bitcoin and its test network, Litecoin, Dogecoin, Dash, Tron.
    const VERSIONS: [u8; 12] = [
        0x00, 0x05, 0x6f, 0xc4, 0x30, 0x32, 0x3a, 0x1e, 0x16, 0x4c, 0x10, 0x41,
    ];
    if let Some(bytes) = decode::<25>(text, BITCOIN) {
        return VERSIONS.contains(&bytes[0]) && sealed(&bytes);
    }
    decode::<26>(text, BITCOIN).is_some_and(|bytes| bytes[0] == 0x1c && sealed(&bytes))
}

fn ripple(text: &str) -> bool {
    decode::<25>(text, RIPPLE).is_some_and(|bytes| bytes[0] == 0 && sealed(&bytes))
}

fn key_of_32_bytes(text: &str) -> bool {
    varied(text) && decode::<32>(text, BITCOIN).is_some()
}

/// Not one sign over and over, as in placeholders.
fn varied(text: &str) -> bool {
    let body = &text.as_bytes()[2..];
    body.iter().any(|sign| *sign != body[0])
}

/// BIP 173 and BIP 350: a BCH code over the readable part and the rest, in one case throughout.
fn bech32(text: &str) -> bool {
    const SIGNS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const ONE: u32 = 1;
    const M: u32 = 0x2bc8_30a3;
    let lower = text.bytes().any(|byte| byte.is_ascii_lowercase());
    if lower && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return false;
    }
    let text = text.to_ascii_lowercase();
    let Some((readable, rest)) = text.split_once('1') else {
        return false;
    };
    let high = readable.bytes().map(|byte| byte >> 5);
    let low = readable.bytes().map(|byte| byte & 31);
    let data = rest
        .bytes()
        .filter_map(|byte| SIGNS.iter().position(|&sign| sign == byte))
        .map(|place| place.to_le_bytes()[0]);
    let values = high.chain([0]).chain(low).chain(data);
    matches!(values.fold(1, bch_step), ONE | M)
}

/// One step of the BCH code of BIP 173.
fn bch_step(state: u32, value: u8) -> u32 {
    const GENERATORS: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let top = state >> 25;
    let next = (state & 0x01ff_ffff) << 5 ^ u32::from(value);
    GENERATORS
        .iter()
        .enumerate()
        .filter(|(bit, _)| top >> bit & 1 == 1)
        .fold(next, |state, (_, generator)| state ^ generator)
}
