//! Keys without a shape of their own: letters and digits that a vendor's name and a word such as
//! `key` give away, wherever the assignment between them and the value is recognised.
//!
//! One row serves all vendors, because every row of this kind is tried at each long run of text.

use postern_types::BuiltinClass::{ApiKey, CloudCredential};

use super::assignment::assigned;
use super::{Detector, Edges, Needs, entropy};

/// Declares a list of vendors (fragments of patterns) and the pattern for what stands to the left.
macro_rules! vendors {
    ($names:ident, $left:ident: $first:literal $($rest:literal)*) => {
        /// The vendors whose names make a value a key.
        #[cfg(test)]
        pub(super) const $names: &[&str] = &[$first, $($rest),*];
        const $left: &str = concat!(
            "(?:", $first, $("|", $rest,)* ")",
            r"[a-z0-9_\-. ]{0,24}",
            "(?:key|token|secret|passw|pwd|_pw|cred|auth|access|api|client|dsn|login|licen[cs]e",
            "|jwt|webhook|bearer|pat)",
            r"[a-z0-9_\-. ]{0,20}",
            assigned!()
        );
    };
}

vendors! { API_VENDORS, API_LEFT:
    "adafruit" "adobe" "airtable" "algolia" "alpaca" "alphavantage" "amadeus" "amplitude"
    "anthropic" "apify" "appsflyer" "appveyor" "artif" "asana" "assemblyai" "atlassian"
    "auth0" "baseten" "beamer" "betterstack" "bigcommerce" "binance" "bitbucket" "bitfinex"
    "bitly" "bitmex" "bitrise" "bitstamp" "bittrex" "box.?com" "brandfetch" "braze" "bugsnag"
    "buildkite" "bybit" "calendly" "captcha" "censys" "chargebee" "chatgpt" "circle.?ci"
    "clarifai" "clearbit" "clerk" "clickhouse" "clicksend" "clojars" "cloudinary" "cloudsmith"
    "codacy" "codeclimate" "codecov" "cohere" "coinbase" "coinmarketcap" "confluence"
    "confluent" "contentful" "convertkit" "customer.?io" "datadog" "dd_api" "deepgram" "deepl"
    "deepseek" "discord" "disqus" "docusign" "drone.?ci" "droneci" "dropbox" "duffel" "dune"
    "dynatrace" "ebay" "elastic" "eleven.?labs" "etherscan" "etsy" "eventbrite" "exa_"
    "facebook" "fast2sms" "figma" "finicity" "finnhub" "firebase" "flickr" "flutterwave"
    "foursquare" "freshbooks" "freshdesk" "front.?app" "gemini" "geoapify" "geocod" "giphy"
    "gitea" "github" "gitlab" "gitter" "gnews" "gocardless" "grafana" "groq" "gumroad" "harness"
    "helpscout" "honeycomb" "hotjar" "hubspot" "hugging.?face" "hunter.?io" "infura" "instagram"
    "intercom" "intra42" "ipdata" "ipinfo" "ipstack" "jfrog" "jira" "jotform" "jumpcloud"
    "kaggle" "keen" "klaviyo" "kraken" "kucoin" "launch.?darkly" "line_channel" "linear"
    "linkedin" "lob_" "lob[a-z]" "loggly" "logz" "looker" "mail.?chimp" "mailchimpe" "mailgun"
    "mailjet" "mailtrap" "mandrill" "mapbox" "mattermost" "maxmind" "mediastack" "meraki"
    "message.?bird" "mistral" "mixpanel" "moralis" "mux_" "nasa" "netlify" "newsapi"
    "new.?relic" "nexmo" "notion" "npm" "nylas" "nytimes" "okta" "onelogin" "onesignal" "openai"
    "open.?weather" "opsgenie" "optimizely" "owm" "pagerduty" "paypal" "perplexity" "pingdom"
    "pinterest" "pipedrive" "plaid" "plivo" "polygon" "postmark" "postman" "prismic"
    "private.?ai" "pubnub" "pusher" "quandl" "quickbooks" "rapid.?api" "razorpay" "readme"
    "replicate" "revenuecat" "ringcentral" "rollbar" "salesforce" "sauce.?labs" "scrapingbee"
    "sendbird" "sendgrid" "sendinblue" "sentry" "serpapi" "serper" "shippo" "shodan" "shopify"
    "sidekiq" "slack" "smartsheet" "snyk" "sonar" "sonarqube" "soundcloud" "sparkpost" "spotify"
    "square" "squarespace" "statuspage" "steam" "storyblok" "strava" "stripe" "stytch" "sumo"
    "supabase" "surveymonkey" "tatum" "telegram" "tmdb" "todoist" "together" "tomtom" "travis"
    "trello" "twilio" "twitch" "twitter" "typeform" "uber" "unsplash" "uploadcare" "urlscan"
    "vimeo" "virustotal" "voyage" "wakatime" "wandb" "webflow" "wechat" "weights.?and.?biases"
    "wistia" "wolfram" "wordpress" "workos" "x_api" "yelp" "youtube" "zapier" "zendesk" "zoho"
    "zoom" "sengrid" "contribsys"
}

