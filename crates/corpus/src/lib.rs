//! Documents: reading, splitting, tokenizers, writing shards; a synthetic language of known entropy.
