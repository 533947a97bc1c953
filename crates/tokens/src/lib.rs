//! Token shards, nested subsets and the deterministic loader.
