//! The built-in classes. One row a class: everything else here is derived from the table.

use super::ClassGroup;

/// Declares the classes: variant, name in rules and labels, group, what it is.
macro_rules! classes {
    ($($variant:ident $name:literal $group:ident $about:literal;)*) => {
        /// A class of sensitive data that ships with the product.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum BuiltinClass {
            $(#[doc = $about] $variant,)*
        }

        impl BuiltinClass {
            /// Every class, in the order of the documentation.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The short field term used in rules, policies and findings.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The group it belongs to.
            #[must_use]
            pub fn group(self) -> ClassGroup {
                match self {
                    $(Self::$variant => ClassGroup::$group,)*
                }
            }

            /// What it is, for people, in a few words.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about,)*
                }
            }

            /// Parses the name used in rules.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

classes! {
    Email "email" Personal "an e-mail address";
    Phone "phone" Personal "a telephone number, international or national";
    DateOfBirth "date_of_birth" Personal "a date said to be somebody's birth";
    IpAddress "ip_address" Personal "an IPv4 or IPv6 address";
    MacAddress "mac_address" Personal "the hardware address of a network device";
    Coordinates "coordinates" Personal "latitude and longitude";
    VehicleId "vehicle_id" Personal
        "a vehicle identification number (ISO 3779) or a number plate in context";
    MedicalRecord "medical_record" Personal
        "the number of a patient, a health record or a health insurance";
    Passport "passport" Personal "a passport number in context";
    DrivingLicense "driving_license" Personal "a driving licence number";
    IdentityCard "identity_card" Personal
        "the number of an identity card or residence permit in context";
    MedicalLicense "medical_license" Personal
        "the licence number of a physician, a prescriber or a practice";
    PostalCode "postal_code" Personal "a postal code, by its shape or in context";
    Card "card" Payment "a payment card number (Luhn, issuer ranges)";
    Iban "iban" Payment "an international bank account number (ISO 13616)";
    BankAccount "bank_account" Payment "a national bank account number in context";
    RoutingNumber "routing_number" Payment "a bank's routing number, sort code or BIC";
    CryptoAddress "crypto_address" Payment "an address of a crypto currency, by its checksum";
    UsSsn "us_ssn" NationalId "United States social security number";
    UsItin "us_itin" NationalId "United States individual taxpayer number";
    UsEin "us_ein" NationalId "United States employer number in context";
    UsMbi "us_mbi" NationalId "United States Medicare beneficiary identifier";
    UsNpi "us_npi" NationalId "United States national provider identifier";
    UkNhs "uk_nhs" NationalId "United Kingdom NHS number";
    UkNino "uk_nino" NationalId "United Kingdom national insurance number";
    DeTaxId "de_tax_id" NationalId "German tax identification number";
    DeSocialSecurity "de_social_security" NationalId "German pension insurance number";
    DeIdCard "de_id_card" NationalId "German identity card number";
    DeTaxNumber "de_tax_number" NationalId "German tax office number (Steuernummer)";
    FrNir "fr_nir" NationalId "French social security number (NIR)";
    EsNif "es_nif" NationalId "Spanish NIF, DNI or NIE";
    ItFiscalCode "it_fiscal_code" NationalId "Italian fiscal code";
    ItVat "it_vat" NationalId "Italian VAT number";
    PlPesel "pl_pesel" NationalId "Polish PESEL";
    PlNip "pl_nip" NationalId "Polish tax number (NIP)";
    FiHetu "fi_hetu" NationalId "Finnish personal identity code";
    SePersonnummer "se_personnummer" NationalId "Swedish personal or organisation number";
    DkCpr "dk_cpr" NationalId "Danish CPR number";
    NoFnr "no_fnr" NationalId "Norwegian birth number";
    IsKennitala "is_kennitala" NationalId "Icelandic identification number";
    NlBsn "nl_bsn" NationalId "Dutch citizen service number";
    BeNn "be_nn" NationalId "Belgian national register number";
    AtSvnr "at_svnr" NationalId "Austrian social insurance number";
    ChAhv "ch_ahv" NationalId "Swiss AHV number";
    PtNif "pt_nif" NationalId "Portuguese tax number";
    IePps "ie_pps" NationalId "Irish PPS number";
    GrAmka "gr_amka" NationalId "Greek AMKA";
    CzRodneCislo "cz_rodne_cislo" NationalId "Czech or Slovak birth number";
    RoCnp "ro_cnp" NationalId "Romanian personal numerical code";
    BgEgn "bg_egn" NationalId "Bulgarian EGN";
    HrOib "hr_oib" NationalId "Croatian OIB";
    EeIsikukood "ee_isikukood" NationalId "Estonian or Lithuanian personal code";
    LvPersonasKods "lv_personas_kods" NationalId "Latvian personal code";
    TrKimlik "tr_kimlik" NationalId "Turkish identification number";
    IlTeudatZehut "il_teudat_zehut" NationalId "Israeli identity number";
    ZaId "za_id" NationalId "South African identity number";
    BrCpf "br_cpf" NationalId "Brazilian CPF";
    BrCnpj "br_cnpj" NationalId "Brazilian CNPJ";
    ArCuit "ar_cuit" NationalId "Argentine CUIT or CUIL";
    ClRut "cl_rut" NationalId "Chilean RUT";
    MxCurp "mx_curp" NationalId "Mexican CURP";
    MxRfc "mx_rfc" NationalId "Mexican taxpayer number (RFC)";
    CaSin "ca_sin" NationalId "Canadian social insurance number";
    InAadhaar "in_aadhaar" NationalId "Indian Aadhaar number";
    InPan "in_pan" NationalId "Indian permanent account number";
    InGstin "in_gstin" NationalId "Indian goods and services tax number";
    InVoterId "in_voter_id" NationalId "Indian voter identity number";
    AuTfn "au_tfn" NationalId "Australian tax file number";
    AuAbn "au_abn" NationalId "Australian business or company number";
    AuMedicare "au_medicare" NationalId "Australian Medicare number";
    NzIrd "nz_ird" NationalId "New Zealand IRD number";
    SgNric "sg_nric" NationalId "Singapore NRIC or FIN";
    SgUen "sg_uen" NationalId "Singapore unique entity number";
    KrRrn "kr_rrn" NationalId "Korean resident registration number";
    JpMyNumber "jp_my_number" NationalId "Japanese individual number";
    CnId "cn_id" NationalId "Chinese resident identity number";
    TwId "tw_id" NationalId "Taiwanese identity number";
    HkId "hk_id" NationalId "Hong Kong identity card number";
    ThId "th_id" NationalId "Thai identity number";
    MyNric "my_nric" NationalId "Malaysian identity card number in context";
    PhTin "ph_tin" NationalId "Philippine taxpayer number in context";
    NgNin "ng_nin" NationalId "Nigerian identity number in context";
    EuVat "eu_vat" NationalId "European Union VAT number";
    CompanyId "company_id" NationalId
        "the register number of a company in a country without a class of its own for it";
    OtherNationalId "other_national_id" NationalId
        "an identity, tax or social security number of a further country";
    ApiKey "api_key" Secret "a key of a known vendor";
    CloudCredential "cloud_credential" Secret "a credential of a cloud provider";
    PrivateKey "private_key" Secret "a private key in PEM, OpenSSH or another armour";
    Jwt "jwt" Secret "a JSON Web Token";
    ConnectionString "connection_string" Secret "a connection string with a password in it";
    BasicAuth "basic_auth" Secret
        "a user name and password in an address or an Authorization header";
    GenericSecret "generic_secret" Secret
        "a value of high entropy, or one that is called a password or a key";
    PosternToken "postern_token" Secret "a token of this gateway, by its checksum";
    Person "person" Analyzed "the name of a person";
    Place "place" Analyzed "a place or an address";
    Organization "organization" Analyzed "the name of an organisation";
}
