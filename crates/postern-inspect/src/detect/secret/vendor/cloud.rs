//! Credentials of clouds: access keys, tokens, shared keys.

use super::super::{Detector, cloud, entropy};

/// The table.
pub(in super::super) const DETECTORS: &[Detector] = &[
    cloud(
        "aws_access_key",
        &["AKIA", "ASIA", "ABIA", "ACCA", "A3T"],
        "(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
        &["key: ⟦AKIATAN2HUBQ5KXER6N2⟧"],
        &["AKIAx"],
    ),
    cloud(
        "aws_bedrock_key",
        &["ABSK"],
        "ABSK[A-Za-z0-9+/]{109,269}={0,2}",
        &[concat!(
            "TOKEN=⟦ABSK1Ol8VsFe1Ol8VsHe1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAXuT",
            "sFczMj6VsFczMj8VsFczMl8VsFczOl8VsFc1Ol8VsFe1Ol8VsHe1Ol8Vu=⟧"
        )],
        &["ABSKx"],
    ),
    cloud(
        "aws_bedrock_session_key",
        &["bedrock-api-key-"],
        "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=%_-]*",
        &[concat!(
            r#"{"auth":"⟦bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tyLi5SpCbyLi5SpEbyLi5"#,
            r#"SrEbyLi5UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7⟧"}"#
        )],
        &["bedrock-api-key-x"],
    )
    .open_ended(),
    cloud(
        "aws_session_token",
        &["FwoGZXIvYXdz", "IQoJb3JpZ2lu"],
        "(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9+/=%_-]{100,}",
        &[concat!(
            "use ⟦IQoJb3JpZ2luLi5SpCZyLi5SpCbyLi5SpEbyLi5SrEbyLi5UrEbyLi7UrEbyLk7UrEbyN",
            "k7UrEnCZwJg3QpCZwJg3SpCZwJg5SpCZwJi5SpCZwLi5SpCZyLi5SpCbyLi5SpE⟧, then"
        )],
        &["IQoJb3JpZ2lux"],
    )
    .open_ended(),
    cloud(
        "aws_mws_token",
        &["amzn.mws."],
        r"amzn\.mws\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        &["⟦amzn.mws.8d27c16d-27c1-4b27-ad27-c38d27c18d27⟧"],
        &["amzn.mws.x"],
    ),
    cloud(
        "aws_appsync_key",
        &["da2-"],
        "da2-[a-z0-9]{26}",
        &["x = '⟦da2-3ep0bmxalw7it4hs3ep0bozalw⟧';"],
        &["da2-x"],
    ),
    cloud(
        "google_api_key",
        &["AIza"],
        "AIza[A-Za-z0-9_-]{35}",
        &["key: ⟦AIza9WtGd0N_9WtGd-Pm9WtGd2Pm9WtGf2Pm9Wt⟧"],
        &["AIzax"],
    ),
    cloud(
        "google_bound_key",
        &["AQ.Ab8"],
        r"AQ\.Ab8[A-Za-z0-9_-]{44,60}",
        &["TOKEN=⟦AQ.Ab8QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJg3QnAZwJg3QnCZwJg⟧"],
        &["AQ.Ab8x"],
    ),
    cloud(
        "google_oauth_secret",
        &["GOCSPX-"],
        "GOCSPX-[A-Za-z0-9_-]{28}",
        &[r#"{"auth":"⟦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⟧"}"#],
        &["GOCSPX-x"],
    ),
    cloud(
        "google_oauth_token",
        &["ya29."],
        r"ya29\.[A-Za-z0-9_.-]{20,}",
        &[concat!(
            "use ⟦ya29.k7UrEbyNk7UrEb0Nk7UrEd0Nk7UrGd0Nk7UtGd0Nk7WtGd0Nk9WtGd0Nm9Wt⟧, t",
            "hen"
        )],
        &["ya29.x"],
    )
    .open_ended(),
    cloud(
        "google_refresh_token",
        &["1//0"],
        "1//0[A-Za-z0-9_-]{40,}",
        &["⟦1//01Ol8VsFe1Ol8VsHe1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnA⟧"],
        &["1//0x"],
    )
    .open_ended(),
    cloud(
        "google_storage_key",
        &["GOOG1E"],
        "GOOG1E[A-Za-z0-9]{55}",
        &["x = '⟦GOOG1EqDaxKh4TqDaxKh6TqDaxKj6TqDaxMj6TqDazMj6TqDczMj6TqFczMj6⟧';"],
        &["GOOG1Ex"],
    ),
    cloud(
        "azure_client_secret",
        &[
            "0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~", "7Q~", "8Q~", "9Q~",
        ],
        "[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,34}",
        &["key: ⟦0Nk8Q~He1Ol8V_He1Ol-XuHe1OlAXuHe1OnAXuHe⟧"],
        &["8Q~x"],
    ),
    cloud(
        "azure_shared_key",
        &[
            "AccountKey=",
            "SharedAccessKey=",
            "accountkey=",
            "accountKey=",
        ],
        "(?i:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{43,86}={1,2})",
        &[concat!(
            "AccountKey=⟦i5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5SrEbyLi5UrEbyLi7UrEbyLk7UrEb",
            "AZwJg3QnCZwJg3QpCZwJg3Sp==⟧"
        )],
        &["AccountKey="],
    ),
    cloud(
        "azure_marked_key",
        &[
            "+ASt", "ACDb", "AzFu", "AzSe", "AzCa", "+ABa", "+ARm", "APIM",
        ],
        concat!(
            r"[A-Za-z0-9+/]{33,76}(?:\+ASt|ACDb|AzFu|AzSe|AzCa|\+ABa|\+ARm|APIM)[A-Za-z0",
            "-9+/]{5,7}={0,2}"
        ),
        &[concat!(
            r#"{"auth":"⟦l8VsFczOl8VsFc1Ol8VsFe1Ol8VsHe1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHeDc"#,
            r#"zMj6TqFczMj6+ASt2Pm9Ww==⟧"}"#
        )],
        &["+AStx"],
    ),
    cloud(
        "azure_devops_token",
        &["AZDO"],
        "[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        &[concat!(
            "use ⟦2Pm9WtGf2Pm9WtIf2Pm9WvIf2Pm9YvIf2PmBYvIf2PoBYvIf2RoBYvIf4RoBYvUtGd0Nk",
            "7WtGd0NAZDOJg3Q⟧, then"
        )],
        &["AZDOx"],
    ),
    cloud(
        "azure_openai_key",
        &["JQQJ99"],
        "[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}",
        &[concat!(
            "⟦rEbyLi5UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd0Nk7UrGd0JQQJ998VsFczMl8VsFczO",
            "l8VsFc1Ol8V⟧"
        )],
        &["JQQJ99x"],
    ),
    cloud(
        "alibaba_access_key",
        &["LTAI"],
        "LTAI[A-Za-z0-9]{12,22}",
        &["x = '⟦LTAI8VsFczMl8VsFczOl8VsF⟧';"],
        &["LTAIx"],
    ),
    cloud(
        "tencent_secret_id",
        &["AKID"],
        "AKID[A-Za-z0-9]{32}",
        &["key: ⟦AKID4RoBYvIh4RoBYvKh4RoBYxKh4RoBaxKh⟧"],
        &["AKIDx"],
    ),
    cloud(
        "volcengine_access_key",
        &["AKLT"],
        "AKLT[A-Za-z0-9_-]{40,60}",
        &["TOKEN=⟦AKLTZwJg3QnCZwJg3QpCZwJg3SpCZwJg5SpCZwJi5SpCZwL⟧"],
        &["AKLTx"],
    ),
    cloud(
        "yandex_key",
        &["AQVN"],
        "AQVN[A-Za-z0-9_-]{35,38}",
        &[r#"{"auth":"⟦AQVNNk7UrEb_Nk7Ur-d0Nk7UrGd0Nk7UtGd0Nk7W⟧"}"#],
        &["AQVNx"],
    ),
    cloud(
        "yandex_oauth_token",
        &["y0_", "y1_", "y2_", "y3_"],
        "y[0-3]_[A-Za-z0-9_-]{30,200}",
        &["use ⟦y0_Kh4RoBYxKh4RoBaxKh4RoDaxKh4RqDaxKh4TqDaxKh6TqDaxKj6TqDa⟧, then"],
        &["y0_x"],
    ),
    cloud(
        "yandex_session_token",
        &["t1."],
        r"t1\.[A-Za-z0-9_-]{1,200}={0,2}\.[A-Za-z0-9_-]{86}={0,2}",
        &[concat!(
            "⟦t1.byLi5SpEbyLi5SrEbyLi.sFczMj6_sFczM-8VsFczMl8VsFczOl8VsFc1Ol8VsFe1Ol8Vs",
            "He1Ol8VuHe1OlKj6TqDaxMj6TqDazMj6TqDcz⟧"
        )],
        &["t1.x"],
    ),
    cloud(
        "yandex_static_key",
        &[
            "YCA", "YCB", "YCC", "YCD", "YCE", "YCF", "YCG", "YCH", "YCI", "YCJ", "YCK", "YCL",
            "YCM", "YCN", "YCO", "YCP", "YCQ", "YCR", "YCS", "YCT", "YCU", "YCV", "YCW", "YCX",
            "YCY", "YCZ",
        ],
        "YC[A-Za-z0-9_-]{38}",
        &["x = '⟦YCAJg3QnAX_Jg3Qn-ZwJg3QnCZwJg3QpCZwJg3Sp⟧';"],
        &["YCAx"],
    )
    .check(entropy::random),
    cloud(
        "scaleway_access_key",
        &["SCW"],
        "SCW[A-Z0-9]{17}",
        &["key: ⟦SCWGR2DOZANY9KV6HU5G⟧"],
        &["SCWx"],
    )
    .check(entropy::random),
    cloud(
        "exoscale_key",
        &["EXO"],
        "EXO[0-9a-f]{24,32}",
        &["TOKEN=⟦EXO05af49e5af49e3af05af4b05⟧"],
        &["EXOx"],
    ),
    cloud(
        "backblaze_key",
        &["K001", "K002", "K003", "K004", "K005"],
        "K00[0-9][A-Za-z0-9+/]{27}",
        &[r#"{"auth":"⟦K0050Nk7UrEd0Nk7UrGd0Nk7UtGd0Nk⟧"}"#],
        &["K005x"],
    ),
    cloud(
        "digitalocean_token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        "do[opr]_v1_[0-9a-f]{64}",
        &[concat!(
            "use ⟦dop_v1_05af49e5af49e3af05af4b05af4905af6b07c16b05c16b0529e38d27e38d27",
            "c3⟧, then"
        )],
        &["dop_v1_x"],
    ),
    cloud(
        "digitalocean_space_key",
        &["DO00", "DO80"],
        "DO[08]0[A-Z0-9]{16}",
        &["⟦DO00DOZALW7KV6HS3ER2⟧"],
        &["DO00x"],
    )
    .check(entropy::random),
    cloud(
        "cloudflare_origin_key",
        &["v1.0-"],
        r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}",
        &[concat!(
            "x = '⟦v1.0-b05af4905af49e5ab05af6b0-c16b05a16b05af6bc16b07c16b05c16b27c38d",
            "27c18d27c1e5af49e3af49e38f27c16b27c16b07c1af4905af49e5af498d49e38d29e38d27",
            "e38d27c38d27c18d8d27c38d27c18d278d⟧';"
        )],
        &["v1.0-x"],
    ),
    cloud(
        "cloudflare_token",
        &["cfut_", "cfat_", "cfk_"],
        "cf(?:ut|at|k)_[A-Za-z0-9]{37,60}",
        &["key: ⟦cfut_XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnA⟧"],
        &["cfut_x"],
    ),
    cloud(
        "heroku_key",
        &["HRKU-"],
        "HRKU-[A-Za-z0-9_-]{36,60}",
        &["TOKEN=⟦HRKU-AAuHe1Ol8_uHe1O-AXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJ⟧"],
        &["HRKU-x"],
    ),
    cloud(
        "fly_token",
        &["fo1_"],
        "fo1_[A-Za-z0-9_-]{43}",
        &[r#"{"auth":"⟦fo1_qDaxKh4_qDaxK-6TqDaxKj6TqDaxMj6TqDazMj6TqDc⟧"}"#],
        &["fo1_x"],
    ),
    cloud(
        "fly_macaroon",
        &["fm1r_", "fm1a_", "fm2_"],
        "fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,}={0,3}",
        &[concat!(
            "use ⟦fm2_EbyLi5SrEbyLi5UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd0Nk7UrGd0Nk7g5S",
            "pCZwJi5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5SrEbyLi5UrEbyLi7⟧, then"
        )],
        &["fm2_x"],
    )
    .open_ended(),
    cloud(
        "netlify_token",
        &["nfp_", "nfc_", "nfo_", "nfb_", "nfu_"],
        "nf[pcobu]_[A-Za-z0-9]{36}",
        &["⟦nfp_Ol8VsFc1Ol8VsFe1Ol8VsHe1Ol8VuHe1Ol8X⟧"],
        &["nfp_x"],
    ),
    cloud(
        "vercel_token",
        &["vcp_", "vci_", "vca_", "vcr_", "vck_"],
        "vc[piark]_[A-Za-z0-9]{24,60}",
        &["x = '⟦vcp_Kh4RoBYxKh4RoBaxKh4RoDaxKh4RqDaxKh4TqDax⟧';"],
        &["vcp_x"],
    ),
    cloud(
        "vercel_blob_token",
        &["vercel_blob_rw_"],
        "vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30}",
        &["key: ⟦vercel_blob_rw_wJg3QnAZwJg3QnCZ_DaxKh4RqDaxKh4TqDaxKh6TqDaxKj6⟧"],
        &["vercel_blob_rw_x"],
    ),
    cloud(
        "render_key",
        &["rnd_"],
        "rnd_[A-Za-z0-9]{28,40}",
        &["TOKEN=⟦rnd_CZwJg3QpCZwJg3SpCZwJg5SpCZwJi5Sp⟧"],
        &["rnd_x"],
    ),
    cloud(
        "scalingo_token",
        &["tk-us-", "tk-eu-", "tk-fr-"],
        "tk-[a-z]{2}-[A-Za-z0-9_-]{48}",
        &[r#"{"auth":"⟦tk-us-h4RoBYv_h4RoB-xKh4RoBaxKh4RoDaxKh4RqDaxKh4TqDaxK⟧"}"#],
        &["tk-us-x"],
    ),
    cloud(
        "openshift_token",
        &["sha256~"],
        "sha256~[A-Za-z0-9_-]{43}",
        &["use ⟦sha256~rEbyLi5_rEbyL-7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd⟧, then"],
        &["sha256~x"],
    ),
    cloud(
        "rancher_token",
        &["token-"],
        "token-[a-z0-9]{5}:[a-z0-9]{54}",
        &["⟦token-mx8ju:3ep0bmxalw7it4hs3ep0bozalw7iv6hs3ep2p0bmx8lw7it4fs3ep0⟧"],
        &["token-x"],
    ),
    cloud(
        "upcloud_token",
        &["ucat_"],
        "ucat_[A-Z0-9]{26}",
        &["x = '⟦ucat_P0BMX8JW7IT4FQ3EP0BMXALW7I⟧';"],
        &["ucat_x"],
    ),
];
