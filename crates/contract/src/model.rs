//! Models: what can be called in a region, how fast, and at what price.

use crate::id::ModelId;
use crate::page::Page;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A model of a region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Model {
    /// As applications name it.
    pub id: ModelId,
    /// Who makes it.
    pub vendor: String,
    /// What it works on.
    #[serde(rename = "type")]
    pub kind: ModelType,
    /// Calls a minute the whole account may make of it in the region.
    pub rpm: u64,
    /// Tokens a minute the whole account may use with it in the region; null: it is not metered in tokens.
    pub tpm: Option<u64>,
    /// Tokens of a prompt and its answer together; null: not known.
    pub context_window: Option<u64>,
    /// Most tokens of one answer; null: not known.
    pub max_output_tokens: Option<u64>,
    /// What it costs. Empty: not known.
    pub prices: Vec<Price>,
    /// How it stands in the workspace that was asked about; left out when none was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub workspace: Option<ModelInWorkspace>,
}

/// How a model stands in a workspace that may call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelInWorkspace {
    /// Calls a minute the workspace may make of it.
    pub rpm: u64,
    /// Tokens a minute the workspace may use with it; null: it is not metered in tokens.
    pub tpm: Option<u64>,
    /// When a key of the workspace last called it, to the minute or better; null: not since this is recorded.
    pub last_called_at: Option<Timestamp>,
}

/// A price of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// What is paid for: `input_tokens`, `output_tokens`, or the vendor's name for a unit, such as `video_720p`.
    pub item: String,
    /// How much of it: `million_tokens`, `image`, `second`, `10k_chars`, `call`.
    pub per: String,
    /// The amount, in `currency`.
    pub price: f64,
    /// ISO 4217 code, such as `USD`.
    pub currency: String,
}

/// What a model works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ModelType {
    /// Text to text.
    Text,
    /// Text and images to text.
    Vision,
    /// Text, images, audio and video to text and audio.
    Omni,
    /// The same over a connection that stays open.
    OmniRealtime,
    /// Text to vectors.
    Embedding,
    /// Text, images and video to vectors.
    MultimodalEmbedding,
    /// Texts put in order of relevance.
    Rerank,
    /// Speech to speech or text of another language.
    SpeechTranslate,
    /// Speech to text.
    SpeechAsr,
    /// Speech to text as it is spoken.
    SpeechAsrRealtime,
    /// Text to speech.
    SpeechTts,
    /// Text to speech as it is written.
    SpeechTtsRealtime,
    /// To images.
    Image,
    /// To video.
    Video,
    /// To music.
    Music,
    /// To three-dimensional objects.
    #[serde(rename = "3d")]
    ThreeD,
}

impl ModelType {
    /// Every type, in the order in which lists show them.
    pub const ALL: [Self; 16] = [
        Self::Text,
        Self::Vision,
        Self::Omni,
        Self::OmniRealtime,
        Self::Embedding,
        Self::MultimodalEmbedding,
        Self::Rerank,
        Self::SpeechTranslate,
        Self::SpeechAsr,
        Self::SpeechAsrRealtime,
        Self::SpeechTts,
        Self::SpeechTtsRealtime,
        Self::Image,
        Self::Video,
        Self::Music,
        Self::ThreeD,
    ];

    /// The type as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Vision => "vision",
            Self::Omni => "omni",
            Self::OmniRealtime => "omni-realtime",
            Self::Embedding => "embedding",
            Self::MultimodalEmbedding => "multimodal-embedding",
            Self::Rerank => "rerank",
            Self::SpeechTranslate => "speech-translate",
            Self::SpeechAsr => "speech-asr",
            Self::SpeechAsrRealtime => "speech-asr-realtime",
            Self::SpeechTts => "speech-tts",
            Self::SpeechTtsRealtime => "speech-tts-realtime",
            Self::Image => "image",
            Self::Video => "video",
            Self::Music => "music",
            Self::ThreeD => "3d",
        }
    }

    /// Whether models of this type are metered in tokens. The others are metered in calls alone, and have no limit of
    /// tokens a minute.
    pub fn is_token_metered(self) -> bool {
        match self {
            Self::Text
            | Self::Vision
            | Self::Omni
            | Self::OmniRealtime
            | Self::Embedding
            | Self::MultimodalEmbedding
            | Self::Rerank
            | Self::SpeechTranslate => true,
            Self::SpeechAsr
            | Self::SpeechAsrRealtime
            | Self::SpeechTts
            | Self::SpeechTtsRealtime
            | Self::Image
            | Self::Video
            | Self::Music
            | Self::ThreeD => false,
        }
    }
}

impl fmt::Display for ModelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Answer of `model_list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelList {
    /// One page of the models found.
    #[serde(flatten)]
    pub page: Page<Model>,
    /// How many models of each vendor the search finds, whatever vendor is chosen. In the order of the alphabet.
    pub vendors: Vec<VendorCount>,
    /// How many models of each type the search finds, whatever type is chosen.
    pub types: Vec<TypeCount>,
}

/// How many models a vendor has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VendorCount {
    /// The vendor.
    pub vendor: String,
    /// Its models.
    pub count: u64,
}

/// How many models there are of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TypeCount {
    /// The type.
    #[serde(rename = "type")]
    pub kind: ModelType,
    /// Its models.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_types_name_is_the_same_in_code_and_on_the_wire() {
        for kind in ModelType::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
    }
}
