//! Looking tokens up: one by its id, many by filter and page.

use jiff::Timestamp;
use postern_types::{EnvName, TokenId, TokenKind};
use sqlx::{QueryBuilder, Sqlite};

use super::row::TokenRow;
use super::stored::{self, joins, select};
use super::{Page, TokenFilter, TokenPage, TokenState, Tokens, missing};
use crate::bounds::PAGE_ROWS_MAX;
use crate::database::to_ms;
use crate::error::{Doing as _, StoreError};
use crate::principals;

impl Tokens<'_> {
    /// A token by its public id, whatever has become of it.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn by_id(self, id: &TokenId) -> Result<Option<TokenRow>, StoreError> {
        let mut connection = self
            .store
            .database()
            .read()
            .acquire()
            .await
            .doing("be read")?;
        stored::find(&mut connection, self.store.keys(), id).await
    }

    /// A token by its public id.
    ///
    /// # Errors
    /// Not found when there is no such token.
    pub async fn show(self, id: &TokenId) -> Result<TokenRow, StoreError> {
        self.by_id(id).await?.ok_or_else(|| missing(id))
    }

    /// A page of tokens, newest first.
    ///
    /// # Errors
    /// Not found when the token that the page is to follow does not exist; invalid when the limit
    /// is zero or too large, or a principal is asked for without its environment.
    pub async fn list(
        self,
        filter: &TokenFilter,
        page: &Page,
        now: Timestamp,
    ) -> Result<TokenPage, StoreError> {
        if !(1..=PAGE_ROWS_MAX).contains(&page.limit) {
            return Err(StoreError::invalid(format!(
                "a page has 1 to {PAGE_ROWS_MAX} rows"
            )));
        }
        if filter.principal.is_some() && filter.env.is_none() {
            return Err(StoreError::invalid(
                "a principal is one inside an environment: name the environment too",
            ));
        }
        if let Some(after) = &page.after {
            self.show(after).await?;
        }
        let mut mark = None;
        if let (Some(env), Some(id)) = (&filter.env, &filter.principal) {
            mark = principals::mark(self.store.keys(), env, id)?;
            if mark.is_none() {
                return Ok(TokenPage::default());
            }
        }
        let rows = statement(filter, mark, page, now)
            .build()
            .fetch_all(self.store.database().read())
            .await
            .doing("list tokens")?;
        let mut rows = stored::gather(self.store.keys(), &rows)?;
        // One more than asked was read, to know whether there is a next page.
        let limit = usize::try_from(page.limit).expect("a page's limit is small");
        let next = (rows.len() > limit).then(|| rows[limit - 1].id);
        rows.truncate(limit);
        Ok(TokenPage { rows, next })
    }
}

/// `mark` is that of the filter's principal.
fn statement(
    filter: &TokenFilter,
    mark: Option<[u8; 32]>,
    page: &Page,
    now: Timestamp,
) -> QueryBuilder<Sqlite> {
    // The page is cut before the secrets are joined: a token has several rows after that.
    let mut sql = QueryBuilder::new(concat!(select!(), "(SELECT * FROM tokens WHERE 1 = 1"));
    if let Some(env) = &filter.env {
        sql.push(" AND env = ").push_bind(env.as_str().to_owned());
        if let Some(mark) = mark {
            push_principal(&mut sql, env, mark);
        }
    }
    if let Some(kind) = filter.kind {
        sql.push(match kind {
            TokenKind::Server => " AND kind = 'server'",
            TokenKind::Admin => " AND kind = 'admin'",
        });
    }
    match filter.state {
        None => {}
        Some(TokenState::Live) => {
            sql.push(" AND revoked_ms IS NULL AND expires_ms > ")
                .push_bind(to_ms(now));
        }
        Some(TokenState::Expired) => {
            sql.push(" AND revoked_ms IS NULL AND expires_ms <= ")
                .push_bind(to_ms(now));
        }
        Some(TokenState::Revoked) => {
            sql.push(" AND revoked_ms IS NOT NULL");
        }
    }
    if let Some(after) = &page.after {
        sql.push(" AND (created_ms, token_id) < (SELECT created_ms, token_id FROM tokens")
            .push(" WHERE token_id = ")
            .push_bind(after.as_str().to_owned())
            .push(")");
    }
    sql.push(" ORDER BY created_ms DESC, token_id DESC LIMIT ")
        .push_bind(i64::from(page.limit) + 1)
        .push(")")
        .push(joins!())
        .push("ORDER BY t.created_ms DESC, t.token_id DESC, s.number");
    sql
}

/// By the numbers of every principal that has or had the name, so that tokens of one that was
/// deleted are still found.
fn push_principal(sql: &mut QueryBuilder<Sqlite>, env: &EnvName, mark: [u8; 32]) {
    sql.push(" AND principal_key IN (SELECT principal_key FROM principals WHERE env = ")
        .push_bind(env.as_str().to_owned())
        .push(" AND name_mark = ")
        .push_bind(mark.to_vec())
        .push(")");
}
