//! Models in words.

use keygate_contract::{ModelType, Price};

/// A type of models.
pub fn type_name(kind: ModelType) -> &'static str {
    match kind {
        ModelType::Text => "Text",
        ModelType::Vision => "Vision",
        ModelType::Omni => "Omni",
        ModelType::OmniRealtime => "Omni, realtime",
        ModelType::Embedding => "Embedding",
        ModelType::MultimodalEmbedding => "Multimodal embedding",
        ModelType::Rerank => "Rerank",
        ModelType::SpeechTranslate => "Speech translation",
        ModelType::SpeechAsr => "Speech to text",
        ModelType::SpeechAsrRealtime => "Speech to text, realtime",
        ModelType::SpeechTts => "Text to speech",
        ModelType::SpeechTtsRealtime => "Text to speech, realtime",
        ModelType::Image => "Image",
        ModelType::Video => "Video",
        ModelType::Music => "Music",
        ModelType::ThreeD => "3D",
    }
}

/// The type of that name on the wire.
pub fn type_of(name: &str) -> Option<ModelType> {
    ModelType::ALL.into_iter().find(|kind| kind.as_str() == name)
}

/// What is paid for: `input_tokens` is `Input tokens`.
pub fn price_item(price: &Price) -> String {
    let words = price.item.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// How much of it: `million_tokens` is `million tokens`.
pub fn price_unit(price: &Price) -> String {
    price.per.replace('_', " ")
}

/// How many models, in words.
pub fn models_word(count: u64) -> &'static str {
    if count == 1 { "model" } else { "models" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_its_name_on_the_wire() {
        for kind in ModelType::ALL {
            assert_eq!(type_of(kind.as_str()), Some(kind));
        }
        assert_eq!(type_of("Text"), None);
    }

    #[test]
    fn a_price_is_told_in_words() {
        let price =
            Price { item: "video_720p".into(), per: "10k_chars".into(), price: 1.0, currency: "USD".into() };
        assert_eq!((price_item(&price), price_unit(&price)), ("Video 720p".into(), "10k chars".into()));
    }
}