vendors! { CLOUD_VENDORS, CLOUD_LEFT:
    "alibaba" "aliyun" "aws" "amazon" "azure" "backblaze" "bluemix" "cloudant" "cloudflare"
    "cloud_iam" "coshmac" "digital.?ocean" "do_api" "doppler" "exoscale" "fastly" "firebase"
    "fly.?io" "fly_" "gcp" "google.?cloud" "google" "hashicorp" "hcloud" "heroku" "hetzner"
    "huawei" "ibm" "iam_" "kubernetes" "linode" "mongo.?db.?atlas" "neon" "netlify" "openshift"
    "oracle.?cloud" "oci_" "ovh" "packet" "planetscale" "pulumi" "qiniu" "railway" "rackspace"
    "render" "scaleway" "scalingo" "sl[_-]" "softlayer" "tencent" "terraform" "tf_token" "upcloud"
    "vault" "vercel" "volcengine" "vultr" "wasabi" "yandex"
}

/// The table.
pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "aws_secret_key",
        CloudCredential,
        Needs::Digits(1),
        "[A-Za-z0-9/+]{40}",
    )
    .left(concat!(
        r"(?:aws|amazon|s3|secret[_-]?access[_-]?key|secret)",
        r"[a-z0-9_\-. ]{0,24}(?:key|secret|token|access)[a-z0-9_\-. ]{0,16}",
        assigned!()
    ))
    .edges(Edges::Key)
    .check(entropy::random)
    .sure(92)
    .examples(
        &[
            "aws_secret_access_key = ⟦h7Kq2Vx9Lm4Tz8Rw3Np6/k3v9Qh2dLx7WpT5rMn8⟧",
            "\"secretAccessKey\": \"⟦h7Kq2Vx9Lm4Tz8Rw3Np6/k3v9Qh2dLx7WpT5rMn8⟧\"",
        ],
        &[
            "commit h7Kq2Vx9Lm4Tz8Rw3Np6/k3v9Qh2dLx7WpT5rMn8",
            "aws_secret_access_key = ${AWS_SECRET_ACCESS_KEY_OF_THE_ACCOUNT}",
        ],
    ),
    Detector::new(
        "cloud_assigned_key",
        CloudCredential,
        Needs::Digits(1),
        r"[A-Za-z0-9_~.+/-]{16,120}={0,2}",
    )
    .left(CLOUD_LEFT)
    .edges(Edges::Word)
    .check(entropy::keyed)
    .sure(86)
    .examples(
        &[
            "IBM_CLOUD_API_KEY=⟦h7Kq2Vx9Lm4Tz8Rw3Np6Zk3v9Qh2dLx7WpT5rMn8Yc1-⟧",
            "heroku_api_key: '⟦3f9a1c7b-e02d-4846-a0f1-d9e37b20c5d8⟧'",
        ],
        &[
            "azure_region_key = west-europe-production",
            "heroku app 3f9a1c7b-e02d-4846",
        ],
    ),
    // The names of keys of its first kind are syllables strung together, without a digit.
    Detector::new(
        "cloudant_lettered_key",
        CloudCredential,
        Needs::Run(24),
        "[a-z]{24}",
    )
    .left(concat!(
        r"cloudant[a-z0-9_\-. ]{0,24}(?:key|pass|pwd|_pw|token|secret|cred)",
        r#"[a-z0-9_\-. ]{0,16}["']?\s{0,2}[:=]\s{0,2}""#
    ))
    .edges(Edges::Word)
    .sure(80)
    .examples(
        &[
            "cloudant_key = \"⟦thdringerandesentishiful⟧\"",
            "{\"cloudant_api_key\":\"⟦whopplestrantheredianstq⟧\"}",
        ],
        &[
            "cloudant_key = \"productionkeysofcloudant1\"",
            "the_key = \"thdringerandesentishiful\"",
        ],
    ),
    Detector::new(
        "vendor_assigned_key",
        ApiKey,
        Needs::Digits(1),
        r"[A-Za-z0-9_~.+/|:-]{12,120}={0,2}",
    )
    .left(API_LEFT)
    .edges(Edges::Word)
    .check(entropy::keyed)
    .sure(86)
    .examples(
        &[
            "algoliaApiKey = \"⟦3f9a1c7be02d58466af1d9e37b20c5d8⟧\"",
            "My Mistral API key is ⟦h7Kq2Vx9Lm4Tz8Rw3Np6Zk3v9Qh2dLx7⟧",
            "System.setProperty(\"TRELLO_TOKEN\", \"⟦h7Kq2Vx9Lm4Tz8Rw3Np6Zk3v9Qh2dLx7⟧\")",
        ],
        &[
            "algolia_index = \"production_documents\"",
            "slack_token = get_slack_token_from_settings",
        ],
    ),
    Detector::new(
        "softlayer_address",
        CloudCredential,
        Needs::Digits(1),
        "[a-z0-9]{64}",
    )
    .left(r"softlayer\.com/soap/v3(?:\.1)?/")
    .edges(Edges::Word)
    .check(entropy::varied)
    .sure(90)
    .examples(
        &[concat!(
            "http://api.softlayer.com/soap/v3/",
            "⟦3f9a1c7be02d58466af1d9e37b20c5d84e1f9a6c0b7d2835f6e9c1a47b20c5d8⟧",
        )],
        &["http://api.softlayer.com/soap/v3/SoftLayer_Account"],
    ),
    Detector::new(
        "discord_bot_token",
        ApiKey,
        Needs::Digits(1),
        r"[MNOA][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
    )
    .edges(Edges::Word)
    .check(entropy::random)
    .sure(92)
    .examples(
        &["DISCORD=⟦MTk4h7Kq2Vx9Lm4Tz8Rw3Np6.Zk3v9Q.h2dLx7WpT5rMn8Yc1Bs6Hf0Jd4G⟧"],
        &["Modules_of_the_whole_thing.inside.of_the_gateway_are_documented_here"],
    ),
    Detector::new(
        "facebook_app_token",
        ApiKey,
        Needs::Byte(b'|'),
        r"[0-9]{15,16}\|[A-Za-z0-9_-]{27}",
    )
    .edges(Edges::Word)
    .check(entropy::random)
    .sure(90)
    .examples(
        &["access_token=⟦734019285610473|h7Kq2Vx9Lm4Tz8Rw3Np6Zk3v9Qh⟧"],
        &["734019285610473|h7Kq"],
    ),
    Detector::new(
        "ghost_admin_key",
        ApiKey,
        Needs::Digits(1),
        "[0-9a-f]{24}:[0-9a-f]{64}",
    )
    .edges(Edges::Word)
    .check(entropy::varied)
    .sure(88)
    .examples(
        &[concat!(
            "⟦3f9a1c7be02d58466af1d9e3:",
            "7b20c5d83f9a1c7be02d58466af1d9e37b20c5d84e1f9a6c0b7d2835f6e9c1a4⟧",
        )],
        &["3f9a1c7be02d58466af1d9e3:7b20c5d8"],
    ),
    Detector::new(
        "mailgun_signing_key",
        ApiKey,
        Needs::Digits(1),
        "[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}",
    )
    .edges(Edges::Key)
    .check(entropy::varied)
    .sure(88)
    .examples(
        &["signing key ⟦3f9a1c7be02d58466af1d9e37b20c5d8-4e1f9a6c-0b7d2835⟧"],
        &["3f9a1c7be02d58466af1d9e37b20c5d8-4e1f"],
    ),
    Detector::new(
        "sidekiq_credentials",
        ApiKey,
        Needs::AnyCase(&["contribsys"]),
        "(?i:contribsys__com[a-z_]{0,12}[=:])([0-9a-f]{8}:[0-9a-f]{8})",
    )
    .edges(Edges::Any)
    .sure(92)
    .examples(
        &["BUNDLE_GEMS__CONTRIBSYS__COM=⟦3f9a1c7b:e02d5846⟧"],
        &["BUNDLE_GEMS__CONTRIBSYS__COM=3f9a"],
    ),
];
