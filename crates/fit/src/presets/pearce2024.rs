//! What Pearce & Song 2024 (arXiv 2406.12907) take for the models of Kaplan et al.

/// d_model/n_layer, by which they relate embeddings to N.
pub const ASPECT: f64 = 39.2;
