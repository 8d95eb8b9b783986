//! Keys of monitoring, logging and incident services.

use super::super::{Detector, key};

/// The table.
pub(in super::super) const DETECTORS: &[Detector] = &[
    key(
        "newrelic_user_key",
        &["NRAK-"],
        "NRAK-[A-Za-z0-9]{27}",
        &["key: ⟦NRAK-2DOZALW9KV6HS3GR2DOZANY9KV6⟧"],
        &["NRAK-x"],
    ),
    key(
        "newrelic_browser_key",
        &["NRJS-"],
        "NRJS-[0-9a-f]{19}",
        &["TOKEN=⟦NRJS-05af49e5af49e3af05a⟧"],
        &["NRJS-x"],
    ),
    key(
        "newrelic_insert_key",
        &["NRII-", "NRIQ-", "NRRA-"],
        "NR(?:II|IQ|RA)-[A-Za-z0-9_-]{32,42}",
        &[r#"{"auth":"⟦NRII-WtGd0Nk_WtGd0-m9WtGd0Pm9WtGd2Pm9⟧"}"#],
        &["NRII-x"],
    ),
    key(
        "newrelic_license_key",
        &["NRAL"],
        "[0-9a-fx]{36}NRAL",
        &["use ⟦6b05af4b05af49056b05a16b05af6b05c16dNRAL⟧, then"],
        &["NRALx"],
    ),
    key(
        "sentry_org_token",
        &["sntrys_eyJ"],
        "sntrys_eyJ[A-Za-z0-9+/=_-]{80,500}_[A-Za-z0-9+/]{43}",
        &[concat!(
            "⟦sntrys_eyJHe1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAj",
            "8VsFczMl8VsFczOl8VsFc1Ol8VsFe1Ol8VsHe_YvIf2PmBYvIf2PoBYvIf2RoBYvIf4RoBYvIh",
            "4RoBYvK⟧"
        )],
        &["sntrys_eyJx"],
    )
    .at_most(554),
    key(
        "sentry_user_token",
        &["sntryu_", "sntryi_"],
        "sntry[ui]_[0-9a-f]{64}",
        &[concat!(
            "x = '⟦sntryu_7c16b05c16b05a167c16b27c16b07c16d27e38d27c38d27c905af49e5af49",
            "e3a⟧';"
        )],
        &["sntryu_x"],
    ),
    key(
        "grafana_service_token",
        &["glsa_"],
        "glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}",
        &["key: ⟦glsa_wJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZ_7c16b05c⟧"],
        &["glsa_x"],
    ),
    key(
        "grafana_cloud_token",
        &["glc_"],
        "glc_[A-Za-z0-9+/]{32,400}={0,3}",
        &[concat!(
            "TOKEN=⟦glc_l8VsFczOl8VsFc1Ol8VsFe1Ol8VsHe1Ol8VuHe1Ol8XuHe1OlAXuHe1OnAXuHeD",
            "czMj6TqFczMj6TsFc⟧"
        )],
        &["glc_x"],
    ),
    key(
        "grafana_key",
        &["eyJrIjoi"],
        "eyJrIjoi[A-Za-z0-9]{60,400}={0,3}",
        &[concat!(
            r#"{"auth":"⟦eyJrIjoiuHe1Ol8XuHe1OlAXuHe1OnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAX"#,
            r#"wJg3QnMl8VsFczOl8VsFc1Ol=⟧"}"#
        )],
        &["eyJrIjoix"],
    ),
    key(
        "honeycomb_key",
        &["hcaik_", "hcbik_", "hccik_", "hcxik_", "hcmik_", "hcamk_"],
        "hc[a-z](?:ik|mk|lk)_[A-Za-z0-9]{50,64}",
        &["use ⟦hcaik_1cny9kv8ju5gr2fq1cny9mx8ju5gt4fq1cn0ny9kv6ju5gr2dq1cny9kx8⟧, then"],
        &["hcaik_x"],
    ),
    key(
        "dynatrace_token",
        &["dt0c01.", "dt0s01.", "dt0s02.", "dt0s16."],
        r"dt0[a-z][0-9]{2}\.[A-Za-z0-9]{8,24}\.[A-Za-z0-9]{64}",
        &[concat!(
            "⟦dt0c01.YFS7MZGVCP4JWDS7MZGTAP4J.JWDQ5KXGTAN2HUDQ5KXERAN2HUBO5KXE5KXGTAN2H",
            "UDQ5KXERAN2HUBO5KXER6L2⟧"
        )],
        &["dt0c01.x"],
    ),
    key(
        "axiom_token",
        &["xaat-", "xapt-"],
        "xa[ap]t-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        &["x = '⟦xaat-f49e38d4-9e38-429e-a49e-3af49e38f49e⟧';"],
        &["xaat-x"],
    ),
    key(
        "rootly_key",
        &["rootly_"],
        "rootly_[0-9a-f]{64}",
        &[concat!(
            "key: ⟦rootly_b05af4905af49e5ab05af6b05af4b05a16b27c16b07c16b0d49e38d29e38d",
            "27e⟧"
        )],
        &["rootly_x"],
    ),
    key(
        "firehydrant_key",
        &["fhb-"],
        "fhb-[0-9a-f]{32,64}",
        &["TOKEN=⟦fhb-16b05af6b05af4b016b05c16b05a16b0⟧"],
        &["fhb-x"],
    ),
    key(
        "uptimerobot_key",
        &[
            "ur1", "ur2", "ur3", "ur4", "ur5", "ur6", "ur7", "ur8", "ur9",
        ],
        "ur[0-9]{5,8}-[0-9a-f]{24}",
        &[r#"{"auth":"⟦ur4185296-5af49e3af49e38f45af4905a⟧"}"#],
        &["ur4x"],
    ),
    key(
        "pagerduty_key",
        &["pdus+", "pdeu+"],
        r"pd(?:us|eu)\+[A-Za-z0-9_+-]{18,24}",
        &["use ⟦pdus+TqDaxKh6TqDaxKj6TqDa⟧, then"],
        &["pdus+x"],
    ),
    key(
        "datadog_key",
        &["ddapp_"],
        "ddapp_[A-Za-z0-9]{34}",
        &["⟦ddapp_If2Pm9WvIf2Pm9YvIf2PmBYvIf2PoBYvIf⟧"],
        &["ddapp_x"],
    ),
    key(
        "datadog_client_token",
        &["pub"],
        "pub[0-9a-f]{32}",
        &["x = '⟦pub05af49e5af49e3af05af4b05af4905af⟧';"],
        &["pubx"],
    ),
    key(
        "observe_token",
        &["ds1"],
        "ds1[A-Za-z0-9]{17}:[A-Za-z0-9_-]{32}",
        &["key: ⟦ds1czMj6TqFczMj6TsFc:tGd0Nk7_tGd0N-9WtGd0Nm9WtGd0Pm9W⟧"],
        &["ds1x"],
    ),
    key(
        "coralogix_key",
        &["cxtp_", "cxup_", "cxth_"],
        "cx(?:tp|up|th)_[A-Za-z0-9]{26,34}",
        &["TOKEN=⟦cxtp_f2Pm9WtIf2Pm9WvIf2Pm9YvIf2PmBY⟧"],
        &["cxtp_x"],
    ),
];
