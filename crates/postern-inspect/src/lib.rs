//! What is in the bytes? Wire dialects of AI providers, sans-I/O.
