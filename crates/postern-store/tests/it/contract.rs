//! What every store does, whatever database is below. A database joins with one line: the name of
//! its tests and a function that opens a fresh store on it.

mod concurrency;
pub(crate) mod data_rules;
mod environments;
mod owned;
mod policies;
mod principals;
pub(crate) mod pseudonyms;
mod rotation;
mod tokens;
mod upstreams;

macro_rules! contract {
    ($database:ident, $fresh:expr, $($noun:ident: { $($test:ident),+ $(,)? })+) => {
        mod $database {
            $(mod $noun {
                use super::super::super::fixture::Fixture;
                $(
                    #[tokio::test]
                    async fn $test() {
                        super::super::$noun::$test(&$fresh().await).await;
                    }
                )+
            })+
        }
    };
}

macro_rules! contract_on {
    ($database:ident, $fresh:expr) => {
        contract! {
            $database, $fresh,
            environments: {
                are_made_listed_and_shown,
                are_retired_only_when_nothing_lives_there,
                never_take_a_retired_name,
                refuse_what_is_reserved_or_unbounded,
                have_peppers_of_their_own,
                use_keys_that_a_crash_left_without_an_environment,
            }
            principals: {
                are_made_changed_and_deleted,
                keep_apart_by_environment,
                stay_while_they_have_live_tokens,
            }
            upstreams: {
                keep_a_sealed_credential,
                change_the_settings_that_are_named,
                resolve_named_credentials_when_used,
                refuse_a_file_that_is_not_one_line,
                never_read_the_gateways_own_secrets,
                ask_again_for_the_credential_of_another_server,
                refuse_addresses_that_are_none,
                are_another_when_made_again,
            }
            policies: { are_saved_listed_and_deleted }
            data_rules: {
                are_saved_listed_changed_and_deleted,
                need_what_they_name_and_a_free_name,
                a_rule_for_an_upstream_outlives_it,
            }
            tokens: {
                are_checked_by_their_digest,
                live_for_a_bounded_time,
                bind_and_expand_their_grants,
                open_nothing_on_an_upstream_made_again,
                are_made_once_for_an_idempotency_key,
                need_what_they_name,
                are_revoked_once,
                are_listed_page_by_page,
                are_listed_by_state_principal_and_kind,
                record_uses_without_a_new_version,
                are_rehashed_only_from_the_stored_digest,
                read_back_after_a_rotation_of_the_record_key,
                serve_administrators_apart,
            }
            rotation: {
                keeps_the_old_secret_for_the_grace,
                never_outlives_the_token,
                ends_everything_old_without_grace,
                replaces_a_secret_that_was_never_used,
                refuses_while_two_secrets_are_in_use,
                ends_a_grace_early,
                refuses_dead_tokens_and_long_graces,
                is_done_once_for_an_idempotency_key,
            }
            owned: {
                is_known_by_the_whole_name,
                stays_with_whoever_made_it,
                ends,
                is_not_inherited,
            }
            pseudonyms: {
                are_kept_for_one_token,
                end_when_nobody_uses_them,
                go_when_their_token_is_revoked,
            }
            concurrency: {
                makes_one_token_for_one_key,
                never_leaves_three_live_secrets,
                counts_every_change_of_two_processes,
                leaves_nothing_half_done_when_a_caller_goes_away,
            }
        }
    };
}

contract_on!(sqlite, Fixture::sqlite);
