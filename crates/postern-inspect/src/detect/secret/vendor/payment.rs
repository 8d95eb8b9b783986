//! Keys of payment services, shipping services and exchanges.

use super::super::{Detector, entropy, key};

/// The table.
pub(in super::super) const DETECTORS: &[Detector] = &[
    key(
        "stripe_key",
        &[
            "sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_",
        ],
        "[sr]k_(?:live|test|prod)_[A-Za-z0-9]{20,247}",
        &["key: ⟦sk_test_Pm9WtGd2Pm9WtGf2Pm9WtIf2⟧"],
        &["sk_test_x"],
    ),
    key(
        "stripe_webhook_secret",
        &["whsec_"],
        "whsec_[A-Za-z0-9+/]{32,64}={0,2}",
        &["TOKEN=⟦whsec_h4RoBYvKh4RoBYxKh4RoBaxKh4RoDaxK⟧"],
        &["whsec_x"],
    ),
    key(
        "square_token",
        &["EAAA"],
        "EAAA[A-Za-z0-9_-]{60}",
        &[concat!(
            r#"{"auth":"⟦EAAAj6TqDax_j6TqD-zMj6TqDczMj6TqFczMj6TsFczMj6VsFczMj8VsFczMl8Vs"#,
            r#"⟧"}"#
        )],
        &["EAAAx"],
    ),
    key(
        "square_secret",
        &["sq0csp-", "sq0atp-", "sq0idp-"],
        "sq0(?:csp|atp|idp)-[A-Za-z0-9_-]{22,48}",
        &["use ⟦sq0csp-tGd0Nk7_tGd0N-9WtGd0Nm9WtGd0Pm9WtGd2Pm9WtGf⟧, then"],
        &["sq0csp-x"],
    ),
    key(
        "braintree_token",
        &["access_token$"],
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
        &["⟦access_token$sandbox$0bmx8ju7it4fq1ep$7c16b05c16b05a167c16b27c16b07c16⟧"],
        &["access_token$x"],
    ),
    key(
        "adyen_key",
        &["AQE"],
        concat!(
            r#"AQE[a-z][A-Za-z0-9+/_-]{80,300}={0,2}-[A-Za-z0-9+/]{40,60}={0,2}-[^\s\"']{"#,
            "10,24}"
        ),
        &[concat!(
            "x = '⟦AQEkXuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJg3QnAZwJg3QzO",
            "l8VsFc1Ol8VsFe1Ol8VsHe1Ol8VuHe1O-oBYvIf2RoBYvIf4RoBYvIh4RoBYvKh4RoBYxKh4Ro",
            "Bax=-5SpCZwJi5SpCZwLi⟧';"
        )],
        &["AQEx"],
    ),
    key(
        "razorpay_key",
        &["rzp_live_", "rzp_test_"],
        "rzp_(?:live|test)_[A-Za-z0-9]{14}",
        &["key: ⟦rzp_test_vIf2Pm9YvIf2Pm⟧"],
        &["rzp_test_x"],
    ),
    key(
        "flutterwave_key",
        &["FLWSECK", "FLWPUBK"],
        "FLW(?:SECK|PUBK)(?:_TEST|_LIVE)?-(?:[0-9A-Za-z]{32}-X|[0-9A-Za-z]{12})",
        &["TOKEN=⟦FLWSECK_TEST-f49e38d49e38d29ef49e3af49e38f49e-X⟧"],
        &["FLWSECKx"],
    ),
    key(
        "plaid_token",
        &[
            "access-production-",
            "access-sandbox-",
            "access-development-",
        ],
        concat!(
            "access-(?:production|sandbox|development)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]",
            "{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        ),
        &[r#"{"auth":"⟦access-sandbox-6b05af4b-05af-4905-ab05-a16b05af6b05⟧"}"#],
        &["access-sandbox-x"],
    ),
    key(
        "checkout_key",
        &["sk_sbox_", "pk_sbox_"],
        "[sp]k_sbox_[a-z0-9]{26,28}[#$*_=]{0,1}",
        &["use ⟦sk_sbox_u5gr2do1cny9kv8ju5gr2fq1cn⟧, then"],
        &["sk_sbox_x"],
    )
    .check(entropy::random),
    key(
        "lob_key",
        &["live_", "test_"],
        "(?:live|test)_(?:[0-9a-f]{35}|pub_[0-9a-f]{31})",
        &["⟦test_05af49e5af49e3af05af4b05af4905af6b0⟧"],
        &["test_x"],
    ),
    key(
        "easypost_key",
        &["EZAK", "EZTK"],
        "EZ[AT]K[A-Za-z0-9]{54}",
        &["x = '⟦EZTKAXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJg3QnAZwJg3⟧';"],
        &["EZTKx"],
    ),
    key(
        "shippo_token",
        &["shippo_live_", "shippo_test_"],
        "shippo_(?:live|test)_[0-9a-f]{40}",
        &["key: ⟦shippo_test_9e38d27e38d27c389e38d49e38d29e38f4905af4⟧"],
        &["shippo_test_x"],
    ),
    key(
        "duffel_token",
        &["duffel_live_", "duffel_test_"],
        "duffel_(?:live|test)_[A-Za-z0-9_=-]{43}",
        &["TOKEN=⟦duffel_test_Gd0Nk7U_Gd0Nk-WtGd0Nk9WtGd0Nm9WtGd0Pm9WtGd2⟧"],
        &["duffel_test_x"],
    ),
    key(
        "paddle_key",
        &["pdl_live_", "pdl_sdbx_"],
        "pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
        &[concat!(
            r#"{"auth":"⟦pdl_live_apikey_v6hs3ep2dozalw9kv6hs3gr2do_Mj6TqDazMj6TqDczMj6Tq"#,
            r#"F_d0N⟧"}"#
        )],
        &["pdl_live_x"],
    ),
    key(
        "polar_token",
        &["polar_"],
        "polar_(?:oat|pat|whs|at_u|at_o|rt)_[A-Za-z0-9]{32,64}",
        &["use ⟦polar_oat_FczMj6TsFczMj6VsFczMj8VsFczMl8VsFczOl8VsFc1⟧, then"],
        &["polar_x"],
    ),
    key(
        "paystack_key",
        &["sk_live_", "sk_test_"],
        "sk_(?:live|test)_[0-9a-f]{40}",
        &["⟦sk_live_5af49e3af49e38f45af4905af49e5af4b05c16b0⟧"],
        &["sk_live_x"],
    ),
    key(
        "mollie_access_token",
        &["access_"],
        "access_[A-Za-z0-9]{30,40}",
        &["x = '⟦access_FczMj6TsFczMj6VsFczMj8VsFczMl8VsFc⟧';"],
        &["access_x"],
    ),
    key(
        "xendit_key",
        &["xnd_"],
        "xnd_(?:production|development)_[A-Za-z0-9]{40,64}",
        &["key: ⟦xnd_development_He1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAXu⟧"],
        &["xnd_x"],
    ),
    key(
        "midtrans_key",
        &["Mid-server-"],
        "(?:SB-)?Mid-server-[A-Za-z0-9_-]{24}",
        &["TOKEN=⟦Mid-server-YvIf2Pm_YvIf2-oBYvIf2RoB⟧"],
        &["Mid-server-x"],
    ),
    key(
        "iyzico_key",
        &["sandbox-"],
        "sandbox-[A-Za-z0-9]{32}",
        &[r#"{"auth":"⟦sandbox-Nk7UrEb0Nk7UrEd0Nk7UrGd0Nk7UtGd0⟧"}"#],
        &["sandbox-x"],
    ),
    key(
        "mercadopago_token",
        &["APP_USR-"],
        "APP_USR-[0-9]{12,18}-[0-9]{6}-[0-9a-f]{32}-[0-9]{6,12}",
        &[concat!(
            "use ⟦APP_USR-9630741074307430-630741-9e38d27e38d27c389e38d49e38d29e38-0741",
            "85218⟧, then"
        )],
        &["APP_USR-x"],
    ),
    key(
        "tatum_key",
        &["t-6"],
        "t-6[0-9a-f]{23}-[0-9a-f]{24}",
        &["⟦t-627c16b07c16b05c127c16d2-38d27c18d27c16d238d27e38⟧"],
        &["t-6x"],
    ),
    key(
        "omise_key",
        &["skey_"],
        "skey_(?:test_)?[a-z0-9]{19}",
        &["x = '⟦skey_test_fq1cny9mx8ju5gt4fq1⟧';"],
        &["skey_x"],
    ),
    key(
        "sumup_key",
        &["sup_sk_"],
        "sup_sk_[A-Za-z0-9]{32}",
        &["key: ⟦sup_sk_SpCZwJg5SpCZwJi5SpCZwLi5SpCZyLi5⟧"],
        &["sup_sk_x"],
    ),
];
