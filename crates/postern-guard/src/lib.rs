//! The protocol-neutral stages: authenticate, authorize, limit, record; Flight and its close.
