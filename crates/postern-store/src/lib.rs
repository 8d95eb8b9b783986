//! What do we remember? SQLite through sqlx, with sealed columns.
