//! Keys of shops, office tools and other services.

use super::super::{Detector, entropy, key};

/// The table.
pub(in super::super) const DETECTORS: &[Detector] = &[
    key(
        "shopify_token",
        &[
            "shpat_", "shpca_", "shppa_", "shpss_", "shptka_", "shpua_", "shprt_", "shpit_",
        ],
        "shp(?:at|ca|pa|ss|tka|ua|rt|it)_[A-Za-z0-9]{32,40}",
        &["key: ⟦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⟧"],
        &["shpat_x"],
    ),
    key(
        "amazon_oauth_secret",
        &["amzn1.oa2-cs."],
        r"amzn1\.oa2-cs\.v1\.[0-9a-f]{64}",
        &[concat!(
            "TOKEN=⟦amzn1.oa2-cs.v1.9e38d27e38d27c389e38d49e38d29e38f4905af49e5af49eb27",
            "c16b07c16b05c⟧"
        )],
        &["amzn1.oa2-cs.x"],
    ),
    key(
        "amazon_oauth_token",
        &["Atza|", "Atzr|"],
        r"Atz[ar]\|[A-Za-z0-9_-]{100,}",
        &[concat!(
            r#"{"auth":"⟦Atzr|Pm9WtGd2Pm9WtGf2Pm9WtIf2Pm9WvIf2Pm9YvIf2PmBYvIf2PoBYvIf2RoB"#,
            r#"YvIrGd0Nk7UtGd0Nk7WtGd0Nk9WtGd0Nm9WtGd0Pm9WtGd2Pm9WtGf2Pm9WtI⟧"}"#
        )],
        &["Atzr|x"],
    )
    .open_ended(),
    key(
        "woocommerce_key",
        &["ck_", "cs_"],
        "c[ks]_[0-9a-f]{40}",
        &["use ⟦ck_38d27c18d27c16d238d27e38d27c38d29e3af49e⟧, then"],
        &["ck_x"],
    ),
    key(
        "ebay_token",
        &["v^1.1#"],
        r"v\^1\.1#i\^1#[A-Za-z0-9#^+/=]{60,}",
        &[concat!(
            "⟦v^1.1#i^1#byLi5SpEbyLi5SrEbyLi5UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd0Nk7U3",
            "SpCZwJg5SpCZwJi5S⟧"
        )],
        &["v^1.1#x"],
    )
    .open_ended(),
    key(
        "wix_key",
        &["IST.eyJ"],
        r"IST\.eyJ[A-Za-z0-9_.-]{100,}",
        &[concat!(
            "x = '⟦IST.eyJJg3QnAXwJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZwJg5SpCZwJi5SpCZwLi5Sp",
            "ClAXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJg3QnAZwJg3QnC⟧';"
        )],
        &["IST.eyJx"],
    )
    .open_ended(),
    key(
        "notion_token",
        &["ntn_"],
        "ntn_[0-9]{11}[A-Za-z0-9]{35}",
        &["key: ⟦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⟧"],
        &["ntn_x"],
    ),
    key(
        "notion_secret",
        &["secret_"],
        "secret_[A-Za-z0-9]{43}",
        &["TOKEN=⟦secret_5SpCZwJi5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5Sr⟧"],
        &["secret_x"],
    )
    .check(entropy::random),
    key(
        "linear_key",
        &["lin_api_", "lin_oauth_", "lin_wh_"],
        "lin_(?:api|oauth|wh)_[A-Za-z0-9]{40,64}",
        &[r#"{"auth":"⟦lin_api_nAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJg3Q⟧"}"#],
        &["lin_api_x"],
    ),
    key(
        "asana_token",
        &["0/1", "1/1", "2/1"],
        "[012]/[0-9]{15,17}(?:/[0-9]{15,17})?:[0-9a-f]{32}",
        &["use ⟦1/1185296329652965:af49e38f49e38d49af49e5af49e3af49⟧, then"],
        &["1/1x"],
    ),
    key(
        "clickup_token",
        &["pk_"],
        "pk_[0-9]{6,10}_[A-Z0-9]{32}",
        &["⟦pk_85296309_LW7IT4FS3EP0BMZALW7IT6HS3EP0DOZA⟧"],
        &["pk_x"],
    ),
    key(
        "trello_token",
        &["ATTA"],
        "ATTA[0-9A-Za-z]{72}",
        &[concat!(
            "x = '⟦ATTA6b05af4b05af49056b05a16b05af6b05c16d27c16b27c16b8f49e38d49e38d29",
            "c16b05c1⟧';"
        )],
        &["ATTAx"],
    )
    .check(entropy::random),
    key(
        "typeform_token",
        &["tfp_"],
        "tfp_[A-Za-z0-9_.=-]{40,62}",
        &["key: ⟦tfp_RoBYvIf4RoBYvIh4RoBYvKh4RoBYxKh4RoBaxKh4RoDa⟧"],
        &["tfp_x"],
    ),
    key(
        "adobe_secret",
        &["p8e-", "p8-"],
        "p8e?-[A-Za-z0-9_-]{32}",
        &["TOKEN=⟦p8e-Gd0Nk7U_Gd0Nk-WtGd0Nk9WtGd0Nm9Wt⟧"],
        &["p8e-x"],
    )
    .check(entropy::random),
    key(
        "dropbox_token",
        &["sl."],
        r"sl\.(?:u\.)?[A-Za-z0-9_-]{130,}",
        &[concat!(
            r#"{"auth":"⟦sl.QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZw"#,
            "JsHe1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnSpEbyLi5SrE",
            r#"byLi5⟧"}"#
        )],
        &["sl.x"],
    )
    .open_ended(),
    key(
        "zapier_hook",
        &["hooks.zapier.com/hooks/catch/"],
        r"hooks\.zapier\.com/hooks/catch/([0-9]{5,10}/[a-z0-9]{6,12})",
        &["see https://hooks.zapier.com/hooks/catch/⟦9630741/mx8ju5gt⟧"],
        &["hooks.zapier.com/hooks/catch/"],
    ),
    key(
        "ifttt_key",
        &["maker.ifttt.com/"],
        concat!(
            r"maker\.ifttt\.com/(?:use|trigger/[A-Za-z0-9_-]{1,64}/(?:json/)?with/key)/(",
            "[A-Za-z0-9_-]{22,43})"
        ),
        &["see https://maker.ifttt.com/use/⟦4RoBYvI_4RoBY-Kh4RoBYx⟧"],
        &["maker.ifttt.com/"],
    ),
    key(
        "make_hook",
        &[".make.com/"],
        r"hook\.[a-z0-9]{2,5}\.make\.com/([a-z0-9]{32})",
        &["see https://hook.eu1.make.com/⟦x8ju5gr4fq1cnybmx8ju5it4fq1cp0bm⟧"],
        &["hook.eu1.make.com/"],
    ),
    key(
        "salesforce_token",
        &["00D"],
        "00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{80,120}",
        &[concat!(
            "key: ⟦00DxKh4RoBaxKh4!EbyLi5SrEbyLi5UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd0N",
            "k7UrGd0Nk7g5SpCZwJi5SpCZwLi5SpCZyLi5SpCbyLi5⟧"
        )],
        &["00Dx"],
    ),
    key(
        "salesforce_refresh_token",
        &["5Aep"],
        "5Aep[A-Za-z0-9_.=-]{80,}",
        &[concat!(
            "TOKEN=⟦5AepuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJg3QnM",
            "l8VsFczOl8VsFc1Ol8VsFe1Ol8V⟧"
        )],
        &["5Aepx"],
    )
    .open_ended(),
    key(
        "frameio_token",
        &["fio-u-"],
        "fio-u-[A-Za-z0-9_=-]{64}",
        &[concat!(
            r#"{"auth":"⟦fio-u-i5SpCZw_i5SpC-yLi5SpCbyLi5SpEbyLi5SrEbyLi5UrEbyLi7UrEbyLk7"#,
            r#"UrEbAZ⟧"}"#
        )],
        &["fio-u-x"],
    ),
    key(
        "settlemint_token",
        &["sm_pat_", "sm_aat_", "sm_sat_"],
        "sm_[pas]at_[A-Za-z0-9]{16}",
        &["use ⟦sm_pat_6TqDaxKj6TqDaxMj⟧, then"],
        &["sm_pat_x"],
    ),
    key(
        "canva_secret",
        &["cnvca"],
        "cnvca[A-Za-z0-9_-]{40,60}",
        &["⟦cnvcah4RoBYv_h4RoB-xKh4RoBaxKh4RoDaxKh4RqDaxKh4TqDaxKh6⟧"],
        &["cnvcax"],
    ),
    key(
        "calcom_key",
        &["cal_live_"],
        "cal_(?:live|test)?_?[0-9a-f]{32}",
        &["x = '⟦cal_live_c16b05a16b05af6bc16b07c16b05c16b⟧';"],
        &["cal_live_x"],
    ),
    key(
        "gitbook_token",
        &["gb_api_"],
        "gb_api_[A-Za-z0-9]{40,64}",
        &["key: ⟦gb_api_uHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAX⟧"],
        &["gb_api_x"],
    ),
    key(
        "nightfall_key",
        &["NF-"],
        "NF-[A-Za-z0-9]{32,48}",
        &["TOKEN=⟦NF-xKh4RoBaxKh4RoDaxKh4RqDaxKh4TqDa⟧"],
        &["NF-x"],
    ),
];
