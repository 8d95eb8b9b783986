//! Tokens of this gateway.

use postern_types::BuiltinClass;

use super::{Detector, Edges, Needs, checksum};

/// The table.
pub(super) const DETECTORS: &[Detector] = &[Detector::new(
    "postern_token",
    BuiltinClass::PosternToken,
    Needs::Literal(&["pstn_sk1_", "pstn_ad1_"]),
    r"pstn_(?:sk|ad)1_[a-z0-9-]{1,16}_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}",
)
.edges(Edges::Word)
.check(checksum::own)
.sure(100)
.examples(
    &[concat!(
        "Authorization: Bearer ⟦pstn_sk1_dev_0AaBbCcDdEeFfGg1_0h7Kq2Vx9L",
        "m4Tz8Rw3Np6Zk3v9Qh2dLx7WpT5rMn8Yc3QM3R0⟧",
    )],
    // The last letter is wrong.
    &["pstn_sk1_dev_0000000000000000_0000000000000000000000000000000000000000000000000"],
)];
