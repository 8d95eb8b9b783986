//! Keys of code hosts, package registries and build services.

use super::super::{Detector, checksum, entropy, key};

/// The table.
pub(in super::super) const DETECTORS: &[Detector] = &[
    key(
        "github_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        "gh[pousr]_[A-Za-z0-9]{36}",
        &["key: ⟦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⟧"],
        &["ghp_x"],
    )
    .check(checksum::github)
    .sure(99),
    key(
        "github_unproven_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        "gh[pousr]_[A-Za-z0-9]{36,255}",
        &["TOKEN=⟦gho_h4RoBYvKh4RoBYxKh4RoBaxKh4RoDaxKh4RqDaxK⟧"],
        &["gho_x"],
    )
    .sure(80),
    key(
        "github_fine_token",
        &["github_pat_"],
        "github_pat_[A-Za-z0-9_]{82}",
        &[concat!(
            r#"{"auth":"⟦github_pat_If2Pm9WvIf2Pm9YvIf2PmB_ZwJg3QnCZwJg3QpCZwJg3SpCZwJg5S"#,
            r#"pCZwJi5SpCZwLi5SpCZyLi5SpCbyL⟧"}"#
        )],
        &["github_pat_x"],
    ),
    key(
        "gitlab_token",
        &["glpat-"],
        concat!(
            r"glpat-[A-Za-z0-9_-]{20,40}(?:\.[A-Za-z0-9]{2}\.?[A-Za-z0-9]{7,9}|\.[A-Za-z",
            "0-9]{9})?"
        ),
        &["use ⟦glpat-m9WtGd0_m9WtG-2Pm9Wt⟧, then"],
        &["glpat-x"],
    ),
    key(
        "gitlab_deploy_token",
        &[
            "gldt-", "glft-", "glsoat-", "glffct-", "glimt-", "glcbt-", "glwt-",
        ],
        "gl(?:dt|ft|soat|ffct|imt|cbt|wt)-[A-Za-z0-9_-]{20,64}",
        &["⟦gldt-czMj6Tq_czMj6-sFczMj⟧"],
        &["gldt-x"],
    ),
    key(
        "gitlab_trigger_token",
        &["glptt-"],
        "glptt-[0-9a-f]{40}",
        &["x = '⟦glptt-c16b05a16b05af6bc16b07c16b05c16b27c38d27⟧';"],
        &["glptt-x"],
    ),
    key(
        "gitlab_runner_token",
        &["glrt-", "glrtr-"],
        r"glrtr?-(?:t[0-9]_)?[A-Za-z0-9_-]{20,40}(?:\.[A-Za-z0-9.]{9,12})?",
        &["key: ⟦glrt-i5SpCZw_i5SpC-yLi5Sp⟧"],
        &["glrt-x"],
    ),
    key(
        "gitlab_registration_token",
        &["GR1348941"],
        "GR1348941[A-Za-z0-9_-]{20,50}",
        &["TOKEN=⟦GR1348941RoBYvIf_RoBYv-h4RoBY⟧"],
        &["GR1348941x"],
    ),
    key(
        "gitlab_agent_token",
        &["glagent-", "gloas-"],
        "gl(?:agent|oas)-[A-Za-z0-9_-]{50,80}",
        &[r#"{"auth":"⟦glagent-h4RoBYv_h4RoB-xKh4RoBaxKh4RoDaxKh4RqDaxKh4TqDaxKh6⟧"}"#],
        &["glagent-x"],
    ),
    key(
        "bitbucket_password",
        &["ATBB"],
        "ATBB[A-Za-z0-9]{32}",
        &["use ⟦ATBBk7UrEbyNk7UrEb0Nk7UrEd0Nk7UrGd0N⟧, then"],
        &["ATBBx"],
    ),
    key(
        "bitbucket_token",
        &["ATCTT3xFfG"],
        "ATCTT3xFfG[A-Za-z0-9_-]{140,220}=[0-9A-F]{8}",
        &[concat!(
            "⟦ATCTT3xFfGSpCZwJg_SpCZw-i5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5SrEbyLi5UrEbyLu",
            "Jg3QnAXwJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZwJg5SpCZwJi5SpCZwLi5SpUrGd0Nk7UtGd0",
            "Nk7WtGd0Nk9WtGd0Nm9WtGd0Pm9WtGd2Pm=0A7D3E91⟧"
        )],
        &["ATCTT3xFfGx"],
    ),
    key(
        "atlassian_token",
        &["ATATT3xFfG"],
        "ATATT3xFfG[A-Za-z0-9_-]{100,220}={0,1}[0-9A-F]{0,8}",
        &[concat!(
            "x = '⟦ATATT3xFfGVsFczMj_VsFcz-l8VsFczOl8VsFc1Ol8VsFe1Ol8VsHe1Ol8VuHe1Ol8Xu",
            "He1OxMj6TqDazMj6TqDczMj6TqFczMj6TsFczMj6VsFczMj8VsFczMl8VsFczOl8VsXuJg3QnA",
            "XwJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZwJg5Sp=0A7D3E91⟧';"
        )],
        &["ATATT3xFfGx"],
    ),
    key(
        "npm_token",
        &["npm_"],
        "npm_[A-Za-z0-9]{36}",
        &["key: ⟦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⟧"],
        &["npm_x"],
    )
    .check(checksum::github)
    .sure(99),
    key(
        "npm_unproven_token",
        &["npm_"],
        "npm_[A-Za-z0-9]{36}",
        &["TOKEN=⟦npm_wJg3QnAZwJg3QnCZwJg3QpCZwJg3SpCZwJg5⟧"],
        &["npm_x"],
    )
    .sure(80),
    key(
        "pypi_token",
        &["pypi-AgE"],
        "pypi-AgE[A-Za-z0-9_-]{60,}",
        &[concat!(
            r#"{"auth":"⟦pypi-AgE5SpCZwJi5SpCZwLi5SpCZyLi5SpCbyLi5SpEbyLi5SrEbyLi5UrEbyLi"#,
            r#"7UrEbyXwJg3QnAZwJg3QnCZw⟧"}"#
        )],
        &["pypi-AgEx"],
    )
    .open_ended(),
    key(
        "rubygems_key",
        &["rubygems_"],
        "rubygems_[0-9a-f]{48}",
        &["use ⟦rubygems_27c16b07c16b05c127c16d27c16b27c18d29e38d27e38d27⟧, then"],
        &["rubygems_x"],
    ),
    key(
        "nuget_key",
        &["oy2"],
        "oy2[a-z0-9]{43}",
        &["⟦oy2u5gr2do1cny9kv8ju5gr2fq1cny9mx8ju5gtgr2dozc⟧"],
        &["oy2x"],
    )
    .check(entropy::random),
    key(
        "cratesio_token",
        &["cio"],
        "cio[A-Za-z0-9]{32}",
        &["x = '⟦ciog3QnAXuJg3QnAXwJg3QnAZwJg3QnCZwJ⟧';"],
        &["ciox"],
    )
    .check(entropy::random),
    key(
        "clojars_token",
        &["CLOJARS_"],
        "CLOJARS_[a-z0-9]{60}",
        &["key: ⟦CLOJARS_s3ep0bmzalw7it6hs3ep0dozalw7kv6hs3erep0bmxalw7it4hs3ep0bozal⟧"],
        &["CLOJARS_x"],
    ),
    key(
        "packagist_token",
        &["packagist_"],
        "packagist_(?:ack|acs|oat|out|uut)_[0-9a-f]{60,80}",
        &[concat!(
            "TOKEN=⟦packagist_ack_38d27c18d27c16d238d27e38d27c38d29e3af49e38f49e385c16b",
            "05a16b05af69e38⟧"
        )],
        &["packagist_x"],
    ),
    key(
        "jfrog_key",
        &["AKCp"],
        "AKCp[A-Za-z0-9]{69}",
        &[concat!(
            r#"{"auth":"⟦AKCpGd0Nk7UtGd0Nk7WtGd0Nk9WtGd0Nm9WtGd0Pm9WtGd2Pm9WtGf2Pm9WtIf2P"#,
            r#"m9i7UrEby⟧"}"#
        )],
        &["AKCpx"],
    ),
    key(
        "jfrog_reference_token",
        &["cmVmdGtuOj"],
        "cmVmdGtuOj[A-Za-z0-9]{50,60}",
        &["use ⟦cmVmdGtuOjf2Pm9WtIf2Pm9WvIf2Pm9YvIf2PmBYvIf2PoBYvIf2RoBYvIf4RoBY⟧, then"],
        &["cmVmdGtuOjx"],
    ),
    key(
        "circleci_token",
        &["CCIPAT_", "CCIPRJ_"],
        "CCIP(?:AT|RJ)_[A-Za-z0-9]{22}_[0-9a-f]{40}",
        &["⟦CCIPAT_vIf2Pm9YvIf2PmBYvIf2Po_6b05af4b05af49056b05a16b05af6b05c16d27c1⟧"],
        &["CCIPAT_x"],
    ),
    key(
        "buildkite_token",
        &["bkua_", "bkat_", "bkpt_"],
        "bk(?:ua|at|pt)_[A-Za-z0-9]{40,64}",
        &["x = '⟦bkua_f49e38d49e38d29ef49e3af49e38f49e5af6b05a⟧';"],
        &["bkua_x"],
    ),
    key(
        "sourcegraph_token",
        &["sgp_", "slk_", "sgd_"],
        concat!(
            "(?:sgp_(?:[0-9A-Fa-f]{16}_|local_)?[0-9A-Fa-f]{40}|slk_[0-9a-f]{64}|sgd_[0",
            "-9a-f]{64})"
        ),
        &["key: ⟦sgp_05af49e5af49e3af_16b05af6b05af4b016b05c16b05a16b07c18d27c⟧"],
        &["sgp_x"],
    ),
    key(
        "sonar_token",
        &["sqp_", "sqa_", "squ_"],
        "sq[pau]_[0-9A-Za-z]{40}",
        &["TOKEN=⟦squ_9e38d27e38d27c389e38d49e38d29e38f4905af4⟧"],
        &["squ_x"],
    )
    .check(entropy::random),
    key(
        "snyk_token",
        &["snyk_"],
        r"snyk_(?:uat|sat|pat)\.[A-Za-z0-9_.-]{40,120}",
        &[r#"{"auth":"⟦snyk_uat.f2Pm9WtIf2Pm9WvIf2Pm9YvIf2PmBYvIf2PoBYvIf2RoBYvI⟧"}"#],
        &["snyk_x"],
    ),
    key(
        "infracost_key",
        &["ico-"],
        "ico-[A-Za-z0-9]{32}",
        &["use ⟦ico-3QnAXuHg3QnAXuJg3QnAXwJg3QnAZwJg⟧, then"],
        &["ico-x"],
    ),
    key(
        "postman_key",
        &["PMAK-"],
        "PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
        &["⟦PMAK-27c16b07c16b05c127c16d27-38d27c18d27c16d238d27e38d27c38d29e⟧"],
        &["PMAK-x"],
    ),
    key(
        "postman_collection_key",
        &["PMAT-"],
        "PMAT-[0-9A-Z]{26}",
        &["x = '⟦PMAT-GR2DOZANY9KV6HU5GR2DO1CNY9⟧';"],
        &["PMAT-x"],
    ),
    key(
        "figma_token",
        &["figd_", "figu_", "figo_"],
        "fig[duo]_[A-Za-z0-9_-]{38,60}",
        &["key: ⟦figd_yLi5SpC_yLi5S-EbyLi5SrEbyLi5UrEbyLi7UrEb⟧"],
        &["figd_x"],
    ),
    key(
        "readme_key",
        &["rdme_"],
        "rdme_[a-z0-9]{70}",
        &[concat!(
            "TOKEN=⟦rdme_alw7it4hs3ep0bozalw7iv6hs3ep2dozalw9w7it4fs3ep0bmzalw7it6hs3ep",
            "0dozalw7⟧"
        )],
        &["rdme_x"],
    ),
    key(
        "gitpod_token",
        &["gitpod_pat_"],
        "gitpod_pat_[A-Za-z0-9_.-]{40,120}",
        &[concat!(
            r#"{"auth":"⟦gitpod_pat_BYvIf2PoBYvIf2RoBYvIf4RoBYvIh4RoBYvKh4RoBYxKh4RoBaxKh"#,
            r#"4RoDaxK⟧"}"#
        )],
        &["gitpod_pat_x"],
    ),
    key(
        "deepsource_token",
        &["dsp_"],
        "dsp_[0-9a-f]{40}",
        &["use ⟦dsp_49e38d29e38d27e349e38f49e38d49e3af4b05af⟧, then"],
        &["dsp_x"],
    ),
    key(
        "openvsx_token",
        &["ovsxp_", "ovsxat_"],
        "ovsx(?:p|at)_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        &["⟦ovsxat_27c16b07-c16b-45c1-a7c1-6d27c16b27c1⟧"],
        &["ovsxat_x"],
    ),
    key(
        "intra42_secret",
        &["s-s4t2ud-", "s-s4t2af-"],
        "s-s4t2(?:ud|af)-[0-9a-f]{64}",
        &[concat!(
            "x = '⟦s-s4t2ud-c16b05a16b05af6bc16b07c16b05c16b27c38d27c18d27c1e5af49e3af4",
            "9e38f⟧';"
        )],
        &["s-s4t2ud-x"],
    ),
    key(
        "bitrise_token",
        &["bitpat_", "bitwat_"],
        "bit[pw]at_[A-Za-z0-9]{36,90}",
        &["key: ⟦bitpat_UrEbyLi7UrEbyLk7UrEbyNk7UrEb0Nk7UrEd0Nk7UrGd0Nk7⟧"],
        &["bitpat_x"],
    ),
    key(
        "raycast_token",
        &["rca_"],
        "rca_[0-9a-f]{64}",
        &["TOKEN=⟦rca_b05af4905af49e5ab05af6b05af4b05a16b27c16b07c16b0d49e38d29e38d27e⟧"],
        &["rca_x"],
    ),
    key(
        "valtown_token",
        &["vtwn_"],
        "vtwn_[A-Za-z0-9]{30,44}",
        &[r#"{"auth":"⟦vtwn_axKh4RoDaxKh4RqDaxKh4TqDaxKh6TqD⟧"}"#],
        &["vtwn_x"],
    ),
];
