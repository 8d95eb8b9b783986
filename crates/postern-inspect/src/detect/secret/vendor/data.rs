//! Keys of databases, analytics and content services.

use super::super::{Detector, entropy, key};

/// The table.
pub(in super::super) const DETECTORS: &[Detector] = &[
    key(
        "databricks_token",
        &["dapi", "dkea", "dose"],
        "(?:dapi|dkea|dose)[0-9a-fA-F]{32}(?:-[0-9])?",
        &["key: ⟦dapi16b05af6b05af4b016b05c16b05a16b0⟧"],
        &["dapix"],
    ),
    key(
        "planetscale_token",
        &["pscale_tkn_", "pscale_pw_", "pscale_oauth_", "pscale_otkn_"],
        "pscale_(?:tkn|pw|oauth|otkn)_[A-Za-z0-9_=.-]{32,64}",
        &["TOKEN=⟦pscale_pw_FczMj6T_FczMj-VsFczMj8VsFczMl8VsFczOl8VsFc1⟧"],
        &["pscale_pw_x"],
    ),
    key(
        "supabase_token",
        &["sbp_"],
        "sbp_(?:v0_|oauth_)?[0-9a-f]{40}",
        &[r#"{"auth":"⟦sbp_9e38d27e38d27c389e38d49e38d29e38f4905af4⟧"}"#],
        &["sbp_x"],
    ),
    key(
        "supabase_secret_key",
        &["sb_secret_"],
        "sb_secret_[A-Za-z0-9_-]{31,48}",
        &["use ⟦sb_secret_ZwJg3Qn_ZwJg3-pCZwJg3SpCZwJg5Sp⟧, then"],
        &["sb_secret_x"],
    ),
    key(
        "neon_key",
        &["napi_"],
        "napi_[a-z0-9]{64}",
        &["⟦napi_ny9kv6hu5gr2do1cny9kv8ju5gr2fq1cny9m9kv6hs5gr2dozcny9kv6ju5gr2dq⟧"],
        &["napi_x"],
    ),
    key(
        "mongodb_secret",
        &["mdb_sa_sk_"],
        "mdb_sa_sk_[A-Za-z0-9_-]{40}",
        &["x = '⟦mdb_sa_sk_6TqDaxK_6TqDa-Mj6TqDazMj6TqDczMj6TqFczMj⟧';"],
        &["mdb_sa_sk_x"],
    ),
    key(
        "clickhouse_key",
        &["4b1d"],
        "4b1d[A-Za-z0-9]{38}",
        &["key: ⟦4b1d9WtGd0Nm9WtGd0Pm9WtGd2Pm9WtGf2Pm9WtIf2⟧"],
        &["4b1dx"],
    ),
    key(
        "confluent_key",
        &["cflt"],
        "cflt[A-Za-z0-9+/]{60}",
        &["TOKEN=⟦cflt5SpCZwJi5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5SrEbyLi5UrEbyLi7UrE⟧"],
        &["cfltx"],
    ),
    key(
        "airtable_token",
        &["pat"],
        r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
        &[concat!(
            r#"{"auth":"⟦patFczMj6TsFczMj6.c16b05a16b05af6bc16b07c16b05c16b27c38d27c18d27"#,
            r#"c1e5af49e3af49e38f⟧"}"#
        )],
        &["patx"],
    ),
    key(
        "contentful_token",
        &["CFPAT-"],
        "CFPAT-[A-Za-z0-9_-]{43}",
        &["use ⟦CFPAT-WtGd0Nk_WtGd0-m9WtGd0Pm9WtGd2Pm9WtGf2Pm9WtI⟧, then"],
        &["CFPAT-x"],
    ),
    key(
        "fauna_secret",
        &["fnA"],
        "fnA[A-Za-z0-9_-]{37}",
        &["⟦fnA7UrEbyL_7UrEb-Nk7UrEb0Nk7UrEd0Nk7UrGd⟧"],
        &["fnAx"],
    ),
    key(
        "xata_key",
        &["xau_"],
        "xau_[A-Za-z0-9]{24,48}",
        &["x = '⟦xau_i5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5Sr⟧';"],
        &["xau_x"],
    ),
    key(
        "dbt_token",
        &["dbtc_", "dbtu_"],
        "dbt[cu]_[A-Za-z0-9_=-]{32,64}",
        &["key: ⟦dbtc_sFczMj6_sFczM-8VsFczMl8VsFczOl8VsFc1Ol8VsFe⟧"],
        &["dbtc_x"],
    ),
    key(
        "segment_key",
        &["sgp_"],
        "sgp_[A-Za-z0-9]{64}",
        &["TOKEN=⟦sgp_9WtGd0Nm9WtGd0Pm9WtGd2Pm9WtGf2Pm9WtIf2Pm9WvIf2Pm9YvIf2PmBYvIf2b0⟧"],
        &["sgp_x"],
    )
    .check(entropy::random),
    key(
        "posthog_key",
        &["phc_", "phx_", "phs_"],
        "ph[cxs]_[A-Za-z0-9]{40,48}",
        &[r#"{"auth":"⟦phx_CZwJg3QpCZwJg3SpCZwJg5SpCZwJi5SpCZwLi5SpCZy⟧"}"#],
        &["phx_x"],
    ),
    key(
        "metabase_key",
        &["mb_"],
        "mb_[A-Za-z0-9+/]{43,44}={0,1}",
        &["use ⟦mb_Mj6TqDazMj6TqDczMj6TqFczMj6TsFczMj6VsFczMj8=⟧, then"],
        &["mb_x"],
    ),
    key(
        "retool_token",
        &["retool_"],
        "retool_[0-9a-z]{24,32}",
        &["⟦retool_fq1cny9mx8ju5gt4fq1cn0bmx8⟧"],
        &["retool_x"],
    ),
    key(
        "mapbox_token",
        &["sk.eyJ", "tk.eyJ", "pk.eyJ"],
        r"[spt]k\.eyJ[A-Za-z0-9_-]{40,200}\.[A-Za-z0-9_-]{20,24}",
        &[concat!(
            "x = '⟦sk.eyJ1IjoiSpCZwJg5SpCZwJi5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5SrEbyLi5U",
            "rEb.j6TqDaxMj6TqDazMj6TqDc⟧';"
        )],
        &["sk.eyJx"],
    ),
    key(
        "adafruit_key",
        &["aio_"],
        "aio_[A-Za-z0-9]{28}",
        &["key: ⟦aio_VsFczMj8VsFczMl8VsFczOl8VsFc⟧"],
        &["aio_x"],
    ),
    key(
        "maxmind_key",
        &["_mmk"],
        "[A-Za-z0-9]{6}_[A-Za-z0-9_]{29}_mmk",
        &["TOKEN=⟦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⟧"],
        &["_mmkx"],
    ),
    key(
        "elastic_key",
        &["essu_"],
        "essu_[A-Za-z0-9+/]{40,120}={0,2}",
        &[concat!(
            r#"{"auth":"⟦essu_UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd0Nk7UrGd0Nk7UtGd0Nk7WtG"#,
            r#"d0NwLi5SpCZyLi5SpCbyL=⟧"}"#
        )],
        &["essu_x"],
    ),
    key(
        "tinybird_token",
        &["p.eyJ1Ijo"],
        r"p\.eyJ1Ijo[A-Za-z0-9_.-]{60,200}",
        &[concat!(
            "use ⟦p.eyJ1IjosFczMj6VsFczMj8VsFczMl8VsFczOl8VsFc1Ol8VsFe1Ol8VsHe1Ol8VuHe1",
            "OlKj6TqDaxMj6TqDazMj6TqDczMj6T⟧, then"
        )],
        &["p.eyJ1Ijox"],
    ),
    key(
        "kaggle_token",
        &["KGAT_"],
        "KGAT_[0-9a-f]{32}",
        &["⟦KGAT_7c16b05c16b05a167c16b27c16b07c16⟧"],
        &["KGAT_x"],
    ),
    key(
        "convex_key",
        &["prod:", "dev:", "preview:"],
        concat!(
            r"(?:prod|dev|preview):[a-z]{3,16}-[a-z]{3,16}-[0-9]{1,4}\|[A-Za-z0-9+/_-]{4",
            "0,200}={0,2}"
        ),
        &[concat!(
            "x = '⟦prod:happy-otter-123|WtGd0Nk9WtGd0Nm9WtGd0Pm9WtGd2Pm9WtGf2Pm9WtIf2Pm",
            "9WvIf2Pm9YvIf⟧';"
        )],
        &["prod:x"],
    ),
    key(
        "liveblocks_key",
        &["sk_dev_", "sk_prod_"],
        "sk_(?:dev|prod)_[A-Za-z0-9_-]{60,70}",
        &[concat!(
            "key: ⟦sk_prod_1Ol8VsF_1Ol8V-He1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnA",
            "XuTs⟧"
        )],
        &["sk_prod_x"],
    ),
    key(
        "esri_key",
        &["AAPK"],
        r"AAP[KTY][A-Za-z0-9_-]{60,120}\.{0,2}",
        &[concat!(
            "TOKEN=⟦AAPKOl8VsFc1Ol8VsFe1Ol8VsHe1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHq",
            "FczMj6TsFczMj6VsF⟧"
        )],
        &["AAPKx"],
    ),
    key(
        "imagekit_key",
        &["private_"],
        "private_[A-Za-z0-9+/]{26,28}={1,2}",
        &[r#"{"auth":"⟦private_tGd0Nk7WtGd0Nk9WtGd0Nm9WtGd=⟧"}"#],
        &["private_x"],
    ),
];
