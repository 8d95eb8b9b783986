//! Keys of chat, mail, telephony and social services.

use super::super::{Detector, entropy, key};

/// The table.
pub(in super::super) const DETECTORS: &[Detector] = &[
    key(
        "slack_token",
        &[
            "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxc-", "xoxd-", "xoxe-",
        ],
        "xox[abcdeoprs]-[A-Za-z0-9%+/-]{12,512}={0,2}",
        &["key: ⟦xoxb-418529652985-185296329652-4RoBYvIh4RoBYvKh4RoBYxKh⟧"],
        &["xoxb-x"],
    )
    .at_most(519),
    key(
        "slack_rotating_token",
        &["xoxe.xox"],
        r"xoxe\.xox[bp]-[0-9]-[A-Za-z0-9]{40,400}",
        &[concat!(
            "TOKEN=⟦xoxe.xoxp-1-axKh4RoDaxKh4RqDaxKh4TqDaxKh6TqDaxKj6TqDaxMj6TqDazMj6Tq",
            "DczMj6T2RoBYvIf4RoBYvIh4RoBYvKh4RoBYxKh4RoBaxKh4RoDaxKh4RqDaxKh4TqDaxczOl8",
            "VsFc1Ol8VsFe1Ol8VsHe1Ol8VuHe1Ol⟧"
        )],
        &["xoxe.xoxx"],
    ),
    key(
        "slack_app_token",
        &["xapp-"],
        "xapp-[0-9]-[A-Za-z0-9]{8,16}-[0-9]{8,16}-[A-Za-z0-9]{40,80}",
        &[concat!(
            r#"{"auth":"⟦xapp-1-AU5GR2DO1CN-5296307630963-27c16b07c16b05c127c16d27c16b27c"#,
            r#"18d29e38d27e38d274b05af4905af49e5⟧"}"#
        )],
        &["xapp-x"],
    ),
    key(
        "slack_webhook",
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{30,120}",
        &[concat!(
            "use ⟦hooks.slack.com/services/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",
            "⟧, then"
        )],
        &["hooks.slack.com/x"],
    ),
    key(
        "discord_webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,80}",
        &[concat!(
            "⟦discord.com/api/webhooks/418529652985298529/RoBYvIf_RoBYv-h4RoBYvKh4RoBYx",
            "Kh4RoBaxKh4RoDaxKh4RqDaxKh4TqDaxKtIf2Pm⟧"
        )],
        &["discord.com/api/webhooks/x"],
    ),
    key(
        "telegram_bot_token",
        &[":AA", ":AE", ":AF", ":AG", ":AH"],
        "[0-9]{8,10}:A[A-Za-z0-9_-]{34}",
        &["x = '⟦8529630963:AApCZwJg3_pCZwJ-5SpCZwJi5SpCZwLi5Sp⟧';"],
        &[":AAx"],
    )
    .check(entropy::random),
    key(
        "twilio_key",
        &[
            "SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb",
            "SKc", "SKd", "SKe", "SKf",
        ],
        "SK[0-9a-f]{32}",
        &["key: ⟦SK9e38d27e38d27c389e38d49e38d29e38⟧"],
        &["SK9x"],
    ),
    key(
        "sendgrid_key",
        &["SG."],
        r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{36,64}",
        &[concat!(
            "TOKEN=⟦SG.yLi5SpC_yLi5S-EbyLi5Sr.FczMj6T_FczMj-VsFczMj8VsFczMl8VsFczOl8VsF",
            "c1⟧"
        )],
        &["SG.x"],
    ),
    key(
        "mailgun_key",
        &["key-"],
        "key-[0-9a-f]{32}",
        &[r#"{"auth":"⟦key-6b05af4b05af49056b05a16b05af6b05⟧"}"#],
        &["key-x"],
    ),
    key(
        "mailgun_public_key",
        &["pubkey-"],
        "pubkey-[0-9a-f]{32}",
        &["use ⟦pubkey-af49e38f49e38d49af49e5af49e3af49⟧, then"],
        &["pubkey-x"],
    ),
    key(
        "mailchimp_key",
        &["-us"],
        "[0-9a-f]{32}-us[0-9]{1,2}",
        &["⟦af49e38f49e38d49af49e5af49e3af49-us12⟧"],
        &["-usx"],
    ),
    key(
        "mandrill_key",
        &["md-"],
        "md-[A-Za-z0-9_-]{22}",
        &["x = '⟦md-AXuHe1O_AXuHe-QnAXuHe3⟧';"],
        &["md-x"],
    )
    .check(entropy::random),
    key(
        "brevo_key",
        &["xkeysib-", "xsmtpsib-"],
        "x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
        &[concat!(
            "key: ⟦xkeysib-49e38d29e38d27e349e38f49e38d49e3af4b05af4905af496d27c16b27c1",
            "6b07-9WtGd0Nm9WtGd0Pm⟧"
        )],
        &["xkeysib-x"],
    ),
    key(
        "resend_key",
        &["re_"],
        "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
        &["TOKEN=⟦re_2Pm9WtGf_Jg3QnAXwJg3QnAZwJg3QnCZw⟧"],
        &["re_x"],
    )
    .check(entropy::random),
    key(
        "onesignal_key",
        &["os_v2_"],
        "os_v2_(?:app|org)_[a-z0-9]{80,120}",
        &[concat!(
            r#"{"auth":"⟦os_v2_app_gr2dozany9kv6hu5gr2do1cny9kv8ju5gr2f2dozaly9kv6hs5gr2d"#,
            r#"ozcny9kv6ju5gr2dq1u5gr2fq1cny9mx8ju5gt4fq1cn0bmx8⟧"}"#
        )],
        &["os_v2_x"],
    ),
    key(
        "telnyx_key",
        &["KEY0", "KEY1"],
        "KEY0[0-9A-F]{31}_[A-Za-z0-9]{22}",
        &["use ⟦KEY049E38D29E38D27E349E38F49E38D49E_Pm9WtGd2Pm9WtGf2Pm9WtI⟧, then"],
        &["KEY0x"],
    ),
    key(
        "teams_webhook",
        &[".webhook.office.com/"],
        concat!(
            r"[a-z0-9-]{1,64}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@-]{36,80}/Incom",
            "ingWebhook/[A-Za-z0-9]{32}/[A-Za-z0-9-]{36}(?:/[A-Za-z0-9_-]{1,64})?"
        ),
        &[concat!(
            "⟦acme.webhook.office.com/webhookb2/c16b05a1-6b05-4f6b-a16b-07c16b05c16b@d2",
            "7c16b2-7c16-407c-a27c-18d27c16d27c/IncomingWebhook/e38d27c38d27c18de38d29e",
            "38d27e38d/f49e38d4-9e38-429e-a49e-3af49e38f49e⟧"
        )],
        &[".webhook.office.com/x"],
    ),
    key(
        "intercom_token",
        &["dG9rO"],
        "dG9rO[A-Za-z0-9+/_-]{40,80}={0,2}",
        &["x = '⟦dG9rOg3QnAXuJg3QnAXwJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZwJg5SpCZw=⟧';"],
        &["dG9rOx"],
    ),
    key(
        "hubspot_token",
        &["pat-na1-", "pat-na2-", "pat-eu1-", "pat-ap1-"],
        concat!(
            "pat-(?:na|eu|ap)[0-9]-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-f",
            "A-F]{4}-[0-9a-fA-F]{12}"
        ),
        &["key: ⟦pat-eu1-27c16b07-c16b-45c1-a7c1-6d27c16b27c1⟧"],
        &["pat-eu1-x"],
    ),
    key(
        "facebook_token",
        &["EAA"],
        "EAA[A-Z][A-Za-z0-9]{90,}",
        &[concat!(
            "TOKEN=⟦EAACm9WtGd0Pm9WtGd2Pm9WtGf2Pm9WtIf2Pm9WvIf2Pm9YvIf2PmBYvIf2PoBYvIfE",
            "d0Nk7UrGd0Nk7UtGd0Nk7WtGd0Nk9WtGd0Nm9WtGd0Pm9WtGd2Pm9WtGf⟧"
        )],
        &["EAAx"],
    )
    .check(entropy::random)
    .open_ended(),
    key(
        "instagram_token",
        &["IGQ", "IGA"],
        "IG(?:Q|AA)[A-Za-z0-9_-]{100,}",
        &[concat!(
            r#"{"auth":"⟦IGQwJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZwJg5SpCZwJi5SpCZwLi5SpCZyLi5S"#,
            r#"pOnAXuHe1QnAXuHe3QnAXuHg3QnAXuJg3QnAXwJg3QnAZwJg3QnCZwJg3Qp⟧"}"#
        )],
        &["IGQx"],
    )
    .open_ended(),
    key(
        "twitter_bearer_token",
        &["AAAAAAAAAAAAAAAAAAAAA"],
        "A{21,24}[A-Za-z0-9%]{60,120}",
        &[concat!(
            "use ⟦AAAAAAAAAAAAAAAAAAAAAYvIf2PmBYvIf2PoBYvIf2RoBYvIf4RoBYvIh4RoBYvKh4RoB",
            "YxKh4RoBaxKh4R0Pm9WtGd⟧, then"
        )],
        &["AAAAAAAAAAAAAAAAAAAAAx"],
    )
    .check(entropy::rich),
    key(
        "linkedin_token",
        &["WPL_AP"],
        r"WPL_AP[0-9]\.[A-Za-z0-9]{16}\.[A-Za-z0-9+/]{6,12}={0,2}",
        &["⟦WPL_AP1.vIf2Pm9YvIf2PmBY.CZwJg3Qp⟧"],
        &["WPL_APx"],
    ),
    key(
        "twitch_token",
        &["oauth:"],
        "oauth:[a-z0-9]{30}",
        &["x = '⟦oauth:0bmx8ju7it4fq1ep0bmx8lw7it4fs3⟧';"],
        &["oauth:x"],
    ),
    key(
        "pinterest_token",
        &["pina_"],
        "pina_[A-Z0-9]{60,120}",
        &[concat!(
            "key: ⟦pina_OZALW7IV6HS3EP2DOZALW9KV6HS3GR2DOZANALW7IT6HS3EP0DOZALW7KV6HS3E",
            "R2DOZALY92DOZANY9KV6HU5GR2D⟧"
        )],
        &["pina_x"],
    ),
    key(
        "tiktok_token",
        &["act.", "rft.", "clt."],
        r"(?:act|rft|clt)\.[A-Za-z0-9]{40,80}(?:![0-9]{4}\.[a-z0-9]{1,4})?",
        &["TOKEN=⟦act.qDaxKh4TqDaxKh6TqDaxKj6TqDaxMj6TqDazMj6TqDczMj6TqFczMj6TsFcz⟧"],
        &["act.x"],
    ),
    key(
        "dingtalk_webhook",
        &["oapi.dingtalk.com/robot/send?access_token="],
        r"oapi\.dingtalk\.com/robot/send\?access_token=([0-9a-f]{64})",
        &[concat!(
            "see https://oapi.dingtalk.com/robot/send?access_token=⟦f49e38d49e38d29ef49",
            "e3af49e38f49e5af6b05af4b05af418d27c16d27c16b2⟧"
        )],
        &["oapi.dingtalk.com/robot/send?access_token="],
    ),
    key(
        "feishu_webhook",
        &["/open-apis/bot/"],
        r"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/([0-9a-f-]{36})",
        &[concat!(
            "see https://open.feishu.cn/open-apis/bot/v2/hook/⟦49e38d29-e38d-47e3-a9e3-",
            "8f49e38d49e3⟧"
        )],
        &["open.feishu.cn/open-apis/bot/"],
    ),
    key(
        "wecom_webhook",
        &["qyapi.weixin.qq.com/cgi-bin/webhook/send?key="],
        r"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=([0-9a-f-]{36})",
        &[concat!(
            "see https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=⟦05af49e5-af49-43",
            "af-a5af-4b05af4905af⟧"
        )],
        &["qyapi.weixin.qq.com/cgi-bin/webhook/send?key="],
    ),
    key(
        "googlechat_webhook",
        &["chat.googleapis.com/v1/spaces/"],
        concat!(
            r"chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_-]{8,16}/messages\?key=[A-Za-z0",
            "-9_-]{39}&token=([A-Za-z0-9_%-]{40,50})"
        ),
        &[concat!(
            "see https://chat.googleapis.com/v1/spaces/i5SpCZwLi5S/messages?key=AIzazMj",
            "6TqD_zMj6T-FczMj6TsFczMj6VsFczMj&token=⟦Gd0Nk7U_Gd0Nk-WtGd0Nk9WtGd0Nm9WtGd",
            "0Pm9WtGd2⟧"
        )],
        &["chat.googleapis.com/v1/spaces/"],
    ),
    key(
        "courier_key",
        &["pk_prod_", "dk_prod_"],
        "[pd]k_prod_[A-Z0-9]{28}",
        &["key: ⟦pk_prod_EP0BMX8LW7IT4FS3EP0BMZALW7IT⟧"],
        &["pk_prod_x"],
    ),
    key(
        "klaviyo_key",
        &["pk_"],
        "pk_[0-9a-f]{34}",
        &["TOKEN=⟦pk_b05af4905af49e5ab05af6b05af4b05a16⟧"],
        &["pk_x"],
    ),
    key(
        "mailersend_token",
        &["mlsn."],
        r"mlsn\.[0-9a-f]{64}",
        &[concat!(
            r#"{"auth":"⟦mlsn.16b05af6b05af4b016b05c16b05a16b07c18d27c16d27c163af49e38f49"#,
            r#"e38d4⟧"}"#
        )],
        &["mlsn.x"],
    ),
    key(
        "ntfy_token",
        &["tk_"],
        "tk_[a-z0-9]{29}",
        &["use ⟦tk_gr2dozany9kv6hu5gr2do1cny9kv8⟧, then"],
        &["tk_x"],
    )
    .check(entropy::random),
    key(
        "matrix_token",
        &["syt_"],
        "syt_[A-Za-z0-9+/=]{4,64}_[A-Za-z0-9]{20}_[A-Za-z0-9]{6}",
        &["⟦syt_He1Ol8VuHe1O_YvIf2PmBYvIf2PoBYvIf_pCZwJg⟧"],
        &["syt_x"],
    ),
    key(
        "threads_token",
        &["THAA"],
        "THAA[A-Za-z0-9_-]{100,}",
        &[concat!(
            "x = '⟦THAARoBYvIf4RoBYvIh4RoBYvKh4RoBYxKh4RoBaxKh4RoDaxKh4RqDaxKh4TqDaxKtI",
            "f2Pm9WvIf2Pm9YvIf2PmBYvIf2PoBYvIf2RoBYvIf4RoBYvIh4RoBYvK⟧';"
        )],
        &["THAAx"],
    )
    .check(entropy::random)
    .open_ended(),
];
