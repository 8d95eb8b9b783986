//! Keys of chat, mail, telephony and social services.

use super::super::{Detector, entropy, key};

/// The table.
pub(in super::super) const DETECTORS: &[Detector] = &[
    key(
        "slack_token",
        &[
            "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxc-", "xoxe-",
        ],
        "xox[abceoprs]-(?:[0-9]{1,14}-){1,4}[A-Za-z0-9]{8,400}",
        &["key: ⟦xoxb-418529652985-185296329652-4RoBYvIh4RoBYvKh4RoBYxKh⟧"],
        &["xoxb-x"],
    ),
    key(
        "slack_cookie",
        &["xoxd-"],
        "xoxd-[A-Za-z0-9%+/_-]{20,400}={0,2}",
        &[concat!(
            "TOKEN=⟦xoxd-g3QnAXuJg3QnAXwJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZwJg5SpCZwJi5SpCZ",
            "8XuHe1OlAXuHe1OnAX⟧"
        )],
        &["xoxd-x"],
    ),
    key(
        "slack_rotating_token",
        &["xoxe.xox"],
        r"xoxe\.xox[bp]-[0-9]-[A-Za-z0-9]{40,400}",
        &[concat!(
            r#"{"auth":"⟦xoxe.xoxp-1-d0Nk7UrGd0Nk7UtGd0Nk7WtGd0Nk9WtGd0Nm9WtGd0Pm9WtGd2Pm"#,
            "9WtGf2Pm9W5UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd0Nk7UrGd0Nk7UtGd0Nk7WtGd0f2",
            r#"RoBYvIf4RoBYvIh4RoBYvKh4RoBYxKh4Ro⟧"}"#
        )],
        &["xoxe.xoxx"],
    )
    .check(entropy::random),
    key(
        "slack_app_token",
        &["xapp-"],
        "xapp-[0-9]-[A-Za-z0-9]{8,16}-[0-9]{8,16}-[A-Za-z0-9]{40,80}",
        &[concat!(
            "use ⟦xapp-1-AX8JU5GR4FQ-8529630963296-5af49e3af49e38f45af4905af49e5af4b05c",
            "16b05a16b05a7e38d27c38d27c18⟧, then"
        )],
        &["xapp-x"],
    ),
    key(
        "slack_webhook",
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{30,120}",
        &["⟦hooks.slack.com/services/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⟧"],
        &["hooks.slack.com/x"],
    ),
    key(
        "discord_webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,80}",
        &[concat!(
            "x = '⟦discord.com/api/webhooks/741852985218521852/UrEbyLi_UrEby-k7UrEbyNk7",
            "UrEb0Nk7UrEd0Nk7UrGd0Nk7UtGd0Nk7WtGd0NwLi5Sp⟧';"
        )],
        &["discord.com/api/webhooks/x"],
    ),
    key(
        "telegram_bot_token",
        &[":AA", ":AE", ":AF", ":AG", ":AH"],
        "[0-9]{8,10}:A[A-Za-z0-9_-]{34}",
        &["key: ⟦1852963296:AAsFczMj6_sFczM-8VsFczMl8VsFczOl8Vs⟧"],
        &[":AAx"],
    )
    .check(entropy::keyed),
    key(
        "twilio_key",
        &[
            "SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb",
            "SKc", "SKd", "SKe", "SKf",
        ],
        "SK[0-9a-f]{32}",
        &["TOKEN=⟦SKc16b05a16b05af6bc16b07c16b05c16b⟧"],
        &["SKcx"],
    ),
    key(
        "sendgrid_key",
        &["SG."],
        r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{36,64}",
        &[concat!(
            r#"{"auth":"⟦SG.1Ol8VsF_1Ol8V-He1Ol8Vu.If2Pm9W_If2Pm-YvIf2PmBYvIf2PoBYvIf2RoB"#,
            r#"YvIf4⟧"}"#
        )],
        &["SG.x"],
    ),
    key(
        "mailgun_key",
        &["key-"],
        "key-[0-9a-f]{32}",
        &["use ⟦key-9e38d27e38d27c389e38d49e38d29e38⟧, then"],
        &["key-x"],
    ),
    key(
        "mailgun_public_key",
        &["pubkey-"],
        "pubkey-[0-9a-f]{32}",
        &["⟦pubkey-d27c16b27c16b07cd27c18d27c16d27c⟧"],
        &["pubkey-x"],
    ),
    key(
        "mailchimp_key",
        &["-us"],
        "[0-9a-f]{32}-us[0-9]{1,2}",
        &["x = '⟦d27c16b27c16b07cd27c18d27c16d27c-us12⟧';"],
        &["-usx"],
    ),
    key(
        "mandrill_key",
        &["md-"],
        "md-[A-Za-z0-9_-]{22}",
        &["key: ⟦md-DaxKh4R_DaxKh-TqDaxKh6⟧"],
        &["md-x"],
    )
    .check(entropy::random),
    key(
        "brevo_key",
        &["xkeysib-", "xsmtpsib-"],
        "x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
        &[concat!(
            "TOKEN=⟦xkeysib-7c16b05c16b05a167c16b27c16b07c16d27e38d27c38d27c905af49e5af",
            "49e3a-CZwJg3QpCZwJg3Sp⟧"
        )],
        &["xkeysib-x"],
    ),
    key(
        "resend_key",
        &["re_"],
        "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
        &[r#"{"auth":"⟦re_5SpCZwJi_Mj6TqDazMj6TqDczMj6TqFcz⟧"}"#],
        &["re_x"],
    )
    .check(entropy::random),
    key(
        "onesignal_key",
        &["os_v2_"],
        "os_v2_(?:app|org)_[a-z0-9]{80,120}",
        &[concat!(
            "use ⟦os_v2_app_ju5gr2dq1cny9kx8ju5gr4fq1cnybmx8ju5i5gr2do1cny9kv8ju5gr2fq1",
            "cny9mx8ju5gt4x8ju5it4fq1cp0bmx8jw7it4fq3ep0b⟧, then"
        )],
        &["os_v2_x"],
    ),
    key(
        "telnyx_key",
        &["KEY0", "KEY1"],
        "KEY0[0-9A-F]{31}_[A-Za-z0-9]{22}",
        &["⟦KEY07C16B05C16B05A167C16B27C16B07C1_SpCZwJg5SpCZwJi5SpCZwL⟧"],
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
            "x = '⟦acme.webhook.office.com/webhookb2/f49e38d4-9e38-429e-a49e-3af49e38f4",
            "9e@05af49e5-af49-43af-a5af-4b05af4905af/IncomingWebhook/16b05af6b05af4b016",
            "b05c16b05a16b0/27c16b07-c16b-45c1-a7c1-6d27c16b27c1⟧';"
        )],
        &[".webhook.office.com/x"],
    ),
    key(
        "intercom_token",
        &["dG9rO"],
        "dG9rO[A-Za-z0-9+/_-]{40,80}={0,2}",
        &["key: ⟦dG9rOj6TqDaxMj6TqDazMj6TqDczMj6TqFczMj6TsFczMj6VsFczMj8VsFcz=⟧"],
        &["dG9rOx"],
    ),
    key(
        "hubspot_token",
        &["pat-na1-", "pat-na2-", "pat-eu1-", "pat-ap1-"],
        concat!(
            "pat-(?:na|eu|ap)[0-9]-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-f",
            "A-F]{4}-[0-9a-fA-F]{12}"
        ),
        &["TOKEN=⟦pat-eu1-5af49e3a-f49e-48f4-aaf4-905af49e5af4⟧"],
        &["pat-eu1-x"],
    ),
    key(
        "facebook_token",
        &["EAA"],
        "EAA[A-Z][A-Za-z0-9]{90,}",
        &[concat!(
            r#"{"auth":"⟦EAACpCZwJg3SpCZwJg5SpCZwJi5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5SrEby"#,
            r#"LiHg3QnAXuJg3QnAXwJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZwJg5SpCZwJi⟧"}"#
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
            "use ⟦IGQzMj6TqDczMj6TqFczMj6TsFczMj6VsFczMj8VsFczMl8VsFczOl8VsFc1Ol8VsRqDa",
            "xKh4TqDaxKh6TqDaxKj6TqDaxMj6TqDazMj6TqDczMj6TqFczMj6Ts⟧, then"
        )],
        &["IGQx"],
    )
    .open_ended(),
    key(
        "twitter_bearer_token",
        &["AAAAAAAAAAAAAAAAAAAAA"],
        "A{21,24}[A-Za-z0-9%]{60,120}",
        &[concat!(
            "⟦AAAAAAAAAAAAAAAAAAAAAbyLi5SpEbyLi5SrEbyLi5UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk",
            "7UrEd0Nk7U3SpCZwJg⟧"
        )],
        &["AAAAAAAAAAAAAAAAAAAAAx"],
    )
    .check(entropy::rich),
    key(
        "linkedin_token",
        &["WPL_AP"],
        r"WPL_AP[0-9]\.[A-Za-z0-9]{16}\.[A-Za-z0-9+/]{6,12}={0,2}",
        &["x = '⟦WPL_AP1.yLi5SpCbyLi5SpEb.FczMj6Ts⟧';"],
        &["WPL_APx"],
    ),
    key(
        "twitch_token",
        &["oauth:"],
        "oauth:[a-z0-9]{30}",
        &["key: ⟦oauth:3ep0bmxalw7it4hs3ep0bozalw7iv6⟧"],
        &["oauth:x"],
    ),
    key(
        "pinterest_token",
        &["pina_"],
        "pina_[A-Z0-9]{60,120}",
        &[concat!(
            "TOKEN=⟦pina_R2DOZALY9KV6HS5GR2DOZCNY9KV6JU5GR2DQDOZALW9KV6HS3GR2DOZANY9KV6",
            "HU5GR2DO1C5GR2DQ1CNY9KX8JU5G⟧"
        )],
        &["pina_x"],
    ),
    key(
        "tiktok_token",
        &["act.", "rft.", "clt."],
        r"(?:act|rft|clt)\.[A-Za-z0-9]{40,80}(?:![0-9]{4}\.[a-z0-9]{1,4})?",
        &[concat!(
            r#"{"auth":"⟦act.tGd0Nk7WtGd0Nk9WtGd0Nm9WtGd0Pm9WtGd2Pm9WtGf2Pm9WtIf2Pm9WvIf2"#,
            r#"⟧"}"#
        )],
        &["act.x"],
    ),
    key(
        "dingtalk_webhook",
        &["oapi.dingtalk.com/robot/send?access_token="],
        r"oapi\.dingtalk\.com/robot/send\?access_token=([0-9a-f]{64})",
        &[concat!(
            "see https://oapi.dingtalk.com/robot/send?access_token=⟦27c16b07c16b05c127c",
            "16d27c16b27c18d29e38d27e38d274b05af4905af49e5⟧"
        )],
        &["oapi.dingtalk.com/robot/send?access_token="],
    ),
    key(
        "feishu_webhook",
        &["/open-apis/bot/"],
        r"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/([0-9a-f-]{36})",
        &[concat!(
            "see https://open.feishu.cn/open-apis/bot/v2/hook/⟦7c16b05c-16b0-4a16-ac16-",
            "b27c16b07c16⟧"
        )],
        &["open.feishu.cn/open-apis/bot/"],
    ),
    key(
        "wecom_webhook",
        &["qyapi.weixin.qq.com/cgi-bin/webhook/send?key="],
        r"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=([0-9a-f-]{36})",
        &[concat!(
            "see https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=⟦38d27c18-d27c-46",
            "d2-a8d2-7e38d27c38d2⟧"
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
            "see https://chat.googleapis.com/v1/spaces/l8VsFczOl8V/messages?key=AIza2Pm",
            "9WtG_2Pm9W-If2Pm9WvIf2Pm9YvIf2Pm&token=⟦Jg3QnAX_Jg3Qn-ZwJg3QnCZwJg3QpCZwJg",
            "3SpCZwJg5⟧"
        )],
        &["chat.googleapis.com/v1/spaces/"],
    ),
    key(
        "courier_key",
        &["pk_prod_", "dk_prod_"],
        "[pd]k_prod_[A-Z0-9]{28}",
        &["TOKEN=⟦pk_prod_HS3EP0BOZALW7IV6HS3EP2DOZALW⟧"],
        &["pk_prod_x"],
    ),
    key(
        "klaviyo_key",
        &["pk_"],
        "pk_[0-9a-f]{34}",
        &[r#"{"auth":"⟦pk_e38d27c38d27c18de38d29e38d27e38d49⟧"}"#],
        &["pk_x"],
    ),
    key(
        "mailersend_token",
        &["mlsn."],
        r"mlsn\.[0-9a-f]{64}",
        &[concat!(
            "use ⟦mlsn.49e38d29e38d27e349e38f49e38d49e3af4b05af4905af496d27c16b27c16b07",
            "⟧, then"
        )],
        &["mlsn.x"],
    ),
    key(
        "ntfy_token",
        &["tk_"],
        "tk_[a-z0-9]{29}",
        &["⟦tk_ju5gr2dq1cny9kx8ju5gr4fq1cnyb⟧"],
        &["tk_x"],
    )
    .check(entropy::random),
    key(
        "matrix_token",
        &["syt_"],
        "syt_[A-Za-z0-9+/=]{4,64}_[A-Za-z0-9]{20}_[A-Za-z0-9]{6}",
        &["x = '⟦syt_Kh4RoBYxKh4R_byLi5SpEbyLi5SrEbyLi_sFczMj⟧';"],
        &["syt_x"],
    ),
    key(
        "threads_token",
        &["THAA"],
        "THAA[A-Za-z0-9_-]{100,}",
        &[concat!(
            "key: ⟦THAAUrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd0Nk7UrGd0Nk7UtGd0Nk7WtGd0NwL",
            "i5SpCZyLi5SpCbyLi5SpEbyLi5SrEbyLi5UrEbyLi7UrEbyLk7UrEbyN⟧"
        )],
        &["THAAx"],
    )
    .check(entropy::random)
    .open_ended(),
];
