//! One vocabulary for three programs and the labels of the corpora.

/// `(our class, the names that others have for it)`.
const NAMES: &[(&str, &[&str])] = &[
    ("email", &["EMAIL_ADDRESS", "EMAIL"]),
    (
        "phone",
        &[
            "PHONE_NUMBER",
            "PHONE",
            "PH_MOBILE_NUMBER",
            "TR_PHONE_NUMBER",
        ],
    ),
    ("ip_address", &["IP_ADDRESS"]),
    ("mac_address", &["MAC_ADDRESS"]),
    ("card", &["CREDIT_CARD"]),
    ("iban", &["IBAN_CODE", "IBAN"]),
    ("bank_account", &["US_BANK_NUMBER", "BANK_ACCOUNT"]),
    ("routing_number", &["ABA_ROUTING_NUMBER", "ROUTING_NUMBER"]),
    ("crypto_address", &["CRYPTO"]),
    (
        "vehicle_id",
        &[
            "UK_VEHICLE_REGISTRATION",
            "IN_VEHICLE_REGISTRATION",
            "NG_VEHICLE_REGISTRATION",
            "TR_LICENSE_PLATE",
            "DE_KFZ",
        ],
    ),
    ("medical_record", &["DE_HEALTH_INSURANCE"]),
    (
        "passport",
        &[
            "US_PASSPORT",
            "UK_PASSPORT",
            "DE_PASSPORT",
            "ES_PASSPORT",
            "IN_PASSPORT",
            "IT_PASSPORT",
            "KR_PASSPORT",
            "PASSPORT",
        ],
    ),
    (
        "driving_license",
        &[
            "US_DRIVER_LICENSE",
            "UK_DRIVING_LICENCE",
            "DE_FUEHRERSCHEIN",
            "IT_DRIVER_LICENSE",
            "KR_DRIVER_LICENSE",
            "DRIVER_LICENSE",
            "DRIVER_LICENSE_NUM",
        ],
    ),
    (
        "medical_license",
        &["MEDICAL_LICENSE", "DE_BSNR", "DE_LANR"],
    ),
    ("identity_card", &["IT_IDENTITY_CARD"]),
    ("postal_code", &["UK_POSTCODE", "DE_PLZ", "ZIP_CODE"]),
    ("company_id", &["KR_BRN", "DE_HANDELSREGISTER"]),
    ("ph_tin", &["PH_TIN"]),
    ("us_ssn", &["US_SSN", "SSN"]),
    ("us_itin", &["US_ITIN"]),
    ("us_mbi", &["US_MBI"]),
    ("us_npi", &["US_NPI"]),
    ("uk_nhs", &["UK_NHS"]),
    ("uk_nino", &["UK_NINO"]),
    ("de_tax_id", &["DE_TAX_ID"]),
    ("de_tax_number", &["DE_TAX_NUMBER"]),
    ("de_social_security", &["DE_SOCIAL_SECURITY"]),
    ("de_id_card", &["DE_ID_CARD"]),
    ("eu_vat", &["DE_VAT_ID"]),
    ("es_nif", &["ES_NIF", "ES_NIE"]),
    ("it_fiscal_code", &["IT_FISCAL_CODE"]),
    ("it_vat", &["IT_VAT_CODE"]),
    ("pl_pesel", &["PL_PESEL"]),
    ("fi_hetu", &["FI_PERSONAL_IDENTITY_CODE"]),
    (
        "se_personnummer",
        &["SE_PERSONNUMMER", "SE_ORGANISATIONSNUMMER"],
    ),
    ("tr_kimlik", &["TR_NATIONAL_ID"]),
    ("za_id", &["ZA_ID_NUMBER"]),
    ("ca_sin", &["CA_SIN"]),
    ("in_aadhaar", &["IN_AADHAAR", "AADHAR"]),
    ("in_pan", &["IN_PAN", "PAN"]),
    ("in_gstin", &["IN_GSTIN"]),
    ("in_voter_id", &["IN_VOTER"]),
    ("au_tfn", &["AU_TFN"]),
    ("au_abn", &["AU_ABN", "AU_ACN"]),
    ("au_medicare", &["AU_MEDICARE"]),
    ("sg_nric", &["SG_NRIC_FIN"]),
    ("sg_uen", &["SG_UEN"]),
    ("kr_rrn", &["KR_RRN", "KR_FRN"]),
    ("th_id", &["TH_TNIN"]),
    ("ng_nin", &["NG_NIN"]),
    (
        "secret",
        &[
            "api_key",
            "cloud_credential",
            "private_key",
            "jwt",
            "connection_string",
            "basic_auth",
            "generic_secret",
            "postern_token",
            "Artifactory Credentials",
            "AWS Access Key",
            "Azure Storage Account access key",
            "Basic Auth Credentials",
            "Cloudant Credentials",
            "Discord Bot Token",
            "GitHub Token",
            "GitLab Token",
            "Hex High Entropy String",
            "Base64 High Entropy String",
            "IBM Cloud IAM Key",
            "IBM COS HMAC Credentials",
            "JSON Web Token",
            "Secret Keyword",
            "Mailchimp Access Key",
            "NPM tokens",
            "OpenAI Token",
            "Private Key",
            "PyPI Token",
            "Public IP (ipv4)",
            "SendGrid API Key",
            "Slack Token",
            "SoftLayer Credentials",
            "Square OAuth Secret",
            "Stripe Access Key",
            "Telegram Bot Token",
            "Twilio API Key",
        ],
    ),
];

/// Our class for a name, where we have one.
pub(super) fn of_entity(name: &str) -> Option<&'static str> {
    let row = NAMES
        .iter()
        .find(|(class, names)| *class == name || names.contains(&name))?;
    Some(row.0)
}

/// Whether a name is written as our classes are: others write theirs in capitals.
pub(super) fn is_ours(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Whether others have a name for our class.
pub(super) fn is_shared(class: &str) -> bool {
    NAMES.iter().any(|(ours, _)| *ours == class)
}
