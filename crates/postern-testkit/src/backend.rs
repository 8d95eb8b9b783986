//! Real programs that stand behind (or in front of) the gateway in tests.
