//! Numbers that are said to be what they are, by their name directly before them.
//!
//! Whoever writes `SSN: 123-45-6789` means a social security number, even if that one was never
//! given out or a digit is wrong. So the name and the length are asked for here, and no check.

use postern_types::BuiltinClass::{
    AuTfn, BeNn, BrCpf, CaSin, ChAhv, DeTaxId, DkCpr, EsNif, FrNir, InAadhaar, InPan, ItFiscalCode,
    NlBsn, NoFnr, PlPesel, PtNif, SePersonnummer, TrKimlik, UkNhs, UkNino, UsSsn, ZaId,
};

use crate::detect::checksum::{Digits, uniform};
use crate::detect::{Detector, Edges, Needs};

/// A row of a labelled number: how it is written, its names, one example.
macro_rules! labelled {
    ($(
        $id:literal $class:ident $digits:literal $pattern:literal
        $names:literal
        $found:literal $bare:literal;
    )*) => {
        &[$(
            Detector::new($id, $class, Needs::Digits($digits), $pattern)
                .edges(Edges::Number)
                .check(some)
                .left(concat!("(?:^|[^a-z])(?:", $names, ")", tail!()))
                .sure(70)
                .at_most(32)
                .examples(&[$found], &[$bare]),
        )*]
    };
}

pub(super) const DETECTORS: &[Detector] = labelled! {
    "us_ssn_labelled" UsSsn 9 r"\d{3}[- .]?\d{2}[- .]?\d{4}"
        "ssn|ss|social security"
        "SSN: ⟦123-45-6789⟧" "classn 123-45-6789";
    "ca_sin_labelled" CaSin 9 r"\d{3}[- ]?\d{3}[- ]?\d{3}"
        "sin number|social insurance"
        "social insurance number ⟦123-456-789⟧" "sin 123456789";
    "uk_nhs_labelled" UkNhs 10 r"\d{3}[- ]?\d{3}[- ]?\d{4}"
        "nhs"
        "NHS number ⟦123 456 7890⟧" "NHSX 1234567890";
    "uk_nino_labelled" UkNino 6 r"(?i)[a-z]{2}[ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[a-d]"
        "nino|national insurance|ni"
        "national insurance number ⟦QQ 12 34 56 C⟧" "QQ 12 34 56 C";
    "dk_cpr_labelled" DkCpr 10 r"\d{6}[- ]?\d{4}"
        "cpr|personnummer"
        "CPR-nummer: ⟦991399-1234⟧" "991399-1234";
    "se_personnummer_labelled" SePersonnummer 10 r"(?:\d{2})?\d{6}[-+ ]?\d{4}"
        "personnummer|personnr|pnr|samordningsnummer"
        "personnummer ⟦19991399-1234⟧" "19991399-1234";
    "no_fnr_labelled" NoFnr 11 r"\d{6}[ -]?\d{5}"
        "f.{1,2}dselsnummer|fnr|personnummer"
        "fødselsnummer ⟦991399 12345⟧" "99139912345";
    "de_tax_id_labelled" DeTaxId 11 r"\d{2}(?:[ /]?\d{3}){3}"
        "steuer-?id|idnr\\.?|steueridentifikationsnummer|steuer-?idnr\\.?"
        "Steuer-ID ⟦12 345 678 901⟧" "12345678901";
    "fr_nir_labelled" FrNir 11 r"\d ?\d{2} ?\d{2} ?[0-9AB]{2} ?\d{3} ?\d{3}(?: ?\d{2})?"
        "nir|num.{1,2}ro de s.{1,2}curit.{1,2} sociale|s.{1,2}curit.{1,2} sociale"
        "NIR : ⟦1 85 05 78 006 084 99⟧" "185057800608499";
    "es_nif_labelled" EsNif 7 r"(?i)(?:[a-z][- ]?)?\d{7,8}[- ]?[a-z]"
        "dni|nif|nie"
        "DNI: ⟦12345678A⟧" "12345678A";
    "it_fiscal_code_labelled" ItFiscalCode 5 r"(?i)[a-z]{6}\d{2}[a-z]\d{2}[a-z]\d{3}[a-z]"
        "codice fiscale|c\\.?f\\.?"
        "codice fiscale ⟦RSSMRA85T10A562A⟧" "RSSMRA85T10A562A";
    "pt_nif_labelled" PtNif 9 r"\d{3} ?\d{3} ?\d{3}"
        "nif|contribuinte"
        "NIF: ⟦123 456 780⟧" "123456780";
    "nl_bsn_labelled" NlBsn 8 r"\d{8,9}|\d{4}\.\d{2}\.\d{3}"
        "bsn|burgerservicenummer"
        "BSN: ⟦123456789⟧" "123456789";
    "be_nn_labelled" BeNn 11 r"\d{2}[.]?\d{2}[.]?\d{2}[- ]?\d{3}[. ]?\d{2}"
        "rijksregisternummer|num.{1,2}ro national|registre national"
        "rijksregisternummer ⟦85.05.13-123.45⟧" "85.05.13-123.45";
    "ch_ahv_labelled" ChAhv 13 r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}"
        "ahv(?:-nr\\.?|-nummer)?|avs"
        "AHV-Nr. ⟦756.1234.5678.90⟧" "756.1234.5678.90";
    "pl_pesel_labelled" PlPesel 11 r"\d{11}"
        "pesel"
        "PESEL: ⟦12345678901⟧" "12345678901";
    "tr_kimlik_labelled" TrKimlik 11 r"\d{11}"
        "t\\.?c\\.? ?kimlik|kimlik|tckn"
        "TC Kimlik No: ⟦12345678901⟧" "12345678901";
    "za_id_labelled" ZaId 13 r"\d{6} ?\d{4} ?\d{3}"
        "(?:sa|rsa|south african) id"
        "SA ID: ⟦9913995009087⟧" "9913995009087";
    "in_aadhaar_labelled" InAadhaar 12 r"\d{4}[ -]?\d{4}[ -]?\d{4}(?:\d{2})?"
        "aadhaar|aadhar|adhaar|uidai"
        "Aadhaar number: ⟦1234 5678 9012⟧" "1234 5678 9012";
    "in_pan_labelled" InPan 3 r"(?i)[a-z]{5,6}\d{3,4}[a-z]{1,2}"
        "pan|pan card"
        "PAN: ⟦ABCDE1234F⟧" "japan ABCDE1234F";
    "br_cpf_labelled" BrCpf 11 r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}"
        "cpf"
        "CPF: ⟦123.456.789-00⟧" "12345678900";
    "au_tfn_labelled" AuTfn 8 r"\d{3}[ -]?\d{3}[ -]?\d{2,3}"
        "tfn|tax file"
        "tax file number ⟦123 456 789⟧" "123456789";
};

/// Not one digit over and over.
fn some(text: &str) -> bool {
    !uniform(&Digits::of(text))
}
