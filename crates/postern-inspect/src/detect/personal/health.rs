//! Numbers of patients, records and insurances, and of those who treat them.

use postern_types::BuiltinClass::{MedicalLicense, MedicalRecord};

use crate::detect::checksum::{Digits, uniform, weighted};
use crate::detect::{Detector, Edges, Needs};

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "medical_record",
        MedicalRecord,
        Needs::Digits(3),
        r"(?i)(?:[a-z]{1,5}[-/]?)?\d{3,12}(?:[-/][a-z0-9]{1,8}){0,2}",
    )
    .edges(Edges::Key)
    .check(record)
    .left(concat!(
        r"(?:^|[^a-z])(?:mrn|patient[ _-]?(?:id|number|no|nr|nummer",
        r"|identifier)|medical[ _-]?(?:record|records|file)",
        r"|health[ _-]?record|chart|journalnummer|journalnr|patientnummer",
        r"|fallnummer|patientennummer|n[.]? de dossier",
        r"|dossier m\xC3\xA9dical|historia cl\xC3\xADnica|case file",
        r"|hospital[ _-]?(?:id|number|no))",
        tail!()
    ))
    .sure(78)
    .at_most(40)
    .examples(
        &[
            "MRN: ⟦00123456⟧",
            "Patient ID ⟦AHC-0933289⟧",
            "medical record number ⟦MR-448-2231⟧",
        ],
        &["00123456", "patient 2024", "MRN 11111", "patients 12345"],
    ),
    // Further from its name: under the heading of a column, or later in the sentence.
    Detector::new(
        "medical_record_named",
        MedicalRecord,
        Needs::Digits(6),
        r"(?i)(?:mrn?-?)?\d{6,10}",
    )
    .edges(Edges::Key)
    .check(record)
    .words(
        &[
            "mrn",
            "medical record",
            "medical record number",
            "patient number",
            "patient id",
        ],
        5,
        62,
    )
    .at_most(14)
    .examples(
        &[
            "id,MRN,city\n17,⟦6973014⟧,Leeds",
            "the medical record number on the wristband was ⟦MR-777461⟧",
        ],
        &[
            "6973014",
            "medical record of 2024",
            "MRN, invoice no. 6973014",
        ],
    ),
    Detector::new(
        "health_insurance",
        MedicalRecord,
        Needs::Digits(4),
        r"(?i)(?:[a-z]{1,5}[-/ ]?)?\d{4,12}(?:[-/][a-z0-9]{1,8}){0,2}[a-z]?",
    )
    .edges(Edges::Key)
    .check(record)
    .left(concat!(
        r"(?:^|[^a-z])(?:health[ _-]?insurance|insurance[ _-]?(?:policy|id",
        r"|number|no|member)|policy[ _-]?(?:id|number|no)|insurance policy",
        r"|member[ _-]?id|subscriber[ _-]?id|krankenversicherung",
        r"|forsikringsnummer|mutuelle|tarjeta sanitaria|health card|ohip",
        r"|versichertennummer)",
        r"[ ]?#?",
        tail!()
    ))
    .sure(74)
    .at_most(40)
    .examples(
        &[
            "insurance policy #⟦88291-LK⟧",
            "member ID: ⟦XYZ123456789⟧",
            "health insurance number ⟦1234567890⟧",
        ],
        &[
            "88291-LK",
            "insurance in 2024",
            "policy number 12",
            "member id 1111",
        ],
    ),
    // A kind of registrant, a letter of the name, and a check digit over six digits.
    Detector::new(
        "us_dea",
        MedicalLicense,
        Needs::Digits(7),
        r"(?i)[abcdefghjklmnprstux][a-z9]\d{7}",
    )
    .edges(Edges::Key)
    .check(dea)
    .words(
        &[
            "dea",
            "certificate",
            "certificate number",
            "prescriber",
            "registration",
            "dea number",
            "license",
            "physician",
        ],
        58,
        95,
    )
    .at_most(9)
    .examples(
        &["DEA ⟦BB1388568⟧", "⟦GL0285191⟧"],
        &["BB1388569", "BBB1388568", "BB13885681", "OB1388568"],
    ),
    Detector::new(
        "medical_license_in_context",
        MedicalLicense,
        Needs::Digits(4),
        r"(?i)(?:[a-z]{1,3}[-.]?)?\d{4,11}(?:-[a-z0-9]{1,3})?",
    )
    .edges(Edges::Key)
    .check(record)
    .left(concat!(
        r"(?:^|[^a-z])(?:medical[ _-]?licen[cs]e|physician[ _-]?licen[cs]e",
        r"|nursing[ _-]?licen[cs]e|gmc|gmc reference|npi|autorisations-?id",
        r"|autorisationsid|ydernummer|rpps|adeli|crm|big-register|big)",
        tail!()
    ))
    .sure(82)
    .at_most(20)
    .examples(
        &[
            "medical license ⟦MD-48821⟧",
            "GMC number ⟦7654321⟧",
            "RPPS ⟦10003456789⟧",
        ],
        &["MD-48821", "medical license 12", "gmc 1111111"],
    ),
];

/// Not a year, and not one digit over and over.
fn record(text: &str) -> bool {
    let digits = Digits::of(text);
    let year = text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    !year && !uniform(&digits)
}

/// The odd places and twice the even ones; the last digit of the sum is the seventh digit.
fn dea(text: &str) -> bool {
    let digits = Digits::of(&text[2..]);
    weighted(&digits, &[1, 2, 1, 2, 1, 2]) % 10 == u32::from(digits[6]) && !uniform(&digits)
}
