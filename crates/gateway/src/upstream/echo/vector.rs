//! Vectors of texts.

use sha2::{Digest as _, Sha256};

/// A vector of length 1 that is always the same for a text. Texts that differ have vectors that have nothing to do
/// with each other: an echo knows no meaning.
pub(super) fn unit_vector(text: &str, dimensions: usize) -> Vec<f32> {
    let seed = Sha256::digest(text);
    let mut vector = Vec::with_capacity(dimensions + 16);
    let mut block = 0u32;
    while vector.len() < dimensions {
        let hash = Sha256::new().chain_update(block.to_le_bytes()).chain_update(seed).finalize();
        vector
            .extend(hash.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) + 0.5));
        block += 1;
    }
    vector.truncate(dimensions);
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_length_1_and_are_the_same_each_time() {
        for dimensions in [1, 15, 1024, 4096] {
            let vector = unit_vector("hello", dimensions);
            assert_eq!(vector.len(), dimensions);
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((length - 1.0).abs() < 1e-4, "{length}");
            assert_eq!(vector, unit_vector("hello", dimensions));
        }
        assert_ne!(unit_vector("hello", 8), unit_vector("hallo", 8));
    }
}
